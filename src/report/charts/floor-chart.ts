/**
 * What was measured beside what this generator costs alone (the same burst against a local test server): two dots for each
 * figure. Where they are close, the figure is the generator's, not the target's.
 */
import { scaleLog } from 'd3-scale';
import { spokenMs } from '../words/numbers.js';
import { type Markup, markup } from './markup.js';
import { type Brush, type Frame, label, type Picture, picture, px, RIGHT, straight } from './picture.js';
import { tickText } from './time-scale.js';

export interface FloorPair {
  readonly name: string;
  readonly measuredMs: number;
  readonly aloneMs: number;
}

const ROW = 34;
const NAMES = 130;
const TOP = 28;

/** null: nothing was measured alone. */
export function floorChart(pairs: readonly FloorPair[], frame: Omit<Frame, 'height'>): Picture | null {
  if (pairs.length === 0) return null;
  const values = pairs.flatMap(({ measuredMs, aloneMs }) => [measuredMs, aloneMs]).map((ms) => Math.max(ms, 0.001));
  const scale = scaleLog()
    .domain([Math.min(...values) / 1.6, Math.max(...values) * 1.6])
    .range([NAMES, RIGHT - 60]);
  const base = TOP + pairs.length * ROW;
  return picture({ ...frame, height: base + 26 }, (brush) => [
    label(NAMES, 14, '○ this generator alone · ● measured · shaded: this machine’s own', brush.fill('muted')),
    ...pairs.flatMap((pair, i) => row(pair, TOP + i * ROW + ROW / 2, scale, brush)),
    straight(NAMES, base, RIGHT - 60, base, brush.stroke('muted')),
    ...decades(scale).flatMap((tick) => [
      straight(scale(tick), base, scale(tick), base + 4, brush.stroke('muted')),
      label(scale(tick), base + 17, tickText(tick), brush.fill('muted'), 'middle'),
    ]),
  ]);
}

function row(
  { name, measuredMs, aloneMs }: FloorPair,
  y: number,
  scale: (ms: number) => number,
  brush: Brush,
): Markup[] {
  const [alone, measured] = [scale(Math.max(aloneMs, 0.001)), scale(Math.max(measuredMs, 0.001))];
  return [
    markup`<rect x="${NAMES}" y="${y - 12}" width="${px(Math.max(0, alone - NAMES))}" height="24" ${brush.fill('shade')}/>`,
    label(NAMES - 8, y + 4, name, brush.fill('ink'), 'end'),
    straight(Math.min(alone, measured), y, Math.max(alone, measured), y, brush.stroke('muted', 2)),
    markup`<circle cx="${px(alone)}" cy="${y}" r="5" class="f-paper s-muted" fill="#ffffff" stroke="#57606a" stroke-width="2"><title>${`alone: ${spokenMs(aloneMs)}`}</title></circle>`,
    markup`<circle cx="${px(measured)}" cy="${y}" r="6" ${brush.fill('ok')}><title>${`measured: ${spokenMs(measuredMs)}`}</title></circle>`,
    label(RIGHT, y + 4, spokenMs(measuredMs), brush.fill('ink'), 'end'),
  ];
}

function decades(scale: { ticks(count?: number): number[] }): number[] {
  const all = scale.ticks();
  const tens = all.filter((tick) => Math.abs(Math.log10(tick) - Math.round(Math.log10(tick))) < 1e-9);
  return tens.length > 1 ? tens : all.filter((_, i) => i % Math.ceil(all.length / 5) === 0);
}
