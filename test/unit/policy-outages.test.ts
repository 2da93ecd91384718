/**
 * The simulation of an outage against a table of what each policy makes of it, computed elsewhere from the libraries'
 * formulas; whether a fleet comes back to a slow service, and what would do instead.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Outage, type OutageForecast, simulateOutage } from '#dist/plan/policy/outage.js';
import type { Policy, WaitCurve } from '#dist/plan/policy/policy.js';
import { PRESETS, presetNamed } from '#dist/plan/policy/presets.js';
import { recoveryBound, stormRemedy, stormRemedyWords } from '#dist/plan/policy/recovery.js';

const CLIENTS = 10_000;
const HOUR_MS = 3_600_000;

function named(name: string): Policy {
  const preset = presetNamed(name);
  assert.ok(preset !== null, name);
  return preset.policy;
}

/** Of the AWS simulator: 1 s, doubled, limited to 20 s. */
function aws(least: number, most: number, changes: Partial<Policy> = {}): Policy {
  const waits: WaitCurve = {
    kind: 'curve',
    first: { fromMs: 1000, toMs: 1000 },
    isPerClient: false,
    growth: { by: 'factor', factor: 2 },
    maxMs: 20_000,
    jitter: { least, most },
    plus: { fromMs: 0, toMs: 0 },
    clamp: 'base',
    draw: null,
  };
  const ends = { attempts: null, totalMs: null, timeout: null, stop: [], now: [] };
  return { name: 'own', waits, ...ends, reset: 'ready', ...changes };
}

/** t50 and t99 in s after the service's return, peak share of a second in %, attempts a client. */
type Cell = readonly [t50: string, t99: string, peak?: number, attempts?: number] | 'all gone';

const TABLE: readonly (readonly [Policy, atOnce: Cell, after10s: Cell, after60s: Cell])[] = [
  [named('phoenix'), ['0', '0', 100], ['4.3', '4.3', 100, 11], ['4.3', '4.3', 100, 21]],
  [named('mqtt.js'), ['1', '1', 100], ['0', '0', 100, 10], ['0', '0', 100, 60]],
  [named('socket.io'), ['1.1', '1.5', 100], ['2.2', '4.9', 30, 4], ['2.2', '4.9', 30, 14]],
  [named('centrifuge'), ['.7', '1', 100], ['3.3', '16', 16, 5.5], ['5.9', '18', 10, 11]],
  [named('reconnecting-websocket'), ['3', '5', 26], ['2.5', '7.2', 24], ['5.6', '9.9', 13]],
  [named('partysocket'), ['3', '3', 100], ['2', '2', 100], ['7', '7', 100]],
  [named('graphql-ws'), ['2.7', '4', 38], ['2.3', '10', 28, 3], 'all gone'],
  [named('signalr'), ['0', '0', 100], ['2', '2', 100, 3], 'all gone'],
  [named('nats'), ['0', '0', 100], ['.3', '.4', 100, 6], 'all gone'],
  [named('colyseus'), ['.2', '.2', 100], ['1.2', '1.2', 100, 6], 'all gone'],
  [named('mattermost'), ['4', '5', 50], ['2.1', '4.4', 36, 3], ['161', '165', 23, 8]],
  [named('anycable'), ['4.3', '8.3', 23], ['5', '27', 11], ['21', '117', 3]],
  [named('actioncable'), ['10', '16', 14], ['3.6', '7.5', 17], ['10', '15', 11]],
  [named('python-websockets'), ['0', '0', 100], ['2.5', '8.1', 20], ['27', '30', 21]],
  [named('ably'), ['0', '0', 100], ['8', '10', 26], ['7.5', '13', 15]],
  [named('amplify'), ['5', '5', 100], ['55', '55', 100], ['5', '5', 100]],
  [named('pusher'), ['1', '1', 100], ['6', '6', 100], ['46', '46', 100]],
  [aws(0, 1), ['.5', '1', 100], ['4.9', '17', 15], ['5.8', '18', 9]],
  [aws(0.5, 1), ['.7', '1', 100], ['2', '15', 26], ['8', '18', 7]],
  [aws(1, 1), ['1', '1', 100], ['5', '5', 100], ['11', '11', 100]],
  [named('rfc6455'), ['2.4', '4.9', 21], ['5.5', '7.9', 20], ['2.5', '4.9', 20]],
  [named('iana-1012'), ['18', '30', 4], ['11', '27', 5], ['9', '27', 6]],
];

