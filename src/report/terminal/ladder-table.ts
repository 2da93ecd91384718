/**
 * The ladder as a table: one row per load, with how many of its bursts were good, the share of 101s with its
 * burst-level interval, the latencies of the median burst, and the failures. On a narrow terminal columns are left out,
 * the least important first; of very many loads, those around the bracket are kept.
 */
import { formatCount } from '../../plan/units.js';
import type { DropOff, Rung } from '../../result/drop-off.js';
import { failuresOf, standingOf } from '../words/drop-off-words.js';
import { percent, tableMs } from '../words/numbers.js';
import { countText } from '../words/outcome-words.js';
import { bounded } from '../words/phase-table.js';
import type { Pen } from './page.js';
import { aligned, boundedCell, type Cell, naturalWidth } from './tables.js';

/** With more loads than this, only those nearest to the bracket are shown. */
const MOST_ROWS = 30;

interface Column {
  readonly title: string;
  readonly right: boolean;
  /** null: always shown. The column with the highest number is dropped first. */
  readonly dispensable: number | null;
  readonly cell: (rung: Rung, pen: Pen) => Cell;
}

const COLUMNS: readonly Column[] = [
  { title: '', right: false, dispensable: null, cell: sign },
  { title: 'size', right: true, dispensable: null, cell: ({ size }) => ({ text: formatCount(size) }) },
  { title: 'bursts', right: true, dispensable: 6, cell: ({ bursts }) => ({ text: `${bursts}` }) },
  { title: 'good', right: true, dispensable: null, cell: ({ good }) => ({ text: `${good}` }) },
  { title: 'bad', right: true, dispensable: null, cell: ({ bad }) => ({ text: `${bad}` }) },
  { title: 'marginal', right: true, dispensable: 1, cell: ({ marginal }) => ({ text: `${marginal}` }) },
  { title: 'invalid', right: true, dispensable: 4, cell: ({ invalid }) => ({ text: `${invalid}` }) },
  { title: 'rested', right: true, dispensable: 7, cell: ({ fresh }) => ({ text: `${fresh}` }) },
  { title: 'share', right: true, dispensable: null, cell: shareCell },
  { title: 'its 95%', right: true, dispensable: 3, cell: intervalCell },
  { title: 'p50 ms', right: true, dispensable: 5, cell: ({ p50Ms }, pen) => latency(p50Ms, pen) },
  { title: 'p99 ms', right: true, dispensable: 2, cell: ({ p99Ms }, pen) => latency(p99Ms, pen) },
  { title: 'spread ms', right: true, dispensable: 8, cell: ({ spreadMs }, pen) => spreadCell(spreadMs, pen) },
];

/** Columns that are left out when all of their rows are 0. */
const SILENT_AT_ZERO: Readonly<Record<string, (rung: Rung) => number>> = {
  marginal: ({ marginal }) => marginal,
  invalid: ({ invalid }) => invalid,
};

/** Minimum width for failures, before other columns are dropped for them. */
const FAILURES_WIDTH = 16;

export function ladderTable(dropOff: DropOff, pen: Pen): string[] {
  const rungs = shown(dropOff);
  if (rungs.length === 0) return [];
  const hasFailures = rungs.some((rung) => failuresOf(rung).length > 0);
  let columns = COLUMNS.filter(({ title }) => rungs.some((rung) => SILENT_AT_ZERO[title]?.(rung) !== 0));
  const room = pen.width - (hasFailures ? FAILURES_WIDTH + 2 : 0);
  while (naturalWidth(tableOf(rungs, columns, pen)) > room) {
    const most = Math.max(...columns.map(({ dispensable }) => dispensable ?? 0));
    if (most === 0) break;
    columns = columns.filter(({ dispensable }) => dispensable !== most);
  }
  const failures = hasFailures ? [...columns, FAILURES] : columns;
  const lines = aligned(tableOf(rungs, failures, pen), pen);
  const hidden = dropOff.ladder.length - rungs.length;
  if (hidden === 0) return lines;
  return [
    ...lines,
    `  ${pen.paint.dim(`${pen.glyphs.gap} ${hidden} loads farther from the bracket are not shown here`)}`,
  ];
}

const FAILURES: Column = {
  title: 'failures (sum)',
  right: false,
  dispensable: null,
  cell: (rung, { paint }) => ({
    text: failuresOf(rung)
      .map(([id, count]) => countText(id, count))
      .join(', '),
    paint: paint.red,
  }),
};

function tableOf(rungs: readonly Rung[], columns: readonly Column[], pen: Pen): Cell[][] {
  const head = columns.map(({ title, right }) => ({ text: title, right, paint: pen.paint.dim }));
  return [head, ...rungs.map((rung) => columns.map(({ cell, right }) => ({ right, ...cell(rung, pen) })))];
}

function shown({ ladder, bracket: [lo, hi] }: DropOff): readonly Rung[] {
  if (ladder.length <= MOST_ROWS) return ladder;
  const middle = Math.log(lo ?? hi ?? 1) / 2 + Math.log(hi ?? lo ?? 1) / 2;
  const distance = ({ size }: Rung): number => Math.abs(Math.log(size) - middle);
  const nearest = new Set(ladder.toSorted((a, b) => distance(a) - distance(b)).slice(0, MOST_ROWS));
  return ladder.filter((rung) => nearest.has(rung));
}

function sign(rung: Rung, { glyphs, paint }: Pen): Cell {
  switch (standingOf(rung)) {
    case 'good':
      return { text: glyphs.yes, paint: paint.green };
    case 'bad':
      return { text: glyphs.no, paint: paint.red };
    case 'undecided':
      return { text: '?', paint: paint.yellow };
    case 'untold':
      return { text: glyphs.dash, paint: paint.dim };
  }
}

function shareCell({ share }: Rung, { glyphs }: Pen): Cell {
  return { text: share === null ? glyphs.dash : percent(share, 1) };
}

function intervalCell({ shareInterval }: Rung, { glyphs }: Pen): Cell {
  if (shareInterval === null) return { text: glyphs.dash };
  const [low, high] = shareInterval.map((share) => percent(share, 1).replace('%', ''));
  return { text: `${low}${glyphs.dash}${high}` };
}

/** `bounds`: the lower one, then the upper one. */
function latency(bounds: readonly [number, number] | null, { glyphs }: Pen): Cell {
  return { text: bounds === null ? glyphs.dash : boundedCell(bounded(bounds[1], bounds[0]), glyphs) };
}

function spreadCell(spreadMs: number | null, { glyphs }: Pen): Cell {
  return { text: spreadMs === null ? glyphs.dash : tableMs(spreadMs) };
}
