/**
 * The interface between search and engine: the actions that a search requests, the events that an engine answers with,
 * their facts, and the director. The engine knows nothing else of the search, and the search nothing of the engine.
 * Instants are ms since the Unix epoch, because a search may be resumed by another process.
 */
import type { DropOff, SearchVerdict } from '../result/drop-off.js';
import type { Burst, Calibration } from '../result/result.js';

/** Why a load is tried. */
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

/** `canary` is the recovery check: single handshakes, spread over `overMs`. */
export type SearchAction =
  | { readonly do: 'rest'; readonly untilMs: number; readonly why: WhyRest }
  | { readonly do: 'canary'; readonly handshakes: number; readonly overMs: number }
  | { readonly do: 'fire'; readonly index: number; readonly size: number; readonly fresh: boolean; readonly why: Why }
  | { readonly do: 'stop'; readonly verdict: SearchVerdict; readonly because: string };

export type SearchEvent =
  | { readonly is: 'rested'; readonly nowMs: number }
  | { readonly is: 'canary'; readonly nowMs: number; readonly facts: CanaryFacts }
  | { readonly is: 'burst'; readonly nowMs: number; readonly facts: BurstFacts }
  /** This machine cannot send more than `max` at once; the requested burst was not sent. */
  | { readonly is: 'limit'; readonly nowMs: number; readonly max: number; readonly reason: string };

/** The facts of a burst, as the generator measured it. */
export interface BurstFacts {
  readonly launched: number;
  /** 101s that were not lost while held. */
  readonly survived: number;
  /**
   * Launched handshakes that miss each objective, in the order of the options: the fewest and the most that the two
   * latency bounds allow; equal with exact timestamps.
   */
  readonly failed: readonly (readonly [number, number])[];
  readonly outcomes: Readonly<Record<string, number>>;
  readonly spreadMs: number | null;
  readonly makespanMs: number | null;
  /** Median of `handshake`: lower and upper bound. */
  readonly p50Ms: readonly [number, number] | null;
  readonly p99Ms: readonly [number, number] | null;
  /** The generator set the pace: the target answered as fast as it was asked. */
  readonly paced: boolean;
  /** Why the burst says nothing about the target; null: it does. */
  readonly invalid: string | null;
}

/** A recovery check; handshakes that failed on this machine are not included. */
export interface CanaryFacts {
  readonly attempted: number;
  /** Got their 101. */
  readonly survived: number;
  /** `handshake`; null without a 101. */
  readonly p95Ms: number | null;
}

/** The state of a search, for progress. */
export interface SearchNews {
  /** Largest load that passes, smallest that fails; null while unknown. */
  readonly bracket: readonly [number | null, number | null];
  /** Bursts so far, and the maximum. */
  readonly bursts: number;
  readonly budget: number;
  /** The next or current burst. */
  readonly size: number | null;
  readonly why: Why | null;
  /** Why it waits, and until when; null when it does not wait. */
  readonly restWhy: WhyRest | null;
  readonly restUntilMs: number | null;
  /** No burst starts after this. */
  readonly deadlineAtMs: number;
  /** Expected remaining time; null if there is no expectation. */
  readonly leftMs: number | null;
  readonly nowMs: number;
}

/** Decides what to do next. The engine asks for an action, executes it, and reports what happened. */
export interface Director {
  /** Largest burst that it may request. */
  readonly max: number;
  /** Smallest burst that it may request. */
  readonly min: number;
  /** Starts a search, or resumes a saved one. */
  begin(nowMs: number): SearchAction;
  next(event: SearchEvent): SearchAction;
  /** The requested burst is being fired: a resumed search must not repeat it. */
  firing(): void;
  /** A burst as facts for the search. */
  factsOf(burst: Burst): BurstFacts;
  /** Why a generator with that floor cannot judge bursts of that size; null: it can. */
  floorProblem(floor: Calibration): string | null;
  news(nowMs: number): SearchNews;
  readonly dropOff: DropOff;
  /** The state to save. */
  readonly state: object;
}
