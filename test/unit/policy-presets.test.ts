/**
 * Each preset against the formula of its library, written here anew from the library's source: 10,000 seeded draws of
 * each wait, by the Kolmogorov-Smirnov distance to the formula's distribution, or exactly where nothing is random.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FleetWaits } from '#dist/plan/policy/fleet-waits.js';
import { type Policy, resetMs } from '#dist/plan/policy/policy.js';
import { PRESET_NAMES, PRESETS, presetNamed } from '#dist/plan/policy/presets.js';

const CLIENTS = 10_000;
const SEED = 7;
/** Beyond 1.95 / √n a distance has a chance of 0.1% (Kolmogorov); with the fixed seed it never changes. */
const FARTHEST = 1.95 / Math.sqrt(CLIENTS);

/** P(wait n ≤ ms), n from 0; or the one value of the wait. */
type Formula = (n: number) => number | ((ms: number) => number);

function uniform(from: number, to: number): number | ((ms: number) => number) {
  return from === to ? from : (ms) => Math.min(1, Math.max(0, (ms - from) / (to - from)));
}

function clipped(cdf: (ms: number) => number, most: number): (ms: number) => number {
  return (ms) => (ms >= most ? 1 : cdf(ms));
}

function steps(...seconds: readonly number[]): Formula {
  return (n) => 1000 * seconds[Math.min(n, seconds.length - 1)];
}

/** backo2: one r decides deviation and sign; the chance of a wait ≤ ms is counted over all of r. */
function backo2(min: number, max: number): Formula {
  const points = 200_000;
  return (n) => {
    const base = min * 2 ** n;
    const waits = Float64Array.from({ length: points }, (_, i) => {
      const r = (i + 0.5) / points;
      const deviation = Math.floor(0.5 * r * base);
      return Math.min(Math.floor(10 * r) % 2 === 0 ? base - deviation : base + deviation, max);
    }).sort();
    return (ms) => atMost(waits, ms) / points;
  };
}

