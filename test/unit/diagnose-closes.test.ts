/** How connections ended, read from what a result holds of sessions: all that is promised, and nothing that is not there. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { closesOf, endedWith } from '#dist/diagnose/closes.js';
import { causeWords } from '#dist/report/words/cause-words.js';
import { around, summaryOf } from './diagnose-results.js';

const SESSIONS = {
  ready: 90,
  notReady: { rejected: 6, 4401: 4 },
  cut: { fin: 20, 4401: 5 },
  closed: { 1000: 60 },
  aborted: 5,
  messages: { sent: 3, received: 7, skipped: 0 },
  readyMs: null,
  heldMs: summaryOf([...around(25, 2000, 1), ...around(65, 9000, 1)]),
};

test('what was ended before and after a client was ready is one matter', () => {
  const closes = closesOf(SESSIONS);
  assert.ok(closes);
  assert.equal(closes.opened, 100);
  assert.equal(closes.endedCount, 35);
  assert.equal(closes.kept, 65);
  assert.equal(closes.received, 7);
  assert.equal(
    endedWith(closes, (word) => word === '4401'),
    9,
  );
});

test('those that were closed from here lived longest and are left out of the times', () => {
  const closes = closesOf({ ...SESSIONS, notReady: {} });
  assert.equal(closes?.endedMs.length, 25);
  assert.ok(closes.endedMs.every((ms) => ms < 3000));
});

test('results without sessions, or with something else in their place, have none', () => {
  for (const sessions of [null, undefined, {}, 'none', { ready: 'many' }]) assert.equal(closesOf(sessions), null);
  assert.equal(closesOf({ ready: 3 })?.endedCount, 0);
});

test('a cause that is not known is said so at the beginning of its line', () => {
  const words = causeWords({
    cause: 'unknown',
    evidence: 'x.',
    remedy: 'y.',
    confidence: 0.1,
    outcomes: [],
    gateway: null,
    apart: null,
    figures: {},
  });
  assert.deepEqual([words.label, words.title], ['unknown', '']);
});
