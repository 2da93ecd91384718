/**
 * Whether a fleet can come back to a service that also works on handshakes whose client has left. Each client that is
 * not back spends one handshake in each round of (its limit + its wait), so N clients ask for N / (limit + wait) a
 * second, and the service falls behind for good unless it completes more than that. So the limit and the longest wait
 * decide whether a fleet recovers; jitter decides the peak alone.
 */
import { formatCount, formatDuration } from '../units.js';
import { longestLastWaitMs, meanLastWaitMs } from './last-wait.js';
import type { Policy } from './policy.js';

export interface RecoveryBound {
  /** null: the service's rate is not known. */
  readonly recovers: boolean | null;
  /** A sentence without a full stop. */
  readonly because: string;
  /** Handshakes a second that the service must exceed; 0: any rate will do. */
  readonly needPerSecond: number;
}

/** The jitter and the limits with which a fleet comes back to a slow service. */
export interface StormRemedy {
  /** Spread the first attempt over so long: the service needs it for the whole fleet. */
  readonly windowMs: number;
  /** With full jitter, waits up to so long keep the retries below the rate; 0: the limit alone does. */
  readonly capMs: number;
  /** A limit of an attempt that no client meets while it waits its turn. */
  readonly patientMs: number;
}

const SECOND_MS = 1000;
/** Of the service's rate, the share that retries may take. */
const USABLE_SHARE = 0.8;

/**
 * @param clients those that may be without a connection together
 * @param perSecond handshakes that the service completes in a second; null: not known
 * @param timeoutMs limit of an attempt where the policy has none; null: none
 */
export function recoveryBound(
  policy: Policy,
  clients: number,
  perSecond: number | null,
  timeoutMs: number | null,
): RecoveryBound {
  if (policy.attempts === 0)
    return { recovers: false, because: 'clients with this policy never come back', needPerSecond: 0 };
  const limitMs = policy.timeout?.maxMs ?? timeoutMs;
  if (limitMs === null) {
    const because = 'an attempt has no limit of its own, so every client waits until it is served';
    return { recovers: true, because, needPerSecond: 0 };
  }
  const lastMs = meanLastWaitMs(policy);
  if (lastMs === null) {
    const because = 'waits grow without end, so retries become rarer until the service keeps up';
    return { recovers: true, because, needPerSecond: 0 };
  }
  const needPerSecond = clients / ((limitMs + lastMs) / SECOND_MS);
  const need = `${formatCount(Math.round(needPerSecond))} handshakes/s`;
  const round = `${formatCount(clients)} clients / (${formatDuration(limitMs)} an attempt + ${formatDuration(Math.round(lastMs))} mean wait)`;
  if (perSecond === null)
    return { recovers: null, because: `recovers if the service completes more than ${round} = ${need}`, needPerSecond };
  const rate = `${formatCount(Math.round(perSecond))}/s`;
  if (perSecond > needPerSecond)
    return { recovers: true, because: `${rate} is more than ${round} = ${need}`, needPerSecond };
  const waits = `waits up to ${formatDuration(Math.round(longestLastWaitMs(policy)))}`;
  return {
    recovers: false,
    because: `with a timeout of ${formatDuration(limitMs)} and ${waits} this fleet can't recover at ${rate}: it needs more than ${need}`,
    needPerSecond,
  };
}

/** What would do instead, at that rate. */
export function stormRemedy(clients: number, perSecond: number, timeoutMs: number | null): StormRemedy {
  const windowMs = (clients / perSecond) * SECOND_MS;
  const meanMs = Math.max(0, windowMs / USABLE_SHARE - (timeoutMs ?? Number.POSITIVE_INFINITY));
  return {
    windowMs: wholeSeconds(windowMs),
    capMs: wholeSeconds(2 * meanMs),
    patientMs: wholeSeconds(windowMs / USABLE_SHARE),
  };
}

/** `spread the first attempt over 20s and let waits grow to 42s (full jitter), or give each attempt 25s`. */
export function stormRemedyWords({ windowMs, capMs, patientMs }: StormRemedy): string {
  const spread = `spread the first attempt over ${formatDuration(windowMs)}`;
  if (capMs === 0) return spread;
  return `${spread} and let waits grow to ${formatDuration(capMs)} (full jitter), or give each attempt ${formatDuration(patientMs)}`;
}

function wholeSeconds(ms: number): number {
  return Math.ceil(ms / SECOND_MS) * SECOND_MS;
}