/** How many of the sorted values are at most `limit`. */
function atMost(sorted: Float64Array, limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The distribution of `draw` over a grid of two uniform numbers. */
function overTwo(draw: (u: number, v: number) => number): (ms: number) => number {
  const side = 400;
  const values = Float64Array.from({ length: side * side }, (_, i) =>
    draw((Math.floor(i / side) + 0.5) / side, ((i % side) + 0.5) / side),
  ).sort();
  return (ms) => atMost(values, ms) / values.length;
}

const FORMULAS: Readonly<Record<string, Formula>> = {
  'socket.io': backo2(1000, 5000),
  signalr: steps(0, 2, 10, 30),
  phoenix: steps(0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5, 1, 2, 5),
  supabase: steps(1, 2, 5, 10),
  'graphql-ws': (n) => uniform(1000 * 2 ** n + 300, 1000 * 2 ** n + 3000),
  'subscriptions-transport-ws': backo2(100, 10_000),
  'reconnecting-websocket': (n) => clipped(uniform(1000 * 1.3 ** n, 5000 * 1.3 ** n) as (ms: number) => number, 10_000),
  partysocket: (n) => Math.min(10_000, 3000 * 1.3 ** n),
  centrifuge: (n) => clipped(uniform(500, 500 + Math.min(20_000, 500 * 2 ** n)) as (ms: number) => number, 20_000),
  'centrifuge-go': (n) => uniform(200, Math.min(20_000, 200 * 2 ** n)),
  pusher: steps(1, 15, 30, 60),
  ably: (n) => {
    if (n === 0) return 0;
    const most = 15_000 * Math.min((n + 3) / 3, 2);
    // From the seventh wait on more than 120 s have passed, and every wait is 30 s.
    return n >= 6 ? 30_000 : uniform(0.8 * most, most);
  },
  anycable: (n) => overTwo((u, v) => (1 + u) * 3000 * 2 ** n * (0.5 + v)),
  stomp: steps(5),
  'mqtt.js': steps(1),
  EventSource: steps(3),
  'react-use': steps(5),
  nats: (n) => (n === 0 ? 0 : uniform(2000, 2100)),
  'nats-tls': (n) => (n === 0 ? 0 : uniform(2000, 3000)),
  paho: steps(0, 2, 4, 8, 16, 32, 64, 128),
  colyseus: (n) => Math.min(5000, 100 * 2 ** (n + 1)),
  mattermost: (n) => {
    const least = n < 7 ? 3000 : Math.min(300_000, 3000 * (n + 1) ** 2);
    return uniform(least, least + 2000);
  },
  meteor: (n) => (n < 2 ? 10 : uniform(0.75 * Math.min(3e5, 1000 * 2.2 ** n), 1.25 * Math.min(3e5, 1000 * 2.2 ** n))),
  slack: (n) => 5000 * (n + 1),
  amplify: steps(5, 60),
  'home-assistant': (n) => 1000 * Math.min(n, 5),
  'y-websocket': (n) => Math.min(2500, 100 * 2 ** (n + 1)),
  trpc: (n) => (n === 0 ? 0 : Math.min(1000 * 2 ** n, 30_000)),
  'python-websockets': (n) => (n === 0 ? 0 : n === 1 ? uniform(0, 5000) : Math.min(90_000, 3100 * 1.618 ** (n - 2))),
  cenkalti: (n) => uniform(0.5 * Math.min(60_000, 500 * 1.5 ** n), 1.5 * Math.min(60_000, 500 * 1.5 ** n)),
  rfc6455: (n) => (n === 0 ? uniform(0, 5000) : Math.min(30_000, 1000 * 2 ** n)),
  'iana-1012': () => uniform(5000, 30_000),
  fixed: steps(2),
};

/** With a state of their own, or none at all: tested below. */
const APART = ['actioncable', 'autobahn', 'none'];

function withoutEnd(name: string): Policy {
  const preset = presetNamed(name);
  assert.ok(preset !== null, name);
  return { ...preset.policy, attempts: null, totalMs: null };
}

/** The first `count` waits of every client, sorted by size, each wait by itself. */
function drawnWaits(policy: Policy, count: number, seed = SEED): Float64Array[] {
  const waits = new FleetWaits(policy, seed, CLIENTS);
  return Array.from({ length: count }, () =>
    Float64Array.from({ length: CLIENTS }, (_, client) => {
      const wait = waits.next(client, 0, null);
      assert.ok(typeof wait === 'number');
      return wait;
    }).sort(),
  );
}

/** The largest distance between the drawn values and a distribution, which may have steps. */
function distance(sorted: Float64Array, cdf: (ms: number) => number): number {
  let farthest = 0;
  for (let i = 0; i < sorted.length; i += 1) {
    const at = sorted[i];
    if (i + 1 === sorted.length || sorted[i + 1] > at)
      farthest = Math.max(farthest, Math.abs((i + 1) / sorted.length - cdf(at)));
    if (i === 0 || sorted[i - 1] < at) farthest = Math.max(farthest, Math.abs(i / sorted.length - cdf(at - 1e-6)));
  }
  return farthest;
}

test('every preset has a formula here', () => {
  assert.deepEqual([...Object.keys(FORMULAS), ...APART].sort(), [...PRESET_NAMES].sort());
});

for (const [name, formula] of Object.entries(FORMULAS)) {
  test(`${name}: each wait of 10,000 clients follows the formula of the library`, () => {
    // graphql-ws gives up after its fifth attempt, so it has no sixth wait.
    for (const [n, waits] of drawnWaits(withoutEnd(name), name === 'graphql-ws' ? 5 : 12).entries()) {
      const expected = formula(n);
      if (typeof expected === 'number') {
        for (const wait of [waits[0], waits[CLIENTS - 1]])
          assert.ok(Math.abs(wait - expected) < 1e-6, `wait ${n}: ${wait}, expected ${expected}`);
      } else {
        const far = distance(waits, expected);
        assert.ok(far <= FARTHEST, `wait ${n}: ${far.toFixed(4)} from the formula, at most ${FARTHEST.toFixed(4)}`);
      }
    }
  });
}

test('the test of distance sees a wait that is 5% off', () => {
  const [first] = drawnWaits(withoutEnd('iana-1012'), 1);
  assert.ok(distance(first, uniform(5000, 31_250) as (ms: number) => number) > FARTHEST);
});

test('socket.io: the limit after the jitter makes late waits equal, and half of the range is never used', () => {
  const waits = drawnWaits(withoutEnd('socket.io'), 6);
  const shareAt5s = (n: number): number => waits[n].filter((ms) => ms === 5000).length / CLIENTS;
  // The fourth wait (base 8 s): below 5 s only where r is in [0.8, 0.9), the one even digit with a deviation over 3 s.
  assert.ok(Math.abs(shareAt5s(3) - 0.9) < 0.02, `wait 3: ${shareAt5s(3)}`);
  assert.equal(shareAt5s(4), 1);
  // r in [0.1, 0.2) is added, so nothing lies between 5% and 10% below the base.
  assert.equal(waits[0].filter((ms) => ms > 900 && ms <= 950).length, 0);
  assert.ok(waits[0].some((ms) => ms > 1050 && ms < 1100));
});

/** Action Cable's monitor, step by step: its timer has run for long when the connection is lost. */
function actionCable(random: () => number, count: number): number[] {
  const stale = 6000;
  const interval = (attempts: number): number =>
    stale * 1.15 ** Math.min(attempts, 10) * (1 + (attempts === 0 ? 1 : 0.15) * random());
  const lostAt = 500_000 + 20_000 * random();
  const pingedAt = lostAt - 3000 * random();
  const tries: number[] = [];
  let attempts = 0;
  let now = 12_000 * random();
  while (tries.length < count) {
    now += interval(attempts);
    if (now < lostAt || now - pingedAt <= stale) continue;
    attempts += 1;
    if (now - lostAt >= stale) tries.push(now - lostAt);
  }
  return tries.map((at, i) => at - (tries[i - 1] ?? 0));
}

test('actioncable: the first waits are those of its monitor, simulated step by step', () => {
  let state = 1;
  const random = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const simulated = Array.from({ length: CLIENTS }, () => actionCable(random, 4));
  for (const [n, waits] of drawnWaits(withoutEnd('actioncable'), 4).entries()) {
    const theirs = Float64Array.from(simulated, (one) => one[n]).sort();
    // Two samples of one size: the limit is √2 times that of one sample.
    const far = distance(waits, (ms) => atMost(theirs, ms) / CLIENTS);
    assert.ok(far <= FARTHEST * Math.SQRT2, `wait ${n}: ${far.toFixed(4)}`);
  }
});

test('actioncable: its first try comes after 6 to 18 s, half of them within 10.7 s', () => {
  const [first] = drawnWaits(withoutEnd('actioncable'), 1);
  assert.ok(first[0] >= 6000 && first[CLIENTS - 1] < 18_000);
  assert.ok(Math.abs(first[CLIENTS / 2] - 10_500) < 500, `${first[CLIENTS / 2]}`);
});

test('autobahn: deviations of each wait add up', () => {
  for (const [n, waits] of drawnWaits(withoutEnd('autobahn'), 8).entries()) {
    const centre = 1500 * 1.5 ** n;
    const mean = waits.reduce((sum, ms) => sum + ms, 0) / CLIENTS;
    assert.ok(Math.abs(mean / centre - 1) < 0.02, `wait ${n}: mean ${mean}, expected ${centre}`);
    // Independent relative deviations of 10% each: the variance of a product of n + 1 of them.
    const expected = Math.sqrt(1.01 ** (n + 1) - 1);
    const variance = waits.reduce((sum, ms) => sum + (ms / mean - 1) ** 2, 0) / CLIENTS;
    assert.ok(Math.abs(Math.sqrt(variance) / expected - 1) < 0.05, `wait ${n}: ${Math.sqrt(variance)} of ${expected}`);
  }
});

test('AWS decorrelated jitter: between the first wait and three times the wait before, up to the limit', () => {
  const preset = presetNamed('cenkalti');
  assert.ok(preset?.policy.waits.kind === 'curve');
  const policy: Policy = {
    ...preset.policy,
    totalMs: null,
    waits: {
      ...preset.policy.waits,
      first: { fromMs: 100, toMs: 100 },
      growth: { by: 'factor', factor: 3 },
      maxMs: 10_000,
      draw: 'decorrelated',
    },
  };
  const [first, second] = drawnWaits(policy, 2);
  assert.ok(distance(first, uniform(100, 300) as (ms: number) => number) <= FARTHEST);
  // Given the wait before s in U[100, 300]: U[100, 3 s].
  assert.ok(
    distance(
      second,
      overTwo((u, v) => 100 + (3 * (100 + 200 * u) - 100) * v),
    ) <= FARTHEST,
  );
  const waits = new FleetWaits(policy, SEED, 1);
  let before = 100;
  for (let n = 0; n < 1000; n += 1) {
    const wait = waits.next(0, 0, null);
    assert.ok(typeof wait === 'number' && wait >= 100 && wait <= Math.min(10_000, 3 * before));
    before = wait;
  }
});

test('none never comes back; a preset with a number of attempts gives up after them', () => {
  const none = presetNamed('none');
  assert.ok(none !== null);
  assert.equal(new FleetWaits(none.policy, SEED, 1).next(0, 0, null), 'gaveUp');
  for (const { policy } of PRESETS) {
    const { attempts } = policy;
    if (attempts === null) continue;
    const waits = new FleetWaits(policy, SEED, 1);
    for (let n = 0; n < attempts; n += 1) assert.equal(typeof waits.next(0, 0, null), 'number', policy.name);
    assert.equal(waits.next(0, 0, null), 'gaveUp', policy.name);
    waits.reset(0);
    assert.equal(typeof waits.next(0, 0, null), attempts === 0 ? 'string' : 'number', policy.name);
  }
});

test('cenkalti gives up when its next attempt would come later than 15 minutes after the loss', () => {
  const preset = presetNamed('cenkalti');
  assert.ok(preset !== null);
  const waits = new FleetWaits(preset.policy, SEED, 2);
  assert.equal(typeof waits.next(0, 890_000, null), 'number');
  assert.equal(waits.next(1, 899_900, null), 'gaveUp');
});

test('codes stop a client, or bring it back at once without counting as a failure', () => {
  const waitsOf = (name: string): FleetWaits => {
    const preset = presetNamed(name);
    assert.ok(preset !== null);
    return new FleetWaits(preset.policy, SEED, 1);
  };
  assert.equal(waitsOf('graphql-ws').next(0, 0, 4403), waitsOf('graphql-ws').next(0, 0, null));
  for (const code of [4400, 4500, 1002, 1011]) assert.equal(waitsOf('graphql-ws').next(0, 0, code), 'stopped');
  for (const code of [1001, 1005, 1006, 1012, 1013, 1014])
    assert.equal(typeof waitsOf('graphql-ws').next(0, 0, code), 'number', `${code}`);
  const graphql = waitsOf('graphql-ws');
  for (let n = 0; n < 10; n += 1) assert.equal(graphql.next(0, 0, 1000), 0);
  assert.equal(graphql.next(0, 0, null), waitsOf('graphql-ws').next(0, 0, null));
  assert.equal(waitsOf('pusher').next(0, 0, 4200), 0);
  assert.equal(waitsOf('pusher').next(0, 0, 4100), 1000);
  assert.equal(waitsOf('pusher').next(0, 0, 4001), 'stopped');
  for (const status of [401, 403, 429, 501]) assert.equal(waitsOf('python-websockets').next(0, 0, status), 'stopped');
  for (const status of [500, 502, 503, 504]) assert.equal(waitsOf('python-websockets').next(0, 0, status), 0);
  for (const code of [1001, 1005, 1006, 4010]) assert.equal(waitsOf('colyseus').next(0, 0, code), 200, `${code}`);
  assert.equal(waitsOf('colyseus').next(0, 0, 1000), 'stopped');
});

test('the limit of an attempt grows where the library lets it grow', () => {
  const preset = presetNamed('subscriptions-transport-ws');
  assert.ok(preset !== null);
  const waits = new FleetWaits(preset.policy, SEED, 1);
  const limits = Array.from({ length: 30 }, () => {
    waits.next(0, 0, null);
    return waits.limitMs(0) ?? 0;
  });
  for (const [n, limit] of limits.entries())
    assert.ok(Math.abs(limit - Math.min(30_000, 1000 * 1.2 ** n)) < 1e-6, `attempt ${n}: ${limit}`);
  const phoenix = presetNamed('phoenix');
  assert.ok(phoenix !== null);
  assert.equal(new FleetWaits(phoenix.policy, SEED, 1).limitMs(0), null);
});

test('waits depend on seed and client alone, not on how clients are divided or in which order they ask', () => {
  for (const { policy } of PRESETS) {
    const whole = new FleetWaits(policy, SEED, 10);
    const part = new FleetWaits(policy, SEED, 4, 6);
    const ofWhole = Array.from({ length: 3 }, () =>
      Array.from({ length: 10 }, (_, client) => whole.next(client, 0, null)),
    );
    const ofPart = [3, 2, 1, 0].map((client) => Array.from({ length: 3 }, () => part.next(client, 0, null)));
    for (const [i, client] of [9, 8, 7, 6].entries())
      assert.deepEqual(
        ofPart[i],
        ofWhole.map((round) => round[client]),
        `${policy.name}, client ${client}`,
      );
  }
  const [ours] = drawnWaits(withoutEnd('iana-1012'), 1);
  const [others] = drawnWaits(withoutEnd('iana-1012'), 1, SEED + 1);
  assert.notDeepEqual(ours, others);
});

test('a client must stay up for as long as its library waits before it forgets failures', () => {
  const up = PRESETS.flatMap(({ policy }) => (resetMs(policy) > 0 ? [[policy.name, resetMs(policy)]] : []));
  assert.deepEqual(up, [
    ['reconnecting-websocket', 5000],
    ['partysocket', 5000],
  ]);
});

test('reconnecting-websocket draws once for each client: its waits grow by the same factor until the limit', () => {
  const waits = new FleetWaits(withoutEnd('reconnecting-websocket'), SEED, 100);
  for (let client = 0; client < 100; client += 1) {
    const first = waits.next(client, 0, null) as number;
    const second = waits.next(client, 0, null) as number;
    assert.ok(Math.abs(second - Math.min(10_000, 1.3 * first)) < 1e-6);
    waits.reset(client);
    assert.equal(waits.next(client, 0, null), first);
  }
});
