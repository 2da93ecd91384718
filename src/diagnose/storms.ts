/**
 * Storms beside the plan that made them: each with its policy, and, where the plan did not say how many handshakes a
 * second the service completes, with the bound that an earlier burst's diagnosis allows.
 */
import type { Policy } from '../plan/policy/policy.js';
import { recoveryBound } from '../plan/policy/recovery.js';
import type { StormStage } from '../plan/stages/storm.js';
import type { Diagnosis, Result } from '../result/result.js';
import type { Storm } from '../result/storm.js';

export interface StormOfPlan {
  readonly storm: Storm;
  readonly policy: Policy;
  readonly stage: StormStage;
  /** Index of the stage in the plan. */
  readonly place: number;
}

/** In the order in which they ran. */
export function stormsOf({ storm, plan }: Pick<Result, 'storm' | 'plan'>): StormOfPlan[] {
  const planned = plan.stages.flatMap((stage, place) =>
    stage.kind === 'storm' ? stage.policies.map((policy) => ({ policy, stage, place })) : [],
  );
  return (storm ?? []).flatMap((one, i) => {
    const of = planned[i];
    return of === undefined ? [] : [{ storm: one, ...of }];
  });
}

/** Below this a rate is a guess, and a bound made of it says nothing. */
const SURE = 0.8;
const SECOND_MS = 1000;

/** The result's storms, with the bound that the diagnosis of a burst before them allows. */
export function boundedStorms(result: Result, diagnosis: readonly Diagnosis[]): Result['storm'] {
  const perSecond = serviceRateOf(diagnosis);
  if (result.storm === null || perSecond === null) return result.storm;
  const first = Math.min(...result.bursts.filter(({ kind }) => kind === 'burst').map(({ stage }) => stage));
  return stormsOf(result).map(({ storm, policy, stage, place }) => {
    if (stage.capacity !== null || first >= place) return storm;
    const { recovers, because } = recoveryBound(policy, storm.fleet, perSecond, result.plan.timeoutMs);
    return { ...storm, bound: { recovers, because } };
  });
}

/** Handshakes that the service completes in a second, as its shape under a burst tells; null: that is not known. */
export function serviceRateOf(diagnosis: readonly Diagnosis[]): number | null {
  const found = diagnosis.find(
    ({ cause, confidence }) =>
      confidence >= SURE && (cause === 'slow-serial-upgrade' || cause === 'slow-concurrent-upgrade'),
  );
  if (found === undefined) return null;
  const { serviceMs, stepMs, concurrency } = found.figures;
  if (serviceMs > 0) return SECOND_MS / serviceMs;
  return stepMs > 0 && concurrency > 0 ? (concurrency * SECOND_MS) / stepMs : null;
}
