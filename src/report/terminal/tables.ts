/**
 * The tables of the summary: outcomes, phases, bursts, thresholds. Each takes a part of a result and gives lines that
 * fit; which of them are shown, and in what order, is the summary's business.
 */

import { blameOf, meaningOf, type OutcomeId } from '../../names/outcomes.js';
import type { Gate } from '../../plan/plan.js';
import { formatCount } from '../../plan/units.js';
import {
  BOUNDED_PHASES,
  type BoundedPhase,
  type Burst,
  type Counted,
  type Phase,
  type Preflight,
  type ThresholdResult,
} from '../../result/result.js';
import { failedOutcomes, judgedAttempts, share101 } from '../words/headline.js';
import { percent, tableMs } from '../words/numbers.js';
import { bar, type Glyphs, type Paint, type Palette, safeText } from './style.js';
import { clip, columnsOf } from './text-width.js';

/** How the tables are drawn: the terminal's width, characters and colours. */
export interface Pen {
  readonly width: number;
  readonly glyphs: Glyphs;
  readonly paint: Palette;
}

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

/** Rows in aligned columns two spaces apart; what would not fit is cut from the last column. */
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

/** Why a status fails a handshake, where the number alone does not say it. */
const STATUS_WORDS: Readonly<Record<string, string>> = {
  200: 'OK: answered as plain HTTP',
  301: 'redirect, not followed',
  302: 'redirect, not followed',
  307: 'redirect, not followed',
  308: 'redirect, not followed',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  426: 'Upgrade Required',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway: backend gone or nonsense',
  503: 'Service Unavailable',
  504: 'Gateway Timeout: backend too slow',
};

const WIDEST_BAR = 40;
const NARROWEST_BAR = 6;

/** Count, share, bar and meaning of every outcome. Shares leave out what failed here and what was stopped. */
export function outcomesTable(counted: Counted, pen: Pen): string[] {
  const { glyphs, paint } = pen;
  const entries = Object.entries(counted.outcomes) as [OutcomeId, number][];
  const judged = judgedAttempts(counted);
  const most = Math.max(...entries.map(([, count]) => count));
  const rows = entries.map(([id, count]) => {
    const isJudged = id !== 'aborted' && blameOf(id) !== 'local';
    return { id, count, share: isJudged ? percent(count, judged) : glyphs.dash, meaning: outcomeMeaning(id) };
  });
  const widest = (texts: readonly string[]): number => Math.max(...texts.map(columnsOf));
  const fixed =
    INDENT.length +
    widest(['outcome', ...rows.map(({ id }) => id)]) +
    widest(['count', ...rows.map(({ count }) => formatCount(count))]) +
    widest(['share', ...rows.map(({ share }) => share)]) +
    8;
  const free = pen.width - fixed - widest(rows.map(({ meaning }) => meaning));
  const barWidth = Math.min(WIDEST_BAR, Math.max(NARROWEST_BAR, free));
  const head = ['outcome', 'count', 'share'].map((text, i) => ({ text, right: i > 0, paint: paint.dim }));
  const body = rows.map(({ id, count, share, meaning }) => {
    const color = id === '101' ? paint.green : id === 'aborted' ? paint.yellow : paint.red;
    return [
      { text: id, paint: color },
      { text: formatCount(count), right: true },
      { text: share, right: true },
      { text: bar(count, most, barWidth, glyphs), paint: color },
      { text: meaning },
    ];
  });
  return aligned([head, ...body], pen);
}

function outcomeMeaning(id: OutcomeId): string {
  return id === '101' ? '' : (STATUS_WORDS[id] ?? meaningOf(id));
}

interface PhaseRow {
  readonly cells: readonly Cell[];
  /** Left out where the lines would not hold it whole. */
  readonly note: string;
}

const COLUMNS = ['p50', 'p90', 'p99', 'max'] as const;

