/** Scales of times for pictures: a position for each time, and the round times that get a label. */
import { type ScaleContinuousNumeric, scaleLinear, scaleLog } from 'd3-scale';

export interface TimeScale {
  readonly at: (ms: number) => number;
  readonly ticks: readonly number[];
  /** Ascending times that divide it into `bins` parts of one width. */
  readonly edges: readonly number[];
}

const TICKS = 7;

/** @param range positions of both ends */
export function timeScale(
  [least, most]: readonly [number, number],
  isLog: boolean,
  range: readonly [number, number],
  bins: number,
): TimeScale {
  const scale: ScaleContinuousNumeric<number, number> = isLog
    ? scaleLog().domain([Math.max(least, 0.001), most * 1.02])
    : scaleLinear().domain([least, most * 1.02 || 1]);
  const placed = scale.range(range);
  const [from, to] = range;
  const edges = Array.from({ length: bins + 1 }, (_, i) => placed.invert(from + ((to - from) * i) / bins));
  return { at: (ms) => placed(isLog ? Math.max(ms, 0.001) : ms), ticks: ticksOf(placed, isLog), edges };
}

/** A logarithmic scale labels 1, 2 and 5 of each decade, or only the decades where that would be too many. */
function ticksOf(scale: ScaleContinuousNumeric<number, number>, isLog: boolean): number[] {
  const all = scale.ticks(TICKS);
  if (!isLog) return all;
  const leading = (tick: number) => Math.round(tick / 10 ** Math.floor(Math.log10(tick) + 1e-9));
  const some = all.filter((tick) => [1, 2, 5].includes(leading(tick)));
  return some.length <= TICKS + 2 ? some : all.filter((tick) => leading(tick) === 1);
}

/** `20 ms`, `1.5 s`: short, for axes. */
export function tickText(ms: number): string {
  if (ms === 0) return '0';
  if (ms < 1) return `${Number((ms * 1000).toPrecision(3))} µs`;
  return ms < 1000 ? `${Number(ms.toPrecision(3))} ms` : `${Number((ms / 1000).toPrecision(3))} s`;
}
