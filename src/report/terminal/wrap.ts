/**
 * Plain text in lines of a given width. Breaks at spaces only: a URL or a token stays whole, so that it can be copied.
 */

/** At least one line; a word longer than `width` has a line of its own. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [''];
  for (const word of text.split(/ +/)) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}
