/**
 * What goes wrong on the wire and on this machine, as one table for both transports: the same outcomes, the same details.
 * A server is a function of a socket, in the process of the test; what must be exact is made so by the order of its calls.
 */
import assert from 'node:assert/strict';
import type net from 'node:net';
import os from 'node:os';
import { describe, type TestContext, test } from 'node:test';
import { openKernel } from '#dist/engine/transport/epoll/open-kernel.js';
import type { Kernel } from '#dist/engine/transport/epoll/system-calls.js';
import { needs, withoutEpoll } from '../needs.js';
import { anyPort, type FireAtOptions, type Fired, fire, fireAt, onRequest, switching, turns } from './fire-raw.js';

const KIB = 1024;
/** Characters of a header's value. */
const LINE = 8000;
const opened = await openKernel(`${process.platform}-${process.arch}`);
const TRANSPORTS: readonly (readonly [name: string, kernel: Kernel | null | string])[] = [
  ['node', null],
  ['epoll', opened],
];

interface Fault {
  readonly what: string;
  readonly server: (socket: net.Socket) => void;
  readonly options?: FireAtOptions;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Over the transport `node`, where that can't know better. */
  readonly overNode?: Readonly<Record<string, number>>;
  readonly lost?: number;
  /** Of the one failed outcome. */
  readonly detail?: string;
}

const REFUSAL = 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n';
const HALF = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: webso';

/** Calls `answer` at once and, with the bytes in the kernel's hands, ends as told. */
function saying(bytes: (request: string) => string, end: (socket: net.Socket) => void): Fault['server'] {
  return onRequest((socket, request) => void socket.write(bytes(request), () => end(socket)));
}
const byReset = (socket: net.Socket) => void socket.resetAndDestroy();
const byFin = (socket: net.Socket) => void socket.end();

/** The same byte forever, until so many were taken or nobody takes them any more. */
function flood(socket: net.Socket, bytes: number, part: Buffer = Buffer.alloc(64 * KIB, 97)): void {
  let left = bytes;
  const more = () => {
    while (left > 0 && socket.writable) {
      left -= part.length;
      if (!socket.write(part)) {
        socket.once('drain', more);
        return;
      }
    }
  };
  more();
}

/** An unmasked binary frame of 64 KiB less its head (RFC 6455 section 5.2). */
const FRAME = Buffer.concat([Buffer.of(0x82, 126, 0xff, 0xfc), Buffer.alloc(0xfffc, 98)]);

