/**
 * The drop-off as a metric between two sides of searches. Which searches say something, whether they looked for the same
 * thing, and how an open end is told.
 */
import type { FailOnChange } from '../plan/expressions/fail-on.js';
import { formatCount } from '../plan/units.js';
import type { ComparedMetric } from './comparison.js';
import { type ComparedSearch, dropOffShift, estimateOf, searchOf, searchTerms } from './drop-off-change.js';
import { extendedOf } from './extended.js';
import { extendedPair, scaledChange } from './metric.js';
import { medianOf } from './rank-sum.js';
import type { ComparedRun } from './sides.js';
import { hasMoved, verdictOf } from './verdict.js';

/** Of a drop-off that is not named: two searches see so little that a tolerance on top would hide the rest. */
const USUAL_TOLERANCE = 0;

export interface DropOffCandidate {
  readonly gate: FailOnChange | null;
  readonly base: readonly ComparedSearch[];
  readonly new: readonly ComparedSearch[];
}

interface Searches {
  /** null: no side searched, or not both can be compared. */
  readonly candidate: DropOffCandidate | null;
  readonly refused: readonly string[];
  readonly warnings: readonly string[];
}

export function dropOffCandidate(
  base: readonly ComparedRun[],
  fresh: readonly ComparedRun[],
  gates: readonly FailOnChange[],
): Searches {
  const [early, late] = [base, fresh].map((runs) => runs.filter(({ result }) => result.dropOff !== null));
  if (early.length === 0 && late.length === 0) return { candidate: null, refused: [], warnings: [] };
  const [before, after] = [early, late].map((runs) => runs.map(({ result }) => searchOf(result)).filter(isThere));
  const warnings = [...early, ...late].flatMap(({ file, result }) =>
    searchOf(result) === null ? [`${file}: its search ended ${result.dropOff?.verdict} and gives no drop-off`] : [],
  );
  const refused = [
    ...(before.length === 0 ? ['no search of base gives a drop-off'] : []),
    ...(after.length === 0 ? ['no search of new gives a drop-off'] : []),
    ...otherTerms(before, after),
    ...otherGates(early, late),
  ];
  const gate = gates.find(({ subject }) => subject.kind === 'dropOff') ?? null;
  const isWhole = before.length > 0 && after.length > 0;
  return { candidate: isWhole ? { gate, base: before, new: after } : null, refused, warnings };
}

function isThere(search: ComparedSearch | null): search is ComparedSearch {
  return search !== null;
}

function otherTerms(before: readonly ComparedSearch[], after: readonly ComparedSearch[]): string[] {
  const terms = new Set([...before, ...after].map(searchTerms));
  return terms.size <= 1 ? [] : [`the searches had different objectives: ${[...terms].join('; ')}`];
}

function otherGates(early: readonly ComparedRun[], late: readonly ComparedRun[]): string[] {
  const gates = new Set([...early, ...late].map(({ result }) => result.plan.gate));
  return gates.size <= 1 ? [] : [`the searches used different gates: ${[...gates].join(' and ')}`];
}

export function dropOffMetric({ gate, base, new: fresh }: DropOffCandidate, alpha: number): ComparedMetric {
  const tolerance = gate?.tolerance ?? USUAL_TOLERANCE;
  const { change, interval } = scaledChange(dropOffShift(base, fresh, alpha), 'ratio');
  const openBoth = [...base, ...fresh].every(({ dropOff }) => dropOff.verdict === 'AT_LEAST_MAX');
  const lowestMax = Math.min(...[...base, ...fresh].map(({ dropOff }) => dropOff.asked.max));
  const side = (searches: readonly ComparedSearch[]): ComparedMetric['base'] => ({
    typical: extendedOf(medianOf(searches.map(estimateOf))),
    values: searches.map((search) => extendedOf(estimateOf(search))),
  });
  return {
    metric: 'dropOff',
    load: null,
    unit: 'handshakes',
    scale: 'ratio',
    bad: 'down',
    gate: gate?.expression ?? null,
    tolerance,
    of: 'search',
    base: side(base),
    new: side(fresh),
    change: openBoth ? 0 : extendedOf(change),
    interval: openBoth ? null : extendedPair(interval),
    lowerInterval: null,
    confidence: 1 - alpha,
    scatter: null,
    scatterInRun: null,
    verdict: openBoth ? 'no worse' : verdictOf(interval, tolerance, 'down'),
    moved: !openBoth && hasMoved(interval),
    because: null,
    notes: openBoth ? [`no drop-off on either side up to ${formatCount(lowestMax)}`] : [],
    smallest: null,
    needed: null,
  };
}
