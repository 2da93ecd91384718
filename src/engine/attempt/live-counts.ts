/**
 * The counts of a shard while it runs: how many attempts were started, wait at the gate, were released, have ended, and
 * with which outcome. One writer, any number of readers. Does not know whether the memory is a thread's own or shared.
 */
import { OUTCOME_CODES } from '../../names/outcomes.js';

/**
 * Index of each live count; one count per outcome code follows them. Of a storm: the clients that are to come back, those
 * that are not back or not yet dropped, how often one came back, those that were dropped,
 * and those that will never come back.
 */
export const LIVE = {
  opened: 0,
  armed: 1,
  released: 2,
  ended: 3,
  connected: 4,
  skipped: 5,
  fleet: 6,
  awaited: 7,
  returns: 8,
  dropped: 9,
  gone: 10,
} as const;

const FIRST_OUTCOME = 12;

/** Length of one shard's counts. */
export const LIVE_SIZE = FIRST_OUTCOME + OUTCOME_CODES;

/** Index of an outcome's live count. */
export function liveOutcome(code: number): number {
  return FIRST_OUTCOME + code;
}

/** Live counts in memory that is not shared. */
export function ownLiveCounts(): Int32Array {
  return new Int32Array(LIVE_SIZE);
}

/** The sum of one live count over all shards of a load. */
export interface LiveTotals {
  total(index: number): number;
}
