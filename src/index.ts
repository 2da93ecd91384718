/**
 * wstampede as a library, and the place to begin reading.
 *
 * Layout: the folders are rings; a ring imports only those before it (test/unit/import-table.ts holds the
 * table; docs/architecture.md says more).
 *
 *   errors, host   errors that a user can fix, with their exit codes; the process as a value
 *   names/         outcomes and phases by their names; imports nothing
 *   plan/          pure: the frozen Plan, its stages/ and expressions/, what it needs (resources.ts), secrets, templates;
 *                  profile/ reads what the user wrote and compiles it into a Plan
 *   result/        the Result: one schema for its type, its JSON Schema and its reader; written and read by document.ts
 *   tally/         pure: counts and histograms that merge (tally.ts), thresholds, validity, how a Result is assembled
 *   search/        pure: the search for the drop-off point as a state machine (state-machine.ts); engine-interface.ts
 *                  connects it to the engine
 *   diagnose/      pure: why it failed. evidence.ts extracts the facts from a result, rules/ find causes, remedies/ say what to
 *                  change
 *   compare/       pure: two sides of results, what changed between them and how sure that is
 *   report/        words/ (facts to sentences), terminal/ (layout), charts/ (SVG), formats/, outputs/, files/, progress/
 *   native/        the C library as functions, struct layouts, native memory
 *   engine/        sockets, threads and clocks, in parts; each may import only those before it: machine, protocol, transport,
 *                  attempt (one handshake), session (after its 101), load (shards that drive attempts), threads, mirror,
 *                  run (stage after stage), check (one handshake step by step)
 *   lab/           targets that fail as real stacks do; shares no code with engine, because engine is tested against it
 *   commands/      one file a command; cli.ts wires them to flags
 *
 * Words: Profile → Plan → Stage → Burst → Shard → Attempt → Outcome → Tally → Result. The gate is the step at which all
 * attempts of a burst wait, to be released together.
 */
import { directorOf } from './commands/find-director.js';
import { readText } from './commands/input-files.js';
import { version } from './commands/version.js';
import { withDiagnosis } from './diagnose/diagnose.js';
import { readMachine } from './engine/machine/machine.js';
import { runPlan } from './engine/run/run-plan.js';
import { withWorkers } from './engine/threads/worker-pool.js';
import { processHost } from './host.js';
import { parseCsv, type Table } from './plan/data.js';
import type { Inputs, Plan } from './plan/plan.js';
import { checkInputs, pickEnv } from './plan/profile/inputs.js';
import { checkProfile, compilePlan } from './plan/profile/profile.js';
import type { ProfileDocument } from './plan/profile/profile-schema.js';
import { readProfile } from './plan/profile/written.js';
import type { Burst, Result } from './result/result.js';
import { assembleResult } from './tally/assemble.js';

export { UserError } from './errors.js';
export { NAMED_OUTCOMES, type OutcomeId, outcomeCode } from './names/outcomes.js';
export type { Inputs, Plan, Stage, Target } from './plan/plan.js';
export type { ProfileDocument } from './plan/profile/profile-schema.js';
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
export function planOf(profile: ProfileDocument | string): Plan {
  return compilePlan(typeof profile === 'string' ? readProfile(profile, 'profile') : checkProfile(profile, 'profile'));
}

export interface RunOptions {
  /** Rows for `{{ row.x }}` and PEM texts. What is not given is read from the files that the plan names. */
  readonly inputs?: { readonly rows?: Inputs['rows']; readonly tls?: Partial<Inputs['tls']> };
  /** Public hosts that may be sent load. What a profile names in `allowHosts` is no consent. */
  readonly allowHosts?: readonly string[];
  /** Stops launching when aborted; the result so far is still returned. */
  readonly signal?: AbortSignal;
  /** Called after each burst with it and with the result so far. */
  readonly onBurst?: (burst: Burst, soFar: Result) => void;
}

/**
 * Runs a plan on this machine and returns its result; prints nothing, ends nothing. `result.exitCode` is what the command
 * line would have exited with.
 * @throws UserError when the plan's inputs do not fit, when a file that it names can't be read, or when the target is public and not in the option `allowHosts`
 */
export async function run(plan: Plan, options: RunOptions = {}): Promise<Result> {
  const host = processHost();
  const { rows, columns } = tableOf(plan, options, host.cwd);
  const inputs: Inputs = { rows, tls: pemsOf(plan, options, host.cwd), env: pickEnv(plan, host.env) };
  checkInputs(plan, inputs, columns);
  const heading = { version: version(), command: 'run', plan };
  const machine = readMachine();
  const record = await withWorkers(plan, machine, (generators) =>
    runPlan(plan, inputs, {
      host,
      version: heading.version,
      signal: options.signal ?? new AbortController().signal,
      wantRows: false,
      consent: options.allowHosts ?? [],
      machine,
      generators,
      director: directorOf(plan),
      observer: { burst: (burst, soFar) => options.onBurst?.(burst, assembleResult(heading, soFar)) },
    }),
  );
  return withDiagnosis(assembleResult(heading, record));
}

function tableOf({ data }: Plan, { inputs }: RunOptions, folder: string): Table {
  const rows = inputs?.rows;
  if (rows !== undefined) return { rows, columns: Object.keys(rows[0] ?? {}) };
  return data === null ? { rows: [], columns: [] } : parseCsv(readText(data.file, folder), data.file);
}

function pemsOf({ target: { tls } }: Plan, { inputs }: RunOptions, folder: string): Inputs['tls'] {
  const pem = (name: 'ca' | 'cert' | 'key') => {
    const file = tls[name];
    return inputs?.tls?.[name] ?? (file === null ? null : readText(file, folder));
  };
  return { ca: pem('ca'), cert: pem('cert'), key: pem('key') };
}
