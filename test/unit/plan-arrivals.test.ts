/** Start times of an open model: exact numbers, the right distribution, and the same schedule for any number of workers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atRates, countOf, mostWithin, type Schedule, spreadOver, startTimes } from '#dist/plan/arrivals.js';

const MINUTE = 60_000;

/** Kolmogorov-Smirnov: the largest distance between the values' distribution and `cdf`, times the square root of n. */
function distance(values: readonly number[], cdf: (value: number) => number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  const gaps = sorted.map((value, i) => Math.max(cdf(value) - i / n, (i + 1) / n - cdf(value)));
  return Math.max(...gaps) * Math.sqrt(n);
}

/** Exceeded once in a thousand by chance; seeds are fixed, so chance plays no part in a repetition. */
const CRITICAL = 1.95;

const gapsOf = (times: Float64Array): number[] => Array.from(times.subarray(1), (time, i) => time - times[i]);
const uniform = (value: number) => value;

test('even arrivals have fixed gaps, and exactly rate times duration of them', () => {
  const times = startTimes(atRates([200, 200], MINUTE, 'even', 1));
  assert.equal(times.length, 12_000);
  assert.equal(times[0], 0);
  for (const gap of gapsOf(times)) assert.ok(Math.abs(gap - 5) < 1e-6, `gap ${gap}`);
  assert.deepEqual(times, startTimes(atRates([200, 200], MINUTE, 'even', 2)), 'no seed changes what is not random');
});

test('the number of arrivals is rate times duration, in spite of binary fractions', () => {
  assert.equal(countOf([0.1, 0.1], 10 * MINUTE), 60);
  assert.equal(countOf([1 / 3, 1 / 3], 9000), 3);
  assert.equal(countOf([200 / 60, 200 / 60], MINUTE), 200);
  assert.equal(countOf([0.5, 0.5], 3000), 2, 'at 0 s and at 2 s');
  assert.equal(countOf([50, 500], MINUTE), 16_500);
  assert.equal(countOf([500, 50], MINUTE), 16_500);
  assert.equal(countOf([1, 1], 1), 1, 'one at least');
});

test('a ramp has so many arrivals in each part as the area below it', () => {
  for (const rates of [
    [50, 500],
    [500, 50],
    [0, 500],
    [500, 0],
  ] as const) {
    for (const spacing of ['even', 'poisson'] as const) {
      const times = startTimes(atRates(rates, MINUTE, spacing, 7));
      const [from, to] = rates;
      for (let second = 0; second < 60; second += 6) {
        const count = times.filter((time) => time >= second * 1000 && time < (second + 6) * 1000).length;
        const area = 6 * (from + ((to - from) * (second + 3)) / 60);
        const allowed = spacing === 'even' ? 1 : 5 * Math.sqrt(area);
        assert.ok(Math.abs(count - area) <= allowed, `${rates} ${spacing}: ${count} of ${area} from ${second} s`);
      }
    }
  }
});

test('poisson arrivals come as independent users do: exponential gaps, uniform instants', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const times = startTimes(atRates([200, 200], MINUTE, 'poisson', seed));
    assert.equal(times.length, 12_000);
    assert.ok(distance(gapsOf(times), (gap) => 1 - Math.exp(-gap / 5)) < CRITICAL, `gaps of seed ${seed}`);
    assert.ok(
      distance(
        Array.from(times, (time) => time / MINUTE),
        uniform,
      ) < CRITICAL,
      `instants of seed ${seed}`,
    );
    const perSecond = Array.from({ length: 60 }, (_, second) =>
      times.reduce((count, time) => count + (Math.floor(time / 1000) === second ? 1 : 0), 0),
    );
    const variance = perSecond.reduce((sum, count) => sum + (count - 200) ** 2, 0) / 60;
    // Of a Poisson process the variance is the mean; its own deviation over 60 s is 18 %.
    assert.ok(variance > 200 * 0.4 && variance < 200 * 1.8, `variance ${variance} a second`);
  }
});

test('a ramp of poisson arrivals is a Poisson process in the time that its rate defines', () => {
  const times = startTimes(atRates([50, 500], MINUTE, 'poisson', 3));
  const area = (ms: number) => (50 * ms + (450 * ms * ms) / (2 * MINUTE)) / 1000;
  assert.ok(
    distance(
      Array.from(times, area).map((done) => done / 16_500),
      uniform,
    ) < CRITICAL,
  );
});

test('a spread has each start somewhere in its own part of the time', () => {
  const times = startTimes(spreadOver(3000, MINUTE, 'even', 11));
  assert.equal(times.length, 3000);
  const inPart = Array.from(times, (time, i) => time / 20 - i);
  assert.ok(inPart.every((share) => share > -1e-9 && share < 1 + 1e-9));
  assert.ok(distance(inPart, uniform) < CRITICAL);
});

test('a spread of poisson arrivals has all of them in the time', () => {
  const times = startTimes(spreadOver(3000, MINUTE, 'poisson', 5));
  assert.equal(times.length, 3000);
  assert.ok(times.every((time, i) => time >= 0 && time < MINUTE && (i === 0 || time >= times[i - 1])));
  assert.ok(
    distance(
      Array.from(times, (time) => time / MINUTE),
      uniform,
    ) < CRITICAL,
  );
});

test('however many workers take turns, together they have the same schedule', () => {
  const schedules: Schedule[] = [
    atRates([0, 300], 10_000, 'even', 1),
    atRates([20, 300], 10_000, 'poisson', 9),
    spreadOver(1001, 10_000, 'even', 4),
    spreadOver(1001, 10_000, 'poisson', 4),
  ];
  for (const schedule of schedules) {
    const whole = startTimes(schedule);
    for (const stride of [2, 3, 7]) {
      const parts = Array.from({ length: stride }, (_, first) => startTimes(schedule, { first, stride }));
      const together = Float64Array.from(whole, (_, i) => parts[i % stride][Math.floor(i / stride)]);
      assert.deepEqual(together, whole);
    }
  }
});

test('a schedule with fewer starts than workers leaves some of them without one', () => {
  const schedule = spreadOver(2, 1000, 'even', 1);
  assert.equal(startTimes(schedule, { first: 3, stride: 4 }).length, 0);
});

test('another seed is another schedule, the same seed the same', () => {
  const of = (seed: number) => startTimes(spreadOver(100, 1000, 'even', seed));
  assert.deepEqual(of(1), of(1));
  assert.notDeepEqual(of(1), of(2));
});

test('no part of a schedule has more starts than `mostWithin` says, and an even one can have as many', () => {
  for (const rates of [
    [200, 200],
    [20, 300],
    [300, 0],
  ] as const) {
    for (const spacing of ['even', 'poisson'] as const) {
      for (const ms of [50, 700, 4000]) {
        const schedule = atRates(rates, 10_000, spacing, 5);
        const times = startTimes(schedule);
        const found = Math.max(
          ...Array.from(times, (time, i) => times.findLastIndex((later) => later < time + ms - 1e-6) - i + 1),
        );
        const most = mostWithin(schedule, ms);
        assert.ok(found <= most, `${rates} ${spacing}: ${found} in ${ms} ms, ${most} at most`);
        if (spacing === 'even') assert.ok(found >= most - 1, `${rates}: ${found} in ${ms} ms of ${most}`);
      }
    }
  }
});
