/**
 * A target that has one of two capacities by chance (docs/method.md, "Two modes"): a pool that is warm or not, a cache, one of
 * two servers behind an address. The survivors of bursts that failed then stand at two levels, whatever their sizes, or
 * at one level that is well below what passes. It owns that test; it changes no verdict.
 */
import { hintOf } from './burst-verdict.js';
import { steadyBursts } from './freshness.js';
import type { Fired, SearchState } from './state.js';

export interface TwoModes {
  /** The drop-off that the survivors of either mode speak for; null: no burst saw the end of the upper one. */
  readonly lower: number;
  readonly upper: number | null;
  /** Bursts that failed in the lower mode. */
  readonly lowBursts: number;
}

/** Between the levels; also what a burst of the lower one must lose, else it is one of chance. */
const APART = 1.3;
/** Within a level. */
const TIGHT = 1.1;
/** Failed bursts of which two levels are made, at least. */
const LEAST_BADS = 3;
/** Of one level: how far apart the loads must be that fail down to it, how far above it a load must pass, how often. */
const SPREAD = 1.15;
const ABOVE = 1.2;
const LEAST_SEEN = 2;

interface Overload {
  readonly size: number;
  /** The load that its survivors speak for. */
  readonly level: number;
}

export function twoModesOf(state: SearchState): TwoModes | null {
  const { history, freshMode, recoveredAfterMs, options } = state;
  // What lacks rest has a lower capacity, too, and that is no mode.
  const isTiring = freshMode || recoveredAfterMs !== null;
  const steady = isTiring ? history.filter(({ fresh }) => fresh) : steadyBursts(state);
  const passed = history.filter(({ verdict }) => verdict === 'good').map(({ size }) => size);
  const overloadsOf = (bursts: readonly Fired[]) =>
    bursts
      .filter(({ verdict }) => verdict === 'bad')
      .map(({ size, facts }): Overload => ({ size, level: hintOf(facts, options.objectives) }))
      .sort((a, b) => a.level - b.level);
  const overloads = overloadsOf(steady);
  const cut = overloads.findIndex(({ level }, i) => i > 0 && level > APART * overloads[i - 1].level);
  return cut === -1
    ? oneLevel(overloads, overloadsOf(history), passed)
    : twoLevels(overloads.slice(0, cut), overloads.slice(cut), passed);
}

function twoLevels(low: readonly Overload[], high: readonly Overload[], passed: readonly number[]): TwoModes | null {
  if (low.length + high.length < LEAST_BADS || !isTight(low) || !isTight(high)) return null;
  if (!low.some(({ size, level }) => size >= APART * level)) return null;
  // Fewer survivors of larger bursts are an overload's, not a mode's.
  if (!low.some(({ size }) => high.some((other) => other.size >= size))) return null;
  const upper = topOf(high);
  if (passed.some((size) => size > TIGHT * upper)) return null;
  return { lower: low[0].level, upper, lowBursts: low.length };
}

/** Bursts of an unrested target count where they agree with those of a rested one. */
function oneLevel(rested: readonly Overload[], all: readonly Overload[], passed: readonly number[]): TwoModes | null {
  if (rested.length < LEAST_SEEN || !isTight(rested)) return null;
  const at = all.filter(({ level }) => level >= rested[0].level / TIGHT && level <= TIGHT * topOf(rested));
  const sizes = at.map(({ size }) => size);
  const isWide = Math.max(...sizes) >= SPREAD * Math.min(...sizes);
  const above = passed.filter((size) => size >= ABOVE * topOf(rested));
  return isWide && above.length >= LEAST_SEEN ? { lower: at[0].level, upper: null, lowBursts: at.length } : null;
}

function topOf(level: readonly Overload[]): number {
  return level[level.length - 1].level;
}

function isTight(level: readonly Overload[]): boolean {
  return level[0].level > 0 && topOf(level) <= TIGHT * level[0].level;
}
