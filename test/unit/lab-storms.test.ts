/** The lab's targets that drop clients which were connected, told so as a person tells them, and what follows a drop. */
import assert from 'node:assert/strict';
import { get } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import WebSocket from 'ws';
import { findTarget } from '#dist/lab/catalogue/catalogue.js';
import type { RunningLab } from '#dist/lab/server/listener.js';
import { ServiceLine } from '#dist/lab/server/service-line.js';
import { readSettings } from '#dist/lab/server/target-options.js';
import { burst, count, leave, type Raw, until } from './lab-raw.js';

async function withLab(
  name: string,
  options: Readonly<Record<string, unknown>>,
  work: (lab: RunningLab) => Promise<void>,
): Promise<void> {
  const target = findTarget(name);
  assert.ok(target);
  const lab = await target.start(readSettings(name, target.options, options), { note: () => {} });
  try {
    await work(lab);
  } finally {
    await lab.stop();
  }
}

/** `curl http://127.0.0.1:PORT/drop` */
function order(lab: RunningLab): Promise<string> {
  return new Promise((resolve, reject) => {
    get(`${lab.url.replace(/^ws/, 'http')}drop`, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

/** `open` or the error of a TCP connection. */
function tryConnect(lab: RunningLab): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(lab.url).port) });
    socket.once('connect', () => {
      socket.destroy();
      resolve('open');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
  });
}

/** Resolves when the target has ended every one. */
async function ended(raws: readonly Raw[]): Promise<void> {
  await until(() => raws.every(({ socket }) => socket.readableEnded || socket.destroyed));
}

for (const { end, tail } of [
  { end: 'fin', tail: /\r\n\r\n$/ },
  { end: 'reset', tail: /\r\n\r\n$/ },
  // 0x03f4 is 1012.
  { end: 'close-frame', tail: /\r\n\r\n\x88\x11\x03\xf4service restart$/ },
]) {
  test(`restarts: drops all when asked, by ${end}, refuses while it is away, and serves again`, async () => {
    await withLab('restarts', { outage: '1s', rate: 1000, end }, async (lab) => {
      const raws = await burst(lab.url, 30);
      assert.deepEqual(count(raws), { 101: 30 });
      assert.equal(await order(lab), 'dropping 30 connections\n');
      await ended(raws);
      for (const { received } of raws) assert.match(received, tail);
      assert.equal(await tryConnect(lab), 'ECONNREFUSED');
      let tried = '';
      for (let tries = 0; tries < 100_000 && tried !== 'open'; tries += 1) tried = await tryConnect(lab);
      const again = await burst(lab.url, 30);
      assert.deepEqual(count(again), { 101: 30 });
      await leave([...raws, ...again]);
      assert.deepEqual({ ...lab.report().byOutcome }, { 101: 60, 200: 1 });
    });
  });
}

test('restarts: once back it completes so many handshakes a second', async () => {
  await withLab('restarts', { outage: '50ms', rate: 100 }, async (lab) => {
    const before = performance.now();
    const first = await burst(lab.url, 40);
    const unpaced = performance.now() - before;
    await order(lab);
    await ended(first);
    while ((await tryConnect(lab)) !== 'open');
    const from = performance.now();
    const second = await burst(lab.url, 40);
    const paced = performance.now() - from;
    assert.deepEqual(count(second), { 101: 40 });
    // 40 at 100/s; never faster, however busy the machine is.
    assert.ok(paced >= 395, `${paced} ms, ${unpaced} ms before the drop`);
    await leave([...first, ...second]);
  });
});

test('restarts: drops by itself once so many are open together', async () => {
  await withLab('restarts', { outage: '100ms', 'drop-at': 20, 'drop-delay': '50ms' }, async (lab) => {
    const some = await burst(lab.url, 19);
    const [last] = await burst(lab.url, 1);
    await ended([...some, last]);
    assert.equal(lab.report().byOutcome['200'], undefined);
    await leave([...some, last]);
  });
});

