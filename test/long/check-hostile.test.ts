/**
 * A check of servers that mean harm: what they send comes out harmless, in text and in the document, and every step ends.
 * Raw sockets on this side, the program as a process of its own on the other.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { type Ran, resultOf, wstampede } from '../cli.js';
import { needsProgram } from '../needs.js';
import { onRequest, type RawServer, type ServeOptions, serve, switching } from '../unit/fire-raw.js';

/** Control characters but the line end, bidi overrides, and what is no Unicode. */
const HARMFUL = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
const ATTACK = '\x1b[2J\x1b]0;owned\x07\x9b31m\u202egnp.exe\u200b\x00\x7f';

async function served(
  t: TestContext,
  handler: (socket: net.Socket) => void,
  options: ServeOptions = {},
): Promise<RawServer> {
  const server = await serve(handler, options);
  t.after(() => server.close());
  return server;
}

interface Both {
  readonly text: Ran;
  readonly json: Ran;
}

/** The check as text and as a document; neither may hold anything that a terminal would obey. */
async function checked(url: string, args: readonly string[] = [], timeout = '5s'): Promise<Both> {
  const common = ['check', url, '-t', timeout, '-k', ...args];
  const [text, json] = await Promise.all([wstampede(common), wstampede([...common, '--json'])]);
  for (const ran of [text, json]) {
    assert.notEqual(ran.code, 1, ran.stderr);
    assert.notEqual(ran.code, null, 'it hangs');
    assert.doesNotMatch(ran.stdout, HARMFUL);
    assert.doesNotMatch(ran.stderr, HARMFUL);
    assert.ok(ran.stdout.length < 300_000, `${ran.stdout.length} characters are too many`);
  }
  resultOf(json);
  return { text, json };
}

const answering = (answer: string | Buffer) => onRequest((socket) => socket.end(answer));

