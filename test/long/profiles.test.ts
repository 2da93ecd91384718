/** Each shipped profile exactly as it stands, with its own rests, preflight and calibration. */
import { describe, test } from 'node:test';
import { runShipped, shippedProfiles } from '../shipped-profiles.js';

/** Most of their time they rest, hold, or wait for clients to come back. */
const AT_ONCE = 3;

describe('shipped profiles', { concurrency: AT_ONCE }, () => {
  for (const [i, name] of shippedProfiles().entries()) {
    test(`${name} as it stands`, async (t) => {
      await runShipped(t, name, `127.0.0.${i + 2}`, []);
    });
  }
});
