/**
 * Runs a plan with its outputs: opens them, passes the engine's reports to them, ends them, handles signals. The engine
 * runs the plan; the code that interprets a result is loaded when there is one.
 */
import type { Fault } from '../engine/load/generators.js';
import { knownWays } from '../engine/run/machine-needs.js';
import { runPlan } from '../engine/run/run-plan.js';
import type { RunObserver, RunSetup } from '../engine/run/run-setup.js';
import type { Host } from '../host.js';
import { fixedSockets } from '../plan/needs.js';
import { findStageOf, type Inputs, type Plan } from '../plan/plan.js';
import { resourcesOf } from '../plan/resources.js';
import type { RunOutputs } from '../report/outputs/run-outputs.js';
import type { Result } from '../result/result.js';
import { assembleResult, type Heading, type RunRecord, unfinished } from '../tally/assemble.js';
import { listenForSignals } from './console.js';
import { type Flags, listFlag, switchFlag, textFlag } from './option-tables.js';
import { type OtherFiles, openOutputs } from './output/open-outputs.js';
import { Pace } from './output/pace.js';
import { version } from './version.js';

export interface Measured {
  readonly result: Result;
  /** Files that could not be written, one sentence each. */
  readonly problems: readonly string[];
}

/** The plan's search, if it has one, and what exists before the run begins. */
interface Given extends Pick<RunSetup, 'director' | 'earlier' | 'machine' | 'generators'> {
  readonly files: OtherFiles;
  /** What to know about the file that a search is resumed from. */
  readonly remark?: string | null;
}

/**
 * Runs the plan and writes its files.
 * @param show prints the result; signals are still handled meanwhile, so that a second one does not cut it short
 */
export async function measure<T>(
  name: string,
  plan: Plan,
  inputs: Inputs,
  flags: Flags,
  host: Host,
  { files, remark = null, ...given }: Given,
  show: (measured: Measured) => Promise<T>,
): Promise<T> {
  const outputs = await openOutputs(name, flags, host, files);
  const signals = listenForSignals(host, { note: (text) => outputs.note(text), leave: () => outputs.close() });
  signals.signal.addEventListener('abort', loadWhatTells);
  const heading = { version: version(), command: name, plan };
  const wantsRows = textFlag(flags, 'attempts') !== undefined;
  const fired = async (): Promise<Result> => {
    if (remark !== null) outputs.note(remark);
    await announce(plan, given, outputs);
    const record = await runPlan(plan, inputs, {
      host,
      version: heading.version,
      signal: signals.signal,
      hurry: signals.hurry,
      wantRows: wantsRows,
      consent: listFlag(flags, 'allow-host') ?? [],
      ...given,
      dropBy: textFlag(flags, 'drop-by') ?? null,
      fault: testFault(host),
      observer: observerOf(outputs, heading, {
        isVerbose: switchFlag(flags, 'verbose') === true,
        hasFiles: wantsRows || (listFlag(flags, 'output') ?? []).length > 0,
      }),
    });
    const result = await diagnosed(heading, record);
    await outputs.end(result);
    return result;
  };
  const kept = async (): Promise<Measured> => {
    try {
      return { result: await fired(), problems: outputs.problems };
    } finally {
      outputs.close();
      for (const problem of outputs.problems) outputs.warn(problem);
    }
  };
  try {
    return await show(await kept());
  } finally {
    signals.stop();
  }
}

/** Passes the engine's reports to the outputs. */
function observerOf(
  outputs: RunOutputs,
  heading: Heading,
  { isVerbose, hasFiles }: { readonly isVerbose: boolean; readonly hasFiles: boolean },
): RunObserver {
  const pace = new Pace();
  return {
    progress: (news) => outputs.interval(news),
    rows: (rows) => outputs.rows(rows),
    burst: async (burst, record) => {
      await outputs.ended(burst);
      await pace.over(record.bursts.length, (isDue) => outputs.burst(() => soFar(heading, record), isDue));
    },
    ...(hasFiles && { during: (record, rows) => outputs.during(() => soFar(heading, record), rows) }),
    save: (record) => outputs.save(() => soFar(heading, record)),
    note: (text) => outputs.warn(text),
    transport: (text) => outputs.note(`transport node, ${text}`),
    preflight: (outcomes) => {
      if (isVerbose) outputs.note(`preflight: ${JSON.stringify(outcomes)}`);
    },
  };
}

/** The result during the run, without a diagnosis: making one after each burst would take longer and longer. */
async function soFar(heading: Heading, record: RunRecord): Promise<Result> {
  return unfinished(assembleResult(heading, record));
}

/** The result with its diagnosis. */
async function diagnosed(heading: Heading, record: RunRecord): Promise<Result> {
  const { withDiagnosis } = await import('../diagnose/diagnose.js');
  return withDiagnosis(assembleResult(heading, record));
}

/** Loads what the end of a run needs while connections are closed: a second signal leaves no time for it. */
function loadWhatTells(): void {
  const loads = [
    import('../diagnose/diagnose.js'),
    import('../report/terminal/summary.js'),
    import('../result/document.js'),
  ];
  // A failure is reported where the module is used.
  for (const load of loads) load.catch(() => {});
}

/** What the user should know before anything is sent: what held connections need, and how far a search goes. */
async function announce(
  plan: Plan,
  { machine, generators }: Pick<Given, 'machine' | 'generators'>,
  outputs: RunOutputs,
): Promise<void> {
  const { stages, calibrate, session } = plan;
  if (stages.some(({ kind }) => kind === 'arrive')) {
    const { heldNeeds } = await import('../report/words/arrival-words.js');
    const ways = knownWays(plan, machine);
    const demand = { open: fixedSockets(plan), plan, workers: generators.parts, machine, ways };
    const needs = heldNeeds(stages, resourcesOf(demand));
    if (needs !== null) outputs.note(needs);
  }
  const stage = findStageOf(stages);
  if (stage === null) return;
  const { searchOptionsOf } = await import('./find-director.js');
  const { limitsText } = await import('../report/words/search-cost.js');
  outputs.note(`the search ends after ${limitsText(searchOptionsOf(stage, session))}`);
  if (calibrate || (stage.p95Ms === null && stage.p99Ms === null)) return;
  outputs.warn("without calibration this generator's own delay may be what misses a latency objective");
}

/** `WST_FAULT=throw:1:200`: worker 1 dies 200 ms after the release. For tests. */
function testFault(host: Host): Fault | null {
  const match = /^(throw|memory):(\d+):(\d+)$/.exec(host.env.WST_FAULT ?? '');
  if (match === null) return null;
  return { kind: match[1] as Fault['kind'], worker: Number(match[2]), afterMs: Number(match[3]) };
}
