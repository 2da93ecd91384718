/**
 * Closes connections whose attempt has ended, as an ordinary client does: reads the rest of the response, sends FIN,
 * then reads until the far side's FIN. Connections still open at the end of the grace period are reset. It holds as
 * many as there are slots; beyond that it resets the oldest.
 */
import { now } from '../machine/clock.js';
import type { Remainder } from './transport.js';

/** Time from the outcome until a connection that is still open is reset. */
export const LEAVE_GRACE_MS = 2000;
/** How long a response without an end is read. */
const REMAINDER_MS = 1000;
/** How much of an unneeded response is read; an endless one would keep a core busy for the whole grace period. */
const MOST_BYTES = 1024 * 1024;
const LOOK_MS = 100;

/** How to end a connection, which may have ended already. */
export interface LeavingWays<Connection> {
  /** Sends FIN; over TLS after its close_notify. */
  finish(connection: Connection): void;
  /** Closes the descriptor at once; with RST if the far side is still connected. */
  reset(connection: Connection): void;
}

interface Leave {
  readonly since: number;
  readonly remainder: Remainder | null;
  bytes: number;
  hasFinished: boolean;
}

export class Leaving<Connection> {
  readonly #most: number;
  readonly #ways: LeavingWays<Connection>;
  /** Oldest first. */
  readonly #all = new Map<Connection, Leave>();
  #timer: NodeJS.Timeout | null = null;

  constructor(most: number, ways: LeavingWays<Connection>) {
    this.#most = most;
    this.#ways = ways;
  }

  has(connection: Connection): boolean {
    return this.#all.has(connection);
  }

  /** @param remainder reads the rest of the response; null: there is none that matters */
  add(connection: Connection, remainder: Remainder | null): void {
    if (this.#all.size >= this.#most) this.dropOldest();
    const leave = { since: now(), remainder, bytes: 0, hasFinished: false };
    this.#all.set(connection, leave);
    if (remainder === null || remainder.isOver) this.#finish(connection, leave);
    // The timer must not keep the process alive; the sockets do that.
    this.#timer ??= setTimeout(this.#look, LOOK_MS).unref();
  }

  /** Bytes have arrived on it. */
  read(connection: Connection, bytes: Uint8Array): void {
    const leave = this.#all.get(connection);
    if (leave === undefined) return;
    leave.bytes += bytes.length;
    if (leave.bytes > MOST_BYTES) {
      this.#drop(connection);
      return;
    }
    leave.remainder?.read(bytes);
    if (leave.remainder?.isOver === true) this.#finish(connection, leave);
  }

  /** The connection is gone. */
  forget(connection: Connection): void {
    this.#all.delete(connection);
  }

  /** Closes one descriptor; false: there is none. */
  dropOldest(): boolean {
    for (const connection of this.#all.keys()) {
      this.#drop(connection);
      return true;
    }
    return false;
  }

  dropAll(): void {
    while (this.dropOldest());
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #finish(connection: Connection, leave: Leave): void {
    if (leave.hasFinished) return;
    leave.hasFinished = true;
    this.#ways.finish(connection);
  }

  #drop(connection: Connection): void {
    this.#all.delete(connection);
    this.#ways.reset(connection);
  }

  readonly #look = (): void => {
    this.#timer = null;
    const at = now();
    for (const [connection, leave] of this.#all) {
      if (at - leave.since >= LEAVE_GRACE_MS) this.#drop(connection);
      else if (at - leave.since >= REMAINDER_MS) this.#finish(connection, leave);
    }
    if (this.#all.size > 0) this.#timer = setTimeout(this.#look, LOOK_MS).unref();
  };
}
