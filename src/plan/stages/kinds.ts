/**
 * The table of stage kinds. A new kind needs a file beside this one, a member of the union and a row; the compiler then
 * reports every other table without its row (the profile's schema, the dry run's words).
 */
import { type ArriveStage, arrive } from './arrive.js';
import { type BurstStage, burst } from './burst.js';
import { type ChurnStage, churn } from './churn.js';
import { type FindStage, find } from './find.js';
import { LOADS, type Load } from './loads.js';
import type { StageFacts } from './stage-facts.js';
import { type StepsStage, steps } from './steps.js';
import { type StormStage, storm } from './storm.js';

export type Stage = BurstStage | StepsStage | ChurnStage | ArriveStage | StormStage | FindStage;
export type StageKind = Stage['kind'];
export type StageOf<K extends StageKind> = Extract<Stage, { readonly kind: K }>;

const KINDS: { readonly [K in StageKind]: StageFacts<StageOf<K>> } = { burst, steps, churn, arrive, storm, find };

export function factsOf(stage: Stage): StageFacts<Stage> {
  return KINDS[stage.kind];
}

export function isSearch(stage: Stage): stage is FindStage {
  return factsOf(stage).isSearch;
}

/** Whether the stage at that position is a search; false if there is no such stage. */
export function isSearchAt(stages: readonly Stage[], place: number): boolean {
  const stage = stages[place];
  return stage !== undefined && isSearch(stage);
}

export function loadOf(stage: Stage): Load {
  return LOADS[factsOf(stage).load];
}

/** A table of functions with one row per kind of stage. */
export type StageRows<T> = { readonly [K in StageKind]: (stage: StageOf<K>) => T };

/** Calls the row of the stage's own kind. */
export function byKind<T>(rows: StageRows<T>, stage: Stage): T {
  return (rows[stage.kind] as (stage: Stage) => T)(stage);
}
