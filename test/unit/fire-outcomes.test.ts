import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type net from 'node:net';
import { describe, test } from 'node:test';
import { now } from '#dist/engine/machine/clock.js';
import { MIRROR_CERT, MIRROR_KEY } from '#dist/engine/mirror/mirror-certificate.js';
import { resolveTarget } from '#dist/engine/run/resolve.js';
import { LAB_CERTIFICATE } from '#dist/lab/server/certificate.js';
import { checkProfile, compilePlan } from '#dist/plan/profile/profile.js';
import { anyHost, anyPort, fire, fireAt, onRequest, rowMs, serve, switching, turns } from './fire-raw.js';

const silent = (socket: net.Socket) => {
  socket.resume();
};
const answering = (bytes: string | Buffer) => onRequest((socket) => socket.end(bytes));
const WITH_TRUST = { inputs: { tls: { ca: LAB_CERTIFICATE, cert: null, key: null } } };

describe('answers', () => {
  test('101: valid, held, all times in order, lower bounds below', async () => {
    const fired = await fireAt(
      onRequest((socket, request) => socket.write(switching(request))),
      { n: 5 },
    );
    assert.deepEqual(fired.outcomes, { '101': 5 });
    assert.equal(fired.lost, 0);
    for (const row of fired.rows) {
      const times = ['connect_us', 'sent_us', 'first_byte_us', 'done_us'].map((column) => rowMs(row, column));
      assert.deepEqual(
        [...times].sort((a, b) => a - b),
        times,
      );
      assert.ok(rowMs(row, 'done_lower_us') <= rowMs(row, 'done_us'));
      assert.equal(row.tls_us, '');
    }
  });

  for (const status of [
    '200',
    '204',
    '301',
    '400',
    '404',
    '426',
    '429',
    '500',
    '502',
    '503',
    '504',
    '522',
    '599',
    '999',
  ]) {
    test(`${status} is counted by its number, with a sample`, async () => {
      const fired = await fireAt(answering(`HTTP/1.1 ${status} Reason\r\nServer: x\r\nContent-Length: 4\r\n\r\nbody`), {
        n: 3,
      });
      assert.deepEqual(fired.outcomes, { [status]: 3 });
      const sample = fired.samples[status];
      assert.equal(sample?.statusLine, `HTTP/1.1 ${status} Reason`);
      assert.equal(sample?.body, 'body');
      assert.ok(sample.headers.some(([name, value]) => name === 'Server' && value === 'x'));
    });
  }

  const clauses: readonly (readonly [detail: RegExp, answer: (request: string) => string])[] = [
    [/Accept/, (request) => switching(request).replace(/Accept: ..../, 'Accept: AAAA')],
    [/Upgrade is not/, (request) => switching(request).replace('websocket', 'h2c')],
    [/no Upgrade/, (request) => switching(request).replace('Upgrade: websocket\r\n', '')],
    [/Connection lacks/, (request) => switching(request).replace('Connection: Upgrade', 'Connection: close')],
    [/subprotocol/, (request) => switching(request, 'Sec-WebSocket-Protocol: mqtt')],
    [/extension/, (request) => switching(request, 'Sec-WebSocket-Extensions: permessage-deflate')],
    [/HTTP\/1\.0/, (request) => switching(request).replace('HTTP/1.1', 'HTTP/1.0')],
  ];
  for (const [detail, answer] of clauses) {
    test(`invalid-101 says why: ${detail.source}`, async () => {
      const fired = await fireAt(onRequest((socket, request) => socket.write(answer(request))));
      assert.deepEqual(fired.outcomes, { 'invalid-101': 1 });
      assert.match(Object.keys(fired.details['invalid-101'] ?? {}).join(), detail);
    });
  }

  for (const [what, bytes] of Object.entries({
    'not HTTP': 'SSH-2.0-OpenSSH_9.2\r\n',
    'an HTTP/2 preface': Buffer.from([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100]),
    'a header without a colon': 'HTTP/1.1 200 OK\r\nbroken\r\n\r\n',
    'status 000': 'HTTP/1.1 000 No\r\n\r\n',
    'a head over 64 KiB': `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(70_000)}\r\n\r\n`,
    'one byte': '\0',
  })) {
    test(`malformed: ${what}`, async () => {
      const fired = await fireAt(answering(bytes), { n: 3 });
      assert.deepEqual(fired.outcomes, { malformed: 3 });
      assert.notEqual(fired.samples.malformed?.body ?? null, null, 'the bytes are kept as a sample');
    });
  }
});

