/**
 * Bursts whose changes are known, for the error rates of a comparison: the p99 of 1,000 log-normal handshakes times a factor
 * of the burst, its own sampling error included. The statistics under test are the product's own.
 */
import { meanShift } from '#dist/compare/permutation.js';
import { normalQuantile } from '#dist/compare/quantiles.js';
import { medianOf, rankShift } from '#dist/compare/rank-sum.js';
import { type ChangeVerdict, verdictOf } from '#dist/compare/verdict.js';
import type { Random } from './simulated-random.js';

const SIZE = 1000;
const RANK = 990;
/** Of the handshakes of one burst, on the log scale. */
const WITHIN = 0.5;

export type Draw = (random: Random) => number;

/** ln of the p99 of one burst. */
export function burstP99(between: number, change = 0, outliers = 0): Draw {
  return (random) => {
    const tail = normalQuantile(random.beta(RANK, SIZE + 1 - RANK));
    const outlier = outliers > 0 && random.uniform() < outliers ? Math.log(3) : 0;
    return WITHIN * tail + between * random.normal() + Math.log1p(change) + outlier;
  };
}

/** ln of the median p99 of the bursts of one run, which share a factor of their hour. */
export function runP99(bursts: number, between: number, ofRun: number, change = 0): Draw {
  const burst = burstP99(between, change);
  return (random) => {
    const hour = ofRun * random.normal();
    return hour + medianOf(Array.from({ length: bursts }, () => burst(random)));
  };
}

/** A target that fails for one in a hundred: whether the p99 is a failure is a matter of chance in each burst. */
export function edgeP99(between: number): Draw {
  const burst = burstP99(between);
  return (random) => (random.binomial(SIZE, 0.01) > SIZE - RANK ? Number.POSITIVE_INFINITY : burst(random));
}

/** Share of 101s of one burst, whose handshakes share a fate: beta-binomial. */
export function burstShare(share: number, correlation: number): Draw {
  const shape = (1 - correlation) / correlation;
  return (random) => {
    const p = random.beta(share * shape, (1 - share) * shape);
    return random.binomial(SIZE, p) / SIZE;
  };
}

export interface Sides {
  readonly base: Draw;
  readonly new: Draw;
  readonly perSide: number;
  readonly perNewSide?: number;
  /** Shares are compared by their means, and less of them is bad. */
  readonly isShare?: boolean;
}

/** Shares of `runs` comparisons that ended so; `tolerance` as a fraction. */
export function ratesOf(
  { base, new: fresh, perSide, perNewSide = perSide, isShare = false }: Sides,
  tolerance: number,
  alpha: number,
  runs: number,
  random: Random,
): Readonly<Record<ChangeVerdict, number>> {
  const counts = { worse: 0, better: 0, 'no worse': 0, undecided: 0 };
  for (let run = 0; run < runs; run++) {
    const before = Array.from({ length: perSide }, () => base(random));
    const after = Array.from({ length: perNewSide }, () => fresh(random));
    const { interval } = isShare ? meanShift(before, after, alpha) : rankShift(before, after, alpha);
    const [low, high] = interval ?? [Number.NaN, Number.NaN];
    const scaled: [number, number] = isShare ? [low, high] : [Math.expm1(low), Math.expm1(high)];
    counts[verdictOf(interval === null ? null : scaled, tolerance, isShare ? 'down' : 'up')]++;
  }
  return {
    worse: counts.worse / runs,
    better: counts.better / runs,
    'no worse': counts['no worse'] / runs,
    undecided: counts.undecided / runs,
  };
}