const FAULTS: readonly Fault[] = [
  {
    what: 'an answer with the RST right behind it: the answer counts',
    server: saying(() => REFUSAL, byReset),
    options: { n: 20 },
    outcomes: { 503: 20 },
  },
  {
    what: 'a 101 with the RST right behind it: a 101 that is lost',
    server: saying(switching, byReset),
    options: { n: 20, held: () => turns(10) },
    outcomes: { 101: 20 },
    lost: 20,
  },
  {
    what: 'a 101 with the FIN right behind it: a 101 that is lost',
    server: saying(switching, byFin),
    options: { n: 20, held: () => turns(10) },
    outcomes: { 101: 20 },
    lost: 20,
  },
  {
    what: 'half a head with the RST right behind it',
    server: saying(() => HALF, byReset),
    options: { n: 10 },
    outcomes: { reset: 10 },
    // libuv takes a hang-up behind a partial read for the end of the stream (uv__stream_io) and asks for no error.
    overNode: { closed: 10 },
    detail: `after ${HALF.length} bytes of an incomplete head`,
  },
  {
    what: 'half a head with the FIN right behind it',
    server: saying(() => HALF, byFin),
    options: { n: 10 },
    outcomes: { closed: 10 },
    detail: `after ${HALF.length} bytes of an incomplete head`,
  },
  {
    what: 'FIN before the request is there, answered by nobody',
    server: (socket) => void socket.end(),
    options: { n: 10 },
    outcomes: { closed: 10 },
  },
  {
    what: 'FIN while all wait at the gate',
    server: (socket) => void socket.end(),
    options: { n: 10, gate: 'upgrade', armed: () => turns(20) },
    outcomes: { closed: 10 },
    detail: 'before the release',
  },
  {
    what: 'an answer while all wait at the gate, with the RST right behind it: the answer counts',
    // Late enough to find the connection open on this side too.
    server: (socket) => void setTimeout(() => socket.write(REFUSAL, () => socket.resetAndDestroy()), 20),
    options: { n: 10, gate: 'upgrade', armed: () => turns(20) },
    outcomes: { 503: 10 },
    detail: 'answered before the request was sent',
  },
  {
    what: 'something that is no answer while all wait at the gate',
    server: (socket) => void socket.write('220 smtp.example.com\r\n'),
    options: { n: 10, gate: 'upgrade', armed: () => turns(20) },
    outcomes: { malformed: 10 },
    detail: 'does not begin with HTTP/1.; answered before the request was sent',
  },
  {
    what: 'an answer that begins while all wait at the gate and ends once they are released',
    server: (socket) => {
      socket.write('HTTP/1.1 408 Request ');
      onRequest((it) => it.write('Timeout\r\nContent-Length: 0\r\n\r\n'))(socket);
    },
    options: { n: 10, gate: 'upgrade', armed: () => turns(20) },
    outcomes: { 408: 10 },
  },
  {
    what: 'a 101 that nobody asked for yet',
    server: (socket) => void socket.write(switching('sec-websocket-key: a\r\n')),
    options: { n: 10, gate: 'upgrade', armed: () => turns(20) },
    outcomes: { 'invalid-101': 10 },
    detail: 'answered before the request was sent',
  },
  {
    what: 'an answer to a client that has been told FIN before: it reads no further',
    server: (socket) => {
      socket.end();
      socket.resume();
    },
    options: { n: 10, gate: 'upgrade' },
    outcomes: { closed: 10 },
  },
  {
    what: 'a flood without an end of the head',
    server: onRequest((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nX: ');
      flood(socket, 4096 * KIB);
    }),
    options: { n: 5 },
    outcomes: { malformed: 5 },
  },
  {
    what: 'a flood of frames behind the 101: nothing is lost by it',
    server: onRequest((socket, request) => {
      socket.write(switching(request));
      flood(socket, 2048 * KIB, FRAME);
    }),
    options: { n: 4, held: () => turns(60) },
    outcomes: { 101: 4 },
  },
  {
    what: 'a flood of something else behind the 101, in one stream with it: lost',
    server: onRequest((socket, request) => {
      socket.write(switching(request));
      flood(socket, 1024 * KIB);
    }),
    options: { n: 4, held: () => turns(60) },
    outcomes: { 101: 4 },
    lost: 4,
  },
  {
    what: 'silence until the deadline',
    server: (socket) => void socket.resume(),
    options: { n: 20, timeoutMs: 150 },
    outcomes: { 'timeout-upgrade': 20 },
  },
];

async function checked(fault: Fault, kernel: Kernel | null): Promise<void> {
  const { lost = 0, detail } = fault;
  const outcomes = kernel === null ? (fault.overNode ?? fault.outcomes) : fault.outcomes;
  const fired = await fireAt(fault.server, { ...fault.options, kernel });
  assert.deepEqual(fired.outcomes, outcomes, JSON.stringify(fired.details));
  assert.equal(fired.lost, lost);
  const [failed] = Object.keys(outcomes);
  if (detail !== undefined) assert.deepEqual(fired.details[failed], { [detail]: outcomes[failed] });
  assert.equal(fired.rows.length, fault.options?.n, 'a row an attempt');
}

/** A head so long that the kernel takes it in pieces, to a server that begins to read late and counts what it gets. */
async function longRequests(kernel: Kernel | null, lines: number): Promise<Fired> {
  const values = Array.from({ length: lines }, (_, i) => `${i}-`.padEnd(LINE, String.fromCharCode(97 + (i % 26))));
  const headers = Object.fromEntries(values.map((value, i) => [`X-Fill-${i}`, value]));
  const late = onRequest((socket, request) => {
    const sent = [...request.matchAll(/^X-Fill-\d+: (.*?)\r?$/gm)].map(([, value]) => value);
    socket.write(sent.join() === values.join() ? switching(request) : 'HTTP/1.1 400 Changed\r\n\r\n');
  });
  return fireAt((socket) => void setTimeout(() => late(socket), 100), { n: 3, kernel, target: { headers } });
}

