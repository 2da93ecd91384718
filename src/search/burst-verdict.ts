/**
 * The verdict on one burst (docs/method.md, "The verdict on a burst"), over several objectives at once: good, bad, or
 * marginal, which decides nothing. Owns the slack: by how much chance alone may let a burst miss an objective. Knows
 * nothing of other bursts except the drain rate that they set.
 */
import type { BurstFacts } from './engine-interface.js';
import type { Objective, SearchOptions } from './search-options.js';
import type { BurstVerdict } from './state.js';

/** Failures beyond this quantile of chance are caused by the load. */
const SLACK_QUANTILE = 0.975;
/** Share of the usual drain rate below which a burst is bad (docs/method.md, "Drain rate"). */
const LEAST_DRAIN = 0.8;
/** Tolerance for decimal fractions: 1,000 × (1 − 0.999) must allow one failure. */
const ROUNDING = 1e-9;

/** Number of failures among `size` handshakes that an objective of `share` allows. */
export function allowance(size: number, share: number): number {
  return Math.floor(size * (1 - share) + ROUNDING);
}

const slacks = new Map<string, number>();
const MOST_SLACKS = 10_000;

/**
 * 97.5 % quantile of Binomial(size, 1 − share): how many failures chance gives a target that just meets the objective.
 */
export function slack(size: number, share: number): number {
  const key = `${size}/${share}`;
  let found = slacks.get(key);
  if (found === undefined) {
    found = binomialQuantile(size, 1 - share, SLACK_QUANTILE);
    if (slacks.size >= MOST_SLACKS) slacks.clear();
    slacks.set(key, found);
  }
  return found;
}

/** Terms are computed as logs: (1 − p)^n underflows a double once n·p passes 745. */
function binomialQuantile(n: number, p: number, quantile: number): number {
  if (p <= 0) return 0;
  const logOdds = Math.log(p) - Math.log1p(-p);
  let logTerm = n * Math.log1p(-p);
  let sum = Math.exp(logTerm);
  let k = 0;
  while (sum < quantile && k < n) {
    logTerm += Math.log((n - k) / (k + 1)) + logOdds;
    sum += Math.exp(logTerm);
    k++;
  }
  return k;
}

export interface JudgedBurst {
  readonly verdict: BurstVerdict;
  /** As in `Fired`. */
  readonly binding: number | null;
  /** Why it is invalid. */
  readonly reason: string | null;
}

const SEVERITY = { good: 0, marginal: 1, bad: 2 } as const;
type Heard = keyof typeof SEVERITY;

/**
 * The worst verdict over the objectives, with the objective that was missed most. `usualDrain` is the median of
 * handshakes per ms at good loads; null when unknown, or when drain is not an objective.
 */
export function judge(size: number, facts: BurstFacts, options: SearchOptions, usualDrain: number | null): JudgedBurst {
  const reason = reasonAgainst(size, facts, options.objectives);
  if (reason !== null) return { verdict: 'invalid', binding: null, reason };
  let worst: Heard = 'good';
  let binding: number | null = null;
  let most = 0;
  for (const [i, objective] of options.objectives.entries()) {
    const failed = facts.failed[i][1];
    const verdict = heard(size, failed, objective.share);
    const excess = failed / Math.max(1, slack(size, objective.share));
    if (verdict === 'good' || SEVERITY[verdict] < SEVERITY[worst]) continue;
    if (SEVERITY[verdict] > SEVERITY[worst] || excess > most) [worst, binding, most] = [verdict, i, excess];
  }
  const drain = drainOf(facts);
  if (worst !== 'bad' && drain !== null && usualDrain !== null && drain < LEAST_DRAIN * usualDrain) {
    return { verdict: 'bad', binding: options.objectives.length, reason: null };
  }
  return { verdict: worst, binding, reason: null };
}

/** Survivors per ms from the release to the last end; null if there is no such time. */
export function drainOf({ survived, makespanMs }: BurstFacts): number | null {
  return makespanMs === null || makespanMs <= 0 ? null : survived / makespanMs;
}

/** The load for which the number of survivors would meet the objectives; the smallest over all objectives. */
export function spokenFor(facts: BurstFacts, objectives: readonly Objective[]): number {
  return Math.min(...objectives.map(({ share }, i) => (facts.launched - facts.failed[i][1]) / share));
}

/** The same as a load to try (docs/method.md, "Narrow"). */
export function hintOf(facts: BurstFacts, objectives: readonly Objective[]): number {
  return 0.999 * spokenFor(facts, objectives);
}

function heard(size: number, failed: number, share: number): Heard {
  if (failed <= allowance(size, share)) return 'good';
  return failed > slack(size, share) ? 'bad' : 'marginal';
}

function reasonAgainst(size: number, facts: BurstFacts, objectives: readonly Objective[]): string | null {
  if (facts.invalid !== null) return facts.invalid;
  if (facts.launched < size) return `${facts.launched} of ${size} handshakes were launched`;
  for (const [i, { name, share }] of objectives.entries()) {
    const [fewest, most] = facts.failed[i];
    if (heard(size, fewest, share) !== heard(size, most, share)) {
      return `${name}: between ${fewest} and ${most} handshakes missed it, this generator is too slow to tell`;
    }
  }
  return null;
}
