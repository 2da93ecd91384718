/**
 * The one-sentence summary of a result, and what to try when nothing could be measured. Owns the words; the numbers are
 * in the tables. A limit of the generator is never stated as a fact about the target.
 */
import { openedOf } from '../../names/outcomes.js';
import { printable } from '../../plan/printable.js';
import { startsTogether } from '../../plan/stages/loads.js';
import { formatCount, formatDuration } from '../../plan/units.js';
import type { DropOff, SearchVerdict } from '../../result/drop-off.js';
import type { Burst, Counted, Result, Summary } from '../../result/result.js';
import { dropOffSentence } from './drop-off-words.js';
import { endedClause, endedSentence, keptClause, readyClause } from './end-words.js';
import { bare } from './fact.js';
import { LOAD_WORDS } from './load-words.js';
import { spokenMs } from './numbers.js';
import { failedOutcomes, fateOf } from './outcome-words.js';
import { hasStorm, stormHeadline } from './storm/storm-words.js';

export interface Headline {
  /** One or more sentences, ending with a full stop. */
  readonly text: string;
  readonly mood: 'good' | 'doubtful' | 'bad';
}

/** Number of failure kinds that the sentence names; the others are added up. */
const NAMED_FAILURES = 3;

export function headlineOf(result: Result): Headline {
  if (hasDropOff(result)) return searched(result, result.dropOff);
  if (result.bursts.length === 0) return { text: notStarted(result), mood: 'bad' };
  if (result.validity.verdict === 'invalid') return { text: invalid(result), mood: 'bad' };
  if (hasStorm(result)) return stormHeadline(result);
  const partial = result.stopped === null ? '' : `PARTIAL (${bare(printable(result.stopped))}): `;
  const text = `${partial}${measured(result)}.`;
  const isMissed = result.thresholds.some(({ ok }) => !ok);
  const { outcomes, lostWhileHeld, sessions } = result.totals;
  const allWereReady = Object.keys(sessions?.notReady ?? {}).length === 0;
  const hasFailed = failedOutcomes(outcomes).length > 0 || lostWhileHeld > 0 || !allWereReady;
  if (isMissed || (hasFailed && partial === '')) return { text, mood: 'bad' };
  return { text, mood: partial === '' && result.validity.verdict === 'valid' ? 'good' : 'doubtful' };
}

/** What was run: the command with its target, the gate if there was one, the timeout. */
export function contextOf({ command, plan: { target, gate, timeoutMs }, bursts }: Result): string[] {
  const hasGate = bursts.some(({ kind }) => startsTogether(kind));
  return [
    `${command} ${printable(target.url)}`,
    ...(hasGate ? [`gate ${gate}`] : []),
    `timeout ${formatDuration(timeoutMs)}`,
  ];
}

/** false for a search that was stopped before its first burst: like any other run, it has measured nothing. */
export function hasDropOff(result: Result): result is Result & { readonly dropOff: DropOff } {
  const { dropOff } = result;
  return dropOff !== null && (dropOff.cost.bursts > 0 || dropOff.verdict !== 'INTERRUPTED');
}

const SEARCH_MOODS: Readonly<Record<SearchVerdict, Headline['mood']>> = {
  FOUND: 'good',
  AT_LEAST_MAX: 'good',
  BELOW_MIN: 'bad',
  DID_NOT_RECOVER: 'bad',
  GENERATOR_LIMITED: 'doubtful',
  BUDGET: 'doubtful',
  INTERRUPTED: 'doubtful',
};

/**
 * Failing bursts are normal in a search; only its answer and the thresholds decide whether the headline is good or bad.
 */
function searched(result: Result, dropOff: DropOff): Headline {
  const text = `${dropOffSentence(dropOff, result.stopped)}${endedSentence(result.totals)}`;
  return { text, mood: result.thresholds.some(({ ok }) => !ok) ? 'bad' : SEARCH_MOODS[dropOff.verdict] };
}

function notStarted(result: Result): string {
  const reason = result.stopped ?? result.validity.reasons[0] ?? 'the run ended before its first burst';
  return `Nothing was measured: ${bare(printable(reason))}.`;
}

function invalid(result: Result): string {
  const reason = bare(printable(result.validity.reasons[0] ?? 'the generator was the limit'));
  const invalidBursts = result.bursts.filter(({ validity }) => validity.verdict === 'invalid').length;
  const some = invalidBursts > 0 && invalidBursts < result.bursts.length;
  const rest = some ? 'bursts marked invalid say nothing about the target' : 'this says nothing about the target';
  return `INVALID: ${reason} – ${rest}.`;
}

