/**
 * Arrival times with two bounds. While a thread sends, replies wait in the kernel, so the time of a callback is only an
 * upper bound of the arrival. This class takes one timestamp per turn of the event loop, in its check phase. What a
 * callback delivers at `t` had not arrived in the poll before the last one, which began after timestamp `c2`; so it
 * arrived in [c2, t]. A socket that was not watched in that poll was connected, or was sent its request, after `c2`,
 * and the reply came later still; only bytes that answer no request may have come earlier.
 * The timestamp must come from the check phase, once per turn: two timestamps without a poll between them prove
 * nothing.
 */
import { now } from '../machine/clock.js';
import { Stalls } from '../machine/stalls.js';

/** After this long without an event, the chain of immediates stops (to free the core) and a 1 ms timer takes over. */
const CALM_AFTER_MS = 5;
const CALM_PERIOD_MS = 1;

export class Stamps {
  /** What a callback delivers now cannot have arrived before this (ms on the clock of `now()`). */
  lower = 0;
  /** Longest time between two timestamps since `start()`, ms. */
  longestGapMs = 0;
  readonly stalls = new Stalls();
  #last = 0;
  #lastEvent = 0;
  #timer: NodeJS.Timeout | null = null;
  #immediate: NodeJS.Immediate | null = null;

  readonly #stamp = (): void => {
    this.#immediate = null;
    const at = now();
    const gap = at - this.#last;
    if (gap > this.longestGapMs) this.longestGapMs = gap;
    this.lower = this.#last;
    this.#last = at;
    if (at - this.#lastEvent < CALM_AFTER_MS) this.#immediate = setImmediate(this.#stamp);
    else this.#timer = setTimeout(this.#wake, CALM_PERIOD_MS);
  };

  readonly #wake = (): void => {
    this.#timer = null;
    this.#immediate = setImmediate(this.#stamp);
  };

  start(since: number = now()): void {
    this.stop();
    this.stalls.start(since);
    this.lower = this.#last = this.#lastEvent = now();
    this.longestGapMs = 0;
    this.#immediate = setImmediate(this.#stamp);
  }

  /** Something happened at `at`: keep the timestamps close together. */
  touch(at: number): void {
    this.#lastEvent = at;
    this.stalls.beat(at);
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#wake();
    }
  }

  stop(): void {
    this.stalls.stop();
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#timer = this.#immediate = null;
  }
}
