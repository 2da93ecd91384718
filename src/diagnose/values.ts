/** The values behind a summary, as exactly as its histogram stores them. */
import type { Summary } from '../result/result.js';
import { LatencyHistogram } from '../tally/histogram.js';

/**
 * The values of a histogram, ascending; the values of one bucket are spread over it, so that a straight line stays
 * straight.
 */
export function valuesOf(summary: Summary | null): number[] {
  if (summary === null) return [];
  const values: number[] = [];
  for (const { fromMs, toMs, count } of LatencyHistogram.decode(summary.hdr).bars()) {
    for (let i = 0; i < count; i++) values.push(fromMs + ((toMs - fromMs) * (i + 0.5)) / count);
  }
  return values;
}
