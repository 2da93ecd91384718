/**
 * What changed between two sides: a row for each metric that is compared as a quotient, on one log axis around 1. Every value
 * is a thin mark, base above the line and new below it, so that the scatter is seen before a verdict is read; the dot is the
 * change, the bar its interval, the shade the tolerance.
 */
import { scaleLog } from 'd3-scale';
import type { Markup } from './markup.js';
import { markup } from './markup.js';
import { type Brush, type Frame, type Ink, label, type Picture, picture, px, RIGHT, straight } from './picture.js';

export interface ChangeRow {
  readonly name: string;
  /** Of the typical value of base; infinite values are left out. */
  readonly base: readonly number[];
  readonly new: readonly number[];
  readonly quotient: number;
  /** Ends may be infinite, or 0. */
  readonly interval: readonly [number, number] | null;
  /** The quotients that are tolerated. */
  readonly tolerated: readonly [number, number];
  readonly ink: Ink;
  /** `+24%: WORSE`. */
  readonly says: string;
}

const ROW = 46;
const NAMES = 150;
const TOP = 28;
/** Room for what a row says. */
const SAYS = 132;
const MOST_TICKS = 7;
/** A change of less is drawn on an axis of this much. */
const NARROWEST = 1.15;

/** null: nothing is compared as a quotient. */
export function changeChart(rows: readonly ChangeRow[], frame: Omit<Frame, 'height'>): Picture | null {
  if (rows.length === 0) return null;
  const drawn = rows.flatMap(({ base, new: fresh, quotient, interval, tolerated }) => [
    ...base,
    ...fresh,
    quotient,
    ...(interval ?? []),
    ...tolerated,
  ]);
  const known = drawn.filter((value) => Number.isFinite(value) && value > 0);
  const most = Math.max(NARROWEST, ...known, ...known.map((value) => 1 / value)) * 1.05;
  const scale = scaleLog()
    .domain([1 / most, most])
    .range([NAMES, RIGHT - SAYS])
    .clamp(true);
  const bottom = TOP + rows.length * ROW;
  return picture({ ...frame, height: bottom + 26 }, (brush) => [
    label(
      NAMES,
      14,
      '| each value: base above, new below · ● change and interval · shaded: tolerated',
      brush.fill('muted'),
    ),
    ...rows.flatMap((row, i) => drawnRow(row, TOP + i * ROW + ROW / 2, scale, brush)),
    straight(scale(1), TOP, scale(1), bottom, brush.stroke('muted')),
    straight(NAMES, bottom, RIGHT - SAYS, bottom, brush.stroke('muted')),
    ...ticksOf(scale, most).flatMap((tick) => [
      straight(scale(tick), bottom, scale(tick), bottom + 4, brush.stroke('muted')),
      label(scale(tick), bottom + 17, quotientText(tick), brush.fill('muted'), 'middle'),
    ]),
  ]);
}

function drawnRow(row: ChangeRow, y: number, scale: (value: number) => number, brush: Brush): Markup[] {
  const { name, base, new: fresh, quotient, interval, tolerated, ink, says } = row;
  const marks = (values: readonly number[], from: number, to: number, mark: Ink) =>
    values
      .filter((value) => Number.isFinite(value) && value > 0)
      .map((value) => straight(scale(value), from, scale(value), to, brush.stroke(mark)));
  const [low, high] = tolerated.map(scale);
  return [
    markup`<rect x="${px(low)}" y="${y - 18}" width="${px(high - low)}" height="36" ${brush.fill('shade')}/>`,
    label(NAMES - 8, y + 4, name, brush.fill('ink'), 'end'),
    ...marks(base, y - 16, y - 7, 'muted'),
    ...marks(fresh, y + 7, y + 16, 'accent'),
    ...(interval === null ? [] : [straight(scale(interval[0]), y, scale(interval[1]), y, brush.stroke(ink, 3))]),
    markup`<circle cx="${px(scale(quotient))}" cy="${y}" r="5" ${brush.fill(ink)}/>`,
    label(RIGHT, y + 4, says, brush.fill(ink), 'end'),
  ];
}

function ticksOf(scale: { ticks(count?: number): number[] }, most: number): number[] {
  // Below a factor of two a log axis has no decades worth a mark.
  const all = most < 2 ? linear(1 / most, most) : scale.ticks(MOST_TICKS);
  return all.filter((_, i) => i % Math.ceil(all.length / MOST_TICKS) === 0);
}

function linear(from: number, to: number): number[] {
  const step = to - from > 0.5 ? 0.2 : 0.1;
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.floor(to / step) - first + 1 }, (_, i) => (first + i) * step);
}

/** `0.8×`. */
function quotientText(quotient: number): string {
  return `${Number(quotient.toPrecision(3))}×`;
}
