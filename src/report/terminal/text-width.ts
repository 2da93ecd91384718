/**
 * How many terminal columns a text fills, and how it is cut or wrapped. Works on text without colour codes; callers add
 * what stands before and after a line.
 */
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

/** Characters as a person sees them: an accent or the parts of an emoji are never separated. */
const characters = new Intl.Segmenter();

/** Columns that `text` fills: two for East Asian wide forms and emoji, none for combining marks. */
export function columnsOf(text: string): number {
  return stringWidth(text);
}

/** `text` cut to `width` columns; an ellipsis at the end shows that it was cut. */
export function clip(text: string, width: number, { ellipsis }: { readonly ellipsis: string }): string {
  if (columnsOf(text) <= width) return text;
  if (width < 1) return '';
  let kept = '';
  let columns = 0;
  for (const { segment } of characters.segment(text)) {
    columns += columnsOf(segment);
    if (columns > width - 1) break;
    kept += segment;
  }
  return kept + ellipsis;
}

/**
 * `text` in one or more lines of at most `width` columns, all but the first indented by `indent`. Breaks at spaces
 * only: a URL or a token that is longer than a line stays whole, so that it can be copied.
 */
export function wrap(text: string, width: number, indent = ''): string[] {
  const [first, ...others] = wrapAnsi(text, width).split('\n');
  if (indent === '' || others.length === 0) return [first, ...others];
  // Indented lines have less room than the first one.
  const rest = wrapAnsi(others.join(' '), width - indent.length).split('\n');
  return [first, ...rest.map((line) => indent + line)];
}

/** As `wrap`, but words longer than a line are cut: for text from a target, which must not break the layout. */
export function wrapAndClip(text: string, width: number, glyphs: { readonly ellipsis: string }, indent = ''): string[] {
  return wrap(text, width, indent).map((line) => clip(line, width, glyphs));
}

/** For a terminal without Unicode: one question mark per column, so that columns stay aligned. */
export function asciiOnly(text: string): string {
  return text.replace(/[^\n -~\x1b]+/gu, (other) => '?'.repeat(columnsOf(other)));
}
