/**
 * `wstampede report RESULT…`: saved results as a page, a comment, a table; without `-o` the summary that was printed when
 * they were measured. It judges nothing: whatever a result says, the exit code is that of the writing.
 */
import { resolve } from 'node:path';
import { EXIT, type ExitCode } from '../errors.js';
import type { Host } from '../host.js';
import { formatOf, openDocuments } from '../report/files/open-files.js';
import { renderCheck } from '../report/terminal/check-page.js';
import { burstsText } from '../report/words/numbers.js';
import type { Result } from '../result/result.js';
import { write } from './console.js';
import { type Flags, listFlag } from './option-tables.js';
import { STDOUT_PATH, type StandardOutput, standardOutputOf, terminalFor } from './output/standard-output.js';
import { resultsIn } from './saved/read-results.js';

export async function report(args: { files: readonly string[]; flags: Flags }, host: Host): Promise<ExitCode> {
  const { files, flags } = args;
  const results = files.flatMap((file) => readNoting(file, host));
  const commands = results.map(({ command }) => command);
  const output = standardOutputOf(flags, commands, host);
  const inputs = files.map((file) => ({ what: `RESULT ${file}`, path: resolve(host.cwd, file) }));
  const paths = (listFlag(flags, 'output') ?? []).filter((path) => path !== STDOUT_PATH);
  const documents = openDocuments(paths, (destination) => formatOf(destination, commands), {
    cwd: host.cwd,
    pid: host.pid,
    stepSummary: host.env.GITHUB_STEP_SUMMARY,
    inputs,
  });
  const problems: string[] = [];
  for (const { format, place } of documents) {
    place.prepare(
      await format.render(results),
      results.reduce((sum, { bursts }) => sum + bursts.length, 0),
    )();
    place.close();
    if (place.written !== null) host.stderr.write(`wrote ${place.written}\n`);
    if (place.problem !== null) problems.push(place.problem);
  }
  await print(results, output, documents.length > 0, flags, host);
  for (const problem of problems) host.stderr.write(`warning: ${problem}\n`);
  return problems.length > 0 ? EXIT.internal : EXIT.ok;
}

/** Says so where the run that wrote it never ended. */
function readNoting(file: string, host: Host): Result[] {
  const results = resultsIn(file, host.cwd);
  for (const { finished, bursts } of results) {
    if (finished !== false) continue;
    host.stderr.write(`warning: ${file}: the run that wrote it has not ended; it holds ${burstsText(bursts.length)}\n`);
  }
  return results;
}

async function print(
  results: readonly Result[],
  output: StandardOutput,
  hasDocuments: boolean,
  flags: Flags,
  host: Host,
): Promise<void> {
  if (output.is === 'document') await write(host, await output.format.render(results));
  else if (!hasDocuments) {
    const terminal = terminalFor(flags, host, host.stdout);
    await write(host, results.map((result) => renderCheck(result, terminal)).join('\n'));
  }
}
