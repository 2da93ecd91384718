/**
 * The search as a state machine (docs/method.md, "Around one burst"): it receives events and returns the next action.
 * Owns the order of steps around a burst (budget, rest, recovery check, burst, cool-down), the cost of an invalid
 * burst, and when rest is required. It has no clock, socket, promise or random source: `step` is a function of state
 * and event.
 */

import { drainOf, hintOf, judge } from './burst-verdict.js';
import { CANARY, counted, isAnswered, isHealthy, isRefused, NO_CANARIES, nextPoll, UNPROVEN } from './canary.js';
import type { BurstFacts, CanaryFacts, SearchAction, SearchEvent, WhyRest } from './engine-interface.js';
import { failsUnrested, freshAtMs, isFresh, isUnbroken, mayHaveBroken, SAME_INSTANT_MS } from './freshness.js';
import { Loads, median } from './judged-loads.js';
import { cursorAfter, NEW_CURSOR, nextLoad } from './next.js';
import { beginRestore, type Restored, restoreAfter, skipSentinel } from './restore.js';
import type { SearchOptions } from './search-options.js';
import type { Fired, SearchEnd, SearchState, Shot, Step } from './state.js';
import { afterSweepBurst, beginSweep, sweepShot } from './sweep.js';
import { mostHandshakes } from './worst-case.js';

export function beginSearch(options: SearchOptions, nowMs: number): Step {
  return advance({
    version: 1,
    options,
    startedAtMs: nowMs,
    lastAtMs: nowMs,
    pausedMs: 0,
    history: [],
    baseline: [],
    canary: NO_CANARIES,
    health: UNPROVEN,
    lastBadEndMs: null,
    badCoolMs: options.coolMs,
    restUntilMs: nowMs,
    whyRest: 'cool',
    freshMode: false,
    restored: false,
    restore: null,
    recoveredAfterMs: null,
    cursor: NEW_CURSOR,
    shot: null,
    inFlight: null,
    limits: { max: options.max, invalidFrom: null, blocked: [], reason: null },
    sweep: null,
    ended: null,
  });
}

/**
 * Processes an event and returns the next action. An event that does not match the requested action is a bug of the
 * caller; an early one (`rested` too soon) is answered with the same action again.
 */
export function step(before: SearchState, event: SearchEvent): Step {
  const state = at(before, event.nowMs);
  if (state.ended !== null) return advance(state);
  switch (event.is) {
    case 'rested':
      return advance(state);
    case 'canary':
      return advance(onCanary(state, event.facts));
    case 'burst':
      return advance(onBurst(state, event.facts));
    case 'limit':
      return advance(onLimit(state, event.max, event.reason));
  }
}

/** Resumes after an interruption. A burst in flight is lost, and its index is not reused. */
export function resumeSearch(saved: SearchState, nowMs: number): Step {
  const state = at(saved, nowMs);
  if (state.ended !== null) return advance(state);
  return advance(onResumed({ ...state, pausedMs: state.pausedMs + state.lastAtMs - saved.lastAtMs }));
}

/** If the clock was set back, a rest must not become longer. */
function at(before: SearchState, nowMs: number): SearchState {
  return { ...before, lastAtMs: Math.max(before.lastAtMs, nowMs) };
}

/** The next action: one at a time, until nothing is left to do before the next burst. */
function advance(state: SearchState): Step {
  if (state.ended !== null) return { state, action: { do: 'stop', ...state.ended } };
  if (state.inFlight !== null && state.shot !== null) return { state, action: fireAction(state, state.shot) };
  if (state.baseline.length < CANARY.baselines) return { state, action: canaryAction() };
  const chosen = state.shot === null ? choose(state) : state;
  const { shot } = chosen;
  if (chosen.ended !== null || shot === null) return advance(chosen);
  const spent = spentBy(chosen, shot.size);
  if (spent !== null) return advance(end(chosen, spent));
  if (chosen.lastAtMs < chosen.restUntilMs - SAME_INSTANT_MS) return rest(chosen, chosen.restUntilMs, chosen.whyRest);
  // Before the rest and not after it: the handshakes of a recovery check may hold places, too.
  if (!chosen.health.isProven) return { state: chosen, action: canaryAction() };
  const wantsFresh = chosen.sweep === null && (shot.fresh || chosen.freshMode);
  if (wantsFresh && !isFresh(chosen, shot.size)) return rest(chosen, freshAtMs(chosen, shot.size), 'fresh');
  const flying: SearchState = { ...chosen, inFlight: { sinceMs: chosen.lastAtMs, fresh: isFresh(chosen, shot.size) } };
  return { state: flying, action: fireAction(flying, shot) };
}

