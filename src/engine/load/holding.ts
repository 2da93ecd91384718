/** Connections that are each held for the same time from their own beginning: which of them is over next, and when. */
import { now } from '../machine/clock.js';

/** Entries that are over are removed once there are so many, and more of them than others. */
const LEAST_REMOVED = 1024;

export class Holding {
  readonly #holdMs: number;
  readonly #over: (slot: number) => void;
  /** In the order in which they are over. A slot may have a later attempt by then: its number tells. */
  #slots: number[] = [];
  #attempts: number[] = [];
  #untils: number[] = [];
  #first = 0;
  #timer: NodeJS.Timeout | null = null;
  readonly #attemptOf: Uint32Array;

  /**
   * @param attemptOf the attempt in each slot
   * @param over called when the connection in the slot has been held, or has ended by itself meanwhile
   */
  constructor(holdMs: number, attemptOf: Uint32Array, over: (slot: number) => void) {
    this.#holdMs = holdMs;
    this.#attemptOf = attemptOf;
    this.#over = over;
  }

  /** The connection in the slot is held from now on. */
  add(slot: number): void {
    this.#slots.push(slot);
    this.#attempts.push(this.#attemptOf[slot]);
    this.#untils.push(now() + this.#holdMs);
    if (this.#timer === null) this.#await();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#first = this.#slots.length;
  }

  #await(): void {
    const until = this.#untils[this.#first];
    if (until !== undefined) this.#timer = setTimeout(this.#look, Math.max(1, Math.ceil(until - now())));
  }

  readonly #look = (): void => {
    this.#timer = null;
    const at = now();
    for (; this.#untils[this.#first] <= at; this.#first++) {
      const slot = this.#slots[this.#first];
      if (this.#attemptOf[slot] === this.#attempts[this.#first]) this.#over(slot);
    }
    if (this.#first >= LEAST_REMOVED && 2 * this.#first > this.#slots.length) {
      this.#slots = this.#slots.slice(this.#first);
      this.#attempts = this.#attempts.slice(this.#first);
      this.#untils = this.#untils.slice(this.#first);
      this.#first = 0;
    }
    this.#await();
  };
}
