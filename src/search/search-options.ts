/**
 * The options of a search: loads, objectives, presets, limits, with defaults (docs/method.md, "Defaults"). They are
 * plain data and part of the search's state, so that a resumed search continues under the same rules.
 */
import { UserError } from '../errors.js';

/** At least `share` of the launched handshakes must get their 101, within `withinMs` of T0 where that is given. */
export interface Objective {
  readonly name: string;
  readonly share: number;
  readonly withinMs: number | null;
}

export interface SearchOptions {
  readonly min: number;
  /** No burst is larger than this. */
  readonly max: number;
  readonly start: number;
  /** Factor from one load of the ramp to the next. */
  readonly growth: number;
  /** Relative width of the bracket at which narrowing ends. */
  readonly width: number;
  /**
   * Lead of one verdict over the other at which a load is decided (Wald's sequential test; docs/method.md, "Deciding a
   * load").
   */
  readonly lead: number;
  /** Bursts at one load before the search moves to a load that is easier to decide. */
  readonly cap: number;
  /** Maximum number of bursts of every kind. */
  readonly budget: number;
  readonly coolMs: number;
  /** Rest after which the target counts as rested (docs/method.md, "Freshness"). */
  readonly freshWaitMs: number;
  /** Longest wait for a target to recover. */
  readonly maxWaitMs: number;
  readonly deadlineMs: number;
  /** The search stops once this many handshakes have failed on the target. */
  readonly harm: number;
  /** Share of bursts that must meet the objectives. */
  readonly quantile: number;
  /** Probability mass of the interval. */
  readonly ci: number;
  readonly objectives: readonly Objective[];
  /** Whether a burst is also bad when the target drains it at less than 0.8 of its rate at good loads. */
  readonly drain: boolean;
  /** After the drop-off is found, measure which loads the target takes right after an overload. */
  readonly downSweep: boolean;
}

const PRESETS = {
  quick: { lead: 2, cap: 5, width: 0.1, freshWaitMs: 30_000, deadlineMs: 3_600_000 },
  standard: { lead: 3, cap: 7, width: 0.05, freshWaitMs: 120_000, deadlineMs: 7_200_000 },
  thorough: { lead: 4, cap: 9, width: 0.05, freshWaitMs: 300_000, deadlineMs: 21_600_000 },
} as const;
export type Preset = keyof typeof PRESETS;
export const SEARCH_PRESETS = Object.keys(PRESETS) as readonly Preset[];

/** Defaults of all presets. */
const DEFAULTS = { min: 10, start: 64, growth: 2, budget: 60, coolMs: 10_000, ci: 0.95, quantile: 0.5 } as const;
/** With an expected drop-off E the ramp starts at E / 16: four doublings below it. */
const EXPECT_DIVISOR = 16;
/** Number of loads that a search usually decides; a stricter share of bursts costs each of them more. */
const LOADS_TO_DECIDE = 8;
/** Longest wait for recovery, in multiples of the fresh wait. */
const MAX_WAIT_OVER_FRESH_WAIT = 1.5;
/**
 * A search usually has at most about 15 bad bursts, in which not all handshakes fail: this limit matters only for an
 * unusual one.
 */
const HARM_OVER_MAX = 20;
/** If no objective is given. */
const DEFAULT_OBJECTIVE: Objective = { name: 'share(101) >= 99.9%', share: 0.999, withinMs: null };

/** Larger sizes are not checked here: a plan has a lower bound. */
const LARGEST = 100_000_000;

/** The user's wishes; everything but `max` has a default. */
export interface SearchWish extends Partial<SearchOptions> {
  readonly max: number;
  readonly preset?: Preset;
  /** The drop-off that the user expects. */
  readonly expect?: number;
}

