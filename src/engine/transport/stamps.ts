/**
 * Two-sided arrival times. While a thread sends, answers wait in the kernel, so the moment of a callback is only an upper
 * bound of the arrival. This keeps one stamp per turn of the event loop, taken in its check phase: what a callback brings
 * at `t` was not yet there in the poll before the last one, which began after stamp `c2`. So it arrived in [c2, t]. A
 * socket that was not watched in that poll was connected or was sent its request later than `c2`, and what answers that is
 * later still; only bytes that no request asked for may have come earlier.
 * The stamp must come from the check phase and only once a turn: two stamps with no poll between them prove nothing.
 */
import { now } from '../machine/clock.js';
import { Stalls } from '../machine/stalls.js';

/** Without an event for this long the chain of immediates gives its core back and a 1 ms timer takes over. */
const CALM_AFTER_MS = 5;
const CALM_PERIOD_MS = 1;

export class Stamps {
  /** Nothing that a callback brings now can have arrived before this (ms on the clock of `now()`). */
  lower = 0;
  /** Longest time between two stamps since `start()`, ms. */
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

  /** Says that something happened at `at`: keeps the stamps close together. */
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