test('rolling: every part once, so that who came back to a later part is dropped again', async () => {
  await withLab('rolling', { parts: 3, outage: '200ms' }, async (lab) => {
    const raws = await burst(lab.url, 30);
    const dropped = new Map<number, number>();
    /** Comes back at once each time. */
    const keep = async (client: number, raw: Raw): Promise<void> => {
      for (let at = raw; ; ) {
        await until(() => at.socket.readableEnded || at.socket.destroyed || isOver);
        if (isOver) return;
        dropped.set(client, (dropped.get(client) ?? 0) + 1);
        at.socket.destroy();
        [at] = await burst(lab.url, 1);
        assert.equal(at.outcome, '101');
        open.push(at);
      }
    };
    const open: Raw[] = [...raws];
    let isOver = false;
    const clients = raws.map((raw, client) => keep(client, raw));
    await order(lab);
    // Three turns of 200 ms, and time for the last to come back.
    await new Promise((resolve) => setTimeout(resolve, 1200));
    await until(() => dropped.size === 30);
    isOver = true;
    await Promise.all(clients);
    assert.equal(dropped.size, 30);
    const drops = [...dropped.values()];
    assert.ok(
      drops.some((times) => times >= 2),
      `${drops}`,
    );
    assert.ok(
      drops.every((times) => times <= 3),
      `${drops}`,
    );
    await leave(open);
  });
});

test('rolling: with one part nothing is up meanwhile, and the balancer says 503', async () => {
  await withLab('rolling', { parts: 1, outage: '1s' }, async (lab) => {
    const raws = await burst(lab.url, 5);
    await order(lab);
    await ended(raws);
    const away = await burst(lab.url, 5);
    assert.deepEqual(count(away), { 503: 5 });
    await leave([...raws, ...away]);
  });
});

test('accept-then-kick: well before the drop, then all are accepted and closed with 1013, then well again', async () => {
  await withLab('accept-then-kick', { outage: '1500ms', after: '1ms' }, async (lab) => {
    const raws = await burst(lab.url, 10);
    await order(lab);
    await ended(raws);
    const kicked = await burst(lab.url, 10);
    assert.deepEqual(count(kicked), { 101: 10 });
    await ended(kicked);
    for (const { received } of kicked) assert.match(received, /\r\n\r\n\x88\x0b\x03\xf5not ready$/);
    await new Promise((resolve) => setTimeout(resolve, 1600));
    const kept = await burst(lab.url, 10);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(kept.every(({ socket }) => !socket.readableEnded));
    await leave([...raws, ...kicked, ...kept]);
  });
});

test('herd-fragile: handshakes of clients that have left take its time, at restarts they do not', async () => {
  const waited = async (name: string, options: Readonly<Record<string, unknown>>): Promise<number> => {
    let ms = 0;
    await withLab(name, { rate: 50, ...options }, async (lab) => {
      // Only once it has restarted does the one serve at that rate.
      if (name === 'restarts') {
        await order(lab);
        while ((await tryConnect(lab)) !== 'open');
      }
      await leaveUnanswered(lab, 40);
      const from = performance.now();
      const [last] = await burst(lab.url, 1);
      ms = performance.now() - from;
      assert.equal(last.outcome, '101');
      await leave([last]);
    });
    return ms;
  };
  const fragile = await waited('herd-fragile', {});
  const kind = await waited('restarts', { outage: '20ms' });
  // 40 handshakes for nobody are 0.8 s of its time, less what passed before the last client came.
  assert.ok(fragile >= kind + 300, `${fragile} and ${kind} ms`);
});

/** `n` clients ask and leave at once. */
async function leaveUnanswered(lab: RunningLab, n: number): Promise<void> {
  const before = lab.report().requests;
  const sockets = Array.from({ length: n }, () => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(lab.url).port) });
    socket.on('error', () => {});
    socket.write(
      'GET / HTTP/1.1\r\nHost: lab\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );
    return socket;
  });
  await until(() => lab.report().requests >= before + n);
  for (const socket of sockets) socket.destroy();
}

