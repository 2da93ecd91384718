import assert from 'node:assert/strict';
import test from 'node:test';
import type { Burst } from '#dist/result/result.js';
import { factsOf as factsOfBurst } from '#dist/search/burst-evidence.js';
import { allowance, judge, slack } from '#dist/search/burst-verdict.js';
import type { BurstFacts } from '#dist/search/engine-interface.js';
import { goodWeight, type Objective, type SearchWish, searchOptions } from '#dist/search/search-options.js';
import { LatencyHistogram } from '#dist/tally/histogram.js';
import { factsOf } from '../bench/simulated-search.js';

const SHARE: Objective = { name: 'share', share: 0.999, withinMs: null };
const P99: Objective = { name: 'p99', share: 0.99, withinMs: 500 };

test('the slack is the 97.5 % quantile of what chance brings: the method’s table', () => {
  const table: [number, number, number][] = [
    [32, 0.999, 1],
    [64, 0.999, 1],
    [100, 0.999, 1],
    [500, 0.999, 2],
    [1000, 0.999, 3],
    [2000, 0.999, 5],
    [5000, 0.999, 10],
    [10_000, 0.999, 17],
    [20_000, 0.999, 29],
    [100, 0.99, 3],
    [1000, 0.99, 17],
    [10_000, 0.99, 120],
  ];
  for (const [size, share, expected] of table) assert.equal(slack(size, share), expected, `${size} ${share}`);
  assert.equal(slack(5000, 1), 0);
  assert.ok(slack(1_000_000, 0.95) > 50_000, 'no underflow where (1 − p)^n is no double');
});

test('the allowance is not lost to decimal fractions', () => {
  assert.deepEqual(
    [allowance(1000, 0.999), allowance(2000, 0.999), allowance(999, 0.999), allowance(100, 0.99)],
    [1, 2, 0, 1],
  );
});

function judged(size: number, failed: BurstFacts['failed'], objectives = [SHARE], more: Partial<BurstFacts> = {}) {
  const facts = { ...factsOf(size, size - failed[0][1]), failed, ...more };
  return judge(size, facts, searchOptions({ max: 20_000, objectives }), null);
}

test('a burst is good within the allowance, bad beyond the slack, marginal between', () => {
  const verdicts = [2, 3, 5, 6].map((failed) => judged(2000, [[failed, failed]]).verdict);
  assert.deepEqual(verdicts, ['good', 'marginal', 'marginal', 'bad']);
});

test('the worst objective decides and is named', () => {
  const both = [SHARE, P99];
  assert.deepEqual(
    judged(
      1000,
      [
        [0, 0],
        [50, 50],
      ],
      both,
    ),
    { verdict: 'bad', binding: 1, reason: null },
  );
  assert.deepEqual(
    judged(
      1000,
      [
        [9, 9],
        [9, 9],
      ],
      both,
    ),
    { verdict: 'bad', binding: 0, reason: null },
  );
  assert.equal(
    judged(
      1000,
      [
        [30, 30],
        [18, 18],
      ],
      both,
    ).binding,
    0,
    'both bad: the one that is missed by more',
  );
  assert.deepEqual(
    judged(
      1000,
      [
        [0, 0],
        [0, 0],
      ],
      both,
    ),
    { verdict: 'good', binding: null, reason: null },
  );
});

test('what the generator can’t tell is invalid, never bad', () => {
  assert.equal(judged(1000, [[900, 900]], [SHARE], { invalid: 'out of descriptors' }).verdict, 'invalid');
  assert.equal(judged(1000, [[900, 900]], [SHARE], { launched: 999 }).verdict, 'invalid');
  const unsure = judged(1000, [[5, 40]], [P99]);
  assert.equal(unsure.verdict, 'invalid');
  assert.match(unsure.reason ?? '', /between 5 and 40 handshakes/);
  assert.equal(judged(1000, [[30, 40]], [P99]).verdict, 'bad', 'both bounds agree');
});

test('a drain below 0.8 of the usual one is bad', () => {
  const options = searchOptions({ max: 20_000, drain: true });
  const facts = { ...factsOf(1000, 1000), makespanMs: 1000 };
  assert.equal(judge(1000, facts, options, 1.2).verdict, 'good');
  assert.deepEqual(judge(1000, facts, options, 1.3), { verdict: 'bad', binding: 1, reason: null });
});

test('half of the bursts: good weighs as much as bad; nine of ten: a ninth', () => {
  assert.equal(goodWeight(0.5), 1);
  assert.ok(Math.abs(goodWeight(0.9) - 1 / 9) < 1e-12);
  const strict = searchOptions({ max: 1000, quantile: 0.9 });
  assert.ok(strict.cap >= 27 && strict.budget > 60);
});

