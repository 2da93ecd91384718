/**
 * Opens the outputs that a command's flags ask for: the progress display on stderr, and the files. The command decides
 * what they are told.
 */
import { readlinkSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UserError } from '../errors.js';
import type { Host } from '../host.js';
import type { InputFile } from '../report/files/destination.js';
import type { EarlierBurst } from '../report/files/earlier-rows.js';
import { openFiles } from '../report/files/open-files.js';
import { RunOutputs } from '../report/outputs/run-outputs.js';
import { progressMode } from '../report/progress/display.js';
import { startProgress } from '../report/progress/progress.js';
import { ProgressOutput } from '../report/progress/progress-output.js';
import { terminalOf } from '../report/terminal/style.js';
import { type Flags, listFlag, switchFlag, textFlag } from './option-tables.js';

const STDOUT = /^\/dev\/(stdout|fd\/1)$|^\/proc\/(self|\d+)\/fd\/1$/;

/** Other files that the outputs of a run must not conflict with. */
export interface OtherFiles {
  /** Files that the run reads: no output may replace them. */
  readonly inputs: readonly InputFile[];
  /** Bursts of the resumed search; null: a new run. */
  readonly earlier: readonly EarlierBurst[] | null;
}

/** @throws UserError `output` for a file that cannot be written, or that conflicts with another one */
export async function openOutputs(flags: Flags, host: Host, { inputs, earlier }: OtherFiles): Promise<RunOutputs> {
  const results = listFlag(flags, 'output') ?? [];
  const resume = textFlag(flags, 'resume');
  const attempts = textFlag(flags, 'attempts') ?? null;
  if (switchFlag(flags, 'json') === true) {
    const named = results.map((path) => ['-o', path]);
    if (attempts !== null) named.push(['--attempts', attempts]);
    const other = named.find(([, path]) => isStdout(resolve(host.cwd, path)));
    if (other !== undefined) {
      const hint = 'leave one of them out';
      throw new UserError(`--json and ${other.join(' ')}: both would write to standard output`, {
        code: 'output',
        hint,
      });
    }
  }
  const files = openFiles(
    { results, attempts },
    { cwd: host.cwd, pid: host.pid, inputs, resume: resume === undefined ? null : resolve(host.cwd, resume), earlier },
  );
  const enabled = progressMode(host, {
    noProgress: switchFlag(flags, 'progress') === false,
    quiet: switchFlag(flags, 'quiet'),
  });
  const terminal = terminalOf(host.stderr, host.env, { noColor: switchFlag(flags, 'color') === false });
  const display = new ProgressOutput(await startProgress(host, { enabled, terminal }));
  return new RunOutputs([display, ...files]);
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
