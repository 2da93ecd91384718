/**
 * How often files are written during a run. A file holds every burst so far, so writing it takes longer as the run goes
 * on; writing after every burst would cost more than the measurement.
 */
import { monotonicMs } from '../../host.js';

/** Up to this many bursts, each is written when it has ended; beyond, time decides. */
const ALWAYS = 1000;
/** Writing may take at most 1/PARTS of the time. */
const PARTS = 5;
/** A killed run loses at most this much. */
const LONGEST_MS = 5000;

export class Pace {
  readonly #now: () => number;
  #dueAt = Number.NEGATIVE_INFINITY;

  /** @param now a clock, ms */
  constructor(now: () => number = monotonicMs) {
    this.#now = now;
  }

  /** `write` is told whether files are due. @param bursts how many the files hold */
  async over(bursts: number, write: (isDue: boolean) => Promise<void>): Promise<void> {
    const from = this.#now();
    const isDue = bursts <= ALWAYS || from >= this.#dueAt;
    await write(isDue);
    const to = this.#now();
    if (isDue) this.#dueAt = to + Math.min(LONGEST_MS, (PARTS - 1) * (to - from));
  }
}
