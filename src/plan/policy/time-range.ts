/** A time that is fixed or drawn evenly from a range, written `5s` or `20s..45s`. */
import { UserError } from '../../errors.js';
import { formatDuration, parseDurationMs } from '../units.js';

/** Both ends in ms; a fixed time has two equal ends. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

const SEPARATOR = '..';

export function parseTimeRange(text: string | number): TimeRange {
  const [from = '', to, ...more] = String(text).split(SEPARATOR);
  if (more.length > 0) throw new UserError(`expected one range such as 20s..45s, found ${text}`, { code: 'unit' });
  const fromMs = parseDurationMs(from);
  const toMs = to === undefined ? fromMs : parseDurationMs(to);
  if (toMs < fromMs)
    throw new UserError(`expected the shorter time first, found ${text}; write ${to}..${from}`, { code: 'unit' });
  return { fromMs, toMs };
}

export function formatTimeRange({ fromMs, toMs }: TimeRange): string {
  const from = formatDuration(fromMs);
  return fromMs === toMs ? from : `${from}${SEPARATOR}${formatDuration(toMs)}`;
}

export function meanOfRange({ fromMs, toMs }: TimeRange): number {
  return (fromMs + toMs) / 2;
}

/** @param share of the way from one end to the other, 0 to 1 */
export function withinRange({ fromMs, toMs }: TimeRange, share: number): number {
  return fromMs + (toMs - fromMs) * share;
}
