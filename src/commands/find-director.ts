/**
 * From a plan's find stage to a search: its options, its forecast, and its director for the engine. Knows the words and
 * units that the search does not: the name of an objective, why a generator's floor is too high.
 */
import { type FindStage, findStageOf, type Plan } from '../plan/plan.js';
import { heldMs, type SessionPlan } from '../plan/session/session-script.js';
import { formatCount, formatDuration } from '../plan/units.js';
import type { Calibration } from '../result/result.js';
import { SearchDirector } from '../search/director.js';
import type { Director } from '../search/engine-interface.js';
import { type Durations, type Forecast, forecast, USUAL_BURST_MS } from '../search/forecast.js';
import { type Objective, type SearchOptions, searchOptions } from '../search/search-options.js';
import type { SearchState } from '../search/state.js';
import { isSmallFloor, SMALL_FLOOR } from '../tally/floor.js';

/** Time for closing, waiting for workers and calibration, per burst. */
const AROUND_BURST_MS = 30_000;

/** @throws UserError `find` when the options contradict each other */
export function searchOptionsOf(stage: FindStage, session: SessionPlan): SearchOptions {
  const { max, min, expect, width, preset, restMs, freshWaitMs, maxWaitMs, budget } = stage;
  const { deadlineMs, burstQuantile, downSweep, harm } = stage;
  const objectives = objectivesOf(stage, session.script !== null);
  return searchOptions({
    max,
    downSweep,
    ...known({ min, expect, width, preset, freshWaitMs, maxWaitMs, budget, deadlineMs, harm }),
    ...known({ coolMs: restMs, quantile: burstQuantile }),
    ...(objectives.length === 0 ? {} : { objectives }),
  });
}

/** The expected cost of a search. @throws UserError as `searchOptionsOf` */
export function searchForecast(plan: Plan): { options: SearchOptions; forecast: Forecast } | null {
  const stage = findStageOf(plan.stages);
  if (stage === null) return null;
  const options = searchOptionsOf(stage, plan.session);
  return { options, forecast: forecast(options, durationsOf(plan), stage.expect) };
}

/**
 * The director of the plan's search, null without one; it resumes from `saved` if that is given. @throws UserError
 * `find`
 */
export function directorOf(plan: Plan, saved: SearchState | null = null): Director | null {
  const stage = findStageOf(plan.stages);
  if (stage === null) return null;
  const options = searchOptionsOf(stage, plan.session);
  return new SearchDirector(options, (floor) => floorProblem(floor, options.objectives), saved);
}

/** With a session success is to be ready. */
function objectivesOf({ share, p99Ms, p95Ms }: FindStage, hasSession: boolean): Objective[] {
  const objectives: Objective[] = [];
  const [success, timed] = hasSession ? ['ready', 'ready'] : ['101', 'handshake'];
  if (share !== null) objectives.push({ name: `share(${success}) >= ${percent(share)}`, share, withinMs: null });
  for (const [name, part, withinMs] of [['p99', 0.99, p99Ms] as const, ['p95', 0.95, p95Ms] as const]) {
    if (withinMs === null) continue;
    objectives.push({ name: `${name}(${timed}) <= ${formatDuration(withinMs)}`, share: part, withinMs });
  }
  return objectives;
}

/** Arming before the gates tls and upgrade has its own deadline. */
function durationsOf({ gate, timeoutMs, session }: Plan): Durations {
  const holdMs = heldMs(session) ?? 0;
  return {
    usualBurstMs: USUAL_BURST_MS + holdMs,
    longestBurstMs: (gate === 'connect' ? 1 : 2) * timeoutMs + holdMs + AROUND_BURST_MS,
  };
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(6))}%`;
}

type Known<T> = { [K in keyof T]?: Exclude<T[K], null> };

function known<T extends object>(values: T): Known<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null)) as Known<T>;
}

function floorProblem({ size, share101, handshakeMs }: Calibration, objectives: readonly Objective[]): string | null {
  if (share101 < 1) return `of ${formatCount(size)} handshakes to its own mirror ${percent(share101)} got through`;
  for (const { name, share, withinMs } of objectives) {
    if (withinMs === null || handshakeMs === null) continue;
    const floorMs = share >= 0.99 ? handshakeMs.p99 : handshakeMs.p95;
    if (isSmallFloor(floorMs, withinMs)) continue;
    const floor = formatDuration(Number(floorMs.toPrecision(3)));
    return (
      `${formatCount(size)} handshakes to its own mirror took ${floor}, over ${percent(SMALL_FLOOR)} of what ${name} asks for; ` +
      'use a faster or an idle machine'
    );
  }
  return null;
}
