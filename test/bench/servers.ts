/**
 * Runs all rows of the server matrix and writes the table test/servers/SERVERS.md: what each server is asked, what came,
 * which cause the tool named first, and whether the server still served.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { BURST, judgeRow, type Verdict } from '../servers/judge.js';
import { needsServer, SERVERS } from '../servers/matrix.js';
import type { Row } from '../servers/row.js';
import { FOLDER } from '../servers/server.js';
import { cell, runMatrix } from './matrix-run.js';

const AT_ONCE = 2;

interface Ran {
  readonly row: Row;
  readonly verdicts: readonly Verdict[];
  /** Why it did not run. */
  readonly missing: string | null;
  readonly failure: string | null;
}

async function run(row: Row): Promise<Ran> {
  let missing: string | null = null;
  const skip = (why?: string): void => {
    missing = why ?? 'skipped';
  };
  try {
    if (!needsServer({ skip }, row)) return { row, verdicts: [], missing, failure: null };
    return { row, verdicts: await judgeRow(row), missing, failure: null };
  } catch (error) {
    return { row, verdicts: [], missing, failure: (error as Error).message };
  }
}

function faultsOf({ verdicts, failure }: Ran): string[] {
  const faults = verdicts.flatMap(({ what, faults }) => faults.map((fault) => `${what}: ${fault}`));
  return failure === null ? faults : [...faults, failure];
}

/** Of the package that is installed. */
function versionOf({ id, source }: Row): string {
  if (source === 'npm') {
    const names =
      id === 'fastify' ? ['fastify', '@fastify/websocket'] : [id === 'hocuspocus' ? '@hocuspocus/server' : id];
    const version = (name: string): string => {
      const { version } = JSON.parse(readFileSync(`${FOLDER}node_modules/${name}/package.json`, 'utf8'));
      return name === id ? version : `${name} ${version}`;
    };
    return names.map(version).join(', ');
  }
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', `$\{Version}`, source.debian], { encoding: 'utf8' });
  return `${stdout.replace(/^\d+:/, '').replace(/[-+].*/, '')} (Debian)`;
}

function lines(ran: Ran): string[] {
  const { row, verdicts, missing, failure } = ran;
  const head = `${row.id} ${missing === null ? versionOf(row) : ''}`;
  if (missing !== null || failure !== null)
    return [`| ${cell(head)} | **${cell(missing ?? failure ?? '')}** | | | | | | |`];
  return verdicts.map((verdict, i) => {
    const { what, ordinary, check, checkSaid, burst, burstSaid, causes, isAlive, faults } = verdict;
    const counted = i > 0 ? '' : row.counts === null ? ' (it does not tell)' : ` (by ${row.counts}: equal)`;
    return `| ${[
      i === 0 ? head : '',
      what,
      ordinary,
      `${check}: ${checkSaid}`,
      `${burst}${faults.some((fault) => /counts/.test(fault)) ? '' : counted}: ${burstSaid}`,
      causes.length === 0 ? '–' : causes.join(' or '),
      isAlive ? 'yes' : '**no**',
      faults.length === 0 ? 'yes' : `**${faults.join('; ')}**`,
    ]
      .map(cell)
      .join(' | ')} |`;
  });
}

function document(results: readonly Ran[]): string {
  const judged = results.flatMap(({ verdicts }) => verdicts);
  const asked = judged.filter(({ causes }) => causes.length > 0);
  const right = judged.filter(({ faults }) => faults.length === 0).length;
  const notes = results.filter(({ row }) => row.note !== undefined).map(({ row }) => `- ${row.id}: ${row.note}.`);
  return `# The server matrix

Written by \`npm run bench:servers\`: ${os.type()} ${os.release()}, ${os.cpus().length} CPUs, Node ${process.versions.node}.

**${right} of ${judged.length} as expected**: ${results.length} real servers, each asked rightly, and ${asked.length} mistakes; bursts of ${BURST}. An
ordinary client is the npm package ws. After every check and every burst the same process must serve it.

| server | asked | an ordinary client gets | check: first cause | burst: first cause | right cause | alive | as expected |
| --- | --- | --- | --- | --- | --- | --- | --- |
${results.flatMap(lines).join('\n')}

## What is special

${notes.join('\n')}
`;
}

await runMatrix({
  rows: SERVERS,
  atOnce: AT_ONCE,
  run,
  faultsOf,
  skippedFor: ({ missing }) => missing,
  page: `${FOLDER}SERVERS.md`,
  document,
});
