/**
 * Kinds of load: the ways in which attempts are driven, which is what the engine knows and what a burst in a result is
 * called by. Several kinds of stage may fire the same load: steps and a search fire bursts, as the stage burst does.
 */

export type LoadKind = 'burst' | 'churn';
export type CloseKind = 'clean' | 'reset';

export interface Load {
  /** Its attempts wait at the plan's gate for one release; without that they start one after another. */
  readonly isReleasedTogether: boolean;
  /** Each connection is closed after its 101, so that there is nothing to hold. */
  readonly closesEach: boolean;
  /** How its connections end where the plan does not say. */
  readonly close: CloseKind;
  /** Its handshakes a second say something about the target. */
  readonly hasRate: boolean;
  /** Without one of its workers it is invalid from then on, and the rest of it would be load for nothing. */
  readonly endsWithAWorker: boolean;
}

export const LOADS: Readonly<Record<LoadKind, Load>> = {
  burst: { isReleasedTogether: true, closesEach: false, close: 'clean', hasRate: false, endsWithAWorker: false },
  churn: { isReleasedTogether: false, closesEach: true, close: 'reset', hasRate: true, endsWithAWorker: true },
};

/** Attempts of that load start in the same instant, so that its size says how many came at once. */
export function startsTogether(kind: LoadKind): boolean {
  return LOADS[kind].isReleasedTogether;
}
