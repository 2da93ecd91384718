/**
 * The terminal as a value: its width, whether it shows colours, and whether it shows more than ASCII. Every renderer
 * takes one and returns plain strings, so a report is the same in a pipe, in a test and on a screen. Also limits text
 * from a target (src/plan/printable.ts makes it harmless). words/numbers.ts formats numbers.
 */
import { styleText } from 'node:util';
import { printable } from '../../plan/printable.js';

export interface Terminal {
  /** Columns that a line may fill. */
  readonly width: number;
  readonly color: boolean;
  /** false: ASCII only. */
  readonly unicode: boolean;
}

const DEFAULT_WIDTH = 80;
const MIN_WIDTH = 40;
/** Longer lines are harder to read. */
const MAX_WIDTH = 120;

/**
 * What `stream` can show. `NO_COLOR` (no-color.org), `TERM=dumb` and a stream that is not a terminal mean no colour.
 */
export function terminalOf(
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  env: Readonly<Record<string, string | undefined>>,
  flags: { readonly noColor?: boolean } = {},
): Terminal {
  const isTty = stream.isTTY === true;
  const columns = isTty && stream.columns !== undefined && stream.columns > 0 ? stream.columns : DEFAULT_WIDTH;
  const noColor = flags.noColor === true || (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb';
  // An unset locale says nothing: containers and CI have none, and their output is read as UTF-8.
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return {
    width: Math.min(Math.max(columns, MIN_WIDTH), MAX_WIDTH),
    color: isTty && !noColor,
    unicode: env.TERM !== 'dumb' && (locale === '' || /utf-?8/i.test(locale)),
  };
}

export type Paint = (text: string) => string;

export interface Palette {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
}

/** Colour functions that do nothing when `color` is false. */
export function palette(color: boolean): Palette {
  // The caller decides about colours; `styleText` would check this process's stdout and environment.
  const paint = (format: keyof Palette): Paint =>
    color ? (text) => (text === '' ? '' : styleText(format, text, { validateStream: false })) : (text) => text;
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    red: paint('red'),
    green: paint('green'),
    yellow: paint('yellow'),
  };
}

export interface Glyphs {
  readonly isUnicode: boolean;
  readonly ellipsis: string;
  /** Written directly before a number. */
  readonly atLeast: string;
  readonly dash: string;
  readonly times: string;
  readonly dot: string;
  readonly yes: string;
  readonly no: string;
  readonly micro: string;
  /** A cell filled to 1/8 … 8/8. */
  readonly eighths: readonly string[];
  readonly mark: string;
  /** Before values outside a scale. */
  readonly gap: string;
}

const UNICODE: Glyphs = {
  isUnicode: true,
  ellipsis: '…',
  atLeast: '≥ ',
  dash: '–',
  times: '×',
  dot: '·',
  yes: '✓',
  no: '✗',
  micro: 'µs',
  eighths: ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'],
  mark: '▒',
  gap: '⋮',
};

const ASCII: Glyphs = {
  isUnicode: false,
  ellipsis: '~',
  atLeast: '>=',
  dash: '-',
  times: 'x',
  dot: '|',
  yes: 'ok',
  no: 'NO',
  micro: 'us',
  eighths: ['.', '.', '.', '.', '#', '#', '#', '#'],
  mark: 'x',
  gap: ':',
};

export function glyphsOf(unicode: boolean): Glyphs {
  return unicode ? UNICODE : ASCII;
}

/** Makes text that came from a target harmless and bounded: one line, no control characters. */
export function safeText(text: string, max?: number): string {
  return printable(text, max);
}

/** A bar of `width` cells for `value` of `max`; any value above 0 shows at least a sliver. */
export function bar(value: number, max: number, width: number, glyphs: Glyphs): string {
  if (value <= 0 || max <= 0 || width <= 0) return '';
  const eighths = Math.min(width * 8, Math.max(1, Math.round((value / max) * width * 8)));
  const full = glyphs.eighths[7].repeat(Math.floor(eighths / 8));
  return eighths % 8 === 0 ? full : full + glyphs.eighths[(eighths % 8) - 1];
}
