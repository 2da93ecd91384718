/**
 * From what a run left behind to its Result: totals, thresholds, validity of the whole, exit code. Pure: the same record
 * gives the same document, and it can be asked for after every burst.
 */
import { EXIT, type ExitCode } from '../errors.js';
import type { Plan } from '../plan/plan.js';
import type { Burst, Generator, Preflight, Result, ThresholdResult, Totals, Validity } from './result.js';
import { SCHEMA_VERSION } from './result.js';
import { judge, parseThreshold } from './thresholds.js';
import { judgedTally, type Part, totalsOf } from './totals.js';
import { judgeRun } from './validity.js';

/** Why a run ended before its plan did. */
export interface Stopped {
  readonly by: 'SIGINT' | 'SIGTERM' | 'abort' | 'limits' | 'no-answer' | 'worker';
  /** One sentence. */
  readonly reason: string;
}

/** What the engine knows, burst by burst. */
export interface RunRecord {
  readonly startedAt: string;
  readonly endedAt: string;
  readonly generators: readonly Generator[];
  readonly addresses: readonly string[];
  readonly preflight: Preflight | null;
  readonly bursts: readonly Burst[];
  /** The same bursts with their tallies. */
  readonly parts: readonly Part[];
  readonly stopped: Stopped | null;
}

export interface Heading {
  readonly version: string;
  readonly command: string;
  /** Masked. */
  readonly plan: Plan;
}

export function assembleResult(heading: Heading, record: RunRecord): Result {
  const { parts, stopped } = record;
  const judged = judgedTally(parts);
  const thresholds = judge(heading.plan.thresholds.map(parseThreshold), judged.tally.counted(), {
    rate: judged.rate,
    dropOff: null,
  });
  const neverBegan = stopped?.by === 'limits' || stopped?.by === 'no-answer';
  const limits = stopped?.by === 'limits' || stopped?.by === 'worker' ? [stopped.reason] : [];
  const validity = judgeRun(
    parts.map((part) => part.validity),
    neverBegan ? [] : thresholds,
    limits,
  );
  const totals = totalsOf(parts, validity);
  return {
    schemaVersion: SCHEMA_VERSION,
    tool: { name: 'wstampede', version: heading.version },
    command: heading.command,
    startedAt: record.startedAt,
    endedAt: record.endedAt,
    plan: heading.plan,
    generators: record.generators,
    addresses: record.addresses,
    bursts: record.bursts,
    preflight: record.preflight,
    totals,
    dropOff: null,
    storm: null,
    thresholds: neverBegan ? [] : thresholds,
    diagnosis: [],
    check: null,
    validity,
    stopped: stopped?.reason ?? null,
    exitCode: exitCodeOf(stopped, validity, thresholds, totals),
  };
}

/** Signals before invalidity before missed objectives: what ended the run is what a script must hear of first. */
function exitCodeOf(
  stopped: Stopped | null,
  validity: Validity,
  thresholds: readonly ThresholdResult[],
  totals: Totals,
): ExitCode {
  if (stopped?.by === 'SIGINT') return EXIT.sigint;
  if (stopped?.by === 'SIGTERM') return EXIT.sigterm;
  if (stopped?.by === 'no-answer') return EXIT.noAnswer;
  if (validity.verdict === 'invalid') return EXIT.invalid;
  const gotOne = (totals.outcomes['101'] ?? 0) > 0;
  if (stopped?.by === 'abort' || !gotOne || thresholds.some(({ ok }) => !ok)) return EXIT.missed;
  return EXIT.ok;
}
