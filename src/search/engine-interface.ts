/**
 * What a search and an engine say to each other: the actions that a search asks for, the events that an engine answers
 * with, the facts that these carry, and the director that an engine is given. An engine needs to know nothing else of the
 * search, and the search nothing at all of an engine. Instants are ms since the Unix epoch, because a search may outlive
 * its process.
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
  /** No more than `max` can be sent at once from here; a burst that was asked for was not sent. */
  | { readonly is: 'limit'; readonly nowMs: number; readonly max: number; readonly reason: string };

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
  /** The target answered as fast as it was asked. */
  readonly paced: boolean;
  /** Why the burst says nothing about the target; null when it does. */
  readonly invalid: string | null;
}

/** A recovery check; handshakes that failed on this machine are left out. */
export interface CanaryFacts {
  readonly attempted: number;
  /** Got their 101. */
  readonly survived: number;
  /** `handshake`; null without a 101. */
  readonly p95Ms: number | null;
}

/** Where a search stands, for progress. */
export interface SearchNews {
  /** Largest load that passes, smallest that fails; null while that is not known. */
  readonly bracket: readonly [number | null, number | null];
  /** Bursts so far, and how many there may be. */
  readonly bursts: number;
  readonly budget: number;
  /** The burst that is coming, or going on. */
  readonly size: number | null;
  readonly why: Why | null;
  /** What it waits for, and until when; null when it does not wait. */
  readonly restWhy: WhyRest | null;
  readonly restUntilMs: number | null;
  /** No burst begins after this. */
  readonly deadlineAtMs: number;
  /** What is left of the search, by its own expectation; null when it has none. */
  readonly leftMs: number | null;
  readonly nowMs: number;
}

/** Says what to do next. An engine asks one, does as it says, and tells it what happened. */
export interface Director {
  /** Largest burst that it may ask for. */
  readonly max: number;
  /** Smallest one. */
  readonly min: number;
  /** Begins a search, or goes on with one that was saved. */
  begin(nowMs: number): SearchAction;
  next(event: SearchEvent): SearchAction;
  /** The burst that was asked for last is on its way from now on: a search that is resumed must not repeat it. */
  firing(): void;
  /** A burst as the search wants to be told of it. */
  factsOf(burst: Burst): BurstFacts;
  /** Why a generator with that floor can't judge bursts of that size; null: it can. */
  floorProblem(floor: Calibration): string | null;
  news(nowMs: number): SearchNews;
  readonly dropOff: DropOff;
  /** As it may be saved. */
  readonly state: object;
}
