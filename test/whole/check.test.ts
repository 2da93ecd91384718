/** `wstampede check` as a user runs it: what it tells, what it asks beside, how it ends. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { LAB_CERTIFICATE } from '#dist/lab/server/certificate.js';
import type { Check, CheckProbe } from '#dist/result/check-facts.js';
import type { Result } from '#dist/result/result.js';
import { checkedResult, labFor, type RunOptions, resultOf, start, until, wstampede } from '../cli.js';
import { freePorts } from '../gateways/child.js';
import { needsProgram } from '../needs.js';
import { onRequest, serve, switching } from '../unit/fire-raw.js';

async function check(args: readonly string[], options: RunOptions = {}): Promise<Result & { check: Check }> {
  const result = resultOf(await wstampede(['check', ...args, '--json'], options));
  assert.ok(result.check !== null);
  return result as Result & { check: Check };
}

function probe(result: { check: Check }, id: string): CheckProbe {
  const found = result.check.probes.find((one) => one.id === id);
  assert.ok(found !== undefined, `no probe ${id}`);
  return found;
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'wst-check-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('a healthy target: one document like every other, every step with its time', async (t) => {
  const { url } = await labFor(t, 'healthy');
  const result = await check([url]);
  assert.deepEqual([result.command, result.exitCode, result.preflight], ['check', 0, null]);
  assert.deepEqual(
    result.bursts.map(({ size, outcomes }) => [size, outcomes]),
    [[1, { 101: 1 }]],
  );
  // A machine whose hypervisor takes CPU time makes it suspect.
  assert.notEqual(result.validity.verdict, 'invalid', result.validity.reasons.join());
  assert.equal(result.totals.latencyMs.handshake?.count, 1);
  assert.deepEqual(result.diagnosis, []);
  const { tcp, dns, tls, clauses, ping, close, answer, firstByteMs, headMs } = result.check;
  assert.deepEqual([dns, tls], [null, null], 'an address over ws has neither');
  assert.deepEqual(
    tcp.map(({ address, failure, synRetries }) => [address, failure, synRetries]),
    [['127.0.0.1', null, 0]],
  );
  assert.ok((tcp[0].tookMs ?? 0) > 0 && (firstByteMs ?? 0) > 0 && (headMs ?? 0) >= (firstByteMs ?? 0));
  assert.ok(clauses.length === 7 && clauses.every(({ ok }) => ok === true));
  assert.match(answer?.statusLine ?? '', /^HTTP\/1\.1 101 /);
  assert.ok(answer?.headers.some(([name]) => name === 'Sec-WebSocket-Accept'));
  assert.deepEqual([ping?.ok, ping?.found, close?.ok, close?.found], [true, 'pong', true, 'close 1000']);
  assert.equal(probe(result, 'open-close-open').outcome, '101');
});

test('the outcome is what a burst of one gets', async (t) => {
  const cases = [
    'backend-refused',
    'reset',
    'half-head',
    'bad-accept',
    'not-http',
    'silent',
    'tls-self-signed',
    'accept-then-fin',
  ];
  for (const name of cases) {
    const { url } = await labFor(t, name);
    const alone = ['-c', '1', '--no-preflight', '--no-calibrate'];
    const [burst, checked] = await Promise.all([
      wstampede(['burst', url, '-t', '2s', '--json', ...alone]).then(resultOf),
      check([url, '-t', '2s', '--no-probes']),
    ]);
    assert.deepEqual(checked.bursts[0].outcomes, burst.bursts[0].outcomes, name);
    assert.deepEqual(checked.bursts[0].details, burst.bursts[0].details, name);
    assert.equal(checked.check.outcome, Object.keys(burst.bursts[0].outcomes)[0]);
    assert.deepEqual(checked.check.probes, []);
  }
});

test('a server that closes itself: seen by opening once more, after all else', async (t) => {
  const { url } = await labFor(t, 'close-kills-server');
  const result = await check([url, '-t', '2s']);
  assert.equal(result.exitCode, 3);
  assert.deepEqual([result.check.outcome, probe(result, 'own-origin').outcome], ['101', '101']);
  assert.equal(probe(result, 'open-close-open').outcome, '502');
  assert.equal(result.diagnosis[0]?.cause, 'server-closed-itself');
});

test('past the gateway it works: the hop between is the cause', async (t) => {
  const [{ url }, direct] = await Promise.all([labFor(t, 'upgrade-not-forwarded'), labFor(t, 'healthy')]);
  const result = await check([`${url}ws`, '-t', '2s', '--direct', direct.url]);
  assert.equal(result.exitCode, 3);
  assert.deepEqual([probe(result, 'direct').outcome, probe(result, 'direct').url], ['101', `${direct.url}ws`]);
  assert.equal(result.diagnosis[0]?.cause, 'upgrade-not-forwarded');
});

test('Origin, slash and version: what changes the answer is named', async (t) => {
  const server = await serve(
    onRequest((socket, request) => {
      const isGood = /^Origin: http:/m.test(request) && request.startsWith('GET /x/ ');
      socket.end(isGood ? switching(request) : 'HTTP/1.1 403 Forbidden\r\n\r\n');
    }),
  );
  t.after(() => server.close());
  const own = `http://${server.host}:${server.port}`;
  const both = await check([server.url, '-t', '2s', '--origin', own]);
  assert.deepEqual([both.check.outcome, probe(both, 'other-slash').outcome], ['403', '101']);
  assert.match(probe(both, 'other-slash').says, /wrong by a slash/);
  const none = await check([`${server.url}/`, '-t', '2s']);
  assert.deepEqual([none.check.outcome, probe(none, 'own-origin').outcome], ['403', '101']);
  assert.match(probe(none, 'own-origin').says, /the server checks Origin/);
  assert.ok(none.check.probes.every(({ id }) => id !== 'without-origin'));
});

/** Gives a 101, or a 403 to what `refuses` takes; listens no more once it has refused so. */
async function mortal(t: TestContext, refuses: (request: string) => boolean, others: string | null) {
  const asked: string[] = [];
  const server = await serve(
    onRequest((socket, request) => {
      asked.push(request);
      if (refuses(request)) {
        socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
        setTimeout(() => void server.close(), 100);
      } else if (others === null) socket.write(switching(request));
      else socket.end(others);
    }),
  );
  t.after(() => server.close());
  return { url: server.url, asked };
}

