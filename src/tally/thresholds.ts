/**
 * Thresholds and abort rules: their grammar, and how counted attempts are judged by them. Everything here is a function
 * of texts and counts; which bursts are judged, and what follows from a miss, is decided elsewhere. A latency is judged
 * by its upper bound, and whoever needs to know can ask whether the lower bound would have said otherwise.
 */
import { UserError } from '../errors.js';
import { blameOf, isOutcomeId, NAMED_OUTCOMES } from '../names/outcomes.js';
import { PHASES, type Phase } from '../names/phases.js';
import { nearest } from '../plan/suggest.js';
import { EXPECTED, parseCount, parseDurationMs, parseRate, parseShare } from '../plan/units.js';
import type { Counted, Summary, ThresholdResult } from '../result/result.js';
import { ExpressionReader } from './expression-reader.js';

const LATENCY_STATS = ['min', 'mean', 'max', 'p50', 'p75', 'p90', 'p95', 'p99', 'p999'] as const;
type LatencyStat = (typeof LATENCY_STATS)[number] & keyof Summary;
const OPERATORS = ['<', '<=', '>', '>=', '=='] as const;
type Operator = (typeof OPERATORS)[number];
/** What can be counted beside an outcome by its id. */
const GROUPS = ['2xx', '3xx', '4xx', '5xx', 'ok', 'failed', 'lost'] as const;

/** What a threshold speaks about. `of` is an outcome id or a group. */
type Subject =
  | { readonly kind: 'share' | 'count'; readonly of: string }
  | { readonly kind: 'latency'; readonly stat: LatencyStat; readonly phase: Phase }
  | { readonly kind: 'rate' | 'dropOff' };

export interface Threshold {
  /** As written, without spaces around it. */
  readonly expression: string;
  readonly subject: Subject;
  readonly operator: Operator;
  /** A share from 0 to 1, ms, a count, or handshakes a second. */
  readonly limit: number;
}

/** Stops a run when its condition held in so many bursts, one after another. */
export interface AbortRule {
  readonly expression: string;
  readonly condition: Threshold;
  readonly bursts: number;
}

/** How many bursts in a row, up to now, met the condition. */
export interface AbortState {
  readonly rule: AbortRule;
  readonly run: number;
}

/** What is not in the counts: null where the run measured no such thing. */
interface MeasuredBeside {
  /** Handshakes a second (churn). */
  readonly rate: number | null;
  /** Lower end of the drop-off interval. */
  readonly dropOff: number | null;
}

const MOST_ABORT_BURSTS = 10_000;
const SUBJECTS = ['share', 'count', ...LATENCY_STATS, 'rate', 'dropOff'];
const EXPECTED_SUBJECT = 'share(X), count(X), a latency such as p99(handshake), rate or dropOff';
const EXPECTED_OPERATOR = `one of ${OPERATORS.join(' ')}`;
const EXPECTED_BURSTS = '"for N bursts" with N from 1 to 10000';
const MEANT_SUBJECT: Readonly<Record<string, string>> = {
  avg: 'mean',
  average: 'mean',
  median: 'p50',
  med: 'p50',
  maximum: 'max',
  minimum: 'min',
  'p99.9': 'p999',
  percent: 'share',
  ratio: 'share',
  rps: 'rate',
};
const MEANT_OUTCOME: Readonly<Record<string, string>> = {
  success: 'ok',
  succeeded: 'ok',
  error: 'failed',
  errors: 'failed',
  failure: 'failed',
  failures: 'failed',
  dropped: 'lost',
  timeout: 'timeout-upgrade',
};
const MEANT_PHASE: Readonly<Record<string, string>> = { latency: 'handshake', total: 'handshake', tcp: 'connect' };
const MEANT_OPERATOR: Readonly<Record<string, string>> = { '=': '==', '===': '==', '=>': '>=', '=<': '<=' };

/** @throws UserError `threshold` with the position, what was expected there and, where one is near, what was meant. */
export function parseThreshold(text: string): Threshold {
  const reader = new ExpressionReader('threshold', text);
  return readCondition(reader, text, /.*$/sy);
}

