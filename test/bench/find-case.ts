/**
 * A case of the benchmark of searches, as data, and what one run of it leaves: a target whose drop-off is known, how the
 * search is asked, which answers are right. Knows the truth of a target by its settings, and starts nothing.
 */
import type { SearchFlagId, SearchVerdict, Span } from '#dist/result/drop-off.js';

/** A target that is up. */
export interface Door {
  readonly url: string;
  /**
   * The drop-off, asked when the search is over, because some targets can tell only then; null: there is none to be
   * found. `by`: how it comes about.
   */
  truth(): Promise<{ readonly size: number; readonly by: string } | null>;
  stop(): Promise<void>;
}

export interface FindCase {
  readonly name: string;
  /** One line for people. */
  readonly story: string;
  /** A program without which it is left out. */
  readonly program?: string;
  /** @param run 1 for the first one */
  start(run: number): Promise<Door>;
  /** Beside those that all cases have. */
  readonly flags: readonly string[];
  /** Descriptors that the search may have (`ulimit -n`). */
  readonly descriptors?: number;
  /** A loop that computes on every core while it searches. */
  readonly hogs?: boolean;
  /** Any of these is right. */
  readonly verdicts: readonly SearchVerdict[];
  readonly exitCode?: number;
  /** Goal for the estimate of every run: share of the truth that it may be off by. */
  readonly within?: number;
  /** A flag without which a run is not right. */
  readonly flag?: SearchFlagId;
  /** Runs for each that is asked for; default 1. */
  readonly runs?: number;
  /** Nearly all of it is waiting: its runs may go on beside each other. */
  readonly waits?: boolean;
}

/** One search, as a line of the file that `--json` appends to. */
export interface FindRun {
  readonly name: string;
  readonly run: number;
  readonly startedAt: string;
  /** null: no result, see `fault`. */
  readonly verdict: SearchVerdict | null;
  readonly exitCode: number | null;
  readonly truth: number | null;
  readonly by: string | null;
  readonly estimate: number | null;
  readonly bracket: Span;
  readonly interval95: Span;
  readonly confidence: number;
  readonly flags: readonly string[];
  readonly because: string;
  /** `size:good/marginal/bad/invalid` of each load. */
  readonly ladder: string;
  readonly bursts: number;
  readonly handshakes: number;
  readonly seconds: number;
  /** Why there is no result. */
  readonly fault: string | null;
}

/** Of an objective by share: the default of `find` (docs/method.md, "Defaults"). */
const SHARE = 0.999;
const P99_SHARE = 0.99;
/** Shares are decimal fractions: 1,000 times 0.1 % is one failure. */
const ROUNDING = 1e-9;

function allowance(size: number, share: number): number {
  return Math.floor(size * (1 - share) + ROUNDING);
}

/**
 * The largest burst of which a target with `places` fails no more than the objective allows: the drop-off is the size at
 * which half of the bursts miss it, and such a target has no luck in it. 137 for 137 places, but 1,901 for 1,900: one
 * failure of 1,901 is 0.05 %.
 */
export function largestGood(places: number, share = SHARE): number {
  let size = places;
  while (size + 1 - places <= allowance(size + 1, share)) size += 1;
  return size;
}

/** Served one by one, `serviceMs` each: the largest burst of which 99 % are served within `withinMs`. */
export function largestWithin(withinMs: number, serviceMs: number): number {
  return largestGood(Math.floor(withinMs / serviceMs), P99_SHARE);
}
