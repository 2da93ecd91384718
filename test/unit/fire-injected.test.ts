/**
 * The transport `epoll` over a C library that lies: calls that are interrupted, refused or done by halves, and events that
 * come twice, too early, or in another order. What such a call did must be neither lost nor done twice, and an attempt ends
 * as what its errno means. Descriptors are counted: each that was opened is closed once.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import { describe, test } from 'node:test';
import { now } from '#dist/engine/machine/clock.js';
import { openKernel } from '#dist/engine/transport/epoll/open-kernel.js';
import { selfTest } from '#dist/engine/transport/epoll/self-test.js';
import { Kernel } from '#dist/engine/transport/epoll/system-calls.js';
import { C, CMSG, IOVEC, LAYOUTS, MSGHDR, TIMESPEC } from '#dist/native/layouts.js';
import { type Libc, loadLibc } from '#dist/native/libc.js';
import { withoutEpoll } from '../needs.js';
import { anyHost, anyPort, type Fired, fire, fireAt, onRequest, pause, rowMs, switching, turns } from './fire-raw.js';

type Args = readonly (number | string)[];
type CallName = Exclude<keyof Libc, 'errno' | 'errorName' | 'memory'>;
/** What a call returns, or the name of the error that it fails with. */
type Lie = (real: (...args: Args) => number, args: Args, memory: Place) => number | string;

/** The native memory by address. */
interface Place {
  view(address: number): DataView;
}

interface Lying {
  readonly kernel: Kernel;
  /** Descriptors that were opened and not closed, or closed twice. */
  wrong(): number[];
}

const OPENING: readonly string[] = ['socket', 'epollCreate', 'accept'];
const trouble = await openKernel(`${process.platform}-${process.arch}`);
const libc = typeof trouble === 'string' ? null : await loadLibc();

const { errno: ERRNO } = os.constants as unknown as { errno: Readonly<Record<string, number>> };

/** A way to the kernel on which the named calls go through their lies. */
function lying(lies: Partial<Record<CallName, Lie>>): Lying {
  assert.ok(libc !== null);
  let faked: number | null = null;
  let base = 0;
  let all: DataView | null = null;
  const open = new Map<number, number>();
  const place: Place = { view: (address) => new DataView((all as DataView).buffer, address - base) };
  const told = (name: CallName, args: Args): number => {
    const real = (...own: Args) => {
      faked = null;
      return libc[name](...own);
    };
    const result = lies[name]?.(real, args, place) ?? real(...args);
    if (typeof result === 'string') faked = ERRNO[result];
    const value = typeof result === 'string' ? -1 : result;
    if (OPENING.includes(name) && value >= 0) open.set(value, (open.get(value) ?? 0) + 1);
    if (name === 'close') open.set(args[0] as number, (open.get(args[0] as number) ?? 0) - 1);
    return value;
  };
  const calls = Object.fromEntries(
    Object.keys(libc).map((name) => [name, (...args: Args) => told(name as CallName, args)]),
  ) as unknown as Libc;
  const kernel = new Kernel(
    {
      ...calls,
      errno: () => faked ?? libc.errno(),
      errorName: libc.errorName,
      memory(bytes) {
        const memory = libc.memory(bytes);
        const block = memory.block.bind(memory);
        memory.block = (name, size) => {
          const made = block(name, size);
          base = made.address - made.offset;
          return made;
        };
        all = memory.view;
        return memory;
      },
    },
    LAYOUTS[process.arch],
  );
  // The descriptor that keeps the kernel stamping stays until the end.
  open.clear();
  return {
    kernel,
    wrong: () => [...open].filter(([, times]) => times !== 0).map(([fd]) => fd),
  };
}

const REFUSAL = 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n';
const HALF = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: webso';
const EACH = 10;
const MIXED = { 101: 3 * EACH, 503: 2 * EACH, closed: EACH, reset: EACH, malformed: EACH };

/** A server that ends one connection after another in another way. */
function mixed(): ReturnType<typeof onRequest> {
  let count = 0;
  return onRequest((socket, request) => {
    const ends = [
      () => socket.write(switching(request)),
      () => socket.write(switching(request), () => socket.resetAndDestroy()),
      () => socket.end(switching(request)),
      () => socket.write(REFUSAL, () => socket.resetAndDestroy()),
      () => socket.end(REFUSAL),
      () => socket.end(HALF),
      () => socket.resetAndDestroy(),
      () => socket.write('no answer\r\n'),
    ];
    ends[count++ % ends.length]();
  });
}

/** Every other call, beginning with the first. */
function alternating(lie: Lie): Lie {
  let count = 0;
  return (real, args, memory) => (count++ % 2 === 0 ? lie(real, args, memory) : real(...args));
}

