/**
 * Reads the frames that a server sends on connections after their 101 (RFC 6455 section 5). A connection has a reader
 * only while a frame or a message is incomplete, so an idle one costs nothing. Contents of messages are read only when
 * they are asked for; otherwise payloads are skipped and never stored, because a hostile server could fill the memory
 * with one endless message on each connection.
 */
import { isUtf8 } from 'node:buffer';
import { isCloseCode, NO_STATUS } from '../../names/ends.js';
import { Inflater, NO_DEFLATE } from './deflate.js';
import { INVALID_DATA, MAX_CONTROL_BYTES, OPCODE, PROTOCOL_ERROR, pongFrame } from './frames.js';
import { Budget, MessageContent, MOST_KEPT_BYTES } from './message-content.js';

const MAX_HEAD_BYTES = 10;
const NOTHING = Buffer.alloc(0);
/** A compressed message is read up to this size, inflated. */
const MOST_INFLATED_BYTES = 4 * MOST_KEPT_BYTES;

/** Each call names the slot of its connection. Bytes are valid during the call only. */
export interface FrameEvents {
  /** Sends bytes in reply: a pong. */
  reply(slot: number, bytes: Buffer): void;
  /** A pong came. */
  pong?(slot: number, body: Buffer): void;
  /**
   * A message of the application is complete. `isWhole`: `bytes` is all of it; otherwise its beginning, or nothing when
   * contents are not read.
   */
  message?(slot: number, bytes: Uint8Array, isText: boolean, isWhole: boolean): void;
  /** The server closed (1005: without a code), and why in its own words (UTF-8); nothing is read after it. */
  closed(slot: number, code: number, reason: Uint8Array): void;
  /**
   * `bytes` begin no frame of a server, or are no message; `code` is the close code for it. Nothing is read after it.
   */
  broken(slot: number, bytes: Uint8Array, code: number): void;
}

/** Reading contents of messages, shared by the connections of a shard. */
interface Contents {
  readonly budget: Budget;
  readonly inflater: Inflater;
}

/** The frames of all connections of a shard. */
export class FrameReaders {
  readonly #events: FrameEvents;
  readonly #contents: Contents | null;
  /** Connections in the middle of a frame or message, or whose server has closed. */
  readonly #busy = new Map<number, FrameReader>();
  readonly #spare: FrameReader[] = [];
  #reading: FrameReader | null = null;

  /** @param readsContents whether messages are reported with their contents */
  constructor(events: FrameEvents, readsContents: boolean) {
    this.#events = events;
    this.#contents = readsContents ? { budget: new Budget(), inflater: new Inflater(MOST_INFLATED_BYTES) } : null;
  }

