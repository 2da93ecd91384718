/**
 * One rule for every metric: where the interval of the change lies against the tolerance. WORSE and BETTER: all of it is
 * beyond. NO WORSE: its worse end is within. UNDECIDED: anything else, which is neither good news nor bad.
 */
export const CHANGE_VERDICTS = ['worse', 'better', 'no worse', 'undecided'] as const;
export type ChangeVerdict = (typeof CHANGE_VERDICTS)[number];

/** Which sign of a change is bad news. */
export type BadDirection = 'up' | 'down';

/** @param tolerance not negative, in the unit of the interval */
export function verdictOf(
  interval: readonly [number, number] | null,
  tolerance: number,
  bad: BadDirection,
): ChangeVerdict {
  if (interval === null) return 'undecided';
  const [best, worst] = bad === 'up' ? interval : [-interval[1], -interval[0]];
  if (best > tolerance) return 'worse';
  if (worst < -tolerance) return 'better';
  return worst <= tolerance ? 'no worse' : 'undecided';
}

/** The interval excludes that nothing changed. */
export function hasMoved(interval: readonly [number, number] | null): boolean {
  return interval !== null && (interval[0] > 0 || interval[1] < 0);
}
