/**
 * Limits that this generator misses even against the local test server. What a run then says is held against the numbers
 * of its own document: a target that is as slow as limit and floor together is not judged, a slower one has missed it.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Result } from '#dist/result/result.js';
import { labFor, resultOf, wstampede } from '../cli.js';

/** No generator sends and reads that many handshakes within it. */
const LIMIT_MS = 0.5;
const ASKED = ['--threshold', `p99(handshake) < ${LIMIT_MS}ms`];
const QUIET = ['--json', '--no-preflight'];

/** Whether the generator alone explains the p99 of the burst, by the numbers in the document. */
function isExplained({ calibration, latencyMs, latencyLowerMs }: Result['bursts'][number], limitMs: number): boolean {
  const floorMs = calibration?.handshakeMs?.p99 ?? 0;
  const least = latencyLowerMs?.handshake ?? latencyMs.handshake;
  assert.ok(floorMs > limitMs, `the generator alone took ${floorMs} ms`);
  assert.ok(least !== null);
  return least.p99 < limitMs + floorMs;
}

for (const [what, tls, size] of [
  ['ws', false, 500],
  ['wss', true, 100],
] as const) {
  test(`a latency that the generator alone misses is the target's miss only when it is slower than both (${what})`, async (t) => {
    const { url } = await labFor(t, 'healthy', { tls, host: '127.0.0.3' });
    for (let i = 0; i < 3; i++) {
      const result = resultOf(await wstampede(['burst', url, '-k', '-c', `${size}`, ...ASKED, ...QUIET]));
      const told = result.validity.reasons.join('\n');
      const isHidden = isExplained(result.bursts[0], LIMIT_MS);
      assert.match(told, isHidden ? /may be the generator's own/ : /is more than that explains/);
      // A busy machine may have others.
      const isInvalid = isHidden || /generator stalled/.test(told);
      assert.equal(result.validity.verdict, isInvalid ? 'invalid' : 'suspect', told);
      assert.equal(result.exitCode, isInvalid ? 4 : 3);
    }
  });
}

test('a miss that the generator does not explain is one, with the floor beside it', async (t) => {
  const { url } = await labFor(t, 'slow-concurrent', { width: 0, service: '3s', timeout: '20s', host: '127.0.0.3' });
  const { code, stdout } = await wstampede(['burst', url, '-c', '50', ...ASKED, '--no-preflight']);
  assert.equal(code, 3, stdout);
  assert.match(stdout, /✗ {2}p99\(handshake\) < 0\.5ms {2}is [\d,.]+ ms.*; this generator alone [\d,.]+ ms/);
});

test('an abort rule that the generator alone would set off does not end a run in the name of the target', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wst-floor-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { url } = await labFor(t, 'healthy', { host: '127.0.0.3' });
  const profile = join(folder, 'p.json');
  const stages = [{ burst: 300, times: 3, rest: '200ms' }];
  writeFileSync(profile, JSON.stringify({ target: { url }, stages, abort: `p99(handshake) > ${LIMIT_MS}ms` }));
  const result = resultOf(await wstampede(['run', profile, ...QUIET]));
  const explained = result.bursts.map((burst) => isExplained(burst, LIMIT_MS));
  assert.deepEqual(
    result.bursts.map(({ validity }) => validity.verdict === 'invalid'),
    explained,
  );
  const slower = explained.indexOf(false);
  assert.equal(result.bursts.length, slower < 0 ? 3 : slower + 1);
  assert.equal(result.stopped === null, slower < 0, `${result.stopped}`);
  assert.equal(result.exitCode, explained.includes(true) ? 4 : 3);
});
