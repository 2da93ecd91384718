/**
 * A target that has one of two capacities by chance (docs/method.md, "Two modes"): a pool that is warm or not, a cache, one of
 * two servers behind an address. The survivors of bursts that failed then stand at two levels, whatever their sizes, or
 * at one level that is well below what passes. It owns that test; it changes no verdict.
 */
import { spokenFor } from '../burst-verdict.js';
import { restedBursts, steadyBursts } from '../freshness.js';
import type { Fired, SearchState } from '../state.js';

export interface TwoModes {
  /** The drop-off that the survivors of either mode speak for; null: no burst saw the end of the upper one. */
  readonly lower: number;
  readonly upper: number | null;
  /** Bursts that failed in the lower mode. */
  readonly lowBursts: number;
}

/** Between the levels. */
const APART = 1.3;
/** Within a level; also what some burst of the lower one must lose, else its bursts may be those of chance. */
const TIGHT = 1.1;
/** Failed bursts of which two levels are made, at least. */
const LEAST_BADS = 3;
/** Of one level: failed bursts of a rested target, and passes this far above it, or one that is far above. */
const LEAST_SEEN = 2;
const ABOVE = 1.1;
const FAR_ABOVE = 1.5;
/** The sizes that fail down to one level differ by this, and by so many times what the survivors differ by. */
const SPREAD = 0.05;
const CONSTANT = 4;

interface Overload {
  readonly size: number;
  /** The load that its survivors speak for. */
  readonly level: number;
}

export function twoModesOf(state: SearchState): TwoModes | null {
  const { history, freshMode, recoveredAfterMs, options } = state;
  // What lacks rest has a lower capacity, too, and that is no mode.
  const isTiring = freshMode || recoveredAfterMs !== null;
  const steady = isTiring ? restedBursts(state) : steadyBursts(state);
  const overloadsOf = (bursts: readonly Fired[]) =>
    bursts
      .filter(({ verdict }) => verdict === 'bad')
      .map(({ size, facts }): Overload => ({ size, level: spokenFor(facts, options.objectives) }))
      .sort((a, b) => a.level - b.level);
  const rested = overloadsOf(steady);
  if (rested.length === 0) return null;
  // But what an unrested target still serves, a rested one serves all the more.
  const all = overloadsOf(history).filter(({ level }) => level * TIGHT >= rested[0].level);
  const passed = history.filter(({ verdict }) => verdict === 'good').map(({ size }) => size);
  const cut = all.findIndex(({ level }, i) => i > 0 && level > APART * all[i - 1].level);
  return cut === -1 ? oneLevel(rested, all, passed) : twoLevels(all.slice(0, cut), all.slice(cut), passed);
}

function twoLevels(low: readonly Overload[], high: readonly Overload[], passed: readonly number[]): TwoModes | null {
  if (low.length + high.length < LEAST_BADS || !isTight(low) || !isTight(high)) return null;
  if (!low.some(({ size, level }) => size >= TIGHT * level)) return null;
  // Survivors that are a share of the burst, or fewer the larger it is, are an overload's and no mode's.
  const isApart = low.some((one) =>
    high.some(({ size, level }) => size >= one.size && level * one.size >= APART * one.level * size),
  );
  const upper = topOf(high);
  if (!isApart || passed.some((size) => size > TIGHT * upper)) return null;
  return { lower: low[0].level, upper, lowBursts: low.length };
}

function oneLevel(rested: readonly Overload[], all: readonly Overload[], passed: readonly number[]): TwoModes | null {
  if (rested.length < LEAST_SEEN || !isTight(all)) return null;
  const sizes = all.map(({ size }) => size);
  const spread = Math.max(...sizes) / Math.min(...sizes) - 1;
  const [bottom, top] = [all[0].level, topOf(all)];
  // One survivor more or less is a matter of rounding.
  const isConstant = spread >= SPREAD && spread >= CONSTANT * ((top + 1) / bottom - 1);
  const above = passed.filter((size) => size >= ABOVE * top);
  const isAbove = above.length >= LEAST_SEEN || above.some((size) => size >= FAR_ABOVE * top);
  return isConstant && isAbove ? { lower: bottom, upper: null, lowBursts: all.length } : null;
}

function topOf(level: readonly Overload[]): number {
  return level[level.length - 1].level;
}

function isTight(level: readonly Overload[]): boolean {
  return level[0].level > 0 && topOf(level) <= TIGHT * level[0].level;
}