async function fromSources(kernel: Kernel | null): Promise<Fired> {
  return fireAt(
    onRequest((socket, request) => socket.write(switching(request))),
    { n: 12, kernel, target: { sourceIps: ['127.0.0.2', '127.9.8.4/30'] } },
  );
}

function hasIpv6(t: TestContext): boolean {
  const own = Object.values(os.networkInterfaces()).flatMap((list) => list ?? []);
  return needs(
    t,
    own.some(({ address }) => address === '::1'),
    'IPv6 on the loopback interface: sysctl net.ipv6.conf.lo.disable_ipv6=0',
  );
}

for (const [name, kernel] of TRANSPORTS) {
  if (typeof kernel === 'string') {
    test(`faults over ${name}`, { skip: withoutEpoll(kernel) }, () => {});
    continue;
  }
  describe(`faults over ${name}`, () => {
    for (const fault of FAULTS) test(fault.what, () => checked(fault, kernel));

    test('requests of 80 and 800 kB, the larger taken by the kernel in pieces, arrive as they were', async () => {
      assert.deepEqual((await longRequests(kernel, 10)).outcomes, { 101: 3 });
      assert.deepEqual((await longRequests(kernel, 100)).outcomes, { 101: 3 });
    });

    test('source addresses take turns, blocks among them', async () => {
      const { outcomes, rows } = await fromSources(kernel);
      assert.deepEqual(outcomes, { 101: 12 });
      const sources = rows.map(({ local_address }) => local_address);
      const turn = ['127.0.0.2', '127.9.8.4', '127.9.8.5', '127.9.8.6', '127.9.8.7'];
      assert.deepEqual(sources, [...turn, ...turn, ...turn.slice(0, 2)]);
      for (const { local_port } of rows) assert.ok(Number(local_port) > 0);
    });

    test('IPv6: a 101, a refusal, a bound source', async (t) => {
      if (!hasIpv6(t)) return;
      const answer = onRequest((socket, request) => socket.write(switching(request)));
      const fired = await fireAt(answer, { n: 5, kernel, host: '::1' });
      assert.deepEqual(fired.outcomes, { 101: 5 });
      assert.deepEqual([fired.rows[0].local_address, fired.rows[0].remote_address], ['::1', '::1']);
      const bound = await fireAt(answer, { n: 5, kernel, host: '::1', target: { sourceIps: ['::1'] } });
      assert.deepEqual(bound.outcomes, { 101: 5 });
      const refused = await fire(`ws://[::1]:${anyPort()}/`, { n: 5, kernel });
      assert.deepEqual(refused.outcomes, { refused: 5 });
    });

    test('a server that reads nothing: what the kernel did not take is given up with the attempt', async () => {
      const headers = Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`X-${i}`, 'a'.repeat(LINE)]));
      const fired = await fireAt(() => {}, { n: 20, kernel, timeoutMs: 150, target: { headers } });
      assert.deepEqual(fired.outcomes, { 'timeout-upgrade': 20 });
    });
  });
}

/**
 * Whether a connection that is over at once was seen open before is a matter of how busy this thread is. The kernel knows
 * in any case: an RST in answer to a SYN has an errno of its own.
 */
const AT_ONCE: readonly Fault[] = [
  {
    what: 'an RST as soon as it is open is none while connecting',
    server: byReset,
    options: { n: 30 },
    outcomes: { reset: 30 },
  },
  {
    what: 'an answer without a question, and the RST right behind it: the answer counts',
    server: (socket) => void socket.write(REFUSAL, () => byReset(socket)),
    options: { n: 30 },
    outcomes: { 503: 30 },
  },
];

if (typeof opened !== 'string') {
  describe('over at once, over epoll', () => {
    for (const fault of AT_ONCE) test(fault.what, () => checked(fault, opened));
  });
}
