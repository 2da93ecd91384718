/** `compare` as a shell runs it, on saved results: files and folders, exit codes, what is said where. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Comparison } from '#dist/compare/comparison.js';
import { comparisonJsonSchema } from '#dist/compare/published-comparison.js';
import type { ComparedRun } from '#dist/compare/sides.js';
import { writeResult } from '#dist/result/document.js';
import { wstampede } from '../cli.js';
import { runsOf } from '../unit/compare-results.js';

const isComparison = new Ajv2020({ strict: false }).compile<Comparison>(comparisonJsonSchema as object);
const STEADY = [[0.98], [1], [1.01], [0.99], [1.02]];
const SLOWER = STEADY.map(([one]) => [one * 1.3]);
const GATE = ['--fail-on', 'p99(handshake) +10%'];

/** A folder with the sides `main` and `pr`, five runs each. */
function sides(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'wst-compare-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  write(folder, 'main', runsOf('main', STEADY));
  write(folder, 'pr', runsOf('pr', SLOWER));
  return folder;
}

function write(folder: string, side: string, runs: readonly ComparedRun[]): void {
  mkdirSync(join(folder, side), { recursive: true });
  for (const { file, result } of runs) writeFileSync(join(folder, side, file), writeResult(result));
}

test('compare: folders and files, exit codes, the document', async (t) => {
  const cwd = sides(t);
  const folders = await wstampede(['compare', 'main', '--with', 'pr', ...GATE], { cwd });
  assert.equal(folders.code, 3, folders.stderr);
  assert.match(folders.stdout, /^WORSE: p99\(handshake\) 990 ms to 1\.29 s, \+30%/);
  assert.equal(folders.stderr, '');

  // As a shell expands main/*.json and pr/*.json.
  const named = (side: string) => [1, 2, 3, 4, 5].map((i) => `${side}/${side}-${i}.json`);
  const files = await wstampede(['compare', ...named('main'), '--with', ...named('pr'), ...GATE, '--json'], { cwd });
  assert.equal(files.code, 3, files.stderr);
  const document: unknown = JSON.parse(files.stdout);
  assert.ok(isComparison(document), JSON.stringify(isComparison.errors));
  assert.deepEqual([document.base.runs, document.new.runs, document.exitCode], [5, 5, 3]);

  const look = await wstampede(['compare', 'main', '--with', 'pr'], { cwd });
  assert.deepEqual([look.code, look.stdout.slice(0, 5)], [0, 'WORSE']);
  const better = await wstampede(['compare', 'pr', '--with', 'main', ...GATE], { cwd });
  assert.equal(better.code, 0, better.stdout);
  const few = await wstampede(['compare', named('main')[0], '--with', named('pr')[0], ...GATE], { cwd });
  assert.equal(few.code, 4);
  assert.match(few.stdout, /1 and 1 bursts: no 95% interval exists/);
});

