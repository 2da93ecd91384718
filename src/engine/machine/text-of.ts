/** Text of the files in which the kernel tells about itself. */
import { readFileSync } from 'node:fs';

/** A file's text, or null where there is none: not Linux, or not allowed. */
export function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
