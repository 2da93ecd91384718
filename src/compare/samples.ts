/**
 * The values of a metric on both sides, one for each unit of replication. The unit is the burst; from four runs a side on
 * it is the run, because whatever a run has in common (the hour, a deployment, a neighbour) makes its bursts alike, and more
 * bursts of one run do not help. A churn is one long load: always the run.
 */
import { type ComparedSubject, scaleOf } from '../plan/expressions/fail-on.js';
import { startsTogether } from '../plan/stages/loads.js';
import { type BoundedValue, valueIn } from './burst-values.js';
import { meanOf } from './permutation.js';
import { medianOf } from './rank-sum.js';
import type { ComparedLoad } from './sides.js';

/** Below this many a side, no 95 % interval exists. */
const RUNS_TO_COMPARE = 4;

export interface MetricSamples {
  readonly of: 'burst' | 'run';
  readonly base: readonly BoundedValue[];
  readonly new: readonly BoundedValue[];
  /** On the scale of the metric: standard deviation of the values within their side; null: unknown. */
  readonly scatter: number | null;
  /** The same of bursts within their run, where the unit is the run. */
  readonly scatterInRun: number | null;
}

/** null: one of the sides did not measure it. */
export function samplesOf(subject: ComparedSubject, load: ComparedLoad): MetricSamples | null {
  const [base, fresh] = [load.base, load.new].map((runs) =>
    runs
      .map(({ bursts }) => bursts.map((burst) => valueIn(subject, burst)).filter((value) => value !== null))
      .filter((values) => values.length > 0),
  );
  if (base.length === 0 || fresh.length === 0) return null;
  const hasManyRuns = base.length >= RUNS_TO_COMPARE && fresh.length >= RUNS_TO_COMPARE;
  const isOfRun = hasManyRuns || !startsTogether(load.name.kind);
  const ofRun = (bursts: readonly BoundedValue[]): BoundedValue => ({
    upper: typicalOf(
      subject,
      bursts.map(({ upper }) => upper),
    ),
    lower: typicalOf(
      subject,
      bursts.map(({ lower }) => lower),
    ),
  });
  const [early, late] = [base, fresh].map((runs) => (isOfRun ? runs.map(ofRun) : runs.flat()));
  return {
    of: isOfRun ? 'run' : 'burst',
    base: early,
    new: late,
    scatter: scatterOf(subject, [early, late]),
    scatterInRun: isOfRun ? scatterOf(subject, [...base, ...fresh]) : null,
  };
}

/** The median (of two in the middle, halfway on the metric's scale); of shares the mean. */
export function typicalOf(subject: ComparedSubject, values: readonly number[]): number {
  switch (scaleOf(subject)) {
    case 'share':
      return meanOf(values);
    case 'time':
      return medianOf(values);
    case 'ratio':
      return values.length % 2 === 1 ? medianOf(values) : Math.exp(medianOf(values.map(Math.log)));
  }
}

/** Changes of latencies and rates are quotients. */
export function onScale(subject: ComparedSubject, value: number): number {
  return scaleOf(subject) === 'ratio' ? Math.log(value) : value;
}

/** On the metric's scale, pooled over the groups; null: no group has two values, or one is infinite. */
export function scatterOf(subject: ComparedSubject, groups: readonly (readonly BoundedValue[])[]): number | null {
  let squares = 0;
  let degrees = 0;
  for (const group of groups) {
    const values = group.map(({ upper }) => onScale(subject, upper));
    const mean = meanOf(values);
    squares += values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    degrees += values.length - 1;
  }
  return degrees === 0 || !Number.isFinite(squares) ? null : Math.sqrt(squares / degrees);
}
