/**
 * The down-sweep (docs/method.md, "The down-sweep"): which loads the target takes right after an overload, tried once
 * the drop-off is known. The overload comes first, unless one has just happened; then the lower end of the bracket, its
 * half and its quarter, with only the cool-down between. None of these bursts counts towards the drop-off.
 */
import type { BurstVerdict, SearchEnd, Shot, Sweep } from './state.js';

/** Divisors of the lower end. */
const DIVISORS = [1, 2, 4];

export function beginSweep(lo: number, hi: number, min: number, isBroken: boolean, found: SearchEnd): Sweep {
  const sizes = [hi, ...DIVISORS.map((divisor) => Math.max(min, Math.floor(lo / divisor)))];
  return { sizes: [...new Set(sizes)], at: isBroken ? 1 : 0, passed: null, found };
}

export function sweepShot({ sizes, at }: Sweep): Shot {
  return { size: sizes[at], fresh: false, why: at === 0 ? 'break' : 'after-break', invalid: 0 };
}

/** `passed` stays null if the first burst did not overload the target: then there is nothing to report. */
export function afterSweepBurst(sweep: Sweep, verdict: BurstVerdict): { sweep: Sweep; isOver: boolean } {
  const isBad = verdict === 'bad';
  if (sweep.at === 0) return { sweep: { ...sweep, at: 1 }, isOver: !isBad };
  if (!isBad) return { sweep: { ...sweep, passed: sweep.sizes[sweep.at] }, isOver: true };
  const isOver = sweep.at + 1 === sweep.sizes.length;
  return { sweep: isOver ? { ...sweep, passed: 0 } : { ...sweep, at: sweep.at + 1 }, isOver };
}
