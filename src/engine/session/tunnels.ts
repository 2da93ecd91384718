/**
 * The connections of a shard after their 101: reads their frames, answers pings, closes (RFC 6455 section 7) and records
 * how each one ended, by the target or by this side. What is sent on them, and when they are closed, is decided by the
 * session that owns this. No object is kept for a connection between two messages.
 */
import { closedWith, cutWord, END, NO_STATUS } from '../../names/ends.js';
import { now } from '../machine/clock.js';
import { FrameReaders } from '../protocol/frame-reader.js';
import { closeFrame } from '../protocol/frames.js';
import { MOST_UNSENT_BYTES, type TransportError } from '../transport/transport.js';
import { CLOSE_GRACE_MS, type SessionGround } from './session.js';

const STATE = { none: 0, open: 1, closing: 2 } as const;
export const NORMAL_CLOSURE = 1000;
const NOTHING = Buffer.alloc(0);

export interface TunnelEvents {
  /** A message came on an open connection; see `FrameEvents.message`. */
  message(slot: number, bytes: Uint8Array, isText: boolean, isWhole: boolean): void;
  /**
   * The far side has ended the connection. Called before `over`, and also for one that was closing when its end came.
   * @param words the reason of its close frame, or what was no frame; may be empty
   */
  cut(slot: number, end: number, words: Uint8Array): void;
  /** A connection that was open is closing or gone. */
  over(slot: number): void;
}

export interface TunnelOptions {
  readonly readsContents: boolean;
  /** Resets a connection whose target has sent its close frame and does not end TCP. */
  readonly hasGrace: boolean;
}

export class Tunnels {
  lost = 0;
  received = 0;
  readonly #ground: SessionGround;
  readonly #events: TunnelEvents;
  readonly #hasGrace: boolean;
  readonly #states: Uint8Array;
  readonly #readers: FrameReaders;

  constructor(ground: SessionGround, events: TunnelEvents, { readsContents, hasGrace }: TunnelOptions) {
    this.#ground = ground;
    this.#events = events;
    this.#hasGrace = hasGrace;
    this.#states = new Uint8Array(ground.slots);
    const frames = {
      // A far side that does not read needs no further pongs.
      reply: (slot: number, pong: Buffer) => {
        if (this.isOpen(slot)) this.send(slot, pong);
      },
      message: (slot: number, bytes: Uint8Array, isText: boolean, isWhole: boolean) => {
        this.received++;
        if (this.isOpen(slot)) events.message(slot, bytes, isText, isWhole);
      },
      closed: (slot: number, code: number, reason: Uint8Array) => this.#closedByTarget(slot, code, reason),
      broken: (slot: number, bytes: Uint8Array, code: number) => this.#broken(slot, bytes, code),
    };
    this.#readers = new FrameReaders(frames, readsContents);
  }

  open(slot: number): void {
    this.#states[slot] = STATE.open;
  }

  isOpen(slot: number): boolean {
    return this.#states[slot] === STATE.open;
  }

  /** On an open connection. @returns false: not sent, because the far side does not read */
  send(slot: number, frame: Buffer): boolean {
    const { wire } = this.#ground;
    if (wire.unsent(slot) > MOST_UNSENT_BYTES) return false;
    wire.sendBytes(slot, frame);
    return true;
  }

