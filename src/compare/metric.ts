/**
 * One metric between two sides: values, change, interval, verdict, and what would decide it. Pure; the caller knows which
 * metrics are named by --fail-on and at which level they are judged.
 */
import {
  badDirectionOf,
  type ComparedSubject,
  type FailOnChange,
  QUANTILES,
  scaleOf,
  subjectText,
} from '../plan/expressions/fail-on.js';
import { formatCount } from '../plan/units.js';
import type { ComparedMetric } from './comparison.js';
import { extendedOf } from './extended.js';
import { generatorReason } from './generator-noise.js';
import { meanShift } from './permutation.js';
import { rankShift, type Shift } from './rank-sum.js';
import { leastForInterval, neededFor, smallestShift } from './sample-size.js';
import { type MetricSamples, onScale, typicalOf } from './samples.js';
import type { SidesOfLoad } from './sides.js';
import { hasMoved, verdictOf } from './verdict.js';

/** Of metrics that are shown and not named: 10 %, or one percentage point. */
const USUAL_TOLERANCE = { ratio: 0.1, share: 0.01, time: 0 } as const;
/** What a scatter is explained by where the sides have fewer values. */
const ADVISED = 10;

/** A metric of a load that both sides measured. */
export interface Candidate {
  readonly subject: ComparedSubject;
  readonly gate: FailOnChange | null;
  readonly load: SidesOfLoad;
  readonly samples: MetricSamples;
}

/** @param alpha what its interval may miss: 5 %, or less where several are named */
export function metricOf({ subject, gate, load, samples }: Candidate, alpha: number): ComparedMetric {
  const scale = scaleOf(subject);
  const bad = gate?.bad ?? badDirectionOf(subject);
  // A recovery is known to one step of the probes, so nothing closer is judged.
  const stepMs = subject.kind === 'recovery' ? stepOf(load) : 0;
  const tolerance = Math.max(gate?.tolerance ?? USUAL_TOLERANCE[scale], stepMs);
  const upper = changeOf(subject, samples, 'upper', alpha, stepMs);
  const lower = changeOf(subject, samples, 'lower', alpha, stepMs);
  const typical = [samples.base, samples.new].map((side) =>
    typicalOf(
      subject,
      side.map((value) => value.upper),
    ),
  );
  const [verdict, other] = [upper, lower].map(({ interval }) => verdictOf(interval, tolerance, bad));
  const because =
    generatorReason(subject, load, [typical[0], typical[1]]) ??
    (upper.interval === null ? tooFewText(samples, alpha) : null);
  const isUndecided = because === null && (verdict === 'undecided' || verdict !== other);
  const hasBounds = [...samples.base, ...samples.new].some((value) => value.upper !== value.lower);
  return {
    metric: subjectText(subject),
    load: load.name,
    unit: unitOf(subject),
    scale,
    bad,
    gate: gate?.expression ?? null,
    tolerance,
    of: samples.of,
    base: sideValues(samples.base, typical[0]),
    new: sideValues(samples.new, typical[1]),
    change: extendedOf(upper.change),
    interval: extendedPair(upper.interval),
    lowerInterval: hasBounds ? extendedPair(lower.interval) : null,
    confidence: 1 - alpha,
    scatter: samples.scatter,
    scatterInRun: samples.scatterInRun,
    verdict: because !== null ? 'not judged' : isUndecided ? 'undecided' : verdict,
    moved: because === null && hasMoved(upper.interval) && hasMoved(lower.interval),
    because:
      because ?? (verdict === other ? null : 'the two latency bounds disagree: this generator measured too late'),
    notes: notesOf(subject, load, samples),
    smallest: smallestOf(samples, scale, alpha),
    needed: isUndecided ? neededOf(upper.shift, samples, scale, bad, tolerance, alpha) : null,
  };
}

const UNITS = { latency: 'ms', recovery: 'ms', share: 'share', rate: 'handshakes/s', dropOff: 'handshakes' } as const;

function unitOf(subject: ComparedSubject): ComparedMetric['unit'] {
  if (subject.kind !== 'storm') return UNITS[subject.kind];
  if (subject.stat === 'share') return 'share';
  return subject.stat === 'peak' ? 'handshakes/s' : 'ms';
}

function sideValues(side: MetricSamples['base'], typical: number): ComparedMetric['base'] {
  return { typical: extendedOf(typical), values: side.map(({ upper }) => extendedOf(upper)) };
}

