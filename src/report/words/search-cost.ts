/**
 * What a search for the drop-off point is going to do and to cost, told before it sends anything: its loads, objectives,
 * rests and limits, then bursts, handshakes, failed handshakes and time, as expected and at the very worst. The numbers
 * are the search's own forecast; it refuses to promise anything about a target that nobody has measured yet.
 */
import { formatCount, formatDuration } from '../../plan/units.js';
import type { Forecast } from '../../search/forecast.js';
import type { SearchOptions } from '../../search/search-options.js';
import { wrap } from '../terminal/text-width.js';
import { spokenSpan } from './numbers.js';

export interface PlannedSearch {
  readonly options: SearchOptions;
  readonly forecast: Forecast;
}

const INDENT = 2;
const LABEL = 16;
/** Wide enough for the counts of any search. */
const COLUMN = 13;

type Row = readonly [label: string, text: string];

export function searchTerms({ options }: PlannedSearch): Row[] {
  const { min, max, start, width, quantile, objectives, drain, downSweep } = options;
  const names = [...objectives.map(({ name }) => name), ...(drain ? ['drain rate'] : [])];
  const range = `${formatCount(min)} to ${formatCount(max)} at once, beginning with ${formatCount(start)}`;
  const share = quantile === 0.5 ? 'half' : `${Math.round(100 * quantile)}%`;
  const after = downSweep ? ', then what the target takes right after a break' : '';
  return [
    ['loads', `${range}; down to a bracket ${Number((100 * width).toPrecision(3))}% wide${after}`],
    ['objective', `${names.join(' and ')}, met by ${share} of the bursts: that size is the drop-off`],
    ['rests', restsText(options)],
    ['ends after', limitsText(options)],
  ];
}

function restsText({ coolMs, freshWaitMs, maxWaitMs }: SearchOptions): string {
  const broken = `${formatDuration(freshWaitMs)} after one that broke the target, before it counts as rested`;
  return `${formatDuration(coolMs)} after each burst, ${broken}; up to ${formatDuration(maxWaitMs)} for it to recover`;
}

/** What ends a search whatever it has found by then. */
export function limitsText({ budget, deadlineMs, harm }: SearchOptions): string {
  return `${formatCount(budget)} bursts, ${spokenSpan(deadlineMs)} or ${formatCount(harm)} failed handshakes, found or not`;
}

/** A forecast is not known to more digits than these. */
function about(count: number): string {
  return `~${formatCount(Number(count.toPrecision(2)))}`;
}

/** Lines of at most `width` columns. */
export function searchCosts({ forecast }: PlannedSearch, width: number): string[] {
  const { expected, worst, dropOffs } = forecast;
  const rows: readonly (readonly [string, string, string])[] = [
    ['cost', 'expected', 'at worst'],
    ['bursts', about(expected.bursts), formatCount(worst.bursts)],
    ['handshakes', about(expected.handshakes), formatCount(worst.handshakes)],
    ['of them failed', about(expected.failedHandshakes), formatCount(worst.failedHandshakes)],
    ['time', `~${spokenSpan(expected.wallMs)}`, spokenSpan(worst.wallMs)],
  ];
  const column = Math.min(COLUMN, Math.floor((width - INDENT - LABEL) / 2));
  const table = rows.map(([label, ...cells]) => {
    const padded = cells.map((cell) => cell.padStart(column)).join('');
    return `${' '.repeat(INDENT)}${label.padEnd(LABEL)}${padded}`;
  });
  const where = dropOffs.map(formatCount).join(', ');
  const note = `Expected: of a well-behaved target whose drop-off is at ${where}; a noisy one takes half as many bursts again. Calibration comes on top.`;
  return [...table, ...wrap(note, width - INDENT).map((line) => ' '.repeat(INDENT) + line)];
}
