/**
 * When a thread stood still: moments of it that are further apart than its own work ever puts them. A timer beats, and so
 * does what the thread does anyway, so that one at work is not taken for one that stands. What stopped it (a signal, a
 * debugger, a host that is out of CPU) can't be told from here.
 */
import type { Stalled } from '../../tally/validity.js';
import { now } from './clock.js';

const BEAT_MS = 25;
/** Shorter ones are the ordinary waits of a busy machine. */
export const LEAST_STALL_MS = 200;

export class Stalls {
  #timer: NodeJS.Timeout | null = null;
  /** Apart: the first fraction in a field that held whole numbers undoes the code compiled for its object. */
  readonly #seen = { last: Number.NaN, longestMs: 0, totalMs: 0 };

  /** @param since from when on it matters, ms on the clock of `now()`; nothing was seen between then and now */
  start(since: number): void {
    this.stop();
    this.#seen.last = since;
    this.#seen.longestMs = this.#seen.totalMs = 0;
    this.#timer = setInterval(() => this.beat(now()), BEAT_MS).unref();
    this.beat(now());
  }

  /** The thread is at work at `at`. */
  beat(at: number): void {
    const seen = this.#seen;
    const gap = at - seen.last;
    seen.last = at;
    if (gap <= LEAST_STALL_MS) return;
    seen.totalMs += gap;
    if (gap > seen.longestMs) seen.longestMs = gap;
  }

  /** What was seen since the start or the last call. */
  take(): Stalled {
    if (this.#timer !== null) this.beat(now());
    const { longestMs, totalMs } = this.#seen;
    this.#seen.longestMs = this.#seen.totalMs = 0;
    return { longestMs, totalMs };
  }

  /** Looks no more; what was seen can still be taken. */
  stop(): void {
    if (this.#timer === null) return;
    this.beat(now());
    clearInterval(this.#timer);
    this.#timer = null;
    this.#seen.last = Number.NaN;
  }
}
