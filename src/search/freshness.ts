/**
 * When a target counts as rested for a burst (docs/method.md, "Freshness"), and what bursts show about an unrested
 * target: an overload may leave it weaker, and so may a burst that passed. Owns the rule and its evidence; the state
 * machine waits for it, and the flags report it.
 */
import { CANARY } from './canary.js';
import type { Fired, SearchState } from './state.js';

/** Tolerance for instants, which are sums of fractions of a ms. */
export const SAME_INSTANT_MS = 1e-3;
/** Rest after a bad burst, in multiples of its cool-down, after which the target counts as rested. */
const FRESH_OVER_BAD_COOL = 2;
/** A burst affects later bursts of at most this many times its size: the effect of a smaller one is negligible. */
const TIRES_TIMES = 4;
/** A recovery check does so where the places that it may still hold are more than this part of the bracket's width. */
const CHECK_OF_WIDTH = 0.25;

/** Without this many passes on a rested target, a failure on an unrested one may be caused by the load. */
const FRESH_PASSES = 2;

/** Rest after which a target counts as rested. */
export function freshWaitOf({ options, badCoolMs }: Pick<SearchState, 'options' | 'badCoolMs'>): number {
  return Math.max(options.freshWaitMs, FRESH_OVER_BAD_COOL * badCoolMs);
}

/**
 * From when on a burst of `size` finds a rested target: after breaks, and after all bursts and the recovery check that
 * could tire it for that size.
 */
export function freshAtMs(state: SearchState, size: number): number {
  const tiring = state.history.filter((fired) => tires(fired, size)).map(({ endedAtMs }) => endedAtMs);
  const checkedAtMs = checkTires(state, size)
    ? (state.checkedAtMs ?? Number.NEGATIVE_INFINITY)
    : Number.NEGATIVE_INFINITY;
  return Math.max(brokenAtMs(state), checkedAtMs, ...tiring) + freshWaitOf(state);
}

export function isFresh(state: SearchState, size: number): boolean {
  return state.lastAtMs >= freshAtMs(state, size) - SAME_INSTANT_MS;
}

/** No overload was recent enough to still have an effect. */
export function isUnbroken(state: SearchState): boolean {
  return state.lastAtMs >= brokenAtMs(state) + freshWaitOf(state) - SAME_INSTANT_MS;
}

function brokenAtMs({ lastBadEndMs }: SearchState): number {
  return lastBadEndMs ?? Number.NEGATIVE_INFINITY;
}

/** An invalid burst says nothing about the target, but its effect on the target must end too. */
export function mayHaveBroken({ verdict, size, facts }: Fired): boolean {
  return verdict === 'bad' || (verdict === 'invalid' && facts.launched - facts.survived > size / 100);
}

function tires(fired: Fired, size: number): boolean {
  return fired.size * TIRES_TIMES >= size;
}

function checkTires({ options }: SearchState, size: number): boolean {
  return CANARY.handshakes > CHECK_OF_WIDTH * options.width * size;
}

/**
 * A burst, and how long before it something happened that may have weakened the target; null: nothing within the wait.
 */
interface Aged {
  readonly fired: Fired;
  readonly sinceBreakMs: number | null;
  readonly sinceBurst: { readonly ms: number; readonly size: number } | null;
}

function aged(state: SearchState): Aged[] {
  const { history } = state;
  const waitMs = freshWaitOf(state);
  return history.map((fired, place) => {
    const since = ({ endedAtMs }: Fired) => fired.startedAtMs - endedAtMs;
    const before = history.slice(0, place).filter((one) => since(one) < waitMs - SAME_INSTANT_MS);
    const broken = before.findLast(mayHaveBroken);
    const tiring = before.findLast((one) => tires(one, fired.size));
    // What nothing else kept from rest came right after a recovery check.
    const check = fired.fresh || !checkTires(state, fired.size) ? null : { ms: CANARY.overMs, size: CANARY.handshakes };
    return {
      fired,
      sinceBreakMs: broken === undefined ? null : since(broken),
      sinceBurst: tiring === undefined ? check : { ms: since(tiring), size: tiring.size },
    };
  });
}

