import assert from 'node:assert/strict';
import test from 'node:test';
import { closedWith, END } from '#dist/names/ends.js';
import { parseAbort, parseThreshold } from '#dist/plan/expressions/rules.js';
import type { Calibration, Counted } from '#dist/result/result.js';
import { limitsOf } from '#dist/tally/floor.js';
import { type Ended, Tally, untimed } from '#dist/tally/tally.js';
import { abortStep, asksOfHeld, disagrees, type Judged, judge, startAbort } from '#dist/tally/thresholds.js';
import { lose } from './lost.js';

const NOTHING_BESIDE = { rate: null, dropOff: null, calibrations: [] };

/** `count` attempts that ended so, after `ms` at most and `lowerMs` at least. */
function counted(
  groups: readonly [outcome: number, count: number, ms?: number, lowerMs?: number][],
  lost = 0,
): Counted {
  const tally = new Tally();
  for (const [outcome, count, ms = Number.NaN, lowerMs = Number.NaN] of groups) {
    const ended: Ended = {
      outcome,
      connectMs: Number.NaN,
      connectLowerMs: Number.NaN,
      tlsMs: Number.NaN,
      tlsLowerMs: Number.NaN,
      upgradeMs: Number.NaN,
      upgradeLowerMs: Number.NaN,
      handshakeMs: ms,
      handshakeLowerMs: lowerMs,
      synRetransmits: Number.NaN,
      retransmits: Number.NaN,
      rttMs: Number.NaN,
    };
    for (let i = 0; i < count; i++) tally.add(ended);
  }
  lose(tally, lost);
  return tally.counted();
}

type Beside = Parameters<typeof judge>[2];

function judgedOne(expression: string, of: Counted, beside: Beside = NOTHING_BESIDE): Judged {
  const [judged] = judge([parseThreshold(expression)], of, beside);
  assert.equal(judged.result.expression, expression.trim());
  return judged;
}

function judgeOne(expression: string, of: Counted, beside?: Beside) {
  return judgedOne(expression, of, beside).result;
}

test('shares and counts are judged without local and aborted attempts', () => {
  const of = counted(
    [
      [101, 6],
      [301, 1],
      [404, 1],
      [502, 1],
      [504, 1],
      [1013, 7],
      [1016, 9],
      [1007, 2],
    ],
    3,
  );
  const expected: [string, number][] = [
    ['share(ok) >= 0%', 6 / 12],
    ['share(101) >= 0%', 6 / 12],
    ['count(failed) >= 0', 6],
    ['share(failed) >= 0%', 6 / 12],
    ['count(5xx) >= 0', 2],
    ['count(4xx) >= 0', 1],
    ['count(3xx) >= 0', 1],
    ['count(2xx) >= 0', 0],
    ['count(local-ports) >= 0', 7],
    ['count(aborted) >= 0', 9],
    ['share(refused) >= 0%', 2 / 12],
    ['share(lost) >= 0%', 3 / 12],
    ['count(503) >= 0', 0],
  ];
  for (const [expression, actual] of expected) {
    assert.deepEqual(judgeOne(expression, of), { expression, actual, actualLower: null, floor: null, ok: true });
  }
});

test('a share is compared exactly', () => {
  for (const [ok, failed, percent] of [
    [999, 1, '99.9%'],
    [2997, 3, '99.9%'],
    [9, 1, '90%'],
    [1, 2, '33.3%'],
    [7, 93, '7%'],
    [29, 71, '29%'],
    [57, 43, '57%'],
  ] as const) {
    const of = counted([
      [101, ok],
      [504, failed],
    ]);
    assert.equal(judgeOne(`share(101) >= ${percent}`, of).ok, true, percent);
    assert.equal(judgeOne(`share(101) == ${percent}`, of).ok, percent !== '33.3%', percent);
    assert.equal(judgeOne(`share(101) > ${percent}`, of).ok, percent === '33.3%', percent);
  }
  assert.equal(
    judgeOne(
      'share(101) >= 99.9%',
      counted([
        [101, 998],
        [504, 2],
      ]),
    ).ok,
    false,
  );
});

test('every operator holds where it should', () => {
  const of = counted([[101, 5]]);
  const holds = (operator: string, n: number) => judgeOne(`count(101) ${operator} ${n}`, of).ok;
  const table = ['<', '<=', '>', '>=', '=='].map((operator) => [4, 5, 6].map((n) => holds(operator, n)));
  assert.deepEqual(table, [
    [false, false, true],
    [false, true, true],
    [true, false, false],
    [true, true, false],
    [false, true, false],
  ]);
});

