/** The find stage: a search for the drop-off point decides the sizes of the bursts. */
import { ofEachBurst } from './burst.js';
import type { StageFacts } from './stage-facts.js';

/** A search for the drop-off point; null: the preset decides. Sizes are handshakes released together. */
export interface FindStage {
  readonly kind: 'find';
  readonly max: number;
  readonly min: number | null;
  /** The drop-off that the user expects. */
  readonly expect: number | null;
  /** Relative width of the bracket at which the search ends. */
  readonly width: number | null;
  /** Objectives; if none is given, the preset's. */
  readonly share: number | null;
  readonly p99Ms: number | null;
  readonly p95Ms: number | null;
  readonly preset: 'quick' | 'standard' | 'thorough' | null;
  /** Cool-down after a burst. */
  readonly restMs: number | null;
  /** Rest after a bad burst after which the target counts as rested. */
  readonly freshWaitMs: number | null;
  readonly maxWaitMs: number | null;
  /** Maximum number of bursts. */
  readonly budget: number | null;
  readonly deadlineMs: number | null;
  /** Share of bursts that must meet the objectives. */
  readonly burstQuantile: number | null;
  readonly downSweep: boolean;
  /** The search stops once this many handshakes have failed on the target. */
  readonly harm: number | null;
}

export const find: StageFacts<FindStage> = {
  ...ofEachBurst,
  isSearch: true,
  sizes: () => [],
  mostOpen: ({ max }) => max,
};
