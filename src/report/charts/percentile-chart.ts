/**
 * Which part of the handshakes had their 101 after which time: the axis of percentiles that HdrHistogram's plotter uses. It
 * ends where the data end, because p99.9 of 500 is only their maximum. Failures never got theirs: a plateau at the top.
 */
import { scaleLog } from 'd3-scale';
import { area, curveStepAfter, line } from 'd3-shape';
import type { Summary } from '../../result/result.js';
import { LatencyHistogram } from '../../tally/histogram.js';
import { percent } from '../words/numbers.js';
import { type Markup, markup } from './markup.js';
import { type Brush, type Frame, LEFT, label, type Picture, picture, px, RIGHT, straight } from './picture.js';
import { tickText, timeScale } from './time-scale.js';

export interface PercentileData {
  /** Of the 101s. */
  readonly handshake: Summary;
  /** Their lower bound; null: the kernel timed them. */
  readonly lower: Summary | null;
  /** Of the generator alone. */
  readonly floor: Summary | null;
  /** Attempts that say something about the target, failed ones included. */
  readonly judged: number;
}

const TOP = 28;
const BASE = 210;
const HEIGHT = 240;
const PERCENTS = [0, 50, 75, 90, 95, 99, 99.9, 99.99, 99.999];
/** Slower by this factor than the fastest: a linear axis would show only the slowest. */
const LOG_FROM = 50;

interface Spot {
  readonly x: number;
  readonly ms: number;
  readonly lowerMs: number;
}

export function percentileChart(data: PercentileData, frame: Omit<Frame, 'height'>): Picture {
  const { handshake, lower, floor, judged } = data;
  const failed = Math.max(0, judged - handshake.count);
  // One value is left above the last percentile that is drawn.
  const across = scaleLog()
    .domain([1, Math.max(2, judged)])
    .range([LEFT, RIGHT]);
  const spots = spotsOf(handshake, lower, judged, across);
  const most = Math.max(handshake.max, floor?.max ?? 0);
  const isLog = most > LOG_FROM * handshake.p50;
  const up = timeScale(
    [isLog ? Math.min(handshake.min, floor?.min ?? handshake.min) : 0, most],
    isLog,
    [BASE, TOP + 24],
    1,
  );
  return picture({ ...frame, height: HEIGHT }, (brush) => [
    ...grid(across, up, judged, brush),
    ...(lower === null ? [] : [bandPath(spots, up, brush)]),
    ...(floor === null
      ? []
      : [curve(spotsOf(floor, null, floor.count, across), up, brush.stroke('muted', 1.5), '4 3')]),
    curve(spots, up, brush.stroke('ok', 2.5), null),
    ...plateau(failed, judged, across, brush),
    ...legend(floor !== null, lower !== null, brush),
  ]);
}

/** Values in order, with the share of all attempts that are at most as slow. */
function spotsOf(of: Summary, lower: Summary | null, judged: number, across: (x: number) => number): Spot[] {
  const bars = LatencyHistogram.decode(of.hdr).bars();
  const low = lower === null ? null : LatencyHistogram.decode(lower.hdr);
  const spots: Spot[] = [];
  let seen = 0;
  for (const { fromMs, count } of bars) {
    const left = judged - seen;
    seen += count;
    const x = stepped(across(Math.min(judged, judged / Math.max(1, left))));
    const lowerMs = low === null ? fromMs : low.percentileMs(Math.min(100, (100 * seen) / of.count));
    // One point for every few pixels is enough.
    if (spots.at(-1)?.x === x) spots.pop();
    spots.push({ x, ms: fromMs, lowerMs });
  }
  const end = px(across(Math.min(judged, judged / Math.max(1, judged - seen))));
  const last = spots[spots.length - 1];
  return end > last.x ? [...spots, { ...last, x: end }] : spots;
}

/** To every other unit of the picture: half the size, and nothing that a person sees. */
function stepped(x: number): number {
  return 2 * Math.round(x / 2);
}

function curve(spots: readonly Spot[], up: ReturnType<typeof timeScale>, ink: Markup, dash: string | null): Markup {
  const path =
    line<Spot>(
      ({ x }) => x,
      ({ ms }) => px(up.at(ms)),
    ).curve(curveStepAfter)(spots as Spot[]) ?? '';
  return markup`<path d="${path}" fill="none"${dash === null ? null : markup` stroke-dasharray="${dash}"`} ${ink}/>`;
}

function bandPath(spots: readonly Spot[], up: ReturnType<typeof timeScale>, brush: Brush): Markup {
  const shape = area<Spot>(
    ({ x }) => x,
    ({ lowerMs }) => px(up.at(lowerMs)),
    ({ ms }) => px(up.at(ms)),
  );
  return markup`<path d="${shape.curve(curveStepAfter)(spots as Spot[]) ?? ''}" ${brush.fill('shade')}/>`;
}

function grid(across: (x: number) => number, up: ReturnType<typeof timeScale>, judged: number, brush: Brush): Markup[] {
  const percents = PERCENTS.filter((one) => one === 0 || judged * (1 - one / 100) >= 1 - 1e-9);
  return [
    ...up.ticks.flatMap((tick) => [
      straight(LEFT, up.at(tick), RIGHT, up.at(tick), brush.stroke('line')),
      label(LEFT - 6, up.at(tick) + 4, tickText(tick), brush.fill('muted'), 'end'),
    ]),
    straight(LEFT, BASE, RIGHT, BASE, brush.stroke('muted')),
    ...percents.flatMap((one) => {
      const x = across(1 / (1 - one / 100));
      return [
        straight(x, BASE, x, BASE + 4, brush.stroke('muted')),
        label(x, BASE + 17, `${one}%`, brush.fill('muted'), x > RIGHT - 20 ? 'end' : 'middle'),
      ];
    }),
  ];
}

/** What failed has no time to a 101. */
function plateau(failed: number, judged: number, across: (x: number) => number, brush: Brush): Markup[] {
  if (failed === 0) return [];
  const from = across(Math.min(judged, judged / failed));
  return [
    straight(from, TOP + 8, RIGHT, TOP + 8, brush.stroke('bad', 4)),
    straight(from, TOP + 8, from, BASE, markup`stroke-dasharray="2 3" ${brush.stroke('bad')}`),
    label(RIGHT, TOP, `never: ${percent(failed, judged)} got no 101`, brush.fill('bad'), 'end'),
  ];
}

function legend(hasFloor: boolean, hasBand: boolean, brush: Brush): Markup[] {
  const parts = [
    'solid: measured',
    ...(hasBand ? ['shaded: down to the lower bound'] : []),
    ...(hasFloor ? ['dashed: this generator alone'] : []),
  ];
  return [label(LEFT, 14, parts.join(' · '), brush.fill('muted'))];
}
