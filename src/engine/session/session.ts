/**
 * What happens on the connections of a shard after their 101. A session knows no phase, no gate and no outcome of the
 * handshake: those are over when a connection is handed to it.
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

/** A number a connection: how it ended (names/ends.ts; 0: it has not) and when that was seen, ms on the clock of `now()`. */
export interface Ends {
  readonly end: Uint16Array;
  readonly endAt: Float64Array;
}

/** What a session works with; the same for all slots of a shard. */
export interface SessionGround {
  readonly slots: number;
  readonly wire: Wire;
  readonly deadlines: Deadlines;
  readonly ends: Ends;
  /** Compression was offered by the attempt in the slot. */
  readonly deflate: (slot: number) => boolean;
  /** The far side ended it by a close frame with that code and reason. */
  readonly said: (slot: number, code: number, reason: string) => void;
  /** The connection is gone. The call may put the next attempt into the slot: nothing may be done with the slot after it. */
  readonly freed: (slot: number) => void;
}
