/**
 * The process as a value: streams, environment, signals, sizes and clocks. The only file that touches `process`, so
 * that tests can run every other part in-process with a host of their own.
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
  /** The exit code of the process once nothing is left to do. */
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

/** Calls `listener` when this thread ends, also after an uncaught error, until the returned function is called. */
export function onThreadExit(listener: () => void): () => void {
  process.on('exit', listener);
  return () => process.off('exit', listener);
}

/** Runs `call` after the ticks that are already queued, and before any I/O or timer. */
export function nextTick<T>(call: (value: T) => void, value: T): void {
  process.nextTick(call, value);
}

/** Ends a process that was started as the leader of a group of its own, and what it has started. */
export function endProcessGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
