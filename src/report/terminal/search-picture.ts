/**
 * A drop-off drawn in characters: each load on a logarithmic axis against its share of handshakes that met the
 * objectives, marked as good, bad or undecided, with the bracket shaded and the 95 % interval on the axis. Two loads a
 * few percent apart, as at the ends of a bracket, still get separate columns. Owns only the positions; the numbers are
 * in the ladder.
 */
import { formatCount } from '../../plan/units.js';
import type { DropOff, Rung } from '../../result/drop-off.js';
import { standingOf } from '../words/drop-off-words.js';
import type { Pen } from './page.js';
import type { Paint } from './style.js';
import { wrapAndClip } from './text-width.js';

const INDENT = 2;
/** Width of `99.8% ` and the axis. */
const SCALE = 7;
/** With each lower end of the axis, this gives round numbers. */
const ROWS = 6;
/** Lower ends of the axis of shares; the highest below all shares is chosen, so that small losses are visible. */
const BOTTOMS = [0, 0.5, 0.8, 0.9, 0.95, 0.99];
/** Used when nothing failed and there are no losses to show. */
const WHOLE_BOTTOM = 0.5;
/** A wider picture is harder to read. */
const WIDEST_PLOT = 160;

interface Marks {
  readonly good: string;
  readonly bad: string;
  readonly undecided: string;
  readonly shade: string;
  readonly interval: string;
  readonly axis: string;
  readonly side: string;
  readonly corner: string;
}

const UNICODE: Marks = {
  good: '●',
  bad: '✗',
  undecided: '○',
  shade: '░',
  interval: '━',
  axis: '─',
  side: '┤',
  corner: '└',
};

const ASCII: Marks = {
  good: 'o',
  bad: 'x',
  undecided: '?',
  shade: ':',
  interval: '=',
  axis: '-',
  side: '|',
  corner: '+',
};

/** A load in its column. */
interface LoadColumn {
  readonly size: number;
  readonly column: number;
}

/** One character of the picture. */
interface Square {
  readonly char: string;
  readonly paint: Paint | null;
}

/** Lines of at most the pen's width; empty when no burst counted. */
export function searchPicture(dropOff: DropOff, pen: Pen): string[] {
  const rungs = dropOff.ladder.filter(({ share }) => share !== null);
  const width = Math.min(WIDEST_PLOT, pen.width - INDENT - SCALE - 1);
  if (rungs.length === 0 || width < 10) return [];
  const marks = pen.glyphs.isUnicode ? UNICODE : ASCII;
  const places = placed(
    rungs.map(({ size }) => size),
    width,
  );
  const bottom = bottomOf(rungs);
  const grid = drawn(dropOff, rungs, places, bottom, width, marks, pen);
  const lines = grid.map((squares, row) => `${label(row, bottom)}${marks.side}${painted(squares)}`);
  return [
    ...wrapAndClip(legend(dropOff, rungs, marks), pen.width - INDENT, pen.glyphs).map(
      (line) => `  ${pen.paint.dim(line)}`,
    ),
    ...lines,
    `${' '.repeat(INDENT + SCALE - 1)}${marks.corner}${axis(dropOff, places, width, marks)}`,
    loadLabels(dropOff, places, width, pen),
  ].map((line) => line.trimEnd());
}

function bottomOf(rungs: readonly Rung[]): number {
  const least = Math.min(...rungs.map((rung) => metOf(rung) ?? 1));
  return least === 1 ? WHOLE_BOTTOM : (BOTTOMS.findLast((bottom) => bottom < least) ?? 0);
}

/**
 * A handshake that was too slow still got its 101, so the share of 101s would draw a failed load among the passed ones.
 */
function metOf({ met, share }: Rung): number | null {
  return met ?? share;
}

/** To scale, as long as every load keeps its own column. */
function placed(sizes: readonly number[], width: number): LoadColumn[] {
  const logs = sizes.map(Math.log);
  const first = logs[0];
  const reach = logs[logs.length - 1] - first;
  const margin = Math.min(2, Math.floor(width / 8));
  const room = width - 2 * margin - 1;
  const columns = logs.map((log) => margin + Math.round(reach === 0 ? room / 2 : ((log - first) / reach) * room));
  for (let i = 1; i < columns.length; i++) columns[i] = Math.max(columns[i], columns[i - 1] + 1);
  for (let i = columns.length - 1, most = width - 1; i >= 0; i--, most--) columns[i] = Math.min(columns[i], most);
  // More loads than columns: the smallest loads share one.
  return sizes.map((size, i) => ({ size, column: Math.max(0, columns[i]) }));
}

/** A load between those that were tried, at the scale of its neighbours. */
function columnOf(load: number, places: readonly LoadColumn[], width: number): number {
  const above = places.findIndex(({ size }) => size >= load);
  if (above === -1) return width - 1;
  const next = places[above];
  if (next.size === load) return next.column;
  if (above === 0) return 0;
  const before = places[above - 1];
  const share = Math.log(load / before.size) / Math.log(next.size / before.size);
  return Math.round(before.column + share * (next.column - before.column));
}

