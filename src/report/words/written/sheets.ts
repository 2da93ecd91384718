/**
 * The tables of a written report (HTML, Markdown) as data: outcomes, thresholds, phases, bursts, the ladder of a search.
 * A renderer draws them; texts of a target in them are printable, and not yet escaped for any markup.
 */
import { isOpen } from '../../../names/outcomes.js';
import { formatCount } from '../../../plan/units.js';
import type { DropOff, Rung } from '../../../result/drop-off.js';
import type { Counted, Summary, ThresholdResult } from '../../../result/result.js';
import type { BurstRows } from '../burst-rows.js';
import { failuresOf, standingOf } from '../drop-off-words.js';
import { isBeyondData, percent, type QuantileName, tableMs } from '../numbers.js';
import { countText, outcomeRows } from '../outcome-words.js';
import { type Bounded, bounded, PHASE_COLUMNS, type PhaseTable } from '../phase-table.js';
import type { StormTable } from '../storm/storm-words.js';
import { thresholdRows } from '../threshold-rows.js';

interface SheetColumn {
  readonly title: string;
  readonly isNumber: boolean;
}

export interface Sheet {
  readonly columns: readonly SheetColumn[];
  /** In the order of the columns. */
  readonly rows: readonly (readonly string[])[];
  /** Whether a row is good, bad or doubtful; null: neither. */
  readonly moods: readonly Mood[];
  /** What is not shown, or how to read it; may be empty. */
  readonly notes: readonly string[];
}

export type Mood = 'good' | 'bad' | 'doubtful' | null;

const NONE = '–';
/** With more rows than this the rest is only counted: the result itself has them all. */
const MOST_ROWS = 60;

export function outcomeSheet(counted: Counted): Sheet {
  const rows = outcomeRows(counted);
  return sheet(
    [text('outcome'), number('count'), number('share'), text('meaning')],
    rows.map(({ id, count, share, meaning }) => [id, formatCount(count), share ?? NONE, meaning]),
    rows.map(({ id }) => (id === 'aborted' ? 'doubtful' : id !== 'other' && isOpen(id) ? 'good' : 'bad')),
  );
}

/** The limit stands beside the value. */
export function thresholdSheet(thresholds: readonly ThresholdResult[]): Sheet {
  const rows = thresholdRows(thresholds);
  return sheet(
    [text('result'), text('threshold'), text('measured')],
    rows.map(({ ok, expression, actual, lower, floor }) => [
      ok ? '✓ met' : '✗ missed',
      expression,
      `${actual}${lower === null ? '' : ` (≥ ${lower})`}${floor === null ? '' : `; this generator alone ${floor}`}`,
    ]),
    rows.map(({ ok }) => (ok ? 'good' : 'bad')),
  );
}

export function stormSheet({ columns: [first, ...others], rows }: StormTable): Sheet {
  return sheet(
    [text(first), ...others.map(number)],
    rows,
    rows.map(() => null),
  );
}

export function phaseSheet({ rows, boundLegend, clockLegend }: PhaseTable): Sheet {
  return sheet(
    [text('phase, ms'), ...PHASE_COLUMNS.map(number), text('what it is')],
    rows.map(({ name, values, note }) => [name, ...values.map(boundedText), note]),
    rows.map(() => null),
    [boundLegend === null ? null : `≥: ${boundLegend}`, clockLegend].filter((legend) => legend !== null),
  );
}

export function burstSheet({ columns, rows }: BurstRows): Sheet {
  return sheet(
    [...columns.map(number), text('validity'), text('failures')],
    rows.map(({ numbers, verdict, failures }) => [...numbers.map((one) => one ?? NONE), verdict, failures]),
    rows.map(({ verdict }) => ({ valid: null, suspect: 'doubtful' as const, invalid: 'bad' as const })[verdict]),
  );
}

const STANDINGS = {
  good: ['✓ passed', 'good'],
  bad: ['✗ failed', 'bad'],
  undecided: ['? undecided', 'doubtful'],
  untold: [NONE, null],
} as const;

