/**
 * The body of an answer: where it ends (RFC 9112 section 6.3), and what it says without the frames of its chunks (section
 * 7.1). It keeps no byte, so a body without an end costs nothing.
 */
import { type Head, headerValue } from './response.js';

const LF = 10;
const CR = 13;
/** Hex digits of a chunk's size: 4 GiB. A larger one is taken for no chunk at all. */
const MOST_DIGITS = 8;

/** What the next byte of a chunked body belongs to. `raw`: to something that is no chunk, shown as it is. */
type Place = 'size' | 'extension' | 'data' | 'dataEnd' | 'trailer' | 'raw';

export class Body {
  readonly #isChunked: boolean;
  /** Bytes still to come, where that is known: of the body, or of the chunk. */
  #left: number;
  #place: Place = 'size';
  /** What has come of a chunk's size. */
  #digits = '';
  #lineBytes = 0;
  #isOver: boolean;

  constructor(head: Head) {
    this.#isChunked = /(^|,)\s*chunked\s*$/i.test(headerValue(head, 'transfer-encoding') ?? '');
    this.#left = this.#isChunked ? 0 : lengthOf(head);
    this.#isOver = head.status === 101 || (!this.#isChunked && this.#left === 0);
  }

  /** Nothing more of it comes. One that only the far side's FIN ends is never over by its bytes. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** @param keep is given the content, piece by piece, each valid during the call only */
  read(bytes: Uint8Array, keep: (content: Uint8Array) => void = () => {}): void {
    let at = 0;
    while (at < bytes.length && !this.#isOver) {
      const isContent = !this.#isChunked || this.#place === 'data' || this.#place === 'raw';
      if (isContent) at = this.#content(bytes, at, keep);
      else if (this.#frame(bytes[at])) at++;
      else keep(Buffer.from(this.#digits, 'latin1'));
    }
  }

  /** @returns where the content that was there ends */
  #content(bytes: Uint8Array, at: number, keep: (content: Uint8Array) => void): number {
    const end = Math.min(bytes.length, at + (this.#place === 'raw' ? Number.POSITIVE_INFINITY : this.#left));
    keep(bytes.subarray(at, end));
    this.#left -= end - at;
    if (this.#left > 0 || this.#place === 'raw') return end;
    if (this.#isChunked) this.#place = 'dataEnd';
    else this.#isOver = true;
    return end;
  }

  /** One byte of what lies around chunks; false: it is none of it, and nor was what looked like a size before it. */
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
 * Infinity where only the end of the connection ends the body, or nobody can tell. What follows a 101 is another protocol
 * (RFC 9110 section 15.2.2). 204 and 304 have no body; who announces one all the same will send it.
 */
function lengthOf(head: Head): number {
  const text = headerValue(head, 'content-length');
  if (text === null && (head.status === 204 || head.status === 304)) return 0;
  // Sent twice, alike, it is still one length (RFC 9112 section 6.3).
  const lengths = new Set((text ?? '').split(',').map((one) => one.trim()));
  const [length] = lengths;
  return lengths.size === 1 && /^\d{1,15}$/.test(length) ? Number(length) : Number.POSITIVE_INFINITY;
}
