/**
 * The maximum cost of a search: limits that state-machine.ts keeps and a dry run prints (forecast.ts). They are bounds,
 * not expectations: no target and no interruption can make a search exceed them.
 */
import { CANARY, mostCanaries } from './canary.js';
import type { SearchOptions } from './search-options.js';

export interface Spending {
  readonly bursts: number;
  /** Recovery checks included. */
  readonly handshakes: number;
  readonly failedHandshakes: number;
  readonly wallMs: number;
}

/**
 * A load is at most `growth` times the largest one before it, so the first bursts are small. A burst that started in
 * time is not cut off: it may end `longestBurstMs` after the deadline.
 */
export function worstCase(options: SearchOptions, longestBurstMs: number): Spending {
  const handshakes = mostHandshakes(options);
  // Harm is checked after a burst or the baseline, in which all handshakes may have failed.
  const failed = options.harm - 1 + Math.max(options.max, CANARY.baselines * CANARY.handshakes);
  return {
    bursts: options.budget,
    handshakes,
    failedHandshakes: Math.min(handshakes, failed),
    wallMs: options.deadlineMs + Math.max(longestBurstMs, CANARY.overMs),
  };
}

export function mostHandshakes(options: SearchOptions): number {
  const growth = Math.max(options.growth, (1 + options.width) ** 2);
  const canaries = CANARY.baselines + options.budget * mostCanaries(options.maxWaitMs);
  let sum = canaries * CANARY.handshakes;
  for (let i = 0, load = options.start; i < options.budget; i++) {
    sum += load;
    load = Math.min(options.max, Math.ceil(load * growth) + 1);
  }
  return sum;
}