function drawn(
  { bracket: [lo, hi] }: DropOff,
  rungs: readonly Rung[],
  places: readonly LoadColumn[],
  bottom: number,
  width: number,
  marks: Marks,
  { paint }: Pen,
): Square[][] {
  const from = lo === null ? null : columnOf(lo, places, width);
  const to = hi === null ? null : columnOf(hi, places, width);
  const background = Array.from({ length: width }, (_, column): Square => {
    const isInside = from !== null && to !== null && column >= from && column <= to;
    return isInside ? { char: marks.shade, paint: paint.dim } : { char: ' ', paint: null };
  });
  const grid = Array.from({ length: ROWS }, () => [...background]);
  for (const [i, rung] of rungs.entries()) grid[rowOf(rung, bottom)][places[i].column] = markOf(rung, marks, paint);
  return grid;
}

/** A load that is not good is never drawn on the 100 % row. */
function rowOf(rung: Rung, bottom: number): number {
  const height = ((metOf(rung) ?? bottom) - bottom) / (1 - bottom);
  const row = Math.round((1 - height) * (ROWS - 1));
  const top = rung.good > rung.bad ? 0 : 1;
  return Math.min(ROWS - 1, Math.max(top, row));
}

function markOf(rung: Rung, marks: Marks, paint: Pen['paint']): Square {
  const standing = standingOf(rung);
  if (standing === 'good') return { char: marks.good, paint: paint.green };
  return standing === 'bad' ? { char: marks.bad, paint: paint.red } : { char: marks.undecided, paint: paint.yellow };
}

/** Neighbours of the same colour are painted together. */
function painted(squares: readonly Square[]): string {
  let text = '';
  for (let i = 0; i < squares.length; ) {
    const { paint } = squares[i];
    let run = '';
    for (; i < squares.length && squares[i].paint === paint; i++) run += squares[i].char;
    text += paint === null ? run : paint(run);
  }
  return text;
}

function label(row: number, bottom: number): string {
  const share = 1 - (row / (ROWS - 1)) * (1 - bottom);
  const decimals = row > 0 && bottom === 0.99 ? 1 : 0;
  return `${(100 * share).toFixed(decimals)}% `.padStart(INDENT + SCALE - 1);
}

function axis(
  { interval95: [low, high], bracket }: DropOff,
  places: readonly LoadColumn[],
  width: number,
  marks: Marks,
) {
  const from = low === null ? null : columnOf(low, places, width);
  // An open end extends beyond the loads that were tried.
  const to = high === null ? (bracket[1] === null && low !== null ? width - 1 : null) : columnOf(high, places, width);
  return Array.from({ length: width }, (_, column) =>
    from !== null && to !== null && column >= from && column <= to ? marks.interval : marks.axis,
  ).join('');
}

/** Labels for the ends of the bracket first, then the ends of the axis, then others if there is room. */
function loadLabels({ bracket: [lo, hi] }: DropOff, places: readonly LoadColumn[], width: number, pen: Pen): string {
  const line = Array.from({ length: width }, () => ' ');
  const put = (text: string, middle: number): void => {
    const from = Math.max(0, Math.min(width - text.length, Math.round(middle - text.length / 2)));
    const around = line.slice(Math.max(0, from - 2), from + text.length + 2);
    if (text.length > width || around.some((char) => char !== ' ')) return;
    line.splice(from, text.length, ...text);
  };
  const at = (load: number): number => columnOf(load, places, width);
  if (lo !== null && hi !== null) {
    put(`${formatCount(lo)}${pen.glyphs.dash}${formatCount(hi)}`, (at(lo) + at(hi)) / 2);
  } else if (lo !== null || hi !== null) {
    const known = lo ?? hi ?? 0;
    put(formatCount(known), at(known));
  }
  for (const { size, column } of [places[0], places[places.length - 1], ...places]) put(formatCount(size), column);
  return ' '.repeat(INDENT + SCALE) + line.join('');
}

function legend({ bracket: [lo, hi], interval95: [low] }: DropOff, rungs: readonly Rung[], marks: Marks): string {
  const has = (test: (rung: Rung) => boolean, text: string): string[] => (rungs.some(test) ? [text] : []);
  return [
    `${rungs.some((rung) => metOf(rung) !== rung.share) ? 'in time' : '101s'} by load (log axis)`,
    ...has(({ good, bad }) => good > bad, `${marks.good} good`),
    ...has(({ good, bad }) => bad > good, `${marks.bad} bad`),
    ...has(({ good, bad }) => bad === good, `${marks.undecided} undecided`),
    ...(lo !== null && hi !== null ? [`${marks.shade} bracket`] : []),
    ...(low === null ? [] : [`${marks.interval} 95% interval`]),
  ].join(' ');
}
