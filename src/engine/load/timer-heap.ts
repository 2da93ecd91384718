/**
 * At most one timer for each slot, in typed arrays: the next one due is found at once, and setting, moving or clearing
 * one takes time by the logarithm of their number. It keeps no clock and calls nothing.
 */
const NOWHERE = -1;

export class TimerHeap {
  /** When each slot is due, ms; valid while it is in the heap. */
  readonly #at: Float64Array;
  /** Slots, the earliest first: a binary heap. */
  readonly #heap: Uint32Array;
  readonly #place: Int32Array;
  #size = 0;

  constructor(slots: number) {
    this.#at = new Float64Array(slots);
    this.#heap = new Uint32Array(slots);
    this.#place = new Int32Array(slots).fill(NOWHERE);
  }

  /** When the slot is due, or was when it was taken. */
  atOf(slot: number): number {
    return this.#at[slot];
  }

  /** When the earliest is due; Infinity: there is none. */
  get nextAt(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#at[this.#heap[0]];
  }

  /** Replaces the slot's timer, if it has one. */
  set(slot: number, at: number): void {
    if (this.#place[slot] === NOWHERE) {
      this.#heap[this.#size] = slot;
      this.#place[slot] = this.#size++;
    }
    this.#at[slot] = at;
    this.#settle(slot);
  }

  clear(slot: number): void {
    const place = this.#place[slot];
    if (place === NOWHERE) return;
    this.#place[slot] = NOWHERE;
    const last = this.#heap[--this.#size];
    if (last === slot) return;
    this.#put(last, place);
    this.#settle(last);
  }

  clearAll(): void {
    while (this.#size > 0) this.clear(this.#heap[this.#size - 1]);
  }

  /** Takes the earliest slot if it is due at `now`; -1: none is. */
  take(now: number): number {
    if (this.#size === 0 || this.#at[this.#heap[0]] > now) return NOWHERE;
    const slot = this.#heap[0];
    this.clear(slot);
    return slot;
  }

  #put(slot: number, place: number): void {
    this.#heap[place] = slot;
    this.#place[slot] = place;
  }

  /** Moves a slot up or down to where its time belongs. */
  #settle(slot: number): void {
    const at = this.#at[slot];
    let place = this.#place[slot];
    for (let above = (place - 1) >> 1; place > 0 && this.#at[this.#heap[above]] > at; above = (place - 1) >> 1) {
      this.#put(this.#heap[above], place);
      place = above;
    }
    for (;;) {
      let below = 2 * place + 1;
      if (below >= this.#size) break;
      if (below + 1 < this.#size && this.#at[this.#heap[below + 1]] < this.#at[this.#heap[below]]) below++;
      if (this.#at[this.#heap[below]] >= at) break;
      this.#put(this.#heap[below], place);
      place = below;
    }
    this.#put(slot, place);
  }
}
