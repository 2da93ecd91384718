/**
 * Ends after the 101 in the loads that take longer: a churn over ws and wss, a search against a limit that a NATS server
 * enforces only after its 101, resumed after a stop, and a check of a tunnel that nginx ends for its silence.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { checkedResult, resultOf, start, until, wstampede } from '../cli.js';
import { startClosing } from '../closing-server.js';
import { startStack } from '../gateways/stack.js';
import { needsProgram } from '../needs.js';
import { natsServer } from '../servers/rows-programs.js';
import { endColumns } from '../session-rows.js';

const folder = mkdtempSync(join(tmpdir(), 'wst-long-101-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const QUICKLY = ['--no-calibrate', '--no-preflight', '--no-progress', '-t', '20s'];
const LIMIT = 60;

async function limited(t: TestContext, host: string) {
  const server = await natsServer({ host, port: 21_300 }, `max_connections: ${LIMIT}`);
  t.after(() => server.stop());
  return server;
}

for (const [secure, code, host] of [
  [false, 1008, '127.0.0.143'],
  [true, 4401, '127.0.0.144'],
] as const) {
  test(`a churn of which every client is closed with ${code} (${secure ? 'wss' : 'ws'})`, async (t) => {
    const server = await startClosing({ code, reason: 'no', secure, host });
    t.after(() => server.end());
    const csv = join(folder, `churn-${code}.csv`);
    const args = ['churn', server.url, '-k', '-n', '400', '-c', '10', '--close', 'clean', ...QUICKLY];
    const result = resultOf(
      await wstampede([...args, '--threshold', `count(close:${code}) == 0`, '--attempts', csv, '--json']),
    );
    const { outcomes, sessions, lostWhileHeld } = result.totals;
    assert.deepEqual([outcomes, sessions?.cut], [{ 101: 400 }, { [code]: server.closed }]);
    assert.deepEqual([lostWhileHeld, server.closed], [400, 400]);
    assert.deepEqual(endColumns(readFileSync(csv, 'utf8')).ends, { [code]: 400 });
    assert.deepEqual([result.thresholds[0]?.ok, result.exitCode], [false, 3]);
    assert.equal(result.diagnosis[0]?.cause, 'rejected-after-accept');
  });
}

test('NATS: so many stay open of every size, by the server too; a limit after the 101, and no contradiction', async (t) => {
  if (!needsProgram(t, 'nats-server', 'apt-get install nats-server')) return;
  const server = await limited(t, '127.0.0.145');
  const url = `ws://${server.place.host}:${server.place.port}/`;
  for (const size of [100, 200]) {
    const result = resultOf(
      await wstampede([
        'burst',
        url,
        '-c',
        `${size}`,
        '--hold',
        '1s',
        ...QUICKLY,
        '--threshold',
        'count(lost) == 0',
        '--json',
      ]),
    );
    const { outcomes, sessions } = result.totals;
    assert.deepEqual([outcomes, sessions?.cut], [{ 101: size }, { 1008: size - LIMIT }]);
    assert.match(sessions?.ends?.['1008']?.reason ?? '', /maximum connections exceeded/i);
    assert.deepEqual([result.thresholds[0]?.actual, result.exitCode], [size - LIMIT, 3]);
    const causes = result.diagnosis.map(({ cause }) => cause);
    assert.ok(causes.includes('connection-limit') && !causes.includes('idle-cut'), `${causes}`);
  }
});

test('NATS: a search finds the limit that is enforced after the 101, also when it was stopped and resumed', async (t) => {
  if (!needsProgram(t, 'nats-server', 'apt-get install nats-server')) return;
  const server = await limited(t, '127.0.0.146');
  const [json, csv] = [join(folder, 'find.json'), join(folder, 'find.csv')];
  const args = [
    ...['find', `ws://${server.place.host}:${server.place.port}/`, '--max', '400', '--preset', 'quick'],
    ...['--rest', '200ms', '--fresh-wait', '500ms', '--no-calibrate', '-t', '20s', '-o', json, '--attempts', csv],
  ];
  const first = start(args);
  await until('two bursts', () => existsSync(json) && checkedResult(readFileSync(json, 'utf8')).bursts.length >= 2);
  first.child.kill('SIGINT');
  assert.equal((await first.done).code, 130);
  const before = checkedResult(readFileSync(json, 'utf8'));
  const ran = await wstampede([...args, '--resume', json]);
  assert.equal(ran.code, 0, ran.stderr);
  const result = checkedResult(readFileSync(json, 'utf8'));
  const { dropOff, totals } = result;
  assert.equal(dropOff?.verdict, 'FOUND', dropOff?.because);
  const [low, high] = dropOff?.interval95 ?? [];
  // Its own recovery checks may still be open at the server while a burst comes: so many fewer fit.
  assert.ok((low ?? 0) <= LIMIT && (high ?? 0) >= LIMIT && (high ?? 0) <= 1.25 * LIMIT, `${low}–${high}`);
  assert.deepEqual(
    result.bursts.slice(0, before.bursts.length).map(({ releasedAt }) => releasedAt),
    before.bursts.map(({ releasedAt }) => releasedAt),
  );
  assert.deepEqual(totals.outcomes, { 101: totals.attempted }, 'every handshake had its 101');
  const { ends } = endColumns(readFileSync(csv, 'utf8'));
  assert.equal(ends['1008'], totals.sessions?.cut['1008']);
  assert.match(ran.stdout.replace(/\s+/g, ' '), /The target ended \d+ connections after their 101 by close code 1008/);
});

test('check --idle: nginx ends a silent tunnel, which is one ailment of the first line', async (t) => {
  if (!needsProgram(t, 'nginx')) return;
  const stack = await startStack({
    gateway: 'nginx',
    settings: { readMs: 2000, connectMs: 5000 },
    backend: { kind: 'ws', built: 'noServer' },
  });
  t.after(() => stack.stop());
  for (const [url, ...more] of [[stack.url], [stack.secureUrl, '-k']] as const) {
    const ran = await wstampede(['check', url, ...more, '--idle', '6s', '--no-probes']);
    assert.equal(ran.code, 3, ran.stderr);
    assert.match(ran.stdout, /^Unhealthy: a 101 after [^,]*, but the idle tunnel was cut \(closed\)\.\n/);
  }
});
