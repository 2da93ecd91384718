/**
 * The files of one side of a comparison: results by name, or folders whose results are all taken. A file that is no result
 * is an error by its name: a side that silently lost a file would be another side.
 */
import * as fs from 'node:fs';
import { join, resolve } from 'node:path';
import type { ComparedRun } from '../../compare/sides.js';
import { UserError } from '../../errors.js';
import { resultsIn } from './read-results.js';

const ENDINGS = ['.json', '.html'];

/**
 * In the order in which they are named, a folder's by name.
 * @throws UserError for what is no result, for a folder with another file or without any, and for a file named twice
 */
export function runsOf(names: readonly string[], cwd: string, taken: Set<string>): ComparedRun[] {
  return names
    .flatMap((name) => filesOf(name, cwd))
    .flatMap((file) => {
      const path = realPath(resolve(cwd, file));
      if (taken.has(path)) {
        throw new UserError(`${file} is named twice: one run is not two measurements`, { code: 'compare' });
      }
      taken.add(path);
      return resultsIn(file, cwd).map((result) => ({ file, result }));
    });
}

function realPath(path: string): string {
  try {
    return fs.realpathSync.native(path);
  } catch {
    // Reading it says what is wrong.
    return path;
  }
}

function filesOf(name: string, cwd: string): string[] {
  const path = resolve(cwd, name);
  if (fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [name];
  const entries = fs.readdirSync(path, { withFileTypes: true });
  const files = entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name);
  const other = files.find((file) => !ENDINGS.some((ending) => file.toLowerCase().endsWith(ending)));
  if (other !== undefined) {
    throw new UserError(`${join(name, other)} is no result: a folder of results holds only ${ENDINGS.join(' and ')}`, {
      code: 'compare',
      hint: 'move it elsewhere, or name the results one by one',
    });
  }
  if (files.length === 0) throw new UserError(`${name}: the folder holds no results`, { code: 'compare' });
  return files.sort().map((file) => join(name, file));
}
