/** A comparison on the terminal: the sentence, one row for each metric, the facts. No line is wider than the terminal. */
import type { Comparison, MetricVerdict } from '../../compare/comparison.js';
import {
  type CompareRow,
  compareContext,
  compareFacts,
  compareHeadline,
  compareRows,
} from '../words/compared/compare-words.js';
import { factLines, MOODS, type Pen, pageOf, penOf, titleLines } from './page.js';
import type { Palette, Terminal } from './style.js';
import { aligned, type Cell, naturalWidth } from './tables.js';
import { clip, columnsOf } from './text-width.js';

/** Text that ends with a line end. */
export function renderComparison(comparison: Comparison, terminal: Terminal): string {
  const pen = penOf(terminal);
  const { text, mood } = compareHeadline(comparison);
  const facts = compareFacts(comparison).flatMap(({ label, text: says, isDoubt }) =>
    factLines(label, says, pen, { label: isDoubt === true ? pen.paint.yellow : pen.paint.dim }),
  );
  return pageOf(
    [
      titleLines(text, compareContext(comparison), pen.paint[MOODS[mood]], pen),
      metricsTable(compareRows(comparison), pen),
      facts,
    ],
    terminal,
  );
}

const COLORS: Readonly<Record<MetricVerdict, keyof Palette>> = {
  worse: 'red',
  'not judged': 'yellow',
  undecided: 'yellow',
  better: 'green',
  'no worse': 'green',
};

/** `p99(handshake)`. */
const NARROWEST_NAME = 14;

function metricsTable(rows: readonly CompareRow[], { paint, ...pen }: Pen): string[] {
  if (rows.length === 0) return [];
  const hasLimits = rows.some(({ limit }) => limit !== null);
  const head: Cell[] = [
    { text: 'metric' },
    { text: 'base', right: true },
    { text: 'new', right: true },
    { text: 'change', right: true },
    { text: 'interval', right: true },
    { text: 'n', right: true },
    ...(hasLimits ? [{ text: 'limit', right: true }] : []),
    { text: 'verdict' },
  ].map((cell) => ({ ...cell, paint: paint.dim }));
  const body = rows.map((row): Cell[] => [
    { text: row.metric },
    ...[row.base, row.new, row.change, row.interval, row.count].map((text) => ({ text, right: true })),
    ...(hasLimits ? [{ text: row.limit ?? '', right: true }] : []),
    { text: row.says, paint: paint[COLORS[row.verdict]] },
  ]);
  const lines = [head, ...body];
  // The verdict stands last, and a long name must not push it out of the line.
  const excess = naturalWidth(lines) - pen.width;
  const widest = Math.max(...rows.map(({ metric }) => columnsOf(metric)));
  const room = Math.max(NARROWEST_NAME, widest - Math.max(0, excess));
  const fitted = lines.map(([name, ...cells]) => [{ ...name, text: clip(name.text, room, pen.glyphs) }, ...cells]);
  return aligned(fitted, { paint, ...pen });
}
