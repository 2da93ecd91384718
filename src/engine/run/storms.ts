/**
 * The storms of a run: what happens in one while its clients are connected, and what the shards counted turned into the
 * storm of a result, with its bound and its verdict.
 */
import type { Plan } from '../../plan/plan.js';
import { recoveryBound } from '../../plan/policy/recovery.js';
import type { Storm } from '../../result/storm.js';
import { StormTally } from '../../tally/storm-tally.js';
import { judgeStorm } from '../../tally/storm-validity.js';
import type { Generators } from '../load/generators.js';
import type { StageOrder, StageRun } from './stage-run.js';
import { watchStorm } from './storm-watch.js';

/** Which load of the plan. */
interface StormPlace {
  readonly stageIndex: number;
  /** Index within its stage: each policy has its own. */
  readonly place: number;
}

export class Storms {
  readonly all: Storm[] = [];
  /** Attempt numbers used so far by clients that came back: no clients of their own, and no data rows. */
  comebacks = 0;
  readonly #plan: Plan;
  readonly #generators: Generators;
  readonly #dropBy: string | null;
  readonly #signal: AbortSignal;

  constructor(plan: Plan, generators: Generators, dropBy: string | null, signal: AbortSignal) {
    this.#plan = plan;
    this.#generators = generators;
    this.#dropBy = dropBy;
    this.#signal = signal;
  }

  /** What happens while the clients are connected; null: the stage is no storm. */
  watchOf({ stageIndex, place }: StormPlace): StageOrder['watch'] {
    const stage = this.#plan.stages[stageIndex];
    if (stage.kind !== 'storm') return null;
    const [generators, dropBy, signal] = [this.#generators, this.#dropBy, this.#signal];
    return (onWatch) => watchStorm({ generators, stage, place, dropBy, signal, onWatch });
  }

  /** @returns the attempt numbers used beyond the clients of the load; 0: it was no storm */
  add(where: StormPlace, ran: StageRun, isStopped: boolean): number {
    const storm = this.#stormOf(where, ran, isStopped);
    if (storm === null) return 0;
    this.all.push(storm);
    const attempts = Object.values(storm.attempts).reduce((sum, count) => sum + count, 0);
    // Each part numbers its own attempts, in turns with the others.
    const used = this.#generators.parts * (attempts + 1);
    this.comebacks += used;
    return used;
  }

  /** All, and the one that goes on, as if it were stopped now. */
  with(where: StormPlace, soFar: StageRun): readonly Storm[] {
    const storm = this.#stormOf(where, soFar, true);
    return storm === null ? this.all : [...this.all, storm];
  }

  #stormOf({ stageIndex, place }: StormPlace, ran: StageRun, isStopped: boolean): Storm | null {
    const stage = this.#plan.stages[stageIndex];
    if (stage.kind !== 'storm' || ran.storm === null || ran.releasedAt === null) return null;
    const { watch, parts } = ran.storm;
    const tally = new StormTally();
    for (const part of parts) tally.add(part);
    const policy = stage.policies[place];
    const counted = tally.storm({
      clients: stage.clients,
      policy: policy.name,
      isOwnDrop: watch.isOwnDrop,
      beganAt: watch.at + ran.releasedAt - ran.t0,
    });
    const { recovers, because } = recoveryBound(policy, counted.fleet, stage.capacity, this.#plan.timeoutMs);
    const { problem } = watch;
    const validity = judgeStorm({ storm: counted, problem, lostWorkers: ran.lostWorkers, isStopped });
    return { ...counted, bound: { recovers, because }, validity };
  }
}
