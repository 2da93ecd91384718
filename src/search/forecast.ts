/**
 * The expected and worst-case cost of a search, before it starts and for its remainder while it runs: expected by
 * running it against simulated targets, worst case in worst-case.ts. The expected numbers are for a steady target; a
 * noisy one takes about half as many bursts again. Does not know the real target.
 */
import { CANARY } from './canary.js';
import type { BurstFacts } from './engine-interface.js';
import { Loads, median } from './judged-loads.js';
import type { SearchOptions } from './search-options.js';
import type { SearchState, Step } from './state.js';
import { beginSearch, failedHandshakes, step } from './state-machine.js';
import { type Spending, worstCase } from './worst-case.js';

export interface Forecast {
  /**
   * The drop-offs that the expectation is averaged over: the one that the user expects, or several over the whole
   * range.
   */
  readonly dropOffs: readonly number[];
  readonly expected: Spending;
  readonly worst: Spending;
}

export interface Durations {
  /** A burst that the target answers, including opening and closing. */
  readonly usualBurstMs: number;
  /** A burst that ends by its deadline. */
  readonly longestBurstMs: number;
}

/** Duration of a burst that passes, including opening and closing, when the target is not known yet. */
export const USUAL_BURST_MS = 2000;
/** Guesses of the drop-off if none is given: shares of the range on a log axis. */
const GUESSES = [0.6, 0.8, 0.95];
/** The simulated capacity varies by this much from burst to burst, in an order that does not favour halving. */
const JITTER = 0.03;
const GOLDEN = 0.618_033_988_749_895;

export function forecast(options: SearchOptions, durations: Durations, expect: number | null = null): Forecast {
  const dropOffs = expect === null ? guesses(options) : [expect];
  const runs = dropOffs.flatMap((dropOff) =>
    [false, true].map((isHarsh) => {
      const { state } = rehearse(beginSearch(options, 0), durations.usualBurstMs, dropOff, isHarsh);
      return spendingOf(state);
    }),
  );
  const mean = (of: (spending: Spending) => number) =>
    Math.round(runs.reduce((sum, run) => sum + of(run), 0) / runs.length);
  return {
    dropOffs,
    expected: {
      bursts: mean(({ bursts }) => bursts),
      handshakes: mean(({ handshakes }) => handshakes),
      failedHandshakes: mean((run) => run.failedHandshakes),
      wallMs: mean(({ wallMs }) => wallMs),
    },
    worst: worstCase(options, durations.longestBurstMs),
  };
}

function guesses({ start, max }: SearchOptions): number[] {
  return [...new Set(GUESSES.map((share) => Math.round(start * (max / start) ** share)))];
}

/**
 * Remaining time of a running search, ms, waits included: simulated from its current state to the most likely drop-off,
 * with bursts as long as those before. 0 when it is over.
 */
export function msLeft(now: Step, usualBurstMs: number): number {
  const { state } = now;
  const took = state.history.map(({ startedAtMs, endedAtMs }) => endedAtMs - startedAtMs);
  const { state: end } = rehearse(now, median(took) ?? usualBurstMs, likelyDropOff(state), false);
  return end.lastAtMs - state.lastAtMs;
}

function likelyDropOff(state: SearchState): number {
  const { lo, hi } = new Loads(state).bounds();
  const { min, max } = state.options;
  const { hint } = state.cursor;
  const least = lo ?? min;
  const most = hi ?? max;
  return hint !== null && hint > least && hint < most ? hint : Math.sqrt(least * most);
}

/** `isHarsh`: beyond its capacity the target serves none, instead of as many as it can. */
function rehearse(from: Step, burstMs: number, dropOff: number, isHarsh: boolean): Step {
  let { state, action } = from;
  let nowMs = state.lastAtMs;
  while (action.do !== 'stop') {
    if (action.do === 'rest') {
      nowMs = action.untilMs;
      ({ state, action } = step(state, { is: 'rested', nowMs }));
    } else if (action.do === 'canary') {
      nowMs += CANARY.overMs;
      const facts = { attempted: CANARY.handshakes, survived: CANARY.handshakes, p95Ms: 1 };
      ({ state, action } = step(state, { is: 'canary', nowMs, facts }));
    } else {
      nowMs += burstMs;
      const capacity = Math.floor(dropOff * (1 + JITTER * (((action.index + 1) * GOLDEN) % 1) - JITTER / 2));
      const survived = action.size <= capacity ? action.size : isHarsh ? 0 : capacity;
      const facts = rehearsedFacts(state.options, action.size, survived);
      ({ state, action } = step(state, { is: 'burst', nowMs, facts }));
    }
  }
  return { state, action };
}

function rehearsedFacts({ objectives }: SearchOptions, launched: number, survived: number): BurstFacts {
  return {
    launched,
    survived,
    failed: objectives.map(() => [launched - survived, launched - survived] as const),
    outcomes: {},
    spreadMs: null,
    makespanMs: null,
    p50Ms: null,
    p99Ms: null,
    paced: false,
    invalid: null,
  };
}

function spendingOf(state: SearchState): Spending {
  const bursts = state.history.length;
  const handshakes = state.history.reduce((sum, { size }) => sum + size, state.canary.handshakes);
  return { bursts, handshakes, failedHandshakes: failedHandshakes(state), wallMs: state.lastAtMs };
}