function canaryAction(): SearchAction {
  return { do: 'canary', handshakes: CANARY.handshakes, overMs: CANARY.overMs };
}

function fireAction({ history, inFlight }: SearchState, { size, why }: Shot): SearchAction {
  return { do: 'fire', index: history.length, size, fresh: inFlight?.fresh ?? false, why };
}

function rest(state: SearchState, untilMs: number, why: WhyRest): Step {
  if (untilMs > deadlineMs(state)) return advance(end(state, OVER_DEADLINE));
  return { state, action: { do: 'rest', untilMs, why } };
}

function choose(state: SearchState): SearchState {
  if (state.restore !== null) {
    const { loads, at } = state.restore;
    return { ...state, shot: { size: loads[at], fresh: false, why: 'sentinel', invalid: 0 } };
  }
  if (state.sweep !== null) return { ...state, shot: sweepShot(state.sweep) };
  const choice = nextLoad(state);
  if ('shot' in choice) return { ...state, ...choice };
  const { lo, hi } = new Loads(state).bounds();
  if (choice.verdict !== 'FOUND' || !state.options.downSweep || lo === null || hi === null) return end(state, choice);
  const sweep = beginSweep(lo, hi, state.options.min, !isUnbroken(state), choice);
  // A burst of the down-sweep follows soon after the overload, whatever rest the search has learned.
  const restUntilMs = Math.min(state.restUntilMs, state.lastAtMs + state.options.coolMs);
  return { ...state, sweep, restUntilMs, shot: sweepShot(sweep) };
}

/** Ends with the search's own verdict: once the drop-off is found, later steps do not change it. */
function end(state: SearchState, ended: SearchEnd): SearchState {
  return { ...state, shot: null, restore: null, ended: state.sweep?.found ?? ended };
}

const OVER_DEADLINE: SearchEnd = { verdict: 'BUDGET', because: 'the deadline left no time for the next burst' };

function spentBy(state: SearchState, size: number): SearchEnd | null {
  const { options, history, canary } = state;
  const { budget, harm } = options;
  if (history.length >= budget) return { verdict: 'BUDGET', because: `all ${budget} bursts were used` };
  const failed = failedHandshakes(state);
  if (failed >= harm)
    return {
      verdict: 'BUDGET',
      because: `${failed.toLocaleString('en-US')} handshakes failed, ${harm.toLocaleString('en-US')} may`,
    };
  if (state.lastAtMs >= deadlineMs(state)) return OVER_DEADLINE;
  // Interruptions repeat recovery checks, but the announced maximum still applies.
  const sent = canary.handshakes + history.reduce((sum, fired) => sum + fired.size, 0);
  if (sent + CANARY.handshakes + size <= mostHandshakes(options)) return null;
  return { verdict: 'BUDGET', because: `${sent.toLocaleString('en-US')} handshakes were sent, no more were promised` };
}

export function failedHandshakes({ history, canary }: SearchState): number {
  const ofBurst = ({ launched, survived }: BurstFacts) => launched - survived;
  return history.reduce((sum, { facts }) => sum + ofBurst(facts), canary.failed);
}

export function deadlineMs({ startedAtMs, pausedMs, options }: SearchState): number {
  return startedAtMs + pausedMs + options.deadlineMs;
}

function onCanary(before: SearchState, facts: CanaryFacts): SearchState {
  const state: SearchState = { ...afterBreak(before, facts), checkedAtMs: before.lastAtMs };
  // Where most fail, that is no background: a break, or bursts that passed, still hold the target.
  const canary = counted(state.canary, facts, isUnbroken(state) && !isRefused(facts));
  if (state.baseline.length < CANARY.baselines) {
    const baseline = [...state.baseline, facts];
    return { ...state, canary, baseline, health: { ...UNPROVEN, isProven: baseline.length === CANARY.baselines } };
  }
  if (isHealthy(facts, state.baseline)) return { ...state, canary, health: { ...UNPROVEN, isProven: true } };
  const poll = nextPoll(state.health, state.lastAtMs, state.options.maxWaitMs);
  if (poll === null) {
    // Slower than at first, without an overload before: the baseline was lucky, or this machine is busy. The target is
    // not overloaded.
    const isOnlySlow = state.lastBadEndMs === null && isAnswered(facts, state.baseline);
    if (isOnlySlow) return { ...state, canary, health: { ...UNPROVEN, isProven: true } };
    return end({ ...state, canary }, unhealthy(state));
  }
  return { ...state, canary, health: poll.health, restUntilMs: poll.atMs, whyRest: 'canary' };
}