test('a server that dies of a probe: nothing more is asked, and it is said which one it was', async (t) => {
  const healthy = await mortal(t, (request) => /^Origin:/m.test(request), null);
  const ran = await check([healthy.url, '-t', '2s']);
  assert.deepEqual(
    ran.check.probes.map(({ id, outcome }) => [id, outcome]),
    [
      ['firefox-connection', '101'],
      ['own-origin', '403'],
      ['still-served', 'refused'],
    ],
  );
  assert.match(probe(ran, 'still-served').says, /stopped answering after the probe own-origin .*--no-probes/);
  assert.deepEqual([ran.exitCode, ran.diagnosis[0]?.cause], [3, 'backend-died']);
  assert.match(ran.diagnosis[0]?.evidence ?? '', /died during the probes/);
  assert.equal(healthy.asked.length, 3);

  const refusal = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n';
  const failing = await mortal(t, (request) => /Version: 8/.test(request), refusal);
  const text = (await wstampede(['check', `${failing.url}/ws`, '-t', '2s'])).stdout.replace(/\s+/g, ' ');
  assert.match(text, /answered 403 Forbidden; it stopped answering after the probe version-8 \(refused\)/);
  assert.equal(failing.asked.filter((request) => request.startsWith('GET /x/ws/ ')).length, 0);
});

test('probes go one at a time', async (t) => {
  let open = 0;
  let most = 0;
  const server = await serve(
    onRequest((socket) => {
      most = Math.max(most, ++open);
      setTimeout(() => {
        open--;
        socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
      }, 30);
    }),
  );
  t.after(() => server.close());
  const { check: found } = await check([`${server.url}/ws`, '-t', '2s', '--origin', 'https://app.test']);
  assert.equal(found.probes.length, 6);
  assert.equal(most, 1);
});