/** Rewrites what the kernel tells: flags in, flags out, `times` of each. */
function events(rewrite: (flags: number) => number, times = 1): Lie {
  const { size } = LAYOUTS[process.arch].epollEvent;
  return (real, [poll, address, most, timeout], memory) => {
    const count = real(poll, address, Math.floor(Number(most) / times), timeout);
    if (count <= 0) return count;
    const told = memory.view(Number(address));
    for (let i = count - 1; i >= 0; i--) {
      const flags = rewrite(told.getUint32(i * size, true)) >>> 0;
      const data = told.getBigUint64(i * size + size - 8, true);
      for (let copy = 0; copy < times; copy++) {
        const at = (i * times + copy) * size;
        told.setUint32(at, flags, true);
        told.setBigUint64(at + size - 8, data, true);
      }
    }
    return count * times;
  };
}

/** A sendmsg that takes no more than `bytes`. */
function shortened(real: (...args: Args) => number, args: Args, memory: Place, bytes: number): number {
  const header = memory.view(args[1] as number);
  const vector = memory.view(Number(header.getBigUint64(MSGHDR.iov, true)));
  const length = vector.getBigUint64(IOVEC.length, true);
  vector.setBigUint64(IOVEC.length, BigInt(Math.min(bytes, Number(length))), true);
  const taken = real(...args);
  vector.setBigUint64(IOVEC.length, length, true);
  return taken;
}

/** What a thread does that has lost its core. */
function hold(ms: number): void {
  const until = now() + ms;
  while (now() < until);
}

/** When each request was sent by the attempts' own rows, ms on the clock of `now()`. */
function sentAt({ rows }: Fired): number[] {
  return rows.map((row) => rowMs(row, 'released_us') + rowMs(row, 'sent_us'));
}

/** A stamp is read on another clock, whose offset is known to some µs, and said in whole µs. */
const CLOCKS_DIFFER_MS = 0.1;

const GONE = C.EPOLLHUP | C.EPOLLERR;
const ENDED = GONE | C.EPOLLRDHUP;

/** Lies after which everything must be as without them. */
const HARMLESS: Readonly<Record<string, Partial<Record<CallName, Lie>>>> = {
  'every other read is interrupted': { recvmsg: alternating(() => 'EINTR') },
  'every other look for events is interrupted': { epollWait: alternating(() => 'EINTR') },
  'connect is interrupted and goes on by itself': {
    connect(real, args) {
      real(...args);
      return 'EINTR';
    },
  },
  'close is interrupted, and has been done': {
    close(real, args) {
      real(...args);
      return 'EINTR';
    },
  },
  'every other send is interrupted': { sendmsg: alternating(() => 'EINTR'), send: alternating(() => 'EINTR') },
  'a send takes 7 bytes': {
    sendmsg: (real, args, memory) => shortened(real, args, memory, 7),
    send: (real, [fd, at, length, flags]) => real(fd, at, Math.min(7, Number(length)), flags),
  },
  'no request is stamped as it leaves': {
    recvmsg: (real, args) => (((args[2] as number) & C.MSG_ERRQUEUE) === 0 ? real(...args) : 'EAGAIN'),
  },
  'each event comes twice': { epollWait: events((flags) => flags, 2) },
  'each event says as well that there is something to read': { epollWait: events((flags) => flags | C.EPOLLIN) },
  'each event says as well that there is room to write': { epollWait: events((flags) => flags | C.EPOLLOUT) },
  'each event says as well that all is over': { epollWait: events((flags) => flags | ENDED) },
  'an end does not say that there is something to read before it': {
    epollWait: events((flags) => ((flags & ENDED) === 0 ? flags : flags & ~C.EPOLLIN)),
  },
  'an end is told as a hang-up alone': {
    epollWait: events((flags) => ((flags & ENDED) === 0 ? flags : C.EPOLLHUP | (flags & C.EPOLLOUT))),
  },
};

/** A call that always fails, by the errors that it may fail with → outcome. */
const FAILING: Partial<Record<CallName, Readonly<Record<string, string>>>> = {
  socket: { EMFILE: 'local-fds', ENFILE: 'local-fds', ENOBUFS: 'local-memory', ENOMEM: 'local-memory' },
  bind: { EADDRNOTAVAIL: 'local-ports', EADDRINUSE: 'local-ports', EACCES: 'local-other' },
  connect: {
    EADDRNOTAVAIL: 'local-ports',
    EADDRINUSE: 'local-ports',
    ENOBUFS: 'local-memory',
    ECONNREFUSED: 'refused',
    ECONNRESET: 'reset',
    EHOSTUNREACH: 'unreachable',
    ENETUNREACH: 'unreachable',
    ETIMEDOUT: 'timeout-connect',
    EPERM: 'local-other',
    EACCES: 'local-other',
  },
  epollControl: { ENOMEM: 'local-memory', ENOSPC: 'local-other' },
  sendmsg: { ENOBUFS: 'local-memory', ENOMEM: 'local-memory', EPIPE: 'reset', ECONNRESET: 'reset' },
};

