/** The shapes of a burst's times: each is found with its numbers in whatever jitter, and none is seen in another. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  clustersOf,
  dataRetriesOf,
  median,
  rampOf,
  roundMs,
  staircaseOf,
  synRetriesOf,
  synStep,
} from '#dist/diagnose/shape.js';
import { around, seeded } from './diagnose-results.js';

const RUNS = { numRuns: 300, seed: 4 };

/** One served after another, each step off by up to `jitter` of itself. */
function ramp(n: number, stepMs: number, jitter: number, seed: number): number[] {
  const random = seeded(seed);
  let at = 0;
  return Array.from({ length: n }, () => {
    at += stepMs * (1 + jitter * (2 * random() - 1));
    return at;
  });
}

interface Stairs {
  readonly together: number;
  readonly stepMs: number;
  readonly steps: number;
  /** Of the last step so many are missing. */
  readonly cut: number;
  readonly jitter: number;
  readonly seed: number;
}

function stairs({ together, stepMs, steps, cut, jitter, seed }: Stairs): number[] {
  const random = seeded(seed);
  const all = Array.from(
    { length: together * steps - cut },
    (_, i) => (Math.floor(i / together) + 1) * stepMs + jitter * stepMs * random(),
  );
  return all.sort((a, b) => a - b);
}

const stepMs = fc.double({ min: 0.2, max: 200, noNaN: true });
const seed = fc.integer({ min: 0, max: 1e9 });
const jitter = fc.double({ min: 0, max: 0.3, noNaN: true });
const stairsOf = (least: { together: number; steps: number }): fc.Arbitrary<Stairs> =>
  fc
    .record({
      together: fc.integer({ min: least.together, max: 50 }),
      stepMs: fc.double({ min: 20, max: 1000, noNaN: true }),
      steps: fc.integer({ min: least.steps, max: 30 }),
      jitter: fc.double({ min: 0, max: 0.1, noNaN: true }),
      seed,
    })
    .chain((shape) => fc.integer({ min: 0, max: shape.together - 1 }).map((cut) => ({ ...shape, cut })));

describe('a ramp', () => {
  it('is found with its step within 5 %', () => {
    const property = fc.property(fc.integer({ min: 8, max: 3000 }), stepMs, jitter, seed, (n, step, share, from) => {
      const values = ramp(n, step, share, from);
      const found = rampOf(values);
      assert.ok(found !== null);
      // The mean of the steps as they fell out is what there is to be found.
      const truth = (values[n - 1] - values[0]) / (n - 1);
      assert.ok(Math.abs(found.stepMs / truth - 1) <= (n < 40 ? 0.15 : 0.05), `${found.stepMs} of ${truth}`);
      if (n >= 100) assert.ok(Math.abs(found.stepMs / step - 1) <= 0.05, `${found.stepMs} of ${step}`);
      assert.equal(found.firstMs, values[0]);
      assert.equal(found.lastMs, values[n - 1]);
    });
    fc.assert(property, RUNS);
  });

  it('is none of a few, of equal ones, of a crowd that ends together, of two crowds', () => {
    assert.equal(rampOf([]), null);
    assert.equal(rampOf([1, 2, 3, 4, 5]), null);
    assert.equal(rampOf(around(100, 7, 0)), null);
    const property = fc.property(fc.integer({ min: 20, max: 1000 }), seed, (n, from) => {
      const random = seeded(from);
      // Most at the end, as when all are computed side by side.
      const common = Array.from({ length: n }, () => 2000 - 60 * -Math.log(1 - random())).sort((a, b) => a - b);
      assert.equal(rampOf(common), null);
      const both = Array.from({ length: n }, (_, i) => (i < n / 2 ? 5 : 1000) + 20 * random()).sort((a, b) => a - b);
      assert.equal(rampOf(both), null);
    });
    fc.assert(property, RUNS);
  });

  it('is none of a staircase of four and more steps of eight and more', () => {
    const property = fc.property(stairsOf({ together: 8, steps: 4 }), (shape) => {
      // Many small steps lie on a line as well: only then a caller must ask for stairs first.
      if (shape.steps <= 5) assert.equal(rampOf(stairs({ ...shape, cut: 0 })), null);
    });
    fc.assert(property, RUNS);
  });
});

describe('a staircase', () => {
  it('is found with its height exactly and its step within 5 %', () => {
    const property = fc.property(stairsOf({ together: 2, steps: 4 }), (shape) => {
      const found = staircaseOf(stairs(shape));
      assert.ok(found !== null);
      assert.equal(found.together, shape.together);
      assert.equal(found.steps, shape.steps);
      assert.ok(Math.abs(found.stepMs / shape.stepMs - 1) <= 0.05, `${found.stepMs} of ${shape.stepMs}`);
    });
    fc.assert(property, RUNS);
  });

  it('is found from its second step on', () => {
    const property = fc.property(fc.integer({ min: 3, max: 50 }), seed, (together, from) => {
      for (const steps of [2, 3]) {
        const found = staircaseOf(stairs({ together, stepMs: 300, steps, cut: 0, jitter: 0.05, seed: from }));
        assert.deepEqual([found?.together, found?.steps], [together, steps]);
      }
    });
    fc.assert(property, RUNS);
  });

  it('is none of a serial ramp', () => {
    const property = fc.property(fc.integer({ min: 8, max: 3000 }), stepMs, jitter, seed, (n, step, share, from) => {
      assert.equal(staircaseOf(ramp(n, step, share, from)), null);
    });
    fc.assert(property, RUNS);
  });

  it('is none of a crowd that is answered as it comes', () => {
    const property = fc.property(fc.integer({ min: 50, max: 2000 }), seed, (n, from) => {
      const random = seeded(from);
      const values = Array.from({ length: n }, () => 2 + 40 * random()).sort((a, b) => a - b);
      assert.equal(staircaseOf(values), null);
    });
    fc.assert(property, RUNS);
  });

  it('is none of a few quick ones and one crowd late', () => {
    for (const late of [500, 1000, 3000]) {
      assert.equal(staircaseOf([...around(50, 3, 10), ...around(50, late, 10)]), null);
    }
    assert.equal(staircaseOf([]), null);
    assert.equal(staircaseOf([5, 5, 5]), null);
    assert.equal(staircaseOf(around(100, 7, 0)), null);
  });
});

