/**
 * The clocks of a run. One monotonic base for all threads (CLOCK_MONOTONIC in ms), read through `performance.now()`
 * because that is the cheapest clock Node has, and its offset to the wall clock, measured and not assumed.
 */
import { monotonicMs } from '../host.js';

/** CLOCK_MONOTONIC minus this thread's `performance.now()`; the smallest of several readings is the least disturbed. */
const base = Math.min(...Array.from({ length: 16 }, () => -performance.now() + monotonicMs()));

/** CLOCK_MONOTONIC, ms, comparable between the threads of this machine. */
export function now(): number {
  return base + performance.now();
}

/** A reading of the wall clock is good enough when it is known to this; one that is disturbed goes on for this long. */
const WALL_PRECISION_MS = 0.005;
const WALL_PATIENCE_MS = 10;

/**
 * Wall clock (ms since the Unix epoch) minus `now()`. `Date.now()` has ms only, so it is read at its ticks: the tick came
 * between two readings of the other clock, and how far those lie apart is how well the offset is known.
 */
export function wallOffset(): number {
  const begun = now();
  let last = Date.now();
  let best = { offset: last - begun, error: Number.POSITIVE_INFINITY };
  // `earlier` was read before `last`, `later` after it.
  let earlier = begun;
  let later = now();
  while (best.error > WALL_PRECISION_MS && later - begun < WALL_PATIENCE_MS) {
    const tick = Date.now();
    const after = now();
    if (tick !== last && after - earlier < best.error) best = { offset: tick - later, error: after - earlier };
    last = tick;
    earlier = later;
    later = after;
  }
  return best.offset;
}

/** ms as a result holds them: with µs precision, since more digits would claim more than any clock here knows. */
export function toMicros(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
