/**
 * Waits that a stop ends at once. A wait never rejects: the caller checks its signal afterwards, which it must do
 * anyway, because the signal may come a moment later.
 */
import { setTimeout as timer } from 'node:timers/promises';
import { now } from './clock.js';

/** Resolves after `ms`, or as soon as `signal` is aborted. A timer may be up to 1 ms early. */
export async function wait(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await timer(ms, undefined, { signal });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}

/** Resolves at `at` (ms on the clock of `now()`), never before, or as soon as `signal` is aborted. */
export async function waitUntil(at: number, signal: AbortSignal): Promise<void> {
  for (let left = at - now(); left > 0 && !signal.aborted; left = at - now()) await wait(Math.max(1, left), signal);
}

/** Resolves when `promise` does, or after `ms`. */
export async function waitFor(promise: Promise<unknown>, ms: number): Promise<void> {
  const over = new AbortController();
  await Promise.race([promise, wait(ms, over.signal)]);
  over.abort();
}