export function ladderSheet({ ladder }: DropOff): Sheet {
  const columns: readonly (readonly [SheetColumn, (rung: Rung) => string])[] = [
    [number('size'), ({ size }) => formatCount(size)],
    [text('verdict'), (rung) => STANDINGS[standingOf(rung)][0]],
    [number('passed'), ({ good, bad, marginal }) => `${good} of ${good + bad + marginal}`],
    [number('share of 101s'), ({ share }) => (share === null ? NONE : percent(share, 1))],
    [number('p50 ms'), ({ p50Ms }) => boundsText(p50Ms)],
    [number('p99 ms'), ({ p99Ms }) => boundsText(p99Ms)],
    [number('spread ms'), ({ spreadMs }) => (spreadMs === null ? NONE : tableMs(spreadMs))],
    [
      text('failures (sum)'),
      (rung) =>
        failuresOf(rung)
          .map(([id, count]) => countText(id, count))
          .join(', '),
    ],
  ];
  return sheet(
    columns.map(([column]) => column),
    ladder.map((rung) => columns.map(([, cell]) => cell(rung))),
    ladder.map((rung) => STANDINGS[standingOf(rung)][1]),
  );
}

function sheet(
  columns: readonly SheetColumn[],
  rows: readonly (readonly string[])[],
  moods: readonly Mood[],
  notes: readonly string[] = [],
): Sheet {
  const hidden = rows.length - MOST_ROWS;
  const more = hidden > 0 ? [`${formatCount(hidden)} more rows are in the result itself`] : [];
  return { columns, rows: rows.slice(0, MOST_ROWS), moods: moods.slice(0, MOST_ROWS), notes: [...notes, ...more] };
}

function text(title: string): SheetColumn {
  return { title, isNumber: false };
}

function number(title: string): SheetColumn {
  return { title, isNumber: true };
}

function boundedText(value: Bounded | null): string {
  if (value === null) return NONE;
  return value.lower === null ? tableMs(value.upper) : `${tableMs(value.upper)} (≥ ${tableMs(value.lower)})`;
}

/** @param bounds the lower one, then the upper one */
function boundsText(bounds: readonly [number, number] | null): string {
  return boundedText(bounds === null ? null : bounded(bounds[1], bounds[0]));
}

/** Times from the release on; parts without a handshake are left out. */
export function timeSheet(
  bins: readonly { readonly fromMs: number; readonly toMs: number; readonly ok: number; readonly failed: number }[],
): Sheet {
  return sheet(
    [number('from ms'), number('to ms'), number('101s'), number('failures')],
    bins.map(({ fromMs, toMs, ok, failed }) => [tableMs(fromMs), tableMs(toMs), formatCount(ok), formatCount(failed)]),
    bins.map(() => null),
  );
}

export function floorSheet(
  pairs: readonly { readonly name: string; readonly measuredMs: number; readonly aloneMs: number }[],
): Sheet {
  return sheet(
    [text('figure'), number('measured ms'), number('alone ms')],
    pairs.map(({ name, measuredMs, aloneMs }) => [name, tableMs(measuredMs), tableMs(aloneMs)]),
    pairs.map(() => null),
  );
}

const PERCENTILES = ['p50', 'p75', 'p90', 'p95', 'p99', 'p999'] as const;

/** Of the 101s. A percentile beyond the data is not known. */
export function percentileSheet(handshake: Summary, lower: Summary | null, floor: Summary | null): Sheet {
  const known = (summary: Summary | null, name: QuantileName): string =>
    summary === null || isBeyondData(name, summary.count) ? NONE : tableMs(summary[name]);
  const columns = [
    { title: 'ms', of: handshake },
    ...(lower === null ? [] : [{ title: 'lower bound', of: lower }]),
    ...(floor === null ? [] : [{ title: 'this generator alone', of: floor }]),
  ];
  const rows = PERCENTILES.map((name) => [
    name === 'p999' ? 'p99.9' : name,
    ...columns.map(({ of }) => known(of, name)),
  ]);
  const most = ['max', ...columns.map(({ of }) => tableMs(of.max))];
  return sheet([text('of the 101s'), ...columns.map(({ title }) => number(title))], [...rows, most], []);
}

export function seriesSheet(values: readonly number[]): Sheet {
  return sheet(
    [number('second'), number('101s')],
    values.map((value, i) => [`${i + 1}`, formatCount(value)]),
    [],
  );
}
