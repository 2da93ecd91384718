/**
 * The gateway matrix through every gateway, over ws and, where the fault does not lie before it, for some rows over wss:
 * all but what is large (that is the benchmark's).
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeRow } from '../gateways/judge.js';
import { MATRIX } from '../gateways/matrix.js';
import { needsProgram } from '../needs.js';

/** Most of a row's time is spent in waiting for a timeout. */
const AT_ONCE = 4;

describe('the whole gateway matrix', { concurrency: AT_ONCE }, () => {
  for (const row of MATRIX.filter(({ where }) => where !== 'bench')) {
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
