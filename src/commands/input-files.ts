/** Reads the files that a command line or a profile names, with an error that says what is wrong with them. */
import * as fs from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '../errors.js';
import type { Plan } from '../plan/plan.js';
import { formatBytes } from '../plan/units.js';
import type { InputFile } from '../report/files/destination.js';

/** No text that Node can hold is longer than twice this, and each row is kept as an object beside it. */
const MOST_BYTES = 256 * 1024 * 1024;

/** @throws UserError that says what is wrong with the file; where it was named is told by the caller. */
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
 * A pipe that has no writer would hang, a device has no end, a file may be larger than memory: each is refused.
 * @throws UserError `file`, and the system's errors as they are
 */
export function readRegular(path: string, shown: string): string {
  // Without O_NONBLOCK the open itself waits for a pipe's writer.
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

/** The files that a plan names; no output may replace one. Paths start at `folder`. */
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