test('a refused Origin of its own host: browsers are refused, and the handshake asked for is healthy', async (t) => {
  const server = await serve(
    onRequest((socket, request) => {
      if (/^Origin: http:\/\/127/m.test(request)) socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
      else if (/^Origin: null/m.test(request)) socket.end();
      else {
        socket.write(switching(request));
        socket.on('data', (frame: Buffer) => {
          const body = frame.subarray(6).map((byte, i) => byte ^ frame[2 + (i % 4)]);
          socket.write(Buffer.concat([Buffer.from([frame[0] === 0x89 ? 0x8a : 0x88, body.length]), body]));
          if (frame[0] === 0x88) socket.end();
        });
      }
    }),
  );
  t.after(() => server.close());
  const without = await check([server.url, '-t', '2s']);
  assert.equal(without.exitCode, 0);
  const [finding] = without.diagnosis;
  assert.deepEqual([finding?.cause, (finding?.confidence ?? 1) <= 0.6], ['origin-refused', true]);
  const text = (await wstampede(['check', server.url, '-t', '2s'])).stdout.replace(/\s+/g, ' ');
  assert.match(
    text,
    /^Healthy: .*; but browsers are refused unless the page's Origin is allowed: try --origin https:\/\/your\.site\./,
  );
  const given = await check([server.url, '-t', '2s', '--origin', 'https://app.test']);
  assert.deepEqual([given.exitCode, given.diagnosis], [0, []]);
  assert.ok(given.check.probes.every(({ id }) => !id.endsWith('-origin')));
});

test('an idle tunnel: how long it lives and how it is cut', async (t) => {
  const LIVES_MS = 700;
  const cutter = (end: 'fin' | 'frame') =>
    serve(
      onRequest((socket, request) => {
        socket.write(switching(request));
        socket.once('data', (ping: Buffer) => {
          const mask = ping.subarray(2, 6);
          socket.write(Buffer.concat([Buffer.from([0x8a, 4]), ping.subarray(6, 10).map((byte, i) => byte ^ mask[i])]));
          setTimeout(() => (end === 'fin' ? socket.end() : socket.end(Buffer.from([0x88, 2, 3, 0xe9]))), LIVES_MS);
        });
      }),
    );
  for (const [end, cutBy] of [
    ['fin', 'closed'],
    ['frame', 'close-frame 1001'],
  ] as const) {
    const server = await cutter(end);
    t.after(() => server.close());
    const { check: found, exitCode } = await check([server.url, '--idle', '20s', '--no-probes']);
    assert.equal(exitCode, 3);
    assert.equal(found.idle?.cutBy, cutBy);
    assert.ok(
      (found.idle?.livedMs ?? 0) >= LIVES_MS - 5 && (found.idle?.livedMs ?? 0) < 15_000,
      `${found.idle?.livedMs}`,
    );
    assert.equal(found.close, null, 'there is nothing left to close');
  }
  const { url } = await labFor(t, 'healthy');
  const lives = await check([url, '--idle', '300ms', '--no-probes']);
  assert.deepEqual([lives.check.idle?.livedMs, lives.check.idle?.forMs, lives.exitCode], [null, 300, 0]);
  assert.equal(lives.check.close?.ok, true);
});

test('nothing answers: exit 5, and no probe of what can not be reached', async () => {
  const [port] = await freePorts(1);
  const refused = await check([`ws://127.0.0.1:${port}/`]);
  assert.deepEqual([refused.exitCode, refused.check.outcome, refused.check.probes], [5, 'refused', []]);
  assert.equal(refused.check.tcp[0].failure, 'refused');
  assert.equal(refused.check.request, null);
  const nameless = await check(['ws://no-such-name.invalid/', '-t', '3s', '--allow-host', 'no-such-name.invalid']);
  assert.deepEqual([nameless.exitCode, nameless.check.outcome], [5, 'dns']);
  assert.ok(nameless.check.dns?.failure);
});

