/** A count in each second of a load, as bars: handshakes a second. */
import { max } from 'd3-array';
import { scaleLinear } from 'd3-scale';
import { formatCount } from '../../plan/units.js';
import { markup } from './markup.js';
import { type Frame, LEFT, label, type Picture, picture, px, RIGHT, straight } from './picture.js';
import { tickText } from './time-scale.js';

const TOP = 20;
const BASE = 150;
/** More bars than pixels make no picture: neighbours are averaged. */
const MOST_BARS = 240;

/** @param values one a second; null: there are none */
export function seriesChart(values: readonly number[], frame: Omit<Frame, 'height'>): Picture | null {
  if (values.length === 0) return null;
  const per = Math.ceil(values.length / MOST_BARS);
  const bars = Array.from({ length: Math.ceil(values.length / per) }, (_, i) => {
    const some = values.slice(i * per, (i + 1) * per);
    return some.reduce((sum, one) => sum + one, 0) / some.length;
  });
  const most = max(bars) ?? 0;
  const up = scaleLinear()
    .domain([0, Math.max(1, most)])
    .range([BASE, TOP])
    .nice();
  const across = scaleLinear().domain([0, values.length]).range([LEFT, RIGHT]);
  return picture({ ...frame, height: BASE + 26 }, (brush) => [
    ...up
      .ticks(4)
      .flatMap((tick) => [
        straight(LEFT, up(tick), RIGHT, up(tick), brush.stroke('line')),
        label(LEFT - 6, up(tick) + 4, formatCount(tick), brush.fill('muted'), 'end'),
      ]),
    ...bars.map((value, i) => {
      const [from, to] = [across(i * per), across(Math.min(values.length, (i + 1) * per))];
      const said = `second ${i * per + 1}: ${formatCount(Math.round(value))}`;
      return markup`<rect x="${px(from)}" y="${px(up(value))}" width="${px(Math.max(0.8, to - from - 0.6))}" height="${px(BASE - up(value))}" ${brush.fill('ok')}><title>${said}</title></rect>`;
    }),
    straight(LEFT, BASE, RIGHT, BASE, brush.stroke('muted')),
    ...across
      .ticks(6)
      .map((tick) => label(across(tick), BASE + 17, tickText(1000 * tick), brush.fill('muted'), 'middle')),
  ]);
}
