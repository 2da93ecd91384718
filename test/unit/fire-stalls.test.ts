/** What counts as a stall of a thread: standing still, not working. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { now } from '#dist/engine/machine/clock.js';
import { Stalls } from '#dist/engine/machine/stalls.js';

const MS = 400;

function watched(what: () => void): { longestMs: number; tookMs: number } {
  const stalls = new Stalls();
  const since = now();
  stalls.start(since);
  what();
  const { longestMs } = stalls.take();
  stalls.stop();
  return { longestMs, tookMs: now() - since };
}

test('a thread that waits without a sign of life stalled for as long', () => {
  const { longestMs, tookMs } = watched(() => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, MS);
  });
  assert.ok(longestMs >= MS - 1 && longestMs <= tookMs, `${longestMs} of ${tookMs} ms`);
});

test('a thread that computes without a sign of life did not stall, apart from what others took of its core', (t) => {
  if (process.platform !== 'linux') return t.skip('the CPU time of a thread is known on Linux only');
  const workedMs = 2 * MS;
  const { longestMs, tookMs } = watched(() => {
    const before = process.cpuUsage().user;
    while (process.cpuUsage().user - before < workedMs * 1000);
  });
  // One beat is not known, and other threads of the process compute a little too.
  assert.ok(longestMs <= tookMs - workedMs + 75, `${longestMs} of ${tookMs} ms, ${workedMs} of them worked`);
});