test('presets, defaults and what does not fit', () => {
  const standard = searchOptions({ max: 20_000 });
  const { min, start, growth, width, lead, cap, budget, coolMs, freshWaitMs, maxWaitMs } = standard;
  assert.deepEqual(
    [min, start, growth, width, lead, cap, budget, coolMs, freshWaitMs, maxWaitMs],
    [10, 64, 2, 0.05, 3, 7, 60, 10_000, 120_000, 180_000],
  );
  const quick = searchOptions({ max: 20_000, preset: 'quick', freshWaitMs: 3000 });
  assert.deepEqual([quick.lead, quick.cap, quick.width, quick.maxWaitMs], [2, 5, 0.1, 4500]);
  assert.equal(searchOptions({ max: 20_000, expect: 3200 }).start, 200);
  assert.deepEqual([searchOptions({ max: 5 }).min, searchOptions({ max: 5 }).start], [5, 5]);
  const wrong: SearchWish[] = [
    { max: 0 },
    { max: 1.5 },
    { max: 100, min: 200 },
    { max: 100, width: 0 },
    { max: 100, objectives: [] },
    { max: 100, objectives: [{ name: 'x', share: 1.2, withinMs: null }] },
    { max: 100, quantile: 0.2 },
    { max: 100, cap: 2 },
    { max: 100, freshWaitMs: Number.NaN },
  ];
  for (const wish of wrong) assert.throws(() => searchOptions(wish), /^UserError: find: /);
});

function burst(upperMs: readonly number[], lowerMs: readonly number[], more: Partial<Burst>): Burst {
  const summary = (values: readonly number[]) => {
    const histogram = new LatencyHistogram();
    for (const ms of values) histogram.record(ms);
    return histogram.summary();
  };
  const none = { dns: null, connect: null, tls: null, upgrade: null, message: null };
  const burst_: Partial<Burst> = {
    attempted: 10,
    outcomes: { '101': upperMs.length, '504': 10 - upperMs.length },
    lostWhileHeld: 0,
    sessions: null,
    generator: { launched: 10 } as Burst['generator'],
    latencyMs: { ...none, handshake: summary(upperMs) },
    latencyLowerMs: { connect: null, tls: null, upgrade: null, handshake: summary(lowerMs) },
    release: { spreadMs: 10, firstMs: 0, lastMs: 10, perWorkerMs: [] },
    makespanMs: 700,
    validity: { verdict: 'valid', reasons: [] },
    ...more,
  };
  return burst_ as Burst;
}

test('from a burst of a result: failures count against every objective, slow ones against those with a limit', () => {
  const upper = [100, 200, 300, 505, 600, 600, 600, 600];
  const lower = [90, 190, 290, 495, 590, 590, 590, 590];
  const facts = factsOfBurst(burst(upper, lower, { lostWhileHeld: 1 }), [SHARE, P99]);
  assert.deepEqual(facts.failed, [
    [3, 3],
    [7, 8],
  ]);
  assert.deepEqual([facts.launched, facts.survived, facts.paced, facts.invalid], [10, 7, false, null]);
  assert.ok(facts.p50Ms !== null && facts.p50Ms[0] < facts.p50Ms[1]);
});

test('from a burst of a result: where the kernel stamped, both bounds are the one value', () => {
  const facts = factsOfBurst(burst([100, 200, 300, 505, 600, 600, 600, 600], [], { latencyLowerMs: null }), [P99]);
  assert.deepEqual(facts.failed, [[7, 7]]);
  assert.ok(facts.p99Ms !== null && facts.p99Ms[0] === facts.p99Ms[1]);
});

test('from a burst of a result: with a session success is to be ready within the limit, and not lost', () => {
  const readyMs = burst([400, 450, 480, 600, 700, 800], [], {}).latencyMs.handshake;
  const sessions = { ready: 6, readyMs } as Burst['sessions'];
  const facts = factsOfBurst(burst([1, 1, 1, 1, 1, 1, 1, 1], [], { sessions, lostWhileHeld: 1 }), [SHARE, P99]);
  // Of 10, 4 were not ready, 1 was lost, and 3 were ready after more than 500 ms.
  assert.deepEqual(
    [facts.survived, facts.failed],
    [
      5,
      [
        [5, 5],
        [8, 8],
      ],
    ],
  );
});

test('from a burst of a result: invalid, paced, empty', () => {
  const invalid = burst([1], [1], { validity: { verdict: 'invalid', reasons: ['out of ports'] }, makespanMs: 15 });
  const facts = factsOfBurst(invalid, [SHARE]);
  assert.deepEqual([facts.invalid, facts.paced], ['out of ports', true]);
  const nothing = factsOfBurst(burst([], [], { outcomes: { refused: 10 }, latencyLowerMs: null, makespanMs: null }), [
    P99,
  ]);
  assert.deepEqual([nothing.failed, nothing.survived, nothing.p99Ms], [[[10, 10]], 0, null]);
});
