/** Each shipped profile against a target of the lab that suits it (with shorter rests), and what its dry run says. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { wstampede } from '../cli.js';
import { FITS, runShipped, shippedProfiles } from '../shipped-profiles.js';

test('every shipped profile has its target here', () => {
  assert.deepEqual(shippedProfiles(), Object.keys(FITS).sort());
});

describe('dry runs', { concurrency: 2 }, () => {
  for (const name of shippedProfiles()) {
    test(name, async () => {
      const ran = await wstampede(['run', name, '--dry-run']);
      assert.deepEqual([ran.code, ran.stderr], [0, '']);
      assert.match(ran.stdout, new RegExp(`^Dry run of ${name}: nothing is sent`));
    });
  }
});

// What takes its time, as searches do, is among the long tests.
for (const [i, name] of shippedProfiles().entries()) {
  if (name.startsWith('find-') || FITS[name].isLong === true) continue;
  test(`${name} runs`, async (t) => {
    // Between two bursts the target needs a moment to see that its clients have left, no more.
    await runShipped(t, name, `127.0.0.${i + 2}`, ['--rest', '100ms', '--no-calibrate']);
  });
}
