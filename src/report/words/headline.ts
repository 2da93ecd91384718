/**
 * The one sentence that a result comes down to, and what to try when nothing could be measured. It owns the words; the
 * numbers behind them are in the tables. A limit of the generator is never told as a fact about the target.
 */

import { blameOf, type OutcomeId } from '../../names/outcomes.js';
import { formatCount } from '../../plan/units.js';
import type { DropOff, SearchVerdict } from '../../result/drop-off.js';
import type { Burst, Counted, Outcomes, Result, Summary } from '../../result/result.js';
import { type Glyphs, safeText } from '../terminal/style.js';
import { dropOffSentence } from './drop-off-words.js';
import { percent, spokenMs } from './numbers.js';

interface Verdict {
  readonly text: string;
  readonly mood: 'good' | 'doubtful' | 'bad';
}

/** Distinct kinds of failure that the sentence names; the others are summed up. */
const NAMED_FAILURES = 3;

export function verdictOf(result: Result, glyphs: Glyphs): Verdict {
  if (hasDropOff(result)) return searched(result, result.dropOff, glyphs);
  if (result.bursts.length === 0) return { text: notStarted(result), mood: 'bad' };
  if (result.validity.verdict === 'invalid') return { text: invalid(result, glyphs), mood: 'bad' };
  const partial = result.stopped === null ? '' : `PARTIAL (${bare(safeText(result.stopped))}): `;
  const text = `${partial}${measured(result, glyphs)}.`;
  const isMissed = result.thresholds.some(({ ok }) => !ok);
  const hasFailed = failedOutcomes(result.totals.outcomes).length > 0 || result.totals.lostWhileHeld > 0;
  if (isMissed || (hasFailed && partial === '')) return { text, mood: 'bad' };
  return { text, mood: partial === '' && result.validity.verdict === 'valid' ? 'good' : 'doubtful' };
}

/** A search that was stopped before its first burst knows no more than a run that was. */
export function hasDropOff(result: Result): result is Result & { readonly dropOff: DropOff } {
  const { dropOff } = result;
  return dropOff !== null && (dropOff.cost.bursts > 0 || dropOff.verdict !== 'INTERRUPTED');
}

const SEARCH_MOODS: Readonly<Record<SearchVerdict, Verdict['mood']>> = {
  FOUND: 'good',
  AT_LEAST_MAX: 'good',
  BELOW_MIN: 'bad',
  DID_NOT_RECOVER: 'bad',
  GENERATOR_LIMITED: 'doubtful',
  BUDGET: 'doubtful',
  INTERRUPTED: 'doubtful',
};

/** Bursts that fail are what a search is made of; only its answer and the thresholds have a mood. */
function searched(result: Result, dropOff: DropOff, glyphs: Glyphs): Verdict {
  const text = dropOffSentence(dropOff, result.stopped, glyphs);
  return { text, mood: result.thresholds.some(({ ok }) => !ok) ? 'bad' : SEARCH_MOODS[dropOff.verdict] };
}

/** Outcomes that are neither a 101 nor an attempt that was stopped, most frequent first. */
export function failedOutcomes(outcomes: Outcomes): [OutcomeId, number][] {
  const entries = Object.entries(outcomes) as [OutcomeId, number][];
  return entries.filter(([id]) => id !== '101' && id !== 'aborted').sort(([, a], [, b]) => b - a);
}

/** What shares are shares of: attempts that could say something about the target. */
export function judgedAttempts(counted: Pick<Counted, 'attempted' | 'outcomes'>): number {
  const entries = Object.entries(counted.outcomes) as [OutcomeId, number][];
  const excluded = entries.filter(([id]) => id === 'aborted' || blameOf(id) === 'local');
  return counted.attempted - excluded.reduce((sum, [, count]) => sum + count, 0);
}

function notStarted(result: Result): string {
  const reason = result.stopped ?? result.validity.reasons[0] ?? 'the run ended before its first burst';
  return `Nothing was measured: ${bare(safeText(reason))}.`;
}

