/**
 * What a report calls each kind of load, one row per kind; the compiler requires a row for a new kind. Other
 * differences between kinds of load are in plan/stages/loads.ts.
 */
import type { Stage } from '../../plan/plan.js';
import type { LoadKind } from '../../plan/stages/loads.js';
import { formatCount } from '../../plan/units.js';
import type { Burst } from '../../result/result.js';
import { arrivalWords } from './arrival-words.js';

/** The phase of a run while attempts are started. */
export type LoadPhase = 'released' | 'churning' | 'arriving' | 'opening';

interface LoadWords {
  /** One load of this kind: `burst 3/5`. */
  readonly noun: string;
  /** Its attempts: `480 of 500 simultaneous handshakes`. */
  readonly handshakes: string;
  /** The phase in which its attempts are started. */
  readonly phase: LoadPhase;
  /** How it was sent, as the end of the headline's first clause; empty when there is nothing to add. */
  readonly manner: (load: Burst, stage: Stage | undefined) => string;
}

export const LOAD_WORDS: Readonly<Record<LoadKind, LoadWords>> = {
  burst: {
    noun: 'burst',
    handshakes: 'simultaneous handshakes',
    phase: 'released',
    manner: () => '',
  },
  storm: {
    noun: 'storm',
    handshakes: 'handshakes before the drop',
    phase: 'opening',
    manner: () => '',
  },
  churn: {
    noun: 'churn',
    handshakes: 'handshakes',
    phase: 'churning',
    manner: ({ rate }, stage) => {
      const inFlight = stage?.kind === 'churn' ? ` with ${formatCount(stage.inFlight)} in flight` : '';
      return rate === null ? inFlight : `${inFlight}, ${formatCount(Math.round(rate))} a second`;
    },
  },
  arrive: {
    noun: 'arrivals',
    handshakes: 'handshakes',
    phase: 'arriving',
    manner: ({ arrivals }, stage) => {
      const skipped =
        arrivals === null || arrivals.skipped === 0 ? '' : `, ${formatCount(arrivals.skipped)} were skipped`;
      return `${stage?.kind === 'arrive' ? ` ${arrivalWords(stage)}` : ''}${skipped}`;
    },
  },
};

/** The kind of load whose attempts are started in `phase`; a burst for any other phase. */
export function kindIn(phase: string): LoadKind {
  const kinds = Object.keys(LOAD_WORDS) as LoadKind[];
  return kinds.find((kind) => LOAD_WORDS[kind].phase === phase) ?? 'burst';
}
