/**
 * Connections that nobody waits for any more, on their way out as an ordinary client lets them go: what is left of an answer
 * is read, then comes this side's FIN, then everything is read until the far side's. Only what is still there at the end of
 * the grace is reset. It holds as many as there are slots; beyond that the oldest is reset at once.
 */
import { now } from '../machine/clock.js';
import type { Remainder } from './transport.js';

/** From the outcome until a connection that is still there is reset. */
export const LEAVE_GRACE_MS = 2000;
/** An answer without an end gets this much of it. */
const REMAINDER_MS = 1000;
/** Of an answer that nobody wants any more; what sends on and on would keep a core busy for the whole grace. */
const MOST_BYTES = 1024 * 1024;
const LOOK_MS = 100;

/** How a connection is ended; it may be over already. */
export interface Ways<Connection> {
  /** Sends FIN, over TLS behind its close_notify. */
  finish(connection: Connection): void;
  /** Gives the descriptor back at once, by RST where there is still a far side. */
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
  readonly #ways: Ways<Connection>;
  /** Oldest first. */
  readonly #all = new Map<Connection, Leave>();
  #timer: NodeJS.Timeout | null = null;

  constructor(most: number, ways: Ways<Connection>) {
    this.#most = most;
    this.#ways = ways;
  }

  has(connection: Connection): boolean {
    return this.#all.has(connection);
  }

  /** @param remainder what still comes of the answer; null: nothing that matters */
  add(connection: Connection, remainder: Remainder | null): void {
    if (this.#all.size >= this.#most) this.dropOldest();
    const leave = { since: now(), remainder, bytes: 0, hasFinished: false };
    this.#all.set(connection, leave);
    if (remainder === null || remainder.isOver) this.#finish(connection, leave);
    // Never the reason for which a process stays: its sockets are.
    this.#timer ??= setTimeout(this.#look, LOOK_MS).unref();
  }

  /** What has arrived on it. */
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

  /** It is gone. */
  forget(connection: Connection): void {
    this.#all.delete(connection);
  }

  /** Gives back one descriptor; false: there is none to give. */
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
