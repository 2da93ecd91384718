/**
 * The tables of the summary: outcomes, phases, bursts, thresholds. Each turns rows of words into lines that fit;
 * words/sections.ts decides which are shown and in what order.
 */
import { isOpen } from '../../names/outcomes.js';
import { formatCount } from '../../plan/units.js';
import type { BurstRow, BurstRows } from '../words/burst-rows.js';
import { tableMs } from '../words/numbers.js';
import type { OutcomeRow } from '../words/outcome-words.js';
import { type Bounded, PHASE_COLUMNS, type PhaseRow, type PhaseTable } from '../words/phase-table.js';
import type { StormTable } from '../words/storm/storm-words.js';
import type { ThresholdRow } from '../words/threshold-rows.js';
import type { Pen } from './page.js';
import { bar, type Glyphs, type Paint } from './style.js';
import { clip, columnsOf } from './text-width.js';

export interface Cell {
  readonly text: string;
  readonly right?: boolean;
  readonly paint?: Paint;
}

const INDENT = '  ';

function columnWidths(rows: readonly (readonly Cell[])[]): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, { text }] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, columnsOf(text));
  }
  return widths;
}

export function naturalWidth(rows: readonly (readonly Cell[])[]): number {
  const widths = columnWidths(rows);
  return INDENT.length + widths.reduce((sum, width) => sum + width, 0) + 2 * (widths.length - 1);
}

/** Rows in aligned columns, two spaces apart; the last column is cut to fit. */
export function aligned(rows: readonly (readonly Cell[])[], pen: Pen): string[] {
  const widths = columnWidths(rows);
  return rows.map((row) => {
    let left = pen.width - INDENT.length;
    const cells = row.map(({ text, right, paint }, i) => {
      const isLast = i === row.length - 1;
      const shown = clip(text, left, pen.glyphs);
      const padding = ' '.repeat(Math.max(0, Math.min(widths[i], left) - columnsOf(shown)));
      left -= columnsOf(shown) + padding.length + 2;
      const painted = paint === undefined ? shown : paint(shown);
      if (right === true) return padding + painted;
      return isLast ? painted : painted + padding;
    });
    return `${INDENT}${cells.join('  ')}`.trimEnd();
  });
}

const WIDEST_BAR = 40;
const NARROWEST_BAR = 6;

/** Policies side by side. */
export function stormsTable({ columns, rows }: StormTable, pen: Pen): string[] {
  const line = (cells: readonly string[], paint?: Paint) => cells.map((text, i) => ({ text, right: i > 0, paint }));
  return aligned([line(columns, pen.paint.dim), ...rows.map((cells) => line(cells))], pen);
}

/** Count, share, bar and meaning of every outcome. */
export function outcomesTable(outcomes: readonly OutcomeRow[], pen: Pen): string[] {
  const { glyphs, paint } = pen;
  const most = Math.max(...outcomes.map(({ count }) => count));
  const rows = outcomes.map((row) => ({ ...row, count: formatCount(row.count), share: row.share ?? glyphs.dash }));
  const widest = (texts: readonly string[]): number => Math.max(...texts.map(columnsOf));
  const fixed =
    INDENT.length +
    widest(['outcome', ...rows.map(({ id }) => id)]) +
    widest(['count', ...rows.map(({ count }) => count)]) +
    widest(['share', ...rows.map(({ share }) => share)]) +
    8;
  const free = pen.width - fixed - widest(rows.map(({ meaning }) => meaning));
  const barWidth = Math.min(WIDEST_BAR, Math.max(NARROWEST_BAR, free));
  const head = ['outcome', 'count', 'share'].map((text, i) => ({ text, right: i > 0, paint: paint.dim }));
  const body = rows.map(({ id, count, share, meaning }, i) => {
    const color = id !== 'other' && isOpen(id) ? paint.green : id === 'aborted' ? paint.yellow : paint.red;
    return [
      { text: id, paint: color },
      { text: count, right: true },
      { text: share, right: true },
      { text: bar(outcomes[i].count, most, barWidth, glyphs), paint: color },
      { text: meaning },
    ];
  });
  return aligned([head, ...body], pen);
}

