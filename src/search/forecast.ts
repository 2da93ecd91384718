/**
 * What a search will cost, said before it begins: expected, by running it against calculated targets, and at the very
 * worst (worst-case.ts). The expected numbers are those of a well-behaved target; a noisy one takes about half as many
 * bursts again. It refuses to know the real target.
 */
import { CANARY } from './canary.js';
import { beginSearch, failedHandshakes, step } from './machine.js';
import type { SearchOptions } from './options.js';
import type { BurstFacts, SearchState } from './state.js';
import { type Spending, worstCase } from './worst-case.js';

export interface Forecast {
  /** Drop-offs that the expectation is made of: the one that the person expects, or some over the whole range. */
  readonly dropOffs: readonly number[];
  readonly expected: Spending;
  readonly worst: Spending;
}

export interface Durations {
  /** A burst that the target answers, opened and closed. */
  readonly usualBurstMs: number;
  /** One that ends by its deadline. */
  readonly longestBurstMs: number;
}

/** Where in the range a drop-off may be when nobody has an idea: shares of the range on a log axis. */
const GUESSES = [0.6, 0.8, 0.95];
/** A target whose capacity varies from burst to burst by so much, in an order that fools no halving. */
const JITTER = 0.03;
const GOLDEN = 0.618_033_988_749_895;

export function forecast(options: SearchOptions, durations: Durations, expect: number | null = null): Forecast {
  const dropOffs = expect === null ? guesses(options) : [expect];
  const runs = dropOffs.flatMap((dropOff) =>
    [false, true].map((isHarsh) => rehearse(options, durations, dropOff, isHarsh)),
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

/** `isHarsh`: over its capacity the target serves nobody, instead of as many as it can. */
function rehearse(options: SearchOptions, durations: Durations, dropOff: number, isHarsh: boolean): Spending {
  let { state, action } = beginSearch(options, 0);
  let nowMs = 0;
  while (action.do !== 'stop') {
    if (action.do === 'rest') {
      nowMs = action.untilMs;
      ({ state, action } = step(state, { is: 'rested', nowMs }));
    } else if (action.do === 'canary') {
      nowMs += CANARY.overMs;
      const facts = { attempted: CANARY.handshakes, survived: CANARY.handshakes, p95Ms: 1 };
      ({ state, action } = step(state, { is: 'canary', nowMs, facts }));
    } else {
      nowMs += durations.usualBurstMs;
      const capacity = Math.floor(dropOff * (1 + JITTER * (((action.index + 1) * GOLDEN) % 1) - JITTER / 2));
      const survived = action.size <= capacity ? action.size : isHarsh ? 0 : capacity;
      ({ state, action } = step(state, { is: 'burst', nowMs, facts: factsOf(options, action.size, survived) }));
    }
  }
  return spendingOf(state, nowMs);
}

function factsOf({ objectives }: SearchOptions, launched: number, survived: number): BurstFacts {
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

function spendingOf(state: SearchState, wallMs: number): Spending {
  const bursts = state.history.length;
  const handshakes = state.history.reduce((sum, { size }) => sum + size, state.canary.handshakes);
  return { bursts, handshakes, failedHandshakes: failedHandshakes(state), wallMs };
}
