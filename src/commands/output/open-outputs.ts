/**
 * Opens the outputs that a command's flags ask for: the progress display on stderr, and the files. The command decides
 * what they are told.
 */
import { resolve } from 'node:path';
import type { Host } from '../../host.js';
import type { InputFile } from '../../report/files/destination.js';
import type { EarlierBurst } from '../../report/files/earlier-rows.js';
import { openFiles } from '../../report/files/open-files.js';
import { RunOutputs } from '../../report/outputs/run-outputs.js';
import { progressMode } from '../../report/progress/display.js';
import { startProgress } from '../../report/progress/progress.js';
import { ProgressOutput } from '../../report/progress/progress-output.js';
import { terminalOf } from '../../report/terminal/style.js';
import { type Flags, listFlag, switchFlag, textFlag } from '../option-tables.js';
import { JsonLines } from './json-lines.js';
import { STDOUT_PATH, type StandardOutput } from './standard-output.js';

/** Other files that the outputs of a run must not conflict with. */
export interface OtherFiles {
  /** What goes to standard output. */
  readonly stdout: StandardOutput;
  /** Files that the run reads: no output may replace them. */
  readonly inputs: readonly InputFile[];
  /** Bursts of the resumed search; null: a new run. */
  readonly earlier: readonly EarlierBurst[] | null;
}

/** @throws UserError `output` for a file that cannot be written, or that conflicts with another one */
export async function openOutputs(
  command: string,
  flags: Flags,
  host: Host,
  { inputs, earlier, stdout }: OtherFiles,
): Promise<RunOutputs> {
  const results = (listFlag(flags, 'output') ?? []).filter((path) => path !== STDOUT_PATH);
  const resume = textFlag(flags, 'resume');
  const attempts = textFlag(flags, 'attempts') ?? null;
  const files = openFiles(
    { command, results, attempts },
    {
      cwd: host.cwd,
      pid: host.pid,
      stepSummary: host.env.GITHUB_STEP_SUMMARY,
      inputs,
      resume: resume === undefined ? null : resolve(host.cwd, resume),
      earlier,
    },
  );
  const enabled = progressMode(host, {
    noProgress: switchFlag(flags, 'progress') === false,
    quiet: switchFlag(flags, 'quiet'),
  });
  const terminal = terminalOf(host.stderr, host.env, { noColor: switchFlag(flags, 'color') === false });
  const display = new ProgressOutput(await startProgress(host, { enabled, terminal }));
  return new RunOutputs([display, ...files, ...(stdout.is === 'lines' ? [new JsonLines(host)] : [])]);
}
