/**
 * Runs all rows of the gateway matrix and writes the table test/gateways/MATRIX.md: what was expected by which oracle,
 * what came, and whether the gateway's log said the same.
 */
import { spawnSync } from 'node:child_process';
import os from 'node:os';
import { ROOT } from '../cli.js';
import { judgeRow, type Verdict } from '../gateways/judge.js';
import { MATRIX, NOT_COVERED } from '../gateways/matrix.js';
import type { Row } from '../gateways/row.js';
import { cell, runMatrix } from './matrix-run.js';

/** Most of a row's time is spent in waiting for a timeout. */
const AT_ONCE = 3;
const VERSIONS: readonly (readonly [program: string, ...args: string[]])[] = [
  ['nginx', '-v'],
  ['haproxy', '-v'],
  ['apache2', '-v'],
  ['caddy', 'version'],
];

interface Ran {
  readonly row: Row;
  readonly verdicts: readonly Verdict[];
  readonly failure: string | null;
}

async function run(row: Row): Promise<Ran> {
  try {
    return { row, verdicts: await judgeRow(row), failure: null };
  } catch (error) {
    return { row, verdicts: [], failure: (error as Error).message };
  }
}

function faultsOf({ verdicts, failure }: Ran): string[] {
  const faults = verdicts.flatMap(({ faults }) => faults);
  return failure === null ? faults : [...faults, failure];
}

function version([program, ...args]: (typeof VERSIONS)[number]): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  const found = /\d+\.\d+[.\d]*/.exec(`${stdout}${stderr}`)?.[0] ?? '(unknown)';
  return `${program} ${found}`;
}

function lines({ row, verdicts, failure }: Ran): string[] {
  const head = [row.gateway, `${row.id.replace(/^[^/]+\//, '')}: ${row.story}`, row.cause ?? '–'].map(cell).join(' | ');
  if (failure !== null) return [`| ${head} | | **${cell(failure)}** | |`];
  return verdicts.map((verdict, i) => {
    const came = Object.entries(verdict.outcomes).map(
      ([outcome, count]) => `${count} × ${outcome} at ${verdict.times[outcome] ?? '–'} ms`,
    );
    const wrong = verdict.faults.length > 0 ? ` **${verdict.faults[0]}**` : '';
    const log = typeof verdict.log === 'string' ? verdict.log : `${verdict.log} equal`;
    const note = row.note === undefined || i > 0 ? '' : ` (${row.note})`;
    const first = i === 0 ? head : ' | ↳ then | ';
    return `| ${first} | ${cell(verdict.expected.join('; '))}${note} | ${cell(came.join(', '))}${cell(wrong)} | ${log} |`;
  });
}

function document(results: readonly Ran[]): string {
  const right = results.filter((ran) => faultsOf(ran).length === 0).length;
  const bursts = results.flatMap(({ verdicts }) => verdicts);
  const attempts = bursts.reduce((all, { size }) => all + size, 0);
  const logged = bursts.reduce((all, { log }) => all + (typeof log === 'number' ? log : 0), 0);
  return `# The gateway matrix

Written by \`npm run bench:gateways\`: ${VERSIONS.map(version).join(', ')}; ${os.type()} ${os.release()}, ${os.cpus().length} CPUs, Node ${process.versions.node}.

**${right} of ${results.length} rows as expected**; ${bursts.length} bursts, ${attempts} handshakes, ${logged} lines of access logs equal to the
attempts they belong to, by port and status. Times are after the release. Where an expectation holds what only the run could
tell (S' of the backend, how far apart the requests came), its numbers are those of this run. Oracles are rules of the method:
[O1 to O21](../../docs/method.md#predictions), [3a to 3g](../../docs/method.md#kinds-of-failure).

| gateway | what is wrong: row | cause | expected, by oracle | what came | log |
| --- | --- | --- | --- | --- | --- |
${results.flatMap(lines).join('\n')}

## Not covered

${NOT_COVERED.map(([what, why]) => `- ${what}: ${why}.`).join('\n')}
`;
}

await runMatrix({
  rows: MATRIX,
  atOnce: AT_ONCE,
  run,
  faultsOf,
  skippedFor: () => null,
  page: `${ROOT}test/gateways/MATRIX.md`,
  document,
});
