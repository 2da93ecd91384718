import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';

fc.configureGlobal({ seed: 20261121 });

import type { Validity } from '#dist/result/result.js';
import { splitShares } from '#dist/tally/split.js';
import { Tally } from '#dist/tally/tally.js';
import { type Part, RunningSums, type Sums, totalsOf } from '#dist/tally/totals.js';

const VALID: Validity = { verdict: 'valid', reasons: [] };
const SUSPECT: Validity = { verdict: 'suspect', reasons: ['paced'] };
const INVALID: Validity = { verdict: 'invalid', reasons: ['out of ports'] };

function tallyOf(outcomes: Readonly<Record<number, number>>): Tally {
  const tally = new Tally();
  for (const [code, count] of Object.entries(outcomes)) {
    for (let i = 0; i < count; i++) {
      tally.add({
        outcome: Number(code),
        connectMs: 1,
        connectLowerMs: 1,
        tlsMs: Number.NaN,
        tlsLowerMs: Number.NaN,
        upgradeMs: 2,
        upgradeLowerMs: 2,
        handshakeMs: 3,
        handshakeLowerMs: 3,
        synRetransmits: Number.NaN,
        retransmits: Number.NaN,
        rttMs: Number.NaN,
      });
    }
  }
  return tally;
}

function part(outcomes: Readonly<Record<number, number>>, validity: Validity, rate: number | null = null): Part {
  const tally = tallyOf(outcomes);
  return { tally, validity, launched: tally.attempted, rate, isOfSearch: false };
}

function sumsOf(parts: readonly Part[]): Sums {
  const sums = new RunningSums();
  for (const one of parts) sums.add(one);
  return sums.sums();
}

test('shares add up, differ by at most 1, and the larger come first', () => {
  fc.assert(
    fc.property(fc.nat(2_000_000), fc.integer({ min: 1, max: 500 }), (total, parts) => {
      const shares = splitShares(total, parts);
      assert.equal(shares.length, parts);
      assert.equal(
        shares.reduce((a, b) => a + b, 0),
        total,
      );
      assert.ok(shares[0] - shares[parts - 1] <= 1);
      assert.deepEqual(
        shares,
        [...shares].sort((a, b) => b - a),
      );
    }),
  );
});

test('what cannot be split is refused', () => {
  for (const [total, parts] of [
    [-1, 2],
    [1.5, 2],
    [Number.NaN, 2],
    [10, 0],
    [10, -1],
    [10, 1.5],
  ]) {
    assert.throws(() => splitShares(total, parts), RangeError);
  }
});

test('totals count every attempt, thresholds are judged without invalid bursts', () => {
  const parts = [part({ 101: 5, 504: 1 }, VALID), part({ 101: 2, 1013: 3 }, INVALID), part({ 101: 4 }, SUSPECT)];
  const { all, judged } = sumsOf(parts);
  const totals = totalsOf(all, SUSPECT);
  assert.deepEqual(totals.outcomes, { 101: 11, 504: 1, 'local-ports': 3 });
  assert.deepEqual([totals.attempted, totals.launched, totals.rate], [15, 15, null]);
  assert.equal(totals.latencyMs.handshake?.count, 11);
  assert.equal(totals.validity, SUSPECT);

  assert.deepEqual(judged.counted.outcomes, { 101: 9, 504: 1 });
  assert.equal(judged.launched, 10);
});

test('nothing is judged when every burst is invalid', () => {
  const { judged } = sumsOf([part({ 101: 2, 1013: 3 }, INVALID, 50)]);
  assert.deepEqual([judged.launched, judged.counted.attempted, judged.rate], [0, 0, null]);
});

test('what a search fired is counted, and judged by the search alone', () => {
  const { all, judged } = sumsOf([part({ 101: 2 }, VALID), { ...part({ 504: 3 }, VALID), isOfSearch: true }]);
  assert.deepEqual(all.counted.outcomes, { 101: 2, 504: 3 });
  assert.deepEqual(judged.counted.outcomes, { 101: 2 });
});

test('the rate of several churn stages is handshakes over time, not the mean of rates', () => {
  const fast = part({ 101: 100 }, VALID, 100);
  const slow = part({ 101: 100 }, VALID, 10);
  const { rate } = sumsOf([fast, slow, part({ 101: 7 }, VALID)]).all;
  assert.ok(rate !== null && Math.abs(rate - 200 / 11) < 1e-9, `${rate}`);
  assert.equal(sumsOf([fast]).all.rate, 100);
  assert.equal(sumsOf([fast, part({ 504: 3 }, VALID, 0)]).all.rate, 0);
});

test('the parts are left as they were, and so are sums that were told', () => {
  const parts = [part({ 101: 1 }, VALID), part({ 504: 1 }, VALID)];
  const running = new RunningSums();
  running.add(parts[0]);
  const { all } = running.sums();
  running.add(parts[1]);
  assert.deepEqual(
    parts.map(({ tally }) => tally.attempted),
    [1, 1],
  );
  assert.deepEqual([all.counted.attempted, all.counted.outcomes], [1, { 101: 1 }]);
});
