/**
 * Makes text from a target, or from somebody else's profile, harmless: it must not move the cursor, recolour the
 * terminal, reverse a line or break a CSV. Everything that prints, writes or keeps such text uses this file; the
 * meaning of the text does not matter here.
 */

/** Control, format (bidi and zero-width included), surrogate, private and unassigned code points, line separators. */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** Maximum length in code points, unless the caller sets one. */
const MAX_LENGTH = 1024;
/** No error message is this long; a list of columns may come close. */
const LONGEST_LINE = 65_536;

/**
 * One line without control characters: tabs become spaces, every other unsafe code point its visible form (`\x1b`,
 * `\u202e`, `\u{e0041}`). Text longer than `max` code points is cut and ends with `...`. Backslashes stay as they are:
 * the output is for people and cannot be parsed back.
 */
export function printable(text: string, max: number = MAX_LENGTH): string {
  // A code point takes one or two UTF-16 units. Cutting first makes a huge text as cheap as a small one.
  const head = text.length > 2 * max ? text.slice(0, 2 * max) : text;
  const points = [...head];
  const isCut = head.length < text.length || points.length > max;
  const kept = isCut ? points.slice(0, max).join('') : head;
  const safe = kept.replaceAll('\t', ' ').replace(UNSAFE, visible);
  return isCut ? `${safe}...` : safe;
}

/** Makes each line printable and keeps the line feeds. For profile text, which may be somebody else's. */
export function safeLines(text: string): string {
  return text
    .split('\n')
    .map((line) => printable(line, LONGEST_LINE))
    .join('\n');
}

function visible(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\u{${code.toString(16)}}`;
}
