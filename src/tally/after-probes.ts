/**
 * Summarises the probes after a burst: how each ended, and how long other clients were affected. Adds nothing to a
 * tally, because a probe is not an attempt of the burst.
 */
import { blameOf, type OutcomeId } from '../names/outcomes.js';
import type { After, AfterProbe, Sample } from '../result/result.js';
import { LONG_STALL_MS } from './validity.js';

export interface EndedProbe {
  readonly probe: AfterProbe;
  readonly sample: Sample | null;
  /** For how long this machine stood still meanwhile. */
  readonly stalledMs: number;
}

/**
 * Whether the probe failed because of the target or the network. A probe that failed on this machine or was stopped
 * does not count.
 */
export function hasSuffered({ outcome }: AfterProbe): boolean {
  const blame = blameOf(outcome as OutcomeId);
  return blame === 'target' || blame === 'network';
}

/**
 * `ended` in the order of their starts. A probe that fell into a long stall of this machine is left out: neither its outcome nor
 * its time need be the target's.
 */
export function afterOf(times: Pick<After, 'fromMs' | 'everyMs'>, ended: readonly EndedProbe[]): After {
  const steady = ended.filter(({ stalledMs }) => stalledMs < LONG_STALL_MS);
  const probes = steady.map(({ probe }) => probe);
  const samples: Record<string, Sample> = {};
  for (const { probe, sample } of steady) if (sample !== null) samples[probe.outcome] ??= sample;
  const lastFailedMs = probes.findLast(hasSuffered)?.atMs ?? null;
  return { ...times, probes, lastFailedMs, stalled: ended.length - steady.length, samples };
}
