import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';

fc.configureGlobal({ seed: 20261121 });

import { shareInterval, student975 } from '#dist/search/findings/interval.js';
import { kneeOf } from '#dist/search/findings/knee.js';
import { Posterior } from '#dist/search/findings/posterior.js';

/** The check in docs/method.md, "The posterior". */
const VECTOR = [
  ...[64, 128, 256, 512, 1024].map((size) => ({ size, good: 1, bad: 0 })),
  { size: 2000, good: 3, bad: 0 },
  { size: 2100, good: 0, bad: 3 },
];

test('the posterior of the bursts that docs/method.md checks it by', () => {
  const posterior = new Posterior(VECTOR, 10, 32_768);
  assert.deepEqual(
    [0.025, 0.5, 0.975].map((p) => Math.round(posterior.quantile(p))),
    [1847, 2050, 2629],
  );
  assert.equal(posterior.massWithin(2000, 2100).toFixed(2), '0.80');
  assert.ok(Math.abs(posterior.massWithin(null, null) - 1) < 1e-9);
});

test('the order of the bursts does not matter, and all mass is somewhere', () => {
  const evidence = fc.array(fc.record({ size: fc.integer({ min: 10, max: 5000 }), good: fc.nat(5), bad: fc.nat(5) }), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(evidence, (bursts) => {
      const [one, other] = [bursts, [...bursts].reverse()].map((all) => new Posterior(all, 10, 5000));
      assert.ok(Math.abs(one.quantile(0.5) / other.quantile(0.5) - 1) < 1e-6);
      assert.ok(one.quantile(0.025) <= one.quantile(0.5) && one.quantile(0.5) <= one.quantile(0.975));
      assert.ok(Math.abs(one.massWithin(null, null) - 1) < 1e-9);
    }),
    { numRuns: 20 },
  );
});

test('good bursts raise it, bad ones lower it, where they matter', () => {
  const median = (...more: typeof VECTOR) => new Posterior([...VECTOR, ...more], 10, 32_768).quantile(0.5);
  assert.ok(median({ size: 2050, good: 2, bad: 0 }) > median());
  assert.ok(median({ size: 1950, good: 0, bad: 4 }) < median());
});

test('hundreds of bursts neither underflow nor blur what they say', () => {
  const many = [
    { size: 1000, good: 200, bad: 0 },
    { size: 1050, good: 0, bad: 200 },
  ];
  const posterior = new Posterior(many, 10, 20_000);
  const median = posterior.quantile(0.5);
  assert.ok(median > 1000 && median < 1050, `${median}`);
});

test('a stricter share of bursts has its drop-off lower, by what the slope makes of it', () => {
  const gradual = [700, 800, 900, 1000, 1100, 1200, 1300].map((size, i) => ({ size, good: 12 - 2 * i, bad: 2 * i }));
  const half = new Posterior(gradual, 10, 20_000, 0.5).quantile(0.5);
  const strict = new Posterior(gradual, 10, 20_000, 0.9).quantile(0.5);
  assert.ok(strict < 0.9 * half && strict > 0.4 * half, `${half} ${strict}`);
});

test('the interval of a share widens with the spread between bursts, not with their handshakes', () => {
  const alike = [998, 999, 999, 1000, 999].map((met) => ({ met, launched: 1000 }));
  const unlike = [1000, 1000, 995, 1000, 1000].map((met) => ({ met, launched: 1000 }));
  const [a, b] = [shareInterval(alike), shareInterval(unlike)];
  assert.ok(a !== null && b !== null);
  assert.ok(a[0] < 0.999 && a[1] > 0.999);
  assert.ok(b[1] - b[0] > 1.5 * (a[1] - a[0]));
  assert.equal(shareInterval([{ met: 5, launched: 10 }]), null);
  assert.equal(shareInterval([]), null);
});

test('the interval stays within 0 and 1, holds its share, and gives 0 and 1 a width', () => {
  const bursts = fc.array(
    fc
      .integer({ min: 1, max: 5000 })
      .chain((launched) => fc.record({ launched: fc.constant(launched), met: fc.nat(launched) })),
    { minLength: 2, maxLength: 12 },
  );
  fc.assert(
    fc.property(bursts, (all) => {
      const interval = shareInterval(all);
      assert.ok(interval !== null);
      const share = all.reduce((sum, { met }) => sum + met, 0) / all.reduce((sum, { launched }) => sum + launched, 0);
      assert.ok(0 <= interval[0] && interval[0] <= share && share <= interval[1] && interval[1] <= 1);
      assert.ok(interval[1] > interval[0]);
    }),
  );
});

test('quantiles of Student’s t go on smoothly where the table ends', () => {
  assert.equal(student975(1), 12.706);
  const expected: [number, number][] = [
    [21, 2.08],
    [30, 2.042],
    [60, 2.0],
    [1000, 1.962],
  ];
  for (const [degrees, value] of expected) assert.ok(Math.abs(student975(degrees) - value) < 0.002, `${degrees}`);
});

const LOADS = [64, 128, 256, 512, 1024, 2048, 4096, 8192];

test('the knee of a queue is found by the universal scalability law', () => {
  const knee = kneeOf(LOADS.map((size) => ({ size, rate: size / (0.02 + size / 50_000) })));
  assert.ok(knee !== null && knee.model === 'usl');
  assert.ok(Math.abs(knee.size / 1000 - 1) < 0.1, `${knee.size}`);
  assert.equal(knee.peak, null);
  assert.ok(knee.misfit <= knee.otherMisfit);
});

test('the knee of a hard ceiling is found by two straight lines', () => {
  const knee = kneeOf(LOADS.map((size) => ({ size, rate: Math.min(size / 0.02, 50_000) })));
  assert.ok(knee !== null && knee.model === 'two-segment');
  assert.ok(Math.abs(knee.size / 1000 - 1) < 0.15, `${knee.size}`);
});

test('a retrograde peak is told, a straight line and too few loads have no knee', () => {
  const rate = (n: number) => (50 * n) / (1 + 0.001 * (n - 1) + 1e-6 * n * (n - 1));
  const knee = kneeOf(LOADS.map((size) => ({ size, rate: rate(size) })));
  assert.ok(knee?.model === 'usl' && knee.peak !== null && Math.abs(knee.peak / 999 - 1) < 0.05);
  assert.equal(kneeOf(LOADS.map((size) => ({ size, rate: 50 * size }))), null);
  assert.equal(kneeOf(LOADS.slice(0, 5).map((size) => ({ size, rate: 50 * size }))), null);
  assert.equal(kneeOf([]), null);
});
