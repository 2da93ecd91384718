import assert from 'node:assert/strict';
import test from 'node:test';
import { restoreAfter, skipSentinel } from '#dist/search/restore.js';
import type { Restore } from '#dist/search/state.js';

/** How long the search rests before each attempt at the largest load that follows a failed one. */
function waits(coolMs: number, maxWaitMs: number): number[] {
  const rests: number[] = [];
  let restore: Restore = { loads: [64], at: 0, attempt: 0, waitMs: coolMs, missed: null };
  for (;;) {
    const next = restoreAfter(restore, 'bad', 0, maxWaitMs);
    if (next.is !== 'again') return rests;
    restore = next.restore;
    rests.push(restore.waitMs);
  }
}

test('a target is given up only after all of the wait that was granted, however short the rests are', () => {
  assert.deepEqual(waits(10_000, 180_000), [30_000, 90_000, 180_000]);
  assert.deepEqual(waits(500, 40_000), [1500, 4500, 40_000]);
});

test('a sentinel that this generator cannot send is skipped for a smaller one', () => {
  const restore: Restore = { loads: [64, 32], at: 0, attempt: 1, waitMs: 30_000, missed: null };
  assert.deepEqual(skipSentinel(restore, 180_000), { is: 'again', restore: { ...restore, at: 1, attempt: 0 } });
  assert.deepEqual(skipSentinel({ ...restore, at: 1 }, 180_000), { is: 'lost' });
});
