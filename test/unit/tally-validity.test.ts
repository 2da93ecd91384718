import assert from 'node:assert/strict';
import test from 'node:test';
import { parseThreshold } from '#dist/plan/expressions/rules.js';
import type { Calibration, Summary, ThresholdResult, Validity } from '#dist/result/result.js';
import { meets } from '#dist/tally/meets.js';
import type { Judged } from '#dist/tally/thresholds.js';
import { type BurstEvidence, judgeBurst, judgeRun, NEVER_STALLED, weighed } from '#dist/tally/validity.js';

const CLEAN: BurstEvidence = {
  kind: 'burst',
  gate: 'upgrade',
  planned: 2000,
  launched: 2000,
  outcomes: { 101: 2000 },
  failedToArm: 0,
  overdue: 0,
  timeoutMs: 75_000,
  release: { spreadMs: 20, firstMs: 0, lastMs: 20, perWorkerMs: [0] },
  makespanMs: 400,
  calibration: null,
  arrivals: null,
  handshakeP50Ms: 80,
  limits: [],
  lostWorkers: [],
  clockStepMs: 0,
  hasKernelStamps: false,
  longestGapMs: 5,
  lastSentMs: 21,
  stalledArming: NEVER_STALLED,
  stalled: NEVER_STALLED,
  stalledHolding: NEVER_STALLED,
  lost: 0,
  asksOfHeld: false,
  gcMaxMs: 1,
  throttledMs: 0,
  runQueueMs: 100,
  watchedMs: 600,
  stealShare: 0,
  conntrackShare: 0.1,
};

function summary(p99: number): Summary {
  return { count: 1, min: 1, mean: 1, p50: 1, p75: 1, p90: 1, p95: 1, p99, p999: p99, max: p99, hdr: '' };
}

function mirror(share101: number, p99: number): Calibration {
  return {
    size: 2000,
    share101,
    spreadMs: 18,
    handshakeMs: summary(p99),
    connectMs: null,
    tlsMs: null,
    upgradeMs: null,
    rate: null,
  };
}

/** A threshold, what the target came to and what this generator alone did. */
function asked(expression: string, actual: number, floor: number | null, actualLower: number | null = null): Judged {
  const { parsed: condition } = parseThreshold(expression);
  return { condition, result: { expression, actual, actualLower, floor, ok: meets(condition, actual) } };
}

function judged(change: Partial<BurstEvidence>): Validity {
  return judgeBurst({ ...CLEAN, ...change });
}

test('a burst that nothing disturbed is valid, without a word', () => {
  assert.deepEqual(judged({}), { verdict: 'valid', reasons: [] });
  const unknown = { release: null, makespanMs: null, clockStepMs: null, throttledMs: null, stealShare: null };
  assert.deepEqual(judged({ ...unknown, conntrackShare: null }), {
    verdict: 'valid',
    reasons: [],
  });
});

test('failures of the target leave a burst valid', () => {
  assert.equal(judged({ outcomes: { 101: 200, 504: 1000, refused: 400, reset: 400 } }).verdict, 'valid');
});

test('what makes a burst invalid, with the way out', () => {
  const cases: [Partial<BurstEvidence>, RegExp][] = [
    [{ launched: 1500 }, /^only 1,500 of 2,000 attempts were launched by this machine$/],
    [{ outcomes: { 101: 1700, 'local-fds': 300 } }, /^300 attempts failed on this machine.*\(local-fds\).*ulimit -n/],
    [{ outcomes: { 101: 1999, 'local-ports': 1 } }, /^1 attempt failed.*--source-ip/],
    [{ outcomes: { 101: 1999, 'local-memory': 1 } }, /tcp_mem/],
    [{ outcomes: { 101: 1999, 'local-other': 1 } }, /EPERM/],
    [{ lostWorkers: ['worker 2 ran out of memory'] }, /^worker 2 ran out of memory$/],
  ];
  for (const [change, reason] of cases) {
    const { verdict, reasons } = judged(change);
    assert.equal(verdict, 'invalid', String(reason));
    assert.equal(reasons.length, 1);
    assert.match(reasons[0], reason);
  }
});