function invalid(result: Result, glyphs: Glyphs): string {
  const reason = bare(safeText(result.validity.reasons[0] ?? 'the generator was the limit'));
  const invalidBursts = result.bursts.filter(({ validity }) => validity.verdict === 'invalid').length;
  const some = invalidBursts > 0 && invalidBursts < result.bursts.length;
  const rest = some ? 'bursts marked invalid say nothing about the target' : 'this says nothing about the target';
  return `INVALID: ${reason} ${glyphs.dash} ${rest}.`;
}

/** Reasons are sentences of their own; here they become a part of one. */
function bare(sentence: string): string {
  return sentence.trim().replace(/[.;:]+$/, '');
}

function measured(result: Result, glyphs: Glyphs): string {
  const { bursts, totals } = result;
  const churns = bursts.filter(({ kind }) => kind === 'churn');
  const sizes = new Set(bursts.map(({ size }) => size));
  if (churns.length === 0 && sizes.size > 1) return `${severalSizes(bursts, glyphs)}${lost(totals)}`;
  if (churns.length > 0 && bursts.length > 1) {
    return `${counts(totals, 'handshakes', ` in ${bursts.length} stages and bursts`, glyphs)}${lost(totals)}`;
  }
  if (churns.length === 1)
    return `${counts(totals, 'handshakes', churnPace(result, churns[0]), glyphs)}${lost(totals)}`;
  const times = bursts.length === 1 ? '' : ` in ${bursts.length} bursts of ${formatCount(bursts[0].size)}`;
  return `${counts(totals, 'simultaneous handshakes', times, glyphs)}${lost(totals)}`;
}

function churnPace(result: Result, churn: Burst): string {
  const stage = result.plan.stages[churn.stage];
  const inFlight = stage?.kind === 'churn' ? ` with ${formatCount(stage.inFlight)} in flight` : '';
  return churn.rate === null ? inFlight : `${inFlight}, ${formatCount(Math.round(churn.rate))} a second`;
}

/** `480 of 500 WHAT got their 101WHERE; 20 were answered 504 after 1.00 s`. */
function counts(counted: Counted, what: string, where: string, glyphs: Glyphs): string {
  const { attempted, outcomes } = counted;
  const ok = outcomes['101'] ?? 0;
  const n = formatCount(attempted);
  if (ok === attempted) return `${allOf(n, attempted, what)}${where}${slowest(counted.latencyMs.handshake, glyphs)}`;
  const start = ok === 0 ? `None of ${n} ${what} got its 101` : `${formatCount(ok)} of ${n} ${what} got their 101`;
  return `${start}${where}; ${failures(counted, glyphs)}`;
}

function allOf(n: string, attempted: number, what: string): string {
  return attempted === 1 ? 'The one handshake got its 101' : `All ${n} ${what} got their 101`;
}

function slowest(handshake: Summary | null, glyphs: Glyphs): string {
  if (handshake === null) return '';
  return handshake.count === 1
    ? ` after ${spokenMs(handshake.max, glyphs)}`
    : `, the slowest after ${spokenMs(handshake.max, glyphs)}`;
}

function lost({ lostWhileHeld }: Counted): string {
  if (lostWhileHeld === 0) return '';
  return `; ${formatCount(lostWhileHeld)} that had a 101 ${lostWhileHeld === 1 ? 'was' : 'were'} lost while held`;
}

/** Steps: up to where all was well, and what went wrong first. */
function severalSizes(bursts: readonly Burst[], glyphs: Glyphs): string {
  const sizes = [...new Set(bursts.map(({ size }) => size))].sort((a, b) => a - b);
  const least = formatCount(sizes[0]);
  const most = formatCount(sizes[sizes.length - 1]);
  const start = `${formatCount(bursts.length)} bursts of ${least} to ${most} simultaneous handshakes`;
  const firstBad = sizes.findIndex((size) => bursts.some((burst) => burst.size === size && !isWhole(burst)));
  if (firstBad === -1) return `${start}: all got their 101`;
  const upTo = firstBad === 0 ? 'not even' : `all got their 101 up to ${formatCount(sizes[firstBad - 1])}, not`;
  const bad = bursts.filter(({ size }) => size === sizes[firstBad]);
  const worst = bad.reduce((a, b) => (okShare(b) < okShare(a) ? b : a));
  const ok = formatCount(worst.outcomes['101'] ?? 0);
  const failed = failures(worst, glyphs);
  const why = failed === '' ? '' : `; ${failed}`;
  return `${start}: ${upTo} at ${formatCount(worst.size)} (${ok} did${why})`;
}

