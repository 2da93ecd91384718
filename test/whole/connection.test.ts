/**
 * How attempts reach the target, through the command line: certificates and names, resumed sessions, IPv6, another address
 * than the URL's, several source addresses, names with one address and with two.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { LAB_CERTIFICATE, LAB_PRIVATE_KEY } from '#dist/lab/server/certificate.js';
import { labFor, resultOf, wstampede } from '../cli.js';
import { needs } from '../needs.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'wst-connection-'));
after(() => rmSync(FOLDER, { recursive: true, force: true }));

const PLAIN = ['--no-preflight', '--no-calibrate', '--json'];
const CA = join(FOLDER, 'lab.pem');
writeFileSync(CA, LAB_CERTIFICATE);

async function burst(url: string, ...args: string[]) {
  return resultOf(await wstampede(['burst', url, '-c', '20', ...PLAIN, ...args]));
}

test('wss: trusted by --ca, by address and by name; refused for a wrong name, and when unsigned', async (t) => {
  const { url } = await labFor(t, 'healthy', { tls: true });
  assert.deepEqual((await burst(url, '--ca', CA)).totals.outcomes, { 101: 20 });
  assert.deepEqual((await burst(url, '--ca', CA, '--servername', 'localhost')).totals.outcomes, { 101: 20 });
  assert.deepEqual((await burst(url, '-k', '--servername', 'elsewhere.test')).totals.outcomes, { 101: 20 });

  const wrongName = await burst(url, '--ca', CA, '--servername', 'elsewhere.test');
  assert.deepEqual(wrongName.totals.outcomes, { tls: 20 });
  assert.match(JSON.stringify(wrongName.totals.details.tls), /ERR_TLS_CERT_ALTNAME_INVALID/);
  assert.equal(wrongName.exitCode, 3);

  const unsigned = await burst(url);
  assert.deepEqual(unsigned.totals.outcomes, { tls: 20 });
  assert.match(JSON.stringify(unsigned.totals.details.tls), /SELF_SIGNED/);
});

test('--tls-resume: the result says how many sessions were resumed, and none are without it', async (t) => {
  const { url } = await labFor(t, 'healthy', { tls: true });
  const args = ['burst', url, '-c', '20', '--ca', CA, '--no-calibrate', '--gate', 'upgrade'];
  const resumed = resultOf(await wstampede([...args, '--tls-resume', '--json']));
  assert.equal(resumed.bursts[0].generator.tlsResumed, 20);
  assert.match(resumed.preflight?.tls ?? '', /^TLSv1\.3 /);
  const full = resultOf(await wstampede([...args, '--json']));
  assert.equal(full.bursts[0].generator.tlsResumed, 0);
  assert.match((await wstampede([...args, '--tls-resume'])).stdout, /20 sessions resumed/);
  assert.match((await wstampede(args)).stdout, /not resumed/);
});

test('a client certificate: accepted with it, a tls failure without', async (t) => {
  const hasOpenssl = spawnSync('openssl', ['version'], { stdio: 'ignore' }).status === 0;
  if (!needs(t, hasOpenssl, 'openssl: apt-get install openssl')) return;
  const [cert, key] = [join(FOLDER, 'client.pem'), join(FOLDER, 'client.key')];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=client'].concat([
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      cert,
    ]),
    { stdio: 'ignore' },
  );
  const server = createTlsServer(
    {
      cert: LAB_CERTIFICATE,
      key: LAB_PRIVATE_KEY,
      ca: readFileSync(cert, 'utf8'),
      requestCert: true,
      rejectUnauthorized: true,
      // With 1.3 the client has finished its handshake before the server looks at the certificate (RFC 8446 section 2).
      maxVersion: 'TLSv1.2',
    },
    (socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'));
    },
  );
  const port = await listen(t, server);
  const url = `wss://127.0.0.1:${port}/`;
  const known = await burst(url, '--ca', CA, '--cert', cert, '--key', key);
  assert.deepEqual(known.totals.outcomes, { 404: 20 });
  const unknown = await burst(url, '--ca', CA);
  assert.deepEqual(unknown.totals.outcomes, { tls: 20 });
});

test('an IPv6 literal, over ws and over wss', async (t) => {
  const hasV6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
  if (!needs(t, hasV6, 'IPv6 on loopback: sysctl net.ipv6.conf.lo.disable_ipv6=0')) return;
  const plain = await labFor(t, 'healthy', { host: '::1' });
  assert.match(plain.url, /^ws:\/\/\[::1\]:/);
  const csv = join(FOLDER, 'v6.csv');
  assert.deepEqual((await burst(plain.url, '--attempts', csv)).totals.outcomes, { 101: 20 });
  assert.match(readFileSync(csv, 'utf8'), /,::1,\d+,::1,101,/);
  const secure = await labFor(t, 'healthy', { host: '::1', tls: true });
  assert.deepEqual((await burst(secure.url, '--ca', CA)).totals.outcomes, { 101: 20 });
});

test('--connect-to dials there, and the request names the URL; headers in the order that was given', async (t) => {
  const heads: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (head) => {
      heads.push(String(head));
      socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    });
  });
  const port = await listen(t, server);
  const result = await burst(
    'ws://elsewhere.test/path?q=1',
    ...[
      '--connect-to',
      `127.0.0.1:${port}`,
      '--origin',
      'https://app.test',
      '--subprotocol',
      'a.v1',
      '--subprotocol',
      'b',
    ],
    ...['-H', 'X-Second: 2', '-H', 'X-First: {{ index }}'],
  );
  assert.deepEqual(result.totals.outcomes, { 404: 20 });
  const keys = heads.map((head) => /^Sec-WebSocket-Key: (\S{22}==)\r$/m.exec(head)?.[1]);
  assert.equal(new Set(keys).size, 20, 'a key of its own for every attempt');
  const numbers = heads.map((head) => /^X-First: (\d+)\r$/m.exec(head)?.[1]);
  assert.equal(new Set(numbers).size, 20);
  const version = /^User-Agent: wstampede\/\d+\.\d+\.\d+\S*$/;
  const lines = heads[0].split('\r\n');
  assert.match(lines.find((line) => line.startsWith('User-Agent')) ?? '', version);
  const order = lines.filter((line) => !line.startsWith('Sec-WebSocket-Key') && !version.test(line));
  assert.deepEqual(
    order.map((line) => line.replace(/^X-First: \d+$/, 'X-First: N')),
    [
      ...['GET /path?q=1 HTTP/1.1', 'Host: elsewhere.test', 'Upgrade: websocket', 'Connection: Upgrade'],
      ...['Sec-WebSocket-Version: 13', 'Origin: https://app.test', 'Sec-WebSocket-Protocol: a.v1, b'],
      ...['X-Second: 2', 'X-First: N', '', ''],
    ],
  );
});

test('--source-ip takes a block, and the attempts are spread evenly over it', async (t) => {
  const lab = await labFor(t, 'healthy', { host: '127.0.0.1' });
  const csv = join(FOLDER, 'sources.csv');
  const ran = await wstampede([
    ...['burst', lab.url, '-c', '210', '-w', '2', ...PLAIN, '--source-ip', '127.0.0.0/29', '--attempts', csv],
  ]);
  const result = resultOf(ran);
  assert.deepEqual(result.totals.outcomes, { 101: 210 });
  const counts = tallied(column(csv, 'local_address'));
  const sources = result.plan.target.sourceIps;
  assert.ok(sources.length >= 6);
  assert.deepEqual([...counts.keys()].sort(), [...sources].sort());
  const perSource = [...counts.values()];
  assert.ok(Math.max(...perSource) - Math.min(...perSource) <= 1, JSON.stringify([...counts]));
});

test('a name: looked up once, its addresses told', async (t) => {
  const lab = await labFor(t, 'healthy', { host: 'localhost' });
  const result = await burst(lab.url);
  assert.deepEqual(result.totals.outcomes, { 101: 20 });
  assert.equal(result.totals.latencyMs.dns?.count, 1);
  const secure = await labFor(t, 'healthy', { host: 'localhost', tls: true });
  assert.deepEqual((await burst(secure.url, '--ca', CA)).totals.outcomes, { 101: 20 });
});

test('a name with two addresses: the first one, or all of them in turn', async (t) => {
  const hosts = join(FOLDER, 'hosts');
  writeFileSync(hosts, '127.0.0.2 two.test\n127.0.0.3 two.test\n');
  const mount = `mount --bind ${hosts} /etc/hosts`;
  const may = spawnSync('unshare', ['-m', 'sh', '-c', mount], { stdio: 'ignore' }).status === 0;
  if (!needs(t, may, 'a mount namespace: run as root with util-linux installed')) return;
  const lab = await labFor(t, 'healthy', { host: '0.0.0.0' });
  const url = `ws://two.test:${new URL(lab.url).port}/`;
  const spread = async (how: string) => {
    const csv = join(FOLDER, `${how}.csv`);
    const ran = await wstampede(['burst', url, '-c', '20', ...PLAIN, '--resolve', how, '--attempts', csv], {
      wrapper: (command) => ['unshare', '-m', 'sh', '-c', `${mount} && exec "$@"`, 'sh', ...command],
    });
    assert.deepEqual(resultOf(ran).totals.outcomes, { 101: 20 });
    return Object.fromEntries(tallied(column(csv, 'remote_address')));
  };
  assert.deepEqual(await spread('all'), { '127.0.0.2': 10, '127.0.0.3': 10 });
  assert.deepEqual(await spread('first'), { '127.0.0.2': 20 });
});

/** Listens on a free port outside the range of outgoing connections, until the test is over. */
async function listen(t: TestContext, server: Server): Promise<number> {
  t.after(() => {
    server.close();
  });
  for (let tries = 0; ; tries++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    try {
      server.listen({ port, host: '127.0.0.1' });
      await once(server, 'listening');
      return port;
    } catch (error) {
      if (tries > 20) throw error;
    }
  }
}

function column(csv: string, name: string): string[] {
  const [header, ...rows] = readFileSync(csv, 'utf8').trimEnd().split('\n');
  const at = header.split(',').indexOf(name);
  return rows.map((row) => row.split(',')[at]);
}

function tallied(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
