/**
 * The probes after a burst, end to end. The target of the first test has a backend that serves one upgrade after another and
 * works on for clients that are gone, so how each probe must end follows from its start alone: of a backend with W ms of work
 * before it at the release, a client that comes at t waits W - t, and gets a 504 when that is more than the gateway's T.
 */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { checkedResult, labFor, resultOf, start, sum, until, wstampede } from '../cli.js';
import { SERVICE_MS, startNginx, TIMEOUT_MS } from '../gateways/gateway.js';
import { needsProgram } from '../needs.js';

interface Served {
  readonly url: string;
  readonly requests: IncomingMessage[];
}

type Serve = (accept: () => void, socket: Duplex, index: number) => void;

/** A target on loopback that does with each upgrade what `serve` says. */
async function targetFor(t: TestContext, serve: Serve): Promise<Served> {
  const requests: IncomingMessage[] = [];
  const wss = new WebSocketServer({ noServer: true });
  const server = createServer();
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {});
    requests.push(request);
    const accept = () => socket.writable && wss.handleUpgrade(request, socket, head, () => {});
    serve(accept, socket, requests.length - 1);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
    for (const client of wss.clients) client.terminate();
  });
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, requests };
}

const T_MS = 1000;
const S_MS = 25;

/** Every request costs S, whether its client is still there or not; after T the gateway answers 504 in its place. */
function deadWork(): Serve {
  let freeAt = 0;
  return (accept, socket) => {
    const now = performance.now();
    freeAt = Math.max(freeAt, now) + S_MS;
    const waitMs = freeAt - now;
    if (waitMs <= T_MS) setTimeout(accept, waitMs);
    else
      setTimeout(() => socket.end('HTTP/1.1 504 Gateway Time-out\r\nServer: nginx\r\nContent-Length: 0\r\n\r\n'), T_MS);
  };
}

/** Other processes take the machine now and then: by so much a probe may start or be answered late. */
const TOLERANCE_MS = 300;

/** Bursts with `size` upgrades of `serviceMs` each before it, and probes that must end as the formula says. */
async function assertByFormula(url: string, size: number, serviceMs: number, afterS: number): Promise<void> {
  const plain = ['--no-calibrate', '--no-preflight', '--json'];
  const ran = await wstampede(['burst', url, '-c', String(size), '-w', '1', '--after', `${afterS}s`, ...plain]);
  const result = resultOf(ran);
  const [{ after, attempted, outcomes, makespanMs }] = result.bursts;
  assert.equal(attempted, size);
  assert.equal(sum(outcomes), size, 'probes are no attempts');
  assert.equal(result.totals.attempted, size);
  assert.equal(result.plan.afterMs, 1000 * afterS);
  assert.ok(after !== null && makespanMs !== null);
  assert.equal(after.probes.length, 2 * afterS);
  assert.equal(after.everyMs, 500);
  assert.ok(after.fromMs >= makespanMs, 'the first probe follows the last attempt');
  after.probes.forEach(({ atMs, outcome, tookMs }, place) => {
    const dueMs = after.fromMs + 500 * place;
    assert.ok(atMs >= dueMs && atMs < dueMs + TOLERANCE_MS, `probe ${place} due at ${dueMs} started at ${atMs}`);
    const waitMs = Math.max(serviceMs, (size + place + 1) * serviceMs - atMs);
    const told = `probe ${place} at ${atMs}, to wait ${waitMs}: ${outcome} in ${tookMs}`;
    if (Math.abs(waitMs - T_MS) > TOLERANCE_MS) assert.equal(outcome, waitMs > T_MS ? '504' : '101', told);
    const expectedMs = outcome === '504' ? T_MS : waitMs;
    assert.ok(Math.abs(tookMs - expectedMs) < TOLERANCE_MS, told);
  });
  const failed = after.probes.filter(({ outcome }) => outcome === '504');
  assert.ok(failed.length >= 1 && failed.length < after.probes.length, 'some failed and not all');
  assert.equal(after.lastFailedMs, failed.at(-1)?.atMs);
  assert.equal(after.samples['504']?.statusLine, 'HTTP/1.1 504 Gateway Time-out');
}

