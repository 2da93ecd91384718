/**
 * Summarises the probes after a burst: how each ended, and how long other clients were affected. Adds nothing to a
 * tally, because a probe is not an attempt of the burst.
 */
import { blameOf, type OutcomeId } from '../names/outcomes.js';
import type { After, AfterProbe, Sample } from '../result/result.js';

export interface EndedProbe {
  readonly probe: AfterProbe;
  readonly sample: Sample | null;
}

/**
 * Whether the probe failed because of the target or the network. A probe that failed on this machine or was stopped
 * does not count.
 */
export function hasSuffered({ outcome }: AfterProbe): boolean {
  const blame = blameOf(outcome as OutcomeId);
  return blame === 'target' || blame === 'network';
}

/** `ended` in the order of their starts. */
export function afterOf(times: Pick<After, 'fromMs' | 'everyMs'>, ended: readonly EndedProbe[]): After {
  const probes = ended.map(({ probe }) => probe);
  const samples: Record<string, Sample> = {};
  for (const { probe, sample } of ended) if (sample !== null) samples[probe.outcome] ??= sample;
  return { ...times, probes, lastFailedMs: probes.findLast(hasSuffered)?.atMs ?? null, samples };
}