describe('retries', () => {
  /** linear since Linux 6.5, doubling before. */
  const LINEAR = [1020, 2030, 3060, 4080, 5100, 7100, 11_200, 19_500];
  const DOUBLING = [1020, 3040, 7110, 15_200];

  it('of SYNs are seen on both schedules, with each wave', () => {
    for (const schedule of [LINEAR, DOUBLING]) {
      const late = schedule.flatMap((ms) => around(17, ms, 12));
      const found = synRetriesOf([...around(17, 0.2, 2), ...late]);
      assert.deepEqual(
        [found?.atOnce, found?.retried, found?.wavesMs.length],
        [17, 17 * schedule.length, schedule.length],
      );
    }
  });

  it('of SYNs are not seen in times between', () => {
    assert.equal(synRetriesOf([]), null);
    assert.equal(synRetriesOf(around(500, 0.1, 800)), null);
    assert.equal(synRetriesOf(around(500, 1, 20_000)), null);
    assert.equal(synRetriesOf(around(100, 1500, 200)), null);
    assert.equal(synRetriesOf(around(100, 970, 15)), null);
    for (const ms of [900, 980, 1500, 2500, 6000, 9000, 13_000, 17_000, 25_000])
      assert.equal(synStep(ms), null, `${ms}`);
  });

  it('of data are counted on their schedule', () => {
    assert.equal(dataRetriesOf([0.4, 5, 100, 400, 1000, 2000, 5000, 10_000]), 0);
    assert.equal(dataRetriesOf([205, 210, 615, 1430, 3020, 6400, 12_900, 26_000]), 8);
  });
});

describe('times', () => {
  it('betray the configured one, if they are late by no more than a timer', () => {
    for (const s of [0.5, 1, 2, 3, 5, 10, 29, 30, 60, 75, 100, 300]) {
      for (const late of [0, 5, 40]) assert.equal(roundMs(1000 * s + late), 1000 * s);
      // 29.4 s are those of a timer of 29.
      if (s !== 30) assert.equal(roundMs(1000 * s * 0.98), null, `${s} s, too early`);
    }
    for (const ms of [0, 5, 300, 650, 1200, 3400, 7000, 13_000, 400_000, Number.NaN])
      assert.equal(roundMs(ms), null, `${ms}`);
  });

  it('fall into clusters that hold all of them', () => {
    assert.deepEqual(clustersOf([]), []);
    const found = clustersOf([1, 2, 3, 1000, 1001, 3000]);
    assert.deepEqual(
      found.map(({ count, minMs, medianMs, maxMs }) => [count, minMs, medianMs, maxMs]),
      [
        [3, 1, 2, 3],
        [2, 1000, 1000, 1001],
        [1, 3000, 3000, 3000],
      ],
    );
    const times = fc.array(fc.double({ min: 0, max: 600_000, noNaN: true }), { maxLength: 300 });
    const property = fc.property(times, (unsorted) => {
      const values = unsorted.sort((a, b) => a - b);
      const clusters = clustersOf(values);
      assert.equal(
        clusters.reduce((sum, { count }) => sum + count, 0),
        values.length,
      );
      for (const [i, { minMs, medianMs, maxMs }] of clusters.entries()) {
        assert.ok(minMs <= medianMs && medianMs <= maxMs);
        if (i > 0) assert.ok(minMs - clusters[i - 1].maxMs > 60);
      }
    });
    fc.assert(property, RUNS);
  });

  it('have a median, unless there are none', () => {
    assert.equal(median([1]), 1);
    assert.equal(median([1, 2]), 1);
    assert.equal(median([1, 2, 3]), 2);
    assert.throws(() => median([]), RangeError);
  });

  it('of any kind have no shape that breaks', () => {
    const times = fc.array(fc.double({ min: 0.001, max: 600_000, noNaN: true }), { maxLength: 200 });
    const property = fc.property(times, (unsorted) => {
      const values = unsorted.sort((a, b) => a - b);
      for (const found of [rampOf(values), staircaseOf(values), synRetriesOf(values)]) {
        const numbers = Object.values(found ?? {}).filter((value) => typeof value === 'number');
        assert.ok(numbers.every(Number.isFinite), JSON.stringify(found));
      }
      const steps = staircaseOf(values);
      if (steps !== null) assert.ok(steps.stepMs > 0 && steps.together >= 2 && steps.steps >= 2);
    });
    fc.assert(property, RUNS);
  });
});
