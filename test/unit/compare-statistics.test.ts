import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { meanShift } from '#dist/compare/permutation.js';
import { normalQuantile, studentQuantile } from '#dist/compare/quantiles.js';
import { intervalPlace, medianOf, rankShift } from '#dist/compare/rank-sum.js';
import { leastForInterval, neededFor, smallestShift } from '#dist/compare/sample-size.js';
import { hasMoved, verdictOf } from '#dist/compare/verdict.js';
import { burstP99, burstShare, ratesOf } from '../bench/compare-simulated.js';
import { Random } from '../bench/simulated-random.js';

fc.configureGlobal({ seed: 20261201 });

const INF = Number.POSITIVE_INFINITY;

test('the place of the interval is one above the critical value of U that tables print', () => {
  // Two-sided 5 %: Mann and Whitney 1947; Hollander and Wolfe, table A.6.
  const critical: [n: number, m: number, u: number][] = [
    [4, 4, 0],
    [3, 5, 0],
    [5, 5, 2],
    [6, 6, 5],
    [7, 7, 8],
    [8, 8, 13],
    [10, 10, 23],
    [15, 15, 64],
    [20, 20, 127],
    [5, 10, 8],
    [5, 20, 20],
  ];
  for (const [n, m, u] of critical) {
    assert.equal(intervalPlace(n, m, 0.05), u + 1, `${n} and ${m}`);
    assert.equal(intervalPlace(m, n, 0.05), u + 1, `${m} and ${n}`);
  }
  assert.equal(intervalPlace(3, 3, 0.05), 0, 'no interval of 95 % exists');
  assert.equal(intervalPlace(4, 4, 0.025), 0, 'nor one of 97.5 %');
});

test('the smallest p of 4 and 4 is 2 / 70, and of 5 and 5 it is 2 / 252', () => {
  for (const [n, p] of [
    [4, 2 / 70],
    [5, 2 / 252],
  ]) {
    assert.equal(intervalPlace(n, n, p), 1);
    assert.equal(intervalPlace(n, n, p * 0.999), 0);
  }
});

test('the normal approximation continues where the exact distribution ends', () => {
  // 50 and 50 are exact, 50 and 51 are not.
  const [exact, near] = [intervalPlace(50, 50, 0.05), intervalPlace(50, 51, 0.05)];
  assert.ok(Math.abs(near / (50 * 51) - exact / (50 * 50)) < 0.003, `${exact}, ${near}`);
});

test('the permeability of membranes (Hollander and Wolfe, section 4.2)', () => {
  const term = [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
  const earlier = [1.15, 0.88, 0.9, 0.74, 1.21];
  const { estimate, interval } = rankShift(earlier, term, 0.05);
  assert.equal(estimate.toFixed(3), '0.305');
  assert.deepEqual(
    interval?.map((end) => end.toFixed(2)),
    ['-0.15', '0.76'],
  );
});

const finite = fc.double({ min: -100, max: 100, noNaN: true });
const side = fc.array(fc.oneof({ weight: 8, arbitrary: finite }, fc.constant(INF)), { minLength: 1, maxLength: 9 });

test('a shift of one side moves its estimate and its interval; exchanged sides change their signs', () => {
  const whole = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 4, maxLength: 9 });
  fc.assert(
    fc.property(whole, whole, fc.integer({ min: -20, max: 20 }), (before, after, by) => {
      for (const shiftOf of [rankShift, meanShift]) {
        const plain = shiftOf(before, after, 0.05);
        const moved = shiftOf(
          before,
          after.map((value) => value + by),
          0.05,
        );
        const turned = shiftOf(after, before, 0.05);
        assert.ok(Math.abs(moved.estimate - plain.estimate - by) < 1e-9);
        assert.ok(Math.abs(turned.estimate + plain.estimate) < 1e-9);
        assert.ok(plain.interval !== null && moved.interval !== null && turned.interval !== null);
        for (const end of [0, 1]) {
          assert.ok(Math.abs(moved.interval[end] - plain.interval[end] - by) < 1e-9);
          assert.ok(Math.abs(turned.interval[1 - end] + plain.interval[end]) < 1e-9);
        }
        assert.ok(plain.interval[0] <= plain.estimate + 1e-9 && plain.estimate <= plain.interval[1] + 1e-9);
      }
    }),
    { numRuns: 100 },
  );
});

