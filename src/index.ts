/**
 * wstampede as a library, and the place to begin reading.
 *
 * Layout: the folders are rings; a ring knows those before it, never those after (test/unit/imports.test.ts holds the table).
 *
 *   errors, host   errors that a person can mend with their exit codes; the process as a value
 *   plan/          pure: what a person wrote (profile.ts, schema.ts) becomes a frozen Plan (plan.ts); templates, data,
 *                  secrets, what a plan needs
 *   tally/         pure: the outcome table (outcomes.ts), counts and histograms that merge (tally.ts), thresholds, validity,
 *                  the Result (result.ts) and how it is assembled, written and read (assemble.ts, document.ts)
 *   search/        pure: the search for the drop-off point as a state machine (machine.ts), the next load (next.ts), the
 *                  verdict on a burst (verdict.ts), the posterior, and the final value (drop-off.ts)
 *   diagnose/      pure: why it failed. evidence.ts lays a result out, shape.ts reads times, hops.ts knows who answered,
 *                  rules/ find causes (causes.ts), remedies.ts says what to change, diagnose.ts puts them in order
 *   report/        pure renderers of a Result, live progress, and the one writer of files
 *   fire/          sockets, threads and clocks. One attempt: attempts.ts over a transport.ts (node-transport.ts), its request
 *                  (handshake.ts), its answer (response.ts), when it arrived (stamps.ts). One worker's part of a burst:
 *                  burst-shard.ts, churn-shard.ts, driven by worker.ts. All workers: crew.ts, over shared memory (control.ts).
 *                  One burst: volley.ts. A run: run.ts, with what it checks first: limits.ts, resolve.ts, preflight.ts,
 *                  calibrate.ts. A search's hands: find.ts, told what to do by a director. A check of one handshake:
 *                  checkup.ts, over examination.ts (solo.ts with a trace.ts on it), tcp-look.ts, tls-look.ts, probes.ts
 *   lab/           targets that fail as real stacks do; shares no code with fire, because it is what fire is checked against
 *   commands/      one file a command; cli.ts wires them to flags. find-director.ts is where search and fire meet
 *
 * Words: Profile → Plan → Stage → Burst → Shard → Attempt → Outcome → Tally → Result. The gate is the step at which all
 * attempts of a burst wait to be released together.
 */
import { directorOf } from './commands/find-director.js';
import { version } from './commands/version.js';
import { withDiagnosis } from './diagnose/diagnose.js';
import { readMachine } from './engine/machine/machine.js';
import { runPlan } from './engine/run/run-plan.js';
import { withWorkers } from './engine/threads/worker-pool.js';
import { processHost } from './host.js';
import type { Inputs, Plan } from './plan/plan.js';
import { checkInputs, pickEnv } from './plan/profile/inputs.js';
import { checkProfile, compilePlan } from './plan/profile/profile.js';
import { readProfile } from './plan/profile/written.js';
import type { Burst, Result } from './result/result.js';
import { assembleResult } from './tally/assemble.js';

export { UserError } from './errors.js';
export { NAMED_OUTCOMES, type OutcomeId, outcomeCode } from './names/outcomes.js';
export type { Inputs, Plan, Stage, Target } from './plan/plan.js';
export { readResult, writeResult } from './result/document.js';
export { resultJsonSchema } from './result/published-schema.js';
export type {
  Burst,
  KernelCounts,
  Result,
  Sample,
  Summary,
  ThresholdResult,
  Totals,
  Validity,
} from './result/result.js';
export { LatencyHistogram } from './tally/histogram.js';
export { type EncodedTally, type Ended, Tally } from './tally/tally.js';

/**
 * A validated, frozen plan from a profile: an object with the keys of a profile file, or its text (YAML or JSON).
 * @throws UserError `profile` that lists every problem
 */
export function planOf(profile: unknown): Plan {
  return compilePlan(typeof profile === 'string' ? readProfile(profile, 'profile') : checkProfile(profile, 'profile'));
}

export interface RunOptions {
  /** Rows for `{{ row.x }}` and PEM texts; the files that the plan names are not read here. */
  readonly inputs?: Partial<Pick<Inputs, 'rows' | 'tls'>>;
  /** Stops launching when aborted; the result so far is still returned. */
  readonly signal?: AbortSignal;
  /** Called after each burst with it and with the result so far. */
  readonly onBurst?: (burst: Burst, soFar: Result) => void;
}

/**
 * Runs a plan on this machine and returns its result; prints nothing, ends nothing. `result.exitCode` is what the command
 * line would have exited with.
 * @throws UserError when the plan's inputs do not fit, or when the target is public and not in `allowHosts`
 */
export async function run(plan: Plan, options: RunOptions = {}): Promise<Result> {
  const host = processHost();
  const rows = options.inputs?.rows ?? [];
  const tls = options.inputs?.tls ?? { ca: null, cert: null, key: null };
  const inputs: Inputs = { rows, tls, env: pickEnv(plan, host.env) };
  checkInputs(plan, inputs, Object.keys(rows[0] ?? {}));
  const heading = { version: version(), command: 'run', plan };
  const machine = readMachine();
  const record = await withWorkers(plan, machine, (generators) =>
    runPlan(plan, inputs, {
      host,
      version: heading.version,
      signal: options.signal ?? new AbortController().signal,
      wantRows: false,
      machine,
      generators,
      director: directorOf(plan),
      observer: { burst: (burst, soFar) => options.onBurst?.(burst, assembleResult(heading, soFar)) },
    }),
  );
  return withDiagnosis(assembleResult(heading, record));
}
