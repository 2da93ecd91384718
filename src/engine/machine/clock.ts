/**
 * The clocks of a run. One monotonic base for all threads (CLOCK_MONOTONIC in ms), read through `performance.now()`
 * because that is the cheapest clock Node has, and its offset to the wall clock, measured and not assumed.
 */
import { performance } from 'node:perf_hooks';
import { monotonicMs } from '../../host.js';

/** CLOCK_MONOTONIC minus this thread's `performance.now()`; the smallest of several readings is the least disturbed. */
const base = Math.min(...Array.from({ length: 16 }, () => -performance.now() + monotonicMs()));

/** CLOCK_MONOTONIC, ms, comparable between the threads of this machine. (The global `performance` is a slow getter.) */
export function now(): number {
  return base + performance.now();
}

/** A reading of the wall clock is good enough when it is known to this; one that is disturbed goes on for this long. */
const WALL_PRECISION_MS = 0.005;
const WALL_PATIENCE_MS = 20;

/**
 * Wall clock (ms since the Unix epoch) minus `now()`, to a few µs, in about a millisecond; never too large, so that
 * nothing is said to have been sent later than it was. `Date.now()` tells whole ms: a reading `ms` between two of `now()`
 * says that the offset is at least `ms` less the later one, and below `ms + 1` less the earlier one. The readings around a
 * tick make that narrow; losing the core there makes a reading useless and none wrong.
 */
export function wallOffset(wallMs: () => number = Date.now, monotonic: () => number = now): number {
  let atLeast = Number.NEGATIVE_INFINITY;
  let below = Number.POSITIVE_INFINITY;
  let before = monotonic();
  const until = before + WALL_PATIENCE_MS;
  while (below - atLeast > WALL_PRECISION_MS && before < until) {
    const ms = wallMs();
    const after = monotonic();
    atLeast = Math.max(atLeast, ms - after);
    below = Math.min(below, ms + 1 - before);
    before = after;
  }
  return atLeast;
}

/** Of the steps of a clock, either way, the one that moved it furthest. */
export function largestStep(...steps: readonly number[]): number {
  return steps.reduce((largest, step) => (Math.abs(step) > Math.abs(largest) ? step : largest), 0);
}

/** ms as a result holds them: with µs precision, since more digits would claim more than any clock here knows. */
export function toMicros(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
