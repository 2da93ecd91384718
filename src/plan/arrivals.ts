/**
 * When the attempts of an open model start: computed beforehand from numbers and a seed, never from what the target does.
 * The n-th start depends on the schedule and n alone, so workers that take turns make the same schedule together, however
 * many they are, and none of them keeps more than its next start.
 */
import { randomAt } from './random.js';

/** `even`: in equal distances; `jitter`: each somewhere in its own part of the time; `poisson`: as independent users come. */
export type Spacing = 'even' | 'jitter' | 'poisson';

/** Arrivals a second; the rate changes evenly from the first to the second. */
export type Rates = readonly [from: number, to: number];

export interface Schedule {
  /** Number of starts. */
  readonly count: number;
  readonly forMs: number;
  /** Only their relation matters: where in the time the starts are dense. */
  readonly rates: Rates;
  readonly spacing: Spacing;
  readonly seed: number;
}

/** Which starts of a schedule: every `stride`-th, beginning with number `first`. */
export interface Turns {
  readonly first: number;
  readonly stride: number;
}

const ALL: Turns = { first: 0, stride: 1 };
/** Keeps these random numbers apart from others of the same seed (random.ts). */
const LANE = 77;
/** Products of decimal rates and durations miss whole numbers by less than this share. */
const ROUNDING = 1e-9;

/** `count` starts over a time, without a rate of their own. */
export function spreadOver(count: number, forMs: number, spacing: 'even' | 'poisson', seed: number): Schedule {
  const rate = (count / forMs) * 1000;
  return { count, forMs, rates: [rate, rate], spacing: spacing === 'even' ? 'jitter' : spacing, seed };
}

/** Arrivals by rate: exactly rate × time of them (of a ramp, the area below it); at least one, at the beginning. */
export function atRates(rates: Rates, forMs: number, spacing: 'even' | 'poisson', seed: number): Schedule {
  return { count: countOf(rates, forMs), forMs, rates, spacing, seed };
}

/** Number of arrivals at those rates. */
export function countOf([from, to]: Rates, forMs: number): number {
  const area = (((from + to) / 2) * forMs) / 1000;
  return Math.max(1, Math.ceil(area * (1 - ROUNDING)));
}

/**
 * No part of that length has more starts, at the highest rate. Poisson arrivals clump: by more than five of their own
 * deviations practically never.
 */
export function mostWithin({ count, forMs, rates, spacing }: Schedule, ms: number): number {
  if (ms >= forMs) return count;
  const most = Math.max(...rates);
  const least = Math.min(...rates);
  const area = ((most - ((most - least) * ms) / forMs / 2) * ms) / 1000;
  const clump = spacing === 'poisson' ? 5 * Math.sqrt(area) : 0;
  return Math.min(count, Math.ceil(area * (1 - ROUNDING) + clump) + (spacing === 'even' ? 0 : 1));
}

/** The starts in order, ms after the beginning of the schedule. */
export function startTimes(schedule: Schedule, turns: Turns = ALL): Float64Array {
  const starts = new Starts(schedule, turns);
  return Float64Array.from({ length: Math.max(0, Math.ceil((schedule.count - turns.first) / turns.stride)) }, () =>
    starts.next(),
  );
}

/** The starts one by one. */
export class Starts {
  readonly #schedule: Schedule;
  readonly #turns: Turns;
  readonly #area: number;
  /** Number of the next start. */
  #next: number;
  /** Of `poisson`: the starts drawn so far, and the logarithm of the share of the time that is left after them. */
  #drawn = 0;
  #left = 0;

  constructor(schedule: Schedule, turns: Turns = ALL) {
    const { rates, forMs } = schedule;
    this.#schedule = schedule;
    this.#turns = turns;
    this.#area = (((rates[0] + rates[1]) / 2) * forMs) / 1000;
    this.#next = turns.first;
  }

  /** ms after the beginning of the schedule; Infinity: there are no more. */
  next(): number {
    const { count, spacing } = this.#schedule;
    const number = this.#next;
    if (number >= count) return Number.POSITIVE_INFINITY;
    this.#next += this.#turns.stride;
    if (spacing === 'poisson') return this.#timeOf(this.#area * this.#shareOf(number));
    return this.#timeOf(spacing === 'even' ? number : number + this.#random(number));
  }

  /**
   * Independent users: `count` random instants in order. Of k instants that are still to come, the first one leaves a
   * share U^(1/k) of the rest (Bentley, Saxe: Generating Sorted Lists of Random Numbers, 1980).
   */
  #shareOf(number: number): number {
    const { count } = this.#schedule;
    for (; this.#drawn <= number; this.#drawn++) {
      this.#left += Math.log(1 - this.#random(this.#drawn)) / (count - this.#drawn);
    }
    return -Math.expm1(this.#left);
  }

  #random(number: number): number {
    return randomAt(this.#schedule.seed, number, LANE);
  }

  /** When the area below the rates has reached `area`. */
  #timeOf(area: number): number {
    const { rates, forMs } = this.#schedule;
    if (area <= 0) return 0;
    const [from, to] = rates.map((rate) => rate / 1000);
    // Not the textbook form of the root, which subtracts numbers that are almost the same.
    const root = Math.sqrt(Math.max(0, from * from + (2 * (to - from) * area) / forMs));
    return Math.min(forMs, (2 * area) / (from + root));
  }
}
