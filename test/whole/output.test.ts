/** What a run leaves on stdout, on stderr and in files: documents, rows, colours, thresholds, the abort rule. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ATTEMPTS_HEADER } from '#dist/tally/attempt-row.js';
import { CLI, checkedResult, labFor, resultOf, wstampede } from '../cli.js';
import { needs } from '../needs.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'wst-output-'));
after(() => rmSync(FOLDER, { recursive: true, force: true }));

const PLAIN = ['--no-preflight', '--no-calibrate'];
const ESCAPE = /\x1b\[/;

test('one document on stdout, the same in -o, with preflight and calibration', async (t) => {
  const lab = await labFor(t, 'healthy', { host: '127.0.0.2' });
  const files = [join(FOLDER, 'one.json'), join(FOLDER, 'two.json')];
  const ran = await wstampede(['burst', lab.url, '-c', '50', '--json', '-o', files[0], '-o', files[1]]);
  const result = resultOf(ran);
  assert.equal(ran.code, 0);
  assert.deepEqual(result.totals.outcomes, { 101: 50 });
  assert.deepEqual(result.preflight?.outcomes, { 101: 5 });
  assert.equal(result.bursts[0].calibration?.size, 50);
  for (const file of files) assert.deepEqual(checkedResult(readFileSync(file, 'utf8')), result);
  assert.equal((await lab.stop()).upgraded, 55);
});

test('thresholds met: exit 0; one missed: exit 3, with what was measured', async (t) => {
  const lab = await labFor(t, 'limit', { max: 30, host: '127.0.0.3' });
  const burst = ['burst', lab.url, '-c', '40', ...PLAIN];
  const met = resultOf(
    await wstampede([...burst, '--json', '--threshold', 'share(101) >= 75%', '--threshold', 'count(503) == 10']),
  );
  assert.equal(met.exitCode, 0);
  assert.deepEqual(
    met.thresholds.map(({ ok }) => ok),
    [true, true],
  );
  const missed = await wstampede([...burst, '--threshold', 'share(101) == 100%', '--threshold', 'p99(handshake) < 1m']);
  assert.equal(missed.code, 3);
  assert.match(missed.stdout, /share\(101\) == 100%/);
  const document = resultOf(await wstampede([...burst, '--json', '--threshold', 'share(101) == 100%']));
  assert.equal(document.exitCode, 3);
  assert.equal(document.thresholds[0].actual, 0.75);
});

test('the abort rule ends the run after the second bad burst: exit 3', async (t) => {
  const lab = await labFor(t, 'backend-refused', { host: '127.0.0.4' });
  const ran = await wstampede([
    ...['burst', lab.url, '-c', '20', '-b', '5', '--rest', '0s', ...PLAIN, '--json'],
    ...['--abort', 'share(5xx) > 50% for 2 bursts'],
  ]);
  const result = resultOf(ran);
  assert.equal(ran.code, 3);
  assert.equal(result.bursts.length, 2);
  assert.match(result.stopped ?? '', /abort rule: share\(5xx\) > 50% for 2 bursts/);
  assert.equal((await lab.stop()).byOutcome['502'], 40);
});

test('churn: as many as were asked for, and the target saw each', async (t) => {
  const lab = await labFor(t, 'healthy', { host: '127.0.0.5' });
  const result = resultOf(await wstampede(['churn', lab.url, '-n', '2000', '-c', '50', ...PLAIN, '--json']));
  assert.deepEqual(result.totals.outcomes, { 101: 2000 });
  assert.equal(result.bursts[0].size, 2000);
  assert.ok((result.totals.rate ?? 0) > 0);
  const report = await lab.stop();
  assert.equal(report.upgraded, 2000);
  // Those in flight, and those that the target has not yet seen leave.
  assert.ok(report.accepted === 2000 && report.openMax >= 2, JSON.stringify(report));
});

test('-q is quiet; without it progress comes as plain lines when nobody watches', async (t) => {
  const lab = await labFor(t, 'healthy', { host: '127.0.0.6' });
  const burst = ['burst', lab.url, '-c', '10', ...PLAIN];
  assert.equal((await wstampede([...burst, '-q'])).stderr, '');
  assert.equal((await wstampede([...burst, '--no-progress'])).stderr, '');
  const ran = await wstampede(burst);
  assert.match(ran.stderr, /^burst \(10\) 10 × 101$/m);
  assert.doesNotMatch(ran.stderr + ran.stdout, ESCAPE);
});

test('colours on a terminal only, and not where NO_COLOR or --no-color says so; no bars in CI', async (t) => {
  const hasScript = spawnSync('script', ['--version'], { stdio: 'ignore' }).status === 0;
  if (!needs(t, hasScript, 'script: apt-get install bsdutils')) return;
  const lab = await labFor(t, 'healthy', { host: '127.0.0.7' });
  const onTerminal = (flags: string, env: Record<string, string> = {}) => {
    const command = `'${process.execPath}' '${CLI}' burst ${lab.url} -c 5 ${PLAIN.join(' ')} ${flags}`;
    const ran = spawnSync('script', ['-qec', command, '/dev/null'], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, TERM: 'xterm-256color', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return ran.stdout;
  };
  assert.match(onTerminal('2> /dev/null'), ESCAPE);
  assert.doesNotMatch(onTerminal('2> /dev/null', { NO_COLOR: '1' }), ESCAPE);
  assert.doesNotMatch(onTerminal('--no-color 2> /dev/null'), ESCAPE);
  assert.match(onTerminal('2>&1 > /dev/null', { CI: 'true' }), /^burst \(5\) 5 × 101\r?$/m);
});

test('--attempts: exact header, a row an attempt, times in order, joined with the log of the target', async (t) => {
  const log = join(FOLDER, 'log.csv');
  const file = join(FOLDER, 'attempts.csv');
  const lab = await labFor(t, 'simultaneous-504', { timeout: '200ms', service: '5ms', log, host: '127.0.0.8' });
  const burst = ['burst', lab.url, '-c', '60', '-b', '2', '--rest', '0s', '--gate', 'upgrade'];
  const result = resultOf(await wstampede([...burst, ...PLAIN, '--attempts', file, '--json']));
  await lab.stop();
  const [header, ...rows] = readFileSync(file, 'utf8').trimEnd().split('\n');
  assert.equal(header, ATTEMPTS_HEADER);
  assert.equal(rows.length, 120);
  const seen = new Map(rowsOf(readFileSync(log, 'utf8')).map((row) => [row.remote_port, row]));
  const attempts = rowsOf([header, ...rows].join('\n'));
  for (const row of attempts) {
    const { connect_us, sent_us, first_byte_us, done_us, done_lower_us } = row;
    const times = [connect_us, sent_us, first_byte_us, done_us].map(Number);
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    );
    assert.ok(Number(done_lower_us) <= Number(done_us));
    assert.ok(Number(connect_us) < 0 && Number(sent_us) >= 0, 'open before the release, sent after it');
    assert.equal(row.tls_us, '');
    const match = seen.get(row.local_port);
    assert.equal(match?.outcome, row.outcome, `local port ${row.local_port}`);
  }
  for (const { index, outcomes } of result.bursts) {
    const mine = attempts.filter(({ burst: number }) => number === `${index}`);
    assert.deepEqual(
      mine.map(({ attempt }) => Number(attempt)).sort((a, b) => a - b),
      Array.from({ length: 60 }, (_, i) => i),
    );
    for (const [id, count] of Object.entries(outcomes)) {
      assert.equal(mine.filter(({ outcome }) => outcome === id).length, count, id);
    }
    assert.deepEqual(outcomes, { 101: 40, 504: 20 });
  }
  assert.deepEqual(
    readdirSync(FOLDER).filter((name) => name.includes('attempts') && name !== 'attempts.csv'),
    [],
    'no temporary file is left',
  );
});

test('a long document arrives whole in a slow pipe', async (t) => {
  const lab = await labFor(t, 'healthy', { host: '127.0.0.9' });
  const burst = ['burst', lab.url, '-c', '2', '-b', '50', '--rest', '0s', ...PLAIN, '--json', '-q'];
  const ran = await wstampede(burst, { wrapper: (command) => ['sh', '-c', '"$@" | (sleep 2; cat)', 'sh', ...command] });
  const result = checkedResult(ran.stdout);
  assert.ok(ran.stdout.length > 65_536, 'more than a pipe holds');
  assert.deepEqual(result.totals.outcomes, { 101: 100 });
});

/** Fields of these files hold no comma unless quoted, and nothing here is. */
function rowsOf(csv: string): Record<string, string>[] {
  const [header, ...lines] = csv.trimEnd().split('\n');
  const names = header.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((value, i) => [names[i], value])));
}
