/**
 * One load of a stage (a burst, a churn or arrivals) with generators: order, release, hold, gather, merge. Merges their reports,
 * and the missing reports of dead workers, into one tally and the evidence about the generator. The run decides which
 * loads there are, what they mean and whether it goes on.
 */
import type { Plan, Stage } from '../../plan/plan.js';
import { heldMs, type SessionPlan } from '../../plan/session/session-script.js';
import { longestSessionMs } from '../../plan/session/session-time.js';
import { loadOf } from '../../plan/stages/kinds.js';
import { ArrivalsTally, type EncodedArrivals } from '../../tally/arrivals-tally.js';
import type { EncodedStorm } from '../../tally/storm-tally.js';
import { Tally } from '../../tally/tally.js';
import type { Stalled } from '../../tally/validity.js';
import type { Gathered, Generators, LoadOrder } from '../load/generators.js';
import { driverOf, NO_SESSION } from '../load/load-kinds.js';
import type { ShardReport } from '../load/shard.js';
import { largestStep, now, toMicros } from '../machine/clock.js';
import { type Disturbance, watchMachine } from '../machine/disturbance.js';
import { wait, waitUntil } from '../machine/wait.js';
import { CLOSE_GRACE_MS } from '../session/session.js';
import type { StormWatch } from './storm-watch.js';

/** How long after its own deadline a worker may take to report. */
const REPORT_MS = 15_000;

/** A killed run loses at most 5 s of a long load: looking and writing the files take a part of them. */
const LOOK_MS = 4500;
/** A shorter hold ends before anything could be lost. */
const LONG_HOLD_MS = 1000;
/** For timers of thousands of sessions that are due at the same moment, beyond the longest time of one. */
const SESSION_MARGIN_MS = 5000;

export type StagePhase =
  | 'arming'
  | 'armed'
  | 'released'
  | 'churning'
  | 'arriving'
  | 'opening'
  | 'watching'
  | 'holding'
  | 'closing';

export interface StageOrder extends Omit<LoadOrder, 'open'> {
  /** The plan of the load's target. */
  readonly plan: Plan;
  readonly onPhase: (phase: StagePhase) => void;
  readonly signal: AbortSignal;
  /** Called every few seconds with what has ended so far; null: not wanted. */
  readonly look: ((soFar: StageRun) => Promise<void>) | null;
  /** Of so many connections that might be open at once, how many this machine can carry; null: all. */
  readonly room: ((open: number) => number) | null;
  /** Of a storm: what happens while its clients are connected; null: they are held and closed. */
  readonly watch: ((onWatch: (watch: StormWatch) => void) => Promise<void>) | null;
}

/** The result of one load. Times in ms after T0. */
export interface StageRun {
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
  /** T0, ms on the clock of `now()`. */
  readonly t0: number;
  readonly longestGapMs: number;
  readonly lastSentMs: number | null;
  readonly stalledArming: Stalled;
  readonly stalled: Stalled;
  readonly stalledHolding: Stalled;
  readonly gcPauses: number;
  readonly gcMaxMs: number;
  readonly tlsResumed: number;
  readonly perSecond: readonly number[] | null;
  readonly arrivals: ArrivalsTally | null;
  readonly rows: readonly string[];
  /** One sentence for each worker that died in this load. */
  readonly lostWorkers: readonly string[];
  readonly disturbance: Disturbance;
  /** What followed the drop of a storm; null: there was none. */
  readonly storm: { readonly watch: StormWatch; readonly parts: readonly EncodedStorm[] } | null;
}

export async function runStage(generators: Generators, order: StageOrder): Promise<StageRun> {
  const { plan, size, signal, onPhase } = order;
  const stage = plan.stages[order.stage];
  const driver = driverOf(stage);
  const disturbed = watchMachine();
  const armingMs = driver.armingMs(plan, Math.ceil((size ?? 0) / generators.parts));
  const open = driver.open(stage, size, plan);
  const room = Math.max(generators.parts, order.room?.(open) ?? open);
  const arming = generators.arm({ ...order, open: Math.min(open, room) }, now() + armingMs + REPORT_MS);
  if (driver.phases.arming !== null) onPhase(driver.phases.arming);
  await arming;
  // The stop has ended every attempt that waited at the gate; the release only lets the shards finish.
  const isStopped = signal.aborted && driver.phases.armed !== null;
  if (!isStopped && driver.phases.armed !== null) onPhase(driver.phases.armed);
  if (driver.phases.armed === null) onPhase(driver.phases.running);
  const { at, wallOffset } = generators.release(isStopped);
  if (!isStopped && driver.phases.armed !== null) {
    await waitUntil(at, signal);
    onPhase(driver.phases.running);
  }
  let watch: StormWatch | null = null;
  const run = (gathered: Gathered): StageRun => {
    const machine = disturbed();
    const clockStepMs = largestStep(machine.clockStepMs, ...gathered.reports.map((report) => report.clockStepMs));
    return {
      ...merged(gathered, loadOf(stage).hasRate),
      lostWorkers: generators.deaths(),
      releasedAt: isStopped ? null : at + wallOffset,
      t0: at,
      disturbance: { ...machine, clockStepMs },
      storm: watch === null ? null : { watch, parts: stormParts(gathered) },
    };
  };
  const { look: tell } = order;
  const look = tell === null ? null : () => generators.peek((reports) => tell(run({ reports, lost: [] })));
  const ended = generators.ended(at + (isStopped ? 0 : driver.runningMs(plan, stage)) + REPORT_MS);
  await (driver.phases.armed === null ? lookedAt(ended, look) : ended);
  if (order.watch !== null && !isStopped) {
    onPhase('watching');
    const watched = order.watch((began) => {
      watch = began;
    });
    await lookedAt(watched, look);
  }
  return run(await closed(generators, order, isStopped ? NO_SESSION : driver.session(plan, stage), look));
}

