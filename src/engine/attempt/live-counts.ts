/**
 * The counts of a shard while it runs: how many attempts have begun, wait at the gate, were released, have ended, and as
 * what. One writer, and readers that only look; where the numbers lie (a thread's own memory, or memory that threads share)
 * is not known here.
 */
import { OUTCOME_CODES } from '../../names/outcomes.js';

/** Index of each live count; one count per outcome code follows them. */
export const LIVE = { opened: 0, armed: 1, released: 2, ended: 3, connected: 4 } as const;

const FIRST_OUTCOME = 8;

/** How many numbers the counts of one shard are. */
export const LIVE_SIZE = FIRST_OUTCOME + OUTCOME_CODES;

/** Index of an outcome's live count. */
export function liveOutcome(code: number): number {
  return FIRST_OUTCOME + code;
}

/** Live counts that nobody else reads. */
export function ownLiveCounts(): Int32Array {
  return new Int32Array(LIVE_SIZE);
}

/** The sum of one live count over all shards of a load. */
export interface LiveTotals {
  total(index: number): number;
}
