/**
 * What happened to connections after their 101, counted: how many the target ended and in which way, how many this side
 * closed, and how long they lived. Mergeable like the tally that contains it, in any order. The diagnosis interprets
 * the words.
 */
import { closedWord, cutWord, isUnspoken } from '../names/ends.js';
import { checkedCount } from '../result/adds-up.js';
import type { CutEnd, Sessions, Summary } from '../result/result.js';
import { LatencyHistogram } from './histogram.js';

/** In which words a target ended a connection, masked and printable, and when it came after the attempt was due, ms. */
export interface CloseReason {
  readonly text: string;
  readonly atMs: number;
}

/** As plain JSON data, to send between threads and machines. */
export interface EncodedSessions extends Pick<Sessions, 'ready' | 'cut' | 'closed' | 'aborted' | 'messages'> {
  readonly ends: Readonly<Record<string, CutEnd>>;
  readonly readyMs: string | null;
  readonly heldMs: string | null;
  readonly cutMs: string | null;
  readonly silentMs: string | null;
}

export class SessionTally {
  #ready = 0;
  #aborted = 0;
  #received = 0;
  /** At most one entry per close code, so a target cannot grow it without limit. */
  readonly #cut = new Map<string, number>();
  readonly #ends = new Map<string, CutEnd>();
  readonly #closed = new Map<string, number>();
  readonly #readyMs = new LatencyHistogram();
  readonly #heldMs = new LatencyHistogram();
  readonly #cutMs = new LatencyHistogram();
  readonly #silentMs = new LatencyHistogram();

  /**
   * Counts one connection that had its 101.
   * @param end a number of names/ends.ts; `none`: it was abandoned when the run ended
   * @param readyMs from the instant at which the attempt was due to its 101
   * @param heldMs from its 101 to the end; NaN: unknown
   * @param silentMs from the last thing that came, or its 101, to the end
   * @returns whether the target ended it
   */
  add(end: number, readyMs: number, heldMs: number, silentMs: number): boolean {
    this.#ready++;
    this.#readyMs.record(readyMs);
    if (!Number.isNaN(heldMs)) this.#heldMs.record(heldMs);
    const cut = cutWord(end);
    const closed = closedWord(end);
    if (cut !== null) {
      increase(this.#cut, cut, 1);
      if (Number.isNaN(heldMs)) return true;
      this.#cutMs.record(heldMs);
      if (isUnspoken(end)) this.#silentMs.record(silentMs);
      const ms = Math.max(0, Math.round(heldMs * 1000) / 1000);
      this.#mergeEnd(cut, { minMs: ms, maxMs: ms, reason: null, reasonAtMs: null });
    } else if (closed !== null) increase(this.#closed, closed, 1);
    else this.#aborted++;
    return cut !== null;
  }

  /** In which words the target ended one so; the earliest are kept. */
  addReason(end: number, { text, atMs }: CloseReason): void {
    const word = cutWord(end) ?? '';
    const kept = this.#ends.get(word);
    // Nothing is known of an end that no connection had.
    if (kept !== undefined) this.#mergeEnd(word, { ...kept, reason: text, reasonAtMs: atMs });
  }

  addReceived(messages: number): void {
    this.#received += checkedCount(messages, 'sessions.messages.received');
  }

  merge(other: SessionTally): void {
    this.#ready += other.#ready;
    this.#aborted += other.#aborted;
    this.#received += other.#received;
    for (const [word, count] of other.#cut) increase(this.#cut, word, count);
    for (const [word, count] of other.#closed) increase(this.#closed, word, count);
    for (const [word, end] of other.#ends) this.#mergeEnd(word, end);
    this.#readyMs.merge(other.#readyMs);
    this.#heldMs.merge(other.#heldMs);
    this.#cutMs.merge(other.#cutMs);
    this.#silentMs.merge(other.#silentMs);
  }

  encode(): EncodedSessions {
    return {
      ...this.#counts(),
      readyMs: encoded(this.#readyMs),
      heldMs: encoded(this.#heldMs),
      cutMs: encoded(this.#cutMs),
      silentMs: encoded(this.#silentMs),
    };
  }

  /** From data that passed `assertSessions` (result/adds-up.ts). */
  static decode(data: EncodedSessions): SessionTally {
    const tally = new SessionTally();
    tally.#ready = data.ready;
    tally.#aborted = data.aborted;
    tally.#received = data.messages.received;
    for (const [word, count] of Object.entries(data.cut)) tally.#cut.set(word, count);
    for (const [word, count] of Object.entries(data.closed)) tally.#closed.set(word, count);
    for (const [word, end] of Object.entries(data.ends)) tally.#ends.set(word, end);
    for (const [histogram, hdr] of [
      [tally.#readyMs, data.readyMs],
      [tally.#heldMs, data.heldMs],
      [tally.#cutMs, data.cutMs],
      [tally.#silentMs, data.silentMs],
    ] as const) {
      if (hdr !== null) histogram.merge(LatencyHistogram.decode(hdr, 0));
    }
    return tally;
  }

  /** From a saved result. */
  static of(sessions: Sessions): SessionTally {
    const { readyMs, heldMs, cutMs = null, silentMs = null, ends = {}, ...counts } = sessions;
    const hdrOf = (summary: Summary | null) => summary?.hdr ?? null;
    return SessionTally.decode({
      ...counts,
      ends,
      readyMs: hdrOf(readyMs),
      heldMs: hdrOf(heldMs),
      cutMs: hdrOf(cutMs),
      silentMs: hdrOf(silentMs),
    });
  }

  /** In the form that a result holds. */
  sessions(): Sessions {
    const { ends, ...counts } = this.#counts();
    return {
      ...counts,
      notReady: {},
      readyMs: this.#readyMs.summary(),
      heldMs: this.#heldMs.summary(),
      cutMs: this.#cutMs.summary(),
      silentMs: this.#silentMs.summary(),
      ends,
    };
  }

  #counts() {
    return {
      ready: this.#ready,
      cut: sorted(this.#cut),
      closed: sorted(this.#closed),
      aborted: this.#aborted,
      messages: { sent: 0, received: this.#received, skipped: 0 },
      ends: sorted(this.#ends),
    };
  }

  #mergeEnd(word: string, end: CutEnd): void {
    const kept = this.#ends.get(word);
    if (kept === undefined) {
      this.#ends.set(word, end);
      return;
    }
    const said = isEarlier(end, kept) ? end : kept;
    this.#ends.set(word, {
      minMs: Math.min(kept.minMs, end.minMs),
      maxMs: Math.max(kept.maxMs, end.maxMs),
      reason: said.reason,
      reasonAtMs: said.reasonAtMs,
    });
  }
}

/** Whether the reason of `a` came before that of `b`; ties are broken by the texts. */
function isEarlier(a: CutEnd, b: CutEnd): boolean {
  if (a.reason === null || a.reasonAtMs === null) return false;
  if (b.reason === null || b.reasonAtMs === null) return true;
  return a.reasonAtMs < b.reasonAtMs || (a.reasonAtMs === b.reasonAtMs && a.reason < b.reason);
}

function encoded(histogram: LatencyHistogram): string | null {
  return histogram.count === 0 ? null : histogram.encode();
}

function increase(counts: Map<string, number>, word: string, by: number): void {
  counts.set(word, (counts.get(word) ?? 0) + by);
}

/** Sorted by word, so that the document does not depend on the order of merges. */
function sorted<T>(map: ReadonlyMap<string, T>): Record<string, T> {
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}
