/**
 * A generator that is stopped in the middle of what it does and goes on later: what it then says of a target that did
 * nothing wrong. The target is a raw server that knows only a clock and a number: it answers after a while, ends
 * connections that say nothing for long, and turns away those above its places. Either the process is stopped (SIGSTOP),
 * or one of its threads alone (a freezer of version 1). Shared by the long test and by `npm run bench:faults`.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { MIRROR_CERT, MIRROR_KEY } from '#dist/engine/mirror/mirror-certificate.js';
import type { Result } from '#dist/result/result.js';
import { resultOf, start, until } from '../cli.js';

export const LOADS = ['arming', 'release', 'waiting', 'hold', 'hold-over', 'churn', 'find'] as const;
export const WAYS = ['epoll', 'node', 'wss'] as const;
export type Way = (typeof WAYS)[number];

export interface Stop {
  readonly load: (typeof LOADS)[number];
  readonly way: Way;
  readonly who: 'process' | 'worker';
  /** After the first connection or, where that is what matters, the first request has reached the target. */
  readonly afterMs: number;
  readonly forMs: number;
  readonly host: string;
}

export interface Stopped {
  readonly result: Result;
  /** Connections that the target ended after their 101. */
  readonly cut: number;
}

interface Target {
  readonly connected: Promise<void>;
  readonly asked: Promise<void>;
  readonly url: string;
  readonly cut: () => number;
  end(): void;
}

interface Behaviour {
  readonly args: readonly string[];
  readonly since: 'connected' | 'asked';
  readonly answersAfterMs?: number;
  /** Connections that say nothing for this long after their 101 are ended. */
  readonly patienceMs?: number;
  /** Connections without a request are ended after so long. */
  readonly headerMs?: number;
  /** Requests beyond so many open connections are turned away. */
  readonly places?: number;
}

const PING = Buffer.from([0x89, 0]);
const PING_EVERY_MS = 100;
const LOST = ['--threshold', 'count(lost) == 0'];
/** What `find` must find. */
export const PLACES = 60;

const BEHAVIOURS: Readonly<Record<Stop['load'], Behaviour>> = {
  arming: { args: ['burst', '-c', '1500', '--gate', 'upgrade'], since: 'connected', headerMs: 900 },
  release: { args: ['burst', '-c', '500', '--threshold', 'p99(handshake) < 2s'], since: 'connected' },
  waiting: {
    args: ['burst', '-c', '50', '--threshold', 'p99(handshake) < 2200ms'],
    since: 'asked',
    answersAfterMs: 1500,
  },
  hold: { args: ['burst', '-c', '50', '--hold', '5s', ...LOST], since: 'asked', patienceMs: 700 },
  // Whatever the stop, it lasts longer than this.
  'hold-over': { args: ['burst', '-c', '50', '--hold', '800ms', ...LOST], since: 'asked', patienceMs: 700 },
  churn: { args: ['churn', '-c', '8', '-d', '5s', '--threshold', 'rate >= 3500/s'], since: 'asked' },
  find: {
    args: [
      ...['find', '--gate', 'upgrade', '--max', '120', '--preset', 'quick', '--rest', '200ms', '--fresh-wait', '500ms'],
      ...['--deadline', '2m'],
    ],
    since: 'asked',
    headerMs: 900,
    places: PLACES,
  },
};

async function startTarget({ host, way, load }: Stop): Promise<Target> {
  const { answersAfterMs = 0, patienceMs = null, headerMs = null, places = null } = BEHAVIOURS[load];
  let [connect, ask]: (() => void)[] = [() => {}, () => {}];
  const connected = new Promise<void>((resolve) => {
    connect = resolve;
  });
  const asked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  let cut = 0;
  let open = 0;
  const serve = (socket: net.Socket): void => {
    let isOpen = false;
    let heardAt = Date.now();
    connect();
    const patience = headerMs === null ? null : setTimeout(() => socket.destroy(), headerMs);
    const pings = setInterval(() => {
      if (!isOpen || patienceMs === null) return;
      if (Date.now() - heardAt <= patienceMs) socket.write(PING);
      else {
        cut++;
        clearInterval(pings);
        socket.destroy();
      }
    }, PING_EVERY_MS);
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(pings);
      if (patience !== null) clearTimeout(patience);
      if (isOpen) open--;
    });
    socket.on('data', (bytes) => {
      heardAt = Date.now();
      if (isOpen) {
        // It leaves by itself: that is no cut.
        if (hasClose(bytes)) socket.destroy();
        return;
      }
      if (patience !== null) clearTimeout(patience);
      ask();
      if (places !== null && open >= places) {
        socket.end('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
        return;
      }
      const key = /\r\nsec-websocket-key: *(\S+)\r\n/i.exec(bytes.toString('latin1'))?.[1] ?? '';
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      const answer = (): void => {
        isOpen = true;
        open++;
        heardAt = Date.now();
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
        );
      };
      if (answersAfterMs === 0) answer();
      else setTimeout(answer, answersAfterMs);
    });
  };
  const server =
    way === 'wss' ? tls.createServer({ cert: MIRROR_CERT, key: MIRROR_KEY }, serve) : net.createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, host, 4096, resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    connected,
    asked,
    url: `${way === 'wss' ? 'wss' : 'ws'}://${host}:${port}/`,
    cut: () => cut,
    end: () => server.close(),
  };
}

