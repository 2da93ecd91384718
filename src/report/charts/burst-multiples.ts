/**
 * All bursts beside each other, each with its own small histogram on one time axis: bursts are the unit, so each is shown, and
 * no mean of them.
 */
import { max } from 'd3-array';
import { scaleLinear } from 'd3-scale';
import { openedOf } from '../../names/outcomes.js';
import { formatCount } from '../../plan/units.js';
import type { Burst } from '../../result/result.js';
import { LatencyHistogram } from '../../tally/histogram.js';
import { failuresText } from '../words/outcome-words.js';
import { type Markup, markup } from './markup.js';
import { type Brush, clipped, type Frame, label, type Picture, picture, px, straight, WIDTH } from './picture.js';
import { type TimeScale, tickText, timeScale } from './time-scale.js';

const COLUMNS = 3;
const GAP = 20;
const CELL = (WIDTH - 16 - (COLUMNS - 1) * GAP) / COLUMNS;
const ROW = 84;
const BARS = 34;
const BINS = 40;
/** More would make a page of their own; the table has them all. */
export const MOST_MULTIPLES = 36;
/** The slowest this many times the fastest: a linear axis would show only the slowest. */
const LOG_FROM = 100;

/** null: no burst has a time. */
export function burstMultiples(bursts: readonly Burst[], frame: Omit<Frame, 'height'>): Picture | null {
  const shown = bursts.slice(0, MOST_MULTIPLES);
  const timed = shown.flatMap(timesOf);
  if (timed.length === 0) return null;
  const most = Math.max(...timed.map(({ toMs }) => toMs));
  const least = Math.max(0.001, Math.min(...timed.map(({ fromMs }) => fromMs)));
  const isLog = most > LOG_FROM * least && most > 4 * typicalOf(shown);
  const scale = timeScale([isLog ? least : 0, most], isLog, [0, CELL], BINS);
  const rows = Math.ceil(shown.length / COLUMNS);
  return picture({ ...frame, height: rows * ROW + 10 }, (brush) =>
    shown.map((burst, i) => {
      const x = 8 + (i % COLUMNS) * (CELL + GAP);
      return markup`<g transform="translate(${px(x)} ${8 + Math.floor(i / COLUMNS) * ROW})">${cell(burst, scale, brush)}</g>`;
    }),
  );
}

interface TimedBar {
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
  readonly isOk: boolean;
}

function timesOf({ latencyMs: { handshake }, failureMs }: Burst): TimedBar[] {
  const bars = (hdr: string, isOk: boolean) =>
    LatencyHistogram.decode(hdr)
      .bars()
      .map((one) => ({ ...one, isOk }));
  return [
    ...(handshake === null ? [] : bars(handshake.hdr, true)),
    ...Object.values(failureMs).flatMap((summary) => (summary === null ? [] : bars(summary.hdr, false))),
  ];
}

/** The largest median of the bursts; 0 where nothing got its 101. */
function typicalOf(bursts: readonly Burst[]): number {
  return max(bursts, ({ latencyMs }) => latencyMs.handshake?.p50 ?? 0) ?? 0;
}

function cell(burst: Burst, scale: TimeScale, brush: Brush): Markup[] {
  const base = 20 + BARS;
  const counts = { ok: new Float64Array(BINS), failed: new Float64Array(BINS) };
  for (const { fromMs, count, isOk } of timesOf(burst)) {
    const place = Math.max(
      0,
      Math.min(
        BINS - 1,
        scale.edges.findLastIndex((edge) => edge <= fromMs),
      ),
    );
    counts[isOk ? 'ok' : 'failed'][place] += count;
  }
  const failures = failuresText(burst);
  const said = `#${burst.index} · ${formatCount(burst.size)} · ${formatCount(openedOf(burst.outcomes))} × 101`;
  const { verdict } = burst.validity;
  return [
    label(0, 10, clipped(said, 30), brush.fill('ink')),
    ...(verdict === 'valid'
      ? []
      : [label(CELL, 10, verdict, brush.fill(verdict === 'suspect' ? 'doubt' : 'bad'), 'end')]),
    bars(counts.ok, base, -BARS, brush.fill('ok')),
    bars(counts.failed, base, 8, brush.fill('bad')),
    straight(0, base, CELL, base, brush.stroke('muted')),
    label(
      0,
      base + 20,
      clipped(failures === '' ? `0 to ${tickText(scale.edges[BINS])}` : failures, 32),
      brush.fill(failures === '' ? 'muted' : 'bad'),
    ),
  ];
}

/** One path for all bars of a cell: a picture of many bursts stays small. */
function bars(counts: Float64Array, base: number, reach: number, ink: Markup): Markup {
  const most = max(counts) ?? 0;
  if (most === 0) return markup``;
  const scale = scaleLinear()
    .domain([0, most])
    .range([0, Math.abs(reach)]);
  const width = CELL / counts.length;
  const path = [...counts]
    .map((count, i) => {
      if (count === 0) return '';
      const high = px(Math.max(1.5, scale(count))) * Math.sign(reach);
      return `M${px(i * width)} ${base}v${high}h${px(width - 0.4)}v${-high}z`;
    })
    .join('');
  return markup`<path d="${path}" ${ink}/>`;
}
