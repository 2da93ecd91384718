/**
 * Real servers of the server matrix for which all holds: counted rightly, diagnosed rightly, and alive afterwards. The
 * others, among them those of which a mistake has not its right cause yet (SERVERS.md names them), are the benchmark's.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeRow } from '../servers/judge.js';
import { needsServer, SERVERS } from '../servers/matrix.js';

const AT_ONCE = 2;

describe('real servers', { concurrency: AT_ONCE }, () => {
  for (const row of SERVERS.filter(({ isLong }) => isLong)) {
    test(`${row.id}: right, and ${row.mistakes.map(({ what }) => what).join(', ')}`, async (t) => {
      if (!needsServer(t, row)) return;
      const verdicts = await judgeRow(row);
      assert.deepEqual(
        verdicts.flatMap(({ what, faults }) => faults.map((fault) => `${what}: ${fault}`)),
        [],
      );
    });
  }
});