test('escapes in status line, headers and body', async (t) => {
  const bytes = Buffer.from(
    `HTTP/1.1 403 No ${ATTACK}\r\nServer: evil ${ATTACK}\r\nX-${'a'.repeat(20)}: ${ATTACK}\r\n\r\n<b>${ATTACK}</b>\r${ATTACK}\n${ATTACK}`,
    'utf8',
  );
  const { url } = await served(t, answering(bytes));
  const { json, text } = await checked(url, ['--no-probes']);
  assert.equal(resultOf(json).check?.outcome, '403');
  assert.match(text.stdout, /\\x1b\[2J/);
});

test('invalid UTF-8, NUL bytes and lone surrogates', async (t) => {
  const head = Buffer.from('HTTP/1.1 500 Oops\r\nServer: ');
  const junk = Buffer.from([0xff, 0xfe, 0x80, 0xed, 0xa0, 0x80, 0xc0, 0xaf, 0xf8]);
  const { url } = await served(
    t,
    answering(Buffer.concat([head, junk, Buffer.from('\r\n\r\n'), junk, Buffer.alloc(40), junk])),
  );
  const { json } = await checked(url, ['--no-probes']);
  assert.equal(resultOf(json).check?.outcome, '500');
});

test('a line of 1 MiB in head and body', async (t) => {
  const long = 'x'.repeat(2 ** 20);
  const heads = await served(t, answering(`HTTP/1.1 200 OK\r\nServer: ${long}\r\n\r\n`));
  assert.equal(resultOf((await checked(heads.url, ['--no-probes'])).json).check?.outcome, 'malformed');
  const bodies = await served(
    t,
    answering(`HTTP/1.1 200 ${'y'.repeat(30_000)}\r\nServer: ${'z'.repeat(30_000)}\r\n\r\n${long}`),
  );
  const { check } = resultOf((await checked(bodies.url, ['--no-probes'])).json);
  assert.equal(check?.outcome, '200');
  assert.ok((check?.answer?.body ?? '').length <= 1100);
  assert.ok(JSON.stringify(check).length < 20_000);
});

test('thousands of headers', async (t) => {
  const many = Array.from({ length: 4000 }, (_, i) => `X-${i}: ${i}`).join('\r\n');
  const { url } = await served(t, answering(`HTTP/1.1 418 Teapot\r\n${many}\r\n\r\n`));
  const { check } = resultOf((await checked(url, ['--no-probes'])).json);
  assert.equal(check?.outcome, '418');
  assert.ok((check?.answer?.headers.length ?? 0) <= 40);
});

test('a drip, endless interim answers and a head that never ends keep to the deadline', async (t) => {
  const dripping = onRequest((socket) => {
    const timer = setInterval(() => socket.write('H'), 50);
    socket.on('close', () => clearInterval(timer));
  });
  const interim = onRequest((socket) => {
    socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    const timer = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'), 20);
    socket.on('close', () => clearInterval(timer));
  });
  const flood = onRequest((socket) => {
    const pour = (): void => {
      while (
        !socket.destroyed &&
        socket.write('HTTP/1.1 100 Continue\r\nX-Pad: aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n'.repeat(500))
      );
      if (!socket.destroyed) socket.once('drain', pour);
    };
    pour();
  });
  for (const [handler, outcome] of [
    [dripping, 'malformed'],
    [interim, 'timeout-upgrade'],
    [flood, 'malformed'],
  ] as const) {
    const { url } = await served(t, handler);
    const { json } = await checked(url, [], '1s');
    assert.equal(resultOf(json).check?.outcome, outcome);
  }
});

test('floods of frames after the 101, pongs nobody asked for, and a ping that stays without one', async (t) => {
  const frame = (opcode: number, body: Buffer): Buffer =>
    Buffer.concat([Buffer.from([0x80 | opcode, body.length]), body]);
  const flooding = onRequest((socket, request) => {
    socket.write(switching(request));
    const pour = (): void => {
      while (
        !socket.destroyed &&
        socket.write(Buffer.concat(Array.from({ length: 1000 }, () => frame(10, Buffer.alloc(100)))))
      );
      if (!socket.destroyed) socket.once('drain', pour);
    };
    pour();
  });
  const { url } = await served(t, flooding);
  const flooded = resultOf((await checked(url, ['--no-probes'], '1s')).json);
  assert.equal(flooded.check?.outcome, '101');
  assert.equal(flooded.check?.ping?.ok, false);
  assert.equal(flooded.exitCode, 3);

  const mute = await served(
    t,
    onRequest((socket, request) => socket.write(switching(request))),
  );
  const { check } = resultOf((await checked(mute.url, ['--no-probes'], '1s')).json);
  assert.deepEqual([check?.ping?.found, check?.close?.found], ['no pong', 'no answer to the close frame']);

  const broken = await served(
    t,
    onRequest((socket, request) => socket.write(`${switching(request)}\xff\xff\xff\xff\xff`, 'latin1')),
  );
  assert.equal(resultOf((await checked(broken.url, ['--no-probes'], '1s')).json).exitCode, 3);
});

test('a certificate with escapes in its names', async (t) => {
  if (!needsProgram(t, 'openssl')) return;
  const folder = mkdtempSync(join(tmpdir(), 'wst-cert-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const made = spawnSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-utf8', '-days', '3'],
      ...['-subj', '/CN=a\x1b[31mb\u202ec/O=x\x07y', '-addext', 'subjectAltName=DNS:evil\x1b[2J.test'],
      ...['-keyout', key, '-out', cert],
    ],
    { encoding: 'utf8' },
  );
  assert.equal(made.status, 0, made.stderr);
  const { url } = await served(t, answering('HTTP/1.1 403 No\r\n\r\n'), {
    tls: { key: readFileSync(key), cert: readFileSync(cert) },
  });
  const { json, text } = await checked(url, ['--no-probes']);
  const { check } = resultOf(json);
  assert.equal(check?.outcome, '403', 'accepted by -k');
  assert.match(check?.tls?.chain[0].subject ?? '', /\\x1b/);
  assert.ok(check?.tls?.problems.some((problem) => problem.startsWith('the certificate is not for ')));
  assert.match(text.stdout, /expires in \d days?/);
});

test('secrets that the target echoes are masked, in every part of the answer', async (t) => {
  const secret = 'Tr0ub4dor-and-3';
  const echo = onRequest((socket, request) => {
    socket.end(`HTTP/1.1 403 ${secret}\r\nX-Echo: ${secret}\r\nServer: ${secret}\r\n\r\n${request}\n${secret}`);
  });
  const { url } = await served(t, echo);
  const args = ['-H', `Authorization: Bearer ${secret}`];
  const { text, json } = await checked(`${url}?token=${secret}`, args);
  for (const ran of [text, json]) assert.ok(!ran.stdout.includes(secret), ran.stdout);
});
