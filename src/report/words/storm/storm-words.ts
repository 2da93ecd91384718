/**
 * A storm in words: the sentence that says when everybody was back and at what load, the facts behind it, and the table
 * that compares policies. Everything is told over all clients that were dropped.
 */
import { printable } from '../../../plan/printable.js';
import { formatCount } from '../../../plan/units.js';
import type { Result } from '../../../result/result.js';
import type { Storm } from '../../../result/storm.js';
import { bare, type Fact } from '../fact.js';
import { percent, spokenMs } from '../numbers.js';

export function hasStorm(result: Result): result is Result & { readonly storm: readonly Storm[] } {
  return result.storm !== null && result.storm.length > 0;
}

export function stormHeadline({ storm, stopped, thresholds }: Result & { readonly storm: readonly Storm[] }): {
  readonly text: string;
  readonly mood: 'good' | 'doubtful' | 'bad';
} {
  const partial = stopped === null ? '' : `PARTIAL (${bare(printable(stopped))}): `;
  const text = storm.length === 1 ? oneStorm(storm[0]) : severalStorms(storm);
  const isBad = thresholds.some(({ ok }) => !ok) || storm.some((one) => goneOf(one) > 0);
  const isDoubtful = partial !== '' || storm.some(({ validity }) => validity.verdict !== 'valid');
  return { text: `${partial}${text}.`, mood: isBad && partial === '' ? 'bad' : isDoubtful ? 'doubtful' : 'good' };
}

/** `5,000 clients with socket.io's policy: 95% ready again after 21 s, all after 34 s; the peak was 1,490 handshakes/s, 4.1 attempts a client`. */
function oneStorm(storm: Storm): string {
  const { clients, fleet, dropped } = storm;
  const few = dropped === fleet ? '' : `${formatCount(dropped)} of `;
  const who = `${few}${formatCount(fleet === 0 ? clients : fleet)} clients with ${policyWords(storm)}`;
  return dropped === 0 ? `${who}: none was dropped` : `${who}: ${backWords(storm)}; ${loadWords(storm)}`;
}

function policyWords({ policy }: Storm): string {
  return policy === 'own' ? 'your policy' : `${printable(policy)}'s policy`;
}

function backWords(storm: Storm): string {
  const { dropped, t50Ms, t95Ms, t100Ms } = storm;
  const gone = goneOf(storm);
  if (gone === 0 && t95Ms !== null && t100Ms !== null) {
    const most = spokenMs(t95Ms);
    return t95Ms === t100Ms
      ? `all ready again after ${most}`
      : `95% ready again after ${most}, all after ${spokenMs(t100Ms)}`;
  }
  if (gone === dropped) return `none is ready again: ${neverWords(storm)}`;
  const half = t50Ms === null ? '' : `half of them after ${spokenMs(t50Ms)}, `;
  const most = t95Ms === null ? '' : `95% after ${spokenMs(t95Ms)}, `;
  return `${percent(dropped - gone, dropped)} ready again (${half}${most}the others never: ${neverWords(storm)})`;
}

function loadWords({ peakPerSecond, attemptsPerClient }: Storm): string {
  const each = attemptsPerClient === null ? '' : `, ${attemptsPerClient.mean.toFixed(1)} attempts a client`;
  return `the peak was ${formatCount(peakPerSecond)} handshakes/s${each}`;
}

/** In which ways clients never came back: `1,900 gave up, 20 were stopped by a code, 3,100 were still trying`. */
function neverWords({ never: { gaveUp, stopped, stillTrying } }: Storm): string {
  const were = (count: number) => (count === 1 ? 'was' : 'were');
  const ways = [
    gaveUp === 0 ? null : `${formatCount(gaveUp)} gave up`,
    stopped === 0 ? null : `${formatCount(stopped)} ${were(stopped)} stopped by a code or status`,
    stillTrying === 0 ? null : `${formatCount(stillTrying)} ${were(stillTrying)} still trying`,
  ];
  return ways.filter((way) => way !== null).join(', ');
}

function goneOf({ never: { gaveUp, stopped, stillTrying } }: Storm): number {
  return gaveUp + stopped + stillTrying;
}

function severalStorms(storms: readonly Storm[]): string {
  const all = storms.filter((one) => goneOf(one) === 0 && one.t100Ms !== null);
  const others = storms.filter((one) => !all.includes(one));
  const named = (some: readonly Storm[]) => some.map(({ policy }) => printable(policy)).join(', ');
  const start = `${storms.length} policies, ${formatCount(storms[0].clients)} clients each`;
  const soonest = [...all].sort((a, b) => (a.t95Ms ?? 0) - (b.t95Ms ?? 0))[0];
  if (soonest === undefined) return `${start}: with none of them all clients were ready again (${named(others)})`;
  const first = `${printable(soonest.policy)} soonest, 95% after ${spokenMs(soonest.t95Ms ?? 0)}`;
  const back =
    others.length === 0
      ? 'all clients were ready again with each'
      : `all clients were ready again with ${named(all)}, not with ${named(others)}`;
  return `${start}: ${back}; ${first}`;
}

