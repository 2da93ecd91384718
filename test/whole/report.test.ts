/** `report`, and `-o` of commands that measure, through the whole program. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import type { Burst } from '#dist/result/result.js';
import { checkedResult, labFor, wstampede } from '../cli.js';

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'wst-report-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const run = (args: readonly string[], env: Record<string, string> = {}) => wstampede(args, { cwd: folder, env });

test('a burst writes every format, and report the same from its result', async (t) => {
  const lab = await labFor(t, 'healthy');
  const endings = ['json', 'html', 'md', 'xml', 'csv', 'hgrm', 'connect.hgrm', 'hlog', 'prom'];
  const ran = await run([
    ...['burst', lab.url, '-c', '30', '-b', '2', '--rest', '50ms', '--no-calibrate'],
    ...endings.flatMap((ending) => ['-o', `a.${ending}`]),
  ]);
  assert.equal(ran.code, 0, ran.stderr);
  checkedResult(readFileSync(join(folder, 'a.json'), 'utf8'));
  const again = await run(['report', 'a.json', ...endings.flatMap((ending) => ['-o', `b.${ending}`])]);
  assert.equal(again.code, 0, again.stderr);
  assert.equal(again.stdout, '', 'files were asked for, and nothing else');
  for (const ending of endings) {
    const text = readFileSync(join(folder, `b.${ending}`), 'utf8');
    assert.equal(text, readFileSync(join(folder, `a.${ending}`), 'utf8'), ending);
    assert.ok(text.length > 100, ending);
  }
  const summary = await run(['report', 'a.html']);
  assert.equal(summary.stdout, ran.stdout, 'the summary again');
  const comment = await run(['report', 'a.json', 'b.json', '-o', '-', '--format', 'md']);
  assert.equal(comment.stdout.match(/^### (VALID|SUSPECT) · All 60/gm)?.length, 2);
});

test('--json-lines prints a line a burst and one at the end, the summary on stderr', async (t) => {
  const lab = await labFor(t, 'healthy');
  const flags = ['-c', '20', '-b', '3', '--rest', '50ms', '--no-calibrate'];
  const ran = await run(['burst', lab.url, ...flags, '--json-lines', '-o', 'lines.json']);
  const result = checkedResult(readFileSync(join(folder, 'lines.json'), 'utf8'));
  const lines = ran.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  const { totals, validity, exitCode } = result;
  assert.deepEqual(lines, [...(result.bursts as readonly Burst[]), { end: { totals, validity, exitCode } }]);
  assert.match(ran.stderr, /All 60 simultaneous handshakes got their 101/);
});

test('a check has no bursts to tabulate; its page, comment and JUnit file hold it', async (t) => {
  const lab = await labFor(t, 'healthy');
  const ran = await run(['check', lab.url, '--no-probes', '-o', 'c.json', '-o', 'c.html', '-o', 'c.md', '-o', 'c.xml']);
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(readFileSync(join(folder, 'c.md'), 'utf8'), /^### VALID · Healthy: the handshake got its 101/);
  assert.match(readFileSync(join(folder, 'c.xml'), 'utf8'), /tests="3" failures="0"/);
  for (const args of [
    ['check', lab.url, '-o', 'c.csv'],
    ['report', 'c.json', '-o', 'c.csv'],
  ]) {
    const refused = await run(args);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /c\.csv: a result of check has nothing for \.csv\n {2}these fit: .*\.md \.xml/);
  }
  assert.ok(!readdirSync(folder).includes('c.csv'));
});

test('report says what it can not read or write, and judges nothing', async (t) => {
  const lab = await labFor(t, 'healthy');
  const missed = await run([
    'burst',
    lab.url,
    '-c',
    '5',
    '--no-calibrate',
    '--threshold',
    'count(101) == 0',
    '-o',
    'm.json',
  ]);
  assert.equal(missed.code, 3);
  assert.equal((await run(['report', 'm.json'])).code, 0, 'whatever the result says');
  writeFileSync(join(folder, 'newer.json'), '{"schemaVersion": 9}');
  writeFileSync(join(folder, 'page.html'), '<!doctype html><title>no result</title>');
  const result = JSON.parse(readFileSync(join(folder, 'm.json'), 'utf8')) as object;
  writeFileSync(join(folder, 'killed.json'), JSON.stringify({ ...result, finished: false }));
  const cases: [args: string[], code: number, says: RegExp][] = [
    [['newer.json'], 2, /newer\.json: written by a newer wstampede \(schema 9; this one reads up to 1\)/],
    [['page.html'], 2, /page\.html: not a wstampede result: the page carries none/],
    [['none.json'], 2, /there is no file none\.json/],
    [['m.json', 'm.json', '-o', 'x.hgrm'], 2, /\.hgrm holds one result, not 2\n {2}these fit: .*\.md \.xml \.csv/],
    [['m.json', '-o', 'm.json'], 2, /would overwrite RESULT m\.json/],
    [['m.json', '--format', 'md'], 2, /--format md: only for -o -/],
    [['m.json', '-o', '-', '-o', '/dev/stdout'], 2, /-o - and -o \/dev\/stdout: both would write to standard output/],
    [['killed.json'], 0, /killed\.json: the run that wrote it has not ended; it holds 1 burst/],
  ];
  for (const [args, code, says] of cases) {
    const ran = await run(['report', ...args]);
    assert.equal(ran.code, code, `${args}: ${ran.stderr}`);
    assert.match(ran.stderr, says);
  }
  const both = await run(['burst', lab.url, '--json', '--json-lines']);
  assert.equal(both.code, 2);
  assert.match(both.stderr, /--json and --json-lines: both would write to standard output/);
});

test('the summary of a step on GitHub is Markdown, after what other steps wrote, and never too large', async (t) => {
  const lab = await labFor(t, 'healthy');
  const file = join(folder, 'step_summary_1');
  writeFileSync(file, 'earlier\n');
  const env = { GITHUB_STEP_SUMMARY: file };
  const burst = ['burst', lab.url, '-c', '5', '-b', '2', '--rest', '20ms', '--no-calibrate'];
  assert.equal((await run([...burst, '-o', 's.json'], env)).code, 0);
  assert.equal(readFileSync(file, 'utf8'), 'earlier\n', 'nothing unasked');
  assert.equal((await run([...burst, '-o', file], env)).code, 0);
  assert.equal((await run(['report', 's.json', '-o', 'step_summary_1'], env)).code, 0);
  const text = readFileSync(file, 'utf8');
  assert.match(text, /^earlier\n### \w/);
  assert.equal(text.match(/^### \w/gm)?.length, 2, 'one document a command');
  writeFileSync(file, 'x'.repeat(999_500));
  const full = await run(['report', 's.json', '-o', file], env);
  assert.equal(full.code, 1);
  assert.match(full.stderr, /could not add to .*: it would be larger than 1,000 kB/);
  assert.equal(readFileSync(file, 'utf8').length, 999_500);
});
