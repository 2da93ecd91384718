/**
 * Runs a plan for a command: reads the files it names, has it measured, prints the summary. The command decides what to
 * run. Modules that are not needed before the first burst are imported later, because each one delays it.
 */
import { resolve } from 'node:path';
import { readMachine } from '../engine/machine/machine.js';
import { knownWays } from '../engine/run/machine-needs.js';
import { guardLiteral } from '../engine/run/resolve.js';
import { type WorkerPool, withWorkers } from '../engine/threads/worker-pool.js';
import { EXIT, type ExitCode } from '../errors.js';
import type { Host } from '../host.js';
import { compileTarget } from '../plan/attempt-texts.js';
import { planNeeds } from '../plan/needs.js';
import { findStageOf, type Plan } from '../plan/plan.js';
import { maskPlan } from '../plan/plan-record.js';
import { type Draft, supplied } from '../plan/profile/draft.js';
import { compilePlan } from '../plan/profile/profile.js';
import type { InputFile } from '../report/files/destination.js';
import { terminalOf } from '../report/terminal/style.js';
import type { Director } from '../search/engine-interface.js';
import type { SearchState } from '../search/state.js';
import { write } from './console.js';
import { inputFilesOf, readText } from './input-files.js';
import type { Measured } from './measure.js';
import { type Flags, listFlag, switchFlag, textFlag } from './option-tables.js';
import { printResult, type StandardOutput, standardOutputOf } from './output/standard-output.js';
import type { Resumed } from './resume.js';

/**
 * Runs the plan in `draft` as command `name`. Paths in it are relative to `folder`.
 * @param read files that were read before; no output may replace them
 */
export async function execute(
  name: string,
  draft: Draft,
  folder: string,
  flags: Flags,
  host: Host,
  read: readonly InputFile[] = [],
): Promise<ExitCode> {
  const outside = { env: host.env, read: (file: string) => readText(file, folder) };
  const { profile, inputs } = supplied(draft, outside);
  const plan = compilePlan(profile);
  const stdout = standardOutputOf(flags, [name], host);
  // Contradictions are reported before any file is opened or any cost forecast.
  const resumed = await resumedBy(flags, plan, host);
  const director = await directorFor(plan, resumed?.state ?? null);
  if (switchFlag(flags, 'dry-run') === true) return dryRun(plan, flags, host);
  const machine = readMachine();
  const workerHeapMb = heapFrom(host.env.WST_WORKER_HEAP_MB);
  const files = {
    inputs: [...read, ...sessionFile(flags, plan, host), ...inputFilesOf(plan, folder)],
    earlier: resumed?.earlier.bursts ?? null,
    stdout,
  };
  // Printed before the threads are ended: a second Ctrl-C does not wait for them.
  const measured = async (workers: WorkerPool): Promise<ExitCode> => {
    // The threads start while this thread still loads modules.
    workers.startEarly();
    const { earlier = null, remark = null } = resumed ?? {};
    const given = { director, earlier, remark, machine, generators: workers };
    const { measure } = await import('./measure.js');
    const shown = (outcome: Measured) => show(outcome, stdout, flags, host);
    const code = await measure(name, plan, inputs, flags, host, { ...given, files }, shown);
    // The result is out; only the threads are still to be ended.
    host.onSignal(() => host.exit(code));
    return code;
  };
  return withWorkers(plan, machine, measured, workerHeapMb);
}

function show(
  { result: measured, problems }: Measured,
  stdout: StandardOutput,
  flags: Flags,
  host: Host,
): Promise<ExitCode> {
  // If a requested file could not be written, a script must not see success; the measurement is still shown.
  const result = problems.length > 0 ? { ...measured, exitCode: EXIT.internal } : measured;
  const verbose = switchFlag(flags, 'verbose') === true;
  return printResult(result, stdout, flags, host, async (terminal) => {
    const { renderSummary } = await import('../report/terminal/summary.js');
    return renderSummary(result, terminal, { verbose });
  });
}

function sessionFile(flags: Flags, { session: { script } }: Plan, host: Host): InputFile[] {
  const file = textFlag(flags, 'session');
  if (file === undefined || script === null || script.name !== null) return [];
  return [{ what: `--session ${file}`, path: resolve(host.cwd, file) }];
}

/** The state of the search from an earlier process; null: start anew. @throws UserError `resume` */
async function resumedBy(flags: Flags, plan: Plan, host: Host): Promise<Resumed | null> {
  const file = textFlag(flags, 'resume');
  if (file === undefined) return null;
  const { resumedFrom } = await import('./resume.js');
  return resumedFrom(file, plan, host);
}

/** The director of the plan's search, if it has one. @throws UserError `find` */
async function directorFor(plan: Plan, saved: SearchState | null): Promise<Director | null> {
  if (findStageOf(plan.stages) === null) return null;
  const { directorOf } = await import('./find-director.js');
  return directorOf(plan, saved);
}

async function dryRun(plan: Plan, flags: Flags, host: Host): Promise<ExitCode> {
  const machine = readMachine();
  const terminal = terminalOf(host.stdout, host.env, { noColor: switchFlag(flags, 'color') === false });
  const ground = { machine, ways: knownWays(plan, machine) };
  const { searchForecast } = await import('./find-director.js');
  const { isOutOfReach, renderDryRun } = await import('../report/terminal/dry-run.js');
  const search = searchForecast(plan);
  const consent = listFlag(flags, 'allow-host') ?? [];
  const environment = compileTarget(plan).envNames;
  const record = maskPlan(plan);
  const needs = planNeeds(plan);
  await write(host, renderDryRun(record, needs, ground, { ...terminal, search, consent, environment }));
  guardLiteral(plan, consent);
  return isOutOfReach(record, needs, ground) ? EXIT.invalid : EXIT.ok;
}

/** For tests. */
function heapFrom(text: string | undefined): number | undefined {
  return text === undefined || text === '' ? undefined : Number(text);
}
