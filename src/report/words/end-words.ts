/**
 * How connections went on after their 101, in words: who was ready, who was not and why, and how the target ended the
 * others (its close code and reason, FIN, RST, TLS, bytes that are no frames) and when. The texts of a target are masked
 * and printable already, as everywhere in a result.
 */
import { ABORTED } from '../../names/ends.js';
import { printable } from '../../plan/printable.js';
import { formatCount, formatDuration } from '../../plan/units.js';
import { areReadyAtOnce } from '../../result/ready.js';
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

type EndCounts = Pick<Counted, 'lostWhileHeld' | 'sessions' | 'latencyMs'>;

const WORDS: Readonly<Record<string, string>> = {
  fin: 'FIN without a close frame',
  rst: 'RST',
  tls: 'an error of TLS',
  protocol: 'bytes that are no frames',
  1005: 'a close frame without a code',
  rejected: 'a message that the session takes for a refusal',
  'timeout-message': 'not sending a message that was expected',
};

/** What happened to one client that was not ready, and to several. */
const FATES: Readonly<Record<string, readonly [one: string, several: string]>> = {
  fin: ['was ended by FIN', 'were ended by FIN'],
  rst: ['was reset', 'were reset'],
  tls: ['ended with a TLS error', 'ended with a TLS error'],
  protocol: ['got bytes that are no frames', 'got bytes that are no frames'],
  rejected: ['was refused', 'were refused'],
  'timeout-message': ['waited in vain', 'waited in vain'],
  1005: ['was closed without a code', 'were closed without a code'],
  [ABORTED]: ['was still waiting when the run ended', 'were still waiting when the run ended'],
};
const LONGEST_STEP = 120;
const LONGEST_STEP_IN_HEADLINE = 50;

/** `close code 4401 ("token expired")`, `FIN without a close frame`. */
export function endName(word: string, reason: string | null): string {
  const name = Object.hasOwn(WORDS, word) ? WORDS[word] : `close code ${word}`;
  return reason === null ? name : `${name} ("${printable(reason, LONGEST_REASON)}")`;
}

/**
 * `; all were ready, the slowest after 41 ms` or `; 12 were ready, 4 were closed with 4401 ("Unauthorized") before that`,
 * where a session decides it; may be empty.
 */
export function readyClause({ sessions, ...counted }: EndCounts): string {
  if (sessions === null || areReadyAtOnce({ sessions, ...counted })) return '';
  const { ready, readyMs } = sessions;
  const rows = endRows(sessions.notReady, sessions.notReadyEnds);
  if (rows.length === 0) {
    const who = ready === 1 ? 'it was ready' : 'all were ready, the slowest';
    return readyMs === null ? '' : `; ${who} after ${spokenMs(readyMs.max)}`;
  }
  const { named, others } = mostOf(rows);
  const parts = named.map((row) => fateText(row, LONGEST_STEP_IN_HEADLINE));
  if (others > 0) parts.push(`${formatCount(others)} were not ready for other reasons`);
  const start = ready === 0 ? 'none was ready' : `${formatCount(ready)} ${ready === 1 ? 'was' : 'were'} ready`;
  return `; ${start}, ${parts.join(', ')}`;
}

/** Who was ready after how long; a line a reason why others were not; the messages. Empty without a session. */
export function readyFacts(counted: EndCounts, messageTimeoutMs: number | null): Fact[] {
  const { sessions } = counted;
  if (sessions === null || areReadyAtOnce(counted)) return [];
  const { ready, readyMs, messages } = sessions;
  const rows = endRows(sessions.notReady, sessions.notReadyEnds);
  const known = ready + rows.reduce((sum, { count }) => sum + count, 0);
  const times =
    readyMs === null ? '' : `: half within ${spokenMs(readyMs.p50)}, the last after ${spokenMs(readyMs.max)}`;
  const lines = rows.slice(0, MOST_LINES).map((row) => reasonText(row, messageTimeoutMs));
  if (rows.length > MOST_LINES) lines.push(`${formatCount(rows.length - MOST_LINES)} more reasons, each rarer`);
  const { sent, received, skipped } = messages;
  const unwanted = skipped === 0 ? '' : `, ${formatCount(skipped)} of them skipped`;
  return [
    { label: 'ready', text: `${formatCount(ready)} of ${formatCount(known)} clients${times}` },
    ...lines.map((text, i) => ({ label: i === 0 ? 'not ready' : '', text })),
    { label: 'messages', text: `${formatCount(sent)} sent, ${formatCount(received)} received${unwanted}` },
  ];
}

