/** Arrivals through the whole program: the document, the rows, the words, and what is said before the start. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Result } from '#dist/result/result.js';
import { labFor, resultOf, wstampede } from '../cli.js';

const QUICK = ['--no-preflight', '--no-calibrate'];

/** On a busy machine starts may be late: then the run is invalid, and its exit code says so. */
function assertExit(result: Result, code: number | null): void {
  assert.equal(code, result.validity.verdict === 'invalid' ? 4 : 0, result.validity.reasons.join('; '));
}

test('arrive: a schedule kept by several workers, in the document and in the rows', async (t) => {
  const lab = await labFor(t, 'healthy', { host: '127.0.0.41' });
  const folder = mkdtempSync(join(tmpdir(), 'wst-arrive-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const csv = join(folder, 'rows.csv');
  const args = ['arrive', lab.url, '-r', '50/s..150/s', '-d', '1s', '-w', '2', '--hold', '200ms', '--json'];
  const ran = await wstampede([...args, ...QUICK, '--attempts', csv, '--threshold', 'rate > 10/s']);
  const result = resultOf(ran);
  assertExit(result, ran.code);
  const [burst] = result.bursts;
  assert.deepEqual(
    [burst.kind, burst.gate, burst.size, burst.attempted, burst.outcomes],
    ['arrive', 'connect', 100, 100, { 101: 100 }],
  );
  const { arrivals } = burst;
  assert.deepEqual([arrivals?.planned, arrivals?.started, arrivals?.skipped], [100, 100, 0]);
  assert.ok((arrivals?.lateP99Ms ?? -1) >= 0 && (arrivals?.lateMaxMs ?? 0) >= (arrivals?.lateP99Ms ?? 0));
  assert.equal(
    burst.perSecond?.reduce((total, count) => total + count, 0),
    100,
  );
  assert.ok((burst.rate ?? 0) > 0);
  assert.deepEqual(burst.sessions?.closed, { rst: 100 });
  const [header, ...rows] = readFileSync(csv, 'utf8').trimEnd().split('\n');
  const at = (name: string) => header.split(',').indexOf(name);
  assert.equal(rows.length, 100);
  assert.deepEqual(new Set(rows.map((row) => Number(row.split(',')[at('attempt')]))).size, 100);
  for (const row of rows) assert.match(row.split(',')[at('late_us')], /^\d+$/);
  assert.match(
    ran.stderr,
    /about 100: 28 held \(up to 150\/s × 200ms, Little's law\), and 72 in flight .*file descriptors/,
  );
  const report = await lab.stop();
  assert.equal(report.upgraded, 100);
});

test('burst --spread starts the same number over a time, in several bursts', async (t) => {
  const lab = await labFor(t, 'healthy', { host: '127.0.0.42' });
  const args = ['burst', lab.url, '-c', '40', '-b', '2', '--rest', '0s', '--spread', '400ms', '--json'];
  const ran = await wstampede([...args, ...QUICK]);
  const result = resultOf(ran);
  assertExit(result, ran.code);
  assert.deepEqual(
    result.bursts.map(({ kind, size, outcomes }) => [kind, size, outcomes['101']]),
    [
      ['arrive', 40, 40],
      ['arrive', 40, 40],
    ],
  );
  for (const { makespanMs } of result.bursts) assert.ok((makespanMs ?? 0) > 300, `took ${makespanMs} ms`);
  await lab.stop();
});

test('a profile with both, its dry run, and the summary of arrivals that were skipped', async (t) => {
  const lab = await labFor(t, 'slow-concurrent', { host: '127.0.0.43', service: '400ms', width: 1 });
  const args = ['arrive', lab.url, '-r', '100/s', '-d', '500ms', '--max-open', '5', '--spacing', 'poisson', '-t', '5s'];
  const dry = await wstampede([...args, '--dry-run']);
  assert.equal(dry.code, 0);
  assert.match(dry.stdout, /50 arrivals at 100\/s for 500ms \(poisson\), at most 5 in\s+flight/);
  assert.match(dry.stdout, /open at once {2}at most 5 in flight/);
  assert.doesNotMatch(dry.stdout, /gate/);
  const ran = await wstampede([...args, ...QUICK]);
  assert.match(ran.stdout, /arrivals {3}\d+ of 50 started, \d+ skipped: no room for more handshakes in flight/);
  assert.doesNotMatch(ran.stdout, /paced by the generator|release {4}/);
  assert.match(ran.stderr, /arrivals \(50\) .*skipped/);
  await lab.stop();
});
