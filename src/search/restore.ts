/**
 * Proof, after the first overload, that the target takes a good load again, and how long a rest it needs for that
 * (docs/method.md, "Proof of recovery"). A recovery check is not enough: a target at a third of its capacity passes it.
 * Each burst here is a sentinel: it repeats a load that was good. It counts towards that load only once recovery is
 * proven.
 */
import type { Loads } from './judged-loads.js';
import type { BurstVerdict, Restore } from './state.js';

/** Attempts at the largest good load, at the smallest, and at those between. */
const ATTEMPTS = { largest: 4, smallest: 2, between: 1 } as const;
/** Three and not two, because a sentinel that fails overloads a metastable target again. */
const WAIT_FACTOR = 3;

export function beginRestore(loads: Loads, badCoolMs: number): Restore {
  const sizes = loads.sizesOf('good').sort((a, b) => b - a);
  return { loads: sizes, at: 0, attempt: 0, waitMs: badCoolMs, missed: null };
}

export type Restored =
  /**
   * `waitMs`: the cool-down that bad bursts need from now on; null when the first attempt passed. It is set also when
   * only a smaller load passed: either the largest good load was luck, or the target needs a longer rest than every
   * wait so far, and then a burst on a rested target must wait longer still. `missed` now counts too.
   */
  | { readonly is: 'recovered'; readonly waitMs: number | null; readonly missed: number | null }
  | { readonly is: 'again'; readonly restore: Restore }
  | { readonly is: 'lost' };

/** `place`: index of the sentinel in the history. */
export function restoreAfter(restore: Restore, verdict: BurstVerdict, place: number, maxWaitMs: number): Restored {
  const isLargest = restore.at === 0;
  if (verdict === 'good' || verdict === 'marginal') {
    const waitMs = isLargest && restore.attempt === 0 ? null : restore.waitMs;
    return { is: 'recovered', waitMs, missed: isLargest ? null : restore.missed };
  }
  const missed = isLargest ? place : restore.missed;
  const waitMs = Math.min(maxWaitMs, WAIT_FACTOR * restore.waitMs);
  return nextAttempt({ ...restore, missed, waitMs }, maxWaitMs);
}

/** A sentinel that this generator cannot send tells nothing; the next smaller one may. */
export function skipSentinel(restore: Restore, maxWaitMs: number): Restored {
  return nextAttempt({ ...restore, attempt: ATTEMPTS.largest }, maxWaitMs);
}

/** Before the last attempt at the largest load the whole allowed wait is used, even if the usual rests are short. */
function nextAttempt(restore: Restore, maxWaitMs: number): Restored {
  const { loads, at, attempt } = restore;
  const attempts = at === 0 ? ATTEMPTS.largest : at === loads.length - 1 ? ATTEMPTS.smallest : ATTEMPTS.between;
  if (attempt + 1 < attempts) {
    const waitMs = at === 0 && attempt + 2 === attempts ? maxWaitMs : restore.waitMs;
    return { is: 'again', restore: { ...restore, attempt: attempt + 1, waitMs } };
  }
  if (at + 1 < loads.length) return { is: 'again', restore: { ...restore, at: at + 1, attempt: 0 } };
  return { is: 'lost' };
}
