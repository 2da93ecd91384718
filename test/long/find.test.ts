/** Searches that take long, because the target remembers a break or is slow by nature. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertHolds, search } from '../searched.js';

describe('long searches', { concurrency: 2 }, () => {
  test('HYSTERESIS: what a break leaves does not pass for the limit', async (t) => {
    // Longer than a canary takes on a busy machine, so that the first proof of recovery comes too soon.
    const target = ['hysteretic', { capacity: 137, for: '4s' }] as const;
    const { dropOff } = await search(t, target, ['--max', '1000', '--max-wait', '20s', '--no-calibrate'], {}, '500ms');
    assert.equal(dropOff.verdict, 'FOUND', dropOff.because);
    assertHolds(dropOff, 137, 0.06);
    assert.ok(dropOff.flags.some(({ id }) => id === 'HYSTERESIS'));
  });

  test('a latency breaks first, and is named', async (t) => {
    // One by one, 10 ms each, so 100 within 1 s, and a handshake or so is allowed to be late.
    const target = ['simultaneous-504', { timeout: '10s', service: '10ms' }] as const;
    const flags = ['--max', '200', '--share', '99%', '--p99', '1s', '--no-calibrate'];
    const { dropOff } = await search(t, target, flags);
    assert.equal(dropOff.verdict, 'FOUND', dropOff.because);
    assert.equal(dropOff.objective, 'p99(handshake) <= 1s');
    // What a client felt has the release and this machine's own delay in it.
    assertHolds({ ...dropOff, interval95: [80, 120] }, 100, 0.1);
  });
});