/** The phase in which a load of that stage begins. */
export function firstPhaseOf(stage: Stage): StagePhase {
  const { arming, running } = driverOf(stage).phases;
  return arming ?? running;
}

type Look = () => Promise<void>;

/** Looks every few seconds until `over` is settled. */
async function lookedAt(over: Promise<void>, look: Look | null): Promise<void> {
  if (look === null) return over;
  const isOver = new AbortController();
  const settled = over.finally(() => isOver.abort());
  // The error is handled below.
  settled.catch(() => {});
  for (;;) {
    await wait(LOOK_MS, isOver.signal);
    if (isOver.signal.aborted) return settled;
    await look();
  }
}

/** Holds open connections, or waits for their sessions, if the plan says so, then has them closed. */
async function closed(
  generators: Generators,
  order: StageOrder,
  session: SessionPlan,
  look: Look | null,
): Promise<Gathered> {
  const { signal, onPhase } = order;
  const holdUntil = now() + (signal.aborted ? 0 : lastsMs(session));
  const gathering = generators.gather(holdUntil, holdUntil + 2 * CLOSE_GRACE_MS + REPORT_MS);
  // The error is handled below; without this line it would end the process during the hold.
  gathering.catch(() => {});
  if (holdUntil > now()) {
    onPhase('holding');
    // Sessions may all be over before their longest time is.
    const held = Promise.race([waitUntil(holdUntil, signal), gathering.then(() => {})]);
    // The burst's outcomes are saved before a long hold begins.
    const isLong = (heldMs(session) ?? 0) >= LONG_HOLD_MS;
    if (isLong) await look?.();
    await lookedAt(held, isLong ? look : null);
  }
  onPhase('closing');
  return gathering;
}

/** With a script each connection goes its own way, and only a limit for all of them is known. */
function lastsMs(session: SessionPlan): number {
  return session.script === null ? (session.holdMs ?? 0) : longestSessionMs(session) + SESSION_MARGIN_MS;
}

type Merged = Omit<StageRun, 'releasedAt' | 't0' | 'disturbance' | 'lostWorkers' | 'storm'>;

function merged({ reports, lost }: Gathered, hasRate: boolean): Merged {
  const tally = new Tally();
  for (const report of reports) tally.merge(Tally.decode(report.tally));
  for (const { what, attempts } of lost) tally.addUntimed('local-other', what, attempts);
  const of = <T>(pick: (report: ShardReport) => T) => reports.map(pick);
  const sum = (values: readonly number[], from = 0) => values.reduce((total, n) => total + n, from);
  const known = (values: (number | null)[]) => values.filter((value) => value !== null);
  const firsts = known(of((r) => r.firstReleaseMs));
  const lasts = known(of((r) => r.lastReleaseMs));
  const sents = known(of((r) => r.lastSentMs));
  // Attempts that ended before the release do not belong to its duration.
  const ends = known(of((r) => r.lastEndMs)).filter((ms) => ms >= 0);
  return {
    tally,
    launched: sum(
      of((r) => r.launched),
      sum(lost.map(({ launched }) => launched)),
    ),
    failedToArm: sum(of((r) => r.failedToArm)),
    overdue: sum(of((r) => r.overdue)),
    firstReleaseMs: firsts.length === 0 ? null : toMicros(Math.min(...firsts)),
    lastReleaseMs: lasts.length === 0 ? null : toMicros(Math.max(...lasts)),
    perWorkerMs: firsts.map(toMicros),
    lastEndMs: ends.length === 0 ? null : toMicros(Math.max(...ends)),
    longestGapMs: toMicros(Math.max(0, ...of((r) => r.longestGapMs))),
    lastSentMs: sents.length === 0 ? null : toMicros(Math.max(...sents)),
    stalledArming: mostStalled(of((r) => r.stalledArming)),
    stalled: mostStalled(of((r) => r.stalled)),
    stalledHolding: mostStalled(of((r) => r.stalledHolding)),
    gcPauses: sum(of((r) => r.gcPauses)),
    gcMaxMs: toMicros(Math.max(0, ...of((r) => r.gcMaxMs))),
    tlsResumed: sum(of((r) => r.tlsResumed)),
    perSecond: hasRate ? addUp(of((r) => r.perSecond ?? [])) : null,
    arrivals: mergedArrivals(of((r) => r.arrivals)),
    rows: of((r) => r.rows).filter((text) => text !== null),
  };
}

function stormParts({ reports }: Gathered): EncodedStorm[] {
  return reports.flatMap(({ storm }) => (storm === null || storm === undefined ? [] : [storm]));
}

/** The largest stall of all workers: a stall of the process hits all of them, so they are not added up. */
function mostStalled(each: readonly Stalled[]): Stalled {
  const most = (values: readonly number[]) => toMicros(Math.max(0, ...values));
  return { longestMs: most(each.map((one) => one.longestMs)), totalMs: most(each.map((one) => one.totalMs)) };
}

function mergedArrivals(each: readonly (EncodedArrivals | null)[]): ArrivalsTally | null {
  const tallies = each.filter((one) => one !== null).map((one) => ArrivalsTally.decode(one));
  const [first, ...others] = tallies;
  for (const other of others) first.merge(other);
  return first ?? null;
}

function addUp(series: readonly (readonly number[])[]): number[] {
  const length = Math.max(0, ...series.map((one) => one.length));
  return Array.from({ length }, (_, i) => series.reduce((sum, one) => sum + (one[i] ?? 0), 0));
}