test('what makes a burst suspect', () => {
  const release = { spreadMs: 300, firstMs: 0, lastMs: 300, perWorkerMs: [0] };
  const cases: [Partial<BurstEvidence>, RegExp][] = [
    [
      { release },
      /^paced by the generator: the target answered as fast as it was asked; 2,000 were released within 300ms$/,
    ],
    [{ failedToArm: 12 }, /^12 of 2,000 could not be armed.*gate upgrade/],
    [{ calibration: mirror(0.9996, 3) }, /only 99\.9% of 2,000 handshakes through to its own mirror/],
    [
      { calibration: mirror(1, 100), limits: [asked('p99(handshake) < 390ms', 300, 100)] },
      /^the generator's own floor is not small beside p99\(handshake\) < 390ms: it takes up 25\.6% of it \(100ms against/,
    ],
    [{ longestGapMs: 90, gcMaxMs: 60 }, /stood still for 90ms \(longest garbage collection 60ms\)/],
    [{ throttledMs: 5 }, /throttled for 5ms/],
    [{ throttledMs: null, runQueueMs: 310 }, /waited for a core for 310ms of 600ms/],
    [{ throttledMs: 5, runQueueMs: 310 }, /throttled for 5ms/],
    [{ stealShare: 0.06 }, /hypervisor took 6%/],
    [{ conntrackShare: 0.95 }, /95% full/],
    [{ clockStepMs: -40 }, /stepped by -40ms: latencies are right/],
    [{ clockStepMs: 3, hasKernelStamps: true }, /stepped by 3ms: .*latencies may be wrong by as much/],
    [{ clockStepMs: -6, hasKernelStamps: true, makespanMs: 60_000 }, /stepped by -6ms: .*may be wrong by as much/],
    [{ launched: 1200, outcomes: { 101: 1200, aborted: 800 } }, /^stopped early: 800 of 2,000 attempts were aborted$/],
  ];
  for (const [change, reason] of cases) {
    const { verdict, reasons } = judged(change);
    assert.equal(verdict, 'suspect', String(reason));
    assert.equal(reasons.length, 1, reasons.join('\n'));
    assert.match(reasons[0], reason);
  }
});

