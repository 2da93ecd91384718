/**
 * A generator that is stopped (SIGSTOP) in the middle of a burst, a hold or a churn, and goes on later: what it then says
 * of a target that did nothing wrong. The target is a raw server which knows only a clock: it answers after a while, or ends
 * connections that leave its pings unanswered. Shared by the long test and by `npm run bench:faults`.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Result } from '#dist/result/result.js';
import { resultOf, start } from '../cli.js';
import type { Transport } from './heavy.js';

export const LOADS = ['burst', 'hold', 'hold-over', 'churn'] as const;

export interface Stop {
  readonly load: (typeof LOADS)[number];
  readonly transport: Transport;
  /** After the first request has reached the target. */
  readonly afterMs: number;
  readonly forMs: number;
  readonly host: string;
}

interface Target {
  /** Resolves with the first request. */
  readonly asked: Promise<void>;
  readonly url: string;
  end(): void;
}

const PING = Buffer.from([0x89, 0]);
const PING_EVERY_MS = 100;

interface Ways {
  readonly answersAfterMs: number;
  /** Connections that say nothing for this long after their 101 are ended; null: never. */
  readonly patienceMs: number | null;
}

const WAYS: Readonly<Record<Stop['load'], Ways>> = {
  burst: { answersAfterMs: 1500, patienceMs: null },
  hold: { answersAfterMs: 0, patienceMs: 700 },
  'hold-over': { answersAfterMs: 0, patienceMs: 700 },
  churn: { answersAfterMs: 0, patienceMs: null },
};

const ARGS: Readonly<Record<Stop['load'], readonly string[]>> = {
  burst: ['burst', '-c', '50', '--threshold', 'p99(handshake) < 2200ms'],
  hold: ['burst', '-c', '50', '--hold', '5s', '--threshold', 'count(lost) == 0'],
  // Whatever the stop, it lasts longer than this.
  'hold-over': ['burst', '-c', '50', '--hold', '800ms', '--threshold', 'count(lost) == 0'],
  churn: ['churn', '-c', '8', '-d', '5s', '--threshold', 'rate >= 3500/s'],
};

async function startTarget(host: string, { answersAfterMs, patienceMs }: Ways): Promise<Target> {
  let ask: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const server = net.createServer((socket) => {
    let isOpen = false;
    let heardAt = Date.now();
    const pings = setInterval(() => {
      if (!isOpen || patienceMs === null) return;
      if (Date.now() - heardAt > patienceMs) socket.destroy();
      else socket.write(PING);
    }, PING_EVERY_MS);
    socket.on('error', () => {});
    socket.on('close', () => clearInterval(pings));
    socket.on('data', (bytes) => {
      heardAt = Date.now();
      if (isOpen) return;
      ask();
      const key = /\r\nsec-websocket-key: *(\S+)\r\n/i.exec(bytes.toString('latin1'))?.[1] ?? '';
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      setTimeout(() => {
        isOpen = true;
        heardAt = Date.now();
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
        );
      }, answersAfterMs);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, host, 1024, resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    asked,
    url: `ws://${host}:${port}/`,
    end: () => server.close(),
  };
}

/** Fires one load and stops its generator in the middle. */
export async function stopped(stop: Stop): Promise<Result> {
  const target = await startTarget(stop.host, WAYS[stop.load]);
  const [command, ...args] = ARGS[stop.load];
  const plain = ['--json', '--no-preflight', '--no-calibrate', '--transport', stop.transport];
  const running = start([command, target.url, ...args, ...plain]);
  try {
    await target.asked;
    await sleep(stop.afterMs);
    process.kill(running.pid, 'SIGSTOP');
    await sleep(stop.forMs);
    process.kill(running.pid, 'SIGCONT');
    return resultOf(await running.done);
  } finally {
    target.end();
  }
}

/** The target did nothing wrong, and what was measured of it may be wrong. */
export function judgeStopped(stop: Stop, result: Result): void {
  const what = `${JSON.stringify(stop)}: ${JSON.stringify([result.validity, result.thresholds, result.bursts[0]?.outcomes])}`;
  assert.notEqual(result.validity.verdict, 'valid', what);
  // Stamps of the kernel stay right, so a burst's threshold may still be met, and never missed.
  const isExact = stop.load === 'burst' && stop.transport === 'epoll';
  assert.ok(result.exitCode === 4 || (isExact && result.exitCode === 0), what);
  assert.match(result.validity.reasons.join('\n'), /generator stalled for/, what);
}

export function stopText({ load, transport, afterMs, forMs }: Stop): string {
  return `${load} over ${transport}, stopped after ${afterMs} ms for ${forMs} ms`;
}
