/**
 * Whole processes as a benchmark sees them: CPU time of a process and all its descendants by the kernel's own account,
 * and the targets that all rivals are measured against in one run.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { startTarget as startBareTarget } from '../gateways/target.js';

/** What runs longer than this hangs. Seconds. */
const PATIENCE_S = 400;

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** User and system time of the whole process tree, seconds. */
  readonly cpuS: number;
  readonly wallMs: number;
  /** When it was started, ms since the Unix epoch. */
  readonly startedAt: number;
}

/**
 * `times` of a shell counts every descendant that was waited for (POSIX); its second line is that of the children. It has
 * a pipe of its own, since a descendant that nobody waited for may still be talking.
 */
const SCRIPT = `timeout --foreground ${PATIENCE_S} "$@" 3>&-; code=$?; times >&3; exit $code`;

export async function timed(command: readonly string[]): Promise<Ran> {
  const startedAt = Date.now();
  const begun = performance.now();
  const child = spawn('sh', ['-c', SCRIPT, 'sh', ...command], { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  const [stdout, stderr, account] = await Promise.all(
    [child.stdout, child.stderr, child.stdio[3]].map((stream) => textOf(stream as Readable)),
  );
  await closed;
  const wallMs = performance.now() - begun;
  const parts = [...(account.trimEnd().split('\n').at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds),
  );
  if (parts.length !== 2) throw new Error(`no times from the shell after ${command.join(' ')}: ${stderr}`);
  return { code: child.exitCode, stdout, stderr, cpuS: parts[0] + parts[1], wallMs, startedAt };
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
  /** Upgrades that it has answered since it was started: what a client says of itself is not believed. */
  handshakes(): Promise<number>;
  stop(): Promise<void>;
}

type Bare = Pick<Target, 'port' | 'handshakes' | 'stop'>;

const PORT = 19_417;

/** The reference server where one is named, else the bare target of the tests; each in a process of its own. */
export async function startTarget(reference: string | null): Promise<Target> {
  const bare = reference === null ? await startBare() : await startReference(reference);
  let calls = 0;
  const host = () => `127.0.0.${2 + (calls++ % 200)}`;
  return { ...bare, host, url: () => `ws://${host()}:${bare.port}/` };
}

async function startBare(): Promise<Bare> {
  const target = await startBareTarget('0.0.0.0');
  const handshakes = async () => (await target.report()).handshakes;
  return { port: target.port, handshakes, stop: () => target.stop() };
}

async function startReference(program: string): Promise<Bare> {
  const child = spawn(program, [`${PORT}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const failed = exited.then(() => {
    throw new Error(`${program} ended before it listened on ${PORT}`);
  });
  await Promise.race([once(createInterface({ input: child.stdout }), 'line'), failed]);
  failed.catch(() => {});
  return {
    port: PORT,
    handshakes: async () =>
      (JSON.parse(await textAt(`http://127.0.0.1:${PORT}/__stats`)) as { upgrades: number }).upgrades,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function textAt(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (answer) => void textOf(answer).then(resolve, reject)).once('error', reject);
  });
}
