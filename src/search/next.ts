/**
 * The next load (docs/method.md, "Choosing the next load"): ramp up, or down, to a first bracket; narrow it by the
 * survivors' hint, by galloping and by halving; confirm its two ends. Decides from the loads and the state of the
 * narrowing; does not know how or when a burst is fired. Never chooses a load that this generator cannot send.
 */
import type { SearchVerdict } from '../result/drop-off.js';
import type { Why } from './engine-interface.js';
import { Loads, least } from './judged-loads.js';
import type { Cursor, Fired, Limits, SearchState, Shot } from './state.js';

export type LoadChoice =
  | { readonly shot: Shot; readonly cursor: Cursor }
  | { readonly verdict: SearchVerdict; readonly because: string };

/** Bad bursts at the lower end of a descent before it continues downwards. */
const BADS_TO_DESCEND = 2;

interface View {
  readonly state: SearchState;
  readonly loads: Loads;
  readonly cursor: Cursor;
}

export const NEW_CURSOR: Cursor = {
  plan: 'none',
  gallops: 0,
  hint: null,
  lastWasBad: false,
  lowAt: null,
  highAt: null,
};

export function nextLoad(state: SearchState): LoadChoice {
  const loads = new Loads(state);
  const view: View = { state, loads, cursor: state.cursor };
  const { lo, hi } = loads.bounds();
  const highest = highestNew(state.limits);
  if (highest < state.options.min) return limited(state, 'not even the smallest load can be sent from here');
  if (hi === null) return lo === null ? begin(view) : ramp(view, lo);
  if (lo === null) return descend(view, hi);
  const grey = undecided(view).filter((size) => size > lo && size < hi);
  if (grey.length > 0) return fire(view, nearestToMiddle(grey, lo, hi), 'repeat', true);
  const top = Math.min(hi, highest + 1);
  if (isWide(view, lo, top)) return narrow(view, lo, hi, top);
  return confirm(view, lo, hi);
}

/** The largest load that this generator may still be asked for. */
function highestNew({ max, invalidFrom }: Limits): number {
  return invalidFrom === null ? max : Math.min(max, invalidFrom - 1);
}

function mayRepeat({ max, blocked }: Limits, size: number): boolean {
  return size <= max && !blocked.includes(size);
}

function maySend(limits: Limits, loads: Loads, size: number): boolean {
  return loads.bursts(size) > 0 ? mayRepeat(limits, size) : size <= highestNew(limits);
}

function undecided({ state, loads }: View): number[] {
  return loads.sizesOf('undecided').filter((size) => mayRepeat(state.limits, size));
}

function isWide({ state }: View, lo: number, hi: number): boolean {
  return hi / lo > 1 + state.options.width && hi - lo > 1;
}

function fire({ state, cursor }: View, size: number, why: Why, fresh = false): LoadChoice {
  const { min, max } = state.options;
  const whole = Math.max(min, Math.min(max, Math.round(size)));
  return { shot: { size: whole, fresh, why, invalid: 0 }, cursor };
}

function begin(view: View): LoadChoice {
  const { options, limits } = view.state;
  const [grey] = undecided(view);
  if (grey !== undefined) return fire(view, grey, 'repeat');
  const highest = highestNew(limits);
  const isGuess = limits.invalidFrom !== null && highest < options.start;
  return fire(view, Math.min(options.start, isGuess ? Math.floor((highest + 1) / options.growth) : highest), 'ramp');
}

