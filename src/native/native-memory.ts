/**
 * Memory whose address may be given to native code. One ArrayBuffer, cut into blocks once: its bytes are outside V8's
 * heap and never move, unlike those of a Buffer of 64 bytes or less. A known pattern fills the space between blocks, so
 * that a write past the end of one is detected and named instead of changing another block's data.
 */

/** More than any structure here needs; malloc aligns the whole to 16. */
const ALIGNMENT = 64;
const GUARD_BYTES = 64;
const GUARD = 0xa5;

export interface NativeBlock {
  readonly name: string;
  /** Address of the first byte; exact in a double, because user space ends below 2^48. */
  readonly address: number;
  /** Bytes from the start of the memory. */
  readonly offset: number;
  readonly bytes: Buffer;
}

export class NativeMemory {
  readonly view: DataView;
  readonly #memory: ArrayBuffer;
  readonly #base: number;
  readonly #blocks: NativeBlock[] = [];
  #used = 0;

  /** @param addressOf returns the address of a typed array's first byte */
  constructor(bytes: number, addressOf: (array: Uint8Array) => bigint) {
    this.#memory = new ArrayBuffer(bytes);
    this.view = new DataView(this.#memory);
    const all = new Uint8Array(this.#memory);
    this.#base = Number(addressOf(all));
    if (!Number.isSafeInteger(this.#base) || this.#base === 0) throw new Error('native memory has no address');
    all.fill(GUARD);
    this.#used = GUARD_BYTES;
  }

  /** @throws RangeError when there is no room: sizes are constants, so one of them is wrong */
  block(name: string, bytes: number): NativeBlock {
    const offset = roundUp(this.#used);
    const end = offset + bytes;
    if (end + GUARD_BYTES > this.#memory.byteLength) throw new RangeError(`no native memory left for ${name}`);
    const block = { name, address: this.#base + offset, offset, bytes: Buffer.from(this.#memory, offset, bytes) };
    block.bytes.fill(0);
    this.#blocks.push(block);
    this.#used = end + GUARD_BYTES;
    return block;
  }

  /** Name of a block beside which something was overwritten, or null. */
  damaged(): string | null {
    const all = new Uint8Array(this.#memory);
    let at = 0;
    for (const { name, offset, bytes } of this.#blocks) {
      for (; at < offset; at++) if (all[at] !== GUARD) return name;
      at = offset + bytes.length;
      for (let guard = at; guard < at + GUARD_BYTES; guard++) if (all[guard] !== GUARD) return name;
    }
    return null;
  }
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
