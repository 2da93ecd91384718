/**
 * How numbers, times and shares are written for people, in prose and in columns. Does not know a terminal: an ASCII
 * terminal replaces the signs. plan/units.ts writes counts and durations as a plan does.
 */
import { formatCount } from '../../plan/units.js';

/** A time for prose, three significant digits: `42 µs`, `26.4 ms`, `1.00 s`. */
export function spokenMs(ms: number): string {
  const rounded = Number(ms.toPrecision(3));
  if (rounded < 1) return `${Math.round(rounded * 1000)} µs`;
  return rounded < 1000 ? `${rounded.toPrecision(3)} ms` : `${seconds(rounded)} s`;
}

/** A waiting time for prose, to the second or the minute: `90 s`, `6 min`, `2 h 5 min`. */
export function spokenSpan(ms: number): string {
  const whole = Math.round(ms / 1000);
  if (whole <= 120) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function seconds(ms: number): string {
  return ms < 100_000 ? (ms / 1000).toPrecision(3) : (ms / 1000).toFixed(0);
}

/** A time in ms for a column of numbers: `0.042`, `3.14`, `26.4`, `1,004`. */
export function tableMs(ms: number): string {
  if (ms < 0.9995) return ms.toFixed(3);
  if (ms < 9.995) return ms.toFixed(2);
  return ms < 999.95 ? ms.toFixed(1) : Math.round(ms).toLocaleString('en-US');
}

/** `part` of `whole` in percent; never rounded to 0 or to 100. */
export function percent(part: number, whole: number): string {
  if (whole <= 0) return '-';
  if (part === 0) return '0%';
  if (part === whole) return '100%';
  const share = (100 * part) / whole;
  const text = share.toFixed(share < 1 || share > 99 ? 2 : 1);
  if (text === '100.00') return '>99.99%';
  return text === '0.00' ? '<0.01%' : `${text}%`;
}

export function burstsText(count: number): string {
  return `${formatCount(count)} ${count === 1 ? 'burst' : 'bursts'}`;
}

/** Shares that the percentiles of a summary stand for. */
const QUANTILES = { p50: 0.5, p75: 0.75, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999 } as const;
export type QuantileName = keyof typeof QUANTILES;

/** p99.9 of 500 values is only their maximum: such a percentile is not shown. */
export function isBeyondData(name: QuantileName, count: number): boolean {
  // Fewer than one value lies above it; the margin is for the rounding of 1 - 0.9.
  return count * (1 - QUANTILES[name]) < 1 - 1e-9;
}
