/** The plain hold: the connection stays open until it is told to close, and answers pings. */
import type { TransportError } from '../transport/transport.js';
import type { Session, SessionGround } from './session.js';
import { Tunnels } from './tunnels.js';

export class HoldSession implements Session {
  readonly #ground: SessionGround;
  readonly #tunnels: Tunnels;
  readonly sent = 0;
  readonly skipped = 0;
  readonly busy = 0;
  onQuiet: (() => void) | null = null;

  constructor(ground: SessionGround) {
    this.#ground = ground;
    this.#tunnels = new Tunnels(
      ground,
      {
        message: () => {},
        cut: (slot, end, words) => {
          if (words.length > 0) ground.said(slot, end, () => ({ words, step: null, message: null }));
        },
        over: () => {},
      },
      { readsContents: false, hasGrace: false },
    );
  }

  get lost(): number {
    return this.#tunnels.lost;
  }

  get received(): number {
    return this.#tunnels.received;
  }

  secrets(): readonly string[] {
    return [];
  }

  opened(slot: number, at: number): void {
    this.#tunnels.open(slot);
    this.#ground.ends.readyAt[slot] = at;
    this.#ground.ready(slot);
  }

  data(slot: number, bytes: Uint8Array, at: number): void {
    this.#tunnels.data(slot, bytes, at);
  }

  ended(slot: number): void {
    this.#tunnels.ended(slot);
  }

  broke(slot: number, error: TransportError): void {
    this.#tunnels.broke(slot, error);
  }

  tick(slot: number): void {
    this.#tunnels.tick(slot);
  }

  stop(slot: number): void {
    this.#tunnels.stop(slot);
  }

  close(slot: number, isClean: boolean): void {
    this.#tunnels.close(slot, isClean);
  }
}