/** `4 were closed with 4401 ("Unauthorized") before they were ready, at expect #1 {"type":"welcome"}`. */
function reasonText(row: EndRow, messageTimeoutMs: number | null): string {
  const { word, count, end } = row;
  const { message = null, step = null } = end ?? {};
  const came =
    message === null ? '' : `; ${word === 'rejected' ? 'its message' : 'last message'}: ${printable(message)}`;
  if (word === 'timeout-message') {
    const limit = messageTimeoutMs === null ? '' : ` within ${formatDuration(messageTimeoutMs)}`;
    return `${formatCount(count)}: ${printable(step ?? 'an expected message')} was not answered${limit}${came}`;
  }
  const before = word === ABORTED ? '' : ` before ${count === 1 ? 'it was' : 'they were'} ready`;
  const at = step === null ? '' : `, ${word === 'rejected' ? 'by' : 'at'} ${printable(step, LONGEST_STEP)}`;
  return `${fateText(row, LONGEST_STEP)}${before}${at}${came}`;
}

function fateText({ word, count, end }: EndRow, longestStep: number): string {
  const closed = `closed with ${word}` as const;
  const fates = Object.hasOwn(FATES, word) ? FATES[word] : ([`was ${closed}`, `were ${closed}`] as const);
  const reason = end?.reason ?? null;
  const said = reason === null ? '' : ` ("${printable(reason, LONGEST_REASON)}")`;
  const what = word === 'timeout-message' && end?.step != null ? ` for ${printable(end.step, longestStep)}` : '';
  return `${formatCount(count)} ${fates[count === 1 ? 0 : 1]}${said}${what}`;
}

/** `; the target then ended 200 of them by close code 4401 ("token expired") 0.3 to 2 ms after the 101`; may be empty. */
export function endedClause(counted: EndCounts): string {
  const { lostWhileHeld: lost, sessions } = counted;
  if (lost === 0) return '';
  const start = `; the target then ended ${formatCount(lost)} of them`;
  return sessions === null ? `${start} while they were held` : `${start} ${byWhat(sessions, sinceOf(counted))}`;
}

/** From when the times of ends count. */
function sinceOf(counted: EndCounts): string {
  return areReadyAtOnce(counted) ? 'after the 101' : 'after they were ready';
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
export function endedSentence(counted: EndCounts): string {
  const { lostWhileHeld: lost, sessions } = counted;
  if (lost === 0) return '';
  const how = sessions === null ? '' : ` ${byWhat(sessions, sinceOf(counted))}`;
  return ` The target ended ${formatCount(lost)} connection${lost === 1 ? '' : 's'} after ${lost === 1 ? 'its' : 'their'} 101${how}.`;
}

function byWhat(sessions: Sessions, since: string): string {
  const rows = endRows(sessions.cut, sessions.ends);
  const { named, others } = mostOf(rows);
  const when = sessions.cutMs == null ? '' : `${span(sessions.cutMs.min, sessions.cutMs.max)} ${since}`;
  if (rows.length === 1) return `by ${endName(rows[0].word, rows[0].end?.reason ?? null)} ${when}`.trimEnd();
  const parts = named.map(({ word, count, end }) => `${formatCount(count)} by ${endName(word, end?.reason ?? null)}`);
  if (others > 0) parts.push(`${formatCount(others)} in other ways`);
  return `(${parts.join(', ')}) ${when}`.trimEnd();
}

/** The most frequent, and how many had one of the others. */
function mostOf(rows: readonly EndRow[]): { readonly named: readonly EndRow[]; readonly others: number } {
  const named = rows.slice(0, rows.length > MOST_NAMED ? MOST_NAMED - 1 : MOST_NAMED);
  return { named, others: rows.slice(named.length).reduce((sum, { count }) => sum + count, 0) };
}

/** A line an end, the most frequent first, and what this side did with the others. */
export function endFacts(counted: EndCounts): Fact[] {
  const { sessions } = counted;
  if (sessions === null) return [];
  const rows = endRows(sessions.cut, sessions.ends);
  if (rows.length === 0) return [];
  const { cutMs = null } = sessions;
  const half = cutMs === null || cutMs.count < 2 ? '' : `, half of them within ${spokenMs(cutMs.p50)}`;
  const lines = rows.slice(0, MOST_LINES).map(({ word, count, end }) => {
    const when = end === null ? '' : `, ${span(end.minMs, end.maxMs)} ${sinceOf(counted)}`;
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

function endRows(counts: Sessions['cut'], ends: Sessions['ends'] = {}): EndRow[] {
  return Object.entries(counts)
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
