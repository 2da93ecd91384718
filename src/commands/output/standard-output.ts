/**
 * What a command prints on standard output: the summary, one document (`--json`, `-o -`), or a line of JSON per burst
 * (`--json-lines`, the summary then goes to stderr). Two of them would mix.
 */
import { readlinkSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type ExitCode, UserError } from '../../errors.js';
import type { Host } from '../../host.js';
import type { Format } from '../../report/formats/format.js';
import { DEFAULT_FORMAT, formatNamed, misfitOf } from '../../report/formats/formats.js';
import { type Terminal, terminalOf } from '../../report/terminal/style.js';
import type { Result } from '../../result/result.js';
import { write, writeAside } from '../console.js';
import { type Flags, listFlag, switchFlag, textFlag, writtenName } from '../option-tables.js';

export type StandardOutput =
  | { readonly is: 'summary' }
  | { readonly is: 'document'; readonly format: Format }
  | { readonly is: 'lines' };

/** The path of `-o` that means standard output. */
export const STDOUT_PATH = '-';
const STDOUT = /^\/dev\/(stdout|fd\/1)$|^\/proc\/(self|\d+)\/fd\/1$/;

/**
 * @param commands those whose results will be written
 * @throws UserError `output` when several things would be written to standard output, or one that it can't hold
 */
export function standardOutputOf(flags: Flags, commands: readonly string[], host: Host): StandardOutput {
  const paths = listFlag(flags, 'output') ?? [];
  const attempts = textFlag(flags, 'attempts');
  const name = textFlag(flags, 'format');
  const claims = [
    ...['json', 'json-lines']
      .filter((flag) => switchFlag(flags, flag) === true)
      .map((flag) => writtenName(flags, flag)),
    ...paths.filter((path) => path === STDOUT_PATH).map((path) => `-o ${path}`),
  ];
  const others = [
    ...paths.filter((path) => path !== STDOUT_PATH).map((path) => ['-o', path] as const),
    ...(attempts === undefined ? [] : [['--attempts', attempts] as const]),
  ].filter(([, path]) => isStdout(resolve(host.cwd, path)));
  if (claims.length > 0) claims.push(...others.map((other) => other.join(' ')));
  if (claims.length > 1) {
    const problem = `${claims.slice(0, 2).join(' and ')}: both would write to standard output`;
    throw new UserError(problem, { code: 'output', hint: 'leave one of them out' });
  }
  const hasDocument = paths.includes(STDOUT_PATH);
  if (name !== undefined && !hasDocument) {
    const hint = 'the ending of a file names its format; -o - writes to standard output';
    throw new UserError(`${writtenName(flags, 'format')} ${name}: only for -o -`, { code: 'output', hint });
  }
  if (switchFlag(flags, 'json-lines') === true) return { is: 'lines' };
  if (switchFlag(flags, 'json') === true) return { is: 'document', format: DEFAULT_FORMAT };
  return hasDocument ? { is: 'document', format: fitting(name, commands) } : { is: 'summary' };
}

/** @throws UserError `output` for a format that can't hold these results */
function fitting(name: string | undefined, commands: readonly string[]): Format {
  const format = (name === undefined ? undefined : formatNamed(name)) ?? DEFAULT_FORMAT;
  const misfit = misfitOf(format, commands);
  if (misfit === null) return format;
  throw new UserError(`-o -: ${misfit.why}`, { code: 'output', hint: `these fit: ${misfit.fitting}` });
}

/** Prints a result that was measured, as the flags ask. @returns its exit code */
export async function printResult(
  result: Result,
  output: StandardOutput,
  flags: Flags,
  host: Host,
  summary: (terminal: Terminal) => Promise<string>,
): Promise<ExitCode> {
  if (output.is === 'document') await write(host, await output.format.render([result]));
  else if (output.is === 'summary') await write(host, await summary(terminalFor(flags, host, host.stdout)));
  else await writeAside(host, await summary(terminalFor(flags, host, host.stderr)));
  return result.exitCode as ExitCode;
}

export function terminalFor(flags: Flags, host: Host, stream: Host['stdout']): Terminal {
  return terminalOf(stream, host.env, { noColor: switchFlag(flags, 'color') === false });
}

/** Also by a link of the user's own. */
function isStdout(path: string): boolean {
  if (STDOUT.test(path)) return true;
  try {
    return STDOUT.test(resolve(dirname(path), readlinkSync(path)));
  } catch {
    return false;
  }
}