test('a latency is judged by the upper bound, and the lower one is shown', () => {
  const of = counted([
    [101, 100, 530, 480],
    [504, 5, 9000],
  ]);
  const torn = judgedOne('p99(handshake) < 500ms', of);
  const missed = torn.result;
  assert.equal(missed.ok, false);
  assert.ok((missed.actual ?? 0) >= 530 && (missed.actual ?? 0) < 531);
  assert.ok((missed.actualLower ?? 0) >= 480 && (missed.actualLower ?? 0) < 481);
  assert.equal(disagrees(torn), true);
  assert.equal(disagrees(judgedOne('p99(handshake) < 600ms', of)), false);
  assert.equal(disagrees(judgedOne('p99(handshake) < 400ms', of)), false);
  assert.equal(disagrees(judgedOne('p99(handshake) > 500ms', of)), true);
  const exact = judgedOne('p99(handshake) < 500ms', counted([[101, 9, 530]]));
  const { ok, actualLower } = exact.result;
  assert.deepEqual([ok, actualLower, disagrees(exact)], [false, null, false], 'one stamp is the truth');
});

test('without a value a threshold is missed', () => {
  const none = counted([[1016, 4]]);
  const failed = counted([[504, 4, 1000]]);
  const cases: [string, Counted][] = [
    ['share(504) == 0%', none],
    ['p99(handshake) < 1s', failed],
    ['p99(tls) < 1s', failed],
    ['max(dns) < 1s', failed],
    ['rate >= 1/s', failed],
    ['dropOff < 5', failed],
  ];
  for (const [expression, of] of cases) {
    const judged = judgedOne(expression, of);
    assert.deepEqual([judged.result.actual, judged.result.ok, disagrees(judged)], [null, false, false], expression);
  }
  assert.deepEqual(judgeOne('rate >= 200/s', failed, { rate: 200, dropOff: null, calibrations: [] }).ok, true);
  assert.deepEqual(judgeOne('dropOff > 1999', failed, { rate: null, dropOff: 2000, calibrations: [] }).actual, 2000);
});

test('a run is aborted by bursts in a row only', () => {
  const bad = counted([
    [504, 6],
    [101, 4],
  ]);
  const good = counted([[101, 10]]);
  let state = startAbort(parseAbort('share(5xx) > 50% for 2 bursts'));
  const aborts = [bad, good, bad, bad, bad].map((burst) => {
    const step = abortStep(state, burst, null, null);
    state = step.state;
    return step.abort;
  });
  assert.deepEqual(aborts, [false, false, false, true, true]);
});

test('what the generator added does not abort a run, nor does a burst without a value', () => {
  const rule = startAbort(parseAbort('p99(handshake) > 500ms'));
  assert.equal(abortStep(rule, counted([[101, 10, 530, 480]]), null, null).abort, false);
  assert.equal(abortStep(rule, counted([[101, 10, 530, 510]]), null, null).abort, true);
  assert.equal(abortStep(rule, counted([[101, 10, 530]]), null, null).abort, true);
  assert.equal(abortStep(rule, counted([[504, 10, 530]]), null, null).abort, false);
  assert.equal(abortStep(startAbort(parseAbort('rate < 5/s')), counted([[101, 1]]), 4, null).abort, true);
});

test('what a slow generator can miss, and the opposite of an abort rule', () => {
  const thresholds = ['p99(tls) <= 50ms', 'min(handshake) > 1s', 'rate >= 10/s', 'rate < 10/s', 'count(504) == 0'];
  const limits = limitsOf(thresholds.map(parseThreshold), parseAbort('p50(handshake) > 1s for 2 bursts'));
  assert.deepEqual(
    limits.map(({ expression, parsed: { operator } }) => [expression, operator]),
    [
      ['p99(tls) <= 50ms', '<='],
      ['rate >= 10/s', '>='],
      ['p50(handshake) > 1s for 2 bursts', '<='],
    ],
  );
});

