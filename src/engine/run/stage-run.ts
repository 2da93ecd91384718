/**
 * One burst, or one churn stage, with a crew: order, gather, merge. It turns what workers report, and what they do not
 * report because they died, into one tally and the evidence about the generator. Which bursts there are, what a burst
 * means and whether the run goes on is decided in run.ts.
 */

import { type NamedOutcomeId, outcomeCode } from '../../names/outcomes.js';
import type { ChurnStage, Plan } from '../../plan/plan.js';
import { splitShares } from '../../tally/split.js';
import { Tally } from '../../tally/tally.js';
import { CLOSE_GRACE_MS } from '../attempt/attempts.js';
import { pause } from '../load/attempt-set.js';
import { largestStep, now, toMicros, wallOffset } from '../machine/clock.js';
import { type Disturbance, watchMachine } from '../machine/disturbance.js';
import type { ShardReport } from '../threads/messages.js';
import { LIVE, ORDER } from '../threads/shared-memory.js';
import type { Crew } from '../threads/worker-pool.js';

/** From the last worker's "armed" to T0: long enough for the order to reach every thread. */
const RELEASE_AHEAD_MS = 50;
/** Beyond its own deadline a worker gets this long to report. */
const REPORT_MS = 15_000;
const ARMING_IN_FLIGHT = 256;

export type VolleyPhase = 'arming' | 'armed' | 'released' | 'churning' | 'holding' | 'closing';

export interface VolleyOrder {
  /** Index of the aim in the crew's task. */
  readonly aim: number;
  readonly stage: number;
  readonly index: number;
  /** Attempts; null: as many as fit into the stage's time. */
  readonly size: number | null;
  /** Number in the run of the first attempt. */
  readonly base: number;
  readonly plan: Plan;
  /** The churn stage; null: a burst. */
  readonly churn: ChurnStage | null;
  readonly onPhase: (phase: VolleyPhase) => void;
  readonly stopped: () => boolean;
}

/** Times in ms after T0. */
export interface Volley {
  readonly tally: Tally;
  readonly launched: number;
  readonly failedToArm: number;
  readonly overdue: number;
  readonly firstReleaseMs: number | null;
  readonly lastReleaseMs: number | null;
  readonly perWorkerMs: readonly number[];
  readonly lastEndMs: number | null;
  /** T0, ms since the Unix epoch; null when nothing was released. */
  readonly releasedAt: number | null;
  readonly longestGapMs: number;
  readonly gcPauses: number;
  readonly gcMaxMs: number;
  readonly tlsResumed: number;
  readonly perSecond: readonly number[] | null;
  readonly rows: readonly string[];
  /** One sentence for each worker that died in this burst. */
  readonly lostWorkers: readonly string[];
  readonly disturbance: Disturbance;
}

export async function fireVolley(crew: Crew, order: VolleyOrder): Promise<Volley> {
  const shares = shareOut(crew, order);
  crew.control.resetLive();
  const disturbed = watchMachine();
  const releasedAt = order.churn === null ? await burst(crew, order, shares) : await churn(crew, order, order.churn);
  order.onPhase('closing');
  for (const worker of crew.alive) crew.order(worker, ORDER.close);
  const closed = await crew.gather('closed', now() + 2 * CLOSE_GRACE_MS + REPORT_MS);
  const reports = [...closed].map(([worker, { report }]) => [worker, report] as const);
  const machine = disturbed();
  const clockStepMs = largestStep(machine.clockStepMs, ...reports.map(([, report]) => report.clockStepMs));
  return { ...merged(crew, order, shares, reports), releasedAt, disturbance: { ...machine, clockStepMs } };
}

/** Attempts are dealt out like cards, so that every worker's share is spread over the whole burst. */
function shareOut(crew: Crew, order: VolleyOrder): number[] {
  const counts = splitShares(order.size ?? 0, crew.size);
  const open = order.churn === null ? counts : splitShares(order.churn.inFlight, crew.size);
  for (let worker = 0; worker < crew.size; worker++) {
    crew.control.brief(worker, {
      aim: order.aim,
      stage: order.stage,
      burst: order.index,
      count: counts[worker],
      open: open[worker],
      first: worker,
      stride: crew.size,
      base: order.base,
    });
  }
  return counts;
}

async function burst(crew: Crew, order: VolleyOrder, shares: readonly number[]): Promise<number | null> {
  const { timeoutMs, session } = order.plan;
  order.onPhase('arming');
  for (const worker of crew.alive) crew.order(worker, ORDER.arm);
  const rounds = Math.ceil(Math.max(...shares, 1) / ARMING_IN_FLIGHT);
  await crew.gather('armed', now() + rounds * timeoutMs + REPORT_MS);
  if (order.stopped()) {
    // Every attempt has been ended by the stop; the release only lets the shards finish.
    crew.control.release(crew.alive, now(), wallOffset());
    await crew.gather('ended', now() + REPORT_MS);
    return null;
  }
  order.onPhase('armed');
  const offset = wallOffset();
  const at = now() + RELEASE_AHEAD_MS;
  crew.control.release(crew.alive, at, offset);
  await pause(RELEASE_AHEAD_MS);
  order.onPhase('released');
  await crew.gather('ended', at + timeoutMs + REPORT_MS);
  if (session.holdMs !== null && !order.stopped()) {
    order.onPhase('holding');
    await hold(session.holdMs, order.stopped);
  }
  return at + offset;
}

