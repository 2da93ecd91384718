/**
 * What happens on a shard's connections after their 101. A session knows no phase, gate or outcome: those are over when
 * it takes a connection.
 */
import type { Deadlines } from '../attempt/deadlines.js';
import type { Handover } from '../attempt/handover.js';
import type { Wire } from '../transport/transport.js';

/** A connection that is still open this long after its close frame is reset. */
export const CLOSE_GRACE_MS = 2000;

/** What is read of the target's words and messages: far more than is shown, so that no half of a secret is left at a cut. */
export const MOST_SAID_BYTES = 4096;

export interface Session extends Handover {
  /** Connections that the far side ended. */
  readonly lost: number;
  /** Messages, not control frames: sent by this side, sent by the far side, and of these the ones that no step wanted. */
  readonly sent: number;
  readonly received: number;
  readonly skipped: number;
  /** Open connections on which something is still waited for: a message, or the end of a hold of their own. */
  readonly busy: number;
  /** Called when `busy` may have become 0. */
  onQuiet: (() => void) | null;
  /** Values of data and environment that a slot's messages hold: to be masked in what the target sends. */
  secrets(slot: number): readonly string[];
}

/**
 * Numbers a connection: when its 101 came, what was agreed on compression (protocol/deflate.ts), when the first expected message came, when
 * the client was ready (NaN: it was not), how the connection ended (names/ends.ts; 0: it has not), when that was seen,
 * and when something last came after the 101. Times in ms on the clock of `now()`.
 */
export interface Ends {
  readonly done: Float64Array;
  readonly agreed: Uint8Array;
  readonly messageAt: Float64Array;
  readonly readyAt: Float64Array;
  readonly end: Uint16Array;
  readonly endAt: Float64Array;
  readonly heardAt: Float64Array;
}

/** Why a connection ended, as far as anybody said so. */
export interface SaidOfEnd {
  /** The reason of the target's close frame, or what was no frame. */
  readonly words: Uint8Array | null;
  /** The step or rule of the session that ended it, for people, unmasked. */
  readonly step: string | null;
  /** The message that ended it, or the last one that the step did not want. */
  readonly message: Uint8Array | null;
}

/** What a session works with; shared by all slots of a shard. */
export interface SessionGround {
  readonly slots: number;
  readonly wire: Wire;
  readonly deadlines: Deadlines;
  readonly ends: Ends;
  /** Connections that this side ends are reset unless the session says with which code to close. */
  readonly resets: boolean;
  /** Number in the run of the attempt in the slot, and of its client. */
  readonly indexOf: (slot: number) => number;
  readonly clientOf: (slot: number) => number;
  /**
   * The client is ready: called once a connection, after `readyAt` is set. The call may close the connection and free
   * the slot: nothing may be done with the slot after it.
   */
  readonly ready: (slot: number) => void;
  /** The target has ended the connection, or it counts so: called once, when that is noted; nothing may be closed in it. */
  readonly cut: (slot: number) => void;
  /** Why the connection ended as it did; called before it is freed. Of each end the first is asked for. */
  readonly said: (slot: number, end: number, said: () => SaidOfEnd) => void;
  /** The connection is gone. The call may put the next attempt into the slot: nothing may be done with the slot after it. */
  readonly freed: (slot: number) => void;
}
