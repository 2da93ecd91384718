/**
 * What a search for the drop-off point will do and cost, before it sends anything: its loads, objectives, rests and
 * limits, then bursts, handshakes, failed handshakes and time, as expected and in the worst case. The numbers are the
 * search's own forecast; they promise nothing about a target that has not been measured yet.
 */
import { formatCount, formatDuration } from '../../plan/units.js';
import type { Forecast } from '../../search/forecast.js';
import type { SearchOptions } from '../../search/search-options.js';
import { spokenSpan } from './numbers.js';

export interface PlannedSearch {
  readonly options: SearchOptions;
  readonly forecast: Forecast;
}

export function searchTerms({ options }: PlannedSearch): [label: string, text: string][] {
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
  const rested = `${formatDuration(freshWaitMs)} where the target must count as rested`;
  return `${formatDuration(coolMs)} after each burst, ${rested}; up to ${formatDuration(maxWaitMs)} for it to recover`;
}

/** The limits that end a search, with or without an answer. */
export function limitsText({ budget, deadlineMs, harm }: SearchOptions): string {
  return `${formatCount(budget)} bursts, ${spokenSpan(deadlineMs)} or ${formatCount(harm)} failed handshakes, found or not`;
}

/** A forecast is given with two significant digits. */
function about(count: number): string {
  return `~${formatCount(Number(count.toPrecision(2)))}`;
}

export type CostRow = readonly [label: string, expected: string, atWorst: string];

/** The first row is the head. */
export function costRows({ forecast: { expected, worst } }: PlannedSearch): CostRow[] {
  return [
    ['cost', 'expected', 'at worst'],
    ['bursts', about(expected.bursts), formatCount(worst.bursts)],
    ['handshakes', about(expected.handshakes), formatCount(worst.handshakes)],
    ['of them failed', about(expected.failedHandshakes), formatCount(worst.failedHandshakes)],
    ['time', `~${spokenSpan(expected.wallMs)}`, spokenSpan(worst.wallMs)],
  ];
}

/** For which drop-offs the forecast was made. */
export function costNote({ forecast: { dropOffs } }: PlannedSearch): string {
  const where = dropOffs.map(formatCount).join(', ');
  return `Expected: of a well-behaved target whose drop-off is at ${where}; a noisy one takes half as many bursts again. Calibration comes on top.`;
}
