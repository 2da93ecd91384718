/** The table of formats. The ending of a file's name selects one. */
import type { Format } from './format.js';
import { json } from './json.js';

const FORMATS: readonly Format[] = [json];

/** For pipes and devices, whose names need no ending. */
export const DEFAULT_FORMAT: Format = json;

export const ENDINGS: readonly string[] = FORMATS.map(({ ending }) => ending);

/** undefined: no format has that ending. */
export function formatFor(ending: string): Format | undefined {
  return FORMATS.find((format) => format.ending === ending);
}
