/**
 * From a volley to the burst of a result: what was counted, what the generator has to answer for, and whether the burst
 * can be believed. It looks at nothing itself; which burst it was and what follows is run.ts's.
 */
import type { FindStage, Plan, Stage } from '../../plan/plan.js';
import { isoMicros } from '../../result/document.js';
import type { Burst, Calibration, Release } from '../../result/result.js';
import type { Tally } from '../../tally/tally.js';
import type { Part } from '../../tally/totals.js';
import { judgeBurst } from '../../tally/validity.js';
import { toMicros } from '../machine/clock.js';
import type { Disturbance } from '../machine/disturbance.js';
import type { Volley } from './stage-run.js';

export interface BurstFired {
  readonly plan: Plan;
  readonly stageIndex: number;
  readonly stage: Stage;
  /** Over the whole run. */
  readonly index: number;
  /** null: a churn that only time ends. */
  readonly size: number | null;
  readonly volley: Volley;
  readonly floor: Calibration | null;
  /** The tightest latency that is asked for. */
  readonly latencyLimitMs: number | null;
  /** The run is being stopped. */
  readonly isStopped: boolean;
}

export function burstOf(fired: BurstFired): { readonly burst: Burst; readonly part: Part } {
  const { plan, stageIndex, stage, index, size, volley, floor } = fired;
  const { tally, disturbance } = volley;
  const counted = tally.counted();
  const kind = stage.kind === 'churn' ? 'churn' : 'burst';
  const release = releaseOf(volley);
  const seconds = (volley.lastEndMs ?? 0) / 1000;
  const rate = kind === 'churn' ? (seconds > 0 ? tally.count('101') / seconds : 0) : null;
  const validity = judgeBurst({
    kind,
    gate: plan.gate,
    // A churn that was stopped has no size to fall short of.
    planned: kind === 'churn' && fired.isStopped ? null : size,
    outcomes: counted.outcomes,
    release,
    makespanMs: volley.lastEndMs,
    calibration: floor,
    latencyLimitMs: fired.latencyLimitMs,
    launched: volley.launched,
    failedToArm: volley.failedToArm,
    overdue: volley.overdue,
    timeoutMs: plan.timeoutMs,
    lostWorkers: volley.lostWorkers,
    longestGapMs: volley.longestGapMs,
    gcMaxMs: volley.gcMaxMs,
    hasKernelStamps: counted.kernel !== null,
    ...disturbance,
  });
  const burst: Burst = {
    stage: stageIndex,
    index,
    size: size ?? tally.attempted,
    kind,
    // A churn has no gate: its attempts begin one by one.
    gate: kind === 'churn' ? 'connect' : plan.gate,
    releasedAt: volley.releasedAt === null ? null : isoMicros(volley.releasedAt),
    release,
    makespanMs: volley.lastEndMs,
    rate,
    perSecond: volley.perSecond,
    ...counted,
    validity,
    calibration: floor,
    generator: {
      launched: volley.launched,
      failedToArm: volley.failedToArm,
      longestGapMs: volley.longestGapMs,
      gcPauses: volley.gcPauses,
      gcMaxMs: volley.gcMaxMs,
      throttledMs: disturbance.throttledMs,
      stealShare: disturbance.stealShare,
      tlsResumed: plan.target.scheme === 'wss' ? volley.tlsResumed : null,
    },
    after: null,
    sessions: null,
    watch: null,
  };
  return { burst, part: { tally, validity, launched: volley.launched, rate, isOfSearch: stage.kind === 'find' } };
}

/** The tightest latency that a search asks for. */
export function latencyLimitOf(stage: Stage): number | null {
  if (stage.kind !== 'find') return null;
  const { p95Ms, p99Ms }: FindStage = stage;
  const limits = [p95Ms, p99Ms].filter((ms) => ms !== null);
  return limits.length === 0 ? null : Math.min(...limits);
}

function releaseOf(volley: Volley): Release | null {
  const { firstReleaseMs: first, lastReleaseMs: last } = volley;
  if (first === null || last === null) return null;
  return { spreadMs: toMicros(last - first), firstMs: first, lastMs: last, perWorkerMs: volley.perWorkerMs };
}

/** Of a burst whose attempts all ended before their first packet. */
export function nothingFired(tally: Tally, launched: number, disturbance: Disturbance): Volley {
  return {
    tally,
    launched,
    failedToArm: 0,
    overdue: 0,
    firstReleaseMs: null,
    lastReleaseMs: null,
    perWorkerMs: [],
    lastEndMs: null,
    releasedAt: null,
    longestGapMs: 0,
    gcPauses: 0,
    gcMaxMs: 0,
    tlsResumed: 0,
    perSecond: null,
    rows: [],
    lostWorkers: [],
    disturbance,
  };
}
