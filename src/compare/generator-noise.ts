/**
 * What the generators themselves add to a metric: where a floor or a release takes a fifth of it, a difference between the
 * sides may be one between the generators, and the metric is not judged. Smaller differences are warnings.
 */
import type { ComparedSubject } from '../plan/expressions/fail-on.js';
import type { Burst } from '../result/result.js';
import { floorOf, isSmallFloor, SMALL_FLOOR } from '../tally/floor.js';
import { medianOf } from './rank-sum.js';
import { loadText, type SidesOfLoad } from './sides.js';

const SIDES = ['base', 'new'] as const;

/** Why the metric can't be judged; null: the generators matter little. @param typical of base and new, in ms */
export function generatorReason(
  subject: ComparedSubject,
  load: SidesOfLoad,
  typical: readonly [number, number],
): string | null {
  if (subject.kind !== 'latency') return null;
  for (const [i, side] of SIDES.entries()) {
    const bursts = burstsOf(load, side);
    const floor = usual(bursts.map(({ calibration }) => floorOf({ subject, operator: '<', limit: 0 }, calibration)));
    const own = `a fifth of the ${milliseconds(typical[i])} of ${side}`;
    if (floor !== null && !isSmallFloor(floor, typical[i])) {
      return `the generator alone takes ${milliseconds(floor)} against the local test server, over ${own}`;
    }
    const spread = subject.phase === 'handshake' ? spreadOf(bursts) : null;
    if (spread !== null && !isSmallFloor(spread, typical[i])) {
      return `the starts are ${milliseconds(spread)} apart, over ${own}`;
    }
  }
  return null;
}

/** Floors, spreads and doubts of the sides, where they may have changed a number. */
export function generatorWarnings(load: SidesOfLoad): string[] {
  const [early, late] = SIDES.map((side) => burstsOf(load, side));
  const [before, after] = [early, late].map((bursts) =>
    usual(bursts.map(({ calibration }) => calibration?.handshakeMs?.p99 ?? null)),
  );
  const [first, second] = [early, late].map(spreadOf);
  return [
    ...(before === null || after === null
      ? [`${loadText(load.name)}: without a calibration on both sides the generator's own floor is unknown`]
      : differing(before, after, `${loadText(load.name)}: the floors (p99) differ`)),
    ...(first === null || second === null
      ? []
      : differing(first, second, `${loadText(load.name)}: the spreads differ`)),
    ...SIDES.flatMap((side, i) => doubts([early, late][i], `${side}, ${loadText(load.name)}`)),
  ];
}

function burstsOf(load: SidesOfLoad, side: (typeof SIDES)[number]): Burst[] {
  return load[side].flatMap(({ bursts }) => bursts);
}

function usual(floors: readonly (number | null)[]): number | null {
  const known = floors.filter((floor) => floor !== null);
  return known.length === 0 ? null : medianOf(known);
}

/** Only where attempts start together. */
function spreadOf(bursts: readonly Burst[]): number | null {
  const spreads = bursts.flatMap(({ kind, release }) =>
    kind === 'burst' && release !== null ? [release.spreadMs] : [],
  );
  return spreads.length === 0 ? null : medianOf(spreads);
}

function differing(before: number, after: number, what: string): string[] {
  const isClose = Math.abs(after - before) <= SMALL_FLOOR * Math.max(before, after);
  return isClose ? [] : [`${what}: ${milliseconds(before)} and ${milliseconds(after)}`];
}

function doubts(bursts: readonly Burst[], what: string): string[] {
  const doubtful = bursts.filter(({ validity }) => validity.verdict === 'suspect');
  if (doubtful.length === 0) return [];
  const [reason] = doubtful[0].validity.reasons;
  return [
    `${what}: ${doubtful.length} of ${bursts.length} ${doubtful.length === 1 ? 'is' : 'are'} suspect${reason === undefined ? '' : `: ${reason}`}`,
  ];
}

function milliseconds(ms: number): string {
  return `${Number(ms.toPrecision(3))} ms`;
}