  /** Also read while closing: a close frame that crosses ours tells why the target ended the connection. */
  data(slot: number, bytes: Uint8Array, at: number): void {
    if (this.#states[slot] === STATE.none) return;
    this.#ground.ends.heardAt[slot] = at;
    this.#readers.read(slot, bytes, this.#ground.ends.agreed[slot]);
  }

  ended(slot: number): void {
    this.#gone(slot, END.fin);
    this.#forget(slot);
    this.#ground.wire.leave(slot);
    this.#ground.freed(slot);
  }

  broke(slot: number, error: TransportError): void {
    this.#gone(slot, error.fin ? END.fin : error.tls ? END.tls : END.rst);
    this.#reset(slot);
  }

  /** The deadline of a connection that is closing has passed. */
  tick(slot: number): void {
    if (this.#states[slot] === STATE.closing) this.#reset(slot);
  }

  stop(slot: number): void {
    if (this.#states[slot] === STATE.open) this.note(slot, END.aborted);
    else this.tick(slot);
  }

  /** Ends a connection from this side: by a close frame 1000, or by an RST. */
  close(slot: number, isClean: boolean): void {
    const state = this.#states[slot];
    if (state === STATE.none) return;
    if (!isClean) this.end(slot, END.closedByReset, 'abort');
    else if (state === STATE.open) this.end(slot, closedWith(NORMAL_CLOSURE), NORMAL_CLOSURE);
    else this.#ground.deadlines.set(slot, now() + CLOSE_GRACE_MS);
  }

  /**
   * Ends a connection from this side, and notes that as `end`.
   * @param close the code of the close frame; `abort`: an RST, after which the slot may have been reused
   */
  end(slot: number, end: number, close: number | 'abort'): void {
    this.note(slot, end);
    if (close === 'abort') this.#reset(slot);
    else if (this.#states[slot] === STATE.open) this.#beginClosing(slot, close, now() + CLOSE_GRACE_MS);
  }

  /** The first end counts. */
  note(slot: number, end: number): void {
    const { ends } = this.#ground;
    if (ends.end[slot] !== END.none) return;
    ends.end[slot] = end;
    ends.endAt[slot] = now();
    if (cutWord(end) === null) return;
    this.lost++;
    this.#ground.cut(slot);
  }

  #broken(slot: number, bytes: Uint8Array, code: number): void {
    this.#cut(slot, END.protocol, bytes);
    if (this.isOpen(slot)) this.#beginClosing(slot, code, this.#grace());
  }

  #closedByTarget(slot: number, code: number, reason: Uint8Array): void {
    this.#cut(slot, code, reason);
    const answer = code === NO_STATUS ? NORMAL_CLOSURE : code;
    if (this.isOpen(slot)) this.#beginClosing(slot, answer, this.#grace());
  }

  #gone(slot: number, end: number): void {
    if (this.isOpen(slot)) this.#cut(slot, end, NOTHING);
    else this.note(slot, end);
  }

  /**
   * What a target sends in place of an answer to our close frame was on its way before that came: it ended the
   * connection. The first end counts otherwise.
   */
  #cut(slot: number, end: number, words: Uint8Array): void {
    const { ends } = this.#ground;
    const isAnswer = end === NORMAL_CLOSURE || end === NO_STATUS;
    if (!this.isOpen(slot) && !isAnswer && ends.end[slot] === closedWith(NORMAL_CLOSURE)) ends.end[slot] = end;
    else this.note(slot, end);
    if (ends.end[slot] === end) this.#events.cut(slot, end, words);
  }

  /**
   * Without a deadline a connection whose far side has closed stays until that ends TCP (RFC 6455 section 7.1.1), or is
   * ended with all the others.
   */
  #grace(): number | null {
    return this.#hasGrace ? now() + CLOSE_GRACE_MS : null;
  }

  #beginClosing(slot: number, code: number, deadline: number | null): void {
    this.#states[slot] = STATE.closing;
    if (deadline === null) this.#ground.deadlines.clear(slot);
    else this.#ground.deadlines.set(slot, deadline);
    this.#ground.wire.sendBytes(slot, closeFrame(code));
    this.#events.over(slot);
  }

  #reset(slot: number): void {
    this.#forget(slot);
    this.#ground.wire.reset(slot);
    this.#ground.freed(slot);
  }

  #forget(slot: number): void {
    const wasOpen = this.#states[slot] === STATE.open;
    this.#states[slot] = STATE.none;
    this.#readers.forget(slot);
    this.#ground.deadlines.clear(slot);
    if (wasOpen) this.#events.over(slot);
  }
}
