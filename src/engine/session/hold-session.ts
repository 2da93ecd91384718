/**
 * The plain hold: the connection stays open until it is told to close, answers pings and records how it ended, by the
 * target or by this side. No object is allocated for a connection until something arrives on it.
 */
import { closedWith, cutWord, END, NO_STATUS } from '../../names/ends.js';
import { now } from '../machine/clock.js';
import { closeFrame, FrameReader, PROTOCOL_ERROR } from '../protocol/frames.js';
import type { TransportError } from '../transport/transport.js';
import { CLOSE_GRACE_MS, type Session, type SessionGround } from './session.js';

const STATE = { none: 0, open: 1, closing: 2 } as const;
const NORMAL_CLOSURE = 1000;

export class HoldSession implements Session {
  lost = 0;
  received = 0;
  readonly #ground: SessionGround;
  readonly #states: Uint8Array;
  readonly #readers = new Map<number, FrameReader>();

  constructor(ground: SessionGround) {
    this.#ground = ground;
    this.#states = new Uint8Array(ground.slots);
  }

  opened(slot: number, at: number): void {
    this.#states[slot] = STATE.open;
    this.#ground.ends.readyAt[slot] = at;
    this.#ground.ready(slot);
  }

  /** Also read while closing: a close frame that crosses ours tells why the target ended the connection. */
  data(slot: number, bytes: Uint8Array): void {
    if (this.#states[slot] === STATE.none) return;
    this.#ground.ends.heardAt[slot] = now();
    let reader = this.#readers.get(slot);
    if (reader === undefined) {
      reader = this.#newReader(slot);
      this.#readers.set(slot, reader);
    }
    reader.read(bytes);
  }

  ended(slot: number): void {
    this.#note(slot, END.fin);
    this.#forget(slot);
    this.#ground.wire.leave(slot);
    this.#ground.freed(slot);
  }

  broke(slot: number, error: TransportError): void {
    this.#note(slot, error.fin ? END.fin : error.tls ? END.tls : END.rst);
    this.#reset(slot);
  }

  /** Only a connection that is closing has a deadline. */
  tick(slot: number): void {
    if (this.#states[slot] === STATE.closing) this.#reset(slot);
  }

  /** Closing follows. */
  stop(slot: number): void {
    if (this.#states[slot] === STATE.open) this.#note(slot, END.aborted);
    else this.tick(slot);
  }

  close(slot: number, isClean: boolean): void {
    const state = this.#states[slot];
    if (state === STATE.none) return;
    const deadline = now() + CLOSE_GRACE_MS;
    if (!isClean) {
      this.#note(slot, END.closedByReset);
      this.#reset(slot);
    } else if (state === STATE.open) {
      this.#note(slot, closedWith(NORMAL_CLOSURE));
      this.#beginClosing(slot, NORMAL_CLOSURE, deadline);
    } else this.#ground.deadlines.set(slot, deadline);
  }

  #newReader(slot: number): FrameReader {
    return new FrameReader(this.#ground.deflate(slot), {
      reply: (pong) => {
        if (this.#states[slot] === STATE.open) this.#ground.wire.sendBytes(slot, pong);
      },
      message: () => {
        this.received++;
      },
      closed: (code, reason) => this.#closedByTarget(slot, code, reason),
      broken: (bytes) => {
        if (this.#states[slot] === STATE.open) {
          this.#note(slot, END.protocol);
          this.#beginClosing(slot, PROTOCOL_ERROR, null);
        } else this.#crossed(slot, END.protocol);
        this.#said(slot, END.protocol, bytes);
      },
    });
  }

  #closedByTarget(slot: number, code: number, reason: Uint8Array): void {
    if (this.#states[slot] === STATE.open) {
      this.#note(slot, code);
      // No deadline: the far side has closed and ends TCP (RFC 6455 section 7.1.1), or is ended with all the others.
      this.#beginClosing(slot, code === NO_STATUS ? NORMAL_CLOSURE : code, null);
    } else if (code !== NORMAL_CLOSURE && code !== NO_STATUS) this.#crossed(slot, code);
    this.#said(slot, code, reason);
  }

  #said(slot: number, end: number, words: Uint8Array): void {
    if (this.#ground.ends.end[slot] === end && words.length > 0) this.#ground.said(slot, end, words);
  }

  /** What a target sends in place of an answer to our close frame was on its way before that came: it ended it. */
  #crossed(slot: number, end: number): void {
    const { ends } = this.#ground;
    if (ends.end[slot] === closedWith(NORMAL_CLOSURE)) ends.end[slot] = end;
  }

  #beginClosing(slot: number, code: number, deadline: number | null): void {
    this.#states[slot] = STATE.closing;
    if (deadline !== null) this.#ground.deadlines.set(slot, deadline);
    this.#ground.wire.sendBytes(slot, closeFrame(code));
  }

  /** The first end counts. */
  #note(slot: number, end: number): void {
    const { ends } = this.#ground;
    if (ends.end[slot] !== END.none) return;
    ends.end[slot] = end;
    ends.endAt[slot] = now();
    if (cutWord(end) === null) return;
    this.lost++;
    this.#ground.cut(slot);
  }

  #reset(slot: number): void {
    this.#forget(slot);
    this.#ground.wire.reset(slot);
    this.#ground.freed(slot);
  }

  #forget(slot: number): void {
    this.#states[slot] = STATE.none;
    this.#readers.delete(slot);
    this.#ground.deadlines.clear(slot);
  }
}
