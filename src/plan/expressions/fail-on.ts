/**
 * What `compare --fail-on` may say: a value that a threshold could name, the sign of the bad direction, and how much of a
 * change is tolerated, as in `p99(handshake) +10%`, `share(101) -1pp`, `dropOff -20%`, `recovery +2s`; or `undecided`. Owns
 * this grammar; what a value is made of belongs to compare.
 */
import { UserError } from '../../errors.js';
import { isOpen } from '../../names/outcomes.js';
import type { BoundedPhase } from '../../names/phases.js';
import { EXPECTED, parseDurationMs, parseShare } from '../units.js';
import { readSubject } from './condition.js';
import { ExpressionReader } from './expression-reader.js';

/** Which share of the handshakes is as fast or faster. */
export const QUANTILES = { min: 0, p50: 0.5, p75: 0.75, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999, max: 1 } as const;

/** A latency of which a share of all handshakes stays below. */
export interface ComparedLatency {
  readonly kind: 'latency';
  readonly stat: keyof typeof QUANTILES;
  readonly phase: BoundedPhase | 'message' | 'ready';
}

/** Of a storm: when a share of the clients was back, how many are, the most attempts in a second. */
export interface ComparedStorm {
  readonly kind: 'storm';
  readonly stat: 'p50' | 'p95' | 'p99' | 'max' | 'share' | 'peak';
  readonly of: 'back' | 'never' | 'attempts';
}

/** What two sides are compared by. */
export type ComparedSubject =
  | ComparedLatency
  | ComparedStorm
  | { readonly kind: 'share'; readonly of: string }
  | { readonly kind: 'rate' | 'dropOff' | 'recovery' };

/** How its changes are measured: a quotient, a difference of shares, a difference of times. */
export type ChangeScale = 'ratio' | 'share' | 'time';

export interface FailOnChange {
  readonly kind: 'change';
  /** As written, without spaces around it. */
  readonly expression: string;
  readonly subject: ComparedSubject;
  readonly bad: 'up' | 'down';
  /** 0.1 for 10 % and for 10 percentage points; ms for a time. */
  readonly tolerance: number;
}

export type FailOn = FailOnChange | { readonly kind: 'undecided' };

/** @throws UserError `fail-on` with the position and what was expected there */
export function parseFailOn(text: string): FailOn {
  if (text.trim() === 'undecided') return { kind: 'undecided' };
  const reader = new ExpressionReader('fail-on', text);
  const subject = readCompared(reader);
  const scale = scaleOf(subject);
  const bad = readSign(reader, subject);
  const amount = reader.take(/.*$/sy) ?? '';
  return { kind: 'change', expression: text.trim(), subject, bad, tolerance: readAmount(reader, amount, scale) };
}

export function scaleOf(subject: ComparedSubject): ChangeScale {
  if (subject.kind === 'recovery') return 'time';
  return subject.kind === 'share' || (subject.kind === 'storm' && subject.stat === 'share') ? 'share' : 'ratio';
}

/** Which sign is the bad one; of a share the one that is usual for such an outcome. */
export function badDirectionOf(subject: ComparedSubject): 'up' | 'down' {
  switch (subject.kind) {
    case 'latency':
    case 'recovery':
      return 'up';
    case 'rate':
    case 'dropOff':
      return 'down';
    case 'storm':
      return subject.stat === 'share' && subject.of === 'back' ? 'down' : 'up';
    case 'share':
      return subject.of === 'ok' || isOpen(subject.of) ? 'down' : 'up';
  }
}

function readCompared(reader: ExpressionReader): ComparedSubject {
  if (reader.take(/recovery\b/y) !== null) return { kind: 'recovery' };
  const at = reader.character;
  const refuse = (why: string): never => {
    throw reader.error(`at character ${at}: ${why}`);
  };
  const subject = readSubject(reader);
  switch (subject.kind) {
    case 'share':
    case 'count': {
      const { kind, of } = subject;
      return kind === 'share' ? { kind, of } : refuse(`counts of two runs are compared as shares: share(${of})`);
    }
    case 'latency': {
      const { kind, stat, phase } = subject;
      if (phase === 'dns') return refuse('a look-up belongs to no handshake, so it is not compared');
      // A failure counts as a latency without an end, and one of them makes the mean endless.
      if (stat === 'mean') return refuse(`a failure has no latency that a mean could hold: use p50(${phase})`);
      return { kind, stat, phase };
    }
    case 'rate':
    case 'dropOff':
      return { kind: subject.kind };
    case 'storm': {
      const { kind, stat, of } = subject;
      if (stat !== 'count') return { kind, stat, of };
      return refuse(`counts of two runs are compared as shares: share(${of})`);
    }
  }
}

/** As it is written in an expression. */
export function subjectText(subject: ComparedSubject): string {
  if (subject.kind === 'share') return `share(${subject.of})`;
  if (subject.kind === 'storm') return `${subject.stat}(${subject.of})`;
  return subject.kind === 'latency' ? `${subject.stat}(${subject.phase})` : subject.kind;
}

function readSign(reader: ExpressionReader, subject: ComparedSubject): 'up' | 'down' {
  const expected = '"+" or "-": the direction that is bad';
  const sign = reader.take(/[+\-−]/y) ?? reader.refuse(expected);
  const bad = sign === '+' ? 'up' : 'down';
  if (scaleOf(subject) === 'share' || bad === badDirectionOf(subject)) return bad;
  reader.putBack(sign);
  reader.refuse(bad === 'up' ? '"-": more of it is no failure' : '"+": less of it is no failure');
}

function readAmount(reader: ExpressionReader, amount: string, scale: ChangeScale): number {
  const text = amount.trim();
  if (text === '') reader.refuse(EXPECTED_AMOUNT[scale]);
  try {
    return AMOUNTS[scale](text);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    reader.putBack(amount);
    reader.refuse(EXPECTED_AMOUNT[scale]);
  }
}

const EXPECTED_AMOUNT: Readonly<Record<ChangeScale, string>> = {
  ratio: 'a change such as 10%',
  share: 'percentage points such as 1pp',
  time: EXPECTED.duration,
};

const AMOUNTS: Readonly<Record<ChangeScale, (text: string) => number>> = {
  // More than doubled is a change too, which is no share.
  // A change of more than 100 % is no share.
  ratio: (text) => Number(`${digitsBefore('%', text)}e-2`),
  share: (text) => parseShare(`${digitsBefore('pp', text)}%`),
  time: parseDurationMs,
};

function digitsBefore(unit: string, text: string): string {
  const digits = text.endsWith(unit) ? text.slice(0, -unit.length).trim() : '';
  if (!/^\d{1,9}(\.\d{1,9})?$/.test(digits)) throw new UserError(`no number of ${unit}`, { code: 'fail-on' });
  return digits;
}