function measured(result: Result): string {
  const { bursts, totals } = result;
  const areSimultaneous = bursts.every(({ kind }) => startsTogether(kind));
  const sizes = new Set(bursts.map(({ size }) => size));
  if (areSimultaneous && sizes.size > 1) return `${severalSizes(bursts)}${afterwards(totals)}${keptClause(bursts)}`;
  if (!areSimultaneous && bursts.length > 1) {
    return `${counts(totals, 'handshakes', ` in ${bursts.length} stages and bursts`)}${afterwards(totals)}`;
  }
  const [{ kind, size, stage }] = bursts;
  const { handshakes, manner } = LOAD_WORDS[kind];
  const how =
    bursts.length === 1
      ? manner(bursts[0], result.plan.stages[stage])
      : ` in ${bursts.length} bursts of ${formatCount(size)}`;
  return `${counts(totals, handshakes, how)}${afterwards(totals)}`;
}

/** What followed the 101s. */
function afterwards(totals: Counted): string {
  return `${readyClause(totals)}${endedClause(totals)}`;
}

/** `480 of 500 WHAT got their 101WHERE; 20 were answered 504 after 1.00 s`. */
function counts(counted: Counted, what: string, where: string): string {
  const { attempted, outcomes } = counted;
  const ok = openedOf(outcomes);
  const n = formatCount(attempted);
  if (ok === attempted) return `${allOf(n, attempted, what)}${where}${slowest(counted.latencyMs.handshake)}`;
  const start = ok === 0 ? `None of ${n} ${what} got its 101` : `${formatCount(ok)} of ${n} ${what} got their 101`;
  return `${start}${where}; ${failures(counted)}`;
}

function allOf(n: string, attempted: number, what: string): string {
  return attempted === 1 ? 'The one handshake got its 101' : `All ${n} ${what} got their 101`;
}

function slowest(handshake: Summary | null): string {
  if (handshake === null) return '';
  return handshake.count === 1 ? ` after ${spokenMs(handshake.max)}` : `, the slowest after ${spokenMs(handshake.max)}`;
}

/** Steps: up to where all was well, and what went wrong first. */
function severalSizes(bursts: readonly Burst[]): string {
  const sizes = [...new Set(bursts.map(({ size }) => size))].sort((a, b) => a - b);
  const least = formatCount(sizes[0]);
  const most = formatCount(sizes[sizes.length - 1]);
  const start = `${formatCount(bursts.length)} bursts of ${least} to ${most} ${LOAD_WORDS.burst.handshakes}`;
  const firstBad = sizes.findIndex((size) => bursts.some((burst) => burst.size === size && !isWhole(burst)));
  if (firstBad === -1) return `${start}: all got their 101`;
  const upTo = firstBad === 0 ? 'not even' : `all got their 101 up to ${formatCount(sizes[firstBad - 1])}, not`;
  const bad = bursts.filter(({ size }) => size === sizes[firstBad]);
  const worst = bad.reduce((a, b) => (okShare(b) < okShare(a) ? b : a));
  const ok = formatCount(openedOf(worst.outcomes));
  return `${start}: ${upTo} at ${formatCount(worst.size)} (${ok} did; ${failures(worst)})`;
}

function isWhole(burst: Burst): boolean {
  return openedOf(burst.outcomes) === burst.attempted;
}

function okShare(burst: Burst): number {
  return openedOf(burst.outcomes) / burst.attempted;
}

/** `20 were answered 504 after 1.00 s, 3 were reset …`. */
function failures(counted: Counted): string {
  const failed = failedOutcomes(counted.outcomes);
  const named = failed.slice(0, failed.length > NAMED_FAILURES ? NAMED_FAILURES - 1 : NAMED_FAILURES);
  const others = failed.slice(named.length);
  const parts = named.map(([id, count]) => fateOf(id, count, counted.failureMs[id] ?? null));
  if (others.length > 0) {
    const count = others.reduce((sum, [, n]) => sum + n, 0);
    parts.push(`${formatCount(count)} failed in ${others.length} other ways`);
  }
  const aborted = counted.outcomes.aborted ?? 0;
  if (aborted > 0) parts.push(`${formatCount(aborted)} had not ended`);
  return parts.join(', ');
}

/** What to try when the target did not answer the preflight. */
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
