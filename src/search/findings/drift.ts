/**
 * A capacity that changed during the search (docs/method.md, "Drift"). Two kinds of evidence: loads that passed early
 * and failed late, or the other way round, weighed as the odds of a moving drop-off against a constant one; and the
 * survivors of overloads of one size, which rise or fall steadily with time. Bursts whose verdict may depend on rest
 * are not used. Owns the test and its estimates for the start and the end of the search; changes no verdict.
 */
import { steadyBursts } from '../freshness.js';
import type { Fired, SearchState } from '../state.js';

export interface Drift {
  /** Change of the capacity from the start of the search to its end; negative: it fell. */
  readonly change: number;
  /** 95 % limits of the drop-off, covering start and end. */
  readonly low: number;
  readonly high: number;
}

/** Logs of the ratio of drop-offs at the end and at the start; each is tested against 0. */
const CHANGES = [-0.45, -0.3, -0.2, -0.1, 0.1, 0.2, 0.3, 0.45];
/** As in the posterior, but fewer: slopes, and shares of bursts that fail or pass by chance. */
const SLOPES = [0.012, 0.04, 0.12];
const LAPSES = [
  { falseBad: 0.01, falseGood: 0.01 },
  { falseBad: 0.05, falseGood: 0.03 },
  { falseBad: 0.12, falseGood: 0.06 },
];
const LOGISTIC = 1.7;
const STEP = 0.02;
/** Loads within this factor of the bracket are used. */
const REACH = 1.6;
/** Log of the odds, both kinds of evidence together, from which a drift is reported. */
const CERTAIN = 2.8;
/** Mass beyond each limit. */
const TAIL = 0.025;
/** A smaller change is within the width of a bracket. */
const LEAST_CHANGE = 0.06;

interface DriftPoint {
  readonly log: number;
  readonly isBad: boolean;
  /** 0 at the start of the search, 1 at its end. */
  readonly at: number;
}

export function driftOf(state: SearchState, lo: number | null, hi: number | null): Drift | null {
  if (lo === null || hi === null) return null;
  const lastMs = Math.max(state.startedAtMs, ...state.history.map(({ endedAtMs }) => endedAtMs));
  const tookMs = Math.max(1, lastMs - state.startedAtMs);
  const at = ({ startedAtMs }: Fired) => (startedAtMs - state.startedAtMs) / tookMs;
  const steady = steadyBursts(state).filter(({ size }) => size >= lo / REACH && size <= hi * REACH);
  const seen = steady
    .filter(({ verdict }) => verdict !== 'marginal')
    .map((fired): DriftPoint => ({ log: Math.log(fired.size), isBad: fired.verdict === 'bad', at: at(fired) }));
  if (!isContradicted(seen)) return null;
  const from = Math.log(lo / REACH);
  const points = Math.ceil((Math.log(hi * REACH) - from) / STEP);
  const still = massOf(seen, 0, from, points);
  const moving = CHANGES.map((change) => ({ change, mass: massOf(seen, change, from, points) }));
  const best = moving.reduce((one, other) => (sum(other.mass) > sum(one.mass) ? other : one));
  const trend = survivorTrend(steady);
  const isOneWay = trend * best.change > 0;
  const odds = Math.log(sum(best.mass) / sum(still)) + (isOneWay ? trend ** 2 / 2 : -(trend ** 2) / 2);
  if (odds < CERTAIN || Math.abs(best.change) < LEAST_CHANGE) return null;
  return { change: Math.expm1(best.change), ...limitsOf(moving, from) };
}

interface Moving {
  readonly change: number;
  readonly mass: Float64Array;
}

/** The limits of the drop-off at the start and at the end, whichever are wider. */
function limitsOf(moving: readonly Moving[], from: number): Pick<Drift, 'low' | 'high'> {
  const ends = [0, 1].map((end) => {
    const places = moving.flatMap(({ change, mass }) =>
      [...mass].map((weight, i) => ({ log: from + STEP * i + change * end, weight })),
    );
    places.sort((a, b) => a.log - b.log);
    const whole = places.reduce((total, { weight }) => total + weight, 0);
    return [TAIL, 1 - TAIL].map((part) => {
      let left = part * whole;
      for (const { log, weight } of places) {
        left -= weight;
        if (left <= 0) return log;
      }
      return from;
    });
  });
  const logs = ends.flat();
  return { low: Math.exp(Math.min(...logs)), high: Math.exp(Math.max(...logs)) };
}
/** A load passed, and one no larger failed at another time: without this there is no sign of a change. */
function isContradicted(seen: readonly DriftPoint[]): boolean {
  return seen.some((bad) => bad.isBad && seen.some((good) => !good.isBad && good.log >= bad.log));
}

/** Likelihood of the drop-off at the start, for one total change, over slopes and lapses. */
function massOf(seen: readonly DriftPoint[], change: number, from: number, points: number): Float64Array {
  const mass = new Float64Array(points);
  for (let i = 0; i < points; i++) {
    for (const slope of SLOPES) {
      const curves = seen.map(({ log, at }) => {
        const z = (LOGISTIC * (log - from - STEP * i - change * at)) / slope;
        return 1 / (1 + Math.exp(-Math.max(-40, Math.min(40, z))));
      });
      for (const { falseBad, falseGood } of LAPSES) {
        let product = 1;
        for (const [k, { isBad }] of seen.entries()) {
          const bad = falseBad + (1 - falseBad - falseGood) * curves[k];
          product *= isBad ? bad : 1 - bad;
        }
        mass[i] += product;
      }
    }
  }
  return mass;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Mann and Kendall's score of survivors against time, within loads, divided by its standard deviation. */
function survivorTrend(steady: readonly Fired[]): number {
  const bySize = new Map<number, number[]>();
  for (const { size, verdict, facts } of steady) {
    if (verdict !== 'bad') continue;
    const survivors = bySize.get(size) ?? [];
    survivors.push(facts.survived);
    bySize.set(size, survivors);
  }
  let score = 0;
  let variance = 0;
  for (const survivors of bySize.values()) {
    const n = survivors.length;
    variance += (n * (n - 1) * (2 * n + 5)) / 18;
    for (const [i, later] of survivors.entries()) {
      for (const earlier of survivors.slice(0, i)) score += Math.sign(later - earlier);
    }
  }
  return variance === 0 ? 0 : score / Math.sqrt(variance);
}
