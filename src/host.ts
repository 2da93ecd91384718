/**
 * The process as a value: streams, environment, signals, sizes and clocks. The only file that touches `process`, so that
 * every other part can be run in-process by a test with a host of the test's own making.
 */
import process from 'node:process';
import type { Readable, Writable } from 'node:stream';
import { type ExitCode, SIGNALS, type SignalName } from './errors.js';

export interface Host {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly pid: number;
  readonly platform: string;
  readonly nodeVersion: string;
  /** Calls `listener` on every SIGHUP, SIGINT and SIGTERM until the returned function is called. */
  onSignal(listener: (signal: SignalName) => void): () => void;
  /** Ends the process at once. */
  exit(code: ExitCode): never;
  /** The code with which the process ends when nothing is left to do. */
  setExitCode(code: ExitCode): void;
}

/** The real process. */
export function processHost(): Host {
  return {
    argv: process.argv.slice(2),
    env: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    pid: process.pid,
    platform: `${process.platform}-${process.arch}`,
    nodeVersion: process.version,
    onSignal(listener) {
      const handlers = SIGNALS.map((signal) => () => listener(signal));
      SIGNALS.forEach((signal, i) => {
        process.on(signal, handlers[i]);
      });
      return () => {
        SIGNALS.forEach((signal, i) => {
          process.off(signal, handlers[i]);
        });
      };
    },
    exit: (code) => process.exit(code),
    setExitCode: (code) => {
      process.exitCode = code;
    },
  };
}

/** CLOCK_MONOTONIC in ms: one base for all threads and processes of a machine, unlike `performance.now()`. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Calls `listener` when this thread ends, also by an error that nobody caught, until the returned function is called. */
export function onThreadExit(listener: () => void): () => void {
  process.on('exit', listener);
  return () => process.off('exit', listener);
}

/** Runs `call` when the ticks queued before it are done and before anything else happens. */
export function nextTick<T>(call: (value: T) => void, value: T): void {
  process.nextTick(call, value);
}
