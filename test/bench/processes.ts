/**
 * Whole processes as a benchmark sees them: CPU time of a process and all its descendants by the kernel's own account,
 * and the targets that all rivals are measured against in one run.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { startTarget as startBareTarget } from '../gateways/target.js';

export interface Ran {
  readonly stdout: string;
  /** User and system time of the whole process tree, seconds. */
  readonly cpuS: number;
  readonly wallMs: number;
  /** When it was started, ms since the Unix epoch. */
  readonly startedAt: number;
}

/** `times` of a shell counts every descendant that was waited for (POSIX); its last line is that of the children. */
export async function timed(command: readonly string[]): Promise<Ran> {
  const startedAt = Date.now();
  const begun = performance.now();
  const child = spawn('sh', ['-c', '"$@"; times >&2', 'sh', ...command], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = await Promise.all([textOf(child.stdout), textOf(child.stderr), once(child, 'close')]);
  const wallMs = performance.now() - begun;
  const last = stderr.trimEnd().split('\n').at(-1) ?? '';
  const parts = [...last.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds),
  );
  if (parts.length !== 2) throw new Error(`no times from the shell after ${command.join(' ')}: ${stderr}`);
  return { stdout, cpuS: parts[0] + parts[1], wallMs, startedAt };
}

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const part of stream.setEncoding('utf8')) text += part;
  return text;
}

export interface Target {
  readonly port: number;
  /** `ws://127.0.0.K:PORT/`, another K at every call: TIME_WAIT pairs of one run must not slow the next. */
  url(): string;
  host(): string;
  stop(): Promise<void>;
}

const PORT = 19_417;

/** The reference server where one is named, else the bare target of the tests; each in a process of its own. */
export async function startTarget(reference: string | null): Promise<Target> {
  const { port, stop } = reference === null ? await startBareTarget('0.0.0.0') : await startReference(reference);
  let calls = 0;
  const host = () => `127.0.0.${2 + (calls++ % 200)}`;
  return { port, host, url: () => `ws://${host()}:${port}/`, stop };
}

async function startReference(program: string): Promise<Pick<Target, 'port' | 'stop'>> {
  const child = spawn(program, [`${PORT}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const failed = exited.then(() => {
    throw new Error(`${program} ended before it listened on ${PORT}`);
  });
  await Promise.race([once(createInterface({ input: child.stdout }), 'line'), failed]);
  failed.catch(() => {});
  return {
    port: PORT,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
