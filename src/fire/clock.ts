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

/**
 * Wall clock (ms since the Unix epoch) minus `now()`, to a few µs: waits for the next tick of `Date.now()`, at most
 * about a millisecond, since that clock alone has no finer reading.
 */
export function wallOffset(): number {
  const start = Date.now();
  let tick = Date.now();
  while (tick === start) tick = Date.now();
  return tick - now();
}
