/**
 * What must be known of a kind of stage before anything is sent: one object of this shape a kind, pure, made of a stage's
 * own numbers and of nothing else.
 */
import type { LoadKind } from './loads.js';

/** Deadlines of an attempt, ms; 0 where nothing is armed before the release. */
export interface Deadlines {
  readonly armingMs: number;
  readonly timeoutMs: number;
}

export interface StageFacts<S> {
  readonly load: LoadKind;
  /** It decides its sizes as it goes, and takes less where less can be had. */
  readonly isSearch: boolean;
  /** How many attempts its bursts hold, in order; null: time alone ends that one. None for a search. */
  sizes(stage: S): readonly (number | null)[];
  /** The largest number of its attempts that are open in the same instant. */
  mostOpen(stage: S): number;
  /** Time that one of its bursts sets for itself, ms: what is left when attempts take none. */
  bestMs(stage: S): number;
  /** One of its bursts when every attempt ends at its deadline, ms. */
  worstMs(stage: S, deadlines: Deadlines): number;
}
