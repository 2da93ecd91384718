/** All rows of the server matrix, and whether what a row needs is installed. */
import { existsSync } from 'node:fs';
import { needs, needsProgram, needsPythonModule, type Skippable } from '../needs.js';
import type { Row } from './row.js';
import { NPM_ROWS } from './rows-npm.js';
import { PROGRAM_ROWS } from './rows-programs.js';
import { PYTHON_ROWS } from './rows-python.js';
import { FOLDER } from './server.js';

export const SERVERS: readonly Row[] = [...NPM_ROWS, ...PYTHON_ROWS, ...PROGRAM_ROWS];

/** Whether the row can run; else it has been skipped, or failed: see needs.ts. */
export function needsServer(t: Skippable, { source }: Row): boolean {
  if (source === 'npm') return needs(t, existsSync(`${FOLDER}node_modules`), 'servers of npm: npm run servers:install');
  if ('module' in source) return needsPythonModule(t, source.module, source.debian);
  return needsProgram(t, source.program, `apt-get install ${source.debian}`);
}
