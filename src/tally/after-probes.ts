/**
 * What the probes after a burst come to: how each ended and until when others suffered. Counts nothing into a tally: a probe
 * is no attempt of the burst.
 */
import { blameOf, type OutcomeId } from '../names/outcomes.js';
import type { After, AfterProbe, Sample } from '../result/result.js';

export interface EndedProbe {
  readonly probe: AfterProbe;
  readonly sample: Sample | null;
}

/** The client met trouble that was not this machine's: a probe that never left it, or was stopped, says nothing. */
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
