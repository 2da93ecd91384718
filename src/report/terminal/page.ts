/**
 * What all terminal pages share: the pen that they are drawn with, lines under a label, and joining blocks of lines
 * into one text. Words arrive in Unicode; for an ASCII terminal this file replaces the signs.
 */
import type { Headline } from '../words/headline.js';
import { type Glyphs, glyphsOf, type Paint, type Palette, palette, type Terminal } from './style.js';
import { asciiOnly, clip, wrapAndClip } from './text-width.js';

/** How to draw: the terminal's width, characters and colours. */
export interface Pen {
  readonly width: number;
  readonly glyphs: Glyphs;
  readonly paint: Palette;
}

export function penOf({ width, unicode, color }: Terminal): Pen {
  return { width, glyphs: glyphsOf(unicode), paint: palette(color) };
}

const LABEL_WIDTH = 11;
/** Columns before the text of a fact. */
export const FACT_INDENT = LABEL_WIDTH + 2;

interface FactPaint {
  readonly label?: Paint;
  readonly text?: Paint;
}

/** `label      text`, wrapped beside the label; without a label the text continues the previous fact. */
export function factLines(label: string, text: string, pen: Pen, paint: FactPaint = {}): string[] {
  const { label: ofLabel = pen.paint.dim, text: ofText = (line: string) => line } = paint;
  return wrapAndClip(text, pen.width - FACT_INDENT, pen.glyphs).map((line, i) =>
    i === 0 && label !== ''
      ? `  ${ofLabel(label.padEnd(LABEL_WIDTH))}${ofText(line)}`
      : ' '.repeat(FACT_INDENT) + ofText(line),
  );
}

/** The colour of a headline. */
export const MOODS: Readonly<Record<Headline['mood'], keyof Palette>> = {
  good: 'green',
  doubtful: 'yellow',
  bad: 'red',
};

/** Sentences at the top of a page, with what was run below them. */
export function titleLines(text: string, context: readonly string[], color: Paint, pen: Pen): string[] {
  const sentence = wrapAndClip(text, pen.width, pen.glyphs).map((line) => pen.paint.bold(color(line)));
  if (context.length === 0) return sentence;
  return [...sentence, pen.paint.dim(clip(context.join(` ${pen.glyphs.dot} `), pen.width, pen.glyphs))];
}

/** Blocks separated by empty lines; empty blocks are left out. The text ends with a line end. */
export function pageOf(blocks: readonly (readonly string[])[], { unicode }: Terminal): string {
  const text = blocks
    .filter((block) => block.length > 0)
    .map((block) => `${block.join('\n')}\n`)
    .join('\n');
  return unicode ? text : inAscii(text);
}

/** Signs used in words; each has an ASCII form of the same width. */
const SIGNS = ['dash', 'times', 'micro', 'ellipsis'] as const;

function inAscii(text: string): string {
  const [from, to] = [glyphsOf(true), glyphsOf(false)];
  const known = SIGNS.reduce((changed, sign) => changed.replaceAll(from[sign], to[sign]), text);
  // Text written by people (names, reasons, host names) may contain other non-ASCII characters.
  return asciiOnly(known);
}