  /** @param agreed what was agreed on compression (deflate.ts) */
  read(slot: number, bytes: Uint8Array, agreed: number): void {
    const kept = this.#busy.get(slot);
    const reader = kept ?? this.#spare.pop() ?? new FrameReader(this.#events, this.#contents);
    if (kept === undefined) reader.begin(slot, agreed);
    this.#reading = reader;
    reader.read(bytes);
    this.#reading = null;
    if (reader.isIdle) {
      if (kept !== undefined && this.#busy.get(slot) === kept) this.#busy.delete(slot);
      this.#spare.push(reader);
    } else if (kept === undefined) this.#busy.set(slot, reader);
  }

  /** The connection is gone; may be called while it is read. */
  forget(slot: number): void {
    const reader = this.#busy.get(slot);
    this.#busy.delete(slot);
    this.#contents?.inflater.forget(slot);
    if (this.#reading?.slot === slot) this.#reading.forget();
    else if (reader !== undefined) {
      reader.forget();
      this.#spare.push(reader);
    }
  }
}

/** Reads the frames of one connection at a time; stores at most one control frame, and one message if it is read. */
export class FrameReader {
  slot = 0;
  readonly #events: FrameEvents;
  readonly #contents: Contents | null;
  readonly #content: MessageContent | null;
  #agreed = NO_DEFLATE;
  readonly #head = Buffer.alloc(MAX_HEAD_BYTES);
  #headBytes = 0;
  /** Payload bytes of the current frame that are still expected. */
  #left = 0;
  /** Payload of the current control frame; null in a data frame. */
  #control: Buffer | null = null;
  /** Payload of the last ping not yet answered. */
  #ping: Buffer | null = null;
  #isFragmented = false;
  /** Of the current message. */
  #isText = false;
  #isCompressed = false;
  #isOver = false;
  #isForgotten = false;

  constructor(events: FrameEvents, contents: Contents | null = null) {
    this.#events = events;
    this.#contents = contents;
    this.#content = contents === null ? null : new MessageContent(contents.budget);
  }

  /**
   * A connection's first bytes follow. @param agreed compression was agreed on, so RSV1 marks a compressed message (RFC
   * 7692 section 6) and is valid
   */
  begin(slot: number, agreed: number): void {
    this.slot = slot;
    this.#agreed = agreed;
    this.#headBytes = 0;
    this.#left = 0;
    this.#isFragmented = false;
    this.#isOver = this.#isForgotten = false;
  }

  /** Between two messages: nothing is lost if the connection gets another reader. */
  get isIdle(): boolean {
    if (this.#isForgotten) return true;
    return !this.#isOver && this.#headBytes === 0 && this.#left === 0 && !this.#isFragmented;
  }

  /** Reads no more of the connection. */
  forget(): void {
    this.#isOver = this.#isForgotten = true;
    this.#control = null;
    this.#content?.clear();
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
    if (this.#ping !== null && !this.#isOver) this.#events.reply(this.slot, pongFrame(this.#ping));
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
    if (!isControl) {
      this.#isFragmented = (first & 0x80) === 0;
      if (opcode !== OPCODE.continuation) {
        this.#isText = opcode === OPCODE.text;
        this.#isCompressed = (first & 0x40) !== 0;
      }
    }
    this.#control = isControl ? Buffer.alloc(length) : null;
    this.#left = length;
    if (length > 0) return;
    if (isControl) this.#act(opcode);
    else this.#data(NOTHING);
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
    return rsv === 0 || (rsv === 0x40 && this.#agreed !== NO_DEFLATE && opcode !== OPCODE.continuation);
  }

  /** @returns how many bytes belonged to the payload */
  #payload(bytes: Uint8Array): number {
    const taken = Math.min(this.#left, bytes.length);
    const piece = bytes.subarray(0, taken);
    this.#control?.set(piece, this.#control.length - this.#left);
    this.#left -= taken;
    if (this.#control === null) this.#data(piece);
    else if (this.#left === 0) this.#act(this.#head[0] & 0x0f);
    return taken;
  }

  /** A piece of a data frame; the message ends with it if neither its frame nor its fragments go on. */
  #data(piece: Uint8Array): void {
    const isLast = this.#left === 0 && !this.#isFragmented;
    const content = this.#content;
    if (content === null) {
      if (isLast) this.#events.message?.(this.slot, NOTHING, this.#isText, false);
      return;
    }
    if (isLast && content.isUntouched) this.#message(piece, piece.length <= MOST_KEPT_BYTES);
    else {
      content.add(piece);
      if (isLast) this.#message(content.bytes, !content.isCut);
    }
    if (isLast) content.clear();
  }

  #message(bytes: Uint8Array, isWhole: boolean): void {
    const kept = isWhole ? bytes : bytes.subarray(0, MOST_KEPT_BYTES);
    const read = this.#isCompressed ? this.#inflated(kept, isWhole) : kept;
    if (this.#isOver) return;
    const isAll = isWhole && read !== null;
    if (read !== null && isAll && this.#isText && !isUtf8(read)) this.#break(read, INVALID_DATA);
    else this.#events.message?.(this.slot, read ?? NOTHING, this.#isText, isAll);
  }

  #inflated(bytes: Uint8Array, isWhole: boolean): Buffer | null {
    try {
      return (this.#contents as Contents).inflater.inflate(this.slot, bytes, this.#agreed, isWhole);
    } catch {
      this.#break(bytes, INVALID_DATA);
      return null;
    }
  }

  #act(opcode: number): void {
    const body = this.#control as Buffer;
    this.#control = null;
    if (opcode === OPCODE.ping) this.#ping = body;
    else if (opcode === OPCODE.pong) this.#events.pong?.(this.slot, body);
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
    this.#events.closed(this.slot, code, body.subarray(2));
  }

  #break(bytes: Uint8Array, code: number = PROTOCOL_ERROR): void {
    this.#isOver = true;
    this.#events.broken(this.slot, bytes, code);
  }
}
