/**
 * The keys of a shard's attempts in one buffer, for requests that differ only by their key: the release then only
 * copies 24 bytes per attempt.
 */

/** 16 random bytes in base64 (RFC 6455 section 4.1 point 7). */
export const KEY_LENGTH = 24;

/** The key of a slot in the bytes of a column. */
export function keyAt(bytes: Buffer, slot: number): string {
  const from = slot * KEY_LENGTH;
  return bytes.toString('latin1', from, from + KEY_LENGTH);
}

export class KeyColumn {
  /** Latin-1, `KEY_LENGTH` bytes an attempt. */
  bytes: Buffer = Buffer.alloc(0);
  readonly #isSet: Uint8Array;

  constructor(slots: number) {
    this.#isSet = new Uint8Array(slots);
  }

  put(slot: number, key: string): void {
    if (this.bytes.length === 0) this.bytes = Buffer.alloc(this.#isSet.length * KEY_LENGTH);
    this.bytes.write(key, slot * KEY_LENGTH, 'latin1');
    this.#isSet[slot] = 1;
  }

  has(slot: number): boolean {
    return this.#isSet[slot] === 1;
  }

  /** Returns the slot's key and removes it. */
  take(slot: number): string {
    this.#isSet[slot] = 0;
    return keyAt(this.bytes, slot);
  }

  forget(slot: number): void {
    this.#isSet[slot] = 0;
  }
}
