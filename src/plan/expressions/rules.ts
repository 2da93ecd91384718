/**
 * Thresholds and abort rules, parsed once: a plan carries both the text and its meaning. Also tells which of them a run
 * can never judge, because it does not measure that value. The tally judges.
 */
import type { TimedPhase } from '../../names/phases.js';
import { type Condition, readCondition, type Subject } from './condition.js';
import { ExpressionReader } from './expression-reader.js';

export interface Threshold {
  /** As written, without spaces around it. */
  readonly expression: string;
  readonly parsed: Condition;
}

/** Stops a run when its condition was true in this many consecutive bursts. */
export interface AbortRule {
  /** As written, without spaces around it. */
  readonly expression: string;
  readonly parsed: { readonly condition: Condition; readonly bursts: number };
}

/** What a run will measure; null when not known yet. */
export interface Measurable {
  /** At least one stage has a rate. */
  readonly rate: boolean | null;
  /** The target speaks TLS. */
  readonly tls: boolean | null;
  /** A DNS lookup is needed. */
  readonly dns: boolean | null;
  /** A session waits for a message. */
  readonly message: boolean | null;
  /** Some stage is a storm. */
  readonly storm: boolean | null;
  /** Some stage is a search for the drop-off (`search`); every stage is (`onlySearch`). */
  readonly search: boolean | null;
  readonly onlySearch: boolean | null;
}

const MOST_ABORT_BURSTS = 10_000;
const EXPECTED_BURSTS = '"for N bursts" with N from 1 to 10000';

/**
 * @throws UserError `threshold` with the position, what was expected there and, if one is close, the word that was
 * probably meant
 */
export function parseThreshold(text: string): Threshold {
  const reader = new ExpressionReader('threshold', text);
  return { expression: text.trim(), parsed: readCondition(reader, /.*$/sy) };
}

/** `CONDITION` or `CONDITION for N bursts`. @throws UserError `abort`, as `parseThreshold` does. */
export function parseAbort(text: string): AbortRule {
  const reader = new ExpressionReader('abort', text);
  const condition = readCondition(reader, /.*?(?=\s+for(?:\s|$)|$)/sy);
  if (condition.subject.kind === 'storm') {
    throw reader.error('what a storm comes to is known when its watch is over, so it cannot end a run');
  }
  if (condition.subject.kind === 'dropOff') {
    throw reader.error('dropOff is known when the search is over, so it cannot end a run');
  }
  return { expression: text.trim(), parsed: { condition, bursts: readBursts(reader) } };
}

function readBursts(reader: ExpressionReader): number {
  if (reader.take(/for/y) === null) return 1;
  const number = reader.take(/\d{1,9}/y) ?? reader.refuse(EXPECTED_BURSTS);
  const bursts = Number(number);
  if (bursts < 1 || bursts > MOST_ABORT_BURSTS) {
    reader.putBack(number);
    reader.refuse(EXPECTED_BURSTS);
  }
  if (reader.take(/bursts?\s*$/y) === null) reader.refuse('"bursts" and nothing after it');
  return bursts;
}

/** Why such a run cannot be judged by the threshold, or null. */
export function thresholdProblem({ parsed: { subject } }: Threshold, run: Measurable): string | null {
  return neverMeasured(subject, run) ?? (run.onlySearch === true ? besideSearch(subject) : null);
}

/** Why such a run cannot be ended by the rule, or null. */
export function abortProblem({ parsed: { condition } }: AbortRule, run: Measurable): string | null {
  return neverMeasured(condition.subject, run);
}

/** A search overloads its target on purpose, so only the search judges its bursts. */
function besideSearch({ kind }: Subject): string | null {
  if (kind !== 'share' && kind !== 'count' && kind !== 'latency') return null;
  return 'a search overloads its target on purpose: use dropOff, or an objective of the search (share, p99, p95)';
}

function neverMeasured(subject: Subject, run: Measurable): string | null {
  switch (subject.kind) {
    case 'storm':
      return run.storm === false ? 'no stage is a storm, so no client is dropped and comes back' : null;
    case 'dropOff':
      return run.search === false ? 'no stage searches for the drop-off: that is find' : null;
    case 'rate':
      return run.rate === false ? 'only a churn and arrivals have a rate, and no stage is one' : null;
    case 'latency':
      return neverTimed(subject.phase, run);
    case 'share':
    case 'count':
      return null;
  }
}

function neverTimed(phase: TimedPhase, run: Measurable): string | null {
  switch (phase) {
    case 'message':
      return run.message === false ? 'the phase message needs a session that expects one (--session)' : null;
    case 'tls':
      return run.tls === false ? 'over ws:// there is no phase tls to be timed' : null;
    case 'dns':
      return run.dns === false ? 'the address is given, so no name is looked up and the phase dns takes no time' : null;
    case 'connect':
    case 'upgrade':
    case 'handshake':
    case 'ready':
      return null;
  }
}
