/**
 * The arrive stage: attempts start at instants that are fixed beforehand, whatever the target does (an open model). By a
 * rate, or, for a burst that is spread, a number over a time.
 */
import { atRates, mostWithin, type Rates, type Schedule, spreadOver } from '../arrivals.js';
import { bitsAt } from '../random.js';
import { CLOSE_GRACE_MS, type StageFacts } from './stage-facts.js';

export interface ArriveStage {
  readonly kind: 'arrive';
  /** Starts a second; null: `size` of them are spread over the time, each somewhere in its own part of it. */
  readonly rate: Rates | null;
  /** Number of starts. */
  readonly size: number;
  readonly forMs: number;
  readonly spacing: 'even' | 'poisson';
  /** Handshakes in flight at most: a start beyond it is skipped and counted. null: as many as this machine allows. */
  readonly maxOpen: number | null;
  /**
   * With a rate: each connection is held for so long from its own ready. Without: all are held for so long after the
   * last attempt has ended. null: each is closed once it is ready.
   */
  readonly holdMs: number | null;
  readonly times: number;
  readonly restMs: number;
}

/** What a handshake is taken to last when nothing is known of the target yet. */
export const USUAL_HANDSHAKE_MS = 1000;
/** Keeps the seeds of a run's bursts apart. */
const LANE = 78;

/** When the attempts of a burst of this stage start. @param burst index of the burst in the run */
export function scheduleOf({ rate, size, forMs, spacing }: ArriveStage, seed: number, burst: number): Schedule {
  const own = bitsAt(seed, burst, LANE);
  return rate === null ? spreadOver(size, forMs, spacing, own) : atRates(rate, forMs, spacing, own);
}

/** Connections that are held at the same time: rate × hold (Little's law), at the highest rate. */
export function heldAtOnce(stage: ArriveStage): number {
  const { rate, holdMs, size } = stage;
  if (holdMs === null) return 0;
  return rate === null ? size : within(stage, holdMs);
}

/** Handshakes in flight at the same time if each takes as long as usual, or as many as the stage allows. */
export function inFlightAtOnce(stage: ArriveStage): number {
  return Math.min(stage.size, stage.maxOpen ?? within(stage, USUAL_HANDSHAKE_MS));
}

/** More connections than this are never open at the same time, even if every handshake takes until its deadline. */
export function openAtMost(stage: ArriveStage, timeoutMs: number): number {
  const { rate, holdMs, size } = stage;
  return rate === null && holdMs !== null ? size : within(stage, timeoutMs + CLOSE_GRACE_MS + (holdMs ?? 0));
}

function within(stage: ArriveStage, ms: number): number {
  // The bound holds for every seed.
  return mostWithin(scheduleOf(stage, 0, 0), ms);
}

export const arrive: StageFacts<ArriveStage> = {
  load: 'arrive',
  isSearch: false,
  sizes: ({ size, times }) => Array.from({ length: times }, () => size),
  mostOpen: (stage) => Math.min(stage.size, heldAtOnce(stage) + inFlightAtOnce(stage)),
  replaced: inFlightAtOnce,
  bestMs: ({ forMs, holdMs }) => forMs + (holdMs ?? 0),
  worstMs: ({ forMs, holdMs }, { timeoutMs }) => forMs + timeoutMs + (holdMs ?? 0),
};
