/** Outcomes as bars: the count and the share stand beside each, and failures are hatched. */
import { max } from 'd3-array';
import { scaleLinear } from 'd3-scale';
import { isOpen } from '../../names/outcomes.js';
import { formatCount } from '../../plan/units.js';
import type { Counted } from '../../result/result.js';
import { outcomeRows } from '../words/outcome-words.js';
import { markup } from './markup.js';
import { clipped, type Frame, hatch, label, type Picture, picture, px, RIGHT } from './picture.js';

const ROW = 24;
const NAMES = 120;
const COUNTS = 130;

/** null: there is no attempt. */
export function outcomeBars(counted: Counted, frame: Omit<Frame, 'height'>): Picture | null {
  const rows = outcomeRows(counted);
  if (rows.length === 0) return null;
  const scale = scaleLinear()
    .domain([0, max(rows, ({ count }) => count) ?? 1])
    .range([0, RIGHT - NAMES - COUNTS]);
  return picture({ ...frame, height: rows.length * ROW + 12 }, (brush) => [
    hatch(frame.id, brush),
    ...rows.flatMap(({ id, count, share }, i) => {
      const y = 8 + i * ROW;
      const good = id !== 'other' && isOpen(id);
      const width = Math.max(count > 0 ? 2 : 0, px(scale(count)));
      const ink = good ? brush.fill('ok') : markup`fill="url(#${frame.id}-hatch)" ${brush.stroke('bad')}`;
      return [
        label(NAMES - 8, y + 14, clipped(id, 18), brush.fill('ink'), 'end'),
        markup`<rect x="${NAMES}" y="${y + 2}" width="${width}" height="${ROW - 8}" ${ink}><title>${`${id}: ${formatCount(count)}`}</title></rect>`,
        label(
          NAMES + width + 8,
          y + 14,
          `${formatCount(count)}${share === null ? '' : ` · ${share}`}`,
          brush.fill('ink'),
        ),
      ];
    }),
  ]);
}
