/**
 * The benchmark of live searches: `wstampede find` against targets whose drop-off is known, each case several times. Exit
 * code 1 when a goal is missed. Flags: `--only NAME[,NAME]`; `--times N`, 5 by default; `--json FILE` appends a line after
 * each run, and a second call with that file makes only the runs that are not in it; `--keep FOLDER` keeps the results;
 * `--write` writes test/bench/FIND.md.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { ROOT } from '../cli.js';
import { needsProgram } from '../needs.js';
import type { FindCase, FindRun } from './find-case.js';
import { FIND_CASES } from './find-cases.js';
import { runCase } from './find-run.js';
import { document, errorOf, faultOf, goals, isInside, type Line, table } from './find-table.js';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    times: { type: 'string', default: '5' },
    json: { type: 'string' },
    keep: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});

const times = Number(values.times);
if (!Number.isSafeInteger(times) || times < 1) throw new Error(`--times ${values.times} is no number of runs`);
const only = values.only?.split(',') ?? null;
const unknown = only?.filter((name) => !FIND_CASES.some((one) => one.name === name)) ?? [];
if (unknown.length > 0) {
  throw new Error(`no such case: ${unknown.join(', ')}; there are ${FIND_CASES.map(({ name }) => name).join(', ')}`);
}
if (values.write && only !== null) throw new Error('--write is of all cases, --only of some');
const cases = FIND_CASES.filter((one) => only?.includes(one.name) ?? true).filter(isPossible);
const done: FindRun[] = values.json === undefined ? [] : saved(values.json);

function isPossible({ name, program }: FindCase): boolean {
  const skip = (message?: string): void => console.log(`${name}: left out, ${message}`);
  return program === undefined || needsProgram({ skip }, program);
}

/** The runs of a file; the last line of one that was interrupted may be half a line, to which nothing must be appended. */
function saved(file: string): FindRun[] {
  if (!existsSync(file)) return [];
  const text = readFileSync(file, 'utf8');
  if (text !== '' && !text.endsWith('\n')) appendFileSync(file, '\n');
  const lines = text.split('\n');
  return lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line) as FindRun);
}

interface Turn {
  readonly one: FindCase;
  readonly run: number;
}

/** Run by run and not case by case: what is interrupted has something of every case. */
function turnsLeft(): Turn[] {
  const all = cases.flatMap((one) =>
    Array.from({ length: times * (one.runs ?? 1) }, (_, i): Turn => ({ one, run: i + 1 })),
  );
  const isDone = ({ one, run }: Turn) => done.some((row) => row.name === one.name && row.run === run);
  return all.filter((turn) => !isDone(turn)).sort((a, b) => a.run - b.run);
}

async function take({ one, run }: Turn): Promise<void> {
  const row = await runCase(one, run, values.keep ?? null);
  done.push(row);
  if (values.json !== undefined) appendFileSync(values.json, `${JSON.stringify(row)}\n`);
  const fault = faultOf(one, row);
  const error = errorOf(row);
  const off = error === null ? '' : ` ${(error * 100).toFixed(1)} % off ${row.truth?.toFixed(0)},`;
  const missed = isInside(row) === false ? ' TRUTH NOT INSIDE,' : '';
  console.log(
    `${one.name} ${run}: ${row.verdict} ${row.estimate ?? ''} [${row.interval95.map((end) => end ?? 'open').join('–')}],${off}${missed} ${row.bursts} bursts, ${row.seconds.toFixed(0)} s${fault === null ? '' : `  NOT RIGHT: ${fault}`}\n    ${row.ladder}`,
  );
}

function where(): string {
  const cpu = os.cpus()[0]?.model ?? 'unknown CPU';
  const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { version: string };
  const nginx = /\d+\.\d+[.\d]*/.exec(spawnSync('nginx', ['-v'], { encoding: 'utf8' }).stderr ?? '')?.[0];
  const day = done
    .map(({ startedAt }) => startedAt.slice(0, 10))
    .sort()
    .at(-1);
  return [
    `${day ?? 'never run'}: wstampede ${version}`,
    `Node ${process.versions.node}`,
    nginx === undefined ? 'no nginx' : `nginx ${nginx}`,
    `${os.type()} ${os.release()}`,
    `${os.cpus().length} × ${cpu}`,
  ].join(', ');
}

const turns = turnsLeft();
// What mostly waits goes on beside its like, before the others, which have the machine for themselves.
await Promise.all(turns.filter(({ one }) => one.waits === true).map(take));
for (const turn of turns.filter(({ one }) => one.waits !== true)) await take(turn);

const lines: Line[] = cases.map((one) => ({
  one,
  runs: done.filter(({ name }) => name === one.name).sort((a, b) => a.run - b.run),
}));
console.log(`\n${table(lines)}\n`);
for (const { what, text, ok } of goals(lines, times)) console.log(`${ok ? 'met   ' : 'MISSED'} ${what}: ${text}`);
if (values.write) writeFileSync(`${ROOT}test/bench/FIND.md`, document(lines, times, where()));
if (goals(lines, times).some(({ ok }) => !ok)) process.exitCode = 1;
