/**
 * The search as the engine's director: what the plan asks becomes the search's options, what the engine measured becomes
 * the search's facts, and what the search wants becomes what the engine can do. The only place where the two rings meet.
 */
import type { Director, FindAction, FindEvent, SearchNews } from '../engine/run/search-hands.js';
import { type FindStage, findStageOf, type Plan } from '../plan/plan.js';
import { formatCount, formatDuration } from '../plan/units.js';
import type { DropOff } from '../result/drop-off.js';
import type { Calibration } from '../result/result.js';
import { factsOf } from '../search/burst-evidence.js';
import { dropOffOf } from '../search/conclusion.js';
import { type Durations, type Forecast, forecast, msLeft } from '../search/forecast.js';
import { Loads } from '../search/loads.js';
import { type Objective, type SearchOptions, searchOptions } from '../search/search-options.js';
import type { SearchAction, SearchEvent, SearchState, Step } from '../search/state.js';
import { beginSearch, step } from '../search/state-machine.js';

/** Share of an asked latency that the generator's own floor may take up (docs/method.md, "Calibration"). */
const MOST_FLOOR = 0.2;
/** A good burst, opened, answered and closed, where nobody knows the target yet. */
const USUAL_BURST_MS = 2000;
/** Closing, waiting for workers, calibrations before a burst. */
const AROUND_BURST_MS = 30_000;

/** @throws UserError `find` when what is asked does not fit together */
export function searchOptionsOf(stage: FindStage): SearchOptions {
  const { max, min, expect, width, preset, restMs, freshWaitMs, maxWaitMs, budget } = stage;
  const { deadlineMs, burstQuantile, downSweep, harm } = stage;
  const objectives = objectivesOf(stage);
  return searchOptions({
    max,
    downSweep,
    ...known({ min, expect, width, preset, freshWaitMs, maxWaitMs, budget, deadlineMs, harm }),
    ...known({ coolMs: restMs, quantile: burstQuantile }),
    ...(objectives.length === 0 ? {} : { objectives }),
  });
}

/** What a search will cost, beforehand. @throws UserError as `searchOptionsOf` */
export function searchForecast(plan: Plan): { options: SearchOptions; forecast: Forecast } | null {
  const stage = findStageOf(plan.stages);
  if (stage === null) return null;
  const options = searchOptionsOf(stage);
  return { options, forecast: forecast(options, durationsOf(plan), stage.expect) };
}

/** Of the plan's search, where it has one; it goes on from `saved` where that is given. @throws UserError `find` */
export function directorOf(plan: Plan, saved: SearchState | null = null): Director | null {
  const stage = findStageOf(plan.stages);
  return stage === null ? null : new SearchDirector(searchOptionsOf(stage), saved);
}

function objectivesOf({ share, p99Ms, p95Ms }: FindStage): Objective[] {
  const objectives: Objective[] = [];
  if (share !== null) objectives.push({ name: `share(101) >= ${percent(share)}`, share, withinMs: null });
  for (const [name, part, withinMs] of [['p99', 0.99, p99Ms] as const, ['p95', 0.95, p95Ms] as const]) {
    if (withinMs === null) continue;
    objectives.push({ name: `${name}(handshake) <= ${formatDuration(withinMs)}`, share: part, withinMs });
  }
  return objectives;
}

/** Arming before the gates tls and upgrade has a deadline of its own. */
function durationsOf({ gate, timeoutMs, session }: Plan): Durations {
  const holdMs = session.holdMs ?? 0;
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

class SearchDirector implements Director {
  readonly #options: SearchOptions;
  #saved: SearchState | null;
  #now: Step | null = null;
  /** The burst that was asked for is on its way. */
  #isFiring = false;

  constructor(options: SearchOptions, saved: SearchState | null) {
    this.#options = options;
    this.#saved = saved;
  }

  get max(): number {
    return this.#options.max;
  }

  get min(): number {
    return this.#options.min;
  }

  begin(nowMs: number): FindAction {
    const saved = this.#saved;
    this.#saved = null;
    return this.#to(saved === null ? beginSearch(this.#options, nowMs) : step(saved, { is: 'resumed', nowMs }));
  }

  next(event: FindEvent): FindAction {
    return this.#to(step(this.#step.state, this.#told(event)));
  }

  firing(): void {
    this.#isFiring = true;
  }

  floorProblem({ size, share101, handshakeMs }: Calibration): string | null {
    if (share101 < 1) return `of ${formatCount(size)} handshakes to its own mirror ${percent(share101)} got through`;
    for (const { name, share, withinMs } of this.#options.objectives) {
      if (withinMs === null || handshakeMs === null) continue;
      const floorMs = share >= 0.99 ? handshakeMs.p99 : handshakeMs.p95;
      if (floorMs <= MOST_FLOOR * withinMs) continue;
      const floor = formatDuration(Number(floorMs.toPrecision(3)));
      return (
        `${formatCount(size)} handshakes to its own mirror took ${floor}, over ${percent(MOST_FLOOR)} of what ${name} asks for; ` +
        'use a faster or an idle machine'
      );
    }
    return null;
  }

  news(nowMs: number): SearchNews {
    const { state, action } = this.#step;
    const { options, history, shot, startedAtMs, pausedMs } = state;
    const { lo, hi } = new Loads(state).bounds();
    const isResting = action.do === 'rest';
    return {
      bracket: [lo, hi],
      bursts: history.length,
      budget: options.budget,
      size: shot?.size ?? null,
      why: shot?.why ?? null,
      restWhy: isResting ? action.why : null,
      restUntilMs: isResting ? action.untilMs : null,
      deadlineAtMs: startedAtMs + pausedMs + options.deadlineMs,
      leftMs: msLeft(this.#step, USUAL_BURST_MS),
      nowMs,
    };
  }

  get dropOff(): DropOff {
    return dropOffOf(this.#step.state);
  }

  /** A burst that was asked for and not fired yet is not in flight: whoever goes on can fire it. */
  get state(): object {
    const { state } = this.#step;
    return this.#isFiring ? state : { ...state, inFlight: null };
  }

  get #step(): Step {
    if (this.#now === null) throw new Error('the search has not begun');
    return this.#now;
  }

  #to(now: Step): FindAction {
    this.#now = now;
    this.#isFiring = false;
    return actionOf(now.action);
  }

  #told(event: FindEvent): SearchEvent {
    if (event.is !== 'burst') return event;
    const facts = factsOf(event.burst, this.#options.objectives);
    return { is: 'burst', nowMs: event.nowMs, facts };
  }
}

function actionOf(action: SearchAction): FindAction {
  return action.do === 'stop' ? { do: 'stop' } : action;
}
