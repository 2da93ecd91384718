/** Each shipped profile exactly as it stands, with its own rests, preflight and calibration. */
import { test } from 'node:test';
import { runShipped, shippedProfiles } from '../shipped-profiles.js';

for (const [i, name] of shippedProfiles().entries()) {
  test(`${name} as it stands`, async (t) => {
    await runShipped(t, name, `127.0.0.${i + 2}`, []);
  });
}
