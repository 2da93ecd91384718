/**
 * The body of a response: where it ends (RFC 9112 section 6.3), and its content without chunk framing (section 7.1). It
 * stores no bytes, so a body without an end costs no memory.
 */
import { type Head, headerValue } from './response.js';

const LF = 10;
const CR = 13;
/** Hex digits of a chunk's size: up to 4 GiB. A longer number does not count as a chunk size. */
const MOST_DIGITS = 8;

/**
 * What the next byte of a chunked body belongs to. `raw`: the framing is broken, and the bytes are shown as they are.
 */
type ChunkPlace = 'size' | 'extension' | 'data' | 'dataEnd' | 'trailer' | 'raw';

export class Body {
  readonly #isChunked: boolean;
  /** Bytes still expected of the body or of the chunk, if known. */
  #left: number;
  #place: ChunkPlace = 'size';
  /** Digits of the chunk's size so far. */
  #digits = '';
  #lineBytes = 0;
  #isOver: boolean;

  constructor(head: Head) {
    this.#isChunked = /(^|,)\s*chunked\s*$/i.test(headerValue(head, 'transfer-encoding') ?? '');
    this.#left = this.#isChunked ? 0 : lengthOf(head);
    this.#isOver = head.status === 101 || (!this.#isChunked && this.#left === 0);
  }

  /** The body is complete. A body that ends only with the far side's FIN never is. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** @param keep receives the content piece by piece; each is valid during the call only */
  read(bytes: Uint8Array, keep: (content: Uint8Array) => void = () => {}): void {
    let at = 0;
    while (at < bytes.length && !this.#isOver) {
      const isContent = !this.#isChunked || this.#place === 'data' || this.#place === 'raw';
      if (isContent) at = this.#content(bytes, at, keep);
      else if (this.#frame(bytes[at])) at++;
      else keep(Buffer.from(this.#digits, 'latin1'));
    }
  }

  /** @returns the index after the content in `bytes` */
  #content(bytes: Uint8Array, at: number, keep: (content: Uint8Array) => void): number {
    const end = Math.min(bytes.length, at + (this.#place === 'raw' ? Number.POSITIVE_INFINITY : this.#left));
    keep(bytes.subarray(at, end));
    this.#left -= end - at;
    if (this.#left > 0 || this.#place === 'raw') return end;
    if (this.#isChunked) this.#place = 'dataEnd';
    else this.#isOver = true;
    return end;
  }

  /** Handles one byte of chunk framing; false: the framing is broken, and what looked like a size is content. */
  #frame(byte: number): boolean {
    switch (this.#place) {
      case 'size':
        return this.#size(byte);
      case 'dataEnd':
        if (byte === LF) this.#startSize();
        else if (byte !== CR) {
          this.#digits = '';
          return this.#giveUp();
        }
        return true;
      case 'extension':
        if (byte === LF) this.#place = this.#left === 0 ? 'trailer' : 'data';
        return true;
      default:
        if (byte === LF && this.#lineBytes === 0) this.#isOver = true;
        else if (byte === LF) this.#lineBytes = 0;
        else if (byte !== CR) this.#lineBytes++;
        return true;
    }
  }

  #size(byte: number): boolean {
    const character = String.fromCharCode(byte);
    if (/[0-9a-f]/i.test(character) && this.#digits.length < MOST_DIGITS) {
      this.#digits += character;
      return true;
    }
    if (this.#digits === '' || !/[\r\n; \t]/.test(character)) return this.#giveUp();
    this.#left = Number.parseInt(this.#digits, 16);
    this.#place = 'extension';
    return this.#frame(byte);
  }

  #startSize(): void {
    this.#place = 'size';
    this.#digits = '';
  }

  #giveUp(): boolean {
    this.#place = 'raw';
    return false;
  }
}

/**
 * Length of the body in bytes; Infinity if only the end of the connection ends it, or if it is unknown. Bytes after a
 * 101 belong to another protocol (RFC 9110 section 15.2.2). 204 and 304 have no body, but a server that announces one
 * will send it.
 */
function lengthOf(head: Head): number {
  const text = headerValue(head, 'content-length');
  if (text === null && (head.status === 204 || head.status === 304)) return 0;
  // The same length sent twice is still valid (RFC 9112 section 6.3).
  const lengths = new Set((text ?? '').split(',').map((one) => one.trim()));
  const [length] = lengths;
  return lengths.size === 1 && /^\d{1,15}$/.test(length) ? Number(length) : Number.POSITIVE_INFINITY;
}
