/**
 * The gateway matrix through every gateway, over ws and, where the fault does not lie before it, for some rows over wss:
 * the rows that stand for their cause, and every other one beside them. `npm run bench:gateways` runs all.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeRow } from '../gateways/judge.js';
import { MATRIX } from '../gateways/matrix.js';
import { needsProgram } from '../needs.js';

/** Most of a row's time is spent in waiting for a timeout. */
const AT_ONCE = 4;

const ROWS = MATRIX.filter(({ where }, i) => where === 'test' || (where !== 'bench' && i % 2 === 0));

describe('the gateway matrix', { concurrency: AT_ONCE }, () => {
  for (const row of ROWS) {
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
