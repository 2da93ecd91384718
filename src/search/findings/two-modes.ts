/**
 * A target that randomly has one of two capacities (docs/method.md, "Two modes"): a pool that is warm or not, a cache,
 * one of two servers behind an address. The survivors of failed bursts then form two levels, independent of burst size,
 * or one level well below the loads that pass. Owns this test; changes no verdict.
 */
import { spokenFor } from '../burst-verdict.js';
import { recoveredBursts, restedBursts, steadyBursts } from '../freshness.js';
import type { Fired, SearchState } from '../state.js';

export interface TwoModes {
  /** The drop-off that the survivors of each mode indicate; null: no burst overloaded the upper one. */
  readonly lower: number;
  readonly upper: number | null;
  /** Bursts that failed in the lower mode. */
  readonly lowBursts: number;
}

/** Minimum ratio between the levels, and between the shares of their bursts that they are. */
const APART = 1.3;
const SHARES_APART = 1.15;
/**
 * Maximum ratio within a level; also the minimum loss of at least one burst in the lower mode, because smaller losses
 * may be chance.
 */
const TIGHT = 1.1;
/** Minimum number of failed bursts for two levels. */
const LEAST_BADS = 3;
/**
 * For one level: minimum number of failed bursts of a rested target, and of passes this far above it (or one far
 * above).
 */
const LEAST_SEEN = 2;
const ABOVE = 1.1;
/** As many failed bursts as this show how far survivors vary; passes may then be as near as `CONSTANT` times that. */
const MANY_BADS = 4;
const JUST_ABOVE = 1.04;
/** And where they all have the same survivors, exactly. */
const ABOVE_CONSTANT = 1.02;
const FAR_ABOVE = 1.5;
/** The sizes that fail down to one level must differ by this, and by so many times the difference of the survivors. */
const SPREAD = 0.03;
const CONSTANT = 4;

interface Overload {
  readonly size: number;
  /** The load that its survivors indicate. */
  readonly level: number;
}

export function twoModesOf(state: SearchState): TwoModes | null {
  const { history, freshMode, recoveredAfterMs, options } = state;
  // An unrested target has a lower capacity too, and that is not a mode.
  const recovers = recoveredAfterMs !== null;
  const steady = freshMode ? restedBursts(state) : recovers ? recoveredBursts(state) : steadyBursts(state);
  const overloadsOf = (bursts: readonly Fired[]) =>
    bursts
      .filter(({ verdict }) => verdict === 'bad')
      .map(({ size, facts }): Overload => ({ size, level: spokenFor(facts, options.objectives) }))
      .sort((a, b) => a.level - b.level);
  const rested = overloadsOf(steady);
  if (rested.length === 0) return null;
  // But what an unrested target still serves, a rested one serves too.
  const all = overloadsOf(history).filter(({ level }) => level * TIGHT >= rested[0].level);
  const passed = history.filter(({ verdict }) => verdict === 'good').map(({ size }) => size);
  const cut = all.findIndex(({ level }, i) => i > 0 && level > APART * all[i - 1].level);
  if (cut === -1) return oneLevel(rested, all, passed);
  const [low, high] = [all.slice(0, cut), all.slice(cut)];
  // A level that stays whatever the size, with passes above it, needs no comparison with the other one.
  const alone = oneLevel(
    rested.filter(({ level }) => level <= topOf(low)),
    low,
    passed,
  );
  return twoLevels(low, high, passed) ?? (alone && isTight(high) ? { ...alone, upper: topOf(high) } : null);
}

function twoLevels(low: readonly Overload[], high: readonly Overload[], passed: readonly number[]): TwoModes | null {
  if (low.length + high.length < LEAST_BADS || !isTight(low) || !isTight(high)) return null;
  if (!low.some(({ size, level }) => size >= TIGHT * level)) return null;
  // In an overload, survivors are a share of the burst, or fewer in a larger one; that is not a mode.
  const isApart = low.some((one) =>
    high.some(({ size, level }) => size >= one.size && level * one.size >= SHARES_APART * one.level * size),
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
  // One survivor more or less may be rounding.
  const isConstant = spread >= SPREAD && spread >= CONSTANT * ((top + 1) / bottom - 1);
  const near = top === bottom ? ABOVE_CONSTANT : Math.max(JUST_ABOVE, 1 + CONSTANT * (top / bottom - 1));
  const least = all.length < MANY_BADS ? ABOVE : Math.min(ABOVE, near);
  const above = passed.filter((size) => size >= Math.max(least * top, top + 2));
  const isAbove = above.length >= LEAST_SEEN || above.some((size) => size >= FAR_ABOVE * top);
  return isConstant && isAbove ? { lower: bottom, upper: null, lowBursts: all.length } : null;
}

function topOf(level: readonly Overload[]): number {
  return level[level.length - 1].level;
}

function isTight(level: readonly Overload[]): boolean {
  return level[0].level > 0 && topOf(level) <= TIGHT * level[0].level;
}
