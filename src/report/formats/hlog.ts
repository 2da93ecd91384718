/**
 * HdrHistogram's interval log, version 1.3 (`.hlog`): one tagged line a burst, with the histogram of its handshakes. Every
 * HDR tool can merge such lines, which averaged percentiles can't be. The histograms are those of the result, in µs.
 */
import type { Burst, Result } from '../../result/result.js';
import { LatencyHistogram } from '../../tally/histogram.js';

export function renderHlog([{ bursts, startedAt, tool }]: readonly Result[]): string {
  const startMs = Date.parse(startedAt);
  return [
    `#[wstampede ${tool.version}: handshakes that got their 101, one line a burst, in microseconds]`,
    '#[Histogram log format version 1.3]',
    `#[StartTime: ${seconds(startMs)} (seconds since epoch), ${startedAt}]`,
    '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
    ...bursts.flatMap((burst) => lineOf(burst, startMs)),
    '',
  ].join('\n');
}

/** No line for a burst without a 101: there is no histogram. The longest value is in ms. */
function lineOf({ index, releasedAt, makespanMs, latencyMs: { handshake } }: Burst, startMs: number): string[] {
  if (handshake === null) return [];
  const fromMs = releasedAt === null ? startMs : Date.parse(releasedAt);
  const lengthMs = makespanMs ?? handshake.max;
  const hdr = LatencyHistogram.decode(handshake.hdr).encode();
  return [`Tag=burst-${index},${seconds(fromMs)},${seconds(lengthMs)},${handshake.max.toFixed(3)},${hdr}`];
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
