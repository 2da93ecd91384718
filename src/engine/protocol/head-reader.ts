/**
 * Reads the head of a response that arrives in several pieces. Keeps at most 64 KiB and reads each byte and each
 * interim response once, so that a target that sends one byte per segment costs no more than one that sends its head at
 * once.
 */
import { type HeadProgress, MAX_HEAD_BYTES, type Reading, readHead } from './response.js';

const SMALLEST_BYTES = 1024;

/** A reading, with all bytes of the response that it was read from. */
interface Read {
  readonly reading: Reading;
  readonly all: Buffer;
}

/** Reads the first bytes of a response, which are nearly always its whole head. Stores nothing. */
export function readWhole(bytes: Buffer, length: number): Read {
  return { reading: readHead(bytes, length), all: bytes.subarray(0, length) };
}

export class HeadReader {
  #bytes: Buffer;
  #length = 0;
  #progress: HeadProgress;

  /** Continues after a reading that returned "more"; `first` is copied, because the transport reuses its buffer. */
  constructor(first: Buffer, progress: HeadProgress) {
    this.#bytes = Buffer.alloc(0);
    this.#progress = progress;
    this.#keep(first);
  }

  /** Bytes kept so far. */
  get length(): number {
    return this.#length;
  }

  /** The bytes kept so far; valid until the next read. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Adds bytes that have arrived. */
  read(bytes: Buffer, length: number): Read {
    const all = this.#with(bytes.subarray(0, length));
    const reading = readHead(all, all.length, this.#progress);
    if (reading.kind === 'more') {
      this.#progress = reading.progress;
      this.#keep(all);
    }
    return { reading, all };
  }

  /** All bytes of the response; appended in place if there is room. */
  #with(fresh: Buffer): Buffer {
    const size = this.#length + fresh.length;
    if (size > this.#bytes.length) return Buffer.concat([this.#bytes.subarray(0, this.#length), fresh]);
    this.#bytes.set(fresh, this.#length);
    return this.#bytes.subarray(0, size);
  }

  /** The buffer doubles, so that copying costs no more than the head's length; `readHead` rejects heads over 64 KiB. */
  #keep(all: Buffer): void {
    this.#length = all.length;
    if (all.length <= this.#bytes.length) return;
    this.#bytes = Buffer.allocUnsafeSlow(Math.min(MAX_HEAD_BYTES, Math.max(SMALLEST_BYTES, 2 * all.length)));
    this.#bytes.set(all);
  }
}
