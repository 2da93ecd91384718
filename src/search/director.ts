/**
 * A search as the engine uses it: holds the current step, turns bursts into facts, and reports the state. The state
 * machine decides what to try next. The function that explains a too high floor is passed in, because it needs units
 * that the search does not know.
 */
import type { DropOff } from '../result/drop-off.js';
import type { Burst, Calibration } from '../result/result.js';
import { factsOf } from './burst-evidence.js';
import type { BurstFacts, Director, SearchAction, SearchEvent, SearchNews } from './engine-interface.js';
import { dropOffOf } from './findings/conclusion.js';
import { msLeft, USUAL_BURST_MS } from './forecast.js';
import { Loads } from './judged-loads.js';
import type { SearchOptions } from './search-options.js';
import type { SearchState, Step } from './state.js';
import { beginSearch, deadlineMs, resumeSearch, step } from './state-machine.js';

export type FloorProblem = (floor: Calibration) => string | null;

export class SearchDirector implements Director {
  readonly floorProblem: FloorProblem;
  readonly #options: SearchOptions;
  readonly #saved: SearchState | null;
  #now: Step | null = null;
  /** The requested burst has been fired and has not ended. */
  #isFiring = false;

  /** Resumes from `saved` if it is given. */
  constructor(options: SearchOptions, floorProblem: FloorProblem, saved: SearchState | null) {
    this.#options = options;
    this.floorProblem = floorProblem;
    this.#saved = saved;
  }

  get max(): number {
    return this.#options.max;
  }

  get min(): number {
    return this.#options.min;
  }

  begin(nowMs: number): SearchAction {
    return this.#to(this.#saved === null ? beginSearch(this.#options, nowMs) : resumeSearch(this.#saved, nowMs));
  }

  next(event: SearchEvent): SearchAction {
    return this.#to(step(this.#step.state, event));
  }

  firing(): void {
    this.#isFiring = true;
  }

  factsOf(burst: Burst): BurstFacts {
    return factsOf(burst, this.#options.objectives);
  }

  news(nowMs: number): SearchNews {
    const { state, action } = this.#step;
    const { options, history, shot } = state;
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
      deadlineAtMs: deadlineMs(state),
      leftMs: msLeft(this.#step, USUAL_BURST_MS),
      nowMs,
    };
  }

  get dropOff(): DropOff {
    return dropOffOf(this.#step.state);
  }

  /** A burst that was requested but not fired is not in flight: a resumed search can fire it. */
  get state(): SearchState {
    const { state } = this.#step;
    return this.#isFiring ? state : { ...state, inFlight: null };
  }

  get #step(): Step {
    if (this.#now === null) throw new Error('the search has not begun');
    return this.#now;
  }

  #to(now: Step): SearchAction {
    this.#now = now;
    this.#isFiring = false;
    return now.action;
  }
}
