/** A single handshake as a burst of one, so that everything that reads results can read it. */
import type { Plan } from '../../plan/plan.js';
import type { Burst } from '../../result/result.js';
import type { Tally } from '../../tally/tally.js';
import { judgeBurst, NEVER_STALLED } from '../../tally/validity.js';
import type { Disturbance } from '../machine/disturbance.js';

export function burstOfOne(plan: Plan, tally: Tally, disturbance: Disturbance): Burst {
  const counted = tally.counted();
  const launched = counted.outcomes.dns === 1 ? 0 : 1;
  const [ended] = Object.values(counted.failureMs).concat(counted.latencyMs.handshake);
  const release = { spreadMs: 0, firstMs: 0, lastMs: 0, perWorkerMs: [0] };
  const gaps = { longestGapMs: 0, gcPauses: 0, gcMaxMs: 0 };
  const makespanMs = ended?.max ?? null;
  const validity = judgeBurst({
    kind: 'burst',
    gate: 'connect',
    planned: launched,
    launched,
    outcomes: counted.outcomes,
    failedToArm: 0,
    overdue: 0,
    timeoutMs: plan.timeoutMs,
    release,
    makespanMs,
    calibration: null,
    limits: [],
    lastSentMs: null,
    stalledArming: NEVER_STALLED,
    stalled: NEVER_STALLED,
    stalledHolding: NEVER_STALLED,
    lost: 0,
    asksOfHeld: false,
    arrivals: null,
    handshakeP50Ms: null,
    lostWorkers: [],
    hasKernelStamps: false,
    ...gaps,
    ...disturbance,
  });
  const nothing = { rate: null, perSecond: null, calibration: null, after: null, watch: null, arrivals: null };
  return {
    stage: 0,
    index: 0,
    size: 1,
    kind: 'burst',
    gate: 'connect',
    releasedAt: null,
    release: launched === 0 ? null : release,
    makespanMs,
    ...counted,
    ...nothing,
    validity,
    generator: {
      launched,
      failedToArm: 0,
      ...gaps,
      throttledMs: disturbance.throttledMs,
      stealShare: disturbance.stealShare,
      tlsResumed: plan.target.scheme === 'wss' ? 0 : null,
    },
  };
}