describe('a kernel that lies', { skip: withoutEpoll(typeof trouble === 'string' ? trouble : null) }, () => {
  for (const [what, lies] of Object.entries(HARMLESS)) {
    test(`${what}: no outcome changes`, async () => {
      const { kernel, wrong } = lying(lies);
      const fired = await fireAt(mixed(), { kernel, n: 8 * EACH, held: () => turns(10) });
      assert.deepEqual(fired.outcomes, MIXED, JSON.stringify(fired.details));
      assert.equal(fired.lost, 2 * EACH);
      assert.deepEqual(wrong(), []);
      assert.equal(kernel.damaged(), null);
      kernel.close();
    });
  }

  for (const [call, errors] of Object.entries(FAILING)) {
    test(`${call} fails: ${Object.keys(errors).join(', ')}`, async () => {
      for (const [name, outcome] of Object.entries(errors)) {
        const { kernel, wrong } = lying({ [call]: () => name });
        const source = call === 'bind' ? { target: { sourceIps: ['127.0.0.2'] } } : {};
        const fired = await fireAt((socket) => void socket.resume(), { kernel, n: 5, ...source });
        assert.deepEqual(fired.outcomes, { [outcome]: 5 }, `${name}: ${JSON.stringify(fired.details)}`);
        assert.deepEqual(wrong(), [], name);
        kernel.close();
      }
    });
  }

  test('every other socket is refused for want of descriptors: the others are served', async () => {
    const { kernel, wrong } = lying({ socket: alternating(() => 'EMFILE') });
    const fired = await fireAt(mixed(), { kernel, n: 16 });
    const { 'local-fds': refused, ...others } = fired.outcomes;
    assert.equal(refused, 8);
    assert.deepEqual(others, { 101: 3, 503: 2, closed: 1, reset: 1, malformed: 1 });
    assert.deepEqual(wrong(), []);
    kernel.close();
  });

  test('no descriptor while refused connections still drain: the oldest of them gives up its own', async () => {
    const open = new Set<number>();
    const { kernel, wrong } = lying({
      socket(real, args) {
        if (open.size >= EACH) return 'EMFILE';
        const fd = real(...args);
        open.add(fd);
        return fd;
      },
      close(real, args) {
        open.delete(args[0] as number);
        return real(...args);
      },
    });
    const slow = onRequest((socket) => {
      socket.write(REFUSAL);
      socket.on('end', () => setTimeout(() => socket.end(), 1000));
    });
    const fired = await fireAt(slow, { kernel, n: 8 * EACH, inFlight: EACH - 2, close: null });
    assert.deepEqual(fired.outcomes, { 503: 8 * EACH }, JSON.stringify(fired.details));
    assert.deepEqual(wrong(), []);
    kernel.close();
  });

  test('an error that is reported after the connect call is the network’s, with its name', async () => {
    for (const name of ['EACCES', 'EPERM', 'EPROTO', 'EHOSTUNREACH']) {
      const { kernel, wrong } = lying({ recvmsg: () => name });
      const fired = await fire(`ws://${anyHost()}:${anyPort()}/`, { kernel, n: 5 });
      assert.deepEqual(fired.outcomes, { unreachable: 5 });
      assert.deepEqual(fired.details.unreachable, { [name]: 5 });
      assert.deepEqual(wrong(), []);
      kernel.close();
    }
  });

  test('no descriptor for the epoll instance itself: every attempt says so', async () => {
    const { kernel, wrong } = lying({ epollCreate: () => 'EMFILE' });
    const fired = await fireAt(mixed(), { kernel, n: 5 });
    assert.deepEqual(fired.outcomes, { 'local-fds': 5 }, JSON.stringify(fired.details));
    assert.deepEqual(wrong(), []);
    kernel.close();
  });

  test('an answer that is there counts, although sending the request fails', async () => {
    const [host, port] = [anyHost(), anyPort()];
    const source = `require('net').createServer((c) => c.end(${JSON.stringify(REFUSAL)})).listen(${port}, '${host}', () =>
      require('fs').writeSync(1, 'up'))`;
    const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    const { kernel, wrong } = lying({
      sendmsg() {
        hold(60);
        return 'EPIPE';
      },
    });
    try {
      await once(child.stdout, 'data');
      const fired = await fire(`ws://${host}:${port}/`, { kernel, n: 5 });
      assert.deepEqual(fired.outcomes, { 503: 5 });
      assert.deepEqual(wrong(), []);
    } finally {
      child.kill('SIGKILL');
      await ended;
      kernel.close();
    }
  });

  test('a request is stamped as it leaves, however long its thread stands still before and after', async () => {
    const HELD_MS = 20;
    const calls: { from: number; to: number }[] = [];
    const { kernel } = lying({
      sendmsg(real, args) {
        hold(HELD_MS);
        const from = now();
        const taken = real(...args);
        calls.push({ from, to: now() });
        hold(HELD_MS);
        return taken;
      },
    });
    for (const gate of ['connect', 'upgrade'] as const) {
      calls.length = 0;
      const fired = await fireAt(mixed(), { kernel, n: EACH, gate });
      const sent = sentAt(fired).sort((a, b) => a - b);
      assert.equal(calls.length, EACH);
      for (const [i, { from, to }] of calls.entries()) {
        assert.ok(from - CLOCKS_DIFFER_MS <= sent[i], `${gate}: ${sent[i]} is before the call at ${from}`);
        assert.ok(sent[i] <= to + CLOCKS_DIFFER_MS, `${gate}: ${sent[i]} is after the call, over at ${to}`);
      }
    }
    kernel.close();
  });

  test('a request that the network held up longer than its call counts from the call', async () => {
    let later = 0n;
    const { kernel } = lying({
      recvmsg(real, args, memory) {
        const length = real(...args);
        const isStamp = ((args[2] as number) & C.MSG_ERRQUEUE) !== 0 && length >= 0;
        if (!isStamp) return length;
        const control = memory.view(Number(memory.view(args[1] as number).getBigUint64(MSGHDR.control, true)));
        const seconds = CMSG.data + TIMESPEC.seconds;
        control.setBigInt64(seconds, control.getBigInt64(seconds, true) + later, true);
        return length;
      },
    });
    const sendAt = async () => {
      const before = now();
      const fired = await fireAt(mixed(), { kernel, n: EACH });
      for (const at of sentAt(fired)) assert.ok(before <= at && at <= now(), `${at} is not between ${before} and now`);
      return fired;
    };
    await sendAt();
    later = 1n;
    const { rows } = await sendAt();
    for (const row of rows) assert.ok(rowMs(row, 'sent_us') <= rowMs(row, 'done_us'), JSON.stringify(row));
    kernel.close();
  });

  test('a stamp of a wall clock that has been set is not believed', async () => {
    const { kernel } = lying({
      clockGettime(real, args, memory) {
        const done = real(...args);
        const time = memory.view(args[1] as number);
        time.setBigInt64(0, time.getBigInt64(0, true) - 3600n, true);
        return done;
      },
    });
    const before = now();
    const fired = await fireAt(mixed(), { kernel, n: EACH });
    for (const at of sentAt(fired)) assert.ok(before <= at && at <= now(), `${at}`);
    kernel.close();
  });

  test('a wall clock that is set forth and back within a burst is noticed, and so is one that is set once', async () => {
    let aheadS = 0n;
    const { kernel } = lying({
      clockGettime(real, args, memory) {
        const done = real(...args);
        const time = memory.view(args[1] as number);
        time.setBigInt64(0, time.getBigInt64(0, true) + aheadS, true);
        return done;
      },
    });
    const server = onRequest(async (socket, request) => {
      aheadS = 2n;
      // The clocks are compared each second.
      await pause(1100);
      aheadS = 0n;
      socket.write(switching(request));
    });
    const { clockStepMs } = await fireAt(server, { kernel, n: 2 });
    assert.ok(Math.abs(Math.abs(clockStepMs) - 2000) < 1, `${clockStepMs} ms`);
    const once = onRequest((socket, request) => {
      aheadS = -1n;
      socket.write(switching(request));
    });
    const { clockStepMs: back } = await fireAt(once, { kernel, n: 2 });
    assert.ok(Math.abs(back + 1000) < 1, `${back} ms`);
    const { clockStepMs: none } = await fireAt(mixed(), { kernel, n: 2 });
    assert.ok(Math.abs(none) < 1, `${none} ms`);
    kernel.close();
  });

  test('bytes without a stamp are bounded by two looks, as the other transport does', async () => {
    const { kernel } = lying({ setsockopt: (real, args) => (args[2] === C.SO_TIMESTAMPING ? 0 : real(...args)) });
    assert.equal(selfTest(kernel), 'the kernel does not stamp what it receives');
    const fired = await fireAt(mixed(), { kernel, n: 8 * EACH });
    assert.deepEqual(fired.outcomes, MIXED);
    kernel.close();
  });
});