/** Records with the overloading burst how long most single handshakes kept failing after it. */
function afterBreak(state: SearchState, facts: CanaryFacts): SearchState {
  const last = state.history.at(-1);
  if (last?.verdict !== 'bad') return state;
  const refusedMs = isRefused(facts) ? state.lastAtMs - last.endedAtMs : (last.refusedMs ?? 0);
  return { ...state, history: [...state.history.slice(0, -1), { ...last, refusedMs }] };
}

function unhealthy({ options, lastBadEndMs }: SearchState): SearchEnd {
  const after = lastBadEndMs === null ? 'although nothing had broken it' : 'after a break';
  const because = `single handshakes were not as before within ${options.maxWaitMs / 1000} s, ${after}`;
  return { verdict: 'DID_NOT_RECOVER', because };
}

function onLimit(state: SearchState, most: number, reason: string): SearchState {
  const { shot, limits, restore, sweep } = state;
  const max = Math.min(limits.max, most);
  const lowered: SearchState = { ...state, limits: { ...limits, max, reason } };
  if (shot === null || shot.size <= max) return max < limits.max ? lowered : state;
  const idle: SearchState = { ...lowered, shot: null, inFlight: null };
  if (sweep !== null) return end(idle, sweep.found);
  return restore === null ? idle : afterRestore(idle, skipSentinel(restore, state.options.maxWaitMs));
}

/** A burst in flight may have reached the target: its index is used up, and it counts as an overload that has ended. */
function onResumed(state: SearchState): SearchState {
  const { shot, inFlight } = state;
  const idle: SearchState = { ...state, health: UNPROVEN };
  if (shot === null || inFlight === null) return idle;
  const facts: BurstFacts = {
    launched: shot.size,
    survived: shot.size,
    failed: state.options.objectives.map(() => [0, 0] as const),
    outcomes: {},
    spreadMs: null,
    makespanMs: null,
    p50Ms: null,
    p99Ms: null,
    paced: false,
    invalid: 'interrupted before its end',
  };
  const fired = firedOf({ ...state, lastAtMs: inFlight.sinceMs }, shot, facts, 'invalid', null, facts.invalid);
  return { ...idle, inFlight: null, history: [...state.history, fired], lastBadEndMs: inFlight.sinceMs };
}

function onBurst(state: SearchState, facts: BurstFacts): SearchState {
  const { shot, inFlight, options } = state;
  if (shot === null || inFlight === null) throw new Error('a burst was told of that was not asked for');
  if (facts.failed.length !== options.objectives.length)
    throw new Error('a burst must tell its failures of each objective');
  const { verdict, binding, reason } = judge(shot.size, facts, options, options.drain ? usualDrain(state) : null);
  const fired = firedOf(state, shot, facts, verdict, binding, reason);
  const isBad = verdict === 'bad';
  const cooled: SearchState = {
    ...state,
    inFlight: null,
    health: UNPROVEN,
    history: [...state.history, fired],
    lastBadEndMs: mayHaveBroken(fired) ? state.lastAtMs : state.lastBadEndMs,
    restUntilMs: state.lastAtMs + (isBad && state.sweep === null ? state.badCoolMs : options.coolMs),
    whyRest: 'cool',
  };
  if (verdict === 'invalid') return onInvalid(cooled, shot, reason ?? 'invalid');
  const done: SearchState = { ...cooled, shot: null, cursor: { ...cooled.cursor, lastWasBad: isBad } };
  if (state.restore !== null) return onSentinel(done, fired);
  if (state.sweep !== null) return onSweep(done, fired);
  return onSearched(done, fired, new Loads(state).bounds().hi === null);
}

function firedOf(
  state: SearchState,
  shot: Shot,
  facts: BurstFacts,
  verdict: Fired['verdict'],
  binding: number | null,
  reason: string | null,
): Fired {
  const fresh = state.inFlight?.fresh ?? false;
  const counts =
    verdict === 'invalid' || state.restore !== null || state.sweep !== null ? null : fresh ? 'fresh' : 'stale';
  const startedAtMs = state.inFlight?.sinceMs ?? state.lastAtMs;
  const { size, why } = shot;
  const index = state.history.length;
  return { index, size, why, fresh, counts, verdict, binding, reason, startedAtMs, endedAtMs: state.lastAtMs, facts };
}

