/**
 * Runs a plan for a command: reads the files it names, shows progress, writes results as they come, prints the summary,
 * answers signals. What to run is the command's business, how it runs the engine's. What is not needed before the first
 * burst is loaded when it is: every file read before it delays it.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { EXIT, type ExitCode, UserError } from '../errors.js';
import type { Director } from '../fire/find.js';
import { portsPerSource, readMachine } from '../fire/limits.js';
import type { Fault } from '../fire/messages.js';
import { type RunOptions, runPlan } from '../fire/run.js';
import type { Host } from '../host.js';
import { type Draft, supplied } from '../plan/draft.js';
import { planNeeds } from '../plan/needs.js';
import { findStageOf, type Inputs, type Plan } from '../plan/plan.js';
import { compilePlan } from '../plan/profile.js';
import { maskPlan } from '../plan/secrets.js';
import { type Progress, progressMode, startProgress } from '../report/progress.js';
import { terminalOf } from '../report/style.js';
import { openOutputs } from '../report/writer.js';
import type { SearchState } from '../search/state.js';
import { assembleResult, type Heading, type RunRecord } from '../tally/assemble.js';
import { writeResult } from '../tally/document.js';
import type { Result } from '../tally/result.js';
import type { Resumed } from './find.js';
import { type Flags, listFlag, switchFlag, textFlag } from './options.js';
import { EXPRESSION_CHECKS } from './profile-flags.js';
import { version } from './version.js';

/**
 * Runs what `draft` comes to as command `name`. Paths in it are relative to `folder`. `resume` finds what an earlier
 * process left of a search.
 */
export async function execute(
  name: string,
  draft: Draft,
  folder: string,
  flags: Flags,
  host: Host,
  resume: (plan: Plan) => Resumed | null = () => null,
): Promise<ExitCode> {
  const outside = { env: host.env, read: (file: string) => readText(file, folder) };
  const { profile, inputs } = supplied(draft, EXPRESSION_CHECKS, outside);
  const plan = compilePlan(profile);
  // What does not fit together is said before anything is opened, or forecast.
  const resumed = resume(plan);
  const director = await directorFor(plan, resumed?.state ?? null);
  if (switchFlag(flags, 'dry-run') === true) return dryRun(plan, flags, host);
  const search = { director, earlier: resumed?.earlier ?? null };
  const { result: measured, problems } = await measure(name, plan, inputs, flags, host, search);
  // A file that was asked for and is not there must not look like success to a script; what was measured is still shown.
  const result = problems.length > 0 ? { ...measured, exitCode: EXIT.internal } : measured;
  const terminal = terminalOf(host.stdout, host.env, { noColor: switchFlag(flags, 'color') === false });
  const isJson = switchFlag(flags, 'json') === true;
  const verbose = switchFlag(flags, 'verbose') === true;
  if (isJson) await write(host, writeResult(result));
  else {
    const { renderSummary } = await import('../report/summary.js');
    await write(host, renderSummary(result, terminal, { verbose }));
  }
  return result.exitCode as ExitCode;
}

export interface Measured {
  readonly result: Result;
  /** Files that could not be written, one sentence each. */
  readonly problems: readonly string[];
}

/** Of the plan's search, where it has one. @throws UserError `find` */
async function directorFor(plan: Plan, saved: SearchState | null): Promise<Director | null> {
  if (findStageOf(plan.stages) === null) return null;
  const { directorOf } = await import('./find-director.js');
  return directorOf(plan, saved);
}

/** The result so far with what it is likely to mean. */
async function diagnosed(heading: Heading, record: RunRecord): Promise<Result> {
  const { withDiagnosis } = await import('../diagnose/diagnose.js');
  return withDiagnosis(assembleResult(heading, record));
}

/** What a person should know of a search before it sends anything. */
async function announce({ stages, calibrate }: Plan, progress: Progress): Promise<void> {
  const stage = findStageOf(stages);
  if (stage === null) return;
  const { searchOptionsOf } = await import('./find-director.js');
  const { limitsText } = await import('../report/search-cost.js');
  progress.note(`the search ends after ${limitsText(searchOptionsOf(stage))}`);
  if (calibrate || (stage.p95Ms === null && stage.p99Ms === null)) return;
  progress.warn("without calibration this generator's own delay may be what misses a latency objective");
}

