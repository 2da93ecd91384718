/**
 * How connections ended after their 101, as the sessions of a burst count it: by whom, with which close code, after how
 * long. Every value may be missing: results of earlier versions have no sessions.
 */
import { ABORTED } from '../names/ends.js';
import type { Summary } from '../result/result.js';
import { valuesOf } from './values.js';

/**
 * How the target ended it: a close code (1005: a frame without one), `fin`, `rst`, `tls`, `protocol`; before it was
 * ready also `timeout-message`, `rejected`.
 */
export type Word = string;

export interface Closes {
  /** All connections that had their 101. */
  readonly opened: number;
  /** Connections that the target ended, before or after they were ready. */
  readonly ended: ReadonlyMap<Word, number>;
  readonly endedCount: number;
  /** Still open when this side closed them, or stopped. */
  readonly kept: number;
  /** Messages that the target sent. */
  readonly received: number;
  /** By word: the reason of a close frame, or what came in place of frames. */
  readonly reasons: ReadonlyMap<Word, string>;
  /** Time from ready to the end of the connections that the target ended, ascending; empty: unknown. */
  readonly endedMs: readonly number[];
  /** From the last bytes that came to the end, of those that ended by FIN, RST or TLS, ascending; null: unknown. */
  readonly silentMs: readonly number[] | null;
}

export function closesOf(sessions: unknown): Closes | null {
  if (typeof sessions !== 'object' || sessions === null) return null;
  const { ready, notReady, cut, closed, aborted, messages, heldMs, cutMs, silentMs, ends, notReadyEnds } =
    sessions as Record<string, unknown>;
  if (typeof ready !== 'number') return null;
  const early = countsOf(notReady).filter(([word]) => word !== ABORTED);
  const ended = new Map<Word, number>();
  for (const [word, count] of [...early, ...countsOf(cut)]) ended.set(word, (ended.get(word) ?? 0) + count);
  const before = sumOf(countsOf(notReady));
  const waiting = before - sumOf(early);
  const endedCount = sumOf([...ended]);
  return {
    opened: ready + before,
    ended,
    endedCount,
    kept: sumOf(countsOf(closed)) + (typeof aborted === 'number' ? aborted : 0) + waiting,
    received: Number((messages as Record<string, unknown> | undefined)?.received ?? 0) || 0,
    reasons: new Map([...reasonsOf(notReadyEnds), ...reasonsOf(ends)]),
    endedMs: isSummary(cutMs)
      ? valuesOf(cutMs)
      : early.length > 0
        ? livesOf(notReadyEnds)
        : shortest(heldMs, endedCount),
    silentMs: isSummary(silentMs) ? valuesOf(silentMs) : null,
  };
}

/** This side closes last, so the shortest times are those of connections that the target ended. */
function shortest(heldMs: unknown, count: number): number[] {
  return isSummary(heldMs) ? valuesOf(heldMs).slice(0, count) : [];
}

/** Of those that were not ready, each way's shortest and longest life after the 101. */
function livesOf(ends: unknown): number[] {
  const each = typeof ends === 'object' && ends !== null ? Object.values(ends) : [];
  const lives = each.flatMap((end: { minMs?: unknown; maxMs?: unknown } | null) => [end?.minMs, end?.maxMs]);
  return lives.filter((ms): ms is number => typeof ms === 'number').sort((a, b) => a - b);
}

function reasonsOf(ends: unknown): Map<Word, string> {
  const entries = typeof ends === 'object' && ends !== null ? Object.entries(ends) : [];
  return new Map(
    entries.flatMap(([word, end]): [Word, string][] => {
      const reason = (end as { reason?: unknown } | null)?.reason;
      return typeof reason === 'string' && reason !== '' ? [[word, reason]] : [];
    }),
  );
}

/** How many of them ended with one of these words. */
export function endedWith({ ended }: Closes, which: (word: Word) => boolean): number {
  return sumOf([...ended].filter(([word]) => which(word)));
}

function countsOf(counts: unknown): [string, number][] {
  if (typeof counts === 'number') return counts > 0 ? [['', counts]] : [];
  if (typeof counts !== 'object' || counts === null) return [];
  return Object.entries(counts).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number' && entry[1] > 0,
  );
}

function sumOf(counts: readonly (readonly [string, number])[]): number {
  return counts.reduce((sum, [, count]) => sum + count, 0);
}

function isSummary(value: unknown): value is Summary {
  return typeof value === 'object' && value !== null && typeof (value as Summary).hdr === 'string';
}
