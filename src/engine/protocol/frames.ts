/**
 * Frames on a connection after its 101: writes close, ping and pong frames (with ws's Sender) and reads the frames of
 * the server. Only their effect on the connection matters: payloads are skipped and never stored, because a hostile
 * server could fill the memory with one endless message per connection.
 */
import { createRequire } from 'node:module';
import { isCloseCode, NO_STATUS } from '../../names/ends.js';

/** ws's own class, which its type package does not declare. */
interface Sender {
  frame(data: Buffer, options: Record<string, unknown>): Buffer[];
}

const require = createRequire(import.meta.url);
let sender: Sender | null = null;

/**
 * Loads the frame writer. Not when this file loads, because that takes a third of a worker thread's start; and not at
 * the first frame of a churn, because that takes as long as many handshakes.
 */
export function loadSender(): Sender {
  sender ??= (require('ws') as { Sender: Sender }).Sender;
  return sender;
}

const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
/** RFC 6455 section 5.5. */
const MAX_CONTROL_BYTES = 125;
const MAX_HEAD_BYTES = 10;
/** RFC 6455 section 7.4.1: the client's close code for broken framing. */
export const PROTOCOL_ERROR = 1002;

function frame(opcode: number, data: Buffer): Buffer {
  return Buffer.concat(loadSender().frame(data, { fin: true, rsv1: false, opcode, mask: true, readOnly: true }));
}

/** A masked close frame (RFC 6455 section 5.5.1), with a new masking key each time. */
export function closeFrame(code: number): Buffer {
  const body = Buffer.alloc(2);
  body.writeUInt16BE(code);
  return frame(OPCODE.close, body);
}

/** A masked ping (RFC 6455 section 5.5.2). @param body at most 125 bytes */
export function pingFrame(body: Buffer): Buffer {
  return frame(OPCODE.ping, body);
}

export interface FrameEvents {
  /** Sends bytes in reply: a pong. */
  reply(bytes: Buffer): void;
  /** A pong came. */
  pong?(body: Buffer): void;
  /** A message of the application is complete. */
  message?(): void;
  /** The server closed (1005: without a code), and why in its own words (UTF-8); nothing is read after it. */
  closed(code: number, reason: Uint8Array): void;
  /** The framing is broken: `bytes` begin no frame of a server. Nothing is read after it. */
  broken(bytes: Uint8Array): void;
}

/** Reads the frames of one held connection; stores at most one control frame. Created when the first bytes arrive. */
export class FrameReader {
  readonly #deflate: boolean;
  readonly #events: FrameEvents;
  readonly #head = Buffer.alloc(MAX_HEAD_BYTES);
  #headBytes = 0;
  /** Payload bytes of the current frame that are still expected. */
  #left = 0;
  /** Payload of the current control frame; null in a data frame. */
  #control: Buffer | null = null;
  /** Payload of the last ping not yet answered. */
  #ping: Buffer | null = null;
  #isFragmented = false;
  #isOver = false;

  /** @param deflate compression was offered, so RSV1 marks a compressed message (RFC 7692 section 6) and is valid */
  constructor(deflate: boolean, events: FrameEvents) {
    this.#deflate = deflate;
    this.#events = events;
  }

  /** Of several pings in one read only the last is answered (RFC 6455 section 5.5.3), so a flood costs one pong. */
  read(bytes: Uint8Array): void {
    this.#ping = null;
    let at = 0;
    while (at < bytes.length && !this.#isOver) {
      if (this.#left > 0) at += this.#payload(bytes.subarray(at));
      else {
        this.#head[this.#headBytes++] = bytes[at++];
        if (this.#headBytes === this.#headSize()) this.#begin(bytes.subarray(at));
      }
    }
    if (this.#ping !== null && !this.#isOver) this.#events.reply(frame(OPCODE.pong, this.#ping));
  }

  /** Two bytes, plus those of an extended length (RFC 6455 section 5.2). */
  #headSize(): number {
    const length = this.#headBytes < 2 ? 0 : this.#head[1] & 0x7f;
    return length === 126 ? 4 : length === 127 ? 10 : 2;
  }

  /** A frame's head is complete: judges it and makes ready for its payload. */
  #begin(following: Uint8Array): void {
    const [first, second] = this.#head;
    const short = second & 0x7f;
    const length =
      short === 126 ? this.#head.readUInt16BE(2) : short === 127 ? Number(this.#head.readBigUInt64BE(2)) : short;
    const head = this.#head.subarray(0, this.#headBytes);
    this.#headBytes = 0;
    if (!this.#isSound(first, (second & 0x80) !== 0, length)) {
      this.#break(Buffer.concat([head, following]));
      return;
    }
    const opcode = first & 0x0f;
    const isControl = opcode >= OPCODE.close;
    if (!isControl) this.#isFragmented = (first & 0x80) === 0;
    this.#control = isControl ? Buffer.alloc(length) : null;
    this.#left = length;
    if (length > 0) return;
    if (isControl) this.#act(opcode);
    else this.#dataRead();
  }

  /** RFC 6455 sections 5.1 (a server does not mask), 5.2, 5.4 and 5.5. */
  #isSound(first: number, isMasked: boolean, length: number): boolean {
    const isFinal = (first & 0x80) !== 0;
    const opcode = first & 0x0f;
    const rsv = first & 0x70;
    if (isMasked || !Number.isSafeInteger(length)) return false;
    if (opcode >= OPCODE.close) return opcode <= OPCODE.pong && isFinal && rsv === 0 && length <= MAX_CONTROL_BYTES;
    if (opcode > OPCODE.binary) return false;
    if ((opcode === OPCODE.continuation) !== this.#isFragmented) return false;
    return rsv === 0 || (rsv === 0x40 && this.#deflate && opcode !== OPCODE.continuation);
  }

  /** @returns how many bytes belonged to the payload */
  #payload(bytes: Uint8Array): number {
    const taken = Math.min(this.#left, bytes.length);
    this.#control?.set(bytes.subarray(0, taken), this.#control.length - this.#left);
    this.#left -= taken;
    if (this.#left === 0) {
      if (this.#control !== null) this.#act(this.#head[0] & 0x0f);
      else this.#dataRead();
    }
    return taken;
  }

  #dataRead(): void {
    if (!this.#isFragmented) this.#events.message?.();
  }

  #act(opcode: number): void {
    const body = this.#control as Buffer;
    this.#control = null;
    if (opcode === OPCODE.ping) this.#ping = body;
    else if (opcode === OPCODE.pong) this.#events.pong?.(body);
    else if (opcode === OPCODE.close) this.#close(body);
  }

  /** A code that no frame may carry (RFC 6455 section 7.4) breaks the framing, and so does half a code. */
  #close(body: Buffer): void {
    const code = body.length === 0 ? NO_STATUS : body.length === 1 ? 0 : body.readUInt16BE(0);
    if (body.length > 0 && !isCloseCode(code)) {
      this.#break(body);
      return;
    }
    this.#isOver = true;
    this.#events.closed(code, body.subarray(2));
  }

  #break(bytes: Uint8Array): void {
    this.#isOver = true;
    this.#events.broken(bytes);
  }
}