/** What stands behind the sentence. */
export function stormFacts(storms: readonly Storm[]): Fact[] {
  return storms.flatMap((storm) => factsOf(storm, storms.length > 1));
}

function factsOf(storm: Storm, isOneOfSeveral: boolean): Fact[] {
  const { dropped, policy } = storm;
  const title: Fact[] = isOneOfSeveral ? [{ label: 'storm', text: printable(policy) }] : [];
  if (dropped === 0) return [...title, ...boundFact(storm)];
  return [
    ...title,
    { label: 'dropped', text: droppedText(storm) },
    { label: 'back', text: timesText(storm) },
    ...(goneOf(storm) === 0 ? [] : [{ label: 'never', text: neverWords(storm), isDoubt: true }]),
    { label: 'attempts/s', text: seriesText(storm.perSecond.attempts), curve: storm.perSecond.attempts },
    { label: 'opens/s', text: seriesText(storm.perSecond.opens), curve: storm.perSecond.opens },
    { label: 'attempts', text: attemptsText(storm) },
    ...boundFact(storm),
    ...lateFact(storm),
  ];
}

function droppedText({ dropped, fleet, dropSpreadMs, dropsPerClient, ends }: Storm): string {
  const spread = dropSpreadMs === null || dropSpreadMs === 0 ? '' : ` within ${spokenMs(dropSpreadMs)}`;
  const ways = Object.entries(ends).map(
    ([word, count]) => `${formatCount(count)} ${word === 'closed' ? 'by this side' : word}`,
  );
  const again =
    dropsPerClient === null || dropsPerClient.max <= 1
      ? ''
      : `; ${dropsPerClient.mean.toFixed(2)} times each on average, at most ${dropsPerClient.max}`;
  return `${formatCount(dropped)} of ${formatCount(fleet)}${spread} (${ways.join(', ')})${again}`;
}

function timesText({ t50Ms, t95Ms, t99Ms, t100Ms, backMs }: Storm): string {
  const reached = [
    ['50%', t50Ms],
    ['95%', t95Ms],
    ['99%', t99Ms],
    ['all', t100Ms],
  ] as const;
  const parts = reached.map(([share, ms]) => `${share} ${ms === null ? 'not reached' : `after ${spokenMs(ms)}`}`);
  const away =
    backMs === null ? '' : `; a client was away for ${spokenMs(backMs.p50)} (median), ${spokenMs(backMs.max)} at most`;
  return `${parts.join(', ')}${away}`;
}

function seriesText(series: readonly number[]): string {
  const most = Math.max(0, ...series);
  return `at most ${formatCount(most)} in one of ${formatCount(series.length)} seconds`;
}

function attemptsText({ attempts, abandoned, attemptsPerClient }: Storm): string {
  const total = Object.values(attempts).reduce((sum, count) => sum + count, 0);
  const ways = Object.entries(attempts)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 5)
    .map(([id, count]) => `${formatCount(count)} ${id}`);
  const most = attemptsPerClient === null ? '' : `, at most ${formatCount(attemptsPerClient.max)} by one client`;
  const left = abandoned === 0 ? '' : `; ${formatCount(abandoned)} given up by the client's own timeout`;
  return `${formatCount(total)} (${ways.join(', ')})${most}${left}`;
}

function boundFact({ bound }: Storm): Fact[] {
  if (bound === null) return [];
  const text = printable(bound.because);
  return [{ label: 'bound', text, isDoubt: bound.recovers === false }];
}

function lateFact({ late }: Storm): Fact[] {
  if (late === null) return [];
  const text = `1% of the timers woke more than ${spokenMs(late.p99Ms)} late (at most ${spokenMs(late.maxMs)}); 1% of the attempts started more than ${spokenMs(late.startP99Ms)} after their instant`;
  return [{ label: 'late', text }];
}

/** The policies of a run side by side, one row each. */
export interface StormTable {
  readonly columns: readonly string[];
  /** The first cell of a row is a name, the others are numbers. */
  readonly rows: readonly (readonly string[])[];
}

export function stormTable(storms: readonly Storm[]): StormTable {
  const after = (ms: number | null) => (ms === null ? 'never' : spokenMs(ms));
  return {
    columns: ['policy', 'back', '50%', '95%', 'all', 'peak/s', 'attempts each', 'abandoned'],
    rows: storms.map((storm) => [
      printable(storm.policy),
      percent(storm.dropped - goneOf(storm), storm.dropped),
      after(storm.t50Ms),
      after(storm.t95Ms),
      after(storm.t100Ms),
      formatCount(storm.peakPerSecond),
      storm.attemptsPerClient === null ? '-' : storm.attemptsPerClient.mean.toFixed(1),
      formatCount(storm.abandoned),
    ]),
  };
}