function isWhole(burst: Burst): boolean {
  return burst.outcomes['101'] === burst.attempted && burst.lostWhileHeld === 0;
}

function okShare(burst: Burst): number {
  return (burst.outcomes['101'] ?? 0) / burst.attempted;
}

/** `20 were answered 504 after 1.00 s, 3 were reset …`. */
function failures(counted: Counted, glyphs: Glyphs): string {
  const failed = failedOutcomes(counted.outcomes);
  const named = failed.slice(0, failed.length > NAMED_FAILURES ? NAMED_FAILURES - 1 : NAMED_FAILURES);
  const others = failed.slice(named.length);
  const parts = named.map(([id, count]) => fate(id, count, counted.failureMs[id] ?? null, glyphs));
  if (others.length > 0) {
    const count = others.reduce((sum, [, n]) => sum + n, 0);
    parts.push(`${formatCount(count)} failed in ${others.length} other ways`);
  }
  const aborted = counted.outcomes.aborted ?? 0;
  if (aborted > 0) parts.push(`${formatCount(aborted)} had not ended`);
  return parts.join(', ');
}

/** Both numbers of the verb, by outcome; a status is told by its number. */
const FATES: Readonly<Record<string, readonly [one: string, many: string]>> = {
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

function fate(id: OutcomeId, count: number, after: Summary | null, glyphs: Glyphs): string {
  const index = count === 1 ? 0 : 1;
  const answered = [`was answered ${id}`, `were answered ${id}`][index];
  const local = `failed on this machine (${id})`;
  const words = blameOf(id) === 'local' ? local : (FATES[id]?.[index] ?? answered);
  return `${formatCount(count)} ${words}${when(after, glyphs)}`;
}

/** One time when they lie together, a range when they do not. */
function when(after: Summary | null, glyphs: Glyphs): string {
  if (after === null) return '';
  const isTight = after.max <= 1.2 * after.min || after.max - after.min < 1;
  if (isTight) return ` after ${spokenMs(after.p50, glyphs)}`;
  return ` after ${spokenMs(after.min, glyphs)} to ${spokenMs(after.max, glyphs)}`;
}

/** `5 handshakes: 5 refused`: how the handshakes before the first burst ended. */
export function preflightOutcomes(outcomes: Outcomes, attempted: number): string {
  const parts = Object.entries(outcomes).map(([id, count]) => `${formatCount(count)} ${id}`);
  return `${formatCount(attempted)} handshake${attempted === 1 ? '' : 's'}: ${parts.join(', ')}`;
}

/** What to try when the target answered nothing at preflight. */
export function remediesOf(result: Result): string[] {
  const { host, port, scheme } = result.plan.target;
  const where = `${host}:${port}`;
  const [worst] = failedOutcomes(result.preflight?.outcomes ?? {});
  const other = scheme === 'wss' ? 'ws://' : 'wss://';
  const unspoken = `check that a WebSocket server answers at ${where}, and whether it wants ${other}`;
  const byOutcome: Readonly<Record<string, string>> = {
    refused: `check that the server listens at ${where}`,
    'reset-connect': `check that the server listens at ${where}`,
    dns: 'check the name, or dial an address with --connect-to ADDRESS:PORT',
    unreachable: `check the route and the firewalls between here and ${where}`,
    'timeout-connect': `check the route and the firewalls between here and ${where}`,
    tls: '--ca FILE trusts one authority more, --servername NAME asks for another name, -k accepts any certificate',
  };
  const first = worst === undefined ? unspoken : (byOutcome[worst[0]] ?? unspoken);
  return [first, '--no-preflight sends the burst all the same'];
}

/** Share of 101s, for a table. */
export function share101(counted: Pick<Counted, 'attempted' | 'outcomes'>): string {
  return percent(counted.outcomes['101'] ?? 0, judgedAttempts(counted));
}
