/**
 * What stages of every kind have in common: how large their numbers may be, the rest after a burst, and how a rule over two
 * keys is told. A bound is there to catch a slip of the unit or of the zeros, and keeps counters far from where they lose
 * exactness.
 */
import { duration } from '../field.js';

export const DAY_MS = 86_400_000;
export const HOUR_MS = 3_600_000;
/** Of a run; keeps {{ index }} and every counter far from the end of exact integers. */
export const MOST_ATTEMPTS = 100_000_000;
export const MOST_OPEN = 1_000_000;
export const MOST_TIMES = 10_000;

/** Between bursts, when a profile says nothing: time enough for a target to clear its queues, short enough to wait for. */
export const DEFAULT_REST_MS = 5000;

/** A pause after bursts; days would be a slip of the unit. */
export const rest = duration(
  0,
  DAY_MS,
  'Pause after each burst of this stage but the last of the run; default 5s',
).optional();

/** What concerns two keys is told beside what is wrong with a third. */
export const EVEN_BESIDE_OTHERS = { when: () => true };

/** A size, where another key may hold a problem of its own, and then anything. */
export function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}
