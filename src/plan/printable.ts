/**
 * Text that came from a target, or from a profile of somebody else's, made harmless: what a hostile text holds must not move a cursor, recolour a
 * terminal, reverse a line or break a CSV. Everything that prints, writes or keeps such text goes through here; what the
 * text means is not this file's concern.
 */

/** Control, format (bidi and zero-width included), surrogate, private and unassigned code points, line separators. */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** Code points kept when the caller sets no bound of its own. */
const MAX_LENGTH = 1024;
/** No error is this long; a list of columns may come near. */
const LONGEST_LINE = 65_536;

/**
 * One line without any control character: tabs become spaces, every other unsafe code point its visible form (`\x1b`,
 * `\u202e`, `\u{e0041}`). Longer than `max` code points: cut, with `...` at the end. Backslashes of the text stay as
 * they are, so this is for people, not for parsing back.
 */
export function printable(text: string, max: number = MAX_LENGTH): string {
  // UTF-16 units bound code points from above: the cut comes first so that a huge text costs no more than a small one.
  const head = text.length > 2 * max ? text.slice(0, 2 * max) : text;
  const points = [...head];
  const isCut = head.length < text.length || points.length > max;
  const kept = isCut ? points.slice(0, max).join('') : head;
  const safe = kept.replaceAll('\t', ' ').replace(UNSAFE, visible);
  return isCut ? `${safe}...` : safe;
}

/** Each line of a text made printable; line feeds stay. For what a person wrote: a profile may be somebody else's. */
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