test('the floor of a threshold is that of the same latency, and the worst of several loads', () => {
  const times = (ms: number) => counted([[101, 10, ms]]).latencyMs.handshake;
  const floor = (ms: number, rate: number | null): Calibration => ({
    ...{ size: 10, share101: 1, spreadMs: 1, connectMs: times(ms / 10), tlsMs: times(ms / 2), upgradeMs: null },
    ...{ handshakeMs: times(ms), rate },
  });
  const calibrations = [null, floor(20, null), floor(50, 900), floor(10, 400)];
  const of = counted([[101, 10, 70]]);
  const floorOfOne = (expression: string) => judgeOne(expression, of, { rate: 100, dropOff: null, calibrations }).floor;
  const about = (expression: string, ms: number) => {
    const found = floorOfOne(expression) ?? 0;
    assert.ok(Math.abs(found - ms) < 0.01 * ms, `${expression}: ${found}`);
  };
  about('p99(handshake) < 60ms', 50);
  about('p50(connect) < 60ms', 5);
  about('mean(tls) < 60ms', 25);
  about('rate > 500/s', 400);
  for (const none of ['p99(upgrade) < 60ms', 'p99(dns) < 60ms', 'p99(handshake) > 60ms', 'share(101) > 99%'])
    assert.equal(floorOfOne(none), null, none);
});

test('a run is not aborted for what the generator alone would do', () => {
  const handshakeMs = counted([[101, 10, 520]]).latencyMs.handshake;
  const floor = {
    ...{ size: 10, share101: 1, spreadMs: 1, connectMs: null, tlsMs: null },
    handshakeMs,
    upgradeMs: null,
  };
  const rule = startAbort(parseAbort('p99(handshake) > 500ms'));
  const aborts = (ms: number, calibration: Calibration | null) =>
    abortStep(rule, counted([[101, 10, ms]]), null, calibration).abort;
  assert.equal(aborts(900, { ...floor, rate: null }), false);
  assert.equal(aborts(1100, { ...floor, rate: null }), true);
  assert.equal(aborts(900, null), true);
});

test('close codes are counted of what the target ended, before and after ready; 1006 is FIN, RST and TLS', () => {
  const tally = new Tally();
  const open = (end: number, count: number) => {
    for (let i = 0; i < count; i++) {
      tally.add({ ...untimed(), outcome: 101, handshakeMs: 1 });
      tally.addSession(end, { readyMs: 1, heldMs: 2, silentMs: 2, livedMs: 2 });
    }
  };
  open(4401, 30);
  open(END.fin, 5);
  open(END.rst, 4);
  open(END.tls, 1);
  open(closedWith(1000), 60);
  const of = tally.counted();
  const actual = (expression: string, counted = of) => judgedOne(`${expression} == 0`, counted).result.actual;
  assert.deepEqual(
    ['count(close:4401)', 'share(close:4401)', 'count(close:1006)', 'count(close:1000)', 'count(lost)'].map((one) =>
      actual(one),
    ),
    [30, 0.3, 10, 0, 40],
  );
  assert.equal(judgedOne('share(close:4401) < 20%', of).result.ok, false);
  // Where nobody counted how connections ended, nothing is proved.
  assert.equal(judgedOne('count(close:4401) == 0', { ...of, sessions: null }).result.ok, false);
  const { sessions } = of;
  assert.ok(sessions !== null);
  assert.equal(actual('count(close:4401)', { ...of, sessions: { ...sessions, notReady: { 4401: 7 } } }), 37);
  assert.equal(asksOfHeld([parseThreshold('count(close:1008) == 0')]), true);
  assert.equal(asksOfHeld([parseThreshold('p99(ready) < 1s')]), true);
  assert.equal(asksOfHeld([parseThreshold('p99(handshake) < 1s')]), false);
  let state = startAbort(parseAbort('share(close:4401) > 20% for 2 bursts'));
  const steps = [of, of].map((burst) => {
    const step = abortStep(state, burst, null, null);
    state = step.state;
    return step.abort;
  });
  assert.deepEqual(steps, [false, true]);
});

test('ready is asked as a share of all attempts, as a count and as a time', () => {
  const tally = new Tally();
  for (let i = 0; i < 10; i++) {
    tally.add({ ...untimed(), outcome: i < 8 ? 101 : 504, handshakeMs: 1 });
    if (i < 8) {
      const readyMs = i < 6 ? 100 + i : Number.NaN;
      tally.addSession(i < 6 ? closedWith(1000) : 4401, { readyMs, heldMs: readyMs, silentMs: 1, livedMs: 2 });
    }
  }
  const of = tally.counted();
  const actual = (expression: string) => judgedOne(`${expression} >= 0`, of).result.actual;
  assert.equal(actual('share(ready)'), 0.6);
  assert.equal(actual('count(ready)'), 6);
  assert.equal(actual('count(close:4401)'), 2);
  assert.equal(Math.round(judgedOne('max(ready) < 1s', of).result.actual ?? 0), 105);
  assert.equal(judgedOne('max(ready) < 1s', { ...of, sessions: null }).result.ok, false);
});
