/** The stage find: bursts whose sizes a search for the drop-off point decides. */
import { ofEachBurst } from './burst.js';
import type { StageFacts } from './stage-facts.js';

/** A search for the drop-off point; null: what the preset says. Sizes are handshakes released together. */
export interface FindStage {
  readonly kind: 'find';
  readonly max: number;
  readonly min: number | null;
  /** The drop-off that the person expects. */
  readonly expect: number | null;
  /** Relative width of the bracket at which the search ends. */
  readonly width: number | null;
  /** Objectives; with none of them the preset's. */
  readonly share: number | null;
  readonly p99Ms: number | null;
  readonly p95Ms: number | null;
  readonly preset: 'quick' | 'standard' | 'thorough' | null;
  /** Cool-down after a burst. */
  readonly restMs: number | null;
  /** Rest after a bad burst that makes the target count as rested. */
  readonly freshWaitMs: number | null;
  readonly maxWaitMs: number | null;
  /** Bursts. */
  readonly budget: number | null;
  readonly deadlineMs: number | null;
  /** Share of bursts that must meet the objectives. */
  readonly burstQuantile: number | null;
  readonly downSweep: boolean;
  /** Failed handshakes on the target that end the search. */
  readonly harm: number | null;
}

export const find: StageFacts<FindStage> = {
  ...ofEachBurst,
  isSearch: true,
  sizes: () => [],
  mostOpen: ({ max }) => max,
};
