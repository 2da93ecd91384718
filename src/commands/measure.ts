/**
 * Fires a plan and leaves its files behind: shows progress, writes results as they come, answers signals. How it runs is
 * the engine's; what it means is loaded when there is something to tell.
 */

import type { Fault } from '../engine/load/generators.js';
import type { RunOptions } from '../engine/run/run-options.js';
import { runPlan } from '../engine/run/run-plan.js';
import type { Host } from '../host.js';
import { findStageOf, type Inputs, type Plan } from '../plan/plan.js';
import { openOutputs } from '../report/files/writer.js';
import { type Progress, progressMode, startProgress } from '../report/progress/progress.js';
import { terminalOf } from '../report/terminal/style.js';
import type { Result } from '../result/result.js';
import { assembleResult, type Heading, type RunRecord } from '../tally/assemble.js';
import { listenForSignals } from './console.js';
import { type Flags, listFlag, switchFlag, textFlag } from './option-tables.js';
import { version } from './version.js';

export interface Measured {
  readonly result: Result;
  /** Files that could not be written, one sentence each. */
  readonly problems: readonly string[];
}

/** The plan's search, where it has one, and what else is there before the run begins. */
type Given = Pick<RunOptions, 'director' | 'earlier' | 'machine' | 'generators'>;

/** Fires the plan and leaves its files behind. */
export async function measure(
  name: string,
  plan: Plan,
  inputs: Inputs,
  flags: Flags,
  host: Host,
  given: Given,
): Promise<Measured> {
  const attempts = textFlag(flags, 'attempts') ?? null;
  const outputs = openOutputs({ results: listFlag(flags, 'output') ?? [], attempts }, { cwd: host.cwd, pid: host.pid });
  const terminal = terminalOf(host.stderr, host.env, { noColor: switchFlag(flags, 'color') === false });
  const mode = progressMode(host, {
    noProgress: switchFlag(flags, 'progress') === false,
    quiet: switchFlag(flags, 'quiet'),
  });
  const progress = startProgress(host, { enabled: mode, terminal });
  const heading = { version: version(), command: name, plan };
  await announce(plan, progress);
  const signals = listenForSignals(host, (text) => progress.note(text));
  let shown = -1;
  try {
    const record = await runPlan(plan, inputs, {
      host,
      version: heading.version,
      signal: signals.signal,
      wantRows: attempts !== null,
      ...given,
      fault: testFault(host),
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
          await outputs.write(await diagnosed(heading, soFar));
        },
        save: async (soFar) => outputs.write(await diagnosed(heading, soFar)),
        note: (text) => progress.warn(text),
        transport: (text) => progress.note(`transport node, ${text}`),
      },
    });
    const result = await diagnosed(heading, record);
    // Rows of an earlier run must not be taken for those of one that fired nothing.
    if (result.bursts.length === 0) outputs.commitRows();
    await outputs.write(result);
    outputs.close();
    return { result, problems: outputs.problems };
  } finally {
    progress.stop();
    signals.stop();
    outputs.close();
    for (const problem of outputs.problems) progress.warn(problem);
  }
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
  const { limitsText } = await import('../report/words/search-cost.js');
  progress.note(`the search ends after ${limitsText(searchOptionsOf(stage))}`);
  if (calibrate || (stage.p95Ms === null && stage.p99Ms === null)) return;
  progress.warn("without calibration this generator's own delay may be what misses a latency objective");
}

/** `WST_FAULT=throw:1:200`: worker 1 dies 200 ms after the release. For tests of what follows. */
function testFault(host: Host): Fault | null {
  const match = /^(throw|memory):(\d+):(\d+)$/.exec(host.env.WST_FAULT ?? '');
  if (match === null) return null;
  return { kind: match[1] as Fault['kind'], worker: Number(match[2]), afterMs: Number(match[3]) };
}
