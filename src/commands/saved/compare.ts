/**
 * `wstampede compare BASE… --with NEW…`: reads both sides, compares them, prints and writes what was found, and exits with
 * what `--fail-on` makes of it.
 */
import { compareSides } from '../../compare/compare.js';
import type { Comparison } from '../../compare/comparison.js';
import { EXIT, type ExitCode, UserError } from '../../errors.js';
import type { Host } from '../../host.js';
import { parseFailOn } from '../../plan/expressions/fail-on.js';
import { compareHeadline } from '../../report/words/compared/compare-words.js';
import { type Flags, listFlag, switchFlag } from '../option-tables.js';
import { version } from '../version.js';
import { comparisonOutputOf } from './comparison-output.js';
import { runsOf } from './side-files.js';

interface CompareArguments {
  readonly base: readonly string[];
  readonly flags: Flags;
}

export async function compare({ base, flags }: CompareArguments, host: Host): Promise<ExitCode> {
  const fresh = listFlag(flags, 'with') ?? [];
  if (fresh.length === 0) {
    throw new UserError('compare: the other side is missing', {
      code: 'flag',
      hint: 'wstampede compare BASE.json… --with NEW.json…',
    });
  }
  const failOn = (listFlag(flags, 'fail-on') ?? []).map(parseFailOn);
  const taken = new Set<string>();
  const sides = [base, fresh].map((names) => runsOf(names, host.cwd, taken));
  const output = comparisonOutputOf(flags, host, [...taken]);
  const comparison = compareSides(sides[0], sides[1], {
    failOn,
    anyTarget: switchFlag(flags, 'any-target') === true,
    version: version(),
  });
  if (switchFlag(flags, 'quiet') !== true) host.stderr.write(notesOf(comparison));
  const problems = await output.write(comparison);
  return problems ? EXIT.internal : (comparison.exitCode as ExitCode);
}

/** What an exit code of 0 does not say. */
function notesOf(comparison: Comparison): string {
  const { exitCode, verdict, failOn } = comparison;
  if (exitCode !== 0 || failOn.length === 0 || verdict !== 'undecided') return '';
  return `note: ${compareHeadline(comparison).text} The exit code is 0: --fail-on undecided makes it 3\n`;
}
