/**
 * What happened to connections after their 101, counted: how many the target ended and in which way, how many this side
 * closed, and how long they lived. Mergeable like the tally that contains it, in any order. The diagnosis interprets
 * the words.
 */
import { ABORTED, closedWord, cutWord, isUnspoken } from '../names/ends.js';
import { checkedCount } from '../result/adds-up.js';
import type { CutEnd, Sessions, Summary } from '../result/result.js';
import { LatencyHistogram } from './histogram.js';

/** Why a connection ended: every text masked and printable; `atMs` after the attempt was due. */
export interface CloseReason {
  /** The target's words. */
  readonly text: string | null;
  /** The step of the session that was not met, or the rule that ended it. */
  readonly step: string | null;
  /** The message that ended it, or the last one that the step did not want. */
  readonly message: string | null;
  readonly atMs: number;
}

/** Of one connection that had its 101, ms; NaN: unknown, or it was not ready. The engine reuses one object. */
export interface SessionTimes {
  /** From the instant at which the attempt was due until the client was ready. */
  readyMs: number;
  /** From ready to the end. */
  heldMs: number;
  /** From the last thing that came, or ready, to the end. */
  silentMs: number;
  /** From its 101 to the end. */
  livedMs: number;
}

/** As plain JSON data, to send between threads and machines. */
export interface EncodedSessions
  extends Pick<Sessions, 'ready' | 'notReady' | 'cut' | 'closed' | 'aborted' | 'messages'> {
  readonly ends: Readonly<Record<string, CutEnd>>;
  readonly notReadyEnds: Readonly<Record<string, CutEnd>>;
  readonly readyMs: string | null;
  readonly heldMs: string | null;
  readonly cutMs: string | null;
  readonly silentMs: string | null;
}

export class SessionTally {
  #ready = 0;
  #aborted = 0;
  readonly #messages = { sent: 0, received: 0, skipped: 0 };
  /** At most one entry per close code, so a target cannot grow them without limit. */
  readonly #notReady = new Map<string, number>();
  readonly #cut = new Map<string, number>();
  readonly #notReadyEnds = new Map<string, CutEnd>();
  readonly #ends = new Map<string, CutEnd>();
  readonly #closed = new Map<string, number>();
  readonly #readyMs = new LatencyHistogram();
  readonly #heldMs = new LatencyHistogram();
  readonly #cutMs = new LatencyHistogram();
  readonly #silentMs = new LatencyHistogram();