test('compare: documents, by the ending of a file or on standard output', async (t) => {
  const cwd = sides(t);
  const outputs = ['-o', 'c.json', '-o', 'c.md', '-o', 'c.xml', '-o', 'c.html'];
  const ran = await wstampede(['compare', 'main', '--with', 'pr', ...GATE, ...outputs], { cwd });
  assert.equal(ran.code, 3, ran.stderr);
  const read = (file: string) => readFileSync(join(cwd, file), 'utf8');
  const document: unknown = JSON.parse(read('c.json'));
  assert.ok(isComparison(document));
  assert.match(read('c.md'), /^### WORSE: p99&#40;|^### WORSE: p99\(handshake\)/);
  assert.match(read('c.xml'), /<failure type="worse"/);
  assert.match(read('c.html'), /<h1>WORSE/);
  for (const file of ['c.json', 'c.md', 'c.xml', 'c.html']) assert.match(ran.stderr, new RegExp(`wrote .*${file}`));
  const printed = await wstampede(['compare', 'main', '--with', 'pr', '-o', '-', '--format', 'md'], { cwd });
  assert.match(printed.stdout, /^### WORSE/);
  const summary = await wstampede(['compare', 'main', '--with', 'pr', '-o', 'step'], {
    cwd,
    env: { GITHUB_STEP_SUMMARY: join(cwd, 'step') },
  });
  assert.equal(summary.code, 0, summary.stderr);
  assert.match(read('step'), /^### WORSE/);
  const mistakes: [args: string[], message: RegExp][] = [
    [['-o', 'c.csv'], /"\.csv" is not available/],
    [['-o', 'main/main-1.json'], /would overwrite/],
    [['-o', '-', '--json'], /both would write to standard output/],
    [['-o', '-', '--format', 'csv'], /--format: expected json/],
    [['-o', 'c.md', '-o', './c.md'], /the same file/],
  ];
  for (const [args, message] of mistakes) {
    const refused = await wstampede(['compare', 'main', '--with', 'pr', ...args], { cwd });
    assert.equal(refused.code, 2, args.join(' '));
    assert.match(refused.stderr, message);
  }
});

test('compare: an open question is said on stderr, and --fail-on undecided makes it 3', async (t) => {
  const cwd = sides(t);
  const wide = [[0.7], [0.9], [1.1], [1.3], [1]];
  write(cwd, 'early', runsOf('early', wide));
  write(
    cwd,
    'late',
    runsOf(
      'late',
      wide.map(([one]) => [one * 1.02]),
    ),
  );
  const open = await wstampede(['compare', 'early', '--with', 'late', ...GATE], { cwd });
  assert.equal(open.code, 0);
  assert.match(open.stderr, /note: UNDECIDED: p99\(handshake\).*neither shows nor rules out a change of 10%/);
  assert.doesNotMatch(open.stdout + open.stderr, /no regression/i);
  const strict = await wstampede(['compare', 'early', '--with', 'late', ...GATE, '--fail-on', 'undecided'], { cwd });
  assert.equal(strict.code, 3);
});

test('compare: mistakes exit 2 and name the file', async (t) => {
  const cwd = sides(t);
  writeFileSync(join(cwd, 'text.json'), 'hello');
  writeFileSync(join(cwd, 'other.json'), '{"schemaVersion":1}');
  writeFileSync(join(cwd, 'newer.json'), '{"schemaVersion":99}');
  mkdirSync(join(cwd, 'empty'));
  mkdirSync(join(cwd, 'mixed/deeper'), { recursive: true });
  writeFileSync(join(cwd, 'mixed/notes.txt'), 'a note');
  const cases: [args: string[], message: RegExp][] = [
    [['main'], /the other side is missing/],
    [['--with', 'pr'], /compare: expected BASE/],
    [['main', '--with', 'gone.json'], /there is no file gone\.json/],
    [['main', '--with', 'text.json'], /text\.json: .*no JSON document/],
    [['main', '--with', 'other.json'], /other\.json: not a wstampede result/],
    [['main', '--with', 'newer.json'], /newer\.json: written by a newer wstampede/],
    [['main', '--with', 'empty'], /empty: the folder holds no results/],
    [['main', '--with', 'mixed'], /mixed\/notes\.txt is no result/],
    [['main', '--with', 'pr', 'pr/pr-1.json'], /pr\/pr-1\.json is named twice/],
    [['main', '--with', 'main/../main'], /main-1\.json is named twice/],
    [['main', '--with', 'pr', '--fail-on', 'p99(handshake) 10%'], /--fail-on "p99\(handshake\) 10%": at character 16/],
    [
      ['main', '--with', 'pr', '--fail-on', 'recovery +2s'],
      /--fail-on recovery \+2s: the results of both sides do not hold it/,
    ],
    [['main', '--with', 'pr', '--threshold', 'x'], /there is no flag --threshold/],
  ];
  for (const [args, message] of cases) {
    const ran = await wstampede(['compare', ...args], { cwd });
    assert.equal(ran.code, 2, `${args.join(' ')}: ${ran.stderr}`);
    assert.match(ran.stderr, message, args.join(' '));
    assert.equal(ran.stdout, '', args.join(' '));
  }
});
