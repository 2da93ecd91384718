/**
 * The words of a report that depend on the kind of load, one row a kind. Whatever the report says differently of a burst
 * and of a churn is asked of this table, so a new kind of load is a new row, and the compiler asks for it.
 */
import type { Stage } from '../../plan/plan.js';
import type { LoadKind } from '../../plan/stages/loads.js';
import { formatCount } from '../../plan/units.js';
import type { Burst } from '../../result/result.js';

/** Phases of a run in which attempts are started. */
export type LoadPhase = 'released' | 'churning';

interface LoadWords {
  /** One load of this kind: `burst 3/5`. */
  readonly noun: string;
  /** Its attempts: `480 of 500 simultaneous handshakes`. */
  readonly handshakes: string;
  /** All attempts start together: the size is the load, and loads of several sizes can be compared by it. */
  readonly isSimultaneous: boolean;
  /** Its attempts wait at a gate to be released together. */
  readonly hasGate: boolean;
  /** What its latencies are counted from. */
  readonly since: 'release' | 'start';
  /** What shows how fast the attempts started: the time from the first to the last, or handshakes a second. */
  readonly pace: 'spread' | 'rate';
  /** Where a run is while its attempts are started. */
  readonly phase: LoadPhase;
  /** How it was sent, as the end of the headline's first clause; empty when there is nothing to add. */
  readonly manner: (load: Burst, stage: Stage | undefined) => string;
}

export const LOAD_KINDS: Readonly<Record<LoadKind, LoadWords>> = {
  burst: {
    noun: 'burst',
    handshakes: 'simultaneous handshakes',
    isSimultaneous: true,
    hasGate: true,
    since: 'release',
    pace: 'spread',
    phase: 'released',
    manner: () => '',
  },
  churn: {
    noun: 'churn',
    handshakes: 'handshakes',
    isSimultaneous: false,
    hasGate: false,
    since: 'start',
    pace: 'rate',
    phase: 'churning',
    manner: ({ rate }, stage) => {
      const inFlight = stage?.kind === 'churn' ? ` with ${formatCount(stage.inFlight)} in flight` : '';
      return rate === null ? inFlight : `${inFlight}, ${formatCount(Math.round(rate))} a second`;
    },
  },
};

/** The kind of load that a run is busy with in `phase`; a phase that all kinds have counts as a burst's. */
export function kindIn(phase: string): LoadKind {
  const kinds = Object.keys(LOAD_KINDS) as LoadKind[];
  return kinds.find((kind) => LOAD_KINDS[kind].phase === phase) ?? 'burst';
}
