/**
 * Records one handshake: the request as sent, the response head, the first bytes of its body, and in an open tunnel the
 * pongs, the far side's close frame and its end. Uses the engine's own readers, keeps at most one head and 1 KiB, and
 * judges nothing.
 */
import { BodyStart } from '../attempt/samples.js';
import { now } from '../machine/clock.js';
import { Body } from '../protocol/body.js';
import { agreedDeflate } from '../protocol/deflate.js';
import { FrameReader } from '../protocol/frame-reader.js';
import { HeadReader, readWhole } from '../protocol/head-reader.js';
import type { Head } from '../protocol/response.js';
import type { TransportError, TransportEvents } from '../transport/transport.js';

/** Kept of what comes after a 101. */
const MOST_BYTES = 1024;

/** How the far side ended a tunnel. */
export interface Ending {
  /** `close-frame 1001`, `closed` (FIN), `reset`, or `broken frame`. */
  readonly by: string;
  /** Clock of `now()`. */
  readonly at: number;
}

export class Trace {
  /** Latin-1; null until the request was built. */
  sent: string | null = null;
  head: Head | null = null;
  /** Some bytes of a response were read, even without a complete head. */
  hasAnswer = false;
  /** Pings of the far side that were answered with a pong. */
  pings = 0;
  pongs: Buffer[] = [];
  closeFrame: { readonly code: number; readonly reason: string; readonly at: number } | null = null;
  ending: Ending | null = null;
  /** What came after the 101 and is no frame; null: all were frames. */
  notFrames: Buffer | null = null;
  /** The first bytes after the 101. */
  received = Buffer.alloc(0);
  readonly #rewrite: (request: string) => string;
  readonly #content = new BodyStart();
  #body: Body | null = null;
  #partial: HeadReader | null = null;
  #isMalformed = false;
  readonly #frames: FrameReader;
  #news: () => void = () => {};

  constructor(rewrite: (request: string) => string = (request) => request) {
    this.#rewrite = rewrite;
    this.#frames = new FrameReader({
      reply: () => {
        this.pings++;
      },
      pong: (_slot, body) => {
        // Only the latest matter; a flood of pongs must not fill the memory.
        this.pongs = [...this.pongs.slice(-7), body];
      },
      closed: (_slot, code, reason) => {
        this.closeFrame ??= { code, reason: Buffer.from(reason).toString('utf8'), at: now() };
      },
      broken: (_slot, bytes) => {
        this.notFrames ??= Buffer.from(bytes.subarray(0, MOST_BYTES));
        this.#end('broken frame', now());
      },
    });
  }

  get body(): Buffer {
    return this.#content.bytes;
  }

  /** Returns what is sent in place of the request. */
  rewrite(text: string): string {
    this.sent = this.#rewrite(text);
    return this.sent;
  }

  /** Observes events and passes all of them on to the engine. */
  listen(engine: TransportEvents): TransportEvents {
    return {
      onOpening: (slot, at) => engine.onOpening(slot, at),
      onOpened: (slot, at) => engine.onOpened(slot, at),
      onConnect: (slot, at, lower) => engine.onConnect(slot, at, lower),
      onSecure: (slot, at, lower) => engine.onSecure(slot, at, lower),
      onSent: (slot, at) => engine.onSent(slot, at),
      onData: (slot, bytes, length, at, lower) => {
        this.#read(bytes, length);
        engine.onData(slot, bytes, length, at, lower);
        this.#news();
      },
      onEnd: (slot, at, lower) => {
        this.#end('closed', at);
        engine.onEnd(slot, at, lower);
        this.#news();
      },
      onError: (slot, error, at, lower) => {
        this.#end(endOf(error), at);
        engine.onError(slot, error, at, lower);
        this.#news();
      },
    };
  }

  /**
   * Resolves with true once `seen()` is true, checked at every event; with false after `ms` or when `signal` aborts.
   */
  until(seen: () => boolean, ms: number, signal: AbortSignal): Promise<boolean> {
    if (seen()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', finish);
        this.#news = () => {};
        resolve(seen());
      };
      const timer = setTimeout(finish, signal.aborted ? 0 : ms);
      signal.addEventListener('abort', finish);
      this.#news = () => {
        if (seen()) finish();
      };
    });
  }

  #read(bytes: Buffer, length: number): void {
    if (length === 0) return;
    this.hasAnswer = true;
    if (this.head !== null) {
      this.#rest(bytes.subarray(0, length));
      return;
    }
    if (this.#isMalformed) return;
    const { reading, all } = this.#partial === null ? readWhole(bytes, length) : this.#partial.read(bytes, length);
    if (reading.kind === 'more') this.#partial ??= new HeadReader(all, reading.progress);
    else if (reading.kind === 'malformed') this.#isMalformed = true;
    else {
      this.head = reading.head;
      this.#body = new Body(reading.head);
      this.#partial = null;
      this.#frames.begin(0, agreedDeflate(reading.head));
      this.#rest(all.subarray(reading.head.bodyAt));
    }
  }

  #rest(bytes: Uint8Array): void {
    if (this.head?.status === 101) {
      if (this.received.length < MOST_BYTES) {
        this.received = Buffer.concat([this.received, bytes.subarray(0, MOST_BYTES - this.received.length)]);
      }
      this.#frames.read(bytes);
      return;
    }
    this.#body?.read(bytes, this.#content.keep);
  }

  #end(by: string, at: number): void {
    this.ending ??= { by, at };
  }
}

function endOf(error: TransportError): string {
  if (error.fin) return 'closed';
  return error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'reset' : error.code;
}
