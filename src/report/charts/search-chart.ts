/**
 * A search: each load on a logarithmic axis against its share of handshakes that met the objectives; passed, failed or
 * undecided by mark and colour. The bracket is shaded, the 95 % interval is a bar on the axis, an open end an arrow.
 */
import { scaleLinear, scaleLog } from 'd3-scale';
import { formatCount } from '../../plan/units.js';
import type { DropOff, Rung } from '../../result/drop-off.js';
import { standingOf } from '../words/drop-off-words.js';
import { percent } from '../words/numbers.js';
import { type Markup, markup } from './markup.js';
import {
  type Brush,
  type Frame,
  type Ink,
  LEFT,
  label,
  type Picture,
  picture,
  px,
  RIGHT,
  straight,
} from './picture.js';

const TOP = 62;
const BASE = 250;
const HEIGHT = 296;
/** Lower ends of the axis of shares: the highest below all shares, so that small losses are seen. */
const BOTTOMS = [0, 0.5, 0.8, 0.9, 0.95, 0.99];

type Across = (size: number) => number;

/** null: no burst counted. */
export function searchChart(dropOff: DropOff, frame: Omit<Frame, 'height'>): Picture | null {
  const rungs = dropOff.ladder.filter((rung) => rung.share !== null && standingOf(rung) !== 'untold');
  if (rungs.length === 0) return null;
  const sizes = rungs.map(({ size }) => size);
  const across = scaleLog()
    .domain([Math.min(...sizes) / 1.25, Math.max(...sizes) * 1.25])
    .range([LEFT, RIGHT]);
  const least = Math.min(...rungs.map(metOf));
  const bottom = least === 1 ? 0.5 : (BOTTOMS.findLast((one) => one < least) ?? 0);
  const up = scaleLinear().domain([bottom, 1]).range([BASE, TOP]);
  return picture({ ...frame, height: HEIGHT }, (brush) => [
    ...bracket(dropOff, across, brush),
    ...shares(up, brush),
    ...interval(dropOff, across, brush),
    ...sizesAxis(rungs, dropOff, across, brush),
    ...rungs.map((rung) => mark(rung, across(rung.size), up(metOf(rung)), brush)),
    label(
      LEFT,
      14,
      '● passed · ✗ failed · ◐ undecided · shaded: bracket · bar on the axis: 95% interval',
      brush.fill('muted'),
    ),
  ]);
}

/** A handshake that was too slow still got its 101. */
function metOf({ met, share }: Rung): number {
  return met ?? share ?? 0;
}

function shares(up: (share: number) => number, brush: Brush): Markup[] {
  const [bottom] = (up as ReturnType<typeof scaleLinear<number, number>>).domain();
  return [0, 0.25, 0.5, 0.75, 1].flatMap((part) => {
    const share = bottom + part * (1 - bottom);
    return [
      straight(LEFT, up(share), RIGHT, up(share), brush.stroke('line')),
      label(LEFT - 6, up(share) + 4, `${Number((100 * share).toFixed(2))}%`, brush.fill('muted'), 'end'),
    ];
  });
}

function bracket({ bracket: [lo, hi] }: DropOff, across: Across, brush: Brush): Markup[] {
  if (lo === null || hi === null) return [];
  const [from, to] = [across(lo), across(hi)];
  return [
    markup`<rect x="${px(from)}" y="${TOP - 14}" width="${px(Math.max(2, to - from))}" height="${BASE - TOP + 14}" ${brush.fill('shade')}/>`,
  ];
}

function interval(
  { interval95: [low, high], bracket: [, hi], estimate }: DropOff,
  across: Across,
  brush: Brush,
): Markup[] {
  if (low === null && high === null) return [];
  const from = low === null || low === 0 ? LEFT : Math.max(LEFT, across(low));
  const isOpen = high === null || hi === null;
  const to = high === null || isOpen ? RIGHT : Math.min(RIGHT, across(high));
  const arrow = markup`<path d="M${px(RIGHT - 10)} ${BASE - 6}l10 6l-10 6z" ${brush.fill('accent')}/>`;
  return [
    straight(from, BASE, to, BASE, brush.stroke('accent', 6)),
    ...(isOpen ? [arrow] : []),
    ...(estimate === null
      ? []
      : [
          straight(
            across(estimate),
            TOP - 14,
            across(estimate),
            BASE,
            markup`stroke-dasharray="4 3" ${brush.stroke('accent', 1.5)}`,
          ),
          label(
            across(estimate),
            TOP - 17,
            `~${formatCount(estimate)}`,
            brush.fill('accent'),
            across(estimate) > RIGHT - 40 ? 'end' : 'middle',
          ),
        ]),
  ];
}

/** The ends of the bracket get their label first, then the ends of the axis, then others where there is room. */
function sizesAxis(rungs: readonly Rung[], { bracket: [lo, hi] }: DropOff, across: Across, brush: Brush): Markup[] {
  const taken: number[] = [];
  const sizes = rungs.map(({ size }) => size);
  const [first, last] = [sizes[0], sizes[sizes.length - 1]];
  const wanted = [lo, first, last, ...sizes].filter((size) => size !== null && size !== hi);
  const labels = wanted.flatMap((size) => {
    const x = across(size ?? 0);
    if (taken.some((other) => Math.abs(other - x) < 46)) return [];
    taken.push(x);
    return [label(x, BASE + 18, formatCount(size ?? 0), brush.fill('ink'), 'middle')];
  });
  // The ends of a bracket are often too close for two labels in one row.
  const upper = hi === null ? [] : [label(across(hi), BASE + 33, formatCount(hi), brush.fill('ink'), 'middle')];
  return [straight(LEFT, BASE, RIGHT, BASE, brush.stroke('muted')), ...labels, ...upper];
}

const MARKS: Readonly<Record<'good' | 'bad' | 'undecided', readonly [Ink, string]>> = {
  good: ['ok', 'passed'],
  bad: ['bad', 'failed'],
  undecided: ['doubt', 'undecided'],
};

function mark(rung: Rung, x: number, y: number, brush: Brush): Markup {
  const standing = standingOf(rung);
  const [ink, word] = MARKS[standing === 'untold' ? 'undecided' : standing];
  const { size, good, bad, marginal } = rung;
  const said = `${formatCount(size)} ${word}: ${good} of ${good + bad + marginal} bursts, ${percent(metOf(rung), 1)}`;
  const title = markup`<title>${said}</title>`;
  const at = markup`transform="translate(${px(x)} ${px(y)})"`;
  switch (standing) {
    case 'good':
      return markup`<g ${at}><circle r="6" ${brush.fill(ink)}/>${title}</g>`;
    case 'bad':
      return markup`<g ${at}><path d="M-5 -5L5 5M-5 5L5 -5" fill="none" ${brush.stroke(ink, 2.5)}/>${title}</g>`;
    default:
      return markup`<g ${at}><circle r="5.5" fill="none" ${brush.stroke(ink, 1.5)}/><path d="M0 -5.5A5.5 5.5 0 0 0 0 5.5z" ${brush.fill(ink)}/>${title}</g>`;
  }
}