describe('connections that end', () => {
  test('closed: FIN without a byte, and in the middle of a head', async () => {
    for (const text of ['', 'H', 'HTTP/1.1 10', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: webso']) {
      const fired = await fireAt(answering(text), { n: 3 });
      assert.deepEqual(fired.outcomes, { closed: 3 }, JSON.stringify(text));
      if (text.length > 0) assert.ok(fired.details.closed?.[`after ${text.length} bytes of an incomplete head`] === 3);
    }
  });

  test('reset: RST without a byte, and in the middle of a head', async () => {
    for (const text of ['', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: webso']) {
      const reset = onRequest((socket) => {
        socket.write(text);
        setTimeout(() => socket.resetAndDestroy(), 20);
      });
      assert.deepEqual((await fireAt(reset, { n: 3 })).outcomes, { reset: 3 }, JSON.stringify(text));
    }
  });

  test('a whole head with the RST right behind it ends once, as what the kernel let be read', async () => {
    // RFC 9293 section 3.10.7.4: an RST lets the receiver throw away what was not read yet, so both are true.
    const both = onRequest((socket) => {
      socket.write('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n', () => socket.resetAndDestroy());
    });
    const { outcomes } = await fireAt(both, { n: 20 });
    assert.equal((outcomes['503'] ?? 0) + (outcomes.reset ?? 0), 20, JSON.stringify(outcomes));
  });

  test('a whole head with the FIN right behind it counts as its status', async () => {
    const { outcomes } = await fireAt(answering('HTTP/1.0 504 Gateway Time-out\r\n\r\n'), { n: 20 });
    assert.deepEqual(outcomes, { '504': 20 });
  });

  test('before the release, at gate upgrade: FIN, RST and bytes are outcomes with a time of their own', async () => {
    const early = {
      closed: (socket: net.Socket) => socket.end(),
      reset: (socket: net.Socket) => setTimeout(() => socket.resetAndDestroy(), 20),
      200: (socket: net.Socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n'),
      malformed: (socket: net.Socket) => socket.write('220 smtp.example.com\r\n'),
    };
    for (const [outcome, handler] of Object.entries(early)) {
      const fired = await fireAt((socket) => void handler(socket), { n: 3, gate: 'upgrade', armed: () => turns(40) });
      assert.deepEqual(fired.outcomes, { [outcome]: 3 });
      for (const row of fired.rows) {
        assert.equal(row.sent_us, '');
        assert.ok(rowMs(row, 'done_us') < 0, 'it ended before T0');
      }
    }
  });

  test('bytes at gate connect before the request was read are an answer like any other', async () => {
    const fired = await fireAt((socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), { n: 3 });
    assert.deepEqual(fired.outcomes, { '200': 3 });
  });
});

describe('no connection', () => {
  test('refused: nothing listens', async () => {
    const server = await serve(silent);
    await server.close();
    const fired = await fire(server.url, { n: 3 });
    assert.deepEqual(fired.outcomes, { refused: 3 });
    assert.deepEqual(fired.details.refused, { ECONNREFUSED: 3 });
  });

  test('unreachable: ENETUNREACH from the kernel, no packet sent', async () => {
    // TCP to a broadcast address, here that of the loopback network, is refused by the kernel (ip(7), ENETUNREACH).
    const fired = await fire(`ws://127.255.255.255:${anyPort()}/`, { n: 3 });
    assert.deepEqual(fired.outcomes, { unreachable: 3 });
  });

  test('local-ports: a source address that this machine does not have', async () => {
    const fired = await fireAt(silent, { n: 2, target: { sourceIps: ['192.0.2.1'] } });
    assert.deepEqual(fired.outcomes, { 'local-ports': 2 });
    assert.deepEqual(fired.details['local-ports'], { EADDRNOTAVAIL: 2 });
  });

  test('dns: a name that can never resolve (RFC 6761 section 6.4) gives the code and no address', async () => {
    const profile = checkProfile({ target: { url: 'ws://nonexistent.invalid/' }, stages: [{ burst: 1 }] }, 'test');
    const { destinations, failure, dnsMs } = await resolveTarget(
      compilePlan(profile),
      new AbortController().signal,
      [],
    );
    assert.deepEqual(destinations, []);
    assert.match(failure ?? '', /^(ENOTFOUND|EAI_AGAIN)$/);
    assert.ok(dnsMs !== null && dnsMs >= 0);
  });

  test('reset: an RST that is there before the loop sees the connection is ECONNRESET from connect', async () => {
    // connect(2) is told of it by SO_ERROR, and elsewhere than on Linux it may be the answer to a SYN.
    const child = await blockedListener('reset');
    try {
      const spin = () => {
        const until = now() + 100;
        while (now() < until);
      };
      // node:net calls connect(2) in a tick of its own, which comes after the first of these two and before the second.
      const released = () => process.nextTick(() => process.nextTick(spin));
      const fired = await fire(child.url, { n: 5, released });
      const { reset = 0, 'reset-connect': connecting = 0 } = fired.outcomes;
      assert.equal(reset + (process.platform === 'linux' ? 0 : connecting), 5, JSON.stringify(fired.outcomes));
    } finally {
      await child.stop();
    }
  });
});

/** A listener in a process of its own: one that never accepts (its queue is 1 long), or resets whatever it accepts. */
async function blockedListener(kind: 'deaf' | 'reset'): Promise<{ url: string; stop: () => Promise<void> }> {
  const [host, port] = [anyHost(), anyPort()];
  const block = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20000)';
  const source = `const s = require('net').createServer((c) => c.resetAndDestroy());
    s.listen({ host: '${host}', port: ${port}, backlog: 1 }, () => { require('fs').writeSync(1, 'up'); ${kind === 'deaf' ? block : ''} });`;
  const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  return {
    url: `ws://${host}:${port}/`,
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

describe('deadlines', () => {
  const WITHIN_MS = 250;
  /** Absolute deadlines are looked at every 5 ms; the rest of the 250 ms is for two noisy cores. */
  const isOnTime = (row: Readonly<Record<string, string>> | undefined, timeoutMs: number) => {
    const late = rowMs(row, 'done_us') - timeoutMs;
    assert.ok(late >= -1 && late <= WITHIN_MS, `${late} ms after the deadline`);
  };

  test('timeout-connect: a listen queue that is full; B+1 get in and wait for their answer', async () => {
    const child = await blockedListener('deaf');
    try {
      const fired = await fire(child.url, { n: 6, timeoutMs: 400 });
      assert.deepEqual(fired.outcomes, { 'timeout-connect': 4, 'timeout-upgrade': 2 });
      for (const row of fired.rows) isOnTime(row, 400);
    } finally {
      await child.stop();
    }
  });

  test('timeout-tls: a port that accepts and never says hello', async () => {
    const server = await serve(silent);
    try {
      const fired = await fire(server.url.replace('ws:', 'wss:'), { n: 3, timeoutMs: 300 });
      assert.deepEqual(fired.outcomes, { 'timeout-tls': 3 });
      for (const row of fired.rows) isOnTime(row, 300);
    } finally {
      await server.close();
    }
  });

  test('timeout-upgrade: silence, over ws and wss', async () => {
    for (const tls of [null, {}]) {
      const fired = await fireAt(silent, { n: 3, timeoutMs: 300, tls, target: { tls: { insecure: true } } });
      assert.deepEqual(fired.outcomes, { 'timeout-upgrade': 3 });
      for (const row of fired.rows) isOnTime(row, 300);
    }
  });

  test('a server that drips a byte every 20 ms can not put the deadline off', async () => {
    const timers: NodeJS.Timeout[] = [];
    const drip = onRequest((socket, request) => {
      const bytes = switching(request).padEnd(10_000);
      let at = 0;
      timers.push(setInterval(() => socket.write(bytes[at++ % 90] ?? ''), 20));
    });
    const fired = await fireAt(drip, { n: 20, timeoutMs: 500 });
    timers.forEach(clearInterval);
    assert.deepEqual(fired.outcomes, { 'timeout-upgrade': 20 });
    for (const row of fired.rows) isOnTime(row, 500);
  });

  test('interim answers can not put the deadline off', async () => {
    const timers: NodeJS.Timeout[] = [];
    const drip = onRequest((socket) => {
      timers.push(setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 20));
    });
    const fired = await fireAt(drip, { timeoutMs: 300 });
    timers.forEach(clearInterval);
    assert.deepEqual(fired.outcomes, { 'timeout-upgrade': 1 });
    isOnTime(fired.rows[0], 300);
  });
});

describe('TLS', () => {
  test('before the release, at gate tls: FIN and RST are outcomes at once', async () => {
    const early = {
      closed: (socket: net.Socket) => socket.end(),
      reset: (socket: net.Socket) => setTimeout(() => socket.resetAndDestroy(), 20),
    };
    for (const [outcome, handler] of Object.entries(early)) {
      const server = await serve((socket) => void handler(socket));
      const options = { n: 3, gate: 'tls', armed: () => turns(40) } as const;
      const fired = await fire(server.url.replace('ws:', 'wss:'), options);
      await server.close();
      assert.deepEqual(fired.outcomes, { [outcome]: 3 });
      assert.deepEqual(fired.details[outcome], { 'before the release': 3 });
      for (const row of fired.rows) assert.ok(rowMs(row, 'done_us') < 0, 'it ended before T0');
    }
  });

  test('tls: a certificate nobody signed, with its code', async () => {
    const fired = await fireAt(silent, { n: 3, tls: {} });
    assert.deepEqual(fired.outcomes, { tls: 3 });
    assert.match(Object.keys(fired.details.tls ?? {}).join(), /SELF_SIGNED|UNABLE_TO_VERIFY/);
  });

  test('tls: a certificate for another name', async () => {
    // The certificate is for 127.0.0.1, and the server is at another loopback address.
    const fired = await fireAt(silent, { n: 3, tls: {}, ...WITH_TRUST });
    assert.deepEqual(fired.outcomes, { tls: 3 });
    assert.deepEqual(fired.details.tls, { ERR_TLS_CERT_ALTNAME_INVALID: 3 });
  });

  test('101: trusted by --ca and --servername', async () => {
    const answer = onRequest((socket, request) => socket.write(switching(request)));
    const fired = await fireAt(answer, { n: 3, tls: {}, ...WITH_TRUST, target: { tls: { servername: 'localhost' } } });
    assert.deepEqual(fired.outcomes, { '101': 3 });
    for (const row of fired.rows) assert.ok(rowMs(row, 'connect_us') <= rowMs(row, 'tls_us'));
  });

  test('tls: plain text on the port, with and without FIN', async () => {
    const plain = {
      'answers and closes': (socket: net.Socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad\r\n\r\n')),
      'answers and stays': (socket: net.Socket) => socket.once('data', () => socket.write('HTTP/1.1 400 Bad\r\n\r\n')),
      'speaks first': (socket: net.Socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'),
    };
    for (const [what, handler] of Object.entries(plain)) {
      const server = await serve((socket) => void handler(socket));
      const fired = await fire(server.url.replace('ws:', 'wss:'), { n: 3, timeoutMs: 2000 });
      await server.close();
      assert.deepEqual(fired.outcomes, { tls: 3 }, what);
    }
  });

  test('tls: an alert in the handshake, and one behind it (TLS 1.3: no client certificate)', async () => {
    const insecure = { target: { tls: { insecure: true } } };
    const old = await fireAt(silent, { n: 3, tls: { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }, ...insecure });
    assert.deepEqual(old.outcomes, { tls: 3 }, 'no version in common');
    const cert = { requestCert: true, rejectUnauthorized: true, ca: MIRROR_CERT };
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const tls = { ...cert, minVersion: version, maxVersion: version };
      const fired = await fireAt(silent, { n: 3, tls, timeoutMs: 3000, ...insecure });
      assert.deepEqual(fired.outcomes, { tls: 3 }, version);
      // That certificate is not for servers only.
      const own = { tls: { ca: null, cert: MIRROR_CERT, key: MIRROR_KEY } };
      const answer = onRequest((socket, request) => socket.write(switching(request)));
      assert.deepEqual((await fireAt(answer, { tls, ...insecure, inputs: own })).outcomes, { '101': 1 }, version);
    }
  });

  test('closed and reset in the TLS handshake say where', async () => {
    const ends = {
      closed: (socket: net.Socket) => socket.once('data', () => socket.end()),
      reset: (socket: net.Socket) => socket.once('data', () => setTimeout(() => socket.resetAndDestroy(), 10)),
    };
    for (const [outcome, handler] of Object.entries(ends)) {
      const server = await serve((socket) => void handler(socket));
      const fired = await fire(server.url.replace('ws:', 'wss:'), { n: 3 });
      await server.close();
      assert.deepEqual(fired.outcomes, { [outcome]: 3 });
      assert.deepEqual(fired.details[outcome], { 'during the TLS handshake': 3 });
    }
  });
});
