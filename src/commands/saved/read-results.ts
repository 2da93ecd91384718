/** The results in a file that a command line names; errors name the file. */
import { UserError } from '../../errors.js';
import { savedResults } from '../../report/files/saved-results.js';
import type { Result } from '../../result/result.js';
import { readText } from '../input-files.js';

/** At least one: a page may carry several. @throws UserError that names the file */
export function resultsIn(file: string, cwd: string): Result[] {
  const text = readText(file, cwd);
  try {
    return savedResults(text);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { message, code, hint } = error;
    throw new UserError(`${file}: ${message}`, { code, ...(hint === null ? {} : { hint }) });
  }
}