function away(policy: Policy, outageMs: number, changes: Partial<Outage> = {}): OutageForecast {
  const base = { clients: CLIENTS, perSecond: null, timeoutMs: null, windowMs: HOUR_MS, seed: 1 };
  return simulateOutage({ policy, outageMs, ...base, ...changes });
}

/** The table's numbers are rounded; beside half of the last digit: 0.2 s, 3%. */
function isNear(ms: number | null, written: string): boolean {
  const decimals = written.split('.')[1]?.length ?? 0;
  const expected = Number(written);
  return ms !== null && Math.abs(ms / 1000 - expected) <= Math.max(0.2, 0.03 * expected) + 0.5 * 10 ** -decimals;
}

for (const [row, [policy, ...cells]] of TABLE.entries()) {
  const name = policy.name === 'own' ? ['full', 'equal', 'no'][row - 17] : policy.name;
  test(`an outage of 0, 10 and 60 s: ${name === policy.name ? name : `${name} jitter`}`, () => {
    for (const [i, outageMs] of [0, 10_000, 60_000].entries()) {
      const cell = cells[i];
      const { t50Ms, t99Ms, peakPerSecond, attemptsPerClient, gaveUp } = away(policy, outageMs);
      if (cell === 'all gone') {
        assert.equal(gaveUp, CLIENTS);
        assert.equal(t50Ms, null);
        continue;
      }
      const [t50, t99, peak, attempts] = cell;
      assert.ok(isNear(t50Ms, t50), `t50 after ${outageMs} ms: ${t50Ms}, expected ${t50} s`);
      assert.ok(isNear(t99Ms, t99), `t99 after ${outageMs} ms: ${t99Ms}, expected ${t99} s`);
      const share = (100 * peakPerSecond) / CLIENTS;
      if (peak !== undefined)
        assert.ok(Math.abs(share - peak) <= 2.5, `peak after ${outageMs} ms: ${share}%, expected ${peak}%`);
      if (attempts !== undefined) {
        const off = Math.abs(attemptsPerClient.mean - attempts);
        assert.ok(off <= 0.5 + 0.03 * attempts, `attempts after ${outageMs} ms: ${attemptsPerClient.mean}`);
      }
    }
  });
}

/** 5,000 clients before a service that works on abandoned handshakes too, watched for 15 minutes. */
function slow(policy: Policy, perSecond: number): OutageForecast {
  return away(policy, 0, { clients: 5000, perSecond, windowMs: 900_000 });
}

const FIVE_SECONDS = { timeout: { firstMs: 5000, grow: 1, maxMs: 5000 } };

test('at 250 handshakes/s, policies with a long limit are back and those with a short one are stuck', () => {
  const socketIo = slow(named('socket.io'), 250);
  assert.ok(isNear(socketIo.t100Ms, '20'), `${socketIo.t100Ms}`);
  assert.equal(socketIo.wastedShare < 0.1, true);
  for (const policy of [named('reconnecting-websocket'), named('centrifuge'), aws(0, 1, FIVE_SECONDS)]) {
    const { t50Ms, back, stillTrying, wastedShare } = slow(policy, 250);
    assert.equal(t50Ms, null, policy.name);
    const share = stillTrying / 5000;
    assert.ok(share >= 0.72 && share <= 0.78, `${policy.name}: ${share} not back`);
    assert.equal(back + stillTrying, 5000);
    assert.ok(wastedShare >= 0.985, `${policy.name}: ${wastedShare} wasted`);
  }
});

test('the fleet recovers without jitter and by the 5..30 s of close code 1012, later or sooner', () => {
  const none = slow(aws(1, 1, FIVE_SECONDS), 250);
  assert.ok(none.t100Ms !== null && Math.abs(none.t100Ms / 1000 - 155) <= 8, `${none.t100Ms}`);
  const spread = slow({ ...named('iana-1012'), ...FIVE_SECONDS }, 250);
  assert.ok(isNear(spread.t100Ms, '30'), `${spread.t100Ms}`);
});

test('limits of 1 s need four minutes and 24 attempts at 500 handshakes/s, where 10 s would do', () => {
  const oneSecond = { timeout: { firstMs: 1000, grow: 1, maxMs: 1000 } };
  const impatient = { ...named('subscriptions-transport-ws'), ...oneSecond };
  for (const policy of [impatient, named('centrifuge-go')]) {
    const { t100Ms, attemptsPerClient } = slow(policy, 500);
    assert.ok(t100Ms !== null && Math.abs(t100Ms / 250_000 - 1) <= 0.03, `${policy.name}: ${t100Ms}`);
    assert.ok(Math.abs(attemptsPerClient.mean - 24) <= 1, `${policy.name}: ${attemptsPerClient.mean}`);
  }
  // The library's own limit grows by 1.2 from attempt to attempt, which halves it.
  const growing = slow(named('subscriptions-transport-ws'), 500);
  assert.ok(growing.t100Ms !== null && Math.abs(growing.t100Ms / 120_000 - 1) <= 0.1, `${growing.t100Ms}`);
  const endless = slow(named('phoenix'), 500);
  assert.ok(isNear(endless.t100Ms, '10'), `${endless.t100Ms}`);
});