/** `26.4 (≥ 24.9)` when the generator may have measured late, `26.4` when both bounds agree. */
export function boundedCell({ upper, lower }: Bounded, glyphs: Glyphs): string {
  return lower === null ? tableMs(upper) : `${tableMs(upper)} (${glyphs.atLeast}${tableMs(lower)})`;
}

/** Phases in ms. If the lines are too narrow for the notes, only the main phase's note is shown, below the table. */
export function phasesTable({ rows, mainNote, boundLegend, clockLegend }: PhaseTable, pen: Pen): string[] {
  if (rows.length === 0) return [];
  const { glyphs, paint } = pen;
  const head = ['ms', ...PHASE_COLUMNS].map((text, i) => ({ text, right: i > 0, paint: paint.dim }));
  const cells = rows.map((row) => phaseCells(row, pen));
  const noted = [head, ...cells.map((row, i) => [...row, { text: rows[i].note, paint: paint.dim }])];
  const hasRoom = naturalWidth(noted) <= pen.width;
  const below = [
    hasRoom ? null : mainNote,
    boundLegend === null ? null : `${glyphs.atLeast.trim()}: ${boundLegend}`,
    clockLegend,
  ].filter((legend) => legend !== null);
  return [
    ...aligned(hasRoom ? noted : [head, ...cells], pen),
    ...below.map((legend) => INDENT + paint.dim(clip(legend, pen.width - INDENT.length, glyphs))),
  ];
}

function phaseCells({ name, isMain, values }: PhaseRow, { glyphs, paint }: Pen): Cell[] {
  const first = isMain ? { text: name, paint: paint.bold } : { text: name };
  const texts = values.map((value) => (value === null ? glyphs.dash : boundedCell(value, glyphs)));
  return [first, ...texts.map((text) => ({ text, right: true }))];
}

/** With more bursts than this, only the first and the last are shown. */
const MOST_BURSTS = 24;
const FIRST_BURSTS = 8;

/** One row per burst. */
export function burstsTable({ columns, rows }: BurstRows, pen: Pen): string[] {
  const { glyphs, paint } = pen;
  const hidden = rows.length > MOST_BURSTS ? rows.length - MOST_BURSTS : 0;
  const shown = rows.filter((_, i) => hidden === 0 || i < FIRST_BURSTS || i >= FIRST_BURSTS + hidden);
  const head: Cell[] = [
    ...columns.map((text) => ({ text, right: true, paint: paint.dim })),
    { text: 'validity', paint: paint.dim },
    { text: 'failures', paint: paint.dim },
  ];
  const lines = aligned([head, ...shown.map((row) => burstCells(row, pen))], pen);
  if (hidden === 0) return lines;
  const gap = `${INDENT}${glyphs.gap} ${formatCount(hidden)} bursts not shown here`;
  return [...lines.slice(0, FIRST_BURSTS + 1), paint.dim(gap), ...lines.slice(FIRST_BURSTS + 1)];
}

function burstCells({ numbers, verdict, failures }: BurstRow, { glyphs, paint }: Pen): Cell[] {
  const color = { valid: paint.green, suspect: paint.yellow, invalid: paint.red }[verdict];
  return [
    ...numbers.map((text) => ({ text: text ?? glyphs.dash, right: true })),
    { text: verdict, paint: color },
    { text: failures, paint: paint.red },
  ];
}

/** Every threshold with the value that it was judged by. */
export function thresholdsTable(thresholds: readonly ThresholdRow[], pen: Pen): string[] {
  const { glyphs, paint } = pen;
  const rows = thresholds.map(({ ok, expression, actual, lower, floor }) => [
    { text: ok ? glyphs.yes : glyphs.no, paint: ok ? paint.green : paint.red },
    { text: expression },
    {
      text: `${actual}${lower === null ? '' : ` (${glyphs.atLeast}${lower})`}${floor === null ? '' : `; this generator alone ${floor}`}`,
    },
  ]);
  return aligned(rows, pen);
}
