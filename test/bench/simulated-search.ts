/**
 * Drives a search against a simulated target: answers each of its actions, moves the clock. It counts by itself what was
 * sent, so that what the search says of its cost can be checked against it.
 */

import type { BurstFacts, SearchAction, SearchEvent } from '#dist/search/engine-interface.js';
import type { SearchOptions } from '#dist/search/search-options.js';
import type { SearchState, Step } from '#dist/search/state.js';
import { beginSearch, step } from '#dist/search/state-machine.js';
import type { SimulatedTarget } from './simulated-targets.js';

export interface Timing {
  readonly burstMs: number;
  readonly canaryMs: number;
}

export const USUAL: Timing = { burstMs: 2000, canaryMs: 1000 };

export interface Run {
  readonly state: SearchState;
  readonly fired: readonly { readonly size: number; readonly fresh: boolean; readonly index: number }[];
  /** In bursts. */
  readonly handshakes: number;
  /** Bursts that missed the objective by count, slack or not. */
  readonly overloads: number;
  readonly nowMs: number;
}

export interface Hooks {
  /** Sees each step and may replace it: a search that was saved and read again, or told of something else. */
  readonly between?: (step: Step, nowMs: number) => Step;
  /** Changes what a burst is told to have been. */
  readonly facts?: (facts: BurstFacts, size: number) => BurstFacts;
}

export function run(target: SimulatedTarget, options: SearchOptions, timing = USUAL, hooks: Hooks = {}): Run {
  const fired: Run['fired'][number][] = [];
  let [nowMs, handshakes, overloads] = [0, 0, 0];
  let now = beginSearch(options, nowMs);
  for (let i = 0; now.action.do !== 'stop'; i++) {
    if (i > 100_000) throw new Error('the search does not end');
    if (hooks.between !== undefined) now = hooks.between(now, nowMs);
    const { action } = now;
    if (action.do === 'stop') break;
    if (action.do === 'rest') {
      nowMs = Math.max(nowMs, action.untilMs);
    } else if (action.do === 'fire') {
      fired.push(action);
      handshakes += action.size;
    }
    const event = answer(target, action, nowMs, timing, hooks);
    if (event.is === 'burst' && isOverload(event.facts, options)) overloads++;
    nowMs = event.nowMs;
    now = step(now.state, event);
  }
  return { state: now.state, fired, handshakes, overloads, nowMs };
}

function answer(
  target: SimulatedTarget,
  action: Exclude<SearchAction, { do: 'stop' }>,
  nowMs: number,
  timing: Timing,
  hooks: Hooks,
): SearchEvent {
  if (action.do === 'rest') return { is: 'rested', nowMs };
  if (action.do === 'canary') {
    const { handshakes } = action;
    const endMs = nowMs + timing.canaryMs;
    const facts = { attempted: handshakes, survived: handshakes - target.canaryFailures(handshakes, endMs), p95Ms: 1 };
    return { is: 'canary', nowMs: endMs, facts };
  }
  const facts = factsOf(action.size, target.burst(action.size, nowMs));
  return { is: 'burst', nowMs: nowMs + timing.burstMs, facts: hooks.facts?.(facts, action.size) ?? facts };
}

/** A burst whose handshakes are exactly timed, of which `met` met the one objective. */
export function factsOf(size: number, met: number): BurstFacts {
  return {
    launched: size,
    survived: met,
    failed: [[size - met, size - met]],
    outcomes: met === size ? { '101': size } : { '101': met, '503': size - met },
    spreadMs: 10,
    makespanMs: 1000,
    p50Ms: [1, 1],
    p99Ms: [2, 2],
    paced: false,
    invalid: null,
  };
}

function isOverload(facts: BurstFacts, { objectives }: SearchOptions): boolean {
  return facts.failed[0][1] > facts.launched * (1 - objectives[0].share) + 1e-9;
}
