import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';

fc.configureGlobal({ seed: 20261121 });

import { LatencyHistogram } from '#dist/tally/histogram.js';

function of(...values: number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const ms of values) histogram.record(ms);
  return histogram;
}

const latencies = fc.array(fc.double({ min: 0, max: 700_000, noNaN: true }), { maxLength: 30 });

test('an empty histogram has no summary, no bars, and refuses to invent a value', () => {
  const empty = new LatencyHistogram();
  assert.equal(empty.count, 0);
  assert.equal(empty.summary(), null);
  assert.deepEqual(empty.bars(), []);
  for (const read of [() => empty.percentileMs(50), () => empty.minMs, () => empty.maxMs, () => empty.meanMs]) {
    assert.throws(read, RangeError);
  }
});

test('what is no number is refused and leaves no trace', () => {
  const histogram = of(5);
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    assert.throws(() => histogram.record(bad), RangeError);
  }
  assert.deepEqual([histogram.count, histogram.clamped, histogram.percentileMs(99)], [1, 0, 5.003]);
});

test('values are rounded to the nearest µs, not floored', () => {
  assert.equal(of(0.0016).minMs, 0.002);
  assert.equal(of(0.0014).minMs, 0.001);
  assert.equal(of(1.999).maxMs, 1.999);
});

test('values below 1 µs are recorded as 1 µs; only negative ones and those over 10 min count as clamped', () => {
  const small = of(0, 0.0001, 0.0004);
  assert.deepEqual([small.count, small.clamped, small.minMs, small.maxMs], [3, 0, 0.001, 0.001]);
  const wild = of(-3, 600_000, 600_001, 1e12);
  assert.deepEqual([wild.count, wild.clamped], [4, 3]);
  assert.equal(wild.minMs, 0.001);
  assert.ok(wild.maxMs >= 600_000 && wild.maxMs < 600_600);
});

test('percentiles of a known distribution are within 0.1 %', () => {
  const histogram = new LatencyHistogram();
  for (let ms = 1; ms <= 1000; ms++) histogram.record(ms);
  const summary = histogram.summary();
  assert.ok(summary !== null);
  const expected = {
    count: 1000,
    min: 1,
    mean: 500.5,
    p50: 500,
    p75: 750,
    p90: 900,
    p95: 950,
    p99: 990,
    p999: 999,
    max: 1000,
  };
  for (const [key, value] of Object.entries(expected)) {
    const actual = summary[key as keyof typeof expected];
    assert.ok(Math.abs(actual - value) <= value * 0.001, `${key}: ${actual} instead of ${value}`);
  }
});

test('the summary is the same before and after encoding', () => {
  const before = of(0.5, 3, 700, 1000, 74_999);
  assert.deepEqual(LatencyHistogram.decode(before.encode()).summary(), before.summary());
});

test('the encoding is HdrHistogram V2 compressed, base64, and survives its clamped count beside it', () => {
  const histogram = of(1, -1);
  const encoded = histogram.encode();
  assert.equal(Buffer.from(encoded, 'base64').readUInt32BE(0), 0x1c849304 | 0x10);
  assert.equal(LatencyHistogram.decode(encoded, histogram.clamped).clamped, 1);
});

test('a decoded histogram takes larger values than it came with', () => {
  const decoded = LatencyHistogram.decode(of(1).encode());
  decoded.record(599_000);
  decoded.merge(of(500_000));
  assert.equal(decoded.count, 3);
});

test('what is no histogram of ours is refused', () => {
  const foreign = 'HISTFAAAACh42pNpmSzMwMDAxQABzFCaEUoz2X+AMOZIhQAAwz0GLg==';
  for (const text of ['', 'x', 'AAAA', of(1).encode().slice(0, 20), foreign, 'A'.repeat(1_000_004)]) {
    assert.throws(() => LatencyHistogram.decode(text), text.slice(0, 40));
  }
});

test('bars are ascending, hold every value and add up', () => {
  fc.assert(
    fc.property(latencies, (values) => {
      const bars = of(...values).bars();
      assert.equal(
        bars.reduce((sum, { count }) => sum + count, 0),
        values.length,
      );
      for (const [i, { fromMs, toMs, count }] of bars.entries()) {
        assert.ok(count > 0 && fromMs < toMs && fromMs >= (bars[i - 1]?.toMs ?? 0));
      }
      for (const ms of values) {
        const us = Math.min(600_000_000, Math.max(1, Math.round(ms * 1000)));
        assert.ok(bars.some(({ fromMs, toMs }) => fromMs * 1000 <= us + 1e-6 && us < toMs * 1000 - 1e-6));
      }
    }),
    { numRuns: 60 },
  );
});

test('merging is the same as recording together, in any order', () => {
  fc.assert(
    fc.property(latencies, latencies, (a, b) => {
      const together = of(...a, ...b);
      const ab = of(...a);
      ab.merge(of(...b));
      const ba = of(...b);
      ba.merge(LatencyHistogram.decode(of(...a).encode(), of(...a).clamped));
      for (const merged of [ab, ba]) {
        assert.deepEqual(merged.summary(), together.summary());
        assert.equal(merged.clamped, together.clamped);
      }
    }),
    { numRuns: 40 },
  );
});
