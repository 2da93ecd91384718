/**
 * A row for each cause of the gateway matrix: real gateways before backends that fail in known ways, with timeouts of a
 * second. What each shows is told by an oracle, and the counts are those of the gateway's own log.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeRow } from '../gateways/judge.js';
import { MATRIX } from '../gateways/matrix.js';
import { needsProgram } from '../needs.js';

/** Most of a row's time is spent in waiting for a timeout. */
const AT_ONCE = 3;

test('every cause and every gateway has a row here, and no two rows are called alike', () => {
  const here = MATRIX.filter((row) => row.where === 'test').flatMap(({ cause, gateway }) => [cause, gateway]);
  const all = MATRIX.flatMap(({ cause, gateway }) => [cause, gateway]);
  assert.deepEqual(new Set(all), new Set([...all].filter((name) => here.includes(name))));
  assert.equal(new Set(MATRIX.map(({ id }) => id)).size, MATRIX.length);
});

describe('gateway matrix', { concurrency: AT_ONCE }, () => {
  for (const row of MATRIX.filter(({ where }) => where === 'test')) {
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
