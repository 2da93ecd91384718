/** Runs that are stopped, killed or never begin: what their files say afterwards. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Result } from '#dist/result/result.js';
import { checkedResult, labFor, start, until, wstampede } from '../cli.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'wst-stops-'));
after(() => rmSync(FOLDER, { recursive: true, force: true }));
const PLAIN = ['--no-preflight', '--no-calibrate', '--no-progress'];
const path = (name: string): string => join(FOLDER, name);
const saved = (file: string): Result => checkedResult(readFileSync(file, 'utf8'));

/** Rows of each burst. */
function rowsOf(file: string): Record<string, number> {
  const counts: Record<string, number> = {};
  if (!existsSync(file)) return counts;
  for (const line of readFileSync(file, 'utf8').trimEnd().split('\n').slice(1)) {
    const burst = line.slice(0, line.indexOf(','));
    counts[burst] = (counts[burst] ?? 0) + 1;
  }
  return counts;
}

function assertAgree(json: string, csv: string): void {
  const counted = Object.fromEntries(saved(json).bursts.map(({ index, attempted }) => [`${index}`, attempted]));
  assert.deepEqual(rowsOf(csv), counted);
}

/** A search that rests as little as it may. */
function quickFind(url: string, max: string): string[] {
  return ['find', url, '--max', max, '--preset', 'quick', '--rest', '0s', '--fresh-wait', '100ms', ...PLAIN];
}

test('SIGHUP in a hold: exit 129, files as after Ctrl-C, nothing left beside them', async (t) => {
  const lab = await labFor(t, 'healthy', { host: '127.0.0.51' });
  const [json, csv] = [path('hup.json'), path('hup.csv')];
  const args = ['burst', lab.url, '-c', '50', '--hold', '60s', ...PLAIN, '-o', json, '--attempts', csv];
  const running = start(args);
  await until('the file before the hold', () => existsSync(json));
  running.child.kill('SIGHUP');
  const ran = await running.done;
  assert.equal(ran.code, 129, ran.stderr);
  const result = saved(json);
  assert.deepEqual([result.exitCode, result.stopped, result.finished], [129, 'stopped by the user', undefined]);
  assert.deepEqual(result.totals.outcomes, { 101: 50 });
  assertAgree(json, csv);
  assert.deepEqual(
    readdirSync(FOLDER).filter((name) => name.startsWith('.')),
    [],
  );
});

for (const [name, args] of [
  ['hold', ['burst', '-c', '50', '--hold', '60s']],
  ['churn', ['churn', '-d', '60s', '-c', '5']],
] as const) {
  test(`SIGKILL in a ${name}: the file holds what ended, and says that the run has not`, async (t) => {
    const lab = await labFor(t, 'healthy', { host: '127.0.0.52' });
    const [json, csv] = [path(`${name}.json`), path(`${name}.csv`)];
    const [command, ...rest] = args;
    const running = start([command, lab.url, ...rest, ...PLAIN, '-o', json, '--attempts', csv]);
    await until('the file', () => existsSync(json));
    await sleep(100);
    running.child.kill('SIGKILL');
    await running.done;
    const result = saved(json);
    assert.deepEqual([result.finished, result.exitCode, result.validity.verdict], [false, 4, 'invalid']);
    assert.deepEqual(result.validity.reasons, ['this run has not ended']);
    assert.ok((result.totals.outcomes['101'] ?? 0) >= 50, JSON.stringify(result.totals.outcomes));
    assertAgree(json, csv);
  });
}

test('find --resume names a file that its run never finished; every file written is named, unless all is quiet', async (t) => {
  const lab = await labFor(t, 'simultaneous-504', { timeout: '700ms', service: '10ms', host: '127.0.0.57' });
  const json = path('killed-find.json');
  const terms = quickFind(lab.url, '300');
  const killed = start([...terms, '-o', json]);
  await until('a burst in the file', () => existsSync(json) && saved(json).bursts.length > 0);
  killed.child.kill('SIGKILL');
  await killed.done;
  assert.equal(saved(json).finished, false);
  const resumed = start([...terms, '-o', json, '--resume', json]);
  await until('its first burst', () => saved(json).bursts.length > 1);
  resumed.child.kill('SIGINT');
  const { stderr } = await resumed.done;
  assert.match(stderr, /--resume \S+killed-find\.json: the run that wrote this file was ended before it could finish/);
  assert.match(stderr, /^wrote \S+killed-find\.json$/m);
  assert.equal(saved(json).finished, undefined);
  const again = start([...terms, '-q', '-o', json, '--resume', json]);
  await until('its end or a burst', () => saved(json).finished === false);
  again.child.kill('SIGINT');
  assert.equal((await again.done).stderr, '', 'a run stopped by Ctrl-C has finished, and -q is silent');
});

test('what can only go wrong is refused before anything is sent: exit 2', async () => {
  const fifo = path('fifo');
  assert.equal(spawnSync('mkfifo', [fifo]).status, 0);
  const out = path('out');
  symlinkSync('/dev/stdout', out);
  const url = 'ws://127.0.0.1:9/';
  const cases: [args: readonly string[], message: RegExp][] = [
    [['run', fifo], /is a pipe or a device, expected a regular file/],
    [['burst', 'wss://127.0.0.1:9/', '--ca', fifo], /is a pipe or a device/],
    [['burst', url, '--data', '/dev/zero'], /\/dev\/zero is a pipe or a device/],
    [['find', url, '--max', '10', '--resume', fifo], /is a pipe or a device/],
    [['burst', url, '--json', '-o', '/dev/stdout'], /both would write to standard output/],
    [['burst', url, '--json', '-o', out], /--json and -o .*out: both would write to standard output/],
    [['burst', url, '--json', '--attempts', '/dev/fd/1'], /--json and --attempts \/dev\/fd\/1: both would write/],
    [['burst', url, '--attempts', path('a.json')], /expected a file that ends in \.csv/],
  ];
  for (const [args, message] of cases) {
    const ran = await wstampede([...args]);
    assert.deepEqual([ran.code, ran.stdout], [2, ''], `${args.join(' ')}: ${ran.stderr}`);
    assert.match(ran.stderr, message);
  }
  const profile = path('p.json');
  writeFileSync(profile, JSON.stringify({ target: { url }, stages: [{ burst: 1 }] }));
  const ran = await wstampede(['run', profile, '-o', profile]);
  assert.equal(ran.code, 2);
  assert.match(ran.stderr, /would overwrite the profile/);
});

test('a dry run exits with the code that it predicts', async () => {
  const dry = (size: string) =>
    wstampede(['burst', 'ws://127.0.0.1:9/', '-c', size, '--source-ip', '127.0.0.1', '--dry-run']);
  assert.equal((await dry('10')).code, 0);
  const ran = await dry('200000');
  assert.match(ran.stdout, /would end with exit code 4/);
  assert.equal(ran.code, 4);
  const publicly = ['burst', 'ws://192.0.2.7/', '-c', '10', '--dry-run'];
  const refused = await wstampede(publicly);
  assert.match(refused.stderr, /192\.0\.2\.7 is a public address.*\n.*--allow-host 192\.0\.2\.7/);
  assert.equal(refused.code, 2);
  assert.equal((await wstampede([...publicly, '--allow-host', '192.0.2.7'])).code, 0);
});