  /**
   * Counts one connection that had its 101.
   * @param end a number of names/ends.ts; `none`: it was abandoned when the run ended
   * @returns whether the target ended it once it was ready
   */
  add(end: number, { readyMs, heldMs, silentMs, livedMs }: SessionTimes): boolean {
    const cut = cutWord(end);
    if (Number.isNaN(readyMs)) {
      increase(this.#notReady, cut ?? ABORTED, 1);
      if (cut !== null && !Number.isNaN(livedMs)) noteEnd(this.#notReadyEnds, cut, livedMs);
      return false;
    }
    this.#ready++;
    this.#readyMs.record(readyMs);
    if (!Number.isNaN(heldMs)) this.#heldMs.record(heldMs);
    const closed = closedWord(end);
    if (cut !== null) {
      increase(this.#cut, cut, 1);
      if (Number.isNaN(heldMs)) return true;
      this.#cutMs.record(heldMs);
      if (isUnspoken(end)) this.#silentMs.record(silentMs);
      noteEnd(this.#ends, cut, heldMs);
    } else if (closed !== null) increase(this.#closed, closed, 1);
    else this.#aborted++;
    return cut !== null;
  }

  /** Why one ended so, once it was ready or before; the earliest is kept. */
  addReason(end: number, isReady: boolean, { text, step, message, atMs }: CloseReason): void {
    const ends = isReady ? this.#ends : this.#notReadyEnds;
    const word = cutWord(end) ?? '';
    const kept = ends.get(word);
    // Nothing is known of an end that no connection had.
    if (kept === undefined) return;
    const { minMs, maxMs } = kept;
    const more = { ...(step !== null && { step }), ...(message !== null && { message }) };
    mergeEnd(ends, word, { minMs, maxMs, reason: text, reasonAtMs: atMs, ...more });
  }

  /** Messages of connections, each counted once. */
  addMessages({ sent, received, skipped }: Sessions['messages']): void {
    this.#messages.sent += checkedCount(sent, 'sessions.messages.sent');
    this.#messages.received += checkedCount(received, 'sessions.messages.received');
    this.#messages.skipped += checkedCount(skipped, 'sessions.messages.skipped');
  }

  merge(other: SessionTally): void {
    this.#ready += other.#ready;
    this.#aborted += other.#aborted;
    this.addMessages(other.#messages);
    for (const [word, count] of other.#notReady) increase(this.#notReady, word, count);
    for (const [word, count] of other.#cut) increase(this.#cut, word, count);
    for (const [word, count] of other.#closed) increase(this.#closed, word, count);
    for (const [word, end] of other.#notReadyEnds) mergeEnd(this.#notReadyEnds, word, end);
    for (const [word, end] of other.#ends) mergeEnd(this.#ends, word, end);
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
    tally.addMessages(data.messages);
    for (const [word, count] of Object.entries(data.notReady)) tally.#notReady.set(word, count);
    for (const [word, count] of Object.entries(data.cut)) tally.#cut.set(word, count);
    for (const [word, count] of Object.entries(data.closed)) tally.#closed.set(word, count);
    for (const [word, end] of Object.entries(data.notReadyEnds)) tally.#notReadyEnds.set(word, end);
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
    const { readyMs, heldMs, cutMs = null, silentMs = null, ends = {}, notReadyEnds = {}, ...counts } = sessions;
    const hdrOf = (summary: Summary | null) => summary?.hdr ?? null;
    return SessionTally.decode({
      ...counts,
      ends,
      notReadyEnds,
      readyMs: hdrOf(readyMs),
      heldMs: hdrOf(heldMs),
      cutMs: hdrOf(cutMs),
      silentMs: hdrOf(silentMs),
    });
  }

  /** In the form that a result holds. */
  sessions(): Sessions {
    const { ends, notReadyEnds, ...counts } = this.#counts();
    return {
      ...counts,
      readyMs: this.#readyMs.summary(),
      heldMs: this.#heldMs.summary(),
      cutMs: this.#cutMs.summary(),
      silentMs: this.#silentMs.summary(),
      ends,
      notReadyEnds,
    };
  }

  #counts() {
    return {
      ready: this.#ready,
      notReady: sorted(this.#notReady),
      cut: sorted(this.#cut),
      closed: sorted(this.#closed),
      aborted: this.#aborted,
      messages: { ...this.#messages },
      ends: sorted(this.#ends),
      notReadyEnds: sorted(this.#notReadyEnds),
    };
  }
}

type EndsByWord = Map<string, CutEnd>;

function noteEnd(ends: EndsByWord, word: string, lastedMs: number): void {
  const ms = Math.max(0, Math.round(lastedMs * 1000) / 1000);
  mergeEnd(ends, word, { minMs: ms, maxMs: ms, reason: null, reasonAtMs: null });
}

function mergeEnd(ends: EndsByWord, word: string, end: CutEnd): void {
  const kept = ends.get(word);
  if (kept === undefined) {
    ends.set(word, end);
    return;
  }
  const said = saysFirst(end, kept) ? end : kept;
  ends.set(word, { ...said, minMs: Math.min(kept.minMs, end.minMs), maxMs: Math.max(kept.maxMs, end.maxMs) });
}

/**
 * Whether what `a` says is kept and not what `b` says: the words of the target before a step alone, then the earlier;
 * ties are broken by the texts, so that the document does not depend on the order of merges.
 */
function saysFirst(a: CutEnd, b: CutEnd): boolean {
  const [ranked, other] = [rankOf(a), rankOf(b)];
  if (ranked !== other) return ranked > other;
  const [at, otherAt] = [a.reasonAtMs ?? 0, b.reasonAtMs ?? 0];
  return at < otherAt || (at === otherAt && textsOf(a) < textsOf(b));
}

function rankOf({ reason, message, reasonAtMs }: CutEnd): number {
  if (reasonAtMs === null) return 0;
  return (reason ?? message ?? null) === null ? 1 : 2;
}

function textsOf({ reason, step, message }: CutEnd): string {
  return JSON.stringify([reason, step ?? null, message ?? null]);
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
