/**
 * What real servers do after their 101, told wherever a result is read: the sentence, `sessions` of the JSON, the last columns
 * of the rows, thresholds on close codes, and the cause. Counts are the servers' own.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkedResult, wstampede } from '../cli.js';
import { startClosing } from '../closing-server.js';
import { startStack } from '../gateways/stack.js';
import { needsProgram } from '../needs.js';
import { endColumns } from '../session-rows.js';

const folder = mkdtempSync(join(tmpdir(), 'wst-after-101-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const QUICKLY = ['--no-calibrate', '--no-preflight', '--no-progress', '-t', '20s'];

/** A run with its summary, its document and the last columns of its rows. */
async function told(name: string, args: readonly string[]) {
  const [json, csv] = [join(folder, `${name}.json`), join(folder, `${name}.csv`)];
  const ran = await wstampede([...args, ...QUICKLY, '-o', json, '--attempts', csv]);
  const result = checkedResult(readFileSync(json, 'utf8'));
  assert.equal(result.exitCode, ran.code, ran.stderr);
  return { result, summary: ran.stdout.replace(/\s+/g, ' '), rows: endColumns(readFileSync(csv, 'utf8')) };
}

for (const [secure, code, reason] of [
  [false, 1008, 'policy'],
  [true, 4401, 'token expired'],
] as const) {
  const scheme = secure ? 'wss' : 'ws';
  test(`half of the clients are closed with ${code} over ${scheme}: every place says which, why and when`, async (t) => {
    const server = await startClosing({ code, reason, secure, each: 2, host: secure ? '127.0.0.142' : '127.0.0.141' });
    t.after(() => server.end());
    const thresholds = [
      'share(101) == 100%',
      'count(lost) == 0',
      `count(close:${code}) < 5`,
      `share(close:${code}) <= 50%`,
    ];
    const { result, summary, rows } = await told(scheme, [
      ...['burst', server.url, '-k', '-c', '40', '--hold', '300ms'],
      ...thresholds.flatMap((one) => ['--threshold', one]),
    ]);
    assert.deepEqual([server.accepted, server.closed], [40, 20]);
    const { outcomes, lostWhileHeld, sessions } = result.totals;
    assert.deepEqual([outcomes, lostWhileHeld], [{ 101: 40 }, 20]);
    assert.deepEqual([sessions?.ready, sessions?.notReady, sessions?.cut], [40, {}, { [code]: 20 }]);
    assert.deepEqual(sessions?.closed, { 1000: 20 });
    const end = sessions?.ends?.[code];
    assert.equal(end?.reason, reason);
    assert.deepEqual(rows.ends, { [code]: 20, closed: 20 });
    // The rows' times are those of the document, and none is before its 101.
    assert.ok(rows.endedBeforeDone === 0, 'an end before its own 101');
    assert.deepEqual(
      result.thresholds.map(({ actual, ok }) => [actual, ok]),
      [
        [1, true],
        [20, false],
        [20, false],
        [0.5, true],
      ],
    );
    assert.equal(result.exitCode, 3);
    assert.match(summary, new RegExp(`the target then ended 20 of them by close code ${code} \\("${reason}"\\)`));
    assert.match(summary, /20 stayed open until this side closed them/);
    assert.notEqual(result.diagnosis[0]?.cause, 'idle-cut');
  });
}

test('nginx ends what is silent for proxy_read_timeout: FIN after a second, and that is an idle limit', async (t) => {
  if (!needsProgram(t, 'nginx')) return;
  const stack = await startStack({
    gateway: 'nginx',
    settings: { readMs: 1000, connectMs: 5000 },
    backend: { kind: 'ws', built: 'noServer' },
  });
  t.after(() => stack.stop());
  const { result, summary, rows } = await told('nginx', [
    ...['burst', stack.url, '-c', '20', '--hold', '2s', '--threshold', 'count(close:1006) == 0'],
  ]);
  const { sessions, outcomes } = result.totals;
  assert.deepEqual([outcomes, sessions?.cut, rows.ends], [{ 101: 20 }, { fin: 20 }, { fin: 20 }]);
  // nginx's clock may be behind when it sets the timer, on a busy machine by a tenth of a second and more.
  const silentMs = sessions?.silentMs?.p50 ?? 0;
  assert.ok(silentMs > 500, `${silentMs} ms`);
  assert.deepEqual(
    result.thresholds.map(({ actual, ok }) => [actual, ok]),
    [[20, false]],
  );
  assert.match(summary, /the target then ended 20 of them by FIN without a close frame/);
  // Kept from its core for longer, the time is no configured one any more, and nothing else tells.
  if (silentMs > 990 && silentMs < 1100) assert.equal(result.diagnosis[0]?.cause, 'idle-cut');
});
