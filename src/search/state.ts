/**
 * The state of a search, what it is told and what it asks for: plain data, so that a search can be saved after every
 * step, as JSON, and continued. Everything that can be derived from the history of bursts is derived (loads.ts), not
 * kept. Instants are ms on a clock of the caller's that goes on while the search is interrupted, so that a pause counts
 * as rest; the search has no clock of its own.
 */
import type { SearchVerdict } from '../result/drop-off.js';
import type { SearchOptions } from './search-options.js';

export type BurstVerdict = 'good' | 'bad' | 'marginal' | 'invalid';

/** Why a load is tried (docs/method.md, "Choosing the next load" and "Proof of recovery"). */
export type Why =
  | 'ramp'
  | 'descend'
  | 'repeat'
  | 'hint'
  | 'gallop'
  | 'bisect'
  | 'confirm-low'
  | 'confirm-high'
  | 'sentinel'
  | 'break'
  | 'after-break';

export type WhyRest = 'cool' | 'fresh' | 'recover' | 'canary';

/** What a burst gave, as the generator saw it. */
export interface BurstFacts {
  readonly launched: number;
  /** 101s that were not lost while held. */
  readonly survived: number;
  /**
   * Launched handshakes that miss each objective, in the order of the options: the fewest and the most that the
   * two-sided latency bounds allow; equal where stamps are exact.
   */
  readonly failed: readonly (readonly [number, number])[];
  readonly outcomes: Readonly<Record<string, number>>;
  readonly spreadMs: number | null;
  readonly makespanMs: number | null;
  /** `handshake`: lower and upper bound. */
  readonly p50Ms: readonly [number, number] | null;
  readonly p99Ms: readonly [number, number] | null;
  /** The target answered as fast as it was asked (docs/method.md, "Pace"). */
  readonly paced: boolean;
  /** Why the burst says nothing about the target; null when it does. */
  readonly invalid: string | null;
}

/** 20 single handshakes at a steady pace (docs/method.md, "Recovery checks"). */
export interface CanaryFacts {
  readonly attempted: number;
  readonly survived: number;
  /** `handshake`; null without a 101. */
  readonly p95Ms: number | null;
}

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
  /** The canary passed since the last burst. */
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
  readonly found: Ended;
}

export interface Ended {
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
  readonly ended: Ended | null;
}

export type SearchAction =
  | { readonly do: 'rest'; readonly untilMs: number; readonly why: WhyRest }
  | { readonly do: 'canary'; readonly handshakes: number; readonly overMs: number }
  | { readonly do: 'fire'; readonly index: number; readonly size: number; readonly fresh: boolean; readonly why: Why }
  | { readonly do: 'stop'; readonly verdict: SearchVerdict; readonly because: string };

export type SearchEvent =
  | { readonly is: 'rested'; readonly nowMs: number }
  | { readonly is: 'canary'; readonly nowMs: number; readonly facts: CanaryFacts }
  | { readonly is: 'burst'; readonly nowMs: number; readonly facts: BurstFacts }
  /** This generator can't send more than `max` at once; a burst that was asked for was not sent. */
  | { readonly is: 'limit'; readonly nowMs: number; readonly max: number; readonly reason: string }
  /** The search goes on after an interruption; a burst in flight is lost, and its index with it. */
  | { readonly is: 'resumed'; readonly nowMs: number };

export interface Step {
  readonly state: SearchState;
  readonly action: SearchAction;
}
