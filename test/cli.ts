/**
 * Runs the command line as a user's shell does: a process of its own, streams apart, an exit code. What `--json` prints is
 * parsed strictly and judged by the published schema and by the sums that must hold, so that every test of a run is also
 * one of its document.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type SpawnedLab, spawnLab } from '#dist/lab/spawn.js';
import type { Result } from '#dist/result/result.js';

/** The root of the repository; this file runs from test/.out. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** A run that takes longer than this hangs: it is killed, and its code is null. */
const PATIENCE_MS = 90_000;

export interface RunOptions {
  /** Beside the cleaned environment of the tests; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** What starts the program, e.g. a shell with a limit; the default is Node itself. */
  readonly wrapper?: (command: readonly string[]) => readonly string[];
  readonly cli?: string;
  /** How long it may take; default 90 s. */
  readonly patienceMs?: number;
}

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Start to exit. */
  readonly ms: number;
}

export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly done: Promise<Ran>;
  /** Resolves with the text of stderr so far once it matches; rejects when the program ends before. */
  stderrHas(pattern: RegExp): Promise<string>;
}

/** Starts `wstampede` with `args` and lets it run. */
export function start(args: readonly string[], options: RunOptions = {}): Running {
  const command = [process.execPath, options.cli ?? CLI, ...args];
  const [program, ...rest] = options.wrapper === undefined ? command : options.wrapper(command);
  const begun = Date.now();
  const child = spawn(program, rest, {
    cwd: options.cwd ?? ROOT,
    env: cleanEnv(options.env ?? {}),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), options.patienceMs ?? PATIENCE_MS);
  let stdout = '';
  let stderr = '';
  let changed: () => void = () => {};
  let isOver = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    changed();
  });
  const done = new Promise<Ran>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      isOver = true;
      changed();
      resolve({ code, signal, stdout, stderr, ms: Date.now() - begun });
    });
  });
  return {
    child,
    pid: child.pid ?? 0,
    done,
    stderrHas: async (pattern) => {
      while (!pattern.test(stderr)) {
        if (isOver) throw new Error(`ended without ${pattern} on stderr: ${stderr}`);
        await new Promise<void>((resolve) => {
          changed = resolve;
        });
      }
      return stderr;
    },
  };
}

/** Runs `wstampede` with `args` to its end. */
export function wstampede(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return start(args, options).done;
}

/** A target of the lab that is stopped with the test, however that ends. */
export async function labFor(
  t: TestContext,
  name: string,
  options: Readonly<Record<string, string | number | boolean>> = {},
): Promise<SpawnedLab> {
  const lab = await spawnLab(name, options);
  t.after(() => lab.stop().catch(() => {}));
  return lab;
}

/** Looks every 20 ms until `condition` holds. @throws AssertionError after half a minute: then it never will. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `waited in vain: ${what}`);
    await sleep(20);
  }
}

/** What the tests' own surroundings say must not reach the program: its flags, colours, CI, the test runner's channel. */
function cleanEnv(extra: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  const unwanted = /^(WSTAMPEDE_|WST_|NODE_TEST_|NODE_OPTIONS$|NO_COLOR$|FORCE_COLOR$|CI$|COLUMNS$|npm_)/;
  const kept = Object.entries(process.env).filter(([name]) => !unwanted.test(name));
  return { ...Object.fromEntries(kept), ...extra };
}

const schema = JSON.parse(readFileSync(`${ROOT}profiles/result.schema.json`, 'utf8')) as object;
const isResult = new Ajv2020({ allErrors: true, strict: false }).compile<Result>(schema);

/** The one document of `--json`: valid by the schema, adding up, and told the same exit code as the shell. */
export function resultOf(ran: Ran): Result {
  assert.notEqual(ran.stdout, '', `nothing on stdout (exit ${ran.code}): ${ran.stderr}`);
  const result = checkedResult(ran.stdout);
  assert.equal(result.exitCode, ran.code, `exit codes of document and process\n${ran.stderr}`);
  return result;
}

/** A document of `--json` or `-o`, checked. */
export function checkedResult(text: string): Result {
  const value: unknown = JSON.parse(text);
  if (!isResult(value)) assert.fail(`not by the schema: ${JSON.stringify(isResult.errors?.slice(0, 5))}`);
  for (const counted of [...value.bursts, value.totals, ...(value.preflight === null ? [] : [value.preflight])]) {
    assert.equal(counted.attempted, sum(counted.outcomes), 'attempted = sum of outcomes');
  }
  assert.equal(
    value.totals.attempted,
    value.bursts.reduce((all, burst) => all + burst.attempted, 0),
    'totals = sum of bursts',
  );
  return value;
}

export function sum(outcomes: Readonly<Record<string, number>>): number {
  return Object.values(outcomes).reduce((all, count) => all + count, 0);
}
