/**
 * A picture of a report: SVG as text, made without a browser, so that a page needs no script. Presentation attributes
 * colour it where styles are not allowed; classes of the same names let a page recolour it. What it shows, and whether it
 * can be believed, stands inside it: a picture travels alone.
 */
import { Markup, markup } from './markup.js';

export interface Picture {
  /** Unique in the page. */
  readonly id: string;
  readonly title: string;
  /** What it shows, in one or two sentences: for those who do not see it. */
  readonly says: string;
  readonly svg: Markup;
}

export interface Frame {
  readonly id: string;
  readonly title: string;
  readonly says: string;
  readonly height: number;
  /** Verdict, load, target, date. */
  readonly stamp: string;
  /** Nothing in it is about the target. */
  readonly isVoid: boolean;
}

/** Units of all pictures; a page scales them. */
export const WIDTH = 640;
/** Room for the axis of values, and for what stands over the right edge. */
export const LEFT = 56;
export const RIGHT = WIDTH - 16;
const STAMP_HEIGHT = 22;

export type Ink = 'ink' | 'muted' | 'ok' | 'bad' | 'doubt' | 'line' | 'shade' | 'accent';

/** Readable on white: text at least 4.5 : 1. */
const INKS: Readonly<Record<Ink, string>> = {
  ink: '#1b1f24',
  muted: '#57606a',
  ok: '#1a7f4b',
  bad: '#b3261e',
  doubt: '#8a5a00',
  line: '#d0d7de',
  shade: '#eaeef2',
  accent: '#0b5cad',
};
const VOID_INK = '#6e7781';

/** Colours of one picture: all grey where it says nothing about the target. */
export class Brush {
  readonly #isVoid: boolean;

  constructor(isVoid: boolean) {
    this.#isVoid = isVoid;
  }

  fill(ink: Ink): Markup {
    return this.#attributes('fill', ink);
  }

  stroke(ink: Ink, width = 1): Markup {
    return markup`${this.#attributes('stroke', ink)} stroke-width="${width}"`;
  }

  #attributes(property: 'fill' | 'stroke', ink: Ink): Markup {
    const isGrey = this.#isVoid && (ink === 'ok' || ink === 'bad' || ink === 'doubt' || ink === 'accent');
    const kind = property === 'fill' ? 'f' : 's';
    return markup`class="${kind}-${isGrey ? 'void' : ink}" ${new Markup(property)}="${isGrey ? VOID_INK : INKS[ink]}"`;
  }
}

/** @param draw what stands in it, below y = 0 and above `height` */
export function picture(frame: Frame, draw: (brush: Brush) => readonly Markup[]): Picture {
  const { id, title, says, height, stamp, isVoid } = frame;
  const brush = new Brush(isVoid);
  const whole = height + STAMP_HEIGHT;
  const svg = markup`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${whole}" role="img" aria-labelledby="${id}-title ${id}-says" font-family="system-ui, sans-serif" font-size="12">
<title id="${id}-title">${title}</title><desc id="${id}-says">${says}</desc>
<rect width="${WIDTH}" height="${whole}" class="f-paper" fill="#ffffff"/>
${draw(brush)}
<text x="8" y="${whole - 7}" font-size="9" ${brush.fill('muted')}>${clipped(stamp, 126)}</text></svg>`;
  return { id, title, says, svg };
}

export function label(
  x: number,
  y: number,
  text: string,
  ink: Markup,
  anchor: 'start' | 'middle' | 'end' = 'start',
): Markup {
  return markup`<text x="${px(x)}" y="${px(y)}" text-anchor="${anchor}" ${ink}>${text}</text>`;
}

export function straight(x1: number, y1: number, x2: number, y2: number, ink: Markup): Markup {
  return markup`<path d="M${px(x1)} ${px(y1)}L${px(x2)} ${px(y2)}" fill="none" ${ink}/>`;
}

/** Diagonal lines: failures are told from successes without colours, and on grey paper. */
export function hatch(id: string, brush: Brush): Markup {
  return markup`<defs><pattern id="${id}-hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="5" height="5" class="f-paper" fill="#ffffff"/><rect width="3" height="5" ${brush.fill('bad')}/></pattern></defs>`;
}

/** To a tenth: finer is invisible, and larger files. */
export function px(value: number): number {
  return Math.round(value * 10) / 10;
}

export function clipped(text: string, most: number): string {
  const points = [...text];
  return points.length <= most ? text : `${points.slice(0, most - 1).join('')}…`;
}