test('values without an end sort last, and two of them do not differ: never NaN', () => {
  fc.assert(
    fc.property(side, side, (before, after) => {
      const { estimate, interval } = rankShift(before, after, 0.2);
      assert.ok(!Number.isNaN(estimate));
      if (interval !== null) assert.ok(interval[0] <= interval[1]);
    }),
  );
  assert.deepEqual(rankShift([INF, INF, INF, INF], [INF, INF, INF, INF], 0.05), { estimate: 0, interval: [0, 0] });
  assert.deepEqual(rankShift([1, 2, 3, 4], [INF, INF, INF, INF], 0.05), { estimate: INF, interval: [INF, INF] });
  assert.equal(medianOf([1, INF, 2]), 2);
  assert.equal(medianOf([1, INF]), INF);
});

test('the permutation test is as exact as Fisher’s: 5 of 5 whole bursts against 1 of 5, and not against 2 of 5', () => {
  const whole = (count: number) => [...Array(count).fill(1), ...Array(5 - count).fill(0.5)] as number[];
  const one = meanShift(whole(5), whole(1), 0.05);
  assert.equal(one.estimate, -0.4);
  assert.ok(one.interval !== null && one.interval[1] < 0, `${one.interval}`);
  // C(6,1) / C(10,5): one-sided .0238.
  assert.ok((meanShift(whole(5), whole(1), (2 * 5.9) / 252).interval?.[1] ?? 0) >= 0);
  assert.ok((meanShift(whole(5), whole(2), 0.05).interval?.[1] ?? -1) >= 0);
  // Ranks do not see it: most of the pairs are equal.
  assert.equal(rankShift(whole(5), whole(1), 0.05).interval?.[1], 0);
});

test('up to 10 and 10 all divisions are tried; beyond, 9,999 are drawn, the same ones each time', () => {
  const values = (count: number, by: number) =>
    Array.from({ length: count }, (_, i) => 0.9 + ((i * 37) % 11) / 200 + by);
  assert.deepEqual(meanShift(values(30, 0), values(30, 0.02), 0.05), meanShift(values(30, 0), values(30, 0.02), 0.05));
  // Student's interval of the same values: near, because their means are nearly normal.
  for (const count of [10, 30]) {
    const { estimate, interval } = meanShift(values(count, 0), values(count, 0.02), 0.05);
    const mean = values(count, 0).reduce((a, b) => a + b) / count;
    const variance = values(count, 0).reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
    const half = studentQuantile(0.975, 2 * count - 2) * Math.sqrt((2 * variance) / count);
    assert.ok(Math.abs(estimate - 0.02) < 1e-9);
    assert.ok(interval !== null);
    for (const [end, expected] of [0.02 - half, 0.02 + half].entries()) {
      assert.ok(Math.abs(interval[end] - expected) < 0.12 * half, `${interval}, ${expected}`);
    }
  }
});

