/**
 * What drives each kind of load: one row a kind with all that the engine must know of it beside the facts of the plan. A new
 * kind is a new implementation of `Shard` and one row here; the compiler names every table that has none.
 */
import type { ChurnStage, Plan, Stage } from '../../plan/plan.js';
import { factsOf } from '../../plan/stages/kinds.js';
import type { LoadKind } from '../../plan/stages/loads.js';
import { ARMING_IN_FLIGHT, BurstShard } from './burst-shard.js';
import { ChurnShard } from './churn-shard.js';
import type { Shard, ShardContext } from './shard.js';

/** A churn's floor is known after this many rounds of those in flight. */
const FLOOR_ROUNDS = 4;

interface Driver<S extends Stage> {
  /** One worker's part of it. */
  readonly shard: (context: ShardContext, stage: S) => Shard;
  /** What is shown while its attempts come to the gate, wait there, and run. */
  readonly phases: { readonly arming: 'arming' | null; readonly armed: 'armed' | null; readonly running: RunningPhase };
  /** Attempts of `size` that may be open at once. */
  readonly open: (stage: S, size: number | null) => number;
  /** Longest time from the first to the last attempt at its gate, ms. `most`: attempts of the largest shard. */
  readonly armingMs: (plan: Plan, most: number) => number;
  /** Longest time from T0 until every attempt has ended, ms. */
  readonly runningMs: (plan: Plan, stage: S) => number;
  /** At most what a floor needs of it: nothing of the user's, and no more than one round or a few. */
  readonly floor: (stage: S, open: number) => Stage;
  /** Attempts of a floor; null: the largest burst of the stage. */
  readonly floorSize: (stage: S) => number | null;
}

type RunningPhase = 'released' | 'churning';

const BURST: Driver<Stage> = {
  shard: (context) => new BurstShard(context),
  phases: { arming: 'arming', armed: 'armed', running: 'released' },
  open: (_stage, size) => size ?? 0,
  armingMs: ({ timeoutMs }, most) => Math.ceil(Math.max(most, 1) / ARMING_IN_FLIGHT) * timeoutMs,
  runningMs: ({ timeoutMs }) => timeoutMs,
  floor: (_stage, open) => ({ kind: 'burst', size: open, times: 1, restMs: 0 }),
  floorSize: () => null,
};

const CHURN: Driver<ChurnStage> = {
  shard: (context, stage) => new ChurnShard(context, stage),
  phases: { arming: null, armed: null, running: 'churning' },
  open: ({ inFlight }) => inFlight,
  armingMs: () => 0,
  // At worst every attempt meets its deadline, one round of those in flight after another.
  runningMs: ({ timeoutMs }, { total, inFlight, forMs }) =>
    Math.min(
      total === null ? Number.POSITIVE_INFINITY : Math.ceil(total / inFlight + 1) * timeoutMs,
      forMs === null ? Number.POSITIVE_INFINITY : forMs + timeoutMs,
    ),
  floor: (stage, open) => {
    const rounds = open * FLOOR_ROUNDS;
    return { ...stage, inFlight: open, total: Math.min(stage.total ?? rounds, rounds), forMs: null };
  },
  floorSize: ({ total }) => total,
};

const DRIVERS: Readonly<Record<LoadKind, Driver<never>>> = { burst: BURST, churn: CHURN };

/** What drives the load that a stage fires. */
export function driverOf(stage: Stage): Driver<Stage> {
  return DRIVERS[factsOf(stage).load] as Driver<Stage>;
}
