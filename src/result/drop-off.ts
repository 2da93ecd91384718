/**
 * What a search for the drop-off point leaves in a Result: a leaf that the search fills and reports read. Sizes are
 * handshakes released together; times are in ms; absent is null. "k of n bursts" is the evidence, the interval is the
 * inference; neither is ever made of pooled handshakes, because the handshakes of one burst share its fate.
 */

export const SEARCH_VERDICTS = [
  'FOUND',
  'AT_LEAST_MAX',
  'BELOW_MIN',
  'DID_NOT_RECOVER',
  'GENERATOR_LIMITED',
  'BUDGET',
  'INTERRUPTED',
] as const;
export type SearchVerdict = (typeof SEARCH_VERDICTS)[number];

export const SEARCH_FLAGS = [
  'HYSTERESIS',
  'HYSTERESIS_SUSPECTED',
  'FLOOR',
  'PACED',
  'GENERATOR_LIMITED',
  'INVERSION',
] as const;
export type SearchFlagId = (typeof SEARCH_FLAGS)[number];

export interface SearchFlag {
  readonly id: SearchFlagId;
  /** One sentence with its numbers. */
  readonly says: string;
}

/** A load that passes although smaller ones fail. */
export interface Inversion {
  readonly passes: number;
  readonly failsFrom: number;
  readonly failsTo: number;
}

/** One end may be open: null. */
export type Span = readonly [number | null, number | null];

/** All bursts of one size. Verdicts of bursts that do not count (invalid, or set aside as stale) are not in good, bad, marginal. */
export interface Rung {
  readonly size: number;
  readonly bursts: number;
  readonly good: number;
  readonly bad: number;
  readonly marginal: number;
  readonly invalid: number;
  /** Counted bursts on a rested target, and the others. */
  readonly fresh: number;
  readonly stale: number;
  /** 101s that were not lost, of those launched in valid bursts; null without one. */
  readonly share: number | null;
  /** Burst-level (quasi-binomial) interval of the share; null with fewer than two bursts. */
  readonly shareInterval: readonly [number, number] | null;
  /** `handshake` of the median burst: lower and upper bound. */
  readonly p50Ms: readonly [number, number] | null;
  readonly p99Ms: readonly [number, number] | null;
  /** First to last release, median burst. */
  readonly spreadMs: number | null;
  /** Outcomes of its valid bursts together. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** Informational: where more load stopped bringing more handshakes a second. */
export interface Knee {
  /** The model that fitted better: the universal scalability law, or two straight lines on log axes. */
  readonly model: 'usl' | 'two-segment';
  readonly size: number;
  /** Root mean square of the relative misfit. */
  readonly misfit: number;
  readonly otherMisfit: number;
  /** USL only: load at which the rate itself turns down; null when it does not. */
  readonly peak: number | null;
}

export interface SearchCost {
  /** Bursts of every kind: also the invalid ones and those that only proved recovery. */
  readonly bursts: number;
  readonly handshakes: number;
  readonly failedHandshakes: number;
  readonly badBursts: number;
  readonly invalidBursts: number;
  readonly canaries: number;
  readonly canaryHandshakes: number;
  readonly canaryFailures: number;
  /** Pauses between an interruption and its resumption left out. */
  readonly wallMs: number;
}

/** What was asked for, as far as a reader of the answer needs it. */
export interface SearchTerms {
  readonly min: number;
  readonly max: number;
  /** By name, in the order in which they were asked for. */
  readonly objectives: readonly string[];
  /** Rest after a break that makes the target count as rested. */
  readonly freshWaitMs: number;
}

/** What this generator could not do. */
export interface SearchLimit {
  /** Largest load that it was able to send; null when none was. */
  readonly most: number | null;
  readonly reason: string;
}

/** How a target failed to recover from its break. */
export interface Unrecovered {
  /** Largest load that it did not take again; null: it did not even answer single handshakes as before. */
  readonly load: number | null;
  /** From the end of the burst that broke it to the end of the search. */
  readonly waitedMs: number;
}

export interface DropOff {
  readonly asked: SearchTerms;
  readonly verdict: SearchVerdict;
  /** One sentence: why the search ended so. */
  readonly because: string;
  /** Posterior median inside of the bracket; null when one of its ends is open. */
  readonly estimate: number | null;
  /** Largest load that is decided to be good below the smallest one that is decided to be bad. */
  readonly bracket: Span;
  /** Union of the bracket and the 95 % interval of the posterior. */
  readonly interval95: Span;
  /** Posterior mass inside of the bracket. */
  readonly confidence: number;
  /** The objective that broke first; null when none did. */
  readonly objective: string | null;
  /** Share of bursts that must meet the objectives. */
  readonly quantile: number;
  /** 101s not lost, median burst at the ends of the bracket. */
  readonly survivorsAtLo: number | null;
  readonly survivorsAtHi: number | null;
  readonly flags: readonly SearchFlag[];
  readonly inversions: readonly Inversion[];
  /** By size, ascending. */
  readonly ladder: readonly Rung[];
  readonly knee: Knee | null;
  /** Largest load that still passed right after a break; 0: none that was tried; null: not tried. */
  readonly afterBreak: number | null;
  /** Rest after which the target took a good load again once it had broken; null when it did so at once or never. */
  readonly recoveredAfterMs: number | null;
  /** Of DID_NOT_RECOVER only. */
  readonly unrecovered: Unrecovered | null;
  /** null: it could send all that was asked of it. */
  readonly limit: SearchLimit | null;
  readonly cost: SearchCost;
}
