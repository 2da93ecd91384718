/**
 * The rank-sum test (Wilcoxon; Mann and Whitney) as an interval of the shift between two samples: exact, without random
 * numbers, and without an assumption about the distribution (Hodges and Lehmann 1963; Lehmann, Nonparametrics, 1975). The
 * interval excludes a shift exactly when the test rejects it, so a text never contradicts a gate. Values may be infinite:
 * a failure is a latency without an end.
 */
import { normalQuantile } from './quantiles.js';

/** A shift of the second sample against the first one. */
export interface Shift {
  /** In the middle of what is likely. */
  readonly estimate: number;
  /** null: with so few values no interval of this confidence exists. */
  readonly interval: readonly [number, number] | null;
}

/** Beyond this many pairs the normal approximation is exact enough: its error is below one place of some hundred. */
const MOST_EXACT_PAIRS = 2500;
const known = new Map<string, Float64Array>();

/**
 * Of all arrangements of `n` and `m` values the shares with U = 0, 1, 2, …: the coefficients of the Gaussian binomial.
 */
function nullDistribution(n: number, m: number): Float64Array {
  const key = `${n} ${m}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  // Ways for i of the first sample and j of the second: the largest value is one of either.
  let ways = Array.from({ length: m + 1 }, () => Float64Array.of(1));
  for (let i = 1; i <= n; i++) {
    const next = [Float64Array.of(1)];
    for (let j = 1; j <= m; j++) {
      const both = new Float64Array(i * j + 1);
      both.set(next[j - 1]);
      for (const [u, count] of ways[j].entries()) both[u + j] += count;
      next.push(both);
    }
    ways = next;
  }
  const counts = ways[m];
  const all = counts.reduce((sum, count) => sum + count, 0);
  const shares = counts.map((count) => count / all);
  known.set(key, shares);
  return shares;
}

/**
 * The place, from 1, of the interval's lower end among the sorted differences, and of its upper end from their other side;
 * 0: there is no interval. The largest k for which 2 P(U < k) is at most `alpha`.
 */
export function intervalPlace(n: number, m: number, alpha: number): number {
  if (n * m > MOST_EXACT_PAIRS) {
    const spread = Math.sqrt((n * m * (n + m + 1)) / 12);
    return Math.max(0, Math.floor((n * m) / 2 + normalQuantile(alpha / 2) * spread));
  }
  const shares = nullDistribution(n, m);
  let below = 0;
  let place = 0;
  // The sum of rounding errors must not lose a place whose level is exactly alpha.
  while (place < shares.length && 2 * (below + shares[place]) <= alpha * (1 + 1e-12)) {
    below += shares[place];
    place++;
  }
  return place;
}

/** The shift of `after` against `before`: the median of all differences, and its interval at 1 - `alpha`. */
export function rankShift(before: readonly number[], after: readonly number[], alpha: number): Shift {
  const differences = after.flatMap((late) => before.map((early) => difference(late, early)));
  const sorted = Float64Array.from(differences).sort();
  const place = intervalPlace(before.length, after.length, alpha);
  return {
    estimate: middleOf(sorted),
    interval: place === 0 ? null : [sorted[place - 1], sorted[sorted.length - place]],
  };
}

/** Two values without an end do not differ. */
function difference(late: number, early: number): number {
  return late === early ? 0 : late - early;
}

/** Median of sorted values; infinite when either of the two in the middle is. */
export function middleOf(sorted: ArrayLike<number>): number {
  const half = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[half];
  const [low, high] = [sorted[half - 1], sorted[half]];
  // Opposite infinities: the differences say nothing about a direction.
  return low === -high ? 0 : (low + high) / 2;
}

export function medianOf(values: readonly number[]): number {
  return middleOf(Float64Array.from(values).sort());
}
