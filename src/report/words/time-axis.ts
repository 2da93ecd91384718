/**
 * The time axis on which the shape of the successes (ramp, staircase, cluster) shows best, the same for the terminal and
 * for pictures: linear where that is as good, logarithmic where it hides the shape.
 */
import type { LatencyHistogram } from '../../tally/histogram.js';

/**
 * `count` values of about `ms`: the upper edge of an HDR bucket, so that a value on a round edge belongs to the row
 * that starts there.
 */
export interface Weight {
  readonly ms: number;
  readonly count: number;
  /** null: a success. */
  readonly failure: string | null;
}

/** Ascending; row i reaches from `edges[i]` (inclusive) to `edges[i + 1]`. */
export interface Axis {
  readonly isLog: boolean;
  readonly edges: readonly number[];
  /** The edge that would come next. */
  readonly next: (edge: number) => number;
}

export function weightsOf(histogram: LatencyHistogram | null, failure: string | null): Weight[] {
  return histogram === null ? [] : histogram.bars().map(({ toMs, count }) => ({ ms: toMs, count, failure }));
}

/** By which factor the logarithmic axis must spread the values better to replace the simpler linear one. */
const LOG_MUST_GAIN = 4 / 3;
/** If the largest value is less than this many times the smallest, a logarithmic axis shows nothing more. */
const LOG_NEEDS_FACTOR = 20;
/** Values this far beyond the 99th percentile are drawn outside the axis, because they would compress it. */
const TAIL_FACTOR = 3;

/**
 * The most informative axis: the one that spreads the values most over the rows, measured by the entropy of the counts.
 */
export function chooseAxis(weights: readonly Weight[], rows: number): Axis {
  const least = weights[0].ms;
  const most = weights[weights.length - 1].ms;
  const tail = quantile(weights, 0.99);
  const linear = linearAxis(least, most > TAIL_FACTOR * tail ? tail : most, rows);
  if (most < LOG_NEEDS_FACTOR * least) return linear;
  const logarithmic = logAxis(least, most, rows);
  return entropy(weights, logarithmic) > LOG_MUST_GAIN * entropy(weights, linear) ? logarithmic : linear;
}

function quantile(weights: readonly Weight[], share: number): number {
  const rank = share * weights.reduce((sum, { count }) => sum + count, 0);
  let seen = 0;
  for (const { ms, count } of weights) {
    seen += count;
    if (seen >= rank) return ms;
  }
  return 0;
}

const ROUND_STEPS = [1, 2, 2.5, 5];
/** A histogram bucket is up to 0.1 % wide: steps not much wider would show the buckets instead of the values. */
const FINEST_STEP = 0.005;

/** Equal steps of a round size, the smallest that needs at most `rows` rows. */
function linearAxis(least: number, most: number, rows: number): Axis {
  const wanted = Math.max((most - least) / rows, most * FINEST_STEP, 0.001);
  let power = Math.floor(Math.log10(wanted));
  for (;;) {
    for (const round of ROUND_STEPS) {
      const step = rounded(round * 10 ** power);
      const first = Math.floor(least / step);
      const count = Math.floor(most / step) - first + 1;
      if (step < wanted || count > rows) continue;
      const edges = Array.from({ length: count + 1 }, (_, i) => rounded((first + i) * step));
      return { isLog: false, edges, next: (edge) => rounded(edge + step) };
    }
    power++;
  }
}

const LOG_SERIES = [[1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]];

/** Edges of the finest series per decade that fits into `rows` rows. */
function logAxis(least: number, most: number, rows: number): Axis {
  for (const series of LOG_SERIES) {
    const next = (edge: number): number => {
      const power = Math.floor(Math.log10(edge) + 1e-9);
      const mantissa = series.find((m) => rounded(m * 10 ** power) > edge * (1 + 1e-9));
      return rounded(mantissa === undefined ? 10 ** (power + 1) : mantissa * 10 ** power);
    };
    const edges = [10 ** Math.floor(Math.log10(least))];
    while (edges[edges.length - 1] <= most) edges.push(next(edges[edges.length - 1]));
    const used = edges.slice(edges.findLastIndex((edge) => edge <= least));
    if (used.length - 1 <= rows || series.length === 1) return { isLog: true, edges: used, next };
  }
  throw new Error('unreachable: the coarsest series always fits');
}

/** Removes floating-point noise (0.30000000000000004), because edges are printed. */
export function rounded(edge: number): number {
  return Number(edge.toPrecision(9));
}

function entropy(weights: readonly Weight[], axis: Axis): number {
  const counts = new Float64Array(axis.edges.length + 1);
  let total = 0;
  for (const { ms, count } of weights) {
    counts[axis.edges.findLastIndex((edge) => edge <= ms) + 1] += count;
    total += count;
  }
  return counts.reduce((bits, count) => (count === 0 ? bits : bits - (count / total) * Math.log2(count / total)), 0);
}
