/** Reads the files that a command line or a profile names; errors say what is wrong with them. */
import * as fs from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '../errors.js';
import type { Plan } from '../plan/plan.js';
import { formatBytes } from '../plan/units.js';
import type { InputFile } from '../report/files/destination.js';

/** Node's longest text is about twice this, and each row is kept as an object too. */
const MOST_BYTES = 256 * 1024 * 1024;

/** @throws UserError that says what is wrong with the file; the caller adds where it was named */
export function readText(file: string, folder: string): string {
  const path = resolve(folder, file);
  try {
    return readRegular(path, file);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    const looked = path === file ? '' : `; looked for ${path}`;
    const message = code === 'ENOENT' ? `there is no file ${file}${looked}` : `${file} can't be read (${code})`;
    throw new UserError(message, { code: 'file' });
  }
}

/**
 * Refuses a pipe (without a writer it would block), a device (it has no end) and a file that is too large for memory.
 * @throws UserError `file`, and errors of the system unchanged
 */
export function readRegular(path: string, shown: string): string {
  // Without O_NONBLOCK, opening a pipe waits for its writer.
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  try {
    const stats = fs.fstatSync(fd);
    if (stats.isDirectory()) throw Object.assign(new Error('is a folder'), { code: 'EISDIR' });
    if (!stats.isFile()) {
      const hint = 'write its content to a file and name that';
      throw new UserError(`${shown} is a pipe or a device, expected a regular file`, { code: 'file', hint });
    }
    if (stats.size > MOST_BYTES) {
      const [size, most] = [stats.size, MOST_BYTES].map(formatBytes);
      throw new UserError(`${shown} has ${size}, at most ${most} are read`, { code: 'file' });
    }
    return fs.readFileSync(fd, 'utf8');
  } finally {
    fs.closeSync(fd);
  }
}

/** The files that a plan names; no output may replace them. Paths are relative to `folder`. */
export function inputFilesOf({ data, target: { tls } }: Plan, folder: string): InputFile[] {
  const named: [flag: string, file: string | null][] = [
    ['--data', data?.file ?? null],
    ['--ca', tls.ca],
    ['--cert', tls.cert],
    ['--key', tls.key],
  ];
  return named.flatMap(([flag, file]) =>
    file === null ? [] : [{ what: `${flag} ${file}`, path: resolve(folder, file) }],
  );
}
