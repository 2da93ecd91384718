/**
 * Builds the Result from what a run recorded: totals, thresholds, validity of the whole, exit code. Pure: the same
 * record gives the same document, and it can be called after every burst.
 */
import { EXIT, type ExitCode, isSignalName, SIGNAL_EXIT, type SignalName } from '../errors.js';
import { openedOf } from '../names/outcomes.js';
import type { Plan } from '../plan/plan.js';
import { maskPlan } from '../plan/plan-record.js';
import { isSearchAt } from '../plan/stages/kinds.js';
import type { DropOff } from '../result/drop-off.js';
import type {
  Burst,
  Generator,
  Preflight,
  Result,
  SavedSearch,
  ThresholdResult,
  Totals,
  Validity,
} from '../result/result.js';
import type { Storm } from '../result/storm.js';
import { judge } from './thresholds.js';
import { type Sums, totalsOf } from './totals.js';
import { judgeRun } from './validity.js';

/** Why a run ended early. */
export interface Stopped {
  readonly by: SignalName | 'abort' | 'limits' | 'no-answer' | 'worker';
  /** One sentence. */
  readonly reason: string;
}

/** What the engine recorded, burst by burst. */
export interface RunRecord {
  readonly startedAt: string;
  readonly endedAt: string;
  readonly generators: readonly Generator[];
  readonly addresses: readonly string[];
  readonly preflight: Preflight | null;
  readonly bursts: readonly Burst[];
  /** One for each policy of each storm stage so far. */
  readonly storms: readonly Storm[];
  /** Sums over the same bursts. */
  readonly sums: Sums;
  readonly stopped: Stopped | null;
  /** The search's answer; null without a search, or before its first answer. */
  readonly found: Found | null;
}

export interface Found {
  readonly dropOff: DropOff;
  readonly search: SavedSearch;
}

export interface Heading {
  readonly version: string;
  readonly command: string;
  /** Its secrets are masked in the result. */
  readonly plan: Plan;
}

export function assembleResult(heading: Heading, record: RunRecord): Result {
  const { sums, stopped } = record;
  const dropOff = record.found?.dropOff ?? null;
  const isOfSearch = (place: number) => isSearchAt(heading.plan.stages, record.bursts[place].stage);
  const judged = judge(heading.plan.thresholds, sums.judged.counted, {
    rate: sums.judged.rate,
    dropOff: dropOff?.interval95[0] ?? null,
    storms: record.storms,
    calibrations: record.bursts
      .filter(({ validity }, place) => validity.verdict !== 'invalid' && !isOfSearch(place))
      .map(({ calibration }) => calibration),
  });
  const thresholds = judged.map(({ result }) => result);
  const neverBegan = stopped?.by === 'limits' || stopped?.by === 'no-answer';
  const limits = stopped?.by === 'limits' || stopped?.by === 'worker' ? [stopped.reason] : [];
  if (dropOff?.verdict === 'GENERATOR_LIMITED') limits.push(dropOff.because);
  const validity = judgeRun(
    record.bursts.map((burst, place) => (isOfSearch(place) ? credit(burst, dropOff) : burst.validity)),
    neverBegan ? [] : judged,
    limits,
    record.storms,
  );
  const totals = totalsOf(sums.all, validity);
  return {
    schemaVersion: 1,
    tool: { name: 'wstampede', version: heading.version },
    command: heading.command,
    startedAt: record.startedAt,
    endedAt: record.endedAt,
    plan: maskPlan(heading.plan),
    generators: record.generators,
    addresses: record.addresses,
    bursts: record.bursts,
    preflight: record.preflight,
    totals,
    dropOff,
    storm: record.storms.length === 0 ? null : record.storms,
    thresholds: neverBegan ? [] : thresholds,
    diagnosis: [],
    check: null,
    search: record.found?.search ?? null,
    validity,
    stopped: stopped?.reason ?? null,
    exitCode: exitCodeOf(stopped, validity, thresholds, totals, dropOff),
  };
}

const NOT_ENDED = 'this run has not ended';

/** The result while the run goes on: the file that a killed run leaves behind must not look like a success. */
export function unfinished(result: Result): Result {
  const validity: Validity = { verdict: 'invalid', reasons: [NOT_ENDED] };
  const totals = { ...result.totals, validity };
  return { ...result, totals, validity, stopped: result.stopped ?? NOT_ENDED, exitCode: EXIT.invalid, finished: false };
}

/**
 * What a burst of a search contributes to the validity of the run. An invalid burst contributes nothing, because it was
 * repeated or ended the search. Doubts about a burst matter only where the drop-off is derived from it.
 */
function credit({ size, validity }: Burst, dropOff: DropOff | null): Validity {
  const isBound = dropOff?.bracket.includes(size) === true;
  return validity.verdict === 'suspect' && isBound ? validity : { verdict: 'valid', reasons: [] };
}

/** Search verdicts that are an answer: a number, or no drop-off up to the requested maximum. */
const ANSWERS: readonly DropOff['verdict'][] = ['FOUND', 'AT_LEAST_MAX'];

/** Signals first, then an invalid run, then missed objectives: a script must learn first what ended the run. */
function exitCodeOf(
  stopped: Stopped | null,
  validity: Validity,
  thresholds: readonly ThresholdResult[],
  totals: Totals,
  dropOff: DropOff | null,
): ExitCode {
  if (isSignalName(stopped?.by)) return SIGNAL_EXIT[stopped.by];
  if (stopped?.by === 'no-answer') return EXIT.noAnswer;
  if (validity.verdict === 'invalid') return EXIT.invalid;
  if (dropOff !== null && !ANSWERS.includes(dropOff.verdict)) return EXIT.missed;
  // Where it is not known who was ready (results of earlier versions), a 101 is a success.
  const gotOne = (totals.sessions?.ready ?? openedOf(totals.outcomes)) > 0;
  if (stopped?.by === 'abort' || !gotOne || thresholds.some(({ ok }) => !ok)) return EXIT.missed;
  return EXIT.ok;
}
