/**
 * A latency histogram in characters, with failures beside the successes on the same time axis. The axis is the one on
 * which the shape of the successes (ramp, staircase, cluster) shows best. The two columns have different scales,
 * because one cluster of timeouts would flatten everything beside it; the counts are printed, so nothing is hidden.
 */
import { formatCount } from '../../plan/units.js';
import type { LatencyHistogram } from '../../tally/histogram.js';
import { type Axis, chooseAxis, rounded, type Weight, weightsOf } from '../words/time-axis.js';
import { bar, type Glyphs, glyphsOf, palette } from './style.js';
import { clip, columnsOf } from './text-width.js';

interface FailureHistogram {
  /** Outcome id. */
  readonly id: string;
  readonly histogram: LatencyHistogram;
}

interface ChartOptions {
  /** Columns of a line, at most. */
  readonly width: number;
  /** Rows, at most; at least 6. */
  readonly rows: number;
  readonly unicode: boolean;
  readonly color?: boolean;
}

interface ChartRow {
  readonly label: string;
  readonly ok: number;
  readonly failures: ReadonlyMap<string, number>;
}

/** Rows reserved for values outside the axis: one before it, at least two after it. */
const OUTSIDE_ROWS = 3;
const INDENT = '  ';
const MARKS = 8;

/** Lines of at most `width` columns; empty when there is nothing to draw. */
export function renderHistogram(
  ok: LatencyHistogram | null,
  failures: readonly FailureHistogram[],
  options: ChartOptions,
): string[] {
  const weights = [
    ...weightsOf(ok, null),
    ...failures.flatMap(({ id, histogram }) => weightsOf(histogram, id)),
  ].toSorted((a, b) => a.ms - b.ms);
  if (weights.length === 0) return [];
  const glyphs = glyphsOf(options.unicode);
  const successes = weights.filter((weight) => weight.failure === null);
  const axis = chooseAxis(successes.length > 0 ? successes : weights, options.rows - OUTSIDE_ROWS);
  return drawn(rowsOf(reaching(axis, weights), weights, options.rows, glyphs), options, glyphs);
}

/** Extends the axis by up to two rows if that reaches the last value: a cluster right after the ramp belongs to it. */
function reaching(axis: Axis, weights: readonly Weight[]): Axis {
  const most = weights[weights.length - 1].ms;
  const edges = [...axis.edges];
  for (let added = 0; added < 2 && edges[edges.length - 1] <= most; added++) {
    edges.push(axis.next(edges[edges.length - 1]));
  }
  return edges[edges.length - 1] > most ? { ...axis, edges } : axis;
}

function rowsOf({ edges }: Axis, weights: readonly Weight[], rows: number, glyphs: Glyphs): ChartRow[] {
  const first = edges[0];
  const last = edges[edges.length - 1];
  const inside = edges.slice(0, -1).map((from, i) => {
    const to = edges[i + 1];
    const held = weights.filter(({ ms }) => ms >= from && ms < to);
    return rowOf(between(from, to, glyphs), held);
  });
  const before = weights.filter(({ ms }) => ms < first);
  const after = weights.filter(({ ms }) => ms >= last);
  const room = rows - inside.length - (before.length > 0 ? 1 : 0);
  return [
    ...clusters(before, 1).map((group) => rowOf(around(group, glyphs), group)),
    ...inside,
    ...clusters(after, room).map((group) => rowOf(around(group, glyphs), group)),
  ];
}

function rowOf(label: string, weights: readonly Weight[]): ChartRow {
  let ok = 0;
  const failures = new Map<string, number>();
  for (const { count, failure } of weights) {
    if (failure === null) ok += count;
    else failures.set(failure, (failures.get(failure) ?? 0) + count);
  }
  return { label, ok, failures };
}

/** A 504 after 60 s and a timeout after 75 s have different causes, so values this factor apart get separate rows. */
const CLUSTER_FACTOR = 1.2;

/** At most `most` groups, separated at the widest gaps; empty without values. */
function clusters(weights: readonly Weight[], most: number): (readonly Weight[])[] {
  if (weights.length === 0) return [];
  const gaps = weights
    .map(({ ms }, i) => ({ at: i, factor: i === 0 ? 1 : ms / weights[i - 1].ms }))
    .filter(({ factor }) => factor > CLUSTER_FACTOR)
    .sort((a, b) => b.factor - a.factor)
    .slice(0, most - 1)
    .map(({ at }) => at)
    .sort((a, b) => a - b);
  return [0, ...gaps].map((from, i) => weights.slice(from, gaps[i]));
}

const UNITS = [
  { from: 10_000, ms: 1000, name: () => 's' },
  { from: 1, ms: 1, name: () => 'ms' },
  { from: 0, ms: 0.001, name: (glyphs: Glyphs) => glyphs.micro },
];

function between(from: number, to: number, glyphs: Glyphs): string {
  const unit = UNITS.find((candidate) => to >= candidate.from) ?? UNITS[1];
  return `${inUnit(from / unit.ms)}${glyphs.dash}${inUnit(to / unit.ms)} ${unit.name(glyphs)}`;
}

/** A row outside the axis: the range of these values, marked as off the scale. */
function around(weights: readonly Weight[], glyphs: Glyphs): string {
  const least = Number(weights[0].ms.toPrecision(3));
  const most = Number(weights[weights.length - 1].ms.toPrecision(3));
  if (least < most) return `${glyphs.gap} ${between(least, most, glyphs)}`;
  const unit = UNITS.find((candidate) => most >= candidate.from) ?? UNITS[1];
  return `${glyphs.gap} ${inUnit(most / unit.ms)} ${unit.name(glyphs)}`;
}

function inUnit(value: number): string {
  return rounded(value).toLocaleString('en-US', { maximumFractionDigits: 3 });
}

function drawn(rows: readonly ChartRow[], options: ChartOptions, glyphs: Glyphs): string[] {
  const { green, red } = palette(options.color === true);
  const labelWidth = Math.max(...rows.map(({ label }) => columnsOf(label)));
  const counts = rows.map(({ ok }) => formatCount(ok));
  const countWidth = Math.max(...counts.map((count) => count.length));
  const hasFailures = rows.some(({ failures }) => failures.size > 0);
  const failureWidth = hasFailures ? Math.min(34, Math.floor(options.width * 0.35)) : 0;
  const barWidth = Math.max(0, options.width - INDENT.length - labelWidth - countWidth - failureWidth - 5);
  const mostOk = Math.max(...rows.map(({ ok }) => ok));
  const mostFailed = Math.max(...rows.map(({ failures }) => total(failures)));
  return rows.map(({ label, ok, failures }, i) => {
    const full = bar(ok, mostOk, barWidth, glyphs);
    const start = `${INDENT}${label.padStart(labelWidth)}  ${counts[i].padStart(countWidth)} `;
    if (failures.size === 0) return (start + green(full)).trimEnd();
    const marks = glyphs.mark.repeat(Math.max(1, Math.round((total(failures) / mostFailed) * MARKS)));
    const story = clip(`${marks} ${failureText(failures, glyphs)}`, failureWidth, glyphs);
    return `${start}${green(full)}${' '.repeat(barWidth - full.length + 2)}${red(story)}`;
  });
}

function total(failures: ReadonlyMap<string, number>): number {
  return [...failures.values()].reduce((sum, count) => sum + count, 0);
}

function failureText(failures: ReadonlyMap<string, number>, glyphs: Glyphs): string {
  return [...failures]
    .sort(([, a], [, b]) => b - a)
    .map(([id, count]) => `${formatCount(count)} ${glyphs.times} ${id}`)
    .join(', ');
}
