/**
 * The interface between a run and its outputs: a progress display, a result file, the attempts' rows. An output is
 * told what happens and keeps what it needs; no output knows another. Opening one comes before this: a file that can't
 * be opened is the user's error, and nothing is sent.
 */
import type { Result } from '../../result/result.js';
import type { SearchNews } from '../../search/engine-interface.js';
import type { LoadPhase } from '../words/load-words.js';

export type RunPhase =
  | LoadPhase
  | 'preflight'
  | 'calibrating'
  | 'arming'
  | 'armed'
  | 'holding'
  | 'closing'
  | 'probing'
  | 'resting'
  | 'canary';

/** The state of a run at one moment. */
export interface RunNews {
  readonly phase: RunPhase;
  /** Index of the burst, and how many the run has; 0 where it is in none. */
  readonly index: number;
  readonly of: number;
  /** Attempts of the burst, or its probes while these are sent; null when only time ends it. */
  readonly size: number | null;
  readonly armed: number;
  readonly released: number;
  readonly ended: number;
  readonly byOutcome: Readonly<Record<string, number>>;
  /** Of a search: where it stands. */
  readonly search?: SearchNews | null;
}

/** The result of what has been measured so far, put together when it is asked for. */
export type ResultSoFar = () => Promise<Result>;

/** An output has the methods that it needs. The run goes on when the promises they return are settled. */
export interface Output {
  /** How a problem names it: `the progress display`, `-o result.json`. */
  readonly name: string;
  /** Several times a second. */
  interval?(news: RunNews): void;
  /** Rows of attempts of the burst that is going on: whole lines. */
  rows?(text: string): void;
  /** A burst has ended. `isDue`: files are written now; otherwise with a later burst, or at the end. */
  burst?(soFar: ResultSoFar, isDue: boolean): void | Promise<void>;
  /** In the middle of a load. `rows`: of attempts that ended and are told again, as they end up, when the load is over. */
  during?(soFar: ResultSoFar, rows: string): void | Promise<void>;
  /** A search is about to fire: what is known so far must be safe before that. */
  save?(soFar: ResultSoFar): void | Promise<void>;
  /** A line for the person who watches. */
  note?(text: string): void;
  /** A line about what the result is worth. */
  warn?(text: string): void;
  /** The run has ended, and this is what it comes to. Not called when it ended with an error. */
  end?(result: Result): void | Promise<void>;
  /** However the run ended: writes what is left and closes what is open. May be called again. */
  close?(): void;
  /** The file that it has written, as the user named it; null: none. */
  readonly written?: string | null;
  /** What it could not do, one sentence; complete after `close`. */
  readonly problem?: string | null;
}
