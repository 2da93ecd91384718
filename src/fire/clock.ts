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

const READINGS = 5;

/**
 * Wall clock (ms since the Unix epoch) minus `now()`, to a few µs. `Date.now()` has ms only, so it is read at its ticks,
 * which takes up to 5 ms; whatever disturbs a reading makes it too small, hence the largest of several.
 */
export function wallOffset(): number {
  let offset = Number.NEGATIVE_INFINITY;
  for (let reading = 0; reading < READINGS; reading++) {
    const start = Date.now();
    let tick = Date.now();
    while (tick === start) tick = Date.now();
    offset = Math.max(offset, tick - now());
  }
  return offset;
}
