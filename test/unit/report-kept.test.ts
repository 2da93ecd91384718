/** What files of a run keep: inputs, rows of an earlier run, what was measured when the run is killed. */
import assert from 'node:assert/strict';
import {
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { readText } from '#dist/commands/input-files.js';
import { Pace } from '#dist/commands/output/pace.js';
import { type OutputOptions, openFiles } from '#dist/report/files/open-files.js';
import { RunOutputs } from '#dist/report/outputs/run-outputs.js';
import { outcomeRows } from '#dist/report/words/outcome-words.js';
import { type WrittenBursts, writeResult } from '#dist/result/document.js';
import { unfinished } from '#dist/tally/assemble.js';
import { ATTEMPTS_HEADER } from '#dist/tally/attempt-row.js';
import { rampAndCluster, result } from './report-results.js';

const WHOLE = result(rampAndCluster);
let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'wst-kept-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = (name: string): string => join(folder, name);
const text = (name: string): string => readFileSync(path(name), 'utf8');
const open = (results: readonly string[], attempts: string | null, more: Partial<OutputOptions> = {}) =>
  openFiles({ command: 'burst', results, attempts }, { cwd: folder, pid: 4711, ...more });

test('no output replaces what the run reads; the result of --resume may be replaced by -o alone', () => {
  writeFileSync(path('p.json'), '{}');
  writeFileSync(path('t.csv'), 'a\n1\n');
  const inputs = [
    { what: 'the profile p.json', path: path('p.json') },
    { what: '--data t.csv', path: path('t.csv') },
  ];
  assert.throws(
    () => open(['p.json'], null, { inputs }),
    /^UserError: -o p\.json: would overwrite the profile p\.json$/,
  );
  assert.throws(() => open([], './t.csv', { inputs }), /--attempts \.\/t\.csv: would overwrite --data t\.csv/);
  open(['r.json'], 'rows.csv', { inputs, resume: path('p.json') });
  open(['p.json'], null, { resume: path('p.json') });
});

test('--attempts takes .csv, and pipes', () => {
  assert.throws(() => open([], 'a.json'), /--attempts a\.json: expected a file that ends in \.csv/);
  assert.deepEqual(readdirSync(folder), []);
  open([], 'a.CSV');
  open([], '/dev/null');
});

test('rows of a search that goes on come first; a file of another run is refused', async () => {
  const earlier = [
    { index: 0, attempted: 2 },
    { index: 1, attempted: 1 },
  ];
  const rows = '0,0,a\n0,1,b\n1,0,c\n';
  writeFileSync(path('a.csv'), `${ATTEMPTS_HEADER}\n${rows}2,0,of the burst that was killed\n`);
  const outputs = new RunOutputs(open([], 'a.csv', { earlier }));
  outputs.rows('2,0,d\n');
  await outputs.burst(async () => WHOLE);
  await outputs.end(WHOLE);
  assert.equal(text('a.csv'), `${ATTEMPTS_HEADER}\n${rows}2,0,d\n`);
  const refused: [content: string, message: RegExp][] = [
    [`${ATTEMPTS_HEADER}\n0,0,a\n1,0,c\n`, /it has 1 rows of burst 0, the result that --resume names has 2/],
    [`a,b\n${rows}`, /does not begin with the columns/],
    [`${ATTEMPTS_HEADER}\n${rows}`.replace('1,0,c', 'x'), /burst 1/],
  ];
  for (const [content, message] of refused) {
    writeFileSync(path('b.csv'), content);
    assert.throws(() => open([], 'b.csv', { earlier }), message);
    assert.equal(text('b.csv'), content);
  }
  assert.throws(() => open([], 'none.csv', { earlier }), /rows before --resume can't be read: .*ENOENT/);
});

test('rows of a load that goes on are shown, and replaced by the final ones', async () => {
  const outputs = new RunOutputs(open(['r.json'], 'a.csv'));
  await outputs.during(async () => unfinished(WHOLE), '0,0,held\n');
  assert.equal(text('a.csv'), `${ATTEMPTS_HEADER}\n0,0,held\n`);
  const document = JSON.parse(text('r.json'));
  assert.deepEqual([document.finished, document.exitCode, document.stopped], [false, 4, 'this run has not ended']);
  assert.deepEqual(document.validity, { verdict: 'invalid', reasons: ['this run has not ended'] });
  outputs.rows('0,0,lost\n');
  await outputs.burst(async () => WHOLE);
  assert.equal(text('a.csv'), `${ATTEMPTS_HEADER}\n0,0,lost\n`);
  await outputs.end(WHOLE);
  assert.equal('finished' in JSON.parse(text('r.json')), false);
});

test('a burst that is counted and was not told to be over has its rows; one that is not counted has none', async () => {
  const counted = new RunOutputs(open([], 'a.csv'));
  counted.rows('0,0,aborted\n');
  await counted.end(WHOLE);
  assert.equal(text('a.csv'), `${ATTEMPTS_HEADER}\n0,0,aborted\n`);
  const uncounted = new RunOutputs(open([], 'b.csv'));
  uncounted.rows('0,0,x\n');
  await uncounted.burst(async () => WHOLE);
  uncounted.rows('1,0,y\n');
  await uncounted.during(async () => WHOLE, '');
  await uncounted.end({ ...WHOLE, bursts: WHOLE.bursts.slice(0, 1) });
  assert.equal(text('b.csv'), `${ATTEMPTS_HEADER}\n0,0,x\n`);
});

test('what is not due is written at the end, and each file is named once', async () => {
  const notes: string[] = [];
  const outputs = new RunOutputs([
    { name: 'notes', note: (line) => void notes.push(line) },
    ...open(['r.json', '/dev/null'], 'a.csv'),
  ]);
  outputs.rows('0,0,x\n');
  await outputs.burst(async () => WHOLE, false);
  assert.deepEqual([existsSync(path('a.csv')), existsSync(path('r.json'))], [false, false]);
  await outputs.end(WHOLE);
  assert.equal(text('a.csv'), `${ATTEMPTS_HEADER}\n0,0,x\n`);
  assert.deepEqual(notes, ['wrote a.csv, r.json']);
});

test('what a killed run left beside a file is removed by the next one that writes there', () => {
  const nobody = 4_194_305;
  for (const name of [
    `.a.csv.${nobody}-0.tmp-rows`,
    `.a.csv.${nobody}-0.tmp`,
    `.a.csv.${process.pid}-0.tmp`,
    `.b.csv.${nobody}-0.tmp`,
  ]) {
    writeFileSync(path(name), '');
  }
  open([], 'a.csv');
  const left = readdirSync(folder).sort();
  assert.deepEqual(left, [`.a.csv.${process.pid}-0.tmp`, `.b.csv.${nobody}-0.tmp`].sort());
});

test('every burst is written up to the thousandth; then writing takes a fifth of the time, and a killed run loses 5 s', async () => {
  let now = 0;
  const pace = new Pace(() => now);
  const burst = async (costMs: number, bursts = 1001): Promise<boolean> => {
    let written = false;
    await pace.over(bursts, async (isDue) => {
      written = isDue;
      if (isDue) now += costMs;
    });
    return written;
  };
  for (const bursts of [999, 1000]) assert.equal(await burst(100, bursts), true);
  now += 400;
  assert.equal(await burst(100), true);
  now += 399;
  assert.equal(await burst(100), false);
  now += 1;
  assert.equal(await burst(60_000), true);
  now += 4999;
  assert.equal(await burst(1), false);
  now += 1;
  assert.equal(await burst(1), true);
});

test('a burst that is told while the end is written comes before it, and nothing comes after it', async () => {
  const outputs = new RunOutputs(open(['r.json'], 'a.csv'));
  outputs.rows('0,0,x\n');
  let assembled: () => void = () => {};
  const slow = new Promise<void>((resolve) => {
    assembled = resolve;
  });
  const burst = outputs.burst(async () => {
    await slow;
    return unfinished(WHOLE);
  });
  const end = outputs.end(WHOLE);
  assembled();
  await Promise.all([burst, end]);
  assert.equal('finished' in JSON.parse(text('r.json')), false);
  assert.equal(text('a.csv'), `${ATTEMPTS_HEADER}\n0,0,x\n`);
  assert.deepEqual(readdirSync(folder).sort(), ['a.csv', 'r.json']);
});

test('long names that differ at their ends only are written side by side', async () => {
  const start = 'n'.repeat(100);
  const outputs = new RunOutputs(open([`${start}1.json`, `${start}2.json`], `${start}3.csv`));
  outputs.rows('0,0,x\n');
  await outputs.burst(async () => WHOLE);
  await outputs.end(WHOLE);
  assert.deepEqual(readdirSync(folder).sort(), [`${start}1.json`, `${start}2.json`, `${start}3.csv`]);
  assert.equal(text(`${start}3.csv`), `${ATTEMPTS_HEADER}\n0,0,x\n`);
  assert.equal(text(`${start}1.json`), text(`${start}2.json`));
});

test('an input is known by every name that it has', () => {
  writeFileSync(path('t.csv'), 'a\n1\n');
  symlinkSync('t.csv', path('soft.csv'));
  linkSync(path('t.csv'), path('hard.csv'));
  const inputs = [{ what: '--data t.csv', path: path('t.csv') }];
  for (const name of ['soft.csv', 'hard.csv', './t.csv', `${folder}/../${basename(folder)}/t.csv`]) {
    assert.throws(() => open([], name, { inputs }), /would overwrite --data t\.csv/, name);
  }
});

test('a document that is written burst by burst is the one that is written at once', () => {
  const written: WrittenBursts = new WeakMap();
  const [first] = WHOLE.bursts;
  const whole = writeResult(WHOLE);
  assert.equal(writeResult(WHOLE, written), whole);
  assert.equal(writeResult(WHOLE, written), whole);
  assert.deepEqual(JSON.parse(whole).bursts[0].outcomes, first.outcomes);
  assert.equal(whole, `${JSON.stringify(JSON.parse(whole), null, 2)}\n`);
});

test('only regular files are read', () => {
  assert.throws(() => readText('/dev/zero', folder), /\/dev\/zero is a pipe or a device, expected a regular file/);
  assert.throws(() => readText('.', folder), /\. can't be read \(EISDIR\)/);
  assert.throws(() => readText('none', folder), /there is no file none; looked for/);
});

test('hundreds of different statuses: the rarest are one row', () => {
  const outcomes = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`${300 + i}`, 300 - i]));
  const attempted = Object.values(outcomes).reduce((all, count) => all + count, 0);
  const rows = outcomeRows({ ...WHOLE.totals, attempted, outcomes });
  assert.equal(rows.length, 21);
  assert.equal(rows[20].id, 'other');
  assert.equal(rows[20].meaning, '280 more outcomes, each rarer than these');
  assert.equal(
    rows.reduce((all, { count }) => all + count, 0),
    attempted,
  );
});