/** `CONDITION` or `CONDITION for N bursts`. @throws UserError `abort`, as `parseThreshold` does. */
export function parseAbort(text: string): AbortRule {
  const reader = new ExpressionReader('abort', text);
  const condition = readCondition(reader, text, /.*?(?=\s+for(?:\s|$)|$)/sy);
  if (condition.subject.kind === 'dropOff') {
    throw reader.error('dropOff is known when the search is over, so it cannot end a run');
  }
  let bursts = 1;
  if (reader.take(/for/y) !== null) {
    const number = reader.take(/\d{1,9}/y) ?? reader.refuse(EXPECTED_BURSTS);
    bursts = Number(number);
    if (bursts < 1 || bursts > MOST_ABORT_BURSTS) {
      reader.putBack(number);
      reader.refuse(EXPECTED_BURSTS);
    }
    if (reader.take(/bursts?\s*$/y) === null) reader.refuse('"bursts" and nothing after it');
  }
  return { expression: text.trim(), condition, bursts };
}

/** What a run measures, as far as that is known before it; null where it is not. */
interface Measurable {
  readonly rate: boolean | null;
  readonly tls: boolean | null;
  readonly dns: boolean | null;
  /** Some stage is a search for the drop-off; every stage is. */
  readonly search: boolean | null;
  readonly onlySearch: boolean | null;
}

/** null when the text is a threshold, and one that a run of that kind can meet; otherwise what is wrong with it. */
export function checkThreshold(text: string, run?: Measurable): string | null {
  return problemOf(() => parseThreshold(text).subject, run, run?.onlySearch === true ? besideSearch : undefined);
}

/** A search overloads its target on purpose, so its bursts are judged by the search alone. */
function besideSearch({ kind }: Subject): string | null {
  if (kind !== 'share' && kind !== 'count' && kind !== 'latency') return null;
  return 'a search overloads its target on purpose: use dropOff, or an objective of the search (share, p99, p95)';
}

/** null when the text is an abort rule, and one that a run of that kind can meet; otherwise what is wrong with it. */
export function checkAbort(text: string, run?: Measurable): string | null {
  return problemOf(() => parseAbort(text).condition.subject, run);
}

/** Why nothing will ever be measured that could be judged, or null. */
function neverMeasured(subject: Subject, run: Measurable | undefined): string | null {
  if (subject.kind === 'dropOff')
    return run?.search === false ? 'no stage searches for the drop-off: that is find' : null;
  if (subject.kind === 'rate') return run?.rate === false ? 'only a churn has a rate, and no stage is one' : null;
  if (subject.kind !== 'latency') return null;
  switch (subject.phase) {
    case 'message':
      return 'the phase message is not available in this version: nothing is sent after the 101';
    case 'tls':
      return run?.tls === false ? 'over ws:// there is no phase tls to be timed' : null;
    case 'dns':
      return run?.dns === false
        ? 'the address is given, so no name is looked up and the phase dns takes no time'
        : null;
    default:
      return null;
  }
}

/** Judges by the upper latency bound. Without a value (`actual` null) a threshold is missed: nothing proved it. */
export function judge(thresholds: readonly Threshold[], counted: Counted, beside: MeasuredBeside): ThresholdResult[] {
  return thresholds.map(({ expression, subject, operator, limit }) => {
    const actual = measured(subject, counted, beside);
    const actualLower = measuredLower(subject, counted);
    return { expression, actual, actualLower, ok: actual !== null && compare(actual, operator, limit) };
  });
}

/** Whether a threshold holds at one latency bound and fails at the other: the generator was too slow to tell. */
export function disagrees(result: ThresholdResult): boolean {
  if (result.actual === null || result.actualLower === null) return false;
  const { operator, limit } = parseThreshold(result.expression);
  return compare(result.actual, operator, limit) !== compare(result.actualLower, operator, limit);
}

