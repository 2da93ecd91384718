/**
 * The command that drops the clients of a storm: run by `sh -c` in a process group of its own, at most for so long. Its
 * output goes to stderr. What it does is the user's; only how it ends is known here.
 */
import { spawn } from 'node:child_process';
import { endProcessGroup } from '../../host.js';
import { formatDuration } from '../../plan/units.js';

export const COMMAND_MS = 60_000;

export interface DropCommand {
  /** Resolves when it has ended: with what went wrong, one sentence, or null. */
  readonly ended: Promise<string | null>;
  /** Ends it, if it still runs. */
  end(): void;
}

export function startDropCommand(command: string, timeoutMs: number = COMMAND_MS): DropCommand {
  const STDERR = 2;
  const child = spawn('sh', ['-c', command], { stdio: ['ignore', STDERR, STDERR], detached: true });
  let isOver = false;
  const end = (): void => {
    if (!isOver && child.pid !== undefined) endProcessGroup(child.pid);
  };
  let isTooLong = false;
  const timer = setTimeout(() => {
    isTooLong = true;
    end();
  }, timeoutMs);
  const ended = new Promise<string | null>((resolve) => {
    const over = (problem: string | null): void => {
      isOver = true;
      clearTimeout(timer);
      resolve(problem);
    };
    child.on('error', (error) => over(`the drop command could not be started (${error.message})`));
    child.on('exit', (code, signal) => {
      if (isTooLong) over(`the drop command had not ended after ${formatDuration(timeoutMs)} and was killed`);
      else if (code === 0) over(null);
      else over(`the drop command ended with ${code === null ? `signal ${signal}` : `exit code ${code}`}`);
    });
  });
  return { ended, end };
}
