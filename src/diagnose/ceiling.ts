/**
 * How many handshakes get through in an overload, compared over several bursts. If bursts of different sizes end with
 * the same number of 101s, there is either a limit that counts, or a backend that serves a fixed number before a
 * timeout (timeout ÷ service time, T/S). The times of the failures tell the two apart, but only if no timeout can
 * explain them. One burst alone says nothing here.
 */
import { startsTogether } from '../plan/stages/loads.js';
import type { Evidence, Failure, ObservedBurst } from './evidence.js';
import { earlyMs } from './finding.js';

/** The survivors of two overloads are equal within this share: a server may count while clients come and go. */
const ALIKE = 0.02;
/** A smaller number of survivors can be equal by chance. */
const LEAST_SURVIVORS = 5;
/** No hop has a shorter timeout by default, and hardly one by configuration. */
const SHORTEST_TIMEOUT_MS = 450;
/** On a busy machine a timer fires late, but never early. */
const TIMER_LATE = { share: 0.1, ms: 60 };
/** Outcomes that a gateway never produces for a timeout. */
const NEVER_FOR_TIME = new Set(['429', '403', 'reset', 'reset-connect', 'refused']);

/** The counts are equal within the tolerance. */
export function areAlike(counts: readonly number[]): boolean {
  const most = Math.max(...counts);
  return most - Math.min(...counts) <= Math.max(1, ALIKE * most);
}

/** The same number got through at two sizes, so it is not a share of the attempts. */
export function isOverSizes(bursts: readonly Pick<ObservedBurst, 'ok' | 'size'>[]): boolean {
  const spreadOf = (values: readonly number[]) => Math.max(...values) - Math.min(...values);
  const sizes = spreadOf(bursts.map(({ size }) => size));
  return sizes > 0 && spreadOf(bursts.map(({ ok }) => ok)) <= 0.5 * sizes;
}

/**
 * Overloads of several sizes left the same number of survivors, and the outcome of `failure` is not caused by a
 * timeout.
 */
export function isCounted({ bursts }: Evidence, { outcome }: Failure): boolean {
  const overloads = bursts.filter((burst) => startsTogether(burst.kind) && burst.ok >= LEAST_SURVIVORS);
  const met = overloads.flatMap((burst) => {
    const failure = burst.failures.find((one) => one.outcome === outcome && one.timesMs.length > 0);
    return failure === undefined ? [] : [{ ...burst, firstMs: earlyMs(failure.timesMs) }];
  });
  if (met.length < 2 || !areAlike(met.map(({ ok }) => ok)) || !isOverSizes(met)) return false;
  return NEVER_FOR_TIME.has(outcome) || !isTimer(met.map(({ firstMs }) => firstMs));
}

function isTimer(firstMs: readonly number[]): boolean {
  const earliest = Math.min(...firstMs);
  if (earliest < SHORTEST_TIMEOUT_MS) return false;
  return Math.max(...firstMs) <= earliest * (1 + TIMER_LATE.share) + TIMER_LATE.ms;
}
