/**
 * Some rows of the gateway matrix, of every gateway: real gateways before backends that fail in known ways, with timeouts
 * of a second. What each shows is told by an oracle, and the counts are those of the gateway's own log. The long tests run
 * the others.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeRow } from '../gateways/judge.js';
import { MATRIX } from '../gateways/matrix.js';
import { needsProgram } from '../needs.js';

/** Most of a row's time is spent in waiting for a timeout. */
const AT_ONCE = 3;

/** One in so many of the rows that stand for their cause. */
const ONE_IN = 4;
const HERE = MATRIX.filter(({ where }) => where === 'test').filter((_, i) => i % ONE_IN === ONE_IN - 1);

test('every gateway has a row here, every cause one in a sample, and no two rows are called alike', () => {
  const sample = MATRIX.filter(({ where }) => where === 'test').map(({ cause }) => cause);
  assert.deepEqual(new Set(MATRIX.map(({ gateway }) => gateway)), new Set(HERE.map(({ gateway }) => gateway)));
  assert.deepEqual(new Set(MATRIX.map(({ cause }) => cause)), new Set(sample));
  assert.equal(new Set(MATRIX.map(({ id }) => id)).size, MATRIX.length);
});

describe('gateway matrix', { concurrency: AT_ONCE }, () => {
  for (const row of HERE) {
    test(`${row.id}: ${row.story}`, async (t) => {
      if (row.gateway !== 'direct' && !needsProgram(t, row.gateway)) return;
      const verdicts = await judgeRow(row);
      for (const verdict of verdicts) t.diagnostic(`${row.id}: ${JSON.stringify(verdict.outcomes)}`);
      assert.deepEqual(
        verdicts.flatMap(({ faults }) => faults),
        [],
      );
    });
  }
});
