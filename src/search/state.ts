/**
 * The state of a search: plain data, so that it can be saved as JSON after every step and resumed. Whatever can be
 * derived from the history of bursts is derived (loads.ts) and not stored. Instants are ms on the caller's clock, which
 * keeps running while the search is interrupted, so that a pause counts as rest; the search has no clock of its own.
 */
import type { SearchVerdict } from '../result/drop-off.js';
import type { BurstFacts, CanaryFacts, SearchAction, Why, WhyRest } from './engine-interface.js';
import type { SearchOptions } from './search-options.js';

export type BurstVerdict = 'good' | 'bad' | 'marginal' | 'invalid';

/** One burst that was fired. */
export interface Fired {
  /** Unique; never reused. */
  readonly index: number;
  readonly size: number;
  readonly why: Why;
  readonly fresh: boolean;
  /** How it counts towards its load; null: not at all. */
  readonly counts: 'fresh' | 'stale' | null;
  readonly verdict: BurstVerdict;
  /** Index of the worst objective; the number of objectives means the drain rate; null when all were met. */
  readonly binding: number | null;
  /** Why it is invalid; null: it is valid. */
  readonly reason: string | null;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /**
   * For an overload: time from its end to the last failed recovery check before the next burst; 0: none failed.
   * Missing: not checked.
   */
  readonly refusedMs?: number;
  readonly facts: BurstFacts;
}

export interface Shot {
  readonly size: number;
  /** To be fired on a rested target only. */
  readonly fresh: boolean;
  readonly why: Why;
  /** Invalid bursts so far. */
  readonly invalid: number;
}

/** docs/method.md, "Proof of recovery". */
export interface Restore {
  /** Good loads, largest first. */
  readonly loads: readonly number[];
  readonly at: number;
  readonly attempt: number;
  readonly waitMs: number;
  /** Index in the history of the last sentinel that failed at the largest of them. */
  readonly missed: number | null;
}

/** The state of the narrowing (docs/method.md, "Narrow"). */
export interface Cursor {
  readonly plan: 'none' | 'below-hint' | 'above-hint' | 'gallop';
  readonly gallops: number;
  /** The load that the survivors of an overload indicate. */
  readonly hint: number | null;
  readonly lastWasBad: boolean;
  /** Loads at which the ends of the bracket are being confirmed. */
  readonly lowAt: number | null;
  readonly highAt: number | null;
}

export interface Health {
  /** A recovery check has passed since the last burst. */
  readonly isProven: boolean;
  readonly failingSinceMs: number | null;
  readonly pollMs: number;
}

export interface CanaryCounts {
  readonly canaries: number;
  readonly handshakes: number;
  readonly failed: number;
  /** Only checks of a rested target: their failures occur at any load. */
  readonly rested: { readonly attempted: number; readonly failed: number; readonly withFailures: number };
}

/** Limits of this generator. */
export interface Limits {
  /** Largest load that may be requested. */
  readonly max: number;
  /** Smallest load whose bursts were invalid twice in a row. */
  readonly invalidFrom: number | null;
  readonly blocked: readonly number[];
  readonly reason: string | null;
}

/** Bursts of the down-sweep, fired soon after an overload (docs/method.md, "The down-sweep"). */
export interface Sweep {
  /** The overload itself first. */
  readonly sizes: readonly number[];
  readonly at: number;
  readonly passed: number | null;
  /** How the search ended before the sweep. */
  readonly found: SearchEnd;
}

export interface SearchEnd {
  readonly verdict: SearchVerdict;
  readonly because: string;
}

export interface SearchState {
  readonly version: 1;
  readonly options: SearchOptions;
  readonly startedAtMs: number;
  readonly lastAtMs: number;
  /** Total time between interruptions and resumptions. */
  readonly pausedMs: number;
  readonly history: readonly Fired[];
  readonly baseline: readonly CanaryFacts[];
  readonly canary: CanaryCounts;
  readonly health: Health;
  /** End of the last recovery check. Absent: there was none. */
  readonly checkedAtMs?: number;
  readonly lastBadEndMs: number | null;
  /** Cool-down after a bad burst. */
  readonly badCoolMs: number;
  readonly restUntilMs: number;
  readonly whyRest: WhyRest;
  /** Only bursts on a rested target count (docs/method.md, "Hysteresis"). */
  readonly freshMode: boolean;
  readonly restored: boolean;
  readonly restore: Restore | null;
  readonly recoveredAfterMs: number | null;
  readonly cursor: Cursor;
  readonly shot: Shot | null;
  /** The requested shot whose result is not known yet. */
  readonly inFlight: { readonly sinceMs: number; readonly fresh: boolean } | null;
  readonly limits: Limits;
  readonly sweep: Sweep | null;
  readonly ended: SearchEnd | null;
}

export interface Step {
  readonly state: SearchState;
  readonly action: SearchAction;
}