async function churn(crew: Crew, order: VolleyOrder, stage: ChurnStage): Promise<number> {
  const { timeoutMs } = order.plan;
  order.onPhase('churning');
  // Without one of its workers the stage is invalid from then on: the rest of it would be load for nothing.
  crew.onDeath = () => crew.stop();
  const offset = wallOffset();
  const at = now() + RELEASE_AHEAD_MS;
  crew.control.release(crew.alive, at, offset, ORDER.churn);
  // At worst every attempt meets its deadline, one round of those in flight after another.
  const byTotal =
    stage.total === null ? Number.POSITIVE_INFINITY : Math.ceil(stage.total / stage.inFlight + 1) * timeoutMs;
  const byTime = stage.forMs === null ? Number.POSITIVE_INFINITY : stage.forMs + timeoutMs;
  await crew.gather('ended', at + Math.min(byTotal, byTime) + REPORT_MS);
  crew.onDeath = () => {};
  return at + offset;
}

/** Waits in short steps, so that a stop is heard. */
async function hold(ms: number, stopped: () => boolean): Promise<void> {
  const until = now() + ms;
  while (now() < until && !stopped()) await pause(Math.min(50, Math.max(1, until - now())));
}

type Merged = Omit<Volley, 'releasedAt' | 'disturbance'>;

function merged(
  crew: Crew,
  order: VolleyOrder,
  shares: readonly number[],
  reports: readonly (readonly [number, ShardReport])[],
): Merged {
  const tally = new Tally();
  for (const [, report] of reports) tally.merge(Tally.decode(report.tally));
  const reported = new Set(reports.map(([worker]) => worker));
  let lostLaunched = 0;
  for (let worker = 0; worker < crew.size; worker++) {
    if (reported.has(worker)) continue;
    const live = crew.control.live(worker);
    lostLaunched += live[LIVE.opened];
    // A churn without a total has no share to miss: what the worker had begun is what is unaccounted for.
    const missing = order.churn === null || order.size !== null ? shares[worker] : live[LIVE.released];
    addUntimed(tally, 'local-other', `worker ${worker} died before it reported`, missing);
  }
  const of = <T>(pick: (report: ShardReport) => T) => reports.map(([, report]) => pick(report));
  const known = (values: (number | null)[]) => values.filter((value) => value !== null);
  const firsts = known(of((r) => r.firstReleaseMs));
  const lasts = known(of((r) => r.lastReleaseMs));
  // Those that ended before the release have nothing to do with how long it took.
  const ends = known(of((r) => r.lastEndMs)).filter((ms) => ms >= 0);
  const rows = of((r) => r.rows).filter((text) => text !== null);
  return {
    tally,
    launched: of((r) => r.launched).reduce((sum, n) => sum + n, lostLaunched),
    failedToArm: of((r) => r.failedToArm).reduce((sum, n) => sum + n, 0),
    overdue: of((r) => r.overdue).reduce((sum, n) => sum + n, 0),
    firstReleaseMs: firsts.length === 0 ? null : toMicros(Math.min(...firsts)),
    lastReleaseMs: lasts.length === 0 ? null : toMicros(Math.max(...lasts)),
    perWorkerMs: firsts.map(toMicros),
    lastEndMs: ends.length === 0 ? null : toMicros(Math.max(...ends)),
    longestGapMs: toMicros(Math.max(0, ...of((r) => r.longestGapMs))),
    gcPauses: of((r) => r.gcPauses).reduce((sum, n) => sum + n, 0),
    gcMaxMs: toMicros(Math.max(0, ...of((r) => r.gcMaxMs))),
    tlsResumed: of((r) => r.tlsResumed).reduce((sum, n) => sum + n, 0),
    perSecond: order.churn === null ? null : addUp(of((r) => r.perSecond ?? [])),
    rows,
    lostWorkers: crew.deaths(),
  };
}

function addUp(series: readonly (readonly number[])[]): number[] {
  const length = Math.max(0, ...series.map((one) => one.length));
  return Array.from({ length }, (_, i) => series.reduce((sum, one) => sum + (one[i] ?? 0), 0));
}

/** Attempts that ended without any time known. */
export function addUntimed(tally: Tally, id: NamedOutcomeId, detail: string, attempts: number): void {
  if (attempts === 0) return;
  const code = outcomeCode(id);
  const none = Number.NaN;
  const ended = {
    outcome: code,
    connectMs: none,
    connectLowerMs: none,
    tlsMs: none,
    tlsLowerMs: none,
    upgradeMs: none,
    upgradeLowerMs: none,
    handshakeMs: none,
    handshakeLowerMs: none,
    synRetransmits: none,
    retransmits: none,
    rttMs: none,
  };
  for (let i = 0; i < attempts; i++) tally.add(ended);
  tally.addDetail(code, detail);
}
