/**
 * The wait before an attempt, as a pure function of a client's state and of random numbers. Formulas are those of the
 * libraries, so that a policy makes the load that its library makes.
 */
import type { WaitCurve, WaitList } from './policy.js';
import { withinRange } from './time-range.js';

/** What a wait depends on. `waitMs` reads all of it and may change `carried`. */
export interface WaitState {
  /** Attempts since the connection was lost. */
  failures: number;
  /** What a named draw remembers of the waits before; 0 at the first. */
  carried: number;
  /** The client's own number in [0, 1), for what is drawn once for each client. */
  ownShare: number;
}

/** The next random number in [0, 1). */
export type Random = () => number;

/** No wait is longer: timers hold no more than 24.8 days, and growth without a limit overflows. */
export const LONGEST_WAIT_MS = 86_400_000;

export function waitMs(waits: WaitList | WaitCurve, state: WaitState, random: Random): number {
  return Math.min(LONGEST_WAIT_MS, waits.kind === 'list' ? listed(waits, state, random) : curved(waits, state, random));
}

function listed({ waits }: WaitList, { failures }: WaitState, random: Random): number {
  const wait = waits[Math.min(failures, waits.length - 1)];
  return wait.fromMs === wait.toMs ? wait.fromMs : withinRange(wait, random());
}

function curved(curve: WaitCurve, state: WaitState, random: Random): number {
  switch (curve.draw) {
    case null:
      return jittered(curve, grown(curve, withinRange(curve.first, state.ownShare), state.failures), random);
    case 'product':
      return jittered(curve, grown(curve, withinRange(curve.first, random()), state.failures), random);
    case 'comb':
      return combed(curve, state, random);
    case 'poll':
      return polled(curve, state, random);
    case 'gauss':
      return gaussian(curve, state, random);
    case 'decorrelated':
      return decorrelated(curve, state, random);
  }
}

function limited(ms: number, { maxMs }: WaitCurve): number {
  return maxMs === null ? ms : Math.min(maxMs, ms);
}

function grown({ growth }: WaitCurve, first: number, n: number): number {
  return growth.by === 'factor' ? first * growth.factor ** n : first + growth.stepMs * n;
}

/** base × U[jitter] + U[plus], limited where the curve says so. */
export function jitteredWait(curve: WaitCurve, base: number, jitterShare: number, plusShare: number): number {
  const limitedBase = curve.clamp === 'wait' ? base : limited(base, curve);
  const { least, most } = curve.jitter;
  const wait = limitedBase * (least + (most - least) * jitterShare) + withinRange(curve.plus, plusShare);
  return curve.clamp === 'base' ? wait : limited(wait, curve);
}

function jittered(curve: WaitCurve, base: number, random: Random): number {
  const { jitter, plus } = curve;
  const jitterShare = jitter.least === jitter.most ? 0 : random();
  return jitteredWait(curve, base, jitterShare, plus.fromMs === plus.toMs ? 0 : random());
}

/** backo2's duration(): whole ms; the limit comes after the jitter, so that late waits are all equal. */
function combed(curve: WaitCurve, { failures, ownShare }: WaitState, random: Random): number {
  const base = grown(curve, withinRange(curve.first, ownShare), failures);
  const share = random();
  const deviation = Math.floor(share * (curve.jitter.most - 1) * base);
  const isShorter = Math.floor(share * 10) % 2 === 0;
  return Math.floor(limited(isShorter ? base - deviation : base + deviation, curve));
}

/** While connected, the server of Action Cable sends a ping twice in each interval of staleness. */
const BEATS_PER_INTERVAL = 2;

/**
 * Action Cable's connection monitor. Its timer runs all the time, `first` to twice `first` apart while connected, and
 * tries again when the last ping is older than `first`; a loss less than `first` ago counts as an attempt and is left
 * for the next look. `carried` is 1 when that happened, because later waits have grown by one more step then.
 */
function polled(curve: WaitCurve, state: WaitState, random: Random): number {
  const intervalMs = curve.first.fromMs;
  if (state.failures > 0) return jittered(curve, grown(curve, intervalMs, state.failures + state.carried), random);
  // A loss falls into a gap of the timer with a probability proportional to the gap's length, anywhere in it.
  const gapMs = intervalMs * Math.sqrt(1 + 3 * random());
  const lookMs = gapMs * random();
  const pingAgeMs = (intervalMs / BEATS_PER_INTERVAL) * random();
  state.carried = 0;
  if (lookMs >= intervalMs) return lookMs;
  if (lookMs + pingAgeMs <= intervalMs) return lookMs + intervalMs * (1 + random());
  state.carried = 1;
  return lookMs + jittered(curve, grown(curve, intervalMs, 1), random);
}

/** autobahn: N(d, deviation × d), limited; the next d is what was drawn, grown. Half of `jitter` is one deviation. */
function gaussian(curve: WaitCurve, state: WaitState, random: Random): number {
  const centre = state.failures === 0 ? withinRange(curve.first, state.ownShare) : grown(curve, state.carried, 1);
  const deviation = (curve.jitter.most - curve.jitter.least) / 2;
  // Box and Muller; 1 - random() is never 0.
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  state.carried = Math.max(0, limited(centre * (1 + deviation * normal), curve));
  return state.carried;
}

/** AWS "decorrelated jitter": min(max, U[first, grow × the wait before]), beginning with `first`. */
function decorrelated(curve: WaitCurve, state: WaitState, random: Random): number {
  const firstMs = withinRange(curve.first, state.ownShare);
  const before = state.failures === 0 ? firstMs : state.carried;
  state.carried = limited(withinRange({ fromMs: firstMs, toMs: grown(curve, before, 1) }, random()), curve);
  return state.carried;
}
