/**
 * The percentile distribution of one phase over all bursts, as HdrHistogram's own tools print it (`.hgrm`): its plotter
 * and spreadsheets read it. Values are in ms. Without a value it is a distribution of none.
 */
import type { Phase } from '../../names/phases.js';
import type { Result } from '../../result/result.js';
import { LatencyHistogram } from '../../tally/histogram.js';

export function renderHgrm([{ totals }]: readonly Result[], phase: Phase): string {
  const summary = totals.latencyMs[phase];
  const histogram = summary === null ? new LatencyHistogram() : LatencyHistogram.decode(summary.hdr);
  return histogram.percentileDistribution();
}
