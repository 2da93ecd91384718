/**
 * The condition of a threshold or an abort rule: a subject, an operator and a limit, as in `p99(handshake) < 500ms`.
 * Owns the grammar and the suggestions for unknown words. The tally counts and judges.
 */
import { UserError } from '../../errors.js';
import { isAskedCode } from '../../names/ends.js';
import { isOutcomeId, NAMED_OUTCOMES } from '../../names/outcomes.js';
import { TIMED, type TimedPhase } from '../../names/phases.js';
import { nearest } from '../suggest.js';
import { EXPECTED, parseCount, parseDurationMs, parseRate, parseShare } from '../units.js';
import type { ExpressionReader } from './expression-reader.js';

const LATENCY_STATS = ['min', 'mean', 'max', 'p50', 'p75', 'p90', 'p95', 'p99', 'p999'] as const;
type LatencyStat = (typeof LATENCY_STATS)[number];
const OPERATORS = ['<', '<=', '>', '>=', '=='] as const;
export type Operator = (typeof OPERATORS)[number];
/** What can be counted besides a single outcome id. */
const GROUPS = ['2xx', '3xx', '4xx', '5xx', 'ok', 'failed', 'ready', 'lost'] as const;

/** Of the times until the clients of a storm were back, those that are known over all that were dropped. */
const BACK_STATS = ['p50', 'p95', 'p99', 'max'] as const;

/** What is judged of a storm: how many clients are back or never were, after how long, the most attempts in a second. */
export type StormSubject =
  | { readonly kind: 'storm'; readonly stat: 'share' | 'count'; readonly of: 'back' | 'never' }
  | { readonly kind: 'storm'; readonly stat: (typeof BACK_STATS)[number]; readonly of: 'back' }
  | { readonly kind: 'storm'; readonly stat: 'peak'; readonly of: 'attempts' };

/** What a condition speaks about. `of` is an outcome id, a group, or `close:CODE`. */
export type Subject =
  | StormSubject
  | { readonly kind: 'share' | 'count'; readonly of: string }
  | { readonly kind: 'latency'; readonly stat: LatencyStat; readonly phase: TimedPhase }
  | { readonly kind: 'rate' | 'dropOff' };

export interface Condition {
  readonly subject: Subject;
  readonly operator: Operator;
  /** A share from 0 to 1, ms, a count, or handshakes a second. */
  readonly limit: number;
}

const CLOSE = /^close:(\d{4})$/;
/** What people write in place of `close:1008`. */
const MEANT_CLOSE = /^(?:close|closed|code|ws)?[-_:]*(\d{4})$/i;

/** The close code that `of` asks for; null: it is an outcome or a group. */
export function askedCode(of: string): number | null {
  const code = CLOSE.exec(of)?.[1];
  return code === undefined ? null : Number(code);
}

const SUBJECTS = ['share', 'count', 'peak', ...LATENCY_STATS, 'rate', 'dropOff'];
const EXPECTED_SUBJECT = 'share(X), count(X), a latency such as p99(handshake), peak(attempts), rate or dropOff';
const EXPECTED_OPERATOR = `one of ${OPERATORS.join(' ')}`;
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
  disconnected: 'lost',
  cut: 'lost',
  close: 'close:CODE, such as close:1008',
  fin: 'close:1006',
  rst: 'close:1006',
  timeout: 'timeout-upgrade',
};
const MEANT_PHASE: Readonly<Record<string, string>> = { latency: 'handshake', total: 'handshake', tcp: 'connect' };
const MEANT_OPERATOR: Readonly<Record<string, string>> = { '=': '==', '===': '==', '=>': '>=', '=<': '<=' };