/** @throws UserError `find` that names the contradiction */
export function searchOptions({ preset = 'standard', expect, ...wish }: SearchWish): SearchOptions {
  const chosen = { ...DEFAULTS, ...PRESETS[preset] };
  const min = Math.min(wish.min ?? chosen.min, wish.min === undefined ? wish.max : LARGEST);
  const freshWaitMs = wish.freshWaitMs ?? chosen.freshWaitMs;
  const quantile = wish.quantile ?? chosen.quantile;
  const lead = wish.lead ?? chosen.lead;
  const cap = wish.cap ?? chosen.cap + moreBursts(quantile, lead);
  const options: SearchOptions = {
    ...chosen,
    min,
    start: clamped(Math.round(expect === undefined ? chosen.start : expect / EXPECT_DIVISOR), min, wish.max),
    cap,
    budget: chosen.budget + LOADS_TO_DECIDE * moreBursts(quantile, lead),
    maxWaitMs: MAX_WAIT_OVER_FRESH_WAIT * freshWaitMs,
    harm: HARM_OVER_MAX * wish.max,
    objectives: [DEFAULT_OBJECTIVE],
    drain: false,
    downSweep: false,
    ...given(wish),
    max: wish.max,
  };
  const problem = problemOf(options);
  if (problem !== null) throw new UserError(`find: ${problem}`, { code: 'find' });
  return options;
}

/**
 * Weight of a good burst relative to a bad one: at the load where exactly `quantile` of the bursts are good, the two
 * cancel out. 1 for the default of half of the bursts. In units of ln 4 it is Wald's step for the hypotheses p and 4p
 * with p = (k - 1) / (4k - 1), k = 4^((1 - quantile) / quantile): .2 against .8 for half of the bursts, .045 against
 * .18 for 9 of 10 (docs/method.md, "Deciding a load").
 */
export function goodWeight(quantile: number): number {
  return (1 - quantile) / quantile;
}

/** Additional bursts per decision, compared with the default of half of the bursts. */
function moreBursts(quantile: number, lead: number): number {
  return Math.max(0, Math.ceil(lead / goodWeight(quantile)) - lead);
}

function given(wish: Partial<SearchOptions>): Partial<SearchOptions> {
  return Object.fromEntries(Object.entries(wish).filter(([, value]) => value !== undefined));
}

function clamped(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}

function problemOf(o: SearchOptions): string | null {
  const sizes = { min: o.min, max: o.max, start: o.start, lead: o.lead, cap: o.cap, budget: o.budget, harm: o.harm };
  for (const [name, value] of Object.entries(sizes)) {
    if (!Number.isSafeInteger(value) || value < 1) return `${name} must be a whole number of at least 1, not ${value}`;
  }
  const times = [o.coolMs, o.freshWaitMs, o.maxWaitMs, o.deadlineMs];
  if (!times.every((ms) => Number.isFinite(ms) && ms >= 0)) return 'a time is no number of ms';
  if (o.max > LARGEST) return `max must be at most ${LARGEST}`;
  if (o.min > o.max) return `min ${o.min} is above max ${o.max}`;
  if (o.start < o.min || o.start > o.max) return `start ${o.start} is not between min ${o.min} and max ${o.max}`;
  if (!(o.width >= 0.005 && o.width <= 0.5)) return `width must be between 0.5% and 50%, not ${o.width}`;
  if (!(o.growth >= 1.25 && o.growth <= 10)) return `growth must be between 1.25 and 10, not ${o.growth}`;
  if (!(o.quantile >= 0.5 && o.quantile <= 0.99))
    return `burst quantile must be between 50% and 99%, not ${o.quantile}`;
  if (!(o.ci > 0 && o.ci < 1)) return `the interval must hold between 0 and 1, not ${o.ci}`;
  if (o.cap < o.lead) return `cap ${o.cap} is below lead ${o.lead}: no load could be decided`;
  if (o.objectives.length === 0) return 'at least one objective is needed';
  const odd = o.objectives.find(
    ({ share, withinMs }) => !(share > 0 && share <= 1) || !(withinMs === null || withinMs > 0),
  );
  return odd === undefined ? null : `no such objective: ${odd.name}`;
}
