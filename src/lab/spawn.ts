/**
 * Starts a lab target in a separate process and returns its URL and, when it is stopped, its report. The child ends
 * when its standard input is closed.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { UserError } from '../errors.js';
import type { GatewayFiles } from './gateway/real-gateway.js';
import type { LabReport } from './server/ledger.js';

export interface SpawnedLab {
  readonly url: string;
  /** The real gateway's files, with the option `gateway`; the caller removes them. */
  readonly files: GatewayFiles | null;
  readonly pid: number;
  /**
   * Stops the target and returns its report; later calls return the same. Rejects when the child died without a report.
   */
  stop(): Promise<LabReport>;
}

/**
 * A child that has not started or stopped within this time is killed. Longer than any event loop that a target blocks
 * on purpose.
 */
const PATIENCE_MS = 20_000;
const STDERR_KEPT_CHARACTERS = 8192;

/** @throws UserError `lab` with the child's own message when it cannot start */
export async function spawnLab(
  name: string,
  options: Readonly<Record<string, string | number | boolean>>,
): Promise<SpawnedLab> {
  const child = fork(fileURLToPath(new URL('./main.js', import.meta.url)), [JSON.stringify({ name, options })], {
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    // The parent's flags (a test runner, an inspector) must not be passed on.
    execArgv: [],
  });
  // child_process.fork requires the channel; it is not used, and must not keep the process alive.
  child.channel?.unref();
  child.stdin?.on('error', () => {});
  let complaints = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-STDERR_KEPT_CHARACTERS);
  });

  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  const lines = linesOf(child);
  const url = await withPatience(child, lines.next());
  if (url === null) {
    await ended;
    throw new UserError(complaints.trim() || `lab ${name} did not start`, { code: 'lab' });
  }

  const said = options.gateway === undefined ? null : await withPatience(child, lines.next());
  const files = said === null ? null : (JSON.parse(said) as GatewayFiles);

  let report: Promise<LabReport> | null = null;
  const stop = async (): Promise<LabReport> => {
    child.stdin?.end();
    const line = await withPatience(child, lines.next());
    await ended;
    if (line === null) throw new Error(`lab ${name} ended without a report: ${complaints.trim()}`);
    return JSON.parse(line) as LabReport;
  };
  return {
    url,
    files,
    pid: child.pid ?? 0,
    stop: () => {
      report ??= stop();
      return report;
    },
  };
}

/** The child's lines one by one, null after the last. */
function linesOf(child: ChildProcess): { next(): Promise<string | null> } {
  const waiting: ((line: string | null) => void)[] = [];
  const had: string[] = [];
  let over = child.stdout === null;
  const finish = (): void => {
    over = true;
    for (const give of waiting.splice(0)) give(null);
  };
  if (child.stdout !== null) {
    createInterface({ input: child.stdout })
      .on('line', (line) => {
        const give = waiting.shift();
        if (give === undefined) had.push(line);
        else give(line);
      })
      .on('close', finish);
  }
  child.once('error', finish);
  return {
    next: () =>
      new Promise((resolve) => {
        const line = had.shift();
        if (line !== undefined || over) resolve(line ?? null);
        else waiting.push(resolve);
      }),
  };
}

/** Waits for a line; kills a child that takes too long, and then returns null. */
async function withPatience(child: ChildProcess, line: Promise<string | null>): Promise<string | null> {
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  try {
    return await line;
  } finally {
    clearTimeout(timer);
  }
}
