/**
 * What happens on a shard's connections after their 101. A session knows no phase, gate or outcome: those are over when
 * it takes a connection.
 */
import type { Deadlines } from '../attempt/deadlines.js';
import type { Handover } from '../attempt/handover.js';
import type { Wire } from '../transport/transport.js';

/** A connection that is still open this long after its close frame is reset. */
export const CLOSE_GRACE_MS = 2000;

export interface Session extends Handover {
  /** Connections that the far side ended. */
  readonly lost: number;
  /** Messages that the far side sent. */
  readonly received: number;
}

/**
 * Numbers a connection: when the client was ready (NaN: it was not), how the connection ended (names/ends.ts; 0: it has
 * not), when that was seen, and when something last came after the 101; times in ms on the clock of `now()`.
 */
export interface Ends {
  readonly readyAt: Float64Array;
  readonly end: Uint16Array;
  readonly endAt: Float64Array;
  readonly heardAt: Float64Array;
}

/** What a session works with; shared by all slots of a shard. */
export interface SessionGround {
  readonly slots: number;
  readonly wire: Wire;
  readonly deadlines: Deadlines;
  readonly ends: Ends;
  /** Whether the attempt in the slot offered compression. */
  readonly deflate: (slot: number) => boolean;
  /**
   * The client is ready: called once a connection, after `readyAt` is set. The call may close the connection and free
   * the slot: nothing may be done with the slot after it.
   */
  readonly ready: (slot: number) => void;
  /**
   * The far side has begun to end it: called once a connection, after `end` is set, and before `freed`. It may be long
   * until the connection is gone. The call must not touch the connection.
   */
  readonly cut: (slot: number) => void;
  /** In which words the far side ended it: the reason of its close frame, or what was no frame. */
  readonly said: (slot: number, end: number, words: Uint8Array) => void;
  /** The connection is gone. The call may put the next attempt into the slot: nothing may be done with the slot after it. */
  readonly freed: (slot: number) => void;
}