test('the bound says beforehand what the simulation does', () => {
  const bound = (policy: Policy, perSecond: number | null) => recoveryBound(policy, 5000, perSecond, null);
  assert.equal(bound(named('socket.io'), 250).recovers, true);
  assert.equal(bound(named('phoenix'), 1).recovers, true);
  assert.equal(bound(named('anycable'), 1).recovers, true);
  for (const policy of [named('reconnecting-websocket'), named('centrifuge'), aws(0, 1, FIVE_SECONDS)])
    assert.equal(bound(policy, 250).recovers, false, policy.name);
  assert.equal(
    bound(named('reconnecting-websocket'), 250).because,
    "with a timeout of 4s and waits up to 10s this fleet can't recover at 250/s: it needs more than 357 handshakes/s",
  );
  assert.equal(
    bound(aws(0, 1, FIVE_SECONDS), null).because,
    'recovers if the service completes more than 5,000 clients / (5s an attempt + 10s mean wait) = 333 handshakes/s',
  );
  assert.ok(Math.abs(bound(named('centrifuge'), null).needPerSecond - 322.7) < 0.5);
  assert.equal(bound(named('none'), 250).recovers, false);
  // The plan's own limit counts where the policy has none.
  assert.equal(recoveryBound(named('phoenix'), 5000, 60, 75_000).recovers, false);
});

test('what the remedy says would do: the same fleet recovers with it', () => {
  const remedy = stormRemedy(5000, 250, 4000);
  assert.deepEqual(remedy, { windowMs: 20_000, capMs: 42_000, patientMs: 25_000 });
  assert.equal(
    stormRemedyWords(remedy),
    'spread the first attempt over 20s and let waits grow to 42s (full jitter), or give each attempt 25s',
  );
  const impatient = named('reconnecting-websocket');
  assert.equal(slow(impatient, 250).t50Ms, null);
  const spreadOut: Policy = {
    ...impatient,
    waits: {
      kind: 'list',
      waits: [
        { fromMs: 0, toMs: remedy.windowMs },
        { fromMs: 0, toMs: remedy.capMs },
      ],
    },
  };
  const patient: Policy = { ...impatient, timeout: { firstMs: remedy.patientMs, grow: 1, maxMs: remedy.patientMs } };
  for (const policy of [spreadOut, patient]) {
    const { t100Ms } = slow(policy, 250);
    assert.ok(t100Ms !== null && t100Ms < 120_000, `${t100Ms}`);
  }
  assert.equal(stormRemedyWords(stormRemedy(100, 250, 75_000)), 'spread the first attempt over 1s');
});

test('every client is back, has given up or still tries, for every preset and any service', () => {
  for (const { policy } of PRESETS) {
    for (const perSecond of [null, 40]) {
      const outcome = away(policy, 20_000, { clients: 500, perSecond, windowMs: 60_000, timeoutMs: 10_000 });
      assert.equal(outcome.back + outcome.gaveUp + outcome.stillTrying, 500, policy.name);
      assert.ok(outcome.gaveUp >= 0 && outcome.stillTrying >= 0, policy.name);
      assert.equal(outcome.t100Ms !== null, outcome.back === 500, policy.name);
    }
  }
});

test('a fleet too large to simulate whole behaves as a part of it before a service slower by the same factor', () => {
  const part = away(named('reconnecting-websocket'), 10_000, { perSecond: 800, windowMs: 300_000 });
  const whole = away(named('reconnecting-websocket'), 10_000, {
    clients: 1_000_000,
    perSecond: 80_000,
    windowMs: 300_000,
  });
  assert.equal(whole.t95Ms, part.t95Ms);
  assert.equal(whole.peakPerSecond, part.peakPerSecond * 100);
  assert.equal(whole.back, part.back * 100);
  // Without such a limit of the work this would be a thousand million attempts.
  const busy: Policy = { ...named('stomp'), waits: { kind: 'list', waits: [{ fromMs: 10, toMs: 10 }] } };
  assert.equal(away(busy, HOUR_MS, { windowMs: 1000 }).back, CLIENTS);
});
