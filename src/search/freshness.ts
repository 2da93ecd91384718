/**
 * When a target counts as rested for a burst (docs/method.md, "Freshness"), and what the bursts say of a target that was
 * not: a break may leave it weaker, and so may a burst that passed. It owns the rule and its evidence; who waits for it
 * is the state machine's, what is said of it the flags'.
 */
import type { Fired, SearchState } from './state.js';

/** Instants are sums of fractions of a ms. */
export const SAME_INSTANT_MS = 1e-3;
/** Rest after a bad burst, in its cool-downs, that makes the target count as rested. */
const FRESH_OVER_BAD_COOL = 2;
/** A burst tires the target for those of at most so many times its size: a smaller one leaves too little to be missed. */
const TIRES_TIMES = 4;

/** Passes of a rested target without which a failure of a tired one may be that of the load. */
const FRESH_PASSES = 2;

/** Rest that makes a target count as rested. */
export function freshWaitOf({ options, badCoolMs }: Pick<SearchState, 'options' | 'badCoolMs'>): number {
  return Math.max(options.freshWaitMs, FRESH_OVER_BAD_COOL * badCoolMs);
}

/** From when on a burst of `size` finds a rested target: after breaks, and after all bursts that could tire it for that size. */
export function freshAtMs(state: SearchState, size: number): number {
  const tiring = state.history.filter((fired) => tires(fired, size)).map(({ endedAtMs }) => endedAtMs);
  return Math.max(brokenAtMs(state), ...tiring) + freshWaitOf(state);
}

export function isFresh(state: SearchState, size: number): boolean {
  return state.lastAtMs >= freshAtMs(state, size) - SAME_INSTANT_MS;
}

/** No break was so recent that it can still be felt. */
export function isUnbroken(state: SearchState): boolean {
  return state.lastAtMs >= brokenAtMs(state) + freshWaitOf(state) - SAME_INSTANT_MS;
}

function brokenAtMs({ lastBadEndMs }: SearchState): number {
  return lastBadEndMs ?? Number.NEGATIVE_INFINITY;
}

/** An invalid burst says nothing about the target, but whatever it did to it has to wear off. */
export function mayHaveBroken({ verdict, size, facts }: Fired): boolean {
  return verdict === 'bad' || (verdict === 'invalid' && facts.launched - facts.survived > size / 100);
}

function tires(fired: Fired, size: number): boolean {
  return fired.size * TIRES_TIMES >= size;
}

/** A burst and what came shortly before it. */
interface Aged {
  readonly fired: Fired;
  /** Since the last burst that could tire the target for it, and that burst; null: none came within the wait. */
  readonly after: { readonly ms: number; readonly size: number } | null;
  /** A break ended within the wait before it. */
  readonly afterBreak: boolean;
}

function aged(state: SearchState): Aged[] {
  const waitMs = freshWaitOf(state);
  const { history } = state;
  const isRecent = ({ endedAtMs }: Fired, { startedAtMs }: Fired) =>
    startedAtMs - endedAtMs < waitMs - SAME_INSTANT_MS;
  return history.map((fired, place) => {
    const before = history.slice(0, place).filter((one) => isRecent(one, fired));
    const last = before.findLast((one) => tires(one, fired.size));
    return {
      fired,
      after: last === undefined ? null : { ms: fired.startedAtMs - last.endedAtMs, size: last.size },
      afterBreak: before.some(mayHaveBroken),
    };
  });
}

/** Bursts before which nothing had broken the target for so long that it could still be felt. */
export function unbrokenBursts(state: SearchState): Fired[] {
  return aged(state).flatMap(({ fired, afterBreak }) => (afterBreak ? [] : [fired]));
}

/** Every burst that failed on a target that was not rested, at a load that a rested one takes. */
function failuresOfTheUnrested(state: SearchState): { failures: Aged[]; all: Aged[] } {
  const all = aged(state);
  const fresh = all.filter(({ fired }) => fired.fresh && fired.counts !== null);
  const failures = all.filter(({ fired: { size, verdict, fresh: isRested } }) => {
    if (verdict !== 'bad' || isRested) return false;
    const passes = fresh.filter(({ fired: one }) => one.verdict === 'good' && one.size >= size);
    return passes.length >= FRESH_PASSES && !fresh.some(({ fired: one }) => one.verdict === 'bad' && one.size <= size);
  });
  return { failures, all };
}

/**
 * The longest time after a burst that had not failed in which the target failed what it takes when rested, though nothing
 * had broken it; null when that was never seen. A burst as large and as soon that passed makes such a failure one of chance.
 */
export function tiredForMs(state: SearchState): number | null {
  const { failures, all } = failuresOfTheUnrested(state);
  const near = 1 + state.options.width;
  const times = failures.flatMap(({ fired, after, afterBreak }) => {
    if (after === null || afterBreak) return [];
    const isRefuted = all.some(
      (one) =>
        one.fired.verdict === 'good' &&
        one.after !== null &&
        one.fired.size * near >= fired.size &&
        one.after.ms <= after.ms + SAME_INSTANT_MS &&
        one.after.size * fired.size >= after.size * one.fired.size,
    );
    return isRefuted ? [] : [after.ms];
  });
  return times.length === 0 ? null : Math.max(...times);
}

/** A load that passes on a rested target failed soon after a break. */
export function failedAfterBreak(state: SearchState): boolean {
  return failuresOfTheUnrested(state).failures.some(({ afterBreak }) => afterBreak);
}
