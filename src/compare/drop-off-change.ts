/**
 * The change of the drop-off between two searches, from the posteriors of both (docs/method.md, "The posterior"): the
 * distribution of the quotient, by convolution. Whether two intervals overlap would throw a third of the power away. Of
 * several searches on a side the posterior is their mean: what they disagree about stays in it.
 */
import type { DropOff } from '../result/drop-off.js';
import type { Result } from '../result/result.js';
import { loadEvidence } from '../search/findings/background.js';
import { Posterior } from '../search/findings/posterior.js';
import { Loads } from '../search/judged-loads.js';
import type { SearchState } from '../search/state.js';
import type { Shift } from './rank-sum.js';

/** A search that says where its drop-off is, or on which side of all that it tried. */
export interface ComparedSearch {
  readonly dropOff: DropOff;
  /** Points of its posterior: ln of the load (infinite beyond the loads that it was allowed) and mass. */
  readonly points: readonly { readonly log: number; readonly mass: number }[];
}

/** null: it says nothing about the drop-off, or there is none. */
export function searchOf({ dropOff, search }: Result): ComparedSearch | null {
  if (dropOff === null || !saysWhere(dropOff)) return null;
  const { min, max } = dropOff.asked;
  const [lo, hi] = dropOff.bracket;
  const state = search === null ? null : (search.state as SearchState);
  const evidence = state === null ? dropOff.ladder : loadEvidence(state, new Loads(state), lo, hi);
  const posterior = new Posterior(evidence, min, max, dropOff.quantile);
  const isAbove = dropOff.verdict === 'AT_LEAST_MAX';
  const isBelow = dropOff.verdict === 'BELOW_MIN';
  const points = posterior.points().map(({ log, mass }) => {
    if (isAbove && log > Math.log(max)) return { log: Number.POSITIVE_INFINITY, mass };
    return isBelow && log < Math.log(min) ? { log: Number.NEGATIVE_INFINITY, mass } : { log, mass };
  });
  return { dropOff, points };
}

function saysWhere({ verdict, bracket: [lo, hi] }: DropOff): boolean {
  return verdict === 'AT_LEAST_MAX' || verdict === 'BELOW_MIN' || (lo !== null && hi !== null);
}

/** Its drop-off as one number; infinite above all that it tried, 0 below. */
export function estimateOf({ dropOff: { estimate, verdict } }: ComparedSearch): number {
  if (estimate !== null) return estimate;
  return verdict === 'AT_LEAST_MAX' ? Number.POSITIVE_INFINITY : 0;
}

/** What must be equal for two searches to have looked for the same thing. */
export function searchTerms({ dropOff: { asked, quantile } }: ComparedSearch): string {
  return `${asked.objectives.join(', ')}, in ${Math.round(quantile * 100)}% of bursts`;
}

/** The change of ln(drop-off) from `before` to `after`, at 1 - `alpha`. */
export function dropOffShift(
  before: readonly ComparedSearch[],
  after: readonly ComparedSearch[],
  alpha: number,
): Shift {
  const quotients = after.flatMap((late) => before.flatMap((early) => quotientsOf(late, early)));
  quotients.sort((a, b) => (a.log < b.log ? -1 : 1));
  const [low, middle, high] = [alpha / 2, 0.5, 1 - alpha / 2].map((p) => quantileOf(quotients, p));
  return { estimate: middle, interval: [low, high] };
}

type Points = ComparedSearch['points'];

/** All steps of the grids are equal, so there are only as many quotients as both grids have points. */
function quotientsOf({ points: late }: ComparedSearch, { points: early }: ComparedSearch): Points {
  const masses = new Map<number, number>();
  for (const { log, mass } of late) {
    for (const other of early) {
      const quotient = log === other.log ? 0 : log - other.log;
      // Grid points differ in the last bits.
      const key = Number.isFinite(quotient) ? Math.round(quotient * 1e6) / 1e6 : quotient;
      masses.set(key, (masses.get(key) ?? 0) + mass * other.mass);
    }
  }
  return [...masses].map(([log, mass]) => ({ log, mass }));
}

function quantileOf(sorted: Points, p: number): number {
  const all = sorted.reduce((sum, { mass }) => sum + mass, 0);
  let below = 0;
  for (const { log, mass } of sorted) {
    below += mass;
    if (below >= p * all) return log;
  }
  return sorted.at(-1)?.log ?? 0;
}
