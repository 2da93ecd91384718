import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '#dist/errors.js';
import { bitsAt, randomAt, uuidAt } from '#dist/plan/random.js';
import { didYouMean, nearest } from '#dist/plan/suggest.js';
import {
  formatBytes,
  formatCount,
  formatDuration,
  parseCount,
  parseDurationMs,
  parseRate,
  parseShare,
} from '#dist/plan/units.js';

const refused = (work: () => unknown, message: RegExp): void => {
  assert.throws(work, (error) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.code, 'unit');
    assert.match(error.message, message);
    return true;
  });
};

test('durations are read in the units that people write', () => {
  const table: [string | number, number][] = [
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['1m30s', 90_000],
    ['1h2m3s4ms', 3_723_004],
    ['1.5s', 1500],
    ['0.1s', 100],
    ['250us', 0.25],
    ['250µs', 0.25],
    [' 10s ', 10_000],
    ['0', 0],
    [0, 0],
  ];
  for (const [text, ms] of table) assert.equal(parseDurationMs(text), ms, String(text));
});

test('a duration without a unit, or out of order, says what was expected', () => {
  refused(() => parseDurationMs('30'), /expected a duration such as 500ms.*found "30"; add a unit: 30s or 30ms/);
  refused(() => parseDurationMs(30), /found 30; add a unit/);
  refused(() => parseDurationMs('30s1m'), /larger units first/);
  refused(() => parseDurationMs('1s1s'), /each once/);
  for (const text of ['', '-5s', '5 s', '1e3s', 's', '5x', '.5s', 'NaN', '9'.repeat(100)]) {
    refused(() => parseDurationMs(text), /expected a duration/);
  }
});

test('counts, shares and rates', () => {
  const counts = {
    '500': 500,
    '10k': 10_000,
    '20000': 20_000,
    '1.5M': 1_500_000,
    '1.1k': 1100,
    '20,000': 20_000,
    '1_000_000': 1e6,
  };
  for (const [text, n] of Object.entries(counts)) assert.equal(parseCount(text), n, text);
  for (const text of ['1.5', '-1', '1.0001k', '10,00', '1e3', '', 'k', '9'.repeat(20)])
    refused(() => parseCount(text), /whole number/);
  refused(() => parseCount(1.5), /found 1.5/);
  refused(() => parseCount(Number.NaN), /found NaN/);
  assert.equal(parseShare('99.9%'), 0.999);
  assert.equal(parseShare('0.999'), 0.999);
  assert.equal(parseShare('100%'), 1);
  assert.equal(parseShare('0'), 0);
  refused(() => parseShare('99.9'), /did you mean 99.9%\?/);
  refused(() => parseShare('101%'), /at most 100%/);
  refused(() => parseShare('-1%'), /expected a share/);
  assert.equal(parseRate('200/s'), 200);
  assert.equal(parseRate('12000/m'), 200);
  assert.equal(parseRate('1.5k/s'), 1500);
  refused(() => parseRate('200'), /add the time it is meant for: 200\/s/);
  refused(() => parseRate('200/d'), /expected a rate/);
});

test('what is written is read back', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 1e10 }), (ms) => parseDurationMs(formatDuration(ms)) === ms));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 999_999 }), (us) => parseDurationMs(formatDuration(us / 1000)) === us / 1000),
  );
  fc.assert(fc.property(fc.maxSafeNat(), (n) => parseCount(formatCount(n)) === n));
});

test('no text makes a parser throw anything but a UserError', () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[\d.,_]*(ms|s|m|h|k|M|%|\/s)*$/));
  fc.assert(
    fc.property(text, (written) => {
      for (const parse of [parseDurationMs, parseCount, parseShare, parseRate]) {
        try {
          const value = parse(written);
          assert.ok(Number.isFinite(value) && value >= 0);
        } catch (error) {
          assert.ok(error instanceof UserError, String(error));
        }
      }
    }),
  );
});

test('numbers as people read them', () => {
  const durations: [number, string][] = [
    [0, '0s'],
    [0.35, '350us'],
    [500, '500ms'],
    [26.4, '26.4ms'],
    [1500, '1.5s'],
    [75_000, '75s'],
    [120_000, '120s'],
    [150_000, '2m30s'],
    [7_500_000, '2h5m'],
    [999.9999, '1s'],
  ];
  for (const [ms, text] of durations) assert.equal(formatDuration(ms), text);
  assert.deepEqual([0, 999, 15_000, 1_234_567].map(formatCount), ['0', '999', '15,000', '1,234,567']);
  assert.deepEqual([0, 512, 1500, 64e6, 1.5e9].map(formatBytes), ['0 B', '512 B', '1.5 kB', '64 MB', '1.5 GB']);
});

test('a slip of the fingers finds its word, another word finds nothing', () => {
  assert.equal(nearest('brust', ['burst', 'steps', 'churn']), 'burst');
  assert.equal(nearest('rwo', ['row', 'env']), 'row');
  assert.equal(nearest('foo', ['row', 'env']), null);
  assert.equal(nearest('Headers', ['headers']), 'headers');
  assert.equal(nearest('slow', ['too-slow', 'slow-serial']), 'slow-serial');
  assert.equal(nearest('sl', ['too-slow', 'slow-serial']), null);
  assert.equal(didYouMean('timeuot', ['timeout', 'times']), '; did you mean "timeout"?');
  assert.equal(nearest('x'.repeat(10_000), ['burst']), null);
});

test('random numbers depend on seed and position alone, and spread evenly', () => {
  assert.equal(randomAt(1, 5), randomAt(1, 5));
  assert.notEqual(randomAt(1, 5), randomAt(2, 5));
  assert.notEqual(randomAt(1, 5), randomAt(1, 6));
  assert.notEqual(bitsAt(1, 5, 0), bitsAt(1, 5, 1));
  const cells = new Array<number>(10).fill(0);
  for (let i = 0; i < 20_000; i += 1) cells[Math.floor(randomAt(42, i) * 10)] += 1;
  for (const cell of cells) assert.ok(Math.abs(cell - 2000) < 250, cells.join(' '));
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (seed, index) => {
      const value = randomAt(seed, index);
      assert.ok(value >= 0 && value < 1);
      assert.match(uuidAt(seed, index), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }),
  );
  assert.equal(new Set(Array.from({ length: 20_000 }, (_, i) => uuidAt(7, i))).size, 20_000);
});
