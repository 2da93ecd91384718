/**
 * The state of a search: plain data, so that a search can be saved after every step, as JSON, and continued. Everything
 * that can be derived from the history of bursts is derived (loads.ts), not kept. Instants are ms on a clock of the
 * caller's that goes on while the search is interrupted, so that a pause counts as rest; the search has no clock of its
 * own.
 */
import type { SearchVerdict } from '../result/drop-off.js';
import type { BurstFacts, CanaryFacts, SearchAction, Why, WhyRest } from './engine-interface.js';
import type { SearchOptions } from './search-options.js';

export type BurstVerdict = 'good' | 'bad' | 'marginal' | 'invalid';

/** One burst that was fired. */
export interface Fired {
  /** Its own, never used again. */
  readonly index: number;
  readonly size: number;
  readonly why: Why;
  readonly fresh: boolean;
  /** How it counts towards its load; null: it doesn't. */
  readonly counts: 'fresh' | 'stale' | null;
  readonly verdict: BurstVerdict;
  /** Index of the objective that was worst; the number of objectives itself means the drain rate; null when all were met. */
  readonly binding: number | null;
  /** Why it is invalid; null when it is not. */
  readonly reason: string | null;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** Of a break: since its end, when the last recovery check failed before the next burst; 0: none did. Absent: not checked. */
  readonly refusedMs?: number;
  readonly facts: BurstFacts;
}

export interface Shot {
  readonly size: number;
  /** On a rested target only. */
  readonly fresh: boolean;
  readonly why: Why;
  /** Invalid bursts so far. */
  readonly invalid: number;
}

/** docs/method.md, "Proof of recovery". */
export interface Restore {
  /** Good loads, the largest first. */
  readonly loads: readonly number[];
  readonly at: number;
  readonly attempt: number;
  readonly waitMs: number;
  /** The last sentinel that failed at the largest of them: its place in the history. */
  readonly missed: number | null;
}

/** Where narrowing stands (docs/method.md, "Narrow"). */
export interface Cursor {
  readonly plan: 'none' | 'below-hint' | 'above-hint' | 'gallop';
  readonly gallops: number;
  /** Load that the survivors of an overload speak for. */
  readonly hint: number | null;
  readonly lastWasBad: boolean;
  /** Loads at which the ends of the bracket are being confirmed. */
  readonly lowAt: number | null;
  readonly highAt: number | null;
}

export interface Health {
  /** The recovery check passed since the last burst. */
  readonly isProven: boolean;
  readonly failingSinceMs: number | null;
  readonly pollMs: number;
}

export interface CanaryCounts {
  readonly canaries: number;
  readonly handshakes: number;
  readonly failed: number;
  /** Those of a rested target: what fails there fails at any load. */
  readonly rested: { readonly attempted: number; readonly failed: number; readonly withFailures: number };
}

/** What this generator could not do. */
export interface Limits {
  /** Largest load that it may be asked for. */
  readonly max: number;
  /** Smallest load whose bursts were invalid twice in a row. */
  readonly invalidFrom: number | null;
  readonly blocked: readonly number[];
  readonly reason: string | null;
}

/** Stale bursts after a break (docs/method.md, "The down-sweep"). */
export interface Sweep {
  /** The break itself first. */
  readonly sizes: readonly number[];
  readonly at: number;
  readonly passed: number | null;
  /** How the search itself ended. */
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
  /** Between interruptions and resumptions. */
  readonly pausedMs: number;
  readonly history: readonly Fired[];
  readonly baseline: readonly CanaryFacts[];
  readonly canary: CanaryCounts;
  readonly health: Health;
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
  /** The shot that was asked for and not heard of yet. */
  readonly inFlight: { readonly sinceMs: number; readonly fresh: boolean } | null;
  readonly limits: Limits;
  readonly sweep: Sweep | null;
  readonly ended: SearchEnd | null;
}

export interface Step {
  readonly state: SearchState;
  readonly action: SearchAction;
}