test('one rule: where the interval lies against the tolerance', () => {
  const up: [interval: [number, number] | null, tolerance: number, verdict: string][] = [
    [[0.11, 0.3], 0.1, 'worse'],
    [[0.1, 0.3], 0.1, 'undecided'],
    [[-0.05, 0.09], 0.1, 'no worse'],
    [[-0.3, -0.11], 0.1, 'better'],
    [[-0.3, -0.05], 0.1, 'no worse'],
    [[-0.2, 0.2], 0.1, 'undecided'],
    [[0, 0], 0, 'no worse'],
    [[0.001, 0.2], 0, 'worse'],
    [[INF, INF], 0.1, 'worse'],
    [[0.05, INF], 0.1, 'undecided'],
    [null, 0.1, 'undecided'],
  ];
  for (const [interval, tolerance, verdict] of up) {
    assert.equal(verdictOf(interval, tolerance, 'up'), verdict, `${interval}`);
    const turned: [number, number] | null = interval === null ? null : [-interval[1], -interval[0]];
    assert.equal(verdictOf(turned, tolerance, 'down'), verdict, `down ${turned}`);
  }
  assert.deepEqual(
    [hasMoved([0.01, 1]), hasMoved([-1, -0.01]), hasMoved([0, 1]), hasMoved(null)],
    [true, true, false, false],
  );
});

test('quantiles of the normal distribution and of Student’s t, as tables print them', () => {
  const normal: [number, number][] = [
    [0.5, 0],
    [0.8, 0.841621],
    [0.975, 1.959964],
    [0.995, 2.575829],
    [0.001, -3.090232],
  ];
  for (const [p, z] of normal) assert.ok(Math.abs(normalQuantile(p) - z) < 1e-5, `${p}`);
  const student: [p: number, degrees: number, t: number][] = [
    [0.975, 4, 2.776],
    [0.975, 8, 2.306],
    [0.975, 18, 2.101],
    [0.8, 8, 0.889],
    [0.995, 10, 3.169],
  ];
  for (const [p, degrees, t] of student)
    assert.ok(Math.abs(studentQuantile(p, degrees) / t - 1) < 0.01, `${p} ${degrees}`);
});

test('how many values would decide, and what so many would show, answer each other', () => {
  assert.deepEqual([leastForInterval(0.05), leastForInterval(0.025), leastForInterval(0.05 / 6)], [4, 5, 5]);
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 0.5, noNaN: true }), fc.integer({ min: 5, max: 100 }), (scatter, count) => {
      const shift = smallestShift(scatter, count, 0.05);
      const needed = neededFor(shift * 1.000001, scatter, 0.05);
      assert.ok(needed !== null && needed <= count);
      assert.ok(smallestShift(scatter, count + 1, 0.05) < shift);
    }),
  );
  // A scatter of 15 %, ten bursts a side: simulations of the rank-sum test see 80 % at a change of 25 %.
  const seen = Math.expm1(smallestShift(0.161, 10, 0.05));
  assert.ok(seen > 0.2 && seen < 0.28, `${seen}`);
  assert.equal(neededFor(0, 0.15, 0.05), null);
  assert.equal(neededFor(0.1, 0, 0.05), 4);
});

test('a sample of the simulation: false alarms, and what ten bursts a side see (npm run bench:compare has all cells)', () => {
  const rates = (change: number, tolerance: number) =>
    ratesOf(
      { base: burstP99(0.15), new: burstP99(0.15, change), perSide: 10 },
      tolerance,
      0.05,
      1500,
      new Random(`sample ${change} ${tolerance}`),
    );
  const none = rates(0, 0);
  assert.ok(none.worse + none.better <= 0.06, `${none.worse} ${none.better}`);
  assert.ok(rates(0, 0.1).worse <= 0.01);
  // Expected: 62 % and 19 %; 1,500 runs scatter by 1.3 points.
  assert.ok(Math.abs(rates(0.2, 0).worse - 0.62) < 0.05, `${rates(0.2, 0).worse}`);
  assert.ok(Math.abs(rates(0.2, 0.1).worse - 0.19) < 0.04, `${rates(0.2, 0.1).worse}`);
  const share = { base: burstShare(0.99, 0.02), new: burstShare(0.99, 0.02), perSide: 5, isShare: true };
  assert.ok(ratesOf(share, 0, 0.05, 1000, new Random('shares')).worse <= 0.06);
});
