/**
 * How often files are written while a run goes on. A file holds every burst so far, so writing it takes longer the longer a
 * run is; what is written too often would cost more than what is measured.
 */
import { monotonicMs } from '../host.js';

/** Writing may take one part of the time in so many. */
const PARTS = 5;
/** A killed run loses no more than this. */
const LONGEST_MS = 5000;

export class Pace {
  readonly #now: () => number;
  #dueAt = Number.NEGATIVE_INFINITY;

  /** @param now a clock, ms */
  constructor(now: () => number = monotonicMs) {
    this.#now = now;
  }

  /** `write` is told whether the files are due. */
  async over(write: (isDue: boolean) => Promise<void>): Promise<void> {
    const from = this.#now();
    const isDue = from >= this.#dueAt;
    await write(isDue);
    const to = this.#now();
    if (isDue) this.#dueAt = to + Math.min(LONGEST_MS, (PARTS - 1) * (to - from));
  }
}