test('TLS: what is wrong in words, the outcome as without -k, and -k goes through', async (t) => {
  const { url } = await labFor(t, 'tls-self-signed');
  const strict = await check([url, '-t', '3s']);
  assert.deepEqual([strict.exitCode, strict.check.outcome, strict.check.request], [3, 'tls', null]);
  assert.equal(strict.check.tls?.failure, 'DEPTH_ZERO_SELF_SIGNED_CERT');
  assert.match(strict.check.tls?.problems[0] ?? '', /signed by itself/);
  assert.match(strict.check.tls?.chain[0]?.subject ?? '', /CN=/);
  const lax = await check([url, '-k', '-t', '3s']);
  assert.deepEqual([lax.exitCode, lax.check.outcome], [0, '101']);
  assert.equal(lax.check.tls?.failure, 'DEPTH_ZERO_SELF_SIGNED_CERT', '-k accepts it, and it is still wrong');
  assert.match(lax.check.tls?.protocol ?? '', /^TLSv1\.[23]$/);

  const ca = join(folderOf(t), 'ca.pem');
  writeFileSync(ca, LAB_CERTIFICATE);
  const trusted = await check([url, '--ca', ca, '-t', '3s']);
  assert.deepEqual([trusted.exitCode, trusted.check.tls?.failure, trusted.check.tls?.problems], [0, null, []]);
  const misnamed = await check([url, '--ca', ca, '--servername', 'elsewhere.test', '-t', '3s', '--no-probes']);
  assert.equal(misnamed.check.tls?.failure, 'ERR_TLS_CERT_ALTNAME_INVALID');
  assert.match(misnamed.check.tls?.problems.join() ?? '', /not for elsewhere\.test/);

  const plain = await labFor(t, 'healthy');
  const swapped = await check([plain.url.replace('ws:', 'wss:'), '-t', '3s']);
  assert.equal(swapped.exitCode === 3 || swapped.exitCode === 5, true);
  assert.equal(probe(swapped, 'other-scheme').outcome, '101');
});

test('the line of curl works when it is pasted, secrets in their variables', async (t) => {
  if (!needsProgram(t, 'curl')) return;
  const seen: string[] = [];
  const server = await serve(
    onRequest((socket, request) => {
      seen.push(request);
      socket.end(switching(request));
    }),
  );
  t.after(() => server.close());
  const { url } = await labFor(t, 'healthy');
  for (const [target, args, env] of [
    [url, [], {}],
    [`${url}a%20b/{x}?q=[1]&r='2'`, ['-H', `X-Quote: it's "5" $HOME \`id\` \\`, '--origin', 'https://app.test'], {}],
    [`${server.url}?token=letmein99`, ['-H', 'Authorization: Bearer {{ env.WST_TOKEN }}'], { WST_TOKEN: 'abc$def"g' }],
  ] as const) {
    const { check: found } = await check([target, '-t', '3s', '--no-probes', ...args], { env });
    assert.equal(found.outcome, '101');
    assert.doesNotMatch(found.curl, /letmein99|abc\$def/);
    const shell = { ...process.env, ...env, SECRET_URL: 'letmein99' };
    // Asynchronous: one of the servers lives in this process.
    const ran = await new Promise<string>((resolve) => {
      execFile('sh', ['-c', found.curl], { env: shell }, (_error, stdout) => resolve(stdout));
    });
    assert.match(ran, /^HTTP\/1\.1 101 /, found.curl);
  }
  // The same request, but for the key and the place of a header.
  const lines = (text: string) =>
    text
      .split('\r\n')
      .filter((line) => line !== '' && !/^Sec-WebSocket-Key/.test(line))
      .sort();
  assert.deepEqual(lines(seen[1]), lines(seen[0]));
});

