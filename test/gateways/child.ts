/**
 * Processes that a test starts beside the program under test: scripts of the tests' own, and gateways. Each is stopped by
 * the one who started it, and what it says on stderr is kept for the message of a failed assertion.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** A process that does not do within this what it was asked to is taken to hang. */
const PATIENCE_MS = 20_000;
/** Ports of the tests' own gateways: below the ephemeral ones, and below those that the lab picks from. */
const PORT_FIRST = 10_000;
const PORT_COUNT = 10_000;
const PORT_TRIES = 64;

export interface Child {
  readonly pid: number;
  /** The next line of its stdout. Rejects when it ends or hangs instead. */
  line(): Promise<string>;
  /** Asks it something on its stdin. */
  say(line: string): void;
  /** Closes its stdin, upon which it ends. */
  stop(): Promise<void>;
}

/** Starts a script of test/gateways that lives until its stdin is closed. */
export function startScript(name: string, args: readonly string[]): Child {
  const child = fork(fileURLToPath(new URL(`./${name}.js`, import.meta.url)), args, {
    stdio: ['pipe', 'pipe', 'inherit', 'ipc'],
    // Flags of the test runner are none of the child's.
    execArgv: [],
  });
  child.channel?.unref();
  child.stdin?.on('error', () => {});
  const lines = createInterface({ input: child.stdout as Readable })[Symbol.asyncIterator]();
  return {
    pid: child.pid ?? 0,
    async line() {
      const next = await withPatience(child, lines.next());
      if (next.done === true) throw new Error(`${name} ended without a word`);
      return next.value;
    },
    say: (line) => child.stdin?.write(`${line}\n`),
    async stop() {
      if (hasEnded(child)) return;
      child.stdin?.end();
      await withPatience(child, once(child, 'exit'));
    },
  };
}

export interface Daemon {
  readonly pid: number;
  /** SIGTERM, and waits until it is gone. */
  stop(): Promise<void>;
}

export interface DaemonOptions {
  /** What it said, should it not start. */
  readonly complaints: () => string;
  /** Beside the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts a gateway in the foreground and waits until it listens on `ports` of 127.0.0.1.
 * @throws Error with its own words
 */
export async function startDaemon(
  command: readonly [program: string, ...args: string[]],
  stdio: readonly ['ignore', number | 'ignore', number | 'ignore'],
  ports: readonly number[],
  { complaints, env = {} }: DaemonOptions,
): Promise<Daemon> {
  const [program, ...args] = command;
  const child = spawn(program, args, { stdio: [...stdio], env: { ...process.env, ...env } });
  let failure: Error | null = null;
  child.once('error', (error) => {
    failure = error;
  });
  const until = Date.now() + PATIENCE_MS;
  const localPorts = await freePorts(ports.length);
  for (const [i, port] of ports.entries()) {
    while (!(await accepts(port, localPorts[i]))) {
      if (failure === null && !hasEnded(child) && Date.now() < until) continue;
      if (!hasEnded(child)) child.kill('SIGKILL');
      throw new Error(`${program} does not listen on ${port}: ${failure ?? ''} ${complaints()}`);
    }
  }
  return {
    pid: child.pid ?? 0,
    async stop() {
      if (hasEnded(child)) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await withPatience(child, gone);
    },
  };
}

/** Who was given a port may not listen on it yet. */
const given = new Set<number>();

/** `count` ports of 127.0.0.1 on which nothing listens now, and that were never given to anyone here. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < count; tries += 1) {
    if (tries > PORT_TRIES) throw new Error('found no free port');
    const port = PORT_FIRST + Math.floor(Math.random() * PORT_COUNT);
    if (given.has(port)) continue;
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen({ host: '127.0.0.1', port }, () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    given.add(port);
    found.add(port);
  }
  return [...found];
}

/** Polls until `read` gives something else than null; gives up with null. For what another process does in its own time. */
export async function eventually<T>(read: () => T | null, withinMs = PATIENCE_MS): Promise<T | null> {
  const until = Date.now() + withinMs;
  for (;;) {
    const value = read();
    if (value !== null || Date.now() >= until) return value;
    await pause(20);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** From a port that is not ephemeral: HAProxy logs a probe as a bad request, and a burst may have had the same port. */
async function accepts(port: number, localPort: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port, localPort });
  const opened = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  socket.destroy();
  if (!opened) await pause(20);
  return opened;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function withPatience<T>(child: ChildProcess, promise: Promise<T>): Promise<T> {
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}