/** A lower bound nearer than this to the upper one tells a reader nothing new. */
const MATERIAL_SHARE = 0.05;
const MATERIAL_MS = 0.5;

/** `26.4 (≥ 24.9)` where the generator may have stamped late, `26.4` where both bounds agree. */
export function boundedCell(upper: number, lower: number | null, glyphs: Glyphs): string {
  const isMaterial = lower !== null && upper - lower > Math.max(MATERIAL_SHARE * upper, MATERIAL_MS);
  return isMaterial ? `${tableMs(upper)} (${glyphs.atLeast}${tableMs(lower)})` : tableMs(upper);
}

/** Phases in ms, what a client felt last but one, and the target's latency without load beside it. */
export function phasesTable(counted: Counted, preflight: Preflight | null, gate: Gate | null, pen: Pen): string[] {
  const { glyphs, paint } = pen;
  const before = (phase: Phase): string =>
    (gate === 'upgrade' && (phase === 'connect' || phase === 'tls')) || (gate === 'tls' && phase === 'connect')
      ? ', before the release'
      : '';
  const notes: Readonly<Record<Phase, string>> = {
    dns: 'looking the name up',
    connect: `TCP${before('connect')}`,
    tls: `TLS${before('tls')}`,
    upgrade: 'request to response head',
    handshake: 'what a client felt',
    message: 'first message after the 101',
  };
  const order: readonly Phase[] = ['dns', 'connect', 'tls', 'upgrade', 'handshake', 'message'];
  const rows = order.flatMap((phase) => {
    const summary = counted.latencyMs[phase];
    if (summary === null) return [];
    const lower = isBounded(phase) ? (counted.latencyLowerMs?.[phase] ?? null) : null;
    const cells = COLUMNS.map((column) => boundedCell(summary[column], lower?.[column] ?? null, glyphs));
    return [phaseRow(phase, cells, notes[phase], pen)];
  });
  const unloaded = preflight?.latencyMs ?? null;
  if (unloaded !== null) {
    const cells = [tableMs(unloaded.p50), glyphs.dash, glyphs.dash, tableMs(unloaded.max)];
    rows.push(phaseRow('unloaded', cells, `${unloaded.count} handshakes one by one, before`, pen));
  }
  if (rows.length === 0) return [];
  const head = ['ms', ...COLUMNS].map((text, i) => ({ text, right: i > 0, paint: paint.dim }));
  const table = [head, ...rows.map(({ cells }) => cells)];
  const isBoundShown = rows.some(({ cells }) => cells.some(({ text }) => text.includes(`(${glyphs.atLeast}`)));
  const noted = [head, ...rows.map(({ cells, note }) => [...cells, { text: note, paint: paint.dim }])];
  const hasRoom = naturalWidth(noted) <= pen.width;
  const legends: string[] = [];
  if (!hasRoom) legends.push(`handshake: ${notes.handshake}`);
  if (isBoundShown)
    legends.push(`${glyphs.atLeast.trim()}: lower bound; the generator stamped late, the truth lies between`);
  if (counted.kernel !== null && counted.latencyLowerMs === null)
    legends.push('kernel stamps: the kernel itself timed each arrival, so there are no bounds');
  const below = legends.map((legend) => INDENT + paint.dim(clip(legend, pen.width - INDENT.length, glyphs)));
  return [...aligned(hasRoom ? noted : table, pen), ...below];
}

function phaseRow(name: string, values: readonly string[], note: string, { paint }: Pen): PhaseRow {
  const first = name === 'handshake' ? { text: name, paint: paint.bold } : { text: name };
  return { cells: [first, ...values.map((text) => ({ text, right: true }))], note };
}

function isBounded(phase: Phase): phase is BoundedPhase {
  return BOUNDED_PHASES.some((bounded) => bounded === phase);
}

/** More bursts than this are told by the first ones and the last ones. */
const MOST_BURSTS = 24;
const FIRST_BURSTS = 8;