function ramp(view: View, lo: number): LoadChoice {
  const { state, loads } = view;
  const { options, limits } = state;
  const grey = least(undecided(view).filter((size) => size > lo));
  if (grey !== null) return fire(view, grey, 'repeat');
  const highest = highestNew(limits);
  const atTop = limits.invalidFrom === null ? lo >= highest : !isWide(view, lo, highest + 1);
  if (!atTop) {
    // If the generator's limit is only known to be below some load, it is approached by halving.
    const top = limits.invalidFrom === null ? highest : Math.max(lo + 1, Math.sqrt(lo * (highest + 1)));
    return fire(view, Math.min(top, lo * options.growth), 'ramp');
  }
  const isDone = loads.isDecidedGood(lo) || !mayRepeat(limits, lo);
  if (!isDone) return fire(view, lo, 'confirm-low');
  if (limits.reason !== null) return limited(state, `the target was fine at ${lo}, more can't be sent from here`);
  return { verdict: 'AT_LEAST_MAX', because: `${lo}, the largest load that was asked for, met every objective` };
}

function descend(view: View, hi: number): LoadChoice {
  const { state, loads } = view;
  const { options, limits } = state;
  const highest = highestNew(limits);
  if (hi <= options.min) {
    // "Broken" is stated only for a rested target.
    if (loads.isDecidedBad(hi)) return { verdict: 'BELOW_MIN', because: `already broken at ${hi}, the smallest load` };
    if (!mayRepeat(limits, hi))
      return limited(state, `at ${hi} the target failed, then nothing could be sent from here`);
    return fire(view, hi, 'descend', loads.needsFresh(hi));
  }
  const grey = undecided(view).filter((size) => size < hi);
  if (grey.length > 0) return fire(view, Math.max(...grey), 'repeat');
  if (loads.score(hi) > -BADS_TO_DESCEND && mayRepeat(limits, hi)) return fire(view, hi, 'repeat');
  return fire(view, Math.min(highest, hi / options.growth), 'descend');
}

/** `top`: the smallest load that cannot be tried, because it is bad or cannot be sent. */
function narrow(view: View, lo: number, hi: number, top: number): LoadChoice {
  const { load, why, cursor } = top < hi ? halve(view.cursor, lo, top) : planned(view, lo, hi);
  const size = Math.min(Math.max(Math.round(load), lo + 1), top - 1);
  return fire({ ...view, cursor }, size, why);
}

interface Planned {
  readonly load: number;
  readonly why: Why;
  readonly cursor: Cursor;
}

function halve(cursor: Cursor, lo: number, hi: number): Planned {
  return { load: Math.sqrt(lo * hi), why: 'bisect', cursor: { ...cursor, plan: 'none' } };
}

/** docs/method.md, "Narrow": below the hint, above it, gallop away from the end that moved, halve. */
function planned({ state, cursor }: View, lo: number, hi: number): Planned {
  const { width } = state.options;
  const hint = cursor.hint ?? 0;
  const aside = Math.sqrt(1 + width);
  let { plan, gallops } = cursor;
  if (plan === 'below-hint') {
    plan = 'above-hint';
    const load = hint / aside;
    if (lo * 1.01 < load && load < hi / 1.01) return { load, why: 'hint', cursor: { ...cursor, plan } };
  }
  if (plan === 'above-hint') {
    plan = 'gallop';
    gallops = 0;
    const load = hint * aside;
    const isInside = lo * 1.005 < load && load < hi / 1.005;
    if (!cursor.lastWasBad && isInside) return { load, why: 'hint', cursor: { ...cursor, plan, gallops } };
  }
  if (plan === 'gallop') {
    gallops++;
    const stride = (1 + width) ** (2 ** (gallops - 1));
    const middle = Math.sqrt(lo * hi);
    const load = cursor.lastWasBad ? hi / stride : lo * stride;
    const isNearer = cursor.lastWasBad ? load > middle : load < middle;
    if (isNearer) return { load, why: 'gallop', cursor: { ...cursor, plan, gallops } };
  }
  return halve({ ...cursor, gallops }, lo, hi);
}

