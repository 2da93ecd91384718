/**
 * From the parts of a run to its totals. Two sums that must not be mixed up: what happened (every attempt counts) and
 * what the target is judged by (invalid bursts say nothing about it).
 */
import type { Totals, Validity } from './result.js';
import { Tally } from './tally.js';

/** One burst, or one churn stage. */
export interface Part {
  readonly tally: Tally;
  readonly validity: Validity;
  readonly launched: number;
  /** Handshakes a second; null for a burst. */
  readonly rate: number | null;
}

/** What thresholds are judged on. */
interface Judged {
  readonly tally: Tally;
  readonly rate: number | null;
  /** How many parts are in it; with 0 there is nothing to judge. */
  readonly parts: number;
}

/** Every attempt of the run. `validity` is the verdict of the whole run (`judgeRun`). */
export function totalsOf(parts: readonly Part[], validity: Validity): Totals {
  return {
    ...mergedTally(parts).counted(),
    validity,
    launched: parts.reduce((sum, { launched }) => sum + launched, 0),
    rate: mergedRate(parts),
  };
}

/** Valid and suspect parts; an invalid one never counts against the target, nor for it. */
export function judgedTally(parts: readonly Part[]): Judged {
  const judged = parts.filter(({ validity }) => validity.verdict !== 'invalid');
  return { tally: mergedTally(judged), rate: mergedRate(judged), parts: judged.length };
}

function mergedTally(parts: readonly Part[]): Tally {
  const sum = new Tally();
  for (const { tally } of parts) sum.merge(tally);
  return sum;
}

/**
 * Handshakes of all rated parts over the time that they took, not the mean of the rates. A part that got none has no
 * known length; it makes the rate of all 0 rather than vanish from it.
 */
function mergedRate(parts: readonly Part[]): number | null {
  const rated = parts.flatMap(({ tally, rate }) => (rate === null ? [] : [{ rate, handshakes: tally.count('101') }]));
  if (rated.length <= 1) return rated[0]?.rate ?? null;
  if (rated.some(({ rate, handshakes }) => rate === 0 || handshakes === 0)) return 0;
  const handshakes = rated.reduce((sum, part) => sum + part.handshakes, 0);
  const seconds = rated.reduce((sum, part) => sum + part.handshakes / part.rate, 0);
  return handshakes / seconds;
}