/** Frames of a client are masked (RFC 6455 section 5.3), and those that come here are short and whole. */
function hasClose(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += 6 + (bytes[at + 1] & 0x7f)) if ((bytes[at] & 0x0f) === 8) return true;
  return false;
}

const FREEZERS = '/sys/fs/cgroup/freezer';

/** Why a thread alone can't be stopped here; null: it can. */
export function freezerTrouble(): string | null {
  try {
    const folder = `${FREEZERS}/wstampede-test-${process.pid}`;
    mkdirSync(folder);
    rmdirSync(folder);
    return null;
  } catch {
    return `needs the right to make a control group under ${FREEZERS} (version 1)`;
  }
}

/** The thread, but for the main one, that has worked most. */
function busiestThread(pid: number): string {
  const threads = readdirSync(`/proc/${pid}/task`).filter((thread) => thread !== `${pid}`);
  const worked = (thread: string) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  return threads.reduce((a, b) => (worked(b) > worked(a) ? b : a));
}

async function stopThread(pid: number, forMs: number): Promise<void> {
  const folder = `${FREEZERS}/wstampede-test-${pid}`;
  const thread = busiestThread(pid);
  mkdirSync(folder);
  try {
    writeFileSync(`${folder}/tasks`, thread);
    writeFileSync(`${folder}/freezer.state`, 'FROZEN');
    await sleep(forMs);
  } finally {
    writeFileSync(`${folder}/freezer.state`, 'THAWED');
    // It ends with the run at the latest.
    const emptied = until('the control group is empty', () => readFileSync(`${folder}/tasks`, 'utf8') === '');
    emptied.then(() => rmdirSync(folder)).catch(() => {});
    writeFileSync(`${FREEZERS}/tasks`, thread);
    await emptied;
  }
}

async function stopProcess(pid: number, forMs: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await sleep(forMs);
  process.kill(pid, 'SIGCONT');
}

/** Fires one load and stops its generator in the middle; a search again and again. */
export async function stopped(stop: Stop): Promise<Stopped> {
  const { load, way, who, afterMs, forMs } = stop;
  const { args, since } = BEHAVIOURS[load];
  const target = await startTarget(stop);
  const [command, ...rest] = args;
  const plain = ['--json', '--no-progress', '--no-calibrate', ...(load === 'find' ? [] : ['--no-preflight'])];
  const over = way === 'wss' ? ['-k'] : ['--transport', way];
  const running = start([command, target.url, ...rest, ...plain, ...over], { patienceMs: 200_000 });
  let isOver = false;
  const done = running.done.finally(() => {
    isOver = true;
  });
  try {
    await Promise.race([target[since], done]);
    do {
      await sleep(afterMs);
      if (!isOver) await (who === 'process' ? stopProcess : stopThread)(running.pid, forMs);
    } while (load === 'find' && !isOver);
    return { result: resultOf(await done), cut: target.cut() };
  } finally {
    target.end();
  }
}

/** The target did nothing wrong, and what was measured of it may be wrong. @throws AssertionError when it is blamed */
export function judgeStopped(stop: Stop, { result, cut }: Stopped): void {
  const { validity, thresholds, bursts, exitCode, dropOff } = result;
  const what = `${JSON.stringify(stop)}: exit ${exitCode} ${JSON.stringify([validity, thresholds, bursts[0]?.outcomes, bursts[0]?.lostWhileHeld, cut])}`;
  if (stop.load === 'find') {
    // A search repeats what was invalid; what it finds must be right.
    const [low, high] = dropOff?.interval95 ?? [null, null];
    const isRight = dropOff?.verdict === 'FOUND' && (low ?? 0) <= PLACES + 1 && (high ?? PLACES) >= PLACES;
    assert.ok(isRight || exitCode === 4 || dropOff?.verdict === 'BUDGET', `${what} ${JSON.stringify(dropOff)}`);
    return;
  }
  // A release may be over, and the arming too, before the stop begins.
  const isSure = stop.load !== 'arming' && stop.load !== 'release';
  assert.notEqual(exitCode, 3, what);
  if (isSure || exitCode === 4) assert.notEqual(validity.verdict, 'valid', what);
  if (isSure) assert.match(validity.reasons.join('\n'), /generator stalled for/, what);
  if (validity.verdict === 'valid') assert.deepEqual(Object.keys(bursts[0].outcomes), ['101'], what);
  // Stamps of the kernel stay right, so the threshold of a burst may still be met.
  const isExact = stop.load === 'waiting' && stop.way === 'epoll';
  if (isSure) assert.ok(exitCode === 4 || (isExact && exitCode === 0), what);
  // What the target ended while nobody looked is counted.
  if (stop.load === 'hold' || stop.load === 'hold-over') assert.equal(bursts[0].lostWhileHeld, cut, what);
}

export function stopText({ load, way, who, afterMs, forMs }: Stop): string {
  return `${load} over ${way}, ${who} stopped after ${afterMs} ms for ${forMs} ms`;
}
