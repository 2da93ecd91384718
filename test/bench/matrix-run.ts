/**
 * What the benchmarks of both matrices share: rows are run a few at a time, what is not as expected is printed as soon as
 * it is known, and a table in Markdown is written when all rows were asked for. A pattern as argument runs the rows whose
 * names match, and writes nothing. Knows no row.
 */
import { writeFileSync } from 'node:fs';

interface Named {
  readonly id: string;
}

export interface Matrix<R extends Named, V> {
  readonly rows: readonly R[];
  /** Rows that run at the same time. */
  readonly atOnce: number;
  readonly run: (row: R) => Promise<V>;
  /** What it shows that it should not. */
  readonly faultsOf: (ran: V) => readonly string[];
  /** Why it was not run; null: it was. */
  readonly skippedFor: (ran: V) => string | null;
  /** Path and content of the page. */
  readonly page: string;
  readonly document: (results: readonly V[]) => string;
}

/** Ends the process with 1 when a row shows something else than it should. */
export async function runMatrix<R extends Named, V>(matrix: Matrix<R, V>): Promise<void> {
  const pattern = process.argv[2];
  const { rows: all, faultsOf, page, document } = matrix;
  const rows = pattern === undefined ? all : all.filter(({ id }) => new RegExp(pattern).test(id));
  const results = await runAll(matrix, rows);
  if (pattern === undefined) writeFileSync(page, document(results));
  const wrong = results.filter((ran) => faultsOf(ran).length > 0).length;
  process.stdout.write(`${results.length - wrong} of ${results.length} rows as expected\n`);
  process.exitCode = wrong === 0 ? 0 : 1;
}

async function runAll<R extends Named, V>(matrix: Matrix<R, V>, rows: readonly R[]): Promise<V[]> {
  const { atOnce, run, faultsOf, skippedFor } = matrix;
  const results: V[] = [];
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < rows.length) {
      const i = next;
      next += 1;
      const ran = await run(rows[i]);
      results[i] = ran;
      const [skipped, faults] = [skippedFor(ran), faultsOf(ran)];
      const word = skipped !== null ? 'skipped    ' : faults.length === 0 ? 'as expected' : 'OTHERWISE  ';
      process.stdout.write(`${word}  ${rows[i].id}${skipped === null ? '' : `: ${skipped}`}\n`);
      for (const fault of faults) process.stdout.write(`    ${fault}\n`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return results;
}

/** Of a table in Markdown. */
export function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