/** One row a burst, when there are several. `index` is the one of the result and of the attempts' CSV. */
export function burstsTable(bursts: readonly Burst[], pen: Pen): string[] {
  const { glyphs, paint } = pen;
  const hidden = bursts.length > MOST_BURSTS ? bursts.length - MOST_BURSTS : 0;
  const shown = bursts.filter((_, i) => hidden === 0 || i < FIRST_BURSTS || i >= FIRST_BURSTS + hidden);
  const hasChurn = bursts.some(({ kind }) => kind === 'churn');
  const titles = ['index', 'size', '101', 'share', 'p50 ms', 'p99 ms', hasChurn ? 'spread' : 'spread ms'];
  const head: Cell[] = titles.map((text) => ({ text, right: true, paint: paint.dim }));
  const rows = shown.map((burst) => burstRow(burst, hasChurn, pen));
  const lines = aligned(
    [[...head, { text: 'validity', paint: paint.dim }, { text: 'failures', paint: paint.dim }], ...rows],
    pen,
  );
  if (hidden === 0) return lines;
  const gap = `${INDENT}${glyphs.gap} ${formatCount(hidden)} bursts not shown here`;
  return [...lines.slice(0, FIRST_BURSTS + 1), paint.dim(gap), ...lines.slice(FIRST_BURSTS + 1)];
}

function burstRow(burst: Burst, hasUnits: boolean, { glyphs, paint }: Pen): Cell[] {
  const { handshake } = burst.latencyMs;
  const spread = burst.release === null ? glyphs.dash : tableMs(burst.release.spreadMs);
  const pace = burst.rate === null ? glyphs.dash : `${formatCount(Math.round(burst.rate))}/s`;
  const failed = failedOutcomes(burst.outcomes).map(([id, n]) => `${formatCount(n)}${glyphs.times}${id}`);
  if (burst.lostWhileHeld > 0) failed.push(`${formatCount(burst.lostWhileHeld)} lost`);
  const color = { valid: paint.green, suspect: paint.yellow, invalid: paint.red }[burst.validity.verdict];
  return [
    { text: `${burst.index}`, right: true },
    { text: formatCount(burst.size), right: true },
    { text: formatCount(burst.outcomes['101'] ?? 0), right: true },
    { text: share101(burst), right: true },
    { text: handshake === null ? glyphs.dash : tableMs(handshake.p50), right: true },
    { text: handshake === null ? glyphs.dash : tableMs(handshake.p99), right: true },
    { text: burst.kind === 'churn' ? pace : hasUnits && burst.release !== null ? `${spread} ms` : spread, right: true },
    { text: burst.validity.verdict, paint: color },
    { text: failed.join(', '), paint: paint.red },
  ];
}

/** Every threshold with what it was judged on. */
export function thresholdsTable(thresholds: readonly ThresholdResult[], pen: Pen): string[] {
  const { glyphs, paint } = pen;
  const rows = thresholds.map((threshold) => [
    { text: threshold.ok ? glyphs.yes : glyphs.no, paint: threshold.ok ? paint.green : paint.red },
    { text: safeText(threshold.expression) },
    { text: actualText(threshold, glyphs) },
  ]);
  return aligned(rows, pen);
}

function actualText({ expression, actual, actualLower }: ThresholdResult, glyphs: Glyphs): string {
  if (actual === null) return 'nothing to judge';
  const text = inOwnUnit(expression, actual);
  if (actualLower === null) return `is ${text}`;
  const lower = inOwnUnit(expression, actualLower);
  return lower === text ? `is ${text}` : `is ${text} (${glyphs.atLeast}${lower})`;
}

function inOwnUnit(expression: string, value: number): string {
  if (/^\s*share\b/.test(expression)) return percent(value, 1);
  if (/^\s*(count|dropOff)\b/.test(expression)) return formatCount(value);
  return /^\s*rate\b/.test(expression) ? `${formatCount(Math.round(value))}/s` : `${tableMs(value)} ms`;
}