test('work for dead clients outlives the burst, and the probes see it by the formula', async (t) => {
  const { url } = await targetFor(t, deadWork());
  await assertByFormula(url, 120, S_MS, 3);
});

test('the same behind nginx', async (t) => {
  if (!needsProgram(t, 'nginx')) return;
  const gateway = await startNginx({ servesDead: true });
  t.after(() => gateway.stop());
  assert.equal(TIMEOUT_MS, T_MS);
  await assertByFormula(`${gateway.url}after`, 600, SERVICE_MS, 4);
});

test('a burst that all survived can still leave everybody behind it without service', async (t) => {
  const lab = await labFor(t, 'close-kills-server');
  const args = ['burst', lab.url, '-c', '5', '--no-preflight', '--no-calibrate', '--after', '1s'];
  const ran = await wstampede(args);
  const words = ran.stdout.replace(/\s+/g, ' ');
  assert.match(words, /All 5 simultaneous handshakes got their 101/);
  assert.match(words, /after others kept suffering for [^:]+: 2 of 2 probes failed \(502\), .* its end was not seen/);
  assert.match(words, /first 502 of a probe, after/);
  assert.match(ran.stderr, /burst \(5\) 5 × 101\nburst \(5\) probes after it: 2 × 502\n/);
  assert.equal(ran.code, 0, 'probes are not judged');
});

test('every burst and every churn has probes of its own, each with an index of its own', async (t) => {
  const { url, requests } = await targetFor(t, (accept) => accept());
  const args = ['-H', 'X-Index: {{ index }}', '--no-calibrate', '--json', '-w', '2'];
  const bursts = resultOf(
    await wstampede(['burst', url, '-c', '4', '-b', '2', '--rest', '0', '--after', '1s', ...args]),
  );
  const indices = requests.splice(0).map(({ headers }) => headers['x-index']);
  assert.equal(new Set(indices).size, indices.length, indices.join(' '));
  assert.equal(indices.length, (bursts.preflight?.attempted ?? 0) + 2 * 4 + 2 * 2);
  const churn = resultOf(await wstampede(['churn', url, '-n', '20', '-c', '4', '--after', '600ms', ...args]));
  assert.equal(requests.length, (churn.preflight?.attempted ?? 0) + 20 + 2);
  for (const { after, releasedAt } of [...bursts.bursts, ...churn.bursts]) {
    assert.deepEqual(
      after?.probes.map(({ outcome }) => outcome),
      ['101', '101'],
      String(releasedAt),
    );
    assert.equal(after?.lastFailedMs, null);
    assert.deepEqual(after?.samples, {});
  }
  assert.equal(churn.totals.attempted, 20);
});

test('Ctrl-C ends the probes at once and keeps those that there were', async (t) => {
  const SERVED = 6;
  const { url, requests } = await targetFor(t, (accept, _socket, index) => index < SERVED && accept());
  const running = start(['burst', url, '-c', '5', '--no-preflight', '--no-calibrate', '--after', '1h', '--json']);
  await until('a probe that gets no answer', () => requests.length > SERVED);
  running.child.kill('SIGINT');
  const ran = await running.done;
  assert.equal(ran.code, 130);
  const { bursts, stopped } = checkedResult(ran.stdout);
  assert.equal(stopped, 'stopped by the user');
  assert.deepEqual(bursts[0].outcomes, { 101: 5 });
  const outcomes = bursts[0].after?.probes.map(({ outcome }) => outcome) ?? [];
  assert.equal(outcomes[0], '101');
  assert.ok(outcomes.length >= 2 && outcomes.slice(1).every((outcome) => outcome === 'aborted'), outcomes.join(' '));
  assert.equal(bursts[0].after?.lastFailedMs, null, 'what was stopped did not fail');
});

test('a burst that was stopped has no probes', async (t) => {
  const { url, requests } = await targetFor(t, () => {});
  const running = start(['burst', url, '-c', '5', '--no-preflight', '--no-calibrate', '--after', '5s', '--json']);
  await until('the burst is under way', () => requests.length === 5);
  running.child.kill('SIGINT');
  const result = resultOf(await running.done);
  assert.deepEqual(result.bursts[0].outcomes, { aborted: 5 });
  assert.equal(result.bursts[0].after, null);
});