export function extendedPair(interval: readonly [number, number] | null): ComparedMetric['interval'] {
  return interval === null ? null : [extendedOf(interval[0]), extendedOf(interval[1])];
}

interface ScaledChange {
  /** On the metric's own scale: ln of a quotient, or a difference. */
  readonly shift: number;
  readonly change: number;
  readonly interval: readonly [number, number] | null;
}

function changeOf(
  subject: ComparedSubject,
  samples: MetricSamples,
  bound: 'upper' | 'lower',
  alpha: number,
  stepMs: number,
): ScaledChange {
  const [before, after] = [samples.base, samples.new].map((side) =>
    side.map((value) => onScale(subject, value[bound])),
  );
  const scale = scaleOf(subject);
  const { estimate, interval } = scale === 'share' ? meanShift(before, after, alpha) : rankShift(before, after, alpha);
  return scaledChange({ estimate, interval: interval && [interval[0] - stepMs, interval[1] + stepMs] }, scale);
}

/** A quotient as a fraction: 0.1 is 10 % more. */
export function scaledChange({ estimate, interval }: Shift, scale: ComparedMetric['scale']): ScaledChange {
  const fraction = (shift: number) => (scale === 'ratio' ? Math.expm1(shift) : shift);
  return {
    shift: estimate,
    change: fraction(estimate),
    interval: interval === null ? null : [fraction(interval[0]), fraction(interval[1])],
  };
}

function stepOf({ base, new: fresh }: SidesOfLoad): number {
  const steps = [...base, ...fresh].flatMap(({ bursts }) => bursts.map(({ after }) => after?.everyMs ?? 0));
  return Math.max(0, ...steps);
}

function tooFewText({ of, base, new: fresh }: MetricSamples, alpha: number): string {
  const least = leastForInterval(alpha);
  const counts = `${base.length} and ${fresh.length} ${of}s`;
  return `${counts}: no ${percentText(1 - alpha)} interval exists; ${least} and ${least} is the least`;
}

function percentText(fraction: number): string {
  return `${Number((100 * fraction).toFixed(1))}%`;
}

/** Of the tail a quantile is decided by: with fewer handshakes in it, a lower quantile scatters less. */
const TAIL = 10;

function notesOf(
  subject: ComparedSubject,
  { name: { size } }: SidesOfLoad,
  { base, new: fresh, of }: MetricSamples,
): string[] {
  if (subject.kind === 'latency') {
    const quantile = QUANTILES[subject.stat];
    const tail = size * (1 - quantile);
    if (quantile < QUANTILES.p90 || tail >= TAIL) return [];
    const steadier = size * (1 - QUANTILES.p90) >= TAIL ? 'p90' : 'p50';
    const slowest = Math.floor(tail + 1e-9) + 1;
    const which = slowest === 1 ? 'the slowest' : `number ${slowest} from the slowest`;
    return [`${subject.stat} of ${formatCount(size)} handshakes is ${which}: ${steadier} scatters less`];
  }
  const isWhole = subject.kind === 'share' && [...base, ...fresh].every(({ upper }) => upper === 1);
  // The rule of three: with fewer it says nothing.
  if (!isWhole || fresh.length <= 3) return [];
  const most = percentText(3 / fresh.length);
  return [`all whole in ${base.length} and ${fresh.length} ${of}s: up to ${most} of them could still fail (95%)`];
}

function smallestOf(
  { scatter, base, new: fresh }: MetricSamples,
  scale: ComparedMetric['scale'],
  alpha: number,
): ComparedMetric['smallest'] {
  if (scatter === null) return null;
  const fewer = Math.min(base.length, fresh.length);
  const perSide = fewer < leastForInterval(alpha) ? ADVISED : fewer;
  const shift = smallestShift(scatter, perSide, alpha);
  return { perSide, change: scale === 'ratio' ? Math.expm1(shift) : shift };
}

/** From the estimate to the limit of the tolerance, which is what keeps it undecided. */
function neededOf(
  shift: number,
  { scatter }: MetricSamples,
  scale: ComparedMetric['scale'],
  bad: ComparedMetric['bad'],
  tolerance: number,
  alpha: number,
): number | null {
  if (scatter === null || !Number.isFinite(shift)) return null;
  const change = bad === 'up' ? tolerance : -tolerance;
  const limit = scale === 'ratio' ? Math.log1p(change) : change;
  return neededFor(Math.abs(shift - limit), scatter, alpha);
}
