/** Reads the files that a command line or a profile names; errors say what is wrong with them. */
import * as fs from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '../errors.js';
import type { Plan } from '../plan/plan.js';
import { formatBytes } from '../plan/units.js';
import type { InputFile } from '../report/files/destination.js';

/** Node's longest text is about twice this, and each row is kept as an object too. */
const MOST_BYTES = 256 * 1024 * 1024;
const PART_BYTES = 1024 * 1024;

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
    return readBounded(fd, shown);
  } finally {
    fs.closeSync(fd);
  }
}

/** Files in /proc and /sys have no size, and some have no end. @throws UserError `file` for a file that is too large */
function readBounded(fd: number, shown: string): string {
  const parts: Buffer[] = [];
  for (let size = 0; ; ) {
    const part = Buffer.allocUnsafe(PART_BYTES);
    const read = fs.readSync(fd, part);
    if (read === 0) return Buffer.concat(parts).toString('utf8');
    parts.push(part.subarray(0, read));
    size += read;
    if (size > MOST_BYTES) {
      throw new UserError(`${shown} is too large: at most ${formatBytes(MOST_BYTES)} are read`, { code: 'file' });
    }
  }
}

/** Null when there is no such file. `what` it is, for errors. @throws UserError `profile` when it can't be read */
export function readIfThere(path: string, shown: string, what: 'profile' | 'session'): string | null {
  try {
    return readRegular(path, shown);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    // A folder may have the name of something shipped.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return null;
    throw new UserError(`can't read the ${what} ${shown}: ${code === 'EACCES' ? 'permission denied' : String(error)}`, {
      code: 'profile',
    });
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
