/**
 * The interface between a run and its outputs: a progress display, a result file, the attempts' rows. An output is told
 * what happens; outputs do not know each other. They are opened before the run: a file that cannot be opened is a user
 * error, and nothing is sent.
 */
import type { Burst, Result } from '../../result/result.js';
import type { SearchNews } from '../../search/engine-interface.js';
import type { LoadPhase } from '../words/load-words.js';

export type RunPhase =
  | LoadPhase
  | 'preflight'
  | 'calibrating'
  | 'arming'
  | 'armed'
  | 'holding'
  | 'watching'
  | 'closing'
  | 'probing'
  | 'resting'
  | 'canary';

export interface StormNews {
  readonly fleet: number;
  readonly dropped: number;
  readonly back: number;
}

/** The state of a run at one moment. */
export interface RunNews {
  readonly phase: RunPhase;
  /** Index of the burst, and the number of bursts in the run; 0 when no burst is running. */
  readonly index: number;
  readonly of: number;
  /** Attempts of the burst, or its probes while those are sent; null when only time ends it. */
  readonly size: number | null;
  readonly armed: number;
  readonly released: number;
  readonly ended: number;
  /** Planned starts for which there was no room. */
  readonly skipped?: number;
  readonly byOutcome: Readonly<Record<string, number>>;
  /** Of a storm after its drop: clients to come back, those dropped so far, those that are back. */
  readonly storm?: StormNews | null;
  /** The state of the search. */
  readonly search?: SearchNews | null;
}

/** The result of what has been measured so far, assembled on request. */
export type ResultSoFar = () => Promise<Result>;

/** Renames a prepared file to its final name. All outputs do it together, so that a killed run leaves files that agree. */
export type PutInPlace = () => void;

/** The last step of writing, if there is one; made when every output has prepared its own. */
export type Prepared = PutInPlace | undefined;

/** An output implements the methods that it needs. The run continues when the promises they return are settled. */
export interface Output {
  /** Its name in messages: `the progress display`, `-o result.json`. */
  readonly name: string;
  /** Called several times per second. */
  interval?(news: RunNews): void;
  /** CSV rows of the current burst's attempts: whole lines. */
  rows?(text: string): void;
  /** A burst has ended. Told of each, and before `burst`. */
  ended?(burst: Burst): void | Promise<void>;
  /** A burst has ended. `isDue`: write files now; otherwise they are written with a later burst or at the end. */
  burst?(soFar: ResultSoFar, isDue: boolean): Prepared | Promise<Prepared>;
  /**
   * In the middle of a load. `rows` are of attempts that have ended; they are passed again, in their final form, when
   * the load is over.
   */
  during?(soFar: ResultSoFar, rows: string): Prepared | Promise<Prepared>;
  /** A search is about to fire: everything so far must be saved first. */
  save?(soFar: ResultSoFar): Prepared | Promise<Prepared>;
  /** A line for the user. */
  note?(text: string): void;
  /** A line about the validity of the result. */
  warn?(text: string): void;
  /** The run has ended with this result. Not called when it ended with an error. */
  end?(result: Result): Prepared | Promise<Prepared>;
  /** Called however the run ended: writes the rest and closes what is open. May be called again. */
  close?(): void;
  /** The file that was written, as the user named it; null: none. */
  readonly written?: string | null;
  /** What failed, one sentence; complete after `close`. */
  readonly problem?: string | null;
}
