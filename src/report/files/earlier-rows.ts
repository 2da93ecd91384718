/**
 * The rows that a resumed search wrote before it was stopped. They must match the result that it resumes from: a file
 * with other rows, or too few, could never agree with the result.
 */
import * as fs from 'node:fs';
import { formatCount } from '../../plan/units.js';
import { ATTEMPTS_HEADER } from '../../tally/attempt-row.js';
import { type OutputPath, outputError, reasonOf } from './destination.js';

export interface EarlierBurst {
  readonly index: number;
  readonly attempted: number;
}

/**
 * The file's text up to the last burst of the result. Rows after that were written while the earlier run was being
 * killed: their burst is fired again.
 * @throws UserError `output` when the file does not match the bursts
 */
export function earlierRows({ flag, shown, path }: OutputPath, bursts: readonly EarlierBurst[]): string {
  const refuse = (why: string): never => {
    throw outputError(
      `${flag} ${shown}: ${why}`,
      'go on with the file that the search began with, or leave --attempts out',
    );
  };
  if (bursts.length === 0) return '';
  const [header, ...rows] = linesOf(path, refuse);
  if (header !== ATTEMPTS_HEADER) return refuse('it does not begin with the columns of --attempts');
  const last = Math.max(...bursts.map(({ index }) => index));
  const kept = rows.filter((row) => Number.parseInt(row, 10) <= last);
  const counts = new Map<number, number>();
  for (const row of kept) {
    const burst = Number.parseInt(row, 10);
    counts.set(burst, (counts.get(burst) ?? 0) + 1);
  }
  for (const { index, attempted } of bursts) {
    const found = counts.get(index) ?? 0;
    counts.delete(index);
    if (found === attempted) continue;
    const [have, want] = [found, attempted].map(formatCount);
    return refuse(`it has ${have} rows of burst ${index}, the result that --resume names has ${want}`);
  }
  const [other] = counts.keys();
  if (other !== undefined) return refuse(`it has rows of burst ${other}, the result that --resume names has none`);
  return [header, ...kept].map((line) => `${line}\n`).join('');
}

function linesOf(path: string, refuse: (why: string) => never): string[] {
  try {
    return fs
      .readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch (error) {
    return refuse(`the rows before --resume can't be read: ${reasonOf(error)}`);
  }
}