test("timeouts that may be this machine's make a burst invalid", () => {
  const outcomes = { 101: 1900, 'timeout-upgrade': 100 };
  const release = { spreadMs: 60, firstMs: 0, lastMs: 60, perWorkerMs: [0] };
  const cases: [Partial<BurstEvidence>, RegExp][] = [
    [{ overdue: 3 }, /^3 answers were read long after the deadline/],
    [
      { outcomes, release, timeoutMs: 200 },
      /^the release took 60ms of the deadline of 200ms: some of the 100 timeouts/,
    ],
    [{ outcomes, calibration: mirror(0.9, 3) }, /^this generator timed out even against its own mirror \(90% of 2,000/],
  ];
  for (const [change, reason] of cases) {
    const { verdict, reasons } = judged(change);
    assert.equal(verdict, 'invalid', String(reason));
    assert.match(reasons[0], reason);
  }
  assert.equal(judged({ outcomes, release, timeoutMs: 1000 }).verdict, 'valid');
  assert.equal(judged({ outcomes: { 101: 2000 }, release, timeoutMs: 200 }).verdict, 'valid');
});

test('just inside of a limit is fine', () => {
  for (const change of [
    { calibration: mirror(1, 78), limits: [asked('p99(handshake) < 390ms', 300, 78)] },
    { calibration: mirror(1, 78), limits: [asked('p99(handshake) < 390ms', 900, 78)] },
    { longestGapMs: 80 },
    { longestGapMs: 50, makespanMs: 150 },
    { throttledMs: 4 },
    { runQueueMs: 300 },
    { runQueueMs: 190, watchedMs: 200 },
    { stealShare: 0.05 },
    { conntrackShare: 0.9 },
    { clockStepMs: 5.4 },
    { release: { spreadMs: 80, firstMs: 0, lastMs: 80, perWorkerMs: [0] } },
  ]) {
    assert.deepEqual(judged(change), { verdict: 'valid', reasons: [] }, JSON.stringify(change));
  }
  assert.equal(judged({ longestGapMs: 81 }).verdict, 'suspect');
});

test('a release ratio between 2 and 5 is told and leaves the burst valid', () => {
  const { verdict, reasons } = judged({ release: { spreadMs: 100, firstMs: 0, lastMs: 100, perWorkerMs: [0] } });
  assert.equal(verdict, 'valid');
  assert.deepEqual(reasons, ['2,000 were released within 100ms, and the burst lasted only 4.0 times as long']);
});

test('churn is not judged by its release, by its length, or by a number that time decides', () => {
  const release = { spreadMs: 59_000, firstMs: 0, lastMs: 59_000, perWorkerMs: [0] };
  const churn = { kind: 'churn', planned: null, launched: 900, release, makespanMs: 60_000 } as const;
  assert.equal(judged(churn).verdict, 'valid');
  assert.equal(judged({ ...churn, longestGapMs: 300, stalled: { longestMs: 300, totalMs: 300 } }).verdict, 'suspect');
});

test('a stall takes away what it may have changed, and nothing else', () => {
  const stall = (longestMs: number, totalMs = longestMs) => ({ longestMs, totalMs });
  const churn = { kind: 'churn', planned: null, launched: 900, makespanMs: 60_000 } as const;
  const held = { stalledHolding: stall(1000) };
  const cases: [Partial<BurstEvidence>, Validity['verdict'], RegExp][] = [
    [{ ...churn, stalled: stall(590) }, 'suspect', /^the generator stalled for 590ms, 0.983% of the stage/],
    [
      { ...churn, stalled: stall(400, 700) },
      'invalid',
      /^the generator stalled for 700ms, 1.17% of the stage: its rate/,
    ],
    [held, 'suspect', /stalled for 1s while connections were open: pings/],
    [{ ...held, lost: 3 }, 'invalid', /stalled for 1s while connections were open: the target may have closed them/],
    [{ ...held, asksOfHeld: true }, 'invalid', /what the target closed meanwhile is not known/],
    [{ stalled: stall(1000), lost: 3 }, 'invalid', /during the burst/],
    [
      { stalled: stall(300), limits: [asked('p99(handshake) < 390ms', 300, null)] },
      'invalid',
      /stalled for 300ms during the burst: latencies may be too long/,
    ],
    [
      { stalled: stall(1000), hasKernelStamps: true, lastSentMs: 1000 },
      'suspect',
      /during the burst: latencies may be/,
    ],
    [
      {
        stalled: stall(300),
        hasKernelStamps: true,
        lastSentMs: 310,
        limits: [asked('p99(handshake) < 390ms', 500, null)],
      },
      'invalid',
      /stalled for 300ms during the burst: latencies may be too long/,
    ],
    [{ stalledArming: stall(1000) }, 'suspect', /stalled for 1s before the gate opened: times of connect and TLS/],
    [
      { stalledArming: stall(1000), limits: [asked('p99(connect) < 9s', 1, null)] },
      'invalid',
      /before the gate opened/,
    ],
    [
      { stalledArming: stall(1000), outcomes: { 101: 1990, closed: 10 } },
      'invalid',
      /before the gate.*failures may have/,
    ],
    [{ stalled: stall(1000), hasKernelStamps: true }, 'suspect', /during the burst: the load was uneven/],
    [
      { stalled: stall(1000), outcomes: { 101: 1990, closed: 10 } },
      'invalid',
      /during the burst: failures may have come of the delay/,
    ],
  ];
  for (const [change, verdict, reason] of cases) {
    const found = judged(change);
    assert.equal(found.verdict, verdict, String(reason));
    assert.match(found.reasons.join('\n'), reason);
  }
  for (const change of [
    { stalledHolding: stall(949), lost: 3, asksOfHeld: true },
    { stalledArming: stall(949), outcomes: { 101: 1990, closed: 10 } },
    { stalled: stall(300), hasKernelStamps: true, limits: [asked('p99(handshake) < 390ms', 500, null)] },
    { stalled: stall(500), outcomes: { 101: 1990, closed: 10 } },
  ]) {
    assert.deepEqual(judged(change), { verdict: 'valid', reasons: [] });
  }
});

test('a limit that the generator misses by itself is not the miss of a target that is as slow as both together', () => {
  const both = /^p99\(handshake\) < 300ms: this generator misses it even against the local test server \(478ms\)/;
  const cases: [Judged, Validity['verdict'], RegExp][] = [
    [asked('p99(handshake) < 300ms', 777, 478), 'invalid', both],
    [asked('p99(handshake) < 300ms', 777, 478), 'invalid', /the target's 777ms may be the generator's own$/],
    [asked('p99(handshake) < 300ms', 800, 478, 777), 'invalid', both],
    [asked('p99(handshake) < 300ms', 778, 478), 'suspect', both],
    [asked('p99(handshake) < 300ms', 778, 478), 'suspect', /the target's 778ms is more than that explains$/],
    [asked('p99(handshake) < 300ms', 299, 478), 'suspect', /^the generator's own floor is not small/],
    // Just met by the generator alone: what is missed is the target's, and the floor is named.
    [asked('p99(handshake) <= 478ms', 500, 478), 'suspect', /^the generator's own floor is not small/],
    // 500/s alone and 250/s asked of the target make 167/s together.
    [asked('rate >= 500/s', 251, 500), 'valid', /^$/],
    [asked('rate > 500/s', 251, 500), 'invalid', /local test server \(500\/s\), so the target's 251\/s may be/],
    [asked('rate > 500/s', 249, 500), 'suspect', /the target's 249\/s is more than that explains/],
  ];
  for (const [one, verdict, reason] of cases) {
    const found = judged({ calibration: mirror(1, 1), limits: [one] });
    assert.equal(found.verdict, verdict, `${one.result.expression} ${one.result.actual}`);
    assert.match(found.reasons.join('\n'), reason);
    if (found.verdict !== 'valid') assert.equal(found.reasons.length, 1, found.reasons.join('\n'));
  }
});

test('the same is said of the bursts of a run together', () => {
  const hidden = asked('p99(handshake) < 300ms', 400, 310);
  assert.equal(judgeRun([VALID, VALID], [hidden]).verdict, 'invalid');
  assert.match(judgeRun([VALID, VALID], [hidden]).reasons[0], /may be the generator's own$/);
  assert.equal(judgeRun([VALID, VALID], [asked('p99(handshake) < 300ms', 700, 310)]).verdict, 'suspect');
  assert.deepEqual(judgeRun([VALID, VALID], [asked('p99(handshake) < 300ms', 290, 310)]), VALID);
});

test('stopping excuses what was aborted, and nothing more', () => {
  const { verdict, reasons } = judged({ launched: 1000, outcomes: { 101: 1000, aborted: 800 } });
  assert.equal(verdict, 'invalid');
  assert.equal(reasons.length, 2);
  assert.match(reasons[0], /only 1,000 of 2,000/);
});

test('reasons come with the gravest first', () => {
  const { verdict, reasons, weights } = judged({
    outcomes: { 101: 1900, 'local-ports': 10, 'local-fds': 90 },
    failedToArm: 3,
    release: { spreadMs: 100, firstMs: 0, lastMs: 100, perWorkerMs: [0] },
    lostWorkers: ['worker 1 died'],
  });
  assert.equal(verdict, 'invalid');
  const order = [/worker 1/, /local-fds/, /local-ports/, /armed/, /released within/];
  assert.equal(reasons.length, order.length);
  for (const [i, pattern] of order.entries()) assert.match(reasons[i], pattern);
  assert.deepEqual(weights, ['invalid', 'invalid', 'invalid', 'suspect', 'valid']);
});

const VALID: Validity = { verdict: 'valid', reasons: [] };
test('late starts: suspect above 2 ms and a tenth of a handshake, invalid above 20 ms and half of one', () => {
  const at = (lateP99Ms: number, handshakeP50Ms: number | null) =>
    judgeBurst({
      ...CLEAN,
      kind: 'arrive',
      lastSentMs: null,
      handshakeP50Ms,
      arrivals: { planned: 2000, started: 2000, skipped: 0, lateP99Ms, lateMaxMs: 2 * lateP99Ms },
    }).verdict;
  assert.deepEqual([at(2, 1), at(2.01, 1), at(20, 1), at(20.01, 1)], ['valid', 'suspect', 'suspect', 'invalid']);
  assert.deepEqual([at(40, 400), at(41, 400), at(200, 400), at(201, 400)], ['valid', 'suspect', 'suspect', 'invalid']);
  assert.equal(at(21, null), 'invalid', 'no handshake succeeded');
});

test('a schedule of starts has no release that could pace it, and skipped starts are not missing', () => {
  const arrivals = { planned: 2000, started: 1500, skipped: 500, lateP99Ms: 0.5, lateMaxMs: 1 };
  const evidence: BurstEvidence = {
    ...CLEAN,
    kind: 'arrive',
    planned: 1500,
    launched: 1500,
    outcomes: { 101: 1500 },
    release: { spreadMs: 60_000, firstMs: 0, lastMs: 60_000, perWorkerMs: [0] },
    makespanMs: 60_010,
    arrivals,
  };
  assert.deepEqual(judgeBurst(evidence), { verdict: 'valid', reasons: [] });
  assert.equal(judgeBurst({ ...evidence, launched: 1499 }).verdict, 'invalid');
  const stalled = { longestMs: 300, totalMs: 300 };
  assert.equal(judgeBurst({ ...evidence, stalled }).verdict, 'suspect');
  assert.equal(judgeBurst({ ...evidence, stalled: { longestMs: 400, totalMs: 700 } }).verdict, 'invalid');
  const stalledHolding = { longestMs: 1500, totalMs: 1500 };
  assert.equal(judgeBurst({ ...evidence, stalledHolding }).verdict, 'suspect');
  assert.equal(judgeBurst({ ...evidence, stalledHolding, lost: 1 }).verdict, 'invalid');
});

const SUSPECT: Validity = { verdict: 'suspect', reasons: ['paced'] };
const INVALID: Validity = { verdict: 'invalid', reasons: ['out of ports'] };
const MET = judgedAs({
  expression: 'p99(handshake) < 500ms',
  actual: 480.255,
  actualLower: 470,
  floor: null,
  ok: true,
});

function judgedAs(result: ThresholdResult): Judged {
  return { condition: parseThreshold(result.expression).parsed, result };
}

test('a run is as good as its worst burst, and names it by its index', () => {
  assert.deepEqual(judgeRun([VALID, VALID], [MET]), VALID);
  assert.deepEqual(judgeRun([SUSPECT], []), SUSPECT);
  assert.deepEqual(judgeRun([VALID, SUSPECT, INVALID], [MET]), {
    verdict: 'invalid',
    reasons: ['burst 2: out of ports', 'burst 1: paced'],
    weights: ['invalid', 'suspect'],
  });
});

test('what is merely suspect in an invalid burst is so in the run', () => {
  const mixed: Validity = { verdict: 'invalid', reasons: ['out of ports', 'paced'], weights: ['invalid', 'suspect'] };
  assert.deepEqual(judgeRun([mixed], []), mixed);
  assert.deepEqual(judgeRun([SUSPECT, mixed, INVALID], []), {
    verdict: 'invalid',
    reasons: ['burst 1: out of ports', 'burst 2: out of ports', 'burst 1: paced', 'burst 0: paced'],
    weights: ['invalid', 'invalid', 'suspect', 'suspect'],
  });
  assert.deepEqual(weighed(INVALID), [{ verdict: 'invalid', reason: 'out of ports' }]);
});

test('many bursts with the same trouble do not bury the reader', () => {
  const { verdict, reasons } = judgeRun(
    Array.from({ length: 40 }, () => SUSPECT),
    [],
  );
  assert.equal(verdict, 'suspect');
  assert.equal(reasons.length, 6);
  assert.match(reasons[5], /^and 35 more .* 40 suspect bursts$/);
});

test('a threshold on which the bounds disagree makes the run invalid, naming both values', () => {
  const torn = judgedAs({ ...MET.result, actual: 530.431, actualLower: 480.255, ok: false });
  assert.deepEqual(judgeRun([VALID], [MET, torn]), {
    verdict: 'invalid',
    reasons: [
      'p99(handshake) < 500ms fails at the upper latency bound (530.431 ms) and holds at the lower one (480.255 ms): the generator was too slow to tell',
    ],
  });
  const atLeast = judgedAs({
    expression: 'p50(handshake) > 500ms',
    actual: 530,
    actualLower: 480,
    floor: null,
    ok: true,
  });
  assert.match(judgeRun([VALID], [atLeast]).reasons[0], /holds at the upper .*530 ms.* fails at the lower .*480 ms/);
});

test('thresholds without a valid burst make the run invalid', () => {
  const { verdict, reasons } = judgeRun([INVALID, INVALID], [MET]);
  assert.equal(verdict, 'invalid');
  assert.match(reasons[0], /no burst was valid/);
  assert.equal(
    judgeRun([INVALID, SUSPECT], [MET]).reasons.some((reason) => /no burst was valid/.test(reason)),
    false,
  );
});

test('a run without a burst measured nothing; a limit of this machine makes it invalid', () => {
  assert.deepEqual(judgeRun([], []), {
    verdict: 'suspect',
    reasons: ['no burst was released, so nothing was measured'],
  });
  const { verdict, reasons } = judgeRun([], [], ['20,000 descriptors are needed and 1,024 allowed: ulimit -n 20000']);
  assert.equal(verdict, 'invalid');
  assert.match(reasons[0], /ulimit/);
});