/** docs/method.md, "Confirm": the end with fewer bursts first, the lower one on ties. */
function confirm(view: View, lo: number, hi: number): LoadChoice {
  const { cursor } = view;
  const lowAt = cursor.lowAt === null || cursor.lowAt > lo ? lo : cursor.lowAt;
  const highAt = cursor.highAt === null || cursor.highAt < hi ? hi : cursor.highAt;
  const low = lowToConfirm(view, lo, lowAt);
  const high = highToConfirm(view, hi, highAt);
  const moved: View = { ...view, cursor: { ...cursor, lowAt: low.at, highAt: high.at } };
  const { loads, state } = view;
  if (low.size === null && high.size === null) {
    if (high.isBarred || low.isBarred)
      return limited(state, `between ${lo} and ${hi} no valid burst could be sent from here`);
    return { verdict: 'FOUND', because: `${lo} held and ${hi} did not` };
  }
  const isLowFirst = low.size !== null && (high.size === null || loads.bursts(low.size) <= loads.bursts(high.size));
  if (isLowFirst && low.size !== null) return fire(moved, low.size, 'confirm-low');
  const size = high.size ?? hi;
  return fire(moved, size, 'confirm-high', loads.needsFresh(size));
}

interface End {
  /** null: this end needs no more bursts, or cannot have any. */
  readonly size: number | null;
  readonly at: number;
  readonly isBarred: boolean;
}

/** A ramp load far below lo is not used: the bracket would be as wide as the ramp's step. */
function lowToConfirm({ state, loads }: View, lo: number, from: number): End {
  const { width, cap, min } = state.options;
  const within = Math.min(from, lo / (1 + width) ** 2);
  const isDone = loads.all().some(({ size }) => size >= within && size <= lo && loads.isDecidedGood(size));
  if (isDone) return { size: null, at: from, isBarred: false };
  const spent = (size: number) => loads.bursts(size) >= cap || !maySend(state.limits, loads, size);
  let at = from;
  while (at > min && spent(at)) at = Math.max(min, Math.floor(at / (1 + width) ** 2));
  if (!spent(at)) return { size: at, at, isBarred: false };
  return { size: null, at, isBarred: !maySend(state.limits, loads, at) };
}

function highToConfirm({ state, loads }: View, hi: number, from: number): End {
  const { width, cap, max } = state.options;
  if (loads.all().some(({ size }) => size >= hi && loads.isDecidedBad(size))) {
    return { size: null, at: from, isBarred: false };
  }
  const isFull = (size: number) => loads.bursts(size) >= cap;
  const at = isFull(from) ? Math.min(max, Math.ceil(from * (1 + width) ** 2)) : from;
  if (at === max && isFull(at)) return { size: null, at, isBarred: false };
  const isBarred = !maySend(state.limits, loads, at);
  return { size: isBarred ? null : at, at, isBarred };
}

function limited(state: SearchState, what: string): LoadChoice {
  const reason = state.limits.reason ?? 'this generator is the limit';
  return { verdict: 'GENERATOR_LIMITED', because: `${what}: ${reason}` };
}

function nearestToMiddle(sizes: readonly number[], lo: number, hi: number): number {
  const distance = (size: number) => Math.abs(Math.log((size * size) / (lo * hi)));
  return sizes.reduce((best, size) => (distance(size) < distance(best) ? size : best));
}

/** If a halving loses more than this share, it is an overload, and its survivors are used as a hint. */
const OVERLOAD = 0.3;
const NARROWING: readonly Why[] = ['hint', 'gallop', 'bisect'];

/** The state of the narrowing after a burst; `isRamp`: no load was bad before it. */
export function cursorAfter(cursor: Cursor, fired: Fired, hint: number, isRamp: boolean): Cursor {
  const isBad = fired.verdict === 'bad';
  const moved: Cursor = { ...cursor, lastWasBad: isBad };
  if (!isBad) return moved;
  const lost = Math.max(...fired.facts.failed.map(([, most]) => most));
  const isOverload = cursor.plan === 'none' && NARROWING.includes(fired.why) && lost > OVERLOAD * fired.size;
  return isRamp || isOverload ? { ...moved, plan: 'below-hint', hint } : moved;
}
