/**
 * What drives each kind of load: one row per kind, with everything that the engine must know besides the plan's facts.
 * A new kind is a new implementation of `Shard` and a row here; the compiler reports every table that lacks it.
 */
import { countOf } from '../../plan/arrivals.js';
import type { ArriveStage, ChurnStage, Plan, Stage } from '../../plan/plan.js';
import type { SessionPlan } from '../../plan/session/session-script.js';
import { longestSessionMs } from '../../plan/session/session-time.js';
import { openAtMost } from '../../plan/stages/arrive.js';
import { factsOf } from '../../plan/stages/kinds.js';
import type { LoadKind } from '../../plan/stages/loads.js';
import type { StormStage } from '../../plan/stages/storm.js';
import { ArriveShard } from './arrive-shard.js';
import { ARMING_IN_FLIGHT, BurstShard } from './burst-shard.js';
import { ChurnShard } from './churn-shard.js';
import type { Shard, ShardContext } from './shard.js';
import { StormShard } from './storm-shard.js';

/** The generator's own cost of arrivals is measured for this long. */
const FLOOR_MS = 2000;
/** The generator's own cost of a churn is known after this many rounds of its attempts in flight. */
const FLOOR_ROUNDS = 4;

/** Connections are closed at once. */
export const NO_SESSION: SessionPlan = { holdMs: null, script: null };

interface Driver<S extends Stage> {
  /** Makes one worker's part of the load. */
  readonly shard: (context: ShardContext, stage: S) => Shard;
  /** The phase shown while attempts arm, wait at the gate, and run. */
  readonly phases: { readonly arming: 'arming' | null; readonly armed: 'armed' | null; readonly running: RunningPhase };
  /** Attempts of `size` that may be open at once. */
  readonly open: (stage: S, size: number | null, plan: Plan) => number;
  /** Longest time from the first to the last attempt at the gate, ms. `most`: attempts of the largest shard. */
  readonly armingMs: (plan: Plan, most: number) => number;
  /** Longest time from T0 until every attempt has ended, ms. */
  readonly runningMs: (plan: Plan, stage: S) => number;
  /** What goes on on open connections after that. */
  readonly session: (plan: Plan, stage: S) => SessionPlan;
  /** The stage as the calibration runs it: without the user's data and shortened to one or a few rounds. */
  readonly floor: (stage: S, open: number) => Stage;
  /** Number of attempts of the calibration; null: the largest burst of the stage. */
  readonly floorSize: (stage: S) => number | null;
}

type RunningPhase = 'released' | 'churning' | 'arriving' | 'opening';

const BURST: Driver<Stage> = {
  shard: (context) => new BurstShard(context),
  phases: { arming: 'arming', armed: 'armed', running: 'released' },
  open: (_stage, size) => size ?? 0,
  armingMs: ({ timeoutMs }, most) => Math.ceil(Math.max(most, 1) / ARMING_IN_FLIGHT) * timeoutMs,
  runningMs: ({ timeoutMs }) => timeoutMs,
  session: ({ session }) => session,
  floor: (_stage, open) => ({ kind: 'burst', size: open, times: 1, restMs: 0 }),
  floorSize: () => null,
};

const CHURN: Driver<ChurnStage> = {
  shard: (context, stage) => new ChurnShard(context, stage),
  phases: { arming: null, armed: null, running: 'churning' },
  open: ({ inFlight }) => inFlight,
  armingMs: () => 0,
  // At worst every attempt ends at its deadline, one round of attempts in flight after another.
  runningMs: ({ timeoutMs, session }, { total, inFlight, forMs }) => {
    const eachMs = timeoutMs + longestSessionMs(session);
    return Math.min(
      total === null ? Number.POSITIVE_INFINITY : Math.ceil(total / inFlight + 1) * eachMs,
      forMs === null ? Number.POSITIVE_INFINITY : forMs + eachMs,
    );
  },
  session: ({ session }) => session,
  floor: (stage, open) => {
    const rounds = open * FLOOR_ROUNDS;
    return { ...stage, inFlight: open, total: Math.min(stage.total ?? rounds, rounds), forMs: null };
  },
  floorSize: ({ total }) => total,
};

const ARRIVE: Driver<ArriveStage> = {
  shard: (context, stage) => new ArriveShard(context, stage),
  phases: { arming: null, armed: null, running: 'arriving' },
  open: (stage, _size, { timeoutMs }) => openAtMost(stage, timeoutMs),
  armingMs: () => 0,
  runningMs: ({ timeoutMs }, { forMs }) => forMs + timeoutMs,
  // The last one is ready when the last attempt has ended, at the latest.
  session: ({ session }, { holdMs }) => (session.script === null ? { ...session, holdMs } : session),
  floor: (stage) => {
    const most = stage.rate === null ? (stage.size / stage.forMs) * 1000 : Math.max(...stage.rate);
    const rate = [most, most] as const;
    const forMs = Math.min(stage.forMs, FLOOR_MS);
    return { ...stage, rate, forMs, size: countOf(rate, forMs), maxOpen: null, holdMs: null, times: 1 };
  },
  floorSize: ({ size }) => size,
};

/** The opening of a storm: the watch after its drop has a time of its own. */
const STORM: Driver<StormStage> = {
  shard: (context, stage) => new StormShard(context, stage),
  phases: { arming: null, armed: null, running: 'opening' },
  open: ({ clients }) => clients,
  armingMs: () => 0,
  // A session may take its time after the handshake's.
  runningMs: ({ timeoutMs }, { openMs }) => openMs + 2 * timeoutMs,
  // Its clients are closed once its watch is over.
  session: () => NO_SESSION,
  floor: (_stage, open) => ({ kind: 'burst', size: open, times: 1, restMs: 0 }),
  floorSize: () => null,
};

const DRIVERS: Readonly<Record<LoadKind, Driver<never>>> = {
  burst: BURST,
  churn: CHURN,
  arrive: ARRIVE,
  storm: STORM,
};

/** The driver of the load that a stage fires. */
export function driverOf(stage: Stage): Driver<Stage> {
  return DRIVERS[factsOf(stage).load] as Driver<Stage>;
}
