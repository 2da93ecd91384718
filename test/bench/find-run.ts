/**
 * One search of the benchmark: starts the target, asks the command line as a user would, and keeps what it answered.
 * Nothing here judges the answer.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import type { DropOff } from '#dist/result/drop-off.js';
import { type RunOptions, resultOf, wstampede } from '../cli.js';
import type { FindCase, FindRun } from './find-case.js';

/** The longest search takes some minutes. */
const PATIENCE_MS = 1_200_000;
/** It computes until its parent is gone, and not for ever. */
const HOG =
  'const parent = process.ppid, end = Date.now() + 600_000; while (process.ppid === parent && Date.now() < end);';

/** @param keep where the whole result is kept; null: nowhere */
export async function runCase(one: FindCase, run: number, keep: string | null): Promise<FindRun> {
  const begun = Date.now();
  const blank: FindRun = {
    ...{ name: one.name, run, startedAt: new Date(begun).toISOString() },
    ...{ verdict: null, exitCode: null, truth: null, by: null, estimate: null },
    ...{ bracket: [null, null], interval95: [null, null], confidence: 0, flags: [], because: '', ladder: '' },
    ...{ bursts: 0, handshakes: 0, seconds: 0, fault: null },
  };
  try {
    const found = await searched(one, run, keep);
    return { ...blank, ...found, seconds: (Date.now() - begun) / 1000 };
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error);
    return { ...blank, seconds: (Date.now() - begun) / 1000, fault };
  }
}

async function searched(one: FindCase, run: number, keep: string | null): Promise<Partial<FindRun>> {
  const door = await one.start(run);
  const hogs = one.hogs === true ? os.cpus().map(startHog) : [];
  try {
    const args = ['find', door.url, '--preset', 'quick', ...one.flags, '--json'];
    const ran = await wstampede(args, optionsOf(one));
    const result = resultOf(ran);
    if (keep !== null) {
      mkdirSync(keep, { recursive: true });
      writeFileSync(join(keep, `${one.name}-${run}.json`), `${JSON.stringify(result, null, 2)}\n`);
    }
    if (result.dropOff === null) throw new Error(`no search: exit ${ran.code}, ${ran.stderr}`);
    const truth = await door.truth();
    return { ...rowOf(result.dropOff), exitCode: ran.code, truth: truth?.size ?? null, by: truth?.by ?? null };
  } finally {
    await Promise.all(hogs.map(endHog));
    await door.stop();
  }
}

function optionsOf({ descriptors }: FindCase): RunOptions {
  if (descriptors === undefined) return { patienceMs: PATIENCE_MS };
  const line = `ulimit -n ${descriptors} && exec "$@"`;
  return { patienceMs: PATIENCE_MS, wrapper: (command) => ['bash', '-c', line, 'bash', ...command] };
}

function rowOf(dropOff: DropOff): Partial<FindRun> {
  const { verdict, estimate, bracket, interval95, confidence, because, cost, flags, ladder } = dropOff;
  return {
    ...{ verdict, estimate, bracket, interval95, confidence, because },
    flags: flags.map(({ id }) => id),
    ladder: ladder.map((rung) => `${rung.size}:${rung.good}/${rung.marginal}/${rung.bad}/${rung.invalid}`).join(' '),
    bursts: cost.bursts,
    handshakes: cost.handshakes,
  };
}

function startHog(): ChildProcess {
  return spawn(process.execPath, ['-e', HOG], { stdio: 'ignore' });
}

async function endHog(hog: ChildProcess): Promise<void> {
  if (hog.exitCode !== null || hog.signalCode !== null) return;
  const gone = once(hog, 'exit');
  hog.kill('SIGKILL');
  await gone;
}
