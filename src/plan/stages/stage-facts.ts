/**
 * What must be known about a kind of stage before anything is sent: one object of this shape per kind, pure, computed
 * from the stage's own numbers only.
 */
import type { LoadKind } from './loads.js';

/** A clean close that takes longer than this becomes a reset. */
export const CLOSE_GRACE_MS = 2000;

/** Deadlines of an attempt, ms; 0 when nothing is armed before the release. */
export interface StageDeadlines {
  readonly armingMs: number;
  readonly timeoutMs: number;
}

export interface StageFacts<S> {
  readonly load: LoadKind;
  /** It chooses its sizes during the run, and adapts to what is available. */
  readonly isSearch: boolean;
  /** Number of attempts of each burst, in order; null: only time ends that one. Empty for a search. */
  sizes(stage: S): readonly (number | null)[];
  /** The largest number of its attempts that are open at the same time. */
  mostOpen(stage: S): number;
  /** Of these, how many may still be closing when others have taken their places. */
  replaced(stage: S): number;
  /** Time that one burst takes if its attempts take none, ms. */
  bestMs(stage: S): number;
  /** Time that one burst takes if every attempt ends at its deadline, ms. */
  worstMs(stage: S, deadlines: StageDeadlines): number;
}
