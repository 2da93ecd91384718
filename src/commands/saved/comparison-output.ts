/** Where a comparison goes: the table or one document on standard output, and the files of `-o`. */
import { basename, resolve } from 'node:path';
import type { Comparison } from '../../compare/comparison.js';
import { UserError } from '../../errors.js';
import type { Host } from '../../host.js';
import type { InputFile, OutputPath } from '../../report/files/destination.js';
import { openDocuments, unknownEnding } from '../../report/files/open-files.js';
import {
  COMPARE_ENDINGS,
  COMPARE_FORMATS,
  type CompareFormat,
  DEFAULT_COMPARISON,
  STEP_SUMMARY_COMPARISON,
} from '../../report/formats/compared/compare-formats.js';
import { renderComparison } from '../../report/terminal/compare-page.js';
import { write } from '../console.js';
import { type Flags, listFlag } from '../option-tables.js';
import { STDOUT_PATH, standardOutputOf, terminalFor } from '../output/standard-output.js';

interface ComparisonOutput {
  /** @returns whether a file could not be written; stderr says which */
  write(comparison: Comparison): Promise<boolean>;
}

/**
 * Checks that everything can be written before anything is compared.
 * @param inputs the results that were read: none of them may be replaced
 * @throws UserError `output`
 */
export function comparisonOutputOf(flags: Flags, host: Host, inputs: readonly string[]): ComparisonOutput {
  const stdout = standardOutputOf(flags, [], host);
  const printed = stdout.is === 'document' ? namedFormat(stdout.format.ending) : null;
  const paths = (listFlag(flags, 'output') ?? []).filter((path) => path !== STDOUT_PATH);
  const documents = openDocuments(paths, formatOf, {
    cwd: host.cwd,
    pid: host.pid,
    stepSummary: host.env.GITHUB_STEP_SUMMARY,
    inputs: inputs.map((path): InputFile => ({ what: `the result ${path}`, path: resolve(host.cwd, path) })),
  });
  return {
    write: async (comparison) => {
      let hasFailed = false;
      for (const { format, place } of documents) {
        place.prepare(await format.render(comparison), comparison.base.bursts + comparison.new.bursts)();
        place.close();
        if (place.written !== null) host.stderr.write(`wrote ${place.written}\n`);
        if (place.problem !== null) host.stderr.write(`warning: ${place.problem}\n`);
        hasFailed ||= place.problem !== null;
      }
      if (printed !== null) await write(host, await printed.render(comparison));
      else await write(host, renderComparison(comparison, terminalFor(flags, host, host.stdout)));
      return hasFailed;
    },
  };
}

/** From the file's ending, as for results. */
function formatOf({ flag, shown, isFile, isAppended }: OutputPath): CompareFormat {
  if (isAppended) return STEP_SUMMARY_COMPARISON;
  const name = basename(shown).toLowerCase();
  const known = COMPARE_FORMATS.find(({ ending }) => name.endsWith(ending));
  if (known !== undefined) return known;
  if (!isFile) return DEFAULT_COMPARISON;
  throw unknownEnding(flag, shown, COMPARE_ENDINGS);
}

function namedFormat(ending: string): CompareFormat {
  const format = COMPARE_FORMATS.find((one) => one.ending === ending);
  if (format !== undefined) return format;
  throw new UserError(`-o -: a comparison has no form ${ending}`, {
    code: 'output',
    hint: `these fit: ${COMPARE_ENDINGS.join(' ')}`,
  });
}