test('flags of the target: data, environment, connect-to, source, subprotocol', async (t) => {
  const seen: string[] = [];
  const sources: string[] = [];
  const server = await serve((socket) => {
    sources.push(socket.remoteAddress ?? '');
    onRequest((one, request) => {
      seen.push(request);
      one.end(switching(request, 'Sec-WebSocket-Protocol: chat.v1'));
    })(socket);
  });
  t.after(() => server.close());
  const rows = join(folderOf(t), 'rows.csv');
  writeFileSync(rows, 'name,secret\nfirst,rowsecret1\nsecond,rowsecret2\n');
  const args = [
    'ws://app.test:81/x?n={{ row.name }}',
    ...['--connect-to', `${server.host}:${server.port}`, '--source-ip', '127.0.0.9', '--data', rows],
    ...['-H', 'X-Key: {{ row.secret }}', '--subprotocol', 'chat.v1', '--no-probes'],
  ];
  const result = await check(args, { env: { WSTAMPEDE_TIMEOUT: '4s' } });
  assert.equal(result.check.outcome, '101');
  assert.equal(result.plan.timeoutMs, 4000);
  assert.match(seen[0], /^GET \/x\?n=first HTTP\/1\.1\r\nHost: app\.test:81\r\n/);
  assert.match(seen[0], /X-Key: rowsecret1/);
  assert.deepEqual(new Set(sources), new Set(['127.0.0.9']));
  assert.doesNotMatch(JSON.stringify(result), /rowsecret/);
  assert.match(result.check.curl, /X-Key: \$\{ROW_SECRET\}/);
  const refused = await check(args.filter((arg) => arg !== '--subprotocol' && arg !== 'chat.v1'));
  assert.equal(refused.check.outcome, 'invalid-101');
  assert.equal(refused.check.clauses.find(({ id }) => id === 'subprotocol')?.ok, false);
});

test('usage: what is wrong with a flag is told in its own name, and nothing is sent', async () => {
  for (const [args, words] of [
    [['ws://127.0.0.1:9/', '--direct', 'http://127.0.0.1:9/'], /--direct/],
    [['ws://127.0.0.1:9/', '--idle', '2'], /--idle: .*unit/],
    [['ws://127.0.0.1:9/', '--idle', '0'], /--idle/],
    [['ws://127.0.0.1:9/', '--direct', 'ws://127.0.0.1:9/{{ env.X }}'], /--direct: no templates/],
    [['ws://127.0.0.1:9/', '-c', '5'], /there is no flag -c/],
    [['ws://8.8.8.8/'], /public address/],
    [['ws://127.0.0.1:9/', '--direct', 'ws://8.8.8.8/'], /public address/],
    [['http://127.0.0.1/'], /ws:\/\//],
  ] as const) {
    const ran = await wstampede(['check', ...args]);
    assert.equal(ran.code, 2, `${args.join(' ')}: ${ran.stderr}`);
    assert.match(ran.stderr, words);
    assert.equal(ran.stdout, '');
  }
});

test('Ctrl-C ends it in an orderly way and keeps what was found', async (t) => {
  const { url } = await labFor(t, 'healthy');
  const file = join(folderOf(t), 'partial.json');
  const running = start(['check', url, '--idle', '1m', '--json', '-o', file]);
  await running.stderrHas(/probe own-origin/);
  running.child.kill('SIGINT');
  const ran = await running.done;
  assert.equal(ran.code, 130);
  const result = resultOf(ran);
  assert.deepEqual([result.check?.outcome, result.stopped], ['101', 'stopped by the user']);
  assert.equal(result.check?.close?.found, 'close 1000');
  assert.equal(checkedResult(readFileSync(file, 'utf8')).exitCode, 130);

  const silent = await labFor(t, 'silent');
  const waiting = start(['check', silent.url, '-t', '1m', '-v', '--json']);
  await waiting.stderrHas(/handshake with/);
  waiting.child.kill('SIGINT');
  const stopped = await waiting.done;
  assert.equal(stopped.code, 130);
  assert.equal(resultOf(stopped).check?.outcome, 'aborted');
});

test('after a check nothing is left open', async (t) => {
  const server = await serve(onRequest((socket, request) => socket.write(switching(request))));
  t.after(() => server.close());
  await check([server.url, '-t', '1s']);
  await until('every socket is closed', () =>
    server.sockets.every((socket) => socket.readableEnded || socket.destroyed || socket.errored !== null),
  );
  assert.ok(server.sockets.length >= 4);
});

test('help names the flags, and what --no-probes is for', () => {
  const help = spawnSync(
    process.execPath,
    [new URL('../../../dist/cli.js', import.meta.url).pathname, 'check', '--help'],
    {
      encoding: 'utf8',
    },
  ).stdout;
  for (const flag of ['--direct', '--idle', '--no-probes', '--connect-to', '--insecure', '--timeout']) {
    assert.ok(help.includes(flag), flag);
  }
});
