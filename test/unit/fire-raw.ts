/**
 * Raw servers and the engine in one process: a server is a function of a socket, a burst is one shard, and what comes back
 * is what a result would hold. Ports lie below the kernel's own range, and addresses rotate over 127.0.0.K.
 */
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { driverOf } from '#dist/engine/load/load-kinds.js';
import { now } from '#dist/engine/machine/clock.js';
import { acceptFor } from '#dist/engine/protocol/request.js';
import { resolveTarget } from '#dist/engine/run/resolve.js';
import { ScriptSession } from '#dist/engine/session/script-session.js';
import type { SessionGround } from '#dist/engine/session/session.js';
import { Control } from '#dist/engine/threads/shared-memory.js';
import { openKernel } from '#dist/engine/transport/epoll/open-kernel.js';
import type { Kernel } from '#dist/engine/transport/epoll/system-calls.js';
import { PortChooser } from '#dist/engine/transport/ports.js';
import { tlsOptions } from '#dist/engine/transport/tls-options.js';
import { LAB_CERTIFICATE, LAB_PRIVATE_KEY } from '#dist/lab/server/certificate.js';
import { burstSizes, type Inputs } from '#dist/plan/plan.js';
import { checkProfile, compilePlan } from '#dist/plan/profile/profile.js';
import type { Script } from '#dist/plan/session/session-script.js';
import type { Arrivals, Counted, Sample, Sessions } from '#dist/result/result.js';
import { ArrivalsTally } from '#dist/tally/arrivals-tally.js';
import { Tally } from '#dist/tally/tally.js';

const [LOWEST_PORT, HIGHEST_PORT] = [20_000, 32_000];
let nextHost = 2 + (process.pid % 200);

/** What the engine drives its sockets by; null: the transport `node`. */
let kernel: Kernel | null = null;

/** From now on bursts over ws go through the transport `epoll`. @returns why they can't, or null */
export async function useEpoll(): Promise<string | null> {
  const opened = await openKernel(`${process.platform}-${process.arch}`);
  if (typeof opened === 'string') return opened;
  kernel = opened;
  return null;
}

export function anyPort(): number {
  return LOWEST_PORT + Math.floor(Math.random() * (HIGHEST_PORT - LOWEST_PORT));
}

/** Another loopback address each time: closed pairs of one address stand in the way of the next test's. */
export function anyHost(): string {
  nextHost = 2 + ((nextHost - 1) % 250);
  return `127.0.0.${nextHost}`;
}

export interface RawServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Every connection so far. */
  readonly sockets: net.Socket[];
  close(): Promise<void>;
}

export interface ServeOptions {
  /** null: no TLS. */
  readonly tls?: tls.TlsOptions | null;
  readonly host?: string;
  /** Told of each connection below TLS. */
  readonly onRaw?: (socket: net.Socket) => void;
}

/** Listens and hands every connection (after TLS, if any) to `handler`; errors of its sockets are of no interest. */
export async function serve(handler: (socket: net.Socket) => void, options: ServeOptions = {}): Promise<RawServer> {
  const host = options.host ?? anyHost();
  const sockets: net.Socket[] = [];
  const raws: net.Socket[] = [];
  const secure = options.tls ?? null;
  const accept = (socket: net.Socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    handler(socket);
  };
  for (;;) {
    const server =
      secure === null
        ? net.createServer({ allowHalfOpen: true, noDelay: true }, accept)
        : tls.createServer({ cert: LAB_CERTIFICATE, key: LAB_PRIVATE_KEY, ...secure }, accept);
    server.on('connection', (socket: net.Socket) => {
      raws.push(socket);
      options.onRaw?.(socket);
      socket.on('error', () => {});
    });
    server.on('tlsClientError', () => {});
    const port = anyPort();
    server.listen({ host, port, backlog: 4096 });
    const failed = await Promise.race([
      once(server, 'listening').then(() => null),
      once(server, 'error').then(([error]) => error as NodeJS.ErrnoException),
    ]);
    if (failed?.code === 'EADDRINUSE') continue;
    if (failed !== null) throw failed;
    return {
      url: `${secure === null ? 'ws' : 'wss'}://${host.includes(':') ? `[${host}]` : host}:${port}/x`,
      host,
      port,
      sockets,
      close: async () => {
        for (const socket of [...sockets, ...raws]) socket.destroy();
        server.close();
        await once(server, 'close');
      },
    };
  }
}