/** Why a threshold had nothing to judge, as a sentence's end; null when it had a value. */
export function noValueReason(result: ThresholdResult): string | null {
  if (result.actual !== null) return null;
  const { subject } = parseThreshold(result.expression);
  switch (subject.kind) {
    case 'share':
    case 'count':
      return 'no attempt reached the target';
    case 'latency':
      if (subject.phase === 'dns') return 'no name was looked up';
      if (subject.phase === 'connect' || subject.phase === 'tls') return `no attempt got through ${subject.phase}`;
      return `no attempt that got its 101 has a ${subject.phase} time`;
    case 'rate':
      return 'only churn has a rate';
    case 'dropOff':
      return 'no search for the drop-off was part of this run';
  }
}

/** The smallest upper limit that a latency is given, ms; null when none is. */
export function tightestLatencyMs(thresholds: readonly Threshold[]): number | null {
  const limits = thresholds.flatMap(({ subject, operator, limit }) =>
    subject.kind === 'latency' && operator.startsWith('<') ? [limit] : [],
  );
  return limits.length === 0 ? null : Math.min(...limits);
}

export function startAbort(rule: AbortRule): AbortState {
  return { rule, run: 0 };
}

/**
 * The state after one more burst, and whether the run must stop now. A latency has to meet the condition at both of its
 * bounds: what the generator added must not end a run in the target's name.
 */
export function abortStep(
  state: AbortState,
  burst: Counted,
  rate: number | null,
): { readonly state: AbortState; readonly abort: boolean } {
  const { subject, operator, limit } = state.rule.condition;
  const upper = measured(subject, burst, { rate, dropOff: null });
  const lower = measuredLower(subject, burst) ?? upper;
  const met = upper !== null && lower !== null && compare(upper, operator, limit) && compare(lower, operator, limit);
  const run = met ? state.run + 1 : 0;
  return { state: { rule: state.rule, run }, abort: run >= state.rule.bursts };
}

