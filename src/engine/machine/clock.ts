/**
 * The clocks of a run: one monotonic clock for all threads (CLOCK_MONOTONIC in ms), read through `performance.now()`,
 * the cheapest clock of Node, and its measured offset to the wall clock.
 */
import { performance } from 'node:perf_hooks';
import { monotonicMs } from '../../host.js';

/** CLOCK_MONOTONIC minus this thread's `performance.now()`; the smallest of several readings was disturbed least. */
const base = Math.min(...Array.from({ length: 16 }, () => -performance.now() + monotonicMs()));

/** CLOCK_MONOTONIC, ms, comparable between the threads of this machine. (The global `performance` is a slow getter.) */
export function now(): number {
  return base + performance.now();
}

/** The precision at which a reading of the wall clock is accepted, and how long it tries to reach that. */
const WALL_PRECISION_MS = 0.005;
const WALL_PATIENCE_MS = 20;

/**
 * Wall clock (ms since the Unix epoch) minus `now()`, to a few µs, in about 1 ms; never too large, so that no event is
 * stamped later than it was. `Date.now()` returns whole ms: a reading `ms` between two readings of `now()` means that
 * the offset is at least `ms` minus the later one, and below `ms + 1` minus the earlier one. Readings around a tick
 * make that interval small; if the thread loses its core there, the interval is wide but still correct.
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

/** Of several clock steps, forward or back, the one that moved the clock furthest. */
export function largestStep(...steps: readonly number[]): number {
  return steps.reduce((largest, step) => (Math.abs(step) > Math.abs(largest) ? step : largest), 0);
}

/** ms rounded to µs, as a result holds them: more digits would suggest a precision that no clock here has. */
export function toMicros(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
