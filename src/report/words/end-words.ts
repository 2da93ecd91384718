/**
 * How connections ended after their 101, in words: by the target (its close code and reason, FIN, RST, TLS, bytes that are
 * no frames) and when that came. The texts of a target are masked and printable already, as everywhere in a result.
 */
import { printable } from '../../plan/printable.js';
import { formatCount } from '../../plan/units.js';
import type { Burst, Counted, CutEnd, Sessions } from '../../result/result.js';
import { LatencyHistogram } from '../../tally/histogram.js';
import type { Fact } from './fact.js';
import { spokenMs } from './numbers.js';

/** Distinct ends that a sentence names, and that get a line; a target can make up thousands of codes. */
const MOST_NAMED = 3;
const MOST_LINES = 8;
const LONGEST_REASON = 80;
/** Sizes of which a sentence says how many connections they left open. */
const MOST_SIZES = 3;
/** Values of the curve over time. */
const BINS = 40;

type EndCounts = Pick<Counted, 'lostWhileHeld' | 'sessions'>;

const WORDS: Readonly<Record<string, string>> = {
  fin: 'FIN without a close frame',
  rst: 'RST',
  tls: 'an error of TLS',
  protocol: 'bytes that are no frames',
  1005: 'a close frame without a code',
};

/** `close code 4401 ("token expired")`, `FIN without a close frame`. */
export function endName(word: string, reason: string | null): string {
  const name = Object.hasOwn(WORDS, word) ? WORDS[word] : `close code ${word}`;
  return reason === null ? name : `${name} ("${printable(reason, LONGEST_REASON)}")`;
}

/** `; the target then ended 200 of them by close code 4401 ("token expired") 0.3 to 2 ms after the 101`; may be empty. */
export function endedClause(counted: EndCounts): string {
  const { lostWhileHeld: lost, sessions } = counted;
  if (lost === 0) return '';
  const start = `; the target then ended ${formatCount(lost)} of them`;
  return sessions === null ? `${start} while they were held` : `${start} ${byWhat(sessions)}`;
}

/** ` (100 stayed open of 200, 100 of 400)`, of the bursts in which the target ended some; may be empty. */
export function keptClause(bursts: readonly Burst[]): string {
  const cut = bursts.filter(({ lostWhileHeld }) => lostWhileHeld > 0);
  const kept = cut.slice(0, MOST_SIZES).map(({ outcomes, lostWhileHeld, size }, i) => {
    const open = formatCount((outcomes['101'] ?? 0) - lostWhileHeld);
    return i === 0 ? `${open} stayed open of ${formatCount(size)}` : `${open} of ${formatCount(size)}`;
  });
  return kept.length === 0 ? '' : ` (${[...kept, ...(cut.length > kept.length ? ['…'] : [])].join(', ')})`;
}

/** Of a search; may be empty. */
export function endedSentence({ lostWhileHeld: lost, sessions }: EndCounts): string {
  if (lost === 0) return '';
  const how = sessions === null ? '' : ` ${byWhat(sessions)}`;
  return ` The target ended ${formatCount(lost)} connection${lost === 1 ? '' : 's'} after ${lost === 1 ? 'its' : 'their'} 101${how}.`;
}

function byWhat(sessions: Sessions): string {
  const rows = rowsOf(sessions);
  const named = rows.slice(0, rows.length > MOST_NAMED ? MOST_NAMED - 1 : MOST_NAMED);
  const others = rows.slice(named.length).reduce((sum, { count }) => sum + count, 0);
  const when = sessions.cutMs == null ? '' : `${span(sessions.cutMs.min, sessions.cutMs.max)} after the 101`;
  if (rows.length === 1) return `by ${endName(rows[0].word, rows[0].end?.reason ?? null)} ${when}`.trimEnd();
  const parts = named.map(({ word, count, end }) => `${formatCount(count)} by ${endName(word, end?.reason ?? null)}`);
  if (others > 0) parts.push(`${formatCount(others)} in other ways`);
  return `(${parts.join(', ')}) ${when}`.trimEnd();
}

/** A line an end, the most frequent first, and what this side did with the others. */
export function endFacts({ sessions }: Pick<Counted, 'sessions'>): Fact[] {
  if (sessions === null) return [];
  const rows = rowsOf(sessions);
  if (rows.length === 0) return [];
  const { cutMs = null } = sessions;
  const half = cutMs === null || cutMs.count < 2 ? '' : `, half of them within ${spokenMs(cutMs.p50)}`;
  const lines = rows.slice(0, MOST_LINES).map(({ word, count, end }) => {
    const when = end === null ? '' : `, ${span(end.minMs, end.maxMs)} after the 101`;
    return `${formatCount(count)} by the target: ${endName(word, end?.reason ?? null)}${when}${rows.length === 1 ? half : ''}`;
  });
  if (rows.length > MOST_LINES) lines.push(`${formatCount(rows.length - MOST_LINES)} more close codes, each rarer`);
  if (rows.length > 1 && half !== '') lines.push(`all together${half}`);
  const kept = sumOf(sessions.closed) + sessions.aborted;
  if (kept > 0) lines.push(`${formatCount(kept)} stayed open until this side closed them`);
  return lines.map((text, i) => ({
    label: i === 0 ? 'ended' : '',
    text,
    ...(i === lines.length - 1 && { curve: curveOf(sessions) }),
  }));
}

interface EndRow {
  readonly word: string;
  readonly count: number;
  readonly end: CutEnd | null;
}

function rowsOf({ cut, ends = {} }: Sessions): EndRow[] {
  return Object.entries(cut)
    .map(([word, count]) => ({ word, count, end: Object.hasOwn(ends, word) ? ends[word] : null }))
    .sort((a, b) => b.count - a.count);
}

/** How many were ended, from the 101 to the last of them; empty where they came together. */
function curveOf({ cutMs = null }: Sessions): number[] {
  if (cutMs === null || cutMs.count < BINS || cutMs.max < 2 * cutMs.min) return [];
  const bins = new Array<number>(BINS).fill(0);
  for (const { fromMs, count } of LatencyHistogram.decode(cutMs.hdr).bars()) {
    bins[Math.min(BINS - 1, Math.floor((fromMs / cutMs.max) * BINS))] += count;
  }
  return bins;
}

function span(fromMs: number, toMs: number): string {
  const [from, to] = [spokenMs(fromMs), spokenMs(toMs)];
  return from === to ? from : `${from} to ${to}`;
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
