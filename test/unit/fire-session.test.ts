/** Sessions with steps against servers that speak: ready or not, why, and what was said; over both transports, ws and wss. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { type FireAtOptions, type Fired, fireAt, rowMs, turns, useEpoll } from './fire-raw.js';
import { type Client, expecting, hold, scriptOf, send, type Talk, talking } from './fire-talk.js';

const noEpoll = await useEpoll();
const N = 4;

/** Each way to the target, with the options of its server and its client. */
const WAYS: readonly { readonly name: string; readonly options: FireAtOptions }[] = [
  ...(noEpoll === null ? [{ name: 'epoll', options: {} }] : []),
  { name: 'node', options: { kernel: null } },
  { name: 'node, wss', options: { tls: {}, target: { tls: { insecure: true } } } },
];

interface Spoken {
  readonly fired: Fired;
  readonly clients: readonly Client[];
}

async function speak(talk: Talk, options: FireAtOptions): Promise<Spoken> {
  const clients: Client[] = [];
  const fired = await fireAt(talking(talk, clients), { n: N, close: 'clean', ...options });
  return { fired, clients };
}

const WELCOME = { json: { type: 'welcome' } };
const HELLO = scriptOf([send('{"hello":1}'), expecting(WELCOME), hold(30)]);
const welcomes: Talk = { hear: (client) => client.send('{"type":"welcome","more":[1]}') };