function readCondition(reader: ExpressionReader, text: string, valuePattern: RegExp): Threshold {
  const subject = readSubject(reader);
  const operator = readOperator(reader);
  const value = reader.take(valuePattern) ?? '';
  if (value.trim() === '') reader.refuse(valueExpected(subject));
  try {
    return { expression: text.trim(), subject, operator, limit: parseValue(subject, value) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    reader.putBack(value);
    throw reader.error(`at character ${reader.character}: ${error.message}`);
  }
}

function readSubject(reader: ExpressionReader): Subject {
  const word = reader.take(/[A-Za-z][\w.]*/y) ?? reader.refuse(EXPECTED_SUBJECT);
  if (word === 'rate' || word === 'dropOff') return { kind: word };
  const stat = LATENCY_STATS.find((known) => known === word);
  if (word !== 'share' && word !== 'count' && stat === undefined) {
    reader.putBack(word);
    reader.refuse(EXPECTED_SUBJECT, meant(word, MEANT_SUBJECT, SUBJECTS));
  }
  if (reader.take(/\(/y) === null) reader.refuse('"("');
  const subject: Subject =
    stat === undefined
      ? { kind: word === 'share' ? 'share' : 'count', of: readOutcome(reader) }
      : { kind: 'latency', stat, phase: readPhase(reader) };
  if (reader.take(/\)/y) === null) reader.refuse('")"');
  return subject;
}

function readOutcome(reader: ExpressionReader): string {
  const expected = 'an outcome such as 504 or timeout-upgrade, or one of ok failed lost 2xx 3xx 4xx 5xx';
  const word = reader.take(/[\w-]+/y) ?? reader.refuse(expected);
  if (isOutcomeId(word) || GROUPS.some((group) => group === word)) return word;
  reader.putBack(word);
  reader.refuse(expected, meant(word, MEANT_OUTCOME, [...GROUPS, ...NAMED_OUTCOMES.map(({ id }) => id)]));
}

function readPhase(reader: ExpressionReader): Phase {
  const expected = `one of ${PHASES.join(' ')}`;
  const word = reader.take(/[\w-]+/y) ?? reader.refuse(expected);
  const phase = PHASES.find((known) => known === word);
  if (phase !== undefined) return phase;
  reader.putBack(word);
  reader.refuse(expected, meant(word, MEANT_PHASE, PHASES));
}

function readOperator(reader: ExpressionReader): Operator {
  const word = reader.take(/[<>=!~]+/y) ?? reader.refuse(EXPECTED_OPERATOR);
  const operator = OPERATORS.find((known) => known === word);
  if (operator !== undefined) return operator;
  reader.putBack(word);
  reader.refuse(EXPECTED_OPERATOR, Object.hasOwn(MEANT_OPERATOR, word) ? MEANT_OPERATOR[word] : null);
}

function parseValue(subject: Subject, text: string): number {
  switch (subject.kind) {
    case 'share':
      return parseShare(text);
    case 'latency':
      return parseDurationMs(text);
    case 'rate':
      return parseRate(text);
    case 'count':
    case 'dropOff':
      return parseCount(text);
  }
}

function valueExpected(subject: Subject): string {
  const kinds = { share: 'share', latency: 'duration', rate: 'rate', count: 'count', dropOff: 'count' } as const;
  return EXPECTED[kinds[subject.kind]];
}

function measured(subject: Subject, counted: Counted, beside: MeasuredBeside): number | null {
  switch (subject.kind) {
    case 'share': {
      const reached = reachedTarget(counted);
      return reached === 0 ? null : countOf(subject.of, counted) / reached;
    }
    case 'count':
      return countOf(subject.of, counted);
    case 'latency':
      return counted.latencyMs[subject.phase]?.[subject.stat] ?? null;
    case 'rate':
      return beside.rate;
    case 'dropOff':
      return beside.dropOff;
  }
}

function measuredLower(subject: Subject, counted: Counted): number | null {
  if (subject.kind !== 'latency' || subject.phase === 'dns' || subject.phase === 'message') return null;
  return counted.latencyLowerMs?.[subject.phase]?.[subject.stat] ?? null;
}

/** Attempts that say something about the target: all but the failures of this machine and the aborted ones. */
function reachedTarget(counted: Counted): number {
  return sumOf(counted, (id) => isOutcomeId(id) && blameOf(id) !== 'local' && id !== 'aborted');
}

function countOf(what: string, counted: Counted): number {
  if (what === 'ok') return counted.outcomes['101'] ?? 0;
  if (what === 'failed') return reachedTarget(counted) - (counted.outcomes['101'] ?? 0);
  if (what === 'lost') return counted.lostWhileHeld;
  if (what.endsWith('xx')) return sumOf(counted, (id) => id.length === 3 && id[0] === what[0] && /^\d+$/.test(id));
  return counted.outcomes[what] ?? 0;
}

function sumOf(counted: Counted, counts: (id: string) => boolean): number {
  return Object.entries(counted.outcomes).reduce((sum, [id, count]) => (counts(id) ? sum + count : sum), 0);
}

function compare(actual: number, operator: Operator, limit: number): boolean {
  switch (operator) {
    case '<':
      return actual < limit;
    case '<=':
      return actual <= limit;
    case '>':
      return actual > limit;
    case '>=':
      return actual >= limit;
    // Exact on purpose: a share is one division and its limit one decimal, each rounded once to the nearest double.
    case '==':
      return actual === limit;
  }
}

function meant(word: string, aliases: Readonly<Record<string, string>>, known: readonly string[]): string | null {
  const alias = word.toLowerCase();
  return Object.hasOwn(aliases, alias) ? aliases[alias] : nearest(word, known);
}

function problemOf(
  parse: () => Subject,
  run: Measurable | undefined,
  more: (subject: Subject) => string | null = () => null,
): string | null {
  try {
    const subject = parse();
    return neverMeasured(subject, run) ?? more(subject);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.hint === null ? error.message : `${error.message}; ${error.hint}`;
  }
}
