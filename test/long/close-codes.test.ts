/**
 * Every close code that a target can send, and every end without one, before and after the client is ready, over both
 * transports, ws and wss: counted once, under its own word, and found by the thresholds that ask for it.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { endsWithCode } from '#dist/names/ends.js';
import { type FireAtOptions, fireAt, useEpoll } from '../unit/fire-raw.js';
import { type Client, expecting, hold, scriptOf, send, serverFrame, talking } from '../unit/fire-talk.js';

const noEpoll = await useEpoll();
const N = 3;
/** What a frame may carry: the registered ones, and of each range of libraries and applications some (RFC 6455 section 7.4). */
const CODES = [
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014],
  ...[3000, 3003, 3008, 3500, 3999],
  ...[4000, 4001, 4004, 4010, 4100, 4200, 4400, 4401, 4403, 4408, 4409, 4429, 4499, 4500, 4999],
];
/** Codes that no frame may carry, and half a code: the framing is broken. */
const NEVER = [0, 999, 1004, 1005, 1006, 1015, 5000];

interface End {
  readonly word: string;
  /** What a threshold asks for. */
  readonly code: number | null;
  readonly end: (client: Client) => void;
  readonly isOfTcp?: boolean;
}

const ENDS: readonly End[] = [
  ...CODES.map((code): End => ({ word: `${code}`, code, end: (client) => client.close(code, `because ${code}`) })),
  ...NEVER.map((code): End => ({ word: 'protocol', code: null, end: (client) => client.close(code) })),
  { word: '1005', code: 1005, end: ({ socket }) => socket.write(serverFrame(0x88, Buffer.alloc(0))) },
  { word: 'protocol', code: null, end: ({ socket }) => socket.write(serverFrame(0x88, Buffer.of(3))) },
  { word: 'fin', code: 1006, end: ({ socket }) => socket.end() },
  { word: 'rst', code: 1006, end: ({ socket }) => socket.resetAndDestroy(), isOfTcp: true },
];

const WAYS: readonly { readonly name: string; readonly options: FireAtOptions; readonly isTcp: boolean }[] = [
  ...(noEpoll === null ? [{ name: 'epoll, ws', options: {}, isTcp: true }] : []),
  { name: 'node, ws', options: { kernel: null }, isTcp: true },
  { name: 'node, wss', options: { tls: {}, target: { tls: { insecure: true } } }, isTcp: false },
];

for (const { name, options, isTcp } of WAYS) {
  describe(name, () => {
    for (const { word, code, end, isOfTcp = false } of ENDS.filter((one) => isTcp || one.isOfTcp !== true)) {
      const what = code === null || `${code}` !== word ? `${word} (${code ?? 'a frame that is none'})` : word;
      test(`${what}${isOfTcp ? ', TCP' : ''}: before ready and after it`, async () => {
        const script = scriptOf([send('a'), expecting('A'), hold(20_000)]);
        for (const isReady of [false, true]) {
          const hear = (client: Client) => {
            if (!isReady) return end(client);
            client.send('A');
            setTimeout(end, 20, client);
          };
          const { outcomes, sessions, lost, rows } = await fireAt(talking({ hear }), {
            n: N,
            close: 'clean',
            ...options,
            script,
          });
          assert.deepEqual(outcomes, { 101: N });
          const { ready, notReady, cut, closed, aborted } = sessions;
          assert.deepEqual(isReady ? cut : notReady, { [word]: N });
          assert.deepEqual([ready, closed, aborted, lost], [isReady ? N : 0, {}, 0, isReady ? N : 0]);
          assert.deepEqual(new Set(rows.map((row) => row.end)), new Set([word]));
          if (code !== null) assert.equal(endsWithCode(code, isReady ? cut : notReady), N);
          const told = (isReady ? sessions.ends : sessions.notReadyEnds)?.[word];
          if (code !== null && code >= 1000 && word === `${code}` && code !== 1005)
            assert.equal(told?.reason, `because ${code}`);
        }
      });
    }
  });
}

/** TLS errors end a connection too: a record that is none arrives after the 101. */
describe('tls', () => {
  test('a broken TLS record after the 101 is counted as tls', async () => {
    const raws: import('node:net').Socket[] = [];
    const hear = () => {
      for (const raw of raws) raw.write(Buffer.from('this is no TLS record'));
    };
    const script = scriptOf([send('a'), expecting('A'), hold(20_000)]);
    const { sessions } = await fireAt(talking({ hear }), {
      ...{ n: 1, close: 'clean', tls: {}, target: { tls: { insecure: true } }, script },
      onRaw: (socket) => raws.push(socket),
    });
    assert.deepEqual(sessions.notReady, { tls: 1 });
  });
});
