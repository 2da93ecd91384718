/** A comparison of real bursts: two sides of one target, and a side of a target whose backend is slower, fired in turn. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { Comparison } from '#dist/compare/comparison.js';
import { labFor, wstampede } from '../cli.js';

const PER_SIDE = 5;

test('compare: a slower backend is WORSE, the same one is not; other gate, other transport, invalid: exit 4', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wst-compare-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  // One upgrade after another: 0.9 s and 3.6 s for all of a burst. On a machine that does other things too the values of one
  // side scatter by 40 %, and the difference must stay larger than that.
  const usual = await labFor(t, 'simultaneous-504', { timeout: '30s', service: '3ms', host: '127.0.0.61' });
  const slow = await labFor(t, 'simultaneous-504', { timeout: '30s', service: '12ms', host: '127.0.0.62' });
  const fire = async (side: string, i: number, url: string, flags: readonly string[] = []) => {
    mkdirSync(join(folder, side), { recursive: true });
    const common = ['-c', '300', '--no-calibrate', '-q', '-o', join(folder, side, `${i}.json`)];
    const ran = await wstampede(['burst', url, ...common, ...flags]);
    assert.equal(ran.code, 0, ran.stderr);
  };
  for (let i = 0; i < PER_SIDE; i++) {
    await fire('a', i, usual.url);
    await fire('b', i, slow.url);
    await fire('again', i, usual.url);
  }
  const compared = async (fresh: string, flags: readonly string[] = []): Promise<Comparison> => {
    const gate = ['--fail-on', 'p99(handshake) +20%', '--json'];
    const ran = await wstampede(['compare', 'a', '--with', fresh, ...gate, ...flags], { cwd: folder });
    const comparison = JSON.parse(ran.stdout) as Comparison;
    assert.equal(comparison.exitCode, ran.code);
    t.diagnostic(
      `${fresh}: ${comparison.verdict} ${JSON.stringify(comparison.metrics.map(({ metric, change, scatter }) => [metric, change, scatter]))}`,
    );
    return comparison;
  };
  assert.deepEqual([(await compared('b', ['--any-target'])).exitCode, (await compared('b')).exitCode], [3, 4]);
  const same = await compared('again');
  assert.deepEqual([same.exitCode, same.refused], [0, []]);
  assert.ok(same.metrics.every(({ of, base }) => of === 'run' && base.values.length === PER_SIDE));

  await fire('gate', 0, usual.url, ['--gate', 'upgrade']);
  assert.match((await compared('gate')).refused.join(), /fired no burst of 300 at gate upgrade/);
  await fire('node', 0, usual.url, ['--transport', 'node']);
  const transport = await compared('node');
  assert.equal(transport.exitCode, 4);
  // Where epoll is not available, both used node, and one run is too few.
  const [first] = transport.metrics;
  assert.ok(/the transport differs/.test(transport.refused.join()) || first.verdict === 'not judged');
});