for (const { name, options } of WAYS) {
  describe(name, () => {
    test('ready at the hold, held for its time, closed by this side; what no step wants is skipped and counted', async () => {
      const talk: Talk = {
        hear: (client) => {
          client.ping('{"type":"welcome"}');
          client.send('{"type":"news"}');
          client.send('{"type":"welcome"}');
        },
      };
      const { fired, clients } = await speak(talk, { ...options, script: HELLO });
      const { ready, notReady, cut, closed, aborted, messages, readyMs, heldMs } = fired.sessions;
      assert.deepEqual(
        { ready, notReady, cut, closed, aborted },
        { ready: N, notReady: {}, cut: {}, closed: { 1000: N }, aborted: 0 },
      );
      assert.deepEqual(messages, { sent: N, received: 2 * N, skipped: N });
      assert.equal(readyMs?.count, N);
      assert.ok((heldMs?.min ?? 0) >= 29, `held ${heldMs?.min} ms`);
      assert.equal(fired.latencyMs.message?.count, N);
      for (const row of fired.rows) {
        assert.ok(rowMs(row, 'ready_us') > rowMs(row, 'done_us'));
        assert.equal(row.end, 'closed');
      }
      for (const { frames } of clients) {
        assert.deepEqual(
          frames.filter(({ opcode }) => opcode !== 10),
          [
            { opcode: 1, text: '{"hello":1}' },
            { opcode: 8, text: '\x03\xe8' },
          ],
        );
      }
    });

    test('a close before ready is not ready, with its code and reason and the step that waited', async () => {
      const talk: Talk = { hear: (client) => client.close(4401, 'Unauthorized') };
      const { fired } = await speak(talk, { ...options, script: HELLO });
      assert.deepEqual(fired.outcomes, { 101: N });
      assert.equal(fired.sessions.ready, 0);
      assert.deepEqual(fired.sessions.notReady, { 4401: N });
      assert.equal(fired.lost, 0);
      const end = fired.sessions.notReadyEnds?.['4401'];
      assert.equal(end?.reason, 'Unauthorized');
      assert.equal(end?.step, 'expect #1 {"type":"welcome"}');
      assert.deepEqual([...new Set(fired.rows.map((row) => `${row.end} ${row.ready_us}`))], ['4401 ']);
    });

    test('an expected message that does not come: the step, and the last message that came in its place', async () => {
      const script = scriptOf([send('a'), expecting('A'), send('b'), expecting(WELCOME), hold(10)], [], 80);
      const talk: Talk = {
        hear: (client, message) => client.send(message === 'a' ? 'A' : '{"type":"busy","retry":30}'),
      };
      const { fired } = await speak(talk, { ...options, script });
      assert.deepEqual(fired.sessions.notReady, { 'timeout-message': N });
      const end = fired.sessions.notReadyEnds?.['timeout-message'];
      assert.equal(end?.step, 'expect #2 {"type":"welcome"}');
      assert.equal(end?.message, '{"type":"busy","retry":30}');
      assert.equal(fired.latencyMs.message?.count, N, 'the first expected message came');
      assert.equal(fired.sessions.messages.skipped, N);
    });

    const ENDS: Readonly<Record<string, (client: Client) => void>> = {
      fin: ({ socket }) => socket.end(),
      1000: (client) => client.close(1000),
      1013: (client) => client.close(1013, 'later'),
      protocol: ({ socket }) => socket.write(Buffer.of(0xf1, 0)),
      ...(options.tls === undefined && { rst: ({ socket }: Client) => socket.resetAndDestroy() }),
    };
    for (const [word, end] of Object.entries(ENDS)) {
      test(`${word}: before ready not ready, after it cut`, async () => {
        const early = await speak({ hear: end }, { ...options, script: HELLO });
        assert.deepEqual([early.fired.sessions.notReady, early.fired.sessions.cut], [{ [word]: N }, {}]);
        const script = scriptOf([send('a'), expecting('A'), hold(20_000)]);
        const talk: Talk = {
          hear: (client) => {
            client.send('A');
            setTimeout(end, 30, client);
          },
        };
        const { fired } = await speak(talk, { ...options, script });
        assert.deepEqual([fired.sessions.notReady, fired.sessions.cut], [{}, { [word]: N }]);
        assert.equal(fired.lost, N);
        assert.deepEqual([...new Set(fired.rows.map((row) => row.end))], [word]);
      });
    }

    test('a message that the session takes for a refusal: rejected before ready, cut after it', async () => {
      const rule = { when: { json: { type: 'error' } }, send: null, close: 1000, from: 0 } as const;
      const early = await speak(
        { hear: (client) => client.send('{"type":"error","why":"bad token"}') },
        { ...options, script: scriptOf([send('a'), expecting('A'), hold(20_000)], [rule]) },
      );
      assert.deepEqual(early.fired.sessions.notReady, { rejected: N });
      const told = early.fired.sessions.notReadyEnds?.rejected;
      assert.equal(told?.step, 'when {"type":"error"}');
      assert.equal(told?.message, '{"type":"error","why":"bad token"}');
      const late: Talk = {
        hear: (client) => {
          client.send('A');
          setTimeout(() => client.send('{"type":"error"}'), 20);
        },
      };
      const { fired } = await speak(late, {
        ...options,
        script: scriptOf([send('a'), expecting('A'), hold(20_000)], [{ ...rule, close: 'abort' }]),
      });
      assert.deepEqual([fired.sessions.cut, fired.lost], [{ rejected: N }, N]);
    });

    test('rules and timers go on while a step waits, and what they take is not skipped', async () => {
      const standing = [
        { when: { equal: '2' }, send: { text: '3' }, close: null, from: 0 },
        { everyMs: 10, send: { text: 'beat' }, from: 0 },
        { everyMs: 10, send: { ping: 'p' }, from: 0 },
        { everyMs: 10, send: { text: 'never' }, from: 3 },
      ];
      const talk: Talk = {
        greet: (client) => client.send('2'),
        hear: (client) => {
          const beats = client.frames.filter(({ text }) => text === 'beat').length;
          if (beats === 3 && client.frames.some(({ text }) => text === '3')) client.send('go');
        },
      };
      const { fired, clients } = await speak(talk, {
        ...options,
        script: scriptOf([expecting('go'), hold(1)], standing),
      });
      assert.equal(fired.sessions.ready, N);
      assert.equal(fired.sessions.messages.skipped, 0);
      for (const { frames } of clients) {
        assert.ok(frames.some(({ opcode, text }) => opcode === 9 && text === 'p'));
        assert.ok(frames.every(({ text }) => text !== 'never'));
      }
      // Pings are no messages.
      const texts = clients.flatMap(({ frames }) => frames.filter(({ opcode }) => opcode === 1));
      assert.ok(fired.sessions.messages.sent >= texts.length - N && fired.sessions.messages.sent <= texts.length + N);
    });

    test('what comes glued to the 101 is not lost, and captured values go into later messages', async () => {
      const script = scriptOf([
        expecting({ json: { sid: {} } }, { sid: '/sid/id' }),
        send({ json: { join: '{{ captured.sid }}' } }),
        expecting('joined'),
        { close: 4000 },
      ]);
      const talk: Talk = {
        greet: (client) => client.send(JSON.stringify({ sid: { id: `s${client.place}` } })),
        hear: (client, message) => {
          if (message === `{"join":"s${client.place}"}`) client.send('joined');
        },
      };
      const { fired } = await speak(talk, { ...options, script });
      assert.equal(fired.sessions.ready, N);
      assert.deepEqual(fired.sessions.closed, { 4000: N });
    });

    test('close: abort is an RST, and so are the ends of a plan that resets', async () => {
      const aborted = await speak(welcomes, {
        ...options,
        script: scriptOf([send('a'), { close: 'abort' }]),
        seen: () => true,
      });
      assert.deepEqual(aborted.fired.sessions.closed, { rst: N });
      const reset = await speak(welcomes, { ...options, close: 'reset', script: HELLO });
      assert.deepEqual(reset.fired.sessions.closed, { rst: N });
      for (const { frames } of reset.clients) assert.ok(frames.every(({ opcode }) => opcode !== 8));
    });

    test('without a hold a client stays until all sessions are over, then it is closed as in a plain burst', async () => {
      const talk: Talk = {
        hear: (client) => setTimeout(() => client.send('A'), client.place === 0 ? 150 : 0),
      };
      const { fired } = await speak(talk, { ...options, script: scriptOf([send('a'), expecting('A')]) });
      assert.deepEqual(fired.sessions.closed, { 1000: N });
      const ends = fired.rows.map((row) => rowMs(row, 'end_us'));
      const lastReady = Math.max(...fired.rows.map((row) => rowMs(row, 'ready_us')));
      assert.ok(Math.min(...ends) >= lastReady, `${ends} before ${lastReady}`);
    });

    test('stopped while it waits: not ready, aborted; a client that was ready is aborted', async () => {
      const waiting = await speak({}, { ...options, script: HELLO, stopHold: () => true });
      assert.deepEqual(waiting.fired.sessions.notReady, { aborted: N });
      const script = scriptOf([send('a'), hold(20_000)]);
      const { fired } = await speak({}, { ...options, script, stopHold: () => true });
      assert.deepEqual([fired.sessions.ready, fired.sessions.aborted], [N, N]);
    });

    test('a churn closes at ready and skips the hold; one that is not ready leaves its place to the next', async () => {
      const talk: Talk = {
        hear: (client) => (client.place % 3 === 0 ? client.close(4401) : client.send('{"type":"welcome"}')),
      };
      const script = scriptOf([send('a'), expecting(WELCOME), hold(20_000)]);
      const { fired } = await speak(talk, { ...options, n: 12, inFlight: 4, close: null, script });
      assert.deepEqual(fired.outcomes, { 101: 12 });
      assert.deepEqual(fired.sessions.notReady, { 4401: 4 });
      assert.deepEqual([fired.sessions.ready, fired.sessions.closed], [8, { rst: 8 }]);
    });

    test('permessage-deflate both ways', async () => {
      const talk: Talk = {
        hear: (client, message) => {
          // RSV1 is not part of the opcode: what the server reads is the compressed payload.
          if (message !== '{"hello":1}') {
            const data = deflateRawSync('{"type":"welcome"}', { finishFlush: 2 }).subarray(0, -4);
            client.socket.write(Buffer.concat([Buffer.of(0xc1, data.length), data]));
          }
        },
      };
      const target = { compression: true, ...options.target };
      const { fired } = await speak(
        { ...talk, head: 'Sec-WebSocket-Extensions: permessage-deflate' },
        { ...options, target, script: HELLO },
      );
      assert.equal(fired.sessions.ready, N);
    });
  });
}

test('first beats of a timer are spread over its period, the same for the same seed', async () => {
  const firsts = async () => {
    const script = scriptOf([hold(450)], [{ everyMs: 400, send: { text: 'beat' }, from: 0 }]);
    const at = new Map<number, number>();
    let last = 0;
    const talk: Talk = {
      greet: () => {
        last = performance.now();
      },
      hear: (client) => {
        if (!at.has(client.place)) at.set(client.place, performance.now() - last);
      },
    };
    await speak(talk, { n: 40, kernel: null, script });
    await turns(5);
    return [...at.values()].sort((a, b) => a - b);
  };
  const times = await firsts();
  assert.equal(times.length, 40);
  // Uniform over 400 ms: the middle half of 40 draws takes more than an eighth of the period, whatever the timers do.
  assert.ok((times[30] ?? 0) - (times[10] ?? 0) > 50, times.map((ms) => ms.toFixed(0)).join(' '));
});