test('idle-drop: a ping of the protocol does not count, a message does', async () => {
  await withLab('idle-drop', { after: '400ms', end: '1001' }, async (lab) => {
    const closedAfter = (beat: ((socket: WebSocket) => void) | null): Promise<{ code: number; ms: number }> =>
      new Promise((resolve) => {
        const socket = new WebSocket(lab.url);
        let from = 0;
        let timer: NodeJS.Timeout | undefined;
        socket.on('open', () => {
          from = performance.now();
          if (beat !== null) timer = setInterval(() => beat(socket), 100);
          setTimeout(() => clearInterval(timer), 1200);
        });
        socket.on('close', (code) => {
          clearInterval(timer);
          resolve({ code, ms: performance.now() - from });
        });
      });
    const [silent, pings, messages] = await Promise.all([
      closedAfter(null),
      closedAfter((socket) => socket.ping()),
      closedAfter((socket) => socket.send('beat')),
    ]);
    assert.deepEqual([silent.code, pings.code, messages.code], [1001, 1001, 1001]);
    assert.ok(silent.ms < 1100 && pings.ms < 1100, `${silent.ms} ${pings.ms}`);
    assert.ok(messages.ms >= 1200, `${messages.ms}`);
  });
});

test('echo: as slow as its dials say, in handshakes and replies, and otherwise at once', async () => {
  await withLab('echo', { handshake: '300ms', reply: '200ms' }, async (lab) => {
    const from = performance.now();
    const socket = new WebSocket(lab.url);
    await new Promise((resolve) => socket.once('open', resolve));
    const opened = performance.now();
    assert.ok(opened - from >= 299, `${opened - from}`);
    socket.send('hello');
    const echoed = await new Promise((resolve) => socket.once('message', (data: Buffer) => resolve(data.toString())));
    assert.equal(echoed, 'hello');
    assert.ok(performance.now() - opened >= 199);
    socket.terminate();
  });
});

test('a handshake at /drop is a handshake', async () => {
  await withLab('restarts', {}, async (lab) => {
    const socket = new WebSocket(`${lab.url}drop`);
    await new Promise((resolve) => socket.once('open', resolve));
    assert.deepEqual({ ...lab.report().byOutcome }, { 101: 1 });
    socket.terminate();
  });
});

test('a line serves in order, no faster than its rate, and spends time on those who left only where it is told to', () => {
  const arrivals = fc.array(fc.record({ atUs: fc.integer({ min: 0, max: 1_000_000 }), leaves: fc.boolean() }), {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(arrivals, fc.integer({ min: 20, max: 2000 }), fc.boolean(), (written, perSecond, worksForGone) => {
      const clients = written.toSorted((a, b) => a.atUs - b.atUs);
      const line = new ServiceLine(perSecond, worksForGone, 1000);
      const eachUs = 1e6 / perSecond;
      const served: number[] = [];
      const servedAt: number[] = [];
      let next = 0;
      let now = 0;
      for (let due: number | null = 0; next < clients.length || due !== null; ) {
        const arrival = clients[next]?.atUs ?? Number.POSITIVE_INFINITY;
        now = Math.max(now, Math.min(arrival, due ?? Number.POSITIVE_INFINITY));
        if (arrival <= now) {
          const client = next;
          line.join(
            {
              isThere: () => !clients[client].leaves,
              serve: () => {
                served.push(client);
                servedAt.push(now);
              },
            },
            now,
          );
          next += 1;
        }
        due = line.serveUntil(now);
      }
      const stayed = clients.flatMap(({ leaves }, i) => (leaves ? [] : [i]));
      assert.deepEqual(served, stayed);
      for (const [i, client] of served.entries()) {
        assert.ok(servedAt[i] >= clients[client].atUs + eachUs - 1e-6);
        const before = worksForGone && i > 0 ? client - served[i - 1] : 1;
        if (i > 0) assert.ok(servedAt[i] - servedAt[i - 1] >= before * eachUs - 1e-6);
      }
      assert.equal(line.size, 0);
    }),
  );
  const full = new ServiceLine(1, true, 2);
  const one = { isThere: () => true, serve: () => {} };
  assert.deepEqual([full.join(one, 0), full.join(one, 0), full.join(one, 0)], [true, true, false]);
});
