/** How connections ended after their 101, as sentences say it; the counts are the tally's. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { closedWith, END } from '#dist/names/ends.js';
import { endedClause, endedSentence, endFacts, readyClause, readyFacts } from '#dist/report/words/end-words.js';
import { Tally, untimed } from '#dist/tally/tally.js';

type Group = readonly [end: number, count: number, heldMs: number];

function counted(groups: readonly Group[], reasons: readonly (readonly [end: number, text: string])[] = []) {
  const tally = new Tally();
  for (const [end, count, heldMs] of groups) {
    for (let i = 0; i < count; i++) {
      tally.add({ ...untimed(), outcome: 101, handshakeMs: 1 });
      tally.addSession(end, { readyMs: 1, heldMs, silentMs: heldMs, livedMs: heldMs });
    }
  }
  for (const [end, text] of reasons) tally.sessions.addReason(end, true, { text, step: null, message: null, atMs: 1 });
  return tally.counted();
}

test('one way: its code, reason and time stand in the sentence', () => {
  const all = counted([[4401, 200, 2]], [[4401, 'token expired']]);
  assert.equal(
    endedClause(all),
    '; the target then ended 200 of them by close code 4401 ("token expired") 2.00 ms after the 101',
  );
  assert.deepEqual(
    endFacts(all).map(({ label, text }) => [label, text]),
    [
      [
        'ended',
        '200 by the target: close code 4401 ("token expired"), 2.00 ms after the 101, half of them within 2.00 ms',
      ],
    ],
  );
  assert.equal(
    endedSentence(all),
    ' The target ended 200 connections after their 101 by close code 4401 ("token expired") 2.00 ms after the 101.',
  );
});

test('FIN, RST, TLS and bytes that are no frames stay apart; the rarest are summed up', () => {
  const all = counted(
    [
      [END.fin, 5, 60_000],
      [END.rst, 4, 3],
      [END.protocol, 3, 3],
      [END.tls, 2, 3],
      [END.closedByReset, 10, 70_000],
    ],
    [[END.protocol, 'HTTP/1.1 400 Bad Request']],
  );
  assert.equal(
    endedClause(all),
    '; the target then ended 14 of them (5 by FIN without a close frame, 4 by RST, 5 in other ways) 3.00 ms to 60.0 s after the 101',
  );
  const lines = endFacts(all).map(({ text }) => text);
  assert.match(lines[2], /^3 by the target: bytes that are no frames \("HTTP\/1\.1 400 Bad Request"\), 3\.00 ms/);
  assert.match(lines[3], /^2 by the target: an error of TLS/);
  assert.equal(lines.at(-1), '10 stayed open until this side closed them');
});

test('a target that makes up codes does not fill the page', () => {
  const all = counted(Array.from({ length: 500 }, (_, i) => [4000 + i, 1, 1] as const));
  assert.ok(endedClause(all).length < 200);
  assert.ok(endFacts(all).length <= 11);
});

test('nothing ended: nothing is said; lost and not counted how: only that', () => {
  const none = counted([[END.closedByReset, 3, 1]]);
  assert.deepEqual([endedClause(none), endFacts(none), endedSentence(none)], ['', [], '']);
  const old = { ...none, lostWhileHeld: 2, sessions: null };
  assert.equal(endedClause(old), '; the target then ended 2 of them while they were held');
  assert.deepEqual(endFacts(old), []);
});

const STEP = 'expect #2 {"type":"welcome"}';

/** `count` clients of a session that ended so; ready after `readyMs`, or not. */
function session(groups: readonly (readonly [end: number, count: number, readyMs: number | null])[]) {
  const tally = new Tally();
  for (const [end, count, readyMs] of groups) {
    for (let i = 0; i < count; i++) {
      tally.add({ ...untimed(), outcome: 101, handshakeMs: 1 });
      tally.addSession(end, { readyMs: readyMs ?? Number.NaN, heldMs: 10, silentMs: 10, livedMs: 20 });
    }
    const text = end === 4401 ? 'Unauthorized' : null;
    const message = end === END.timeoutMessage ? '{"type":"busy"}' : end === END.rejected ? '{"type":"error"}' : null;
    const step = end === END.rejected ? 'when {"type":"error"}' : STEP;
    tally.sessions.addReason(end, readyMs !== null, { text, step, message, atMs: 1 });
  }
  tally.sessions.addMessages({ sent: 40, received: 33, skipped: 1 });
  return tally.counted();
}

test('who was ready, and why the others were not, with the step and what came instead', () => {
  const counted = session([
    [closedWith(1000), 80, 41],
    [4401, 12, null],
    [END.timeoutMessage, 5, null],
    [END.rejected, 1, null],
  ]);
  assert.equal(
    readyClause(counted),
    '; 80 were ready, 12 were closed with 4401 ("Unauthorized"), 5 waited in vain for expect #2 {"type":"welcome"}, 1 was refused',
  );
  assert.deepEqual(
    readyFacts(counted, 5000).map(({ label, text }) => [label, text]),
    [
      ['ready', '80 of 98 clients: half within 41.0 ms, the last after 41.0 ms'],
      [
        'not ready',
        '12 were closed with 4401 ("Unauthorized") before they were ready, at expect #2 {"type":"welcome"}',
      ],
      ['', '5: expect #2 {"type":"welcome"} was not answered within 5s; last message: {"type":"busy"}'],
      ['', '1 was refused before it was ready, by when {"type":"error"}; its message: {"type":"error"}'],
      ['messages', '40 sent, 33 received, 1 of them skipped'],
    ],
  );
});

test('all were ready, none was; a plain hold says nothing of it', () => {
  assert.equal(readyClause(session([[closedWith(1000), 3, 41]])), '; all were ready, the slowest after 41.0 ms');
  assert.equal(readyClause(session([[END.fin, 3, null]])), '; none was ready, 3 were ended by FIN');
  const plain = counted([[END.closedByReset, 3, 1]]);
  assert.deepEqual([readyClause(plain), readyFacts(plain, null)], ['', []]);
});

test('of a session the times of ends count from ready', () => {
  const cut = session([[END.fin, 2, 41]]);
  assert.match(endedClause(cut), /ended 2 of them by FIN without a close frame 10\.0 ms after they were ready$/);
});
