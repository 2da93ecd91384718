/** Every target of the lab that has a real gateway, behind each of them. */
import { describe, test } from 'node:test';
import { GATEWAYS } from '#dist/lab/gateway/gateway-config.js';
import { needsProgram } from '../needs.js';
import { checkRow, ROWS } from '../whole/lab-rows.js';

for (const gateway of GATEWAYS) {
  describe(`a real ${gateway}`, { concurrency: 2 }, () => {
    for (const row of ROWS) {
      test(`${row.name} ${JSON.stringify(row.options ?? {})}`, async (t) => {
        if (needsProgram(t, gateway)) await checkRow(t, gateway, row);
      });
    }
  });
}
