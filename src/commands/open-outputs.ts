/**
 * Opens the outputs that a command's flags ask for: the progress display on stderr, and the files. What they are told
 * is the command's business.
 */
import type { Host } from '../host.js';
import { openFiles } from '../report/files/open-files.js';
import { RunOutputs } from '../report/outputs/run-outputs.js';
import { progressMode, startProgress } from '../report/progress/progress.js';
import { ProgressOutput } from '../report/progress/progress-output.js';
import { terminalOf } from '../report/terminal/style.js';
import { type Flags, listFlag, switchFlag, textFlag } from './option-tables.js';

/** @throws UserError `output` for a file that can't be written */
export function openOutputs(flags: Flags, host: Host): RunOutputs {
  const specs = { results: listFlag(flags, 'output') ?? [], attempts: textFlag(flags, 'attempts') ?? null };
  const files = openFiles(specs, { cwd: host.cwd, pid: host.pid });
  const enabled = progressMode(host, {
    noProgress: switchFlag(flags, 'progress') === false,
    quiet: switchFlag(flags, 'quiet'),
  });
  const terminal = terminalOf(host.stderr, host.env, { noColor: switchFlag(flags, 'color') === false });
  const display = new ProgressOutput(startProgress(host, { enabled, terminal }));
  return new RunOutputs([display, ...files]);
}
