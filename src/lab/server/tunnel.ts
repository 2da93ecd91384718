/**
 * A connection after its 101, with the minimum that RFC 6455 requires: answers a ping with a pong and a close frame
 * with a close frame, then closes TCP first (section 7.1.1); data is read and dropped. Bytes in, two callbacks out;
 * knows no socket. Keeps at most one control frame in memory, whatever a client sends.
 */

const CLOSE = 0x8;
const PING = 0x9;
/** 2 bytes, 8 of extended length, 4 of mask, 125 of control payload. */
const KEPT_LIMIT_BYTES = 139;

/** A close frame with code and reason (RFC 6455 section 5.5.1). */
export function closeFrame(code: number, reason = ''): Buffer {
  const text = Buffer.from(reason, 'utf8');
  return Buffer.concat([Buffer.of(0x80 | CLOSE, 2 + text.length, code >> 8, code & 0xff), text]);
}

export class TunnelReader {
  readonly #send: (frame: Buffer) => unknown;
  readonly #finish: (frame: Buffer) => unknown;
  readonly #heard: () => void;
  #kept: Buffer = Buffer.alloc(0);
  /** Payload bytes of a data frame that are still to be skipped. */
  #skip = 0;
  #closed = false;

  /** @param send writes a frame @param finish writes the last frame and closes TCP @param heard a data frame begins */
  constructor(send: (frame: Buffer) => unknown, finish: (frame: Buffer) => unknown, heard: () => void) {
    this.#send = send;
    this.#finish = finish;
    this.#heard = heard;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.#closed) {
      const skipped = Math.min(this.#skip, chunk.length - at);
      this.#skip -= skipped;
      at += skipped;
      const before = this.#kept.length;
      this.#kept = Buffer.concat([this.#kept, chunk.subarray(at, at + KEPT_LIMIT_BYTES - before)]);
      at += this.#kept.length - before;
      while (!this.#closed && this.#skip === 0 && this.#readFrame());
    }
  }

  /** Takes one frame from the kept bytes; false when there is no complete frame. */
  #readFrame(): boolean {
    const kept = this.#kept;
    if (kept.length < 2) return false;
    const opcode = kept[0] & 0x0f;
    const short = kept[1] & 0x7f;
    const control = opcode >= CLOSE;
    // Section 5.1: a client masks. Section 5.5: a control frame is short and not fragmented.
    if ((kept[1] & 0x80) === 0 || (control && (short > 125 || (kept[0] & 0x80) === 0))) return this.#close(1002);
    const maskAt = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (kept.length < maskAt) return false;
    if (!control) {
      this.#heard();
      const size = short === 126 ? kept.readUInt16BE(2) : short === 127 ? Number(kept.readBigUInt64BE(2)) : short;
      return this.#forget(maskAt + 4 + size);
    }
    const end = maskAt + 4 + short;
    if (kept.length < end) return false;
    const payload = Buffer.from(kept.subarray(maskAt + 4, end));
    for (let i = 0; i < payload.length; i += 1) payload[i] ^= kept[maskAt + (i % 4)];
    if (opcode === CLOSE) return this.#close(payload.length >= 2 ? payload.readUInt16BE(0) : null);
    if (opcode === PING) this.#send(Buffer.concat([Buffer.of(0x8a, payload.length), payload]));
    return this.#forget(end);
  }

  #forget(bytes: number): true {
    const here = Math.min(bytes, this.#kept.length);
    this.#skip = bytes - here;
    this.#kept = this.#kept.subarray(here);
    return true;
  }

  #close(code: number | null): true {
    this.#closed = true;
    this.#kept = Buffer.alloc(0);
    this.#finish(code === null ? Buffer.of(0x88, 0) : closeFrame(code));
    return true;
  }
}
