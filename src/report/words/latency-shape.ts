/**
 * Which latencies are drawn, and the title of the chart. Bursts of one size have the same shape and are drawn together.
 * With several sizes, only the largest valid one is drawn, or the one that a search found: added up, their shapes would
 * hide each other.
 */
import { blameOf, type OutcomeId } from '../../names/outcomes.js';
import { startsTogether } from '../../plan/stages/loads.js';
import { formatCount } from '../../plan/units.js';
import type { Counted, Result, Summary } from '../../result/result.js';
import { failedOutcomes } from './outcome-words.js';

export interface LatencyShape {
  readonly title: string;
  /** Times to the 101; null: there was none. */
  readonly ok: Summary | null;
  /** Times to failures, most frequent first. */
  readonly failures: readonly { readonly id: OutcomeId; readonly summary: Summary }[];
}

/** For a result with at least one burst. */
export function latencyShape({ bursts, totals, dropOff }: Result): LatencyShape {
  const hasOneSize = new Set(bursts.map(({ size }) => size)).size === 1;
  const candidates = bursts.filter(({ validity }) => validity.verdict !== 'invalid');
  const atBound = candidates.findLast(({ size }) => size === (dropOff?.bracket[1] ?? dropOff?.bracket[0]));
  const chosen = atBound ?? (candidates.length > 0 ? candidates : bursts).reduce((a, b) => (b.size > a.size ? b : a));
  const counted: Counted = hasOneSize ? totals : chosen;
  const failures = failedOutcomes(counted.outcomes).flatMap(([id]) => {
    const summary = counted.failureMs[id] ?? null;
    return summary === null || blameOf(id) === 'local' ? [] : [{ id, summary }];
  });
  const ok = counted.latencyMs.handshake;
  const since = bursts.some(({ kind }) => startsTogether(kind)) ? 'release' : 'start';
  const what = ok === null ? 'time to failure' : `time from ${since} to 101`;
  const of = hasOneSize ? '' : ` in burst ${chosen.index} (${formatCount(chosen.size)})`;
  const beside = failures.length > 0 && ok !== null ? ', failures beside' : '';
  return { title: `${what}${of}${beside}`, ok, failures };
}