/** Calls `answer` with each request's text once its head is complete. */
export function onRequest(answer: (socket: net.Socket, request: string) => void): (socket: net.Socket) => void {
  return (socket) => {
    let text = '';
    const read = (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (!text.includes('\r\n\r\n')) return;
      socket.off('data', read);
      answer(socket, text);
    };
    socket.on('data', read);
  };
}

/** A valid 101 for that request, with more header lines where wanted. */
export function switching(request: string, ...more: string[]): string {
  const key = /^sec-websocket-key: (.*)$/im.exec(request)?.[1]?.trim() ?? '';
  const lines = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${acceptFor(key)}`, ...more];
  return `HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`;
}

export interface FireOptions {
  readonly n?: number;
  /** Through this way to the kernel and not the one that is in use; null: over the transport `node`. */
  readonly kernel?: Kernel | null;
  readonly timeoutMs?: number;
  readonly gate?: 'connect' | 'tls' | 'upgrade';
  /** null: as it is where nobody says anything. */
  readonly close?: 'clean' | 'reset' | null;
  /** Fires a churn with so many in flight, and no burst. */
  readonly inFlight?: number;
  /** What each client says and waits for after its 101. */
  readonly script?: Script;
  /** How long the shard may wait for its sessions; they are over earlier. */
  readonly sessionsMs?: number;
  /** Fires this stage, as a profile writes it. */
  readonly stage?: Readonly<Record<string, unknown>>;
  /** Connections that the machine has room for; as many as the stage wants if left out. */
  readonly room?: number;
  /** Further keys of the profile's target. */
  readonly target?: Readonly<Record<string, unknown>>;
  /** Further keys of the profile. */
  readonly profile?: Readonly<Record<string, unknown>>;
  readonly inputs?: Partial<Inputs>;
  /** Done between the arming and the release. */
  readonly armed?: () => Promise<void> | void;
  /** Done while the connections are held. */
  readonly held?: () => Promise<void> | void;
  /** Stopped once this holds after the release was ordered. */
  readonly stopWhen?: () => boolean;
  /** Stopped before it is closed. */
  readonly stopHold?: () => boolean;
  /** Done right after the release was ordered. */
  readonly released?: () => void;
}

export interface Fired {
  readonly outcomes: Readonly<Record<string, number>>;
  readonly samples: Readonly<Record<string, Sample>>;
  readonly details: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly lost: number;
  readonly latencyMs: Counted['latencyMs'];
  readonly sessions: Sessions;
  readonly failedToArm: number;
  /** Of the attempts' CSV, in the order of attempts. */
  readonly rows: readonly Readonly<Record<string, string>>[];
  readonly csv: string;
  /** From the order to close until every socket was gone. */
  readonly closingMs: number;
  readonly clockStepMs: number;
  readonly arrivals: Arrivals | null;
}

const COLUMNS =
  'burst,attempt,worker,local_address,local_port,remote_address,outcome,released_us,connect_us,tls_us,sent_us,first_byte_us,done_us,done_lower_us,detail,syn_retransmits,rtt_us,retransmits,row,late_us,ready_us,end,end_us'.split(
    ',',
  );

/** One burst of one shard, from arming to the last socket's end. Attempts must be the sum of outcomes, as always. */
export async function fire(url: string, options: FireOptions = {}): Promise<Fired> {
  const { script = null } = options;
  const profile = compilePlan(
    checkProfile(
      {
        target: { url, ...options.target },
        stages: [stageOf(options)],
        ...(options.inFlight === undefined ? { gate: options.gate ?? 'connect' } : {}),
        timeout: `${options.timeoutMs ?? 5000}ms`,
        ...(options.close === null ? {} : { close: options.close ?? 'reset' }),
        ...options.profile,
      },
      'test',
    ),
  );
  const plan = script === null ? profile : { ...profile, session: { holdMs: null, script } };
  const inputs: Inputs = { rows: [], env: {}, tls: { ca: null, cert: null, key: null }, ...options.inputs };
  const control = new Control(1);
  const sent: string[] = [];
  const [stage] = plan.stages;
  const driver = driverOf(stage);
  const size = burstSizes(stage)[0] ?? 0;
  const open = options.room ?? driver.open(stage, size, plan);
  const context = {
    plan,
    inputs,
    order: { target: 0, stage: 0, place: 0, burst: 0, count: size, open, first: 0, stride: 1, base: 0, clientBase: 0 },
    worker: 0,
    destinations: (await resolveTarget(plan, new AbortController().signal, [])).destinations,
    kernel: options.kernel === undefined ? kernel : options.kernel,
    tls: tlsOptions(plan, inputs, null),
    ports: new PortChooser(10_000, 19_999, 0, 1, Math.floor(Math.random() * 9_000)),
    live: control.live(0),
    userAgent: 'wstampede/test',
    wantRows: true,
    wallOffset: () => 0,
    sleep: (ms: number) => control.sleep(0, ms),
    sendRows: (rows: string) => sent.push(rows),
    ...(script !== null && {
      newSession: (ground: SessionGround) => new ScriptSession(ground, plan, inputs),
    }),
  };
  const shard = driver.shard(context, stage);
  const { failed } = await shard.arm();
  await options.armed?.();
  const ended = shard.run(now() + 2);
  options.released?.();
  const { stopWhen = () => false } = options;
  const watch = setInterval(() => {
    if (stopWhen()) shard.stop();
  }, 5);
  await ended;
  clearInterval(watch);
  await options.held?.();
  if (options.stopHold?.() === true) shard.stop();
  const begin = now();
  const holdMs = stage.kind === 'arrive' ? (stage.holdMs ?? 0) : 0;
  const report = await shard.close(begin + (script === null ? holdMs : (options.sessionsMs ?? 30_000)));
  const closingMs = now() - begin;
  const tally = Tally.decode(report.tally).counted();
  const csv = `${sent.join('')}${report.rows ?? ''}`;
  const rows = csv
    .trimEnd()
    .split('\n')
    .map((line) => Object.fromEntries(line.split(',').map((cell, i) => [COLUMNS[i] ?? 'more', cell])));
  return {
    outcomes: tally.outcomes as Record<string, number>,
    samples: tally.samples,
    details: tally.details,
    lost: tally.lostWhileHeld,
    latencyMs: tally.latencyMs,
    sessions: Tally.decode(report.tally).sessions.sessions(),
    failedToArm: failed,
    rows,
    csv,
    closingMs,
    clockStepMs: report.clockStepMs,
    arrivals: report.arrivals === null ? null : ArrivalsTally.decode(report.arrivals).result(tally.attempted),
  };
}

function stageOf({ n = 1, inFlight, stage }: FireOptions): object {
  return stage ?? (inFlight === undefined ? { burst: n } : { churn: { total: n, inFlight } });
}

/** What the row says, ms; NaN where it says nothing. */
export function rowMs(row: Readonly<Record<string, string>> | undefined, column: string): number {
  const cell = row?.[column] ?? '';
  return cell === '' ? Number.NaN : Number(cell) / 1000;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Lets the loop that both sides live in turn `count` times, at least 2 ms each: what is on its way arrives however long
 * the machine stops between two turns, which no pause by the clock can promise.
 */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await pause(2);
}

export interface FireAtOptions extends FireOptions, ServeOptions {
  /** What the server must have seen before it is closed; it may take its time. */
  readonly seen?: () => boolean;
}

/** Serves, fires at it, and closes, whatever happens. */
export async function fireAt(handler: (socket: net.Socket) => void, options: FireAtOptions = {}): Promise<Fired> {
  const server = await serve(handler, options);
  try {
    const fired = await fire(server.url, options);
    for (let tries = 0; options.seen !== undefined && !options.seen() && tries < 1000; tries++) await pause(2);
    return fired;
  } finally {
    await server.close();
  }
}
