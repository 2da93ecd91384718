/**
 * From a burst of a Result to the facts that the search needs: survivors, how many handshakes missed each objective at
 * either latency bound, whether it was valid, and whether the generator limited its speed. A client that was not ready
 * after its handshake, or not in its session, misses every objective, so it can never improve a percentile; one that was
 * lost afterwards counts as failed.
 */

import { openedOf } from '../names/outcomes.js';
import { areReadyAtOnce } from '../result/ready.js';
import type { Burst, Summary } from '../result/result.js';
import { LatencyHistogram } from '../tally/histogram.js';
import type { BurstFacts } from './engine-interface.js';
import type { Objective } from './search-options.js';

/** Below this ratio of makespan to release spread, the generator set the pace (docs/method.md, "Pace"). */
const LEAST_RELEASE_RATIO = 2;

export function factsOf(burst: Burst, objectives: readonly Objective[]): BurstFacts {
  const { attempted, outcomes, lostWhileHeld, generator, release, makespanMs, validity, sessions } = burst;
  const succeeded = sessions?.ready ?? openedOf(outcomes);
  const launched = Math.min(attempted, generator.launched);
  const [lower, upper] = timesOf(burst);
  const spreadMs = release?.spreadMs ?? null;
  return {
    launched,
    survived: succeeded - lostWhileHeld,
    failed: objectives.map(({ withinMs }) => {
      const missed = [lower, upper].map((summary) => slowerThan(summary, withinMs));
      const [fewest, most] = missed.map((slow) => Math.min(launched, launched - succeeded + lostWhileHeld + slow));
      return [Math.min(fewest, most), Math.max(fewest, most)];
    }),
    outcomes,
    spreadMs,
    makespanMs,
    p50Ms: boundsOf(lower, upper, 'p50'),
    p99Ms: boundsOf(lower, upper, 'p99'),
    paced: spreadMs !== null && makespanMs !== null && makespanMs < LEAST_RELEASE_RATIO * spreadMs,
    invalid: validity.verdict === 'invalid' ? (validity.reasons[0] ?? 'the burst was invalid') : null,
  };
}

/**
 * Until a client was ready, by its lower and its upper bound. Without a session that is its 101; what a session's messages
 * take is measured by one clock and has no bounds.
 */
function timesOf({ latencyMs, latencyLowerMs, sessions }: Burst): readonly [Summary | null, Summary | null] {
  const { handshake } = latencyMs;
  if (sessions === null || areReadyAtOnce({ sessions, latencyMs })) {
    return [latencyLowerMs?.handshake ?? handshake, handshake];
  }
  return [sessions.readyMs, sessions.readyMs];
}

/** Values over `withinMs`, to the histogram's 0.1 %; a handshake that was lost too counts twice, up to all launched. */
function slowerThan(summary: Summary | null, withinMs: number | null): number {
  if (summary === null || withinMs === null || summary.max <= withinMs) return 0;
  if (summary.min > withinMs) return summary.count;
  const bars = LatencyHistogram.decode(summary.hdr).bars();
  return bars.reduce((sum, { fromMs, count }) => sum + (fromMs > withinMs ? count : 0), 0);
}

function boundsOf(lower: Summary | null, upper: Summary | null, name: 'p50' | 'p99'): readonly [number, number] | null {
  return lower === null || upper === null ? null : [lower[name], upper[name]];
}
