/**
 * The head of one answer that does not come in one piece. It keeps at most 64 KiB, and looks at every byte and every
 * interim answer once, so that a target which sends a byte a segment costs no more than one that sends its head at once.
 */
import { type HeadProgress, MAX_HEAD_BYTES, type Reading, readHead } from './response.js';

const SMALLEST_BYTES = 1024;

/** What was read, and all bytes of the answer that it was read from. */
interface Read {
  readonly reading: Reading;
  readonly all: Buffer;
}

/** The first bytes of an answer, which nearly always are its whole head. Nothing is kept. */
export function readWhole(bytes: Buffer, length: number): Read {
  return { reading: readHead(bytes, length), all: bytes.subarray(0, length) };
}

export class HeadReader {
  #bytes: Buffer;
  #length = 0;
  #progress: HeadProgress;

  /** Goes on from a reading that said "more"; `first` is copied, since the transport reuses its buffer. */
  constructor(first: Buffer, progress: HeadProgress) {
    this.#bytes = Buffer.alloc(0);
    this.#progress = progress;
    this.#keep(first);
  }

  /** Bytes kept so far. */
  get length(): number {
    return this.#length;
  }

  /** What was kept so far; valid until the next read. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Adds what has arrived. */
  read(bytes: Buffer, length: number): Read {
    const all = this.#with(bytes.subarray(0, length));
    const reading = readHead(all, all.length, this.#progress);
    if (reading.kind === 'more') {
      this.#progress = reading.progress;
      this.#keep(all);
    }
    return { reading, all };
  }

  /** All bytes of the answer, in place where there is room. */
  #with(fresh: Buffer): Buffer {
    const size = this.#length + fresh.length;
    if (size > this.#bytes.length) return Buffer.concat([this.#bytes.subarray(0, this.#length), fresh]);
    this.#bytes.set(fresh, this.#length);
    return this.#bytes.subarray(0, size);
  }

  /** Room doubles, so that a head costs its own length in copies; `readHead` gives up before it passes 64 KiB. */
  #keep(all: Buffer): void {
    this.#length = all.length;
    if (all.length <= this.#bytes.length) return;
    this.#bytes = Buffer.allocUnsafeSlow(Math.min(MAX_HEAD_BYTES, Math.max(SMALLEST_BYTES, 2 * all.length)));
    this.#bytes.set(all);
  }
}
