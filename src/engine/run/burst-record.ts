/**
 * Turns the run of a load into the burst of a result: the counts, the evidence about the generator, and whether the
 * burst can be trusted. Observes nothing itself; run-plan.ts decides which burst it was and what follows.
 */
import type { Threshold } from '../../plan/expressions/rules.js';
import type { FindStage, Plan, Stage } from '../../plan/plan.js';
import { factsOf, isSearch, loadOf } from '../../plan/stages/kinds.js';
import type { LoadKind } from '../../plan/stages/loads.js';
import { formatDuration } from '../../plan/units.js';
import { isoMicros } from '../../result/iso-time.js';
import type { Burst, Calibration, Release } from '../../result/result.js';
import type { Tally } from '../../tally/tally.js';
import { asksOfHeld, judge } from '../../tally/thresholds.js';
import type { Part } from '../../tally/totals.js';
import { judgeBurst, NEVER_STALLED } from '../../tally/validity.js';
import { toMicros } from '../machine/clock.js';
import type { Disturbance } from '../machine/disturbance.js';
import type { StageRun } from './stage-run.js';

export interface BurstFired {
  readonly plan: Plan;
  readonly stageIndex: number;
  readonly stage: Stage;
  /** Index of the burst in the whole run. */
  readonly index: number;
  /** null: a churn that only time ends. */
  readonly size: number | null;
  readonly ran: StageRun;
  readonly floor: Calibration | null;
  /** What is asked for and a slow generator can miss. */
  readonly limits: readonly Threshold[];
  /** The run is being stopped. */
  readonly isStopped: boolean;
}

export interface RecordedBurst {
  readonly burst: Burst;
  readonly part: Part;
}

export function burstOf(fired: BurstFired): RecordedBurst {
  const { plan, stageIndex, stage, index, size, ran, floor } = fired;
  const { tally, disturbance } = ran;
  const counted = tally.counted();
  const kind = recordedAs(factsOf(stage).load);
  const load = loadOf(stage);
  const release = releaseOf(ran);
  const seconds = (ran.lastEndMs ?? 0) / 1000;
  const rate = load.hasRate ? (seconds > 0 ? tally.count('101') / seconds : 0) : null;
  const arrivals = ran.arrivals?.result(tally.attempted) ?? null;
  const validity = judgeBurst({
    kind,
    gate: plan.gate,
    planned: plannedOf(fired),
    arrivals,
    handshakeP50Ms: counted.latencyMs.handshake?.p50 ?? null,
    outcomes: counted.outcomes,
    release,
    makespanMs: ran.lastEndMs,
    calibration: floor,
    limits: judge(fired.limits, counted, { rate, dropOff: null, calibrations: [floor] }),
    launched: ran.launched,
    failedToArm: ran.failedToArm,
    overdue: ran.overdue,
    timeoutMs: plan.timeoutMs,
    lostWorkers: ran.lostWorkers,
    longestGapMs: ran.longestGapMs,
    lastSentMs: ran.lastSentMs,
    stalledArming: ran.stalledArming,
    stalled: ran.stalled,
    stalledHolding: ran.stalledHolding,
    lost: counted.lostWhileHeld,
    asksOfHeld: asksOfHeld(plan.thresholds),
    gcMaxMs: ran.gcMaxMs,
    hasKernelStamps: counted.kernel !== null,
    ...disturbance,
  });
  const burst: Burst = {
    stage: stageIndex,
    index,
    size: size ?? tally.attempted,
    kind,
    // Attempts that start one by one have no gate.
    gate: load.isReleasedTogether ? plan.gate : 'connect',
    releasedAt: ran.releasedAt === null ? null : isoMicros(ran.releasedAt),
    release,
    makespanMs: ran.lastEndMs,
    rate,
    perSecond: ran.perSecond,
    ...counted,
    validity,
    calibration: floor,
    generator: {
      launched: ran.launched,
      failedToArm: ran.failedToArm,
      longestGapMs: ran.longestGapMs,
      gcPauses: ran.gcPauses,
      gcMaxMs: ran.gcMaxMs,
      throttledMs: disturbance.throttledMs,
      stealShare: disturbance.stealShare,
      tlsResumed: plan.target.scheme === 'wss' ? ran.tlsResumed : null,
    },
    after: null,
    watch: null,
    arrivals,
  };
  return { burst, part: { tally, validity, launched: ran.launched, rate, isOfSearch: isSearch(stage) } };
}

/** The clients of a storm arrive; what follows their drop has a place of its own. */
function recordedAs(kind: LoadKind): Burst['kind'] {
  return kind === 'storm' ? 'arrive' : kind;
}

/** What a search asks for of its bursts; thresholds do not judge them. */
export function limitsOfSearch({ p95Ms, p99Ms }: FindStage, hasSession: boolean): Threshold[] {
  const phase = hasSession ? 'ready' : 'handshake';
  const objectives = [['p95', p95Ms] as const, ['p99', p99Ms] as const];
  return objectives.flatMap(([stat, limit]) => {
    if (limit === null) return [];
    const expression = `${stat}(${phase}) <= ${formatDuration(limit)}`;
    return [{ expression, parsed: { subject: { kind: 'latency', stat, phase }, operator: '<=', limit } }];
  });
}

/** Attempts that there should be. A load with a rate that was stopped has no planned size to miss. */
function plannedOf({ stage, size, ran, isStopped }: BurstFired): number | null {
  if (size === null || (loadOf(stage).hasRate && isStopped)) return null;
  return size - (ran.arrivals?.skipped ?? 0);
}

function releaseOf(ran: StageRun): Release | null {
  const { firstReleaseMs: first, lastReleaseMs: last } = ran;
  if (first === null || last === null) return null;
  return { spreadMs: toMicros(last - first), firstMs: first, lastMs: last, perWorkerMs: ran.perWorkerMs };
}

/** A load whose attempts all ended before their first packet. */
export function nothingFired(tally: Tally, launched: number, disturbance: Disturbance): StageRun {
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
    t0: Number.NaN,
    longestGapMs: 0,
    lastSentMs: null,
    stalledArming: NEVER_STALLED,
    stalled: NEVER_STALLED,
    stalledHolding: NEVER_STALLED,
    gcPauses: 0,
    gcMaxMs: 0,
    tlsResumed: 0,
    perSecond: null,
    arrivals: null,
    rows: [],
    lostWorkers: [],
    storm: null,
    disturbance,
  };
}
