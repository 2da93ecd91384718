/**
 * Real servers as processes of a test: started on a fixed port of loopback in a folder of their own, asked how many
 * connections they have accepted, and ended by their id. Knows none of them by name.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { ROOT } from '../cli.js';
import { pause } from '../gateways/child.js';

/** Chromium on a busy machine takes ten seconds to listen. */
const PATIENCE_MS = 40_000;
const GRACE_MS = 5000;

/** The folder whose packages and scripts are not compiled. */
export const FOLDER = `${ROOT}test/servers/`;

export interface Place {
  readonly host: string;
  readonly port: number;
}

export interface Server {
  readonly place: Place;
  /** What a client must know to be let in; empty: nothing. */
  readonly secret: string;
  /** Accepted since it was started. */
  accepted(): Promise<number>;
  /** Its exit, or null while it lives. */
  ended(): string | null;
  /** The end of what it said. */
  said(): string;
  stop(): Promise<void>;
}

/** A script of this folder: it prints `ready SECRET`, tells its count for a line on stdin, and ends with its stdin. */
export async function startScript(program: string, script: string, name: string, place: Place): Promise<Server> {
  const log = logFile();
  const child = spawn(program, [FOLDER + script, name, place.host, `${place.port}`], {
    stdio: ['pipe', 'pipe', log.descriptor],
    env: childEnv(),
  });
  child.once('error', () => {});
  child.stdin?.on('error', () => {});
  const lines = createInterface({ input: child.stdout as Readable })[Symbol.asyncIterator]();
  let counted = 0;
  const line = async (): Promise<string> => {
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    const next = await lines.next();
    clearTimeout(timer);
    if (next.done === true) throw new Error(`${name} ended without a word: ${log.tail()}`);
    return next.value;
  };
  const started = await line().catch(async (error) => {
    await stop(child, log);
    throw error;
  });
  return {
    place,
    secret: started.replace(/^ready ?/, ''),
    async accepted() {
      if (endOf(child) === null) child.stdin?.write('count\n');
      // One that has died has accepted what it last said: that it has died is found by others.
      counted = Number(await line().catch(() => counted));
      return counted;
    },
    ended: () => endOf(child),
    said: log.tail,
    stop: () => stop(child, log),
  };
}

export interface ProgramOptions {
  /** How many it has accepted, by its log or by asking it. */
  readonly accepted: (log: string) => number | Promise<number>;
  readonly secret?: () => Promise<string>;
  /** Removed with it. */
  readonly folder: string;
}

/** A program that stays in the foreground: up once it listens. */
export async function startProgram(
  command: readonly [program: string, ...args: string[]],
  place: Place,
  { accepted, folder, secret }: ProgramOptions,
): Promise<Server> {
  const [program, ...args] = command;
  const log = logFile(folder);
  // What it prints reaches its log line by line: its count is read there.
  const child = spawn('stdbuf', ['-oL', program, ...args], {
    stdio: ['ignore', log.descriptor, log.descriptor],
    env: { ...childEnv(), PYTHONUNBUFFERED: '1' },
    cwd: folder,
  });
  child.once('error', () => {});
  const until = Date.now() + PATIENCE_MS;
  while (!(await isListening(place))) {
    if (endOf(child) === null && Date.now() < until) continue;
    const words = log.tail();
    await stop(child, log);
    throw new Error(`${program} does not listen on ${place.host}:${place.port}: ${words}`);
  }
  return {
    place,
    secret: (await secret?.()) ?? '',
    accepted: async () => accepted(log.text()),
    ended: () => endOf(child),
    said: log.tail,
    stop: () => stop(child, log),
  };
}

export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'wst-server-'));
}

interface Log {
  readonly descriptor: number;
  text(): string;
  tail(): string;
  remove(): void;
}

function logFile(folder = newFolder()): Log {
  const file = join(folder, 'log');
  const descriptor = openSync(file, 'a');
  const text = (): string => readFileSync(file, 'utf8');
  return {
    descriptor,
    text,
    tail: () => text().trimEnd().split('\n').slice(-3).join(' | ').slice(-600),
    remove() {
      closeSync(descriptor);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** What the tests' own surroundings say is none of a server's business. */
function childEnv(): NodeJS.ProcessEnv {
  const unwanted = /^(WSTAMPEDE_|WST_|NODE_TEST_|NODE_OPTIONS$|NO_COLOR$|FORCE_COLOR$|CI$|npm_)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !unwanted.test(name)));
}

async function isListening({ host, port }: Place): Promise<boolean> {
  const socket = connect({ host, port });
  const opened = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  socket.destroy();
  if (!opened) await pause(50);
  return opened;
}

function endOf(child: ChildProcess): string | null {
  if (child.pid === undefined) return 'it could not be started';
  if (child.signalCode !== null) return `signal ${child.signalCode}`;
  return child.exitCode === null ? null : `exit ${child.exitCode}`;
}

async function stop(child: ChildProcess, log: Log): Promise<void> {
  if (endOf(child) === null) {
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
    await gone;
    clearTimeout(timer);
  }
  log.remove();
}