/** Fires the plan and leaves its files behind. */
export async function measure(
  name: string,
  plan: Plan,
  inputs: Inputs,
  flags: Flags,
  host: Host,
  search: Pick<RunOptions, 'director' | 'earlier'> | null = null,
): Promise<Measured> {
  const attempts = textFlag(flags, 'attempts') ?? null;
  const outputs = openOutputs({ results: listFlag(flags, 'output') ?? [], attempts }, { cwd: host.cwd, pid: host.pid });
  const terminal = terminalOf(host.stderr, host.env, { noColor: switchFlag(flags, 'color') === false });
  const mode = progressMode(host, {
    noProgress: switchFlag(flags, 'progress') === false,
    quiet: switchFlag(flags, 'quiet'),
  });
  const progress = startProgress(host, { enabled: mode, terminal });
  const heading = { version: version(), command: name, plan: maskPlan(plan) };
  await announce(plan, progress);
  const signals = listenForSignals(host, (text) => progress.note(text));
  let shown = -1;
  try {
    const record = await runPlan(plan, inputs, {
      host,
      version: heading.version,
      signal: signals.signal,
      wantRows: attempts !== null,
      ...(search ?? { director: await directorFor(plan, null) }),
      fault: testFault(host),
      workerHeapMb: numberFrom(host.env.WST_WORKER_HEAP_MB) ?? undefined,
      observer: {
        progress: (news) => {
          if (news.of > 0 && news.index !== shown) {
            shown = news.index;
            const kind = news.phase === 'churning' ? 'churn' : 'burst';
            progress.burst({ index: news.index, bursts: news.of, size: news.size ?? 0, kind });
          }
          progress.update({ ...news, size: news.size ?? 0 });
        },
        preflight: (found) => {
          if (switchFlag(flags, 'verbose') === true) progress.note(`preflight: ${JSON.stringify(found.outcomes)}`);
        },
        rows: (rows) => outputs.rows(rows),
        burst: async (_burst, soFar: RunRecord) => {
          outputs.commitRows();
          outputs.write(await diagnosed(heading, soFar));
        },
        save: async (soFar) => outputs.write(await diagnosed(heading, soFar)),
        note: (text) => progress.warn(text),
        transport: (text) => progress.note(`transport node, ${text}`),
      },
    });
    const result = await diagnosed(heading, record);
    // Rows of an earlier run must not be taken for those of one that fired nothing.
    if (result.bursts.length === 0) outputs.commitRows();
    outputs.write(result);
    outputs.close();
    return { result, problems: outputs.problems };
  } finally {
    progress.stop();
    signals.stop();
    outputs.close();
    for (const problem of outputs.problems) progress.warn(problem);
  }
}

/** @throws UserError that says what is wrong with the file; where it was named is told by whoever asked. */
export function readText(file: string, folder: string): string {
  const path = resolve(folder, file);
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    const looked = path === file ? '' : `; looked for ${path}`;
    const message = code === 'ENOENT' ? `there is no file ${file}${looked}` : `${file} can't be read (${code})`;
    throw new UserError(message, { code: 'file' });
  }
}

async function dryRun(plan: Plan, flags: Flags, host: Host): Promise<ExitCode> {
  const machine = readMachine();
  const terminal = terminalOf(host.stdout, host.env, { noColor: switchFlag(flags, 'color') === false });
  const facts = {
    fds: machine.fds,
    portsPerSource: portsPerSource(machine),
    memoryMb: machine.memoryFree === null ? null : Math.floor(machine.memoryFree / 2 ** 20),
    cpus: machine.cpus,
    somaxconn: machine.somaxconn,
  };
  const { searchForecast } = await import('./find-director.js');
  const { renderDryRun } = await import('../report/dry-run.js');
  const search = searchForecast(plan);
  await write(host, renderDryRun(maskPlan(plan), planNeeds(plan), facts, { ...terminal, search }));
  return EXIT.ok;
}

/** First signal: stop launching, keep what was measured. Second: leave at once. */
export function listenForSignals(host: Host, note: (text: string) => void): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const stop = host.onSignal((name) => {
    if (controller.signal.aborted) host.exit(name === 'SIGINT' ? EXIT.sigint : EXIT.sigterm);
    note('stopping: closing what is open, the result so far follows (again: leave at once)');
    controller.abort(name);
  });
  return { signal: controller.signal, stop };
}

/** Resolves when the text is out, so that no exit cuts it short; a closed pipe ends quietly (cli.ts). */
export function write(host: Host, text: string): Promise<void> {
  return new Promise((resolve) => {
    host.stdout.write(text.endsWith('\n') ? text : `${text}\n`, () => resolve());
  });
}

/** `WST_FAULT=throw:1:200`: worker 1 dies 200 ms after the release. For tests of what follows. */
function testFault(host: Host): Fault | null {
  const match = /^(throw|memory):(\d+):(\d+)$/.exec(host.env.WST_FAULT ?? '');
  if (match === null) return null;
  return { kind: match[1] as Fault['kind'], worker: Number(match[2]), afterMs: Number(match[3]) };
}

function numberFrom(text: string | undefined): number | null {
  return text === undefined || text === '' ? null : Number(text);
}
