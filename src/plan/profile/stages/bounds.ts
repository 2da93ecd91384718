/**
 * What all kinds of stages share: the largest values, the rest after a burst, and the option for rules over two keys.
 * The bounds catch a wrong unit or too many zeros, and keep counters within exact integers.
 */
import { duration } from '../field.js';

export const DAY_MS = 86_400_000;
export const HOUR_MS = 3_600_000;
/** In one run; keeps {{ index }} and every counter within exact integers. */
export const MOST_ATTEMPTS = 100_000_000;
export const MOST_OPEN = 1_000_000;
export const MOST_TIMES = 10_000;

/** Default rest between bursts: long enough for a target to clear its queues, short enough to wait for. */
export const DEFAULT_REST_MS = 5000;

/** A pause after bursts; a value of days would be a wrong unit. */
export const rest = duration(
  0,
  DAY_MS,
  'Pause after each burst of this stage but the last of the run; default 5s',
).optional();

/** Report a rule over two keys even when a third key has a problem. */
export const EVEN_BESIDE_OTHERS = { when: () => true };

/** Whether the value is a valid size: a key with a problem of its own may hold anything. */
export function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}
