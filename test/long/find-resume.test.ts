/** A search that is stopped, by Ctrl-C or by SIGKILL, and goes on: nothing lost, nothing under the same index twice. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import type { Result } from '#dist/result/result.js';
import type { SearchState } from '#dist/search/state.js';
import { checkedResult, labFor, resultOf, start, until, wstampede } from '../cli.js';

const folder = mkdtempSync(join(tmpdir(), 'wst-resume-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const TERMS = ['--max', '300', '--preset', 'quick', '--fresh-wait', '1s', '--rest', '200ms', '-t', '20s'];
const QUIETLY = ['--no-calibrate', '--json'];

function saved(file: string): Result {
  return checkedResult(readFileSync(file, 'utf8'));
}

function stateOf({ search }: Result): SearchState {
  assert.ok(search);
  return search.state as SearchState;
}

/** One upgrade every 10 ms for 700 ms: 70 at once, in bursts that last long enough to be caught in the middle. */
async function slowLab(t: TestContext, host: string) {
  return labFor(t, 'simultaneous-504', { timeout: '700ms', service: '10ms', host });
}

function assertWhole(before: Result, result: Result): void {
  const { history } = stateOf(result);
  assert.deepEqual(
    history.map(({ index }) => index),
    history.map((_, i) => i),
  );
  const earlier = stateOf(before).history;
  assert.deepEqual(history.slice(0, earlier.length), earlier, 'what was measured stays');
  const indexes = result.bursts.map(({ index }) => index);
  assert.equal(new Set(indexes).size, indexes.length, 'no burst twice');
  assert.deepEqual(
    result.bursts.slice(0, before.bursts.length).map(({ releasedAt }) => releasedAt),
    before.bursts.map(({ releasedAt }) => releasedAt),
  );
  assert.equal(result.startedAt, before.startedAt);
  const { dropOff } = result;
  assert.equal(dropOff?.verdict, 'FOUND', dropOff?.because);
  assert.ok((dropOff?.interval95[0] ?? 0) <= 70 && (dropOff?.interval95[1] ?? 0) >= 70, `${dropOff?.interval95}`);
}

describe('stopped and resumed', { concurrency: 3 }, () => {
  test('SIGKILL in the middle of a burst', async (t) => {
    const file = join(folder, 'killed.json');
    const lab = await slowLab(t, '127.0.0.41');
    const args = ['find', lab.url, ...TERMS, ...QUIETLY, '-o', file];
    const first = start(args);
    // The burst that is about to be fired is in the file before it is.
    await until(
      'a third burst',
      () => existsSync(file) && stateOf(saved(file)).inFlight !== null && saved(file).bursts.length >= 2,
    );
    first.child.kill('SIGKILL');
    await first.done;
    const before = saved(file);
    assert.equal(before.dropOff?.verdict, 'INTERRUPTED');
    const flying = stateOf(before).history.length;
    const result = resultOf(await wstampede([...args, '--resume', file]));
    assertWhole(before, result);
    assert.equal(stateOf(result).history[flying].verdict, 'invalid');
    assert.ok(!result.bursts.some(({ index }) => index === flying), 'its index is used up');
    assert.deepEqual(saved(file), result);
  });

  test('Ctrl-C while it goes on: 130, saved, and the same answer in the end', async (t) => {
    const file = join(folder, 'stopped.json');
    const lab = await slowLab(t, '127.0.0.42');
    const args = ['find', lab.url, ...TERMS, ...QUIETLY, '-o', file];
    const first = start(args);
    await until('three bursts', () => existsSync(file) && saved(file).bursts.length >= 3);
    first.child.kill('SIGINT');
    const stopped = await first.done;
    assert.equal(stopped.code, 130);
    const before = resultOf(stopped);
    assert.equal(before.dropOff?.verdict, 'INTERRUPTED');
    assert.deepEqual(saved(file), before);
    const result = resultOf(await wstampede([...args, '--resume', file]));
    assertWhole(before, result);
    assert.equal(result.exitCode, 0);

    const again = await wstampede([...args, '--resume', file]);
    assert.deepEqual([again.code, again.stdout], [2, '']);
    assert.match(again.stderr, /the search is over: FOUND/);
  });

  test('another target, other terms, a changed file, a result without a search: exit 2', async (t) => {
    const file = join(folder, 'other.json');
    const lab = await labFor(t, 'healthy', { host: '127.0.0.43' });
    const args = ['find', lab.url, ...TERMS, ...QUIETLY];
    const first = start([...args, '-o', file]);
    await until('a burst', () => existsSync(file) && saved(file).bursts.length >= 1);
    first.child.kill('SIGINT');
    await first.done;
    const changed = (name: string, change: (document: Record<string, never>) => void): string => {
      const document = JSON.parse(readFileSync(file, 'utf8')) as Record<string, never>;
      change(document);
      const path = join(folder, name);
      writeFileSync(path, JSON.stringify(document));
      return path;
    };
    type Open = Record<string, Record<string, Record<string, never>[] & Record<string, number>>>;
    const stateIn = (document: unknown) => (document as { search: { state: Open['x'] } }).search.state;
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['find', 'ws://127.0.0.43:9/', ...TERMS, '--resume', file], /the search was for another target/],
      [[...args, '--gate', 'upgrade', '--resume', file], /the search was for another gate/],
      [[...args, '--share', '99%', '--resume', file], /the search began under other terms/],
      [[...args, '--resume', changed('a.json', (d) => Object.assign(d, { search: null }))], /holds no search/],
      [
        [...args, '--resume', changed('b.json', (d) => Object.assign(stateIn(d).history[0], { size: 301 }))],
        /does not add up: entry 0 of its history/,
      ],
      [
        [...args, '--resume', changed('c.json', (d) => Object.assign(stateIn(d).history[0], { size: 'many' }))],
        /not a wstampede result: .*size: expected an integer/,
      ],
      [
        [...args, '--resume', changed('d.json', (d) => Object.assign(stateIn(d), { health: null }))],
        /not a wstampede result: .*health: expected an object/,
      ],
    ];
    for (const [command, message] of cases) {
      const ran = await wstampede(command);
      assert.deepEqual([ran.code, ran.stdout], [2, ''], ran.stderr);
      assert.match(ran.stderr, message);
    }
  });
});
