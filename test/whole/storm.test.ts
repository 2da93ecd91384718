/** Storms through the whole program: the numbers are the server's own. Windows are short, so that the watch is. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { readResult } from '#dist/result/document.js';
import type { Storm } from '#dist/result/storm.js';
import { resultOf, start, wstampede } from '../cli.js';
import { stormServer } from '../storm-server.js';

/** Waits that a short window has room for; five attempts at most. */
const QUICK = 'name: quick\nwaits: [50ms, 100ms..200ms]\nattempts: 30\ntimeout: 5s\nstop: [4001]\nnow: [4002]';

function profile(t: TestContext, storm: string, policy = QUICK, more = ''): string {
  const folder = mkdtempSync(join(tmpdir(), 'wst-storm-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'storm.yaml');
  const reconnect = policy.split('\n').map((line) => `        ${line}`);
  writeFileSync(
    file,
    `target: { url: ws://127.0.0.1:1/ }\ncalibrate: false\n${more}stages:\n  - storm:\n      open: { over: 200ms }\n      settle: 100ms\n${storm
      .split('\n')
      .map((line) => `      ${line}`)
      .join('\n')}\n      reconnect:\n${reconnect.join('\n')}\n`,
  );
  return file;
}

const sum = (counts: Readonly<Record<string, number>> | readonly number[]): number =>
  Object.values(counts).reduce((all, count) => all + count, 0);

function stormOf(result: { readonly storm: readonly Storm[] | null }): Storm {
  const [storm] = result.storm ?? [];
  assert.ok(storm !== undefined);
  assert.equal(sum(storm.perSecond.attempts), sum(storm.attempts));
  assert.equal(sum(storm.per100ms.attempts), sum(storm.attempts));
  assert.equal(sum(storm.perSecond.opens), storm.attempts['101'] ?? 0);
  return storm;
}

for (const transport of ['epoll']) {
  test(`a deploy by --drop-by: every connection, drop and attempt as the server counts them (${transport})`, async (t) => {
    const server = await stormServer({ awayMs: 400 });
    t.after(() => server.close());
    const file = profile(t, 'clients: 60\ndrop: server\nwindow: 1200ms');
    const command = `${process.execPath} -e "fetch('${server.dropUrl}')"`;
    const args = ['run', file, '-u', server.url, '--no-preflight', '--transport', transport, '-w', '2', '--json'];
    const result = resultOf(
      await wstampede([
        ...args,
        '--drop-by',
        command,
        '--threshold',
        'share(back) == 100%',
        '--threshold',
        'p95(back) < 1h',
      ]),
    );
    const storm = stormOf(result);
    assert.deepEqual([storm.clients, storm.fleet, storm.dropped], [60, 60, server.dropped]);
    assert.deepEqual(storm.never, { gaveUp: 0, stopped: 0, stillTrying: 0 });
    assert.equal(result.bursts[0].attempted + (storm.attempts['101'] ?? 0), server.opened);
    assert.ok((storm.attempts.refused ?? 0) >= 60, 'the server was away: each client was refused at least once');
    assert.deepEqual([result.bursts[0].kind, result.totals.outcomes], ['arrive', { 101: 60 }]);
    assert.equal(sum(storm.ends), 60);
    // Nobody can be back before the server is, and t0 is the start of the command.
    assert.ok(storm.t50Ms !== null && storm.t100Ms !== null && storm.t50Ms >= 350 && storm.t100Ms >= storm.t50Ms);
    assert.ok((storm.backMs?.max ?? 0) <= storm.t100Ms + 1);
    assert.ok((storm.attemptsPerClient?.mean ?? 0) >= 2);
    assert.deepEqual(
      result.thresholds.map(({ ok }) => ok),
      [true, true],
    );
  });
}

test('clients that this side drops: gone for good by a code, given up, and still trying are told apart', async (t) => {
  // Of the second connection of a client, the number decides what becomes of it.
  const server = await stormServer({
    connected: (socket, number) => {
      if (number > 40) socket.close(4001);
    },
  });
  t.after(() => server.close());
  const common = ['-u', server.url, '--no-preflight', '--json', '-w', '1'];
  const stopped = resultOf(
    await wstampede(['run', profile(t, 'clients: 40\nwindow: 800ms'), ...common, '--threshold', 'count(never) == 0']),
  );
  assert.deepEqual(stormOf(stopped).never, { gaveUp: 0, stopped: 40, stillTrying: 0 });
  assert.deepEqual(
    [stormOf(stopped).ends, stopped.exitCode],
    [{ 4001: 40, closed: 40 }, stopped.validity.verdict === 'invalid' ? 4 : 3],
  );
  assert.equal(stormOf(stopped).dropsPerClient?.max, 2);
  const away = await stormServer({ awayMs: 30_000 });
  t.after(() => away.close());
  const twice = 'name: twice\nwaits: [20ms]\nattempts: 2';
  const drop = ['--drop-by', `${process.execPath} -e "fetch('${away.dropUrl}')"`];
  const file = profile(t, 'clients: 30\ndrop: server\nwindow: 60s', twice);
  const gone = stormOf(resultOf(await wstampede(['run', file, '-u', away.url, '--no-preflight', '--json', ...drop])));
  assert.deepEqual([gone.never, gone.attempts], [{ gaveUp: 30, stopped: 0, stillTrying: 0 }, { refused: 60 }]);
  assert.deepEqual([gone.t50Ms, gone.backMs], [null, null]);
});

test('no drop, and a command that fails, say nothing about the target', async (t) => {
  const server = await stormServer();
  t.after(() => server.close());
  const args = ['storm', server.url, '-c', '5', '--open', '50ms', '--settle', '0s', '--window', '300ms', '--json'];
  const none = resultOf(await wstampede([...args, '--drop', 'server']));
  assert.deepEqual([none.exitCode, stormOf(none).dropped], [4, 0]);
  assert.match(none.validity.reasons.join('\n'), /no client was dropped/);
  const failed = await wstampede([...args, '--drop-by', 'exit 3']);
  assert.match(resultOf(failed).validity.reasons[0], /the drop command ended with exit code 3/);
  assert.equal(failed.code, 4);
  const both = await wstampede([...args, '--drop', 'client', '--drop-by', 'true']);
  assert.deepEqual([both.code, both.stdout], [2, '']);
  assert.match(both.stderr, /--drop-by drops the clients on the server's side/);
});

test('a client keeps its data row over all its attempts; the index counts attempts', async (t) => {
  const server = await stormServer();
  t.after(() => server.close());
  const file = profile(t, 'clients: 20\nwindow: 800ms', QUICK, 'data: { file: rows.csv, pick: once }\n');
  writeFileSync(join(file, '..', 'rows.csv'), `token\n${Array.from({ length: 20 }, (_, i) => `t${i}`).join('\n')}\n`);
  const header = ['-H', 'X-Row: {{ row.token }}', '-H', 'X-Index: {{ index }}'];
  const result = resultOf(await wstampede(['run', file, '-u', server.url, '--no-preflight', '--json', ...header]));
  const storm = stormOf(result);
  const rows = server.requests.map((headers) => headers['x-row']);
  assert.deepEqual(rows.slice(0, 20).sort(), rows.slice(20, 40).sort());
  assert.equal(new Set(rows).size, 20);
  const indexes = server.requests.map((headers) => headers['x-index']);
  assert.equal(new Set(indexes).size, 20 + sum(storm.attempts));
});

test('Ctrl-C during the watch keeps the storm: what had come back by then, and who was still trying', async (t) => {
  const server = await stormServer({ awayMs: 60_000 });
  t.after(() => server.close());
  const file = profile(t, 'clients: 20\ndrop: server\nwindow: 60s', 'name: patient\nwaits: [100ms]\ntimeout: 5s');
  const out = join(file, '..', 'storm.json');
  const command = `${process.execPath} -e "fetch('${server.dropUrl}')"`;
  const run = start(['run', file, '-u', server.url, '--no-preflight', '--drop-by', command, '-o', out]);
  await run.stderrHas(/dropped 20\/20/);
  run.child.kill('SIGINT');
  const { code } = await run.done;
  const result = readResult(JSON.parse(readFileSync(out, 'utf8')));
  assert.deepEqual([code, result.exitCode, result.finished], [130, 130, undefined]);
  assert.deepEqual(stormOf(result).never, { gaveUp: 0, stopped: 0, stillTrying: 20 });
});
