/**
 * The terminal as a value: how wide it is, whether it shows colours and more than ASCII. Every renderer takes one and
 * returns plain strings, so a report is the same in a pipe, in a test and on a screen. Also here: how far text from a
 * target may go (src/plan/printable.ts does the washing). How numbers are written is words/numbers.ts' matter.
 */
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
/** Lines longer than this are harder to read, not easier. */
const MAX_WIDTH = 120;

/** What `stream` can show. `NO_COLOR` (no-color.org), `TERM=dumb` and a stream that is no terminal mean no colour. */
export function terminalOf(
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  env: Readonly<Record<string, string | undefined>>,
  flags: { readonly noColor?: boolean } = {},
): Terminal {
  const isTty = stream.isTTY === true;
  const columns = isTty && stream.columns !== undefined && stream.columns > 0 ? stream.columns : DEFAULT_WIDTH;
  const noColor = flags.noColor === true || (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb';
  // An unset locale says nothing: containers and CI have none, and what they print is read as UTF-8.
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

const SGR = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;

/** Colour functions that do nothing when `color` is false. */
export function palette(color: boolean): Palette {
  const paint = ([on, off]: readonly [number, number]): Paint =>
    color ? (text) => (text === '' ? '' : `\x1b[${on}m${text}\x1b[${off}m`) : (text) => text;
  return {
    bold: paint(SGR.bold),
    dim: paint(SGR.dim),
    red: paint(SGR.red),
    green: paint(SGR.green),
    yellow: paint(SGR.yellow),
  };
}

export interface Glyphs {
  readonly isUnicode: boolean;
  readonly ellipsis: string;
  /** Goes directly before a number. */
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
  /** Before what lies beside a scale. */
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

/** East Asian wide forms and emoji fill two columns (UAX 11); a combining mark counts as one, which errs on the safe side. */
const WIDE = /[ᄀ-ᅟ⺀-〾ぁ-㏿㐀-䶿一-鿿ꀀ-꓏가-힣豈-﫿︰-﹯＀-｠￠-￦\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** Columns that `text` (without colour codes) fills. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const char of text) columns += char > '\u10ff' && WIDE.test(char) ? 2 : 1;
  return columns;
}

/** `text` cut to `width` columns; the last one tells that something was cut. */
export function clip(text: string, width: number, glyphs: Glyphs): string {
  if (columnsOf(text) <= width) return text;
  let kept = '';
  let columns = 0;
  for (const char of text) {
    columns += columnsOf(char);
    if (columns > width - 1) break;
    kept += char;
  }
  return width < 1 ? '' : kept + glyphs.ellipsis;
}

/** Words of `text` in lines of at most `width` columns, all but the first behind `indent`. */
export function wrap(text: string, width: number, indent: string, glyphs: Glyphs): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    const isFull = columnsOf(longer) > width && line.trim() !== '';
    if (isFull) lines.push(line);
    line = isFull ? indent + word : longer;
  }
  return [...lines, line].map((full) => clip(full.trimEnd(), width, glyphs));
}

/** A bar of `width` cells for `value` of `max`; anything above nothing shows at least a sliver. */
export function bar(value: number, max: number, width: number, glyphs: Glyphs): string {
  if (value <= 0 || max <= 0 || width <= 0) return '';
  const eighths = Math.min(width * 8, Math.max(1, Math.round((value / max) * width * 8)));
  const full = glyphs.eighths[7].repeat(Math.floor(eighths / 8));
  return eighths % 8 === 0 ? full : full + glyphs.eighths[(eighths % 8) - 1];
}
