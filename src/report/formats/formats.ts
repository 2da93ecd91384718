/** The formats of result files by the ending of the file's name. */
import type { Format } from './format.js';
import { json } from './json.js';

const FORMATS: readonly Format[] = [json];

/** Of what has no name that could end in one: pipes and devices. */
export const DEFAULT_FORMAT: Format = json;

export const ENDINGS: readonly string[] = FORMATS.map(({ ending }) => ending);

/** undefined: there is none of that ending. */
export function formatFor(ending: string): Format | undefined {
  return FORMATS.find((format) => format.ending === ending);
}