/** Bursts that no recent overload could still affect. */
export function unbrokenBursts(state: SearchState): Fired[] {
  return aged(state).flatMap(({ fired, sinceBreakMs }) => (sinceBreakMs === null ? [fired] : []));
}

/** By the rest that is known now to be needed, which may be longer than when they were sent. */
export function restedBursts(state: SearchState): Fired[] {
  const isRested = ({ sinceBreakMs, sinceBurst }: Aged) => sinceBreakMs === null && sinceBurst === null;
  return aged(state)
    .filter(isRested)
    .map(({ fired }) => fired);
}

/**
 * Bursts whose verdict does not depend on rest: passes, failures of a rested target, and failures contradicted by
 * another burst.
 */
export function steadyBursts(state: SearchState): Fired[] {
  const all = aged(state);
  const passes = all.filter(({ fired }) => fired.verdict === 'good');
  return all.flatMap((one) => {
    const { fired } = one;
    if (fired.verdict === 'invalid') return [];
    if (fired.verdict !== 'bad' || fired.fresh) return [fired];
    return passes.some((pass) => pass.fired.size * (1 + state.options.width) >= fired.size && isAsTired(pass, one))
      ? [fired]
      : [];
  });
}

/**
 * The same for a target that a break leaves weaker for a while: a failure counts when it was rested, by what is known now,
 * or when it had passed as much since the break.
 */
export function recoveredBursts(state: SearchState): Fired[] {
  const { history, options } = state;
  const rested = new Set(restedBursts(state));
  return steadyBursts(state).filter((one) => {
    if (one.verdict !== 'bad' || rested.has(one)) return true;
    const before = history.slice(0, history.indexOf(one));
    const broken = before.findLastIndex(mayHaveBroken);
    const since = before.slice(broken + 1).filter(({ verdict }) => verdict === 'good');
    return !one.fresh && since.some(({ size }) => size * (1 + options.width) >= one.size);
  });
}

/**
 * Bursts that failed on an unrested target, at loads that a rested one passes. A failure counts as chance if another
 * burst passed that was as large and came as soon.
 */
function failuresOfTheUnrested(state: SearchState): Aged[] {
  const all = aged(state);
  const rested = all.filter(({ fired }) => fired.fresh && fired.counts !== null);
  const passes = all.filter(({ fired }) => !fired.fresh && fired.verdict === 'good');
  return all.filter((failure) => {
    const { size, verdict, fresh } = failure.fired;
    if (verdict !== 'bad' || fresh) return false;
    const taken = rested.filter(({ fired }) => fired.verdict === 'good' && fired.size >= size);
    const isTaken =
      taken.length >= FRESH_PASSES && !rested.some(({ fired }) => fired.verdict === 'bad' && fired.size <= size);
    return (
      isTaken && !passes.some((pass) => pass.fired.size * (1 + state.options.width) >= size && isAsTired(pass, failure))
    );
  });
}

function isAsTired(pass: Aged, failure: Aged): boolean {
  if (failure.sinceBreakMs !== null) {
    return pass.sinceBreakMs !== null && pass.sinceBreakMs <= failure.sinceBreakMs + SAME_INSTANT_MS;
  }
  const [before, then] = [pass.sinceBurst, failure.sinceBurst];
  if (before === null || then === null || before.ms > then.ms + SAME_INSTANT_MS) return false;
  return before.size * failure.fired.size >= then.size * pass.fired.size;
}

/** A load that passes when the target is rested, and failed only when it was not (docs/method.md, "Hysteresis"). */
export function failsUnrested(state: SearchState, size: number): boolean {
  return failuresOfTheUnrested(state).some(({ fired }) => fired.size === size);
}

/**
 * The longest time after a passed burst in which the target failed a load that it passes when rested, without an
 * overload before; null if that never happened.
 */
export function tiredForMs(state: SearchState): number | null {
  const times = failuresOfTheUnrested(state).flatMap(({ sinceBreakMs, sinceBurst }) =>
    sinceBreakMs === null && sinceBurst !== null ? [sinceBurst.ms] : [],
  );
  return times.length === 0 ? null : Math.max(...times);
}

/** A load that passes on a rested target failed soon after an overload. */
export function failedAfterBreak(state: SearchState): boolean {
  return failuresOfTheUnrested(state).some(({ sinceBreakMs }) => sinceBreakMs !== null);
}
