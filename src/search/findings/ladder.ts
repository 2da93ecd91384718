/**
 * The ladder (docs/method.md, "The ladder"): the bursts of each load that was tried. Shares have the burst-level
 * interval; latencies and release spreads are those of the median burst, because a search is about the typical burst
 * and percentiles of different bursts cannot be averaged.
 */
import type { Rung } from '../../result/drop-off.js';
import { median } from '../judged-loads.js';
import type { BurstVerdict, Fired, SearchState } from '../state.js';
import { shareInterval } from './interval.js';

export function ladderOf(state: SearchState): Rung[] {
  const sizes = [...new Set(state.history.map(({ size }) => size))].sort((a, b) => a - b);
  return sizes.map((size) => rungOf(state, size));
}

/** Valid bursts that measured `size`; bursts of the down-sweep are not included, because they measure recovery. */
export function measuredBursts(state: SearchState, size: number | null): Fired[] {
  return state.history.filter((fired) => fired.size === size && isCounted(state, fired));
}

function isCounted(state: SearchState, { counts }: Fired): boolean {
  return counts === 'fresh' || (counts === 'stale' && !state.freshMode);
}

function rungOf(state: SearchState, size: number): Rung {
  const all = state.history.filter((fired) => fired.size === size);
  const measured = measuredBursts(state, size);
  const of = (verdict: BurstVerdict) => measured.filter((fired) => fired.verdict === verdict).length;
  const counts = measured.map(({ facts }) => ({ met: facts.survived, launched: facts.launched }));
  const launched = counts.reduce((sum, burst) => sum + burst.launched, 0);
  const fresh = measured.filter((fired) => fired.counts === 'fresh').length;
  return {
    size,
    bursts: all.length,
    good: of('good'),
    bad: of('bad'),
    marginal: of('marginal'),
    invalid: all.filter(({ verdict }) => verdict === 'invalid').length,
    fresh,
    stale: measured.length - fresh,
    share: launched === 0 ? null : counts.reduce((sum, burst) => sum + burst.met, 0) / launched,
    met: launched === 0 ? null : metShare(measured, launched),
    shareInterval: shareInterval(counts),
    p50Ms: boundsOf(measured.map(({ facts }) => facts.p50Ms)),
    p99Ms: boundsOf(measured.map(({ facts }) => facts.p99Ms)),
    spreadMs: median(measured.flatMap(({ facts }) => facts.spreadMs ?? [])),
    outcomes: outcomesOf(measured),
  };
}

/** The met share of the objective that was missed most. */
function metShare(bursts: readonly Fired[], launched: number): number {
  const missed = bursts[0].facts.failed.map((_, i) => bursts.reduce((sum, { facts }) => sum + facts.failed[i][1], 0));
  return (launched - Math.max(...missed)) / launched;
}

function boundsOf(bursts: readonly (readonly [number, number] | null)[]): readonly [number, number] | null {
  const known = bursts.filter((bounds) => bounds !== null);
  const lower = median(known.map(([low]) => low));
  const upper = median(known.map(([, high]) => high));
  return lower === null || upper === null ? null : [lower, upper];
}

function outcomesOf(bursts: readonly Fired[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const { facts } of bursts) {
    for (const [id, count] of Object.entries(facts.outcomes)) sums.set(id, (sums.get(id) ?? 0) + count);
  }
  return Object.fromEntries(sums);
}
