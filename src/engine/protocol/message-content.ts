/**
 * The bytes of a message that comes in several pieces, within bounds: a target could fill the memory with one endless
 * message on each connection.
 */

/** Of one message; what comes after it is counted as part of the message and not kept. */
export const MOST_KEPT_BYTES = 1024 * 1024;
/** Of the unfinished messages of all connections of a shard. */
const MOST_UNFINISHED_BYTES = 32 * 1024 * 1024;
const FIRST_BYTES = 256;

/** What the unfinished messages of a shard may still take, bytes. */
export class Budget {
  left = MOST_UNFINISHED_BYTES;
}

export class MessageContent {
  /** Its end is missing. */
  isCut = false;
  readonly #budget: Budget;
  #kept: Buffer | null = null;
  #size = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** Nothing was added, or nothing but empty pieces. */
  get isUntouched(): boolean {
    return this.#size === 0 && !this.isCut;
  }

  add(piece: Uint8Array): void {
    const wanted = Math.min(this.#size + piece.length, MOST_KEPT_BYTES);
    const room = this.#roomFor(wanted);
    const taken = Math.min(piece.length, room - this.#size);
    if (taken < piece.length) this.isCut = true;
    this.#kept?.set(piece.subarray(0, taken), this.#size);
    this.#size += taken;
  }

  /** What was kept; valid until the next `add`. */
  get bytes(): Buffer {
    return this.#kept?.subarray(0, this.#size) ?? Buffer.alloc(0);
  }

  /** Ready for the next message. */
  clear(): void {
    this.#budget.left += this.#kept?.length ?? 0;
    this.#kept = null;
    this.#size = 0;
    this.isCut = false;
  }

  /** @returns bytes of the buffer */
  #roomFor(wanted: number): number {
    const kept = this.#kept;
    const has = kept?.length ?? 0;
    if (wanted <= has || this.isCut) return has;
    // Doubled, so that a message in single bytes is not copied for each of them.
    const size = Math.min(MOST_KEPT_BYTES, Math.max(FIRST_BYTES, wanted, 2 * has));
    if (size - has > this.#budget.left) return has;
    this.#budget.left -= size - has;
    const larger = Buffer.allocUnsafeSlow(size);
    if (kept !== null) larger.set(kept.subarray(0, this.#size));
    this.#kept = larger;
    return size;
  }
}
