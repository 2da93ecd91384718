/**
 * Kinds of load: how attempts are driven. The engine implements these, and a burst in a result is named by one. Several
 * kinds of stage can share a load: steps and a search fire bursts, as the burst stage does.
 */

export type LoadKind = 'burst' | 'churn' | 'arrive' | 'storm';
export type CloseKind = 'clean' | 'reset';

export interface Load {
  /** Its attempts wait at the plan's gate for one common release; otherwise they start one after another. */
  readonly isReleasedTogether: boolean;
  /** Connections end while others start; if they are held before, the stage itself says so. */
  readonly closesEach: boolean;
  /** How its connections are closed unless the plan says otherwise. */
  readonly close: CloseKind;
  /** The generator's own cost of it is measured against the local test server. */
  readonly hasFloor: boolean;
  /** Its handshakes per second are a property of the target. */
  readonly hasRate: boolean;
  /** Without one of its workers it is invalid from then on, and the rest of it would be load for nothing. */
  readonly endsWithAWorker: boolean;
}

export const LOADS: Readonly<Record<LoadKind, Load>> = {
  burst: {
    isReleasedTogether: true,
    closesEach: false,
    close: 'clean',
    hasRate: false,
    hasFloor: true,
    endsWithAWorker: false,
  },
  storm: {
    isReleasedTogether: false,
    closesEach: false,
    close: 'clean',
    hasRate: false,
    hasFloor: false,
    endsWithAWorker: true,
  },
  churn: {
    isReleasedTogether: false,
    closesEach: true,
    close: 'reset',
    hasRate: true,
    hasFloor: true,
    endsWithAWorker: true,
  },
  arrive: {
    isReleasedTogether: false,
    closesEach: true,
    close: 'reset',
    hasRate: true,
    hasFloor: true,
    endsWithAWorker: true,
  },
};

/** Whether attempts of that load start at the same instant, so that its size is the number that arrive at once. */
export function startsTogether(kind: LoadKind): boolean {
  return LOADS[kind].isReleasedTogether;
}
