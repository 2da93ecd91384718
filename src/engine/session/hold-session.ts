/**
 * The plain hold: the connection stays open until it is told to close, answers pings and counts what the far side ends. No
 * object a connection while nothing arrives on it.
 */
import { now } from '../machine/clock.js';
import { closeFrame, FrameReader, NO_STATUS } from '../protocol/frames.js';
import { CLOSE_GRACE_MS, type Session, type SessionGround } from './session.js';

const STATE = { none: 0, open: 1, closing: 2 } as const;
const NORMAL_CLOSURE = 1000;

export class HoldSession implements Session {
  lost = 0;
  readonly #ground: SessionGround;
  readonly #states: Uint8Array;
  readonly #readers = new Map<number, FrameReader>();
  #isClosing = false;

  constructor(ground: SessionGround) {
    this.#ground = ground;
    this.#states = new Uint8Array(ground.slots);
  }

  opened(slot: number): void {
    this.#states[slot] = STATE.open;
  }

  data(slot: number, bytes: Uint8Array): void {
    if (this.#states[slot] !== STATE.open) return;
    let reader = this.#readers.get(slot);
    if (reader === undefined) {
      reader = this.#newReader(slot);
      this.#readers.set(slot, reader);
    }
    reader.read(bytes);
  }

  ended(slot: number): void {
    if (this.#states[slot] === STATE.open) this.#lose();
    this.#forget(slot);
    this.#ground.wire.leave(slot);
    this.#ground.freed(slot);
  }

  broke(slot: number): void {
    if (this.#states[slot] === STATE.open) this.#lose();
    this.#reset(slot);
  }

  tick(slot: number): void {
    if (this.#states[slot] === STATE.closing) this.#reset(slot);
  }

  close(slot: number, isClean: boolean): void {
    this.#isClosing = true;
    const state = this.#states[slot];
    if (state === STATE.none) return;
    if (!isClean) this.#reset(slot);
    else if (state === STATE.open) this.#beginClosing(slot, NORMAL_CLOSURE, now() + CLOSE_GRACE_MS);
  }

  #newReader(slot: number): FrameReader {
    return new FrameReader(this.#ground.deflate(slot), {
      reply: (pong) => {
        if (this.#states[slot] === STATE.open) this.#ground.wire.sendBytes(slot, pong);
      },
      concluded: (code) => {
        if (this.#states[slot] !== STATE.open) return;
        this.#lose();
        // No deadline: the far side has closed and ends TCP (RFC 6455 section 7.1.1), or is ended with all the others.
        this.#beginClosing(slot, code === NO_STATUS ? NORMAL_CLOSURE : code, null);
      },
    });
  }

  #beginClosing(slot: number, code: number, deadline: number | null): void {
    this.#states[slot] = STATE.closing;
    this.#readers.delete(slot);
    if (deadline !== null) this.#ground.deadlines.set(slot, deadline);
    this.#ground.wire.sendBytes(slot, closeFrame(code));
  }

  /** A 101 stays a 101; that the far side let go of it is counted beside. */
  #lose(): void {
    if (!this.#isClosing) this.lost++;
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
