/**
 * What one burst says of a metric: one number, because the handshakes of one burst share its fate and are no independent
 * evidence. A failed handshake counts as a latency without an end; otherwise a target that refuses the slow ones looks fast.
 */
import { openedOf } from '../names/outcomes.js';
import { BOUNDED_PHASES, type BoundedPhase } from '../names/phases.js';
import { type ComparedLatency, type ComparedSubject, QUANTILES } from '../plan/expressions/fail-on.js';
import type { Burst, Summary } from '../result/result.js';
import { hasSuffered } from '../tally/after-probes.js';
import { LatencyHistogram } from '../tally/histogram.js';
import { measured, reachedTarget } from '../tally/thresholds.js';

/** A value at either latency bound; where there is one bound, or none, both are equal. */
export interface BoundedValue {
  readonly upper: number;
  readonly lower: number;
}

/** null: the burst did not measure it. Infinite: fewer handshakes than asked for got there. */
export function valueIn(subject: ComparedSubject, burst: Burst): BoundedValue | null {
  switch (subject.kind) {
    case 'latency':
      return latencyOf(subject, burst);
    case 'recovery':
      return alike(recoveryMs(burst));
    case 'rate':
      return alike(burst.rate);
    case 'share':
      return alike(measured(subject, burst, { rate: burst.rate, dropOff: null }));
    // Not of a burst.
    case 'dropOff':
    case 'storm':
      return null;
  }
}

function alike(value: number | null): BoundedValue | null {
  return value === null ? null : { upper: value, lower: value };
}

function latencyOf({ stat, phase }: ComparedLatency, burst: Burst): BoundedValue | null {
  const judged = reachedTarget(burst);
  if (judged === 0) return null;
  const upper = phase === 'ready' ? (burst.sessions?.readyMs ?? null) : burst.latencyMs[phase];
  if (upper === null) {
    const isMeasured = isBounded(phase) && phase !== 'tls' && openedOf(burst.outcomes) === 0;
    return isMeasured ? alike(Number.POSITIVE_INFINITY) : null;
  }
  const lower = isBounded(phase) ? (burst.latencyLowerMs?.[phase] ?? null) : null;
  const rank = rankOf(stat, judged);
  const slow = atRank(upper, rank);
  return { upper: slow, lower: lower === null ? slow : atRank(lower, rank) };
}

function isBounded(phase: ComparedLatency['phase']): phase is BoundedPhase {
  return BOUNDED_PHASES.some((bounded) => bounded === phase);
}

/** From 1, among all that were judged. */
function rankOf(stat: ComparedLatency['stat'], judged: number): number {
  return Math.max(1, Math.ceil(QUANTILES[stat] * judged - 1e-9));
}

function atRank(summary: Summary, rank: number): number {
  if (rank > summary.count) return Number.POSITIVE_INFINITY;
  return LatencyHistogram.decode(summary.hdr).percentileMs((100 * rank) / summary.count);
}

/** From T0 to the last probe that failed; 0: none did; infinite: the last one did, so it may have lasted longer. */
function recoveryMs({ after }: Burst): number | null {
  const last = after?.probes.at(-1);
  if (after === null || last === undefined) return null;
  return hasSuffered(last) ? Number.POSITIVE_INFINITY : (after.lastFailedMs ?? 0);
}
