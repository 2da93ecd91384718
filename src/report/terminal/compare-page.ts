/** A comparison on the terminal: the sentence, one row for each metric, the facts. No line is wider than the terminal. */
import type { Comparison, MetricVerdict } from '../../compare/comparison.js';
import { formatCount } from '../../plan/units.js';
import { type CompareRow, compareFacts, compareHeadline, compareRows } from '../words/compared/compare-words.js';
import { factLines, MOODS, type Pen, pageOf, penOf, titleLines } from './page.js';
import type { Palette, Terminal } from './style.js';
import { aligned, type Cell } from './tables.js';

/** Text that ends with a line end. */
export function renderComparison(comparison: Comparison, terminal: Terminal): string {
  const pen = penOf(terminal);
  const { text, mood } = compareHeadline(comparison);
  const facts = compareFacts(comparison).flatMap(({ label, text: says, isDoubt }) =>
    factLines(label, says, pen, { label: isDoubt === true ? pen.paint.yellow : pen.paint.dim }),
  );
  return pageOf(
    [
      titleLines(text, contextOf(comparison), pen.paint[MOODS[mood]], pen),
      metricsTable(compareRows(comparison), pen),
      facts,
    ],
    terminal,
  );
}

function contextOf({ command, base, new: fresh }: Comparison): string[] {
  const side = (name: string, runs: number, bursts: number) =>
    `${name}: ${count(runs, 'run')}${bursts === 0 ? '' : `, ${count(bursts, 'burst')}`}`;
  return [
    ...(command === null ? [] : [command]),
    side('base', base.runs, base.bursts),
    side('new', fresh.runs, fresh.bursts),
  ];
}

function count(many: number, what: string): string {
  return `${formatCount(many)} ${what}${many === 1 ? '' : 's'}`;
}

const COLORS: Readonly<Record<MetricVerdict, keyof Palette>> = {
  worse: 'red',
  'not judged': 'yellow',
  undecided: 'yellow',
  better: 'green',
  'no worse': 'green',
};

function metricsTable(rows: readonly CompareRow[], { paint, ...pen }: Pen): string[] {
  if (rows.length === 0) return [];
  const hasLoads = rows.some(({ load }) => load !== null);
  const hasLimits = rows.some(({ limit }) => limit !== null);
  const head: Cell[] = [
    { text: 'metric' },
    ...(hasLoads ? [{ text: 'load' }] : []),
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
    ...(hasLoads ? [{ text: row.load ?? '' }] : []),
    ...[row.base, row.new, row.change, row.interval, row.count].map((text) => ({ text, right: true })),
    ...(hasLimits ? [{ text: row.limit ?? '', right: true }] : []),
    { text: row.says, paint: paint[COLORS[row.verdict]] },
  ]);
  return aligned([head, ...body], { paint, ...pen });
}
