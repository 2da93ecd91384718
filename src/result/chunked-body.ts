/**
 * The body of an answer that came in chunks (RFC 9112 section 7.1), as far as it came: without the sizes that stand between
 * its parts. A leaf that both the engine, which keeps bodies, and the diagnosis, which reads saved ones, may use.
 */

const SIZE_LINE = /^([0-9a-f]{1,8})[^\S\r\n]*(?:;[^\r\n]*)?\r?\n/i;

/** Text that does not read as chunks, from some point on or from the start, is left as it is from there. */
export function joinChunks(text: string): string {
  let rest = text;
  let joined = '';
  for (;;) {
    const line = SIZE_LINE.exec(rest);
    if (line === null) return joined + rest;
    const size = Number.parseInt(line[1], 16);
    const from = line[0].length;
    if (size === 0) return joined;
    joined += rest.slice(from, from + size);
    rest = rest.slice(from + size).replace(/^\r?\n/, '');
    if (rest === '') return joined;
  }
}

export function isChunked(headers: readonly (readonly [string, string])[]): boolean {
  return headers.some(([name, value]) => /^transfer-encoding$/i.test(name) && /\bchunked\b/i.test(value));
}
