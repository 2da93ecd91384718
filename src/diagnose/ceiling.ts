/**
 * How many get through when there are too many, over several bursts. One that ends at a fixed count of 101s, whatever
 * its size, met a limit that is counted, or a backend of which T/S fit: the times of the others tell the two apart, and
 * they do so only where no timeout can explain them. One burst alone says nothing here.
 */
import { startsTogether } from '../plan/stages/loads.js';
import type { Evidence, Failure, ObservedBurst } from './evidence.js';
import { earlyMs } from './finding.js';

/** Survivors of two overloads that are as many, for a server that counts while a crowd comes and goes. */
const ALIKE = 0.02;
/** Fewer survivors are alike by chance. */
const LEAST_SURVIVORS = 5;
/** No hop has such a short timeout by default, and hardly by intention. */
const SHORTEST_TIMEOUT_MS = 450;
/** A timer goes off late on a busy machine, and never early. */
const TIMER_LATE = { share: 0.1, ms: 60 };
/** What no timeout of a gateway answers. */
const NEVER_FOR_TIME = new Set(['429', '403', 'reset', 'reset-connect', 'refused']);

/** The same count, within the share that counts as alike. */
export function areAlike(counts: readonly number[]): boolean {
  const most = Math.max(...counts);
  return most - Math.min(...counts) <= Math.max(1, ALIKE * most);
}

/** As many got through at the one size as at the other, so it is no share of those who came. */
export function isOverSizes(bursts: readonly Pick<ObservedBurst, 'ok' | 'size'>[]): boolean {
  const spreadOf = (values: readonly number[]) => Math.max(...values) - Math.min(...values);
  const sizes = spreadOf(bursts.map(({ size }) => size));
  return sizes > 0 && spreadOf(bursts.map(({ ok }) => ok)) <= 0.5 * sizes;
}

/** Overloads of several sizes left the same count of survivors, and `failure` came to the others for no timeout. */
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
