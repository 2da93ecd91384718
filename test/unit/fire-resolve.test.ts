/** Addresses that are dialled as they are given: their zones are this machine's own interfaces. */
import assert from 'node:assert/strict';
import os from 'node:os';
import { describe, test } from 'node:test';
import { resolveTarget } from '#dist/engine/run/resolve.js';
import { UserError } from '#dist/errors.js';
import { planOf } from '#dist/index.js';

const at = (zone: string) => ({
  target: { url: 'ws://x/', connectTo: `[fe80::1%${zone}]:8080` },
  stages: [{ burst: 2 }],
});

describe('the zone of an IPv6 address', () => {
  const [own] = Object.keys(os.networkInterfaces());
  for (const zone of [own, '1']) {
    test(`${zone} is dialled`, async () => {
      const { destinations } = await resolveTarget(planOf(at(zone)));
      assert.deepEqual(destinations, [{ address: `fe80::1%${zone}`, port: 8080, family: 6 }]);
    });
  }

  test('one that this machine does not have is refused, with those that it has', async () => {
    await assert.rejects(resolveTarget(planOf(at('no9'))), (error: UserError) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.exitCode, 2);
      assert.equal(error.message, 'fe80::1%no9: no interface of this machine is called no9');
      assert.ok(error.hint?.includes(own), error.hint ?? 'no hint');
      return true;
    });
  });
});
