/**
 * Outcomes in words: which are failures, which attempts a share counts, how sentences and tables describe an outcome.
 * The names themselves are in names/outcomes.ts.
 */
import { blameOf, isOpen, meaningOf, type NAMED_OUTCOMES, type OutcomeId, openedOf } from '../../names/outcomes.js';
import { printable } from '../../plan/printable.js';
import { formatCount } from '../../plan/units.js';
import type { Burst, Counted, Outcomes, Summary } from '../../result/result.js';
import { percent, spokenMs } from './numbers.js';

/** Outcomes that are neither a 101 nor a stopped attempt, most frequent first. */
export function failedOutcomes(outcomes: Outcomes): [OutcomeId, number][] {
  const entries = Object.entries(outcomes) as [OutcomeId, number][];
  return entries.filter(([id]) => !isOpen(id) && id !== 'aborted').sort(([, a], [, b]) => b - a);
}

/** Whether an outcome says something about the target. */
function isJudged(id: OutcomeId): boolean {
  return id !== 'aborted' && blameOf(id) !== 'local';
}

/** The attempts that shares are computed from: those that say something about the target. */
export function judgedAttempts({ attempted, outcomes }: Pick<Counted, 'attempted' | 'outcomes'>): number {
  const entries = Object.entries(outcomes) as [OutcomeId, number][];
  return entries.reduce((judged, [id, count]) => (isJudged(id) ? judged : judged - count), attempted);
}

/** Share of 101s, for a table. */
export function share101(counted: Pick<Counted, 'attempted' | 'outcomes'>): string {
  return percent(openedOf(counted.outcomes), judgedAttempts(counted));
}

/** `5 handshakes: 5 refused`: how the handshakes before the first burst ended. */
export function preflightOutcomes(outcomes: Outcomes, attempted: number): string {
  const parts = Object.entries(outcomes).map(([id, count]) => `${formatCount(count)} ${id}`);
  return `${formatCount(attempted)} handshake${attempted === 1 ? '' : 's'}: ${parts.join(', ')}`;
}

/** An outcome, or `lost`: a connection that had its 101 and was closed by the target. */
export type FailureKind = OutcomeId | 'lost';

/** `3×504`, `3 lost`. */
export function countText(kind: FailureKind, count: number, times = '×'): string {
  return `${formatCount(count)}${kind === 'lost' ? ' ' : times}${printable(kind)}`;
}

/**
 * A target that sends many different statuses must not fill the screen: kinds of failure in a line, and rows of a
 * table.
 */
const MOST_KINDS = 12;
const MOST_ROWS = 20;

/** `300×504, 2×reset, 3 lost`. */
export function failuresText({ outcomes, lostWhileHeld }: Burst): string {
  const all = failedOutcomes(outcomes);
  const failed = all.slice(0, MOST_KINDS).map(([id, count]) => countText(id, count));
  const more = all.length > MOST_KINDS ? [`${formatCount(all.length - MOST_KINDS)} more outcomes`] : [];
  return [...failed, ...more, ...(lostWhileHeld > 0 ? [countText('lost', lostWhileHeld)] : [])].join(', ');
}

export interface OutcomeRow {
  /** `other`: the sum of the rarest failures. */
  readonly id: OutcomeId | 'other';
  readonly count: number;
  /** Share among the attempts that say something about the target; null: this outcome does not. */
  readonly share: string | null;
  /** Empty if the name of the outcome is enough. */
  readonly meaning: string;
}

/** Shares exclude attempts that failed on this machine or were stopped. */
export function outcomeRows(counted: Counted): OutcomeRow[] {
  const judged = judgedAttempts(counted);
  const rare = failedOutcomes(counted.outcomes)
    .filter(([id]) => isJudged(id))
    .slice(MOST_ROWS);
  const isRare = new Set(rare.map(([id]) => id));
  const rows: OutcomeRow[] = (Object.entries(counted.outcomes) as [OutcomeId, number][])
    .filter(([id]) => !isRare.has(id))
    .map(([id, count]) => ({
      id,
      count,
      share: isJudged(id) ? percent(count, judged) : null,
      meaning: isOpen(id) ? '' : (STATUS_WORDS[id] ?? meaningOf(id)),
    }));
  if (rare.length === 0) return rows;
  const count = rare.reduce((sum, [, one]) => sum + one, 0);
  const meaning = `${formatCount(rare.length)} more outcome${rare.length === 1 ? '' : 's'}, each rarer than these`;
  return [...rows, { id: 'other', count, share: percent(count, judged), meaning }];
}

/** Why a status fails a handshake, where the number alone is not enough. */
const STATUS_WORDS: Readonly<Record<string, string>> = {
  200: 'OK: answered as plain HTTP',
  301: 'redirect, not followed',
  302: 'redirect, not followed',
  307: 'redirect, not followed',
  308: 'redirect, not followed',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  426: 'Upgrade Required',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway: backend gone or nonsense',
  503: 'Service Unavailable',
  504: 'Gateway Timeout: backend too slow',
};

/** Named outcomes that speak about the target or the way to it. */
type FatedId = Extract<(typeof NAMED_OUTCOMES)[number], { readonly blame: 'target' | 'network' }>['id'];

/** Singular and plural, by outcome. A status is described by its number. */
const FATES: Readonly<Record<FatedId, readonly [one: string, many: string]>> = {
  'invalid-101': ['was answered an invalid 101', 'were answered an invalid 101'],
  malformed: ['was answered something that is no HTTP', 'were answered something that is no HTTP'],
  closed: ['was closed without an answer', 'were closed without an answer'],
  reset: ['was reset without an answer', 'were reset without an answer'],
  'timeout-connect': ['timed out before TCP was open', 'timed out before TCP was open'],
  'timeout-tls': ['timed out in the TLS handshake', 'timed out in the TLS handshake'],
  'timeout-upgrade': ['got no answer in time', 'got no answer in time'],
  refused: ['was refused', 'were refused'],
  'reset-connect': ['was reset while connecting', 'were reset while connecting'],
  unreachable: ['found no route', 'found no route'],
  dns: ['could not look the name up', 'could not look the name up'],
  tls: ['failed in the TLS handshake', 'failed in the TLS handshake'],
};

/** `20 were answered 504 after 1.00 s`; `after`: how long they took. */
export function fateOf(id: OutcomeId, count: number, after: Summary | null): string {
  const index = count === 1 ? 0 : 1;
  const answered = [`was answered ${id}`, `were answered ${id}`][index];
  const local = `failed on this machine (${id})`;
  const words = blameOf(id) === 'local' ? local : isFated(id) ? FATES[id][index] : answered;
  return `${formatCount(count)} ${words}${when(after)}`;
}

function isFated(id: OutcomeId): id is FatedId {
  return Object.hasOwn(FATES, id);
}

/** One time if they are close together, otherwise a range. */
function when(after: Summary | null): string {
  if (after === null) return '';
  const isTight = after.max <= 1.2 * after.min || after.max - after.min < 1;
  if (isTight) return ` after ${spokenMs(after.p50)}`;
  return ` after ${spokenMs(after.min)} to ${spokenMs(after.max)}`;
}
