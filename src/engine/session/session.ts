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
  /** Connections that the far side ended before this side began to close. */
  readonly lost: number;
  /** Messages that the far side sent. */
  readonly received: number;
}

/** Per connection: how it ended (names/ends.ts; 0: it has not) and when that was seen, ms on the clock of `now()`. */
export interface Ends {
  readonly end: Uint16Array;
  readonly endAt: Float64Array;
}

/** What a session works with; shared by all slots of a shard. */
export interface SessionGround {
  readonly slots: number;
  readonly wire: Wire;
  readonly deadlines: Deadlines;
  readonly ends: Ends;
  /** Whether the attempt in the slot offered compression. */
  readonly deflate: (slot: number) => boolean;
  /** The far side closed with this code and reason. */
  readonly said: (slot: number, code: number, reason: string) => void;
  /**
   * The connection is gone. This call may start the next attempt in the slot: return at once and do not use the slot.
   */
  readonly freed: (slot: number) => void;
}
