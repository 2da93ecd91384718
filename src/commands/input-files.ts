/** Reads the files that a command line or a profile names, with an error that says what is wrong with them. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '../errors.js';

/** @throws UserError that says what is wrong with the file; where it was named is told by the caller. */
export function readText(file: string, folder: string): string {
  const path = resolve(folder, file);
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    const looked = path === file ? '' : `; looked for ${path}`;
    const message = code === 'ENOENT' ? `there is no file ${file}${looked}` : `${file} can't be read (${code})`;
    throw new UserError(message, { code: 'file' });
  }
}