/** The condition at the reader's position; the sticky `valuePattern` matches its value. */
export function readCondition(reader: ExpressionReader, valuePattern: RegExp): Condition {
  const subject = readSubject(reader);
  const operator = readOperator(reader);
  const value = reader.take(valuePattern) ?? '';
  if (value.trim() === '') reader.refuse(valueExpected(subject));
  try {
    return { subject, operator, limit: parseValue(subject, value) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    reader.putBack(value);
    throw reader.error(`at character ${reader.character}: ${error.message}`);
  }
}

/** The subject at the reader's position. */
export function readSubject(reader: ExpressionReader): Subject {
  const word = reader.take(/[A-Za-z][\w.]*/y) ?? reader.refuse(EXPECTED_SUBJECT);
  if (word === 'rate' || word === 'dropOff') return { kind: word };
  const stat = LATENCY_STATS.find((known) => known === word);
  if (word !== 'share' && word !== 'count' && word !== 'peak' && stat === undefined) {
    reader.putBack(word);
    reader.refuse(EXPECTED_SUBJECT, meant(word, MEANT_SUBJECT, SUBJECTS));
  }
  if (reader.take(/\(/y) === null) reader.refuse('"("');
  const subject: Subject =
    readStormSubject(reader, word) ??
    (stat === undefined
      ? { kind: word === 'share' ? 'share' : 'count', of: readOutcome(reader) }
      : { kind: 'latency', stat, phase: readPhase(reader) });
  if (reader.take(/\)/y) === null) reader.refuse('")"');
  return subject;
}

/** Null: it is about something else. */
function readStormSubject(reader: ExpressionReader, word: string): StormSubject | null {
  if (word === 'peak') {
    if (reader.take(/attempts\b/y) === null) reader.refuse('attempts');
    return { kind: 'storm', stat: 'peak', of: 'attempts' };
  }
  if (word === 'share' || word === 'count') {
    const of = reader.take(/(back|never)(?![\w:-])/y);
    return of === null ? null : { kind: 'storm', stat: word, of: of as 'back' | 'never' };
  }
  const stat = BACK_STATS.find((known) => known === word);
  if (reader.take(/back(?![\w-])/y) === null) return null;
  if (stat === undefined) reader.refuse(`one of ${BACK_STATS.join(' ')} before (back)`);
  return { kind: 'storm', stat, of: 'back' };
}

function readOutcome(reader: ExpressionReader): string {
  const expected =
    'an outcome such as 504 or timeout-upgrade, one of ok failed ready lost 2xx 3xx 4xx 5xx, or close:CODE such as close:1008';
  const word = reader.take(/[\w:-]+/y) ?? reader.refuse(expected);
  if (isOutcomeId(word) || GROUPS.some((group) => group === word)) return word;
  const code = askedCode(word);
  if (code !== null && isAskedCode(code)) return word;
  reader.putBack(word);
  if (code !== null) reader.refuse('a close code: 1000 to 4999, close:1006 for an end without a close frame');
  const bare = MEANT_CLOSE.exec(word)?.[1];
  if (bare !== undefined && isAskedCode(Number(bare))) reader.refuse(expected, `close:${bare}`);
  reader.refuse(expected, meant(word, MEANT_OUTCOME, [...GROUPS, ...NAMED_OUTCOMES.map(({ id }) => id)]));
}

function readPhase(reader: ExpressionReader): TimedPhase {
  const expected = `one of ${TIMED.join(' ')}`;
  const word = reader.take(/[\w-]+/y) ?? reader.refuse(expected);
  const phase = TIMED.find((known) => known === word);
  if (phase !== undefined) return phase;
  reader.putBack(word);
  reader.refuse(expected, meant(word, MEANT_PHASE, TIMED));
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
    case 'storm':
      return parseStormValue(subject, text);
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

function parseStormValue({ stat }: StormSubject, text: string): number {
  if (stat === 'share') return parseShare(text);
  if (stat === 'count') return parseCount(text);
  return stat === 'peak' ? parseRate(text) : parseDurationMs(text);
}

function valueExpected(subject: Subject): string {
  if (subject.kind === 'storm') {
    const { stat } = subject;
    return EXPECTED[stat === 'share' || stat === 'count' ? stat : stat === 'peak' ? 'rate' : 'duration'];
  }
  const kinds = { share: 'share', latency: 'duration', rate: 'rate', count: 'count', dropOff: 'count' } as const;
  return EXPECTED[kinds[subject.kind]];
}

function meant(word: string, aliases: Readonly<Record<string, string>>, known: readonly string[]): string | null {
  const alias = word.toLowerCase();
  return Object.hasOwn(aliases, alias) ? aliases[alias] : nearest(word, known);
}
