/**
 * Times from the release to the 101, with failures below on the same axis. Both have a scale of their own, because one
 * cluster of timeouts would flatten the rest; the counts are printed. Few values are drawn one by one as well.
 */
import { max } from 'd3-array';
import { scaleLinear } from 'd3-scale';
import { formatCount } from '../../plan/units.js';
import { LatencyHistogram } from '../../tally/histogram.js';
import type { LatencyShape } from '../words/latency-shape.js';
import { spokenMs } from '../words/numbers.js';
import { chooseAxis, type Weight, weightsOf } from '../words/time-axis.js';
import { type Markup, markup } from './markup.js';
import { type Brush, type Frame, hatch, LEFT, label, type Picture, picture, px, RIGHT, straight } from './picture.js';
import { type TimeScale, tickText, timeScale } from './time-scale.js';

export interface TimeBin {
  readonly fromMs: number;
  readonly toMs: number;
  readonly ok: number;
  readonly failed: number;
}

const BINS = 60;
const OK_HEIGHT = 120;
const FAILED_HEIGHT = 70;
const TOP = 24;
const AXIS_ROOM = 22;
/** Up to so many values are also drawn as single strokes. */
const MOST_STROKES = 50;
/** Failures this many times later than the last success would squeeze a linear axis. */
const FAR = 4;

export interface TimeChart {
  readonly picture: Picture;
  /** The bins that hold something. */
  readonly bins: readonly TimeBin[];
}

/** null: nothing has a time. */
export function timeChart({ ok, failures }: LatencyShape, frame: Omit<Frame, 'height'>): TimeChart | null {
  const good = ok === null ? [] : weightsOf(LatencyHistogram.decode(ok.hdr), null);
  const bad = failures.flatMap(({ id, summary }) => weightsOf(LatencyHistogram.decode(summary.hdr), id));
  const all = [...good, ...bad].toSorted((a, b) => a.ms - b.ms);
  if (all.length === 0) return null;
  const scale = scaleOf(good.length > 0 ? good : all, all);
  const bins = binsOf(scale, all);
  const hasFailed = bad.length > 0;
  const base = TOP + OK_HEIGHT;
  const height = base + (hasFailed ? FAILED_HEIGHT + AXIS_ROOM + 16 : AXIS_ROOM + 10);
  const drawn = picture({ ...frame, height }, (brush) => [
    hatch(frame.id, brush),
    ...(good.length === 0 ? [] : series(bins, 'ok', base, -OK_HEIGHT, frame.id, brush)),
    ...(hasFailed ? series(bins, 'failed', base + AXIS_ROOM, FAILED_HEIGHT, frame.id, brush) : []),
    ...axis(scale, base, brush),
    ...strokes(all, scale, base, brush),
  ]);
  return { picture: drawn, bins: bins.filter((bin) => bin.ok + bin.failed > 0) };
}

function scaleOf(shaped: readonly Weight[], all: readonly Weight[]): TimeScale {
  const last = all[all.length - 1].ms;
  const isLog = chooseAxis(shaped, BINS).isLog || last > FAR * shaped[shaped.length - 1].ms;
  return timeScale([isLog ? all[0].ms * 0.9 : 0, last], isLog, [LEFT, RIGHT], BINS);
}

function binsOf({ edges }: TimeScale, weights: readonly Weight[]): TimeBin[] {
  const bins = edges.slice(0, -1).map((fromMs, i) => ({ fromMs, toMs: edges[i + 1], ok: 0, failed: 0 }));
  for (const { ms, count, failure } of weights) {
    const place = edges.findLastIndex((edge) => edge <= ms);
    bins[Math.min(bins.length - 1, Math.max(0, place))][failure === null ? 'ok' : 'failed'] += count;
  }
  return bins;
}

/** @param reach height of the highest bar; negative: upwards */
function series(
  bins: readonly TimeBin[],
  what: 'ok' | 'failed',
  base: number,
  reach: number,
  id: string,
  brush: Brush,
): Markup[] {
  const most = max(bins, (bin) => bin[what]) ?? 0;
  const total = bins.reduce((sum, bin) => sum + bin[what], 0);
  const scale = scaleLinear()
    .domain([0, Math.max(1, most)])
    .range([0, Math.abs(reach)]);
  const width = (RIGHT - LEFT) / bins.length;
  const ink = what === 'ok' ? brush.fill('ok') : markup`fill="url(#${id}-hatch)" ${brush.stroke('bad')}`;
  const name = what === 'ok' ? '× 101' : 'failed';
  const bars = bins.flatMap((bin, i) => {
    if (bin[what] === 0) return [];
    const high = Math.max(1.5, scale(bin[what]));
    const said = `${spokenMs(bin.fromMs)} to ${spokenMs(bin.toMs)}: ${formatCount(bin[what])} ${name}`;
    return [
      markup`<rect x="${px(LEFT + i * width)}" y="${px(reach < 0 ? base - high : base)}" width="${px(width - 0.6)}" height="${px(high)}" ${ink}><title>${said}</title></rect>`,
    ];
  });
  const y = reach < 0 ? base + reach : base + reach;
  return [
    straight(LEFT, y, RIGHT, y, brush.stroke('line')),
    label(LEFT - 6, y + 4, formatCount(most), brush.fill('muted'), 'end'),
    label(
      RIGHT,
      reach < 0 ? y - 6 : y + 14,
      `${formatCount(total)} ${name}`,
      brush.fill(what === 'ok' ? 'ok' : 'bad'),
      'end',
    ),
    ...bars,
  ];
}

function axis(scale: TimeScale, base: number, brush: Brush): Markup[] {
  return [
    straight(LEFT, base, RIGHT, base, brush.stroke('muted')),
    ...scale.ticks.flatMap((tick) => [
      straight(scale.at(tick), base, scale.at(tick), base + 4, brush.stroke('muted')),
      label(scale.at(tick), base + 16, tickText(tick), brush.fill('muted'), 'middle'),
    ]),
  ];
}

function strokes(weights: readonly Weight[], scale: TimeScale, base: number, brush: Brush): Markup[] {
  const count = weights.reduce((sum, one) => sum + one.count, 0);
  if (count > MOST_STROKES) return [];
  return weights.map(({ ms, failure }) =>
    straight(scale.at(ms), base - 5, scale.at(ms), base + 3, brush.stroke(failure === null ? 'ink' : 'bad', 1.5)),
  );
}