/** One retry; then the load counts as beyond the generator. It never counts against the target. */
function onInvalid(state: SearchState, shot: Shot, reason: string): SearchState {
  if (shot.invalid === 0) return { ...state, shot: { ...shot, invalid: 1 } };
  const { limits } = state;
  const invalidFrom = Math.min(limits.invalidFrom ?? shot.size, shot.size);
  const barred: SearchState = {
    ...state,
    shot: null,
    limits: { ...limits, invalidFrom, blocked: [...limits.blocked, shot.size], reason },
  };
  if (state.restore !== null) return afterRestore(barred, skipSentinel(state.restore, state.options.maxWaitMs));
  if (state.sweep !== null) return end(barred, state.sweep.found);
  return barred;
}

function onSentinel(state: SearchState, fired: Fired): SearchState {
  const { restore, options } = state;
  if (restore === null) return state;
  const restored = restoreAfter(restore, fired.verdict, fired.index, options.maxWaitMs);
  if (restored.is !== 'recovered') {
    const waitMs = restored.is === 'again' ? restored.restore.waitMs : 0;
    const resting: SearchState = { ...state, restUntilMs: state.restUntilMs + waitMs, whyRest: 'recover' };
    return afterRestore(resting, restored);
  }
  const { missed, waitMs } = restored;
  const history = state.history.map((one) =>
    one === fired || one.index === missed ? { ...one, counts: 'fresh' as const } : one,
  );
  const whole: SearchState = { ...state, history, restore: null };
  if (waitMs === null) return whole;
  const lastBad = state.history.findLast((one) => one.verdict === 'bad');
  const recoveredAfterMs = lastBad === undefined ? null : fired.startedAtMs - lastBad.endedAtMs;
  return { ...whole, badCoolMs: waitMs, recoveredAfterMs };
}

function afterRestore(state: SearchState, restored: Restored): SearchState {
  if (restored.is === 'again') return { ...state, restore: restored.restore };
  const isProven = state.history.some(({ why, verdict }) => why === 'sentinel' && verdict === 'bad');
  if (!isProven) {
    return end(state, {
      verdict: 'GENERATOR_LIMITED',
      because: `recovery can't be proven from here: ${state.limits.reason}`,
    });
  }
  const largest = state.restore?.loads[0] ?? 0;
  const because = `it broke and did not take ${largest} again, nor any smaller load that it had taken before`;
  return end(state, { verdict: 'DID_NOT_RECOVER', because });
}

function onSweep(state: SearchState, fired: Fired): SearchState {
  if (state.sweep === null) return state;
  const { sweep, isOver } = afterSweepBurst(state.sweep, fired.verdict);
  const next: SearchState = { ...state, sweep };
  return isOver ? end(next, sweep.found) : next;
}

/** `isRamp`: no load was bad before this burst. */
function onSearched(state: SearchState, fired: Fired, isRamp: boolean): SearchState {
  const { options } = state;
  const suspicious = suspectsHysteresis(state, fired.size);
  const base: SearchState = suspicious
    ? { ...state, freshMode: true, cursor: { ...state.cursor, plan: 'none' } }
    : state;
  const cursor = cursorAfter(base.cursor, fired, hintOf(fired.facts, options.objectives), isRamp);
  const moved: SearchState = { ...base, cursor };
  if (!isRamp || fired.verdict !== 'bad' || state.restored) return moved;
  const loads = new Loads(moved);
  if (loads.bounds().lo === null) return moved;
  return { ...moved, restored: true, restore: beginRestore(loads, moved.badCoolMs) };
}

/** A load that passes when the target is rested and failed only when it was not (docs/method.md, "Hysteresis"). */
function suspectsHysteresis(state: SearchState, size: number): boolean {
  const load = new Loads(state).get(size);
  if (state.freshMode || load === null) return false;
  const isSuspect = load.freshGood >= 2 && load.staleBad >= 1 && load.freshBad === 0;
  return isSuspect && failsUnrested(state, size);
}

/** The median rate at loads that are decided to be good (docs/method.md, "Drain rate"). */
function usualDrain(state: SearchState): number | null {
  const loads = new Loads(state);
  const good = state.history.filter(({ counts, size }) => counts !== null && loads.isDecidedGood(size));
  return median(good.flatMap(({ facts }) => drainOf(facts) ?? []));
}
