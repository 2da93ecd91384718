/**
 * permessage-deflate (RFC 7692): what a server agreed to, compressing what is sent, and inflating what came within
 * bounds. Nothing is kept of a connection but the last 32 KiB that its server may refer to.
 */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { type Head, headerValue } from './response.js';

/** What was agreed, as a number for a column. */
export const NO_DEFLATE = 0;
/** The server may refer to its earlier messages (RFC 7692 section 7.1.1). */
const KEEPS_CONTEXT = 0x10;
const CLIENT_BITS = 0x0f;
/** zlib's raw deflate has no smaller window than 512 bytes. */
const LEAST_BITS = 9;
const MOST_BITS = 15;
const WINDOW_BYTES = 32 * 1024;
/** What a sender leaves out (RFC 7692 section 7.2.1). */
const TAIL = Buffer.of(0x00, 0x00, 0xff, 0xff);

/** Of a response that was found valid for an offer of permessage-deflate. */
export function agreedDeflate(head: Head): number {
  const value = headerValue(head, 'sec-websocket-extensions');
  if (value === null) return NO_DEFLATE;
  const bits = Number(/client_max_window_bits[ \t]*=[ \t]*"?(\d+)/i.exec(value)?.[1] ?? MOST_BITS);
  return /server_no_context_takeover/i.test(value) ? bits : bits | KEEPS_CONTEXT;
}

/** Compressed texts of the payloads that are sent again and again. */
const known = new WeakMap<Buffer, { readonly bits: number; readonly small: Buffer }>();

/**
 * The payload of a compressed message; null: it is sent as it is. Each message is compressed by itself, which every
 * server must understand (RFC 7692 section 7.2.1).
 */
export function compressed(bytes: Buffer, agreed: number): Buffer | null {
  const bits = agreed & CLIENT_BITS;
  if (bits < LEAST_BITS || bytes.length === 0) return null;
  const before = known.get(bytes);
  if (before?.bits === bits) return before.small;
  const all = deflateRawSync(bytes, { windowBits: bits, finishFlush: constants.Z_SYNC_FLUSH });
  const small = all.subarray(0, all.length - TAIL.length);
  known.set(bytes, { bits, small });
  return small;
}

/** Inflates the messages of a shard's connections. */
export class Inflater {
  readonly #most: number;
  /** By slot: the end of what its earlier messages inflated to. */
  readonly #windows = new Map<number, Buffer>();
  /** A message was too long: what follows refers to bytes that are not known. */
  readonly #lost = new Set<number>();

  /** @param most bytes of a message; a longer one is not inflated */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * @param isWhole false: its end is missing
   * @returns null: it cannot be read, because it, or one before it, is too long
   * @throws Error when it is not compressed data
   */
  inflate(slot: number, bytes: Uint8Array, agreed: number, isWhole: boolean): Buffer | null {
    const keepsContext = (agreed & KEEPS_CONTEXT) !== 0;
    if (!isWhole || this.#lost.has(slot)) return this.#lose(slot, keepsContext);
    const dictionary = this.#windows.get(slot);
    try {
      const all = inflateRawSync(Buffer.concat([bytes, TAIL]), {
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: this.#most,
        ...(dictionary !== undefined && { dictionary }),
      });
      if (keepsContext) this.#remember(slot, dictionary, all);
      return all;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') throw error;
      return this.#lose(slot, keepsContext);
    }
  }

  forget(slot: number): void {
    this.#windows.delete(slot);
    this.#lost.delete(slot);
  }

  #lose(slot: number, keepsContext: boolean): null {
    if (keepsContext) {
      this.#windows.delete(slot);
      this.#lost.add(slot);
    }
    return null;
  }

  #remember(slot: number, before: Buffer | undefined, all: Buffer): void {
    const end =
      all.length >= WINDOW_BYTES || before === undefined
        ? all.subarray(-WINDOW_BYTES)
        : Buffer.concat([before, all]).subarray(-WINDOW_BYTES);
    // A copy, so that no larger buffer is kept alive.
    this.#windows.set(slot, Buffer.from(end));
  }
}
