/** A lab target as a process, as a command, and as a server that meets the worst of clients. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { PassThrough, Writable } from 'node:stream';
import { test } from 'node:test';
import { lab } from '#dist/commands/lab.js';
import type { Host } from '#dist/host.js';
import { CATALOGUE, findTarget } from '#dist/lab/catalogue/catalogue.js';
import type { RunningLab } from '#dist/lab/server/listener.js';
import { readSettings } from '#dist/lab/server/target-options.js';
import { spawnLab } from '#dist/lab/spawn.js';
import { burst, byOutcome, count, leave, type Raw, until } from './lab-raw.js';

async function start(name: string, options: Record<string, unknown> = {}): Promise<RunningLab> {
  const target = findTarget(name);
  assert.ok(target);
  return target.start(readSettings(name, target.options, options), { note: () => {} });
}

/** Sends `bytes` and reads until the server closes TCP; the server must be first. */
async function farewell(raw: Raw, bytes: Buffer): Promise<string> {
  const at = raw.received.length;
  const ended = new Promise((resolve) => raw.socket.once('end', resolve));
  raw.socket.write(bytes);
  await ended;
  return Buffer.from(raw.received.slice(at), 'latin1').toString('hex');
}

/** Masked with zeros: the payload reads as it is. */
function masked(opcode: number, payload: string): Buffer {
  return Buffer.concat([Buffer.of(0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0), Buffer.from(payload, 'latin1')]);
}

for (const name of ['healthy', 'limit', 'simultaneous-504', 'close-kills-server']) {
  test(`${name}: answers a ping, then a close frame, and closes TCP first`, async () => {
    const target = await start(name);
    try {
      const [raw] = await burst(target.url, 1);
      const both = Buffer.concat([masked(9, 'hi'), masked(8, '\x03\xe8')]);
      assert.equal(await farewell(raw, both), '8a026869880203e8');
      await leave([raw]);
    } finally {
      await target.stop();
    }
  });
}

test('ports lie outside the ephemeral range, and one that is taken is a sentence', async () => {
  const targets = await Promise.all(Array.from({ length: 8 }, () => start('silent')));
  const ports = targets.map((target) => Number(new URL(target.url).port));
  try {
    for (const port of ports) assert.ok(port >= 20_000 && port < 32_000, `${port}`);
    await assert.rejects(start('silent', { port: ports[0] }), /cannot listen: .*EADDRINUSE/);
    await assert.rejects(start('silent', { port: 70_000 }), /at most 65535/);
    await assert.rejects(start('silent', { log: '/nowhere/at/all.csv' }), /cannot write \/nowhere/);
  } finally {
    await Promise.all(targets.map((target) => target.stop()));
  }
});

test('IPv6: the URL has its brackets', async () => {
  const target = await start('silent', { host: '::1' }).catch((error: Error) => {
    // Machines without IPv6 exist.
    assert.match(error.message, /EADDRNOTAVAIL|EAFNOSUPPORT/);
    return null;
  });
  if (target === null) return;
  assert.match(target.url, /^ws:\/\/\[::1\]:\d+\/$/);
  await target.stop();
});

/** Stop the process that they run in, or see no client at all. */
const APART = ['slow-accept', 'phantom-connections', 'nothing-listens', 'syn-dropped'];

for (const { name } of CATALOGUE.filter((target) => !APART.includes(target.name))) {
  test(`${name}: survives clients that reset, vanish, say nothing, half or too much, and requests that are none`, async () => {
    const target = await start(name);
    const port = Number(new URL(target.url).port);
    const texts = [
      '',
      'GET / HTTP/1.1\r\nHost: x\r\n',
      'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
      `GET / HTTP/1.1\r\n${'x'.repeat(70_000)}`,
      '\r\n\r\n',
    ];
    const sockets = texts.flatMap((text) =>
      ['reset', 'end', 'destroy'].map((way) => {
        const socket = connect(port, '127.0.0.1', () => {
          socket.write(text || '\r', 'latin1', () => {
            if (way === 'reset') socket.resetAndDestroy();
            else if (way === 'end') socket.end();
            else socket.destroy();
          });
        });
        socket.on('error', () => {}).resume();
        return socket;
      }),
    );
    await Promise.all(
      sockets.map((socket) => socket.closed || new Promise((resolve) => socket.once('close', resolve))),
    );
    await until(() => target.report().accepted === sockets.length);
    const raws = await burst(target.url, 3, {
      silent: 3,
      heard: () => target.report().accepted === sockets.length + 3,
    });
    assert.equal(raws.length, 3);
    await leave(raws);
    const report = await target.stop();
    assert.equal(report.accepted, sockets.length + 3);
    const named = Object.values(report.byOutcome).reduce((sum, one) => sum + one, 0);
    const unasked = (report.byOutcome.tls ?? 0) + (name === 'accept-then-fin' ? (report.byOutcome.closed ?? 0) : 0);
    assert.equal(named - unasked, report.requests);
  });
}

test('spawned: counts as in its own process, and the report comes with the stop', async () => {
  const target = await spawnLab('limit', { max: 4 });
  const raws = await burst(target.url, 10);
  assert.deepEqual(count(raws), { 101: 4, 503: 6 });
  await leave(raws);
  const report = await target.stop();
  assert.deepEqual(byOutcome(report), { 101: 4, 503: 6 });
  assert.equal(await target.stop(), report);
  await assert.rejects(spawnLab('limit', { max: 'many' }), /--max: expected a whole number/);
});

test('slow-accept: backlog + 1 clients all get their 101 from a loop that stands still', async () => {
  const spec = findTarget('slow-accept');
  assert.ok(spec);
  const settings = readSettings('slow-accept', spec.options, { backlog: 16, block: '100ms' });
  assert.equal(spec.expects(18, settings), null);
  const target = await spawnLab('slow-accept', { backlog: 16, block: '100ms' });
  const raws = await burst(target.url, 17);
  assert.deepEqual(count(raws), { ...spec.expects(17, settings) });
  await leave(raws);
  assert.deepEqual(byOutcome(await target.stop()), { 101: 17 });
});

test('no orphan: a target ends when the process that started it is killed', async () => {
  const script = `
    import { spawnLab } from '${new URL('../../../dist/lab/spawn.js', import.meta.url).href}';
    const lab = await spawnLab('silent', {});
    console.log(lab.url);
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise<string>((resolve) => parent.stdout.setEncoding('utf8').once('data', resolve));
  parent.kill('SIGKILL');
  const refused = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(Number(new URL(url.trim()).port), '127.0.0.1', () => resolve(false));
      socket.on('error', () => resolve(true)).unref();
    });
  let gone = false;
  for (let tries = 0; tries < 400 && !gone; tries += 1) {
    gone = await refused();
    if (!gone) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.ok(gone, 'still listens after its parent was killed');
});

function fakeHost(): {
  host: Host;
  out: () => string;
  err: () => string;
  signal: (name: 'SIGINT' | 'SIGTERM') => void;
} {
  let out = '';
  let err = '';
  const listeners = new Set<(signal: 'SIGINT' | 'SIGTERM') => void>();
  const sink = (add: (text: string) => void): Writable =>
    new Writable({
      write: (chunk, _encoding, done) => {
        add(String(chunk));
        done();
      },
    });
  const host: Host = {
    argv: [],
    env: {},
    cwd: '/',
    stdin: new PassThrough(),
    stdout: sink((text) => {
      out += text;
    }),
    stderr: sink((text) => {
      err += text;
    }),
    pid: 1,
    platform: 'test',
    nodeVersion: 'v20',
    onSignal: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    exit: () => {
      throw new Error('exit');
    },
    setExitCode: () => {},
  };
  return {
    host,
    out: () => out,
    err: () => err,
    signal: (name) => {
      for (const listener of listeners) listener(name);
    },
  };
}

test('command: URL alone on the first line, the story on stderr, one line of JSON at the end', async () => {
  const { host, out, err, signal } = fakeHost();
  const done = lab({ name: 'backend-refused', options: {} }, host);
  await until(() => out() !== '');
  const url = out().trim();
  assert.match(out(), /^ws:\/\/127\.0\.0\.1:\d+\/\n$/);
  const raws = await burst(url, 5);
  assert.deepEqual(count(raws), { 502: 5 });
  await leave(raws);
  signal('SIGINT');
  assert.equal(await done, 0);
  assert.match(err(), /lab backend-refused: A gateway in front of/);
  const lines = out().trimEnd().split('\n');
  assert.equal(lines.length, 2);
  const report = JSON.parse(lines[1]);
  assert.deepEqual(report, {
    target: 'backend-refused',
    accepted: 5,
    requests: 5,
    upgraded: 0,
    refused: 5,
    byOutcome: { 502: 5 },
    openMax: report.openMax,
    upgradedOpenMax: 0,
  });
});

test('command: the list names every target with what to expect, within 80 columns; a wrong name is a suggestion', async () => {
  const { host, out } = fakeHost();
  assert.equal(await lab({ list: true, options: {} }, host), 0);
  for (const { name } of CATALOGUE) assert.match(out(), new RegExp(`^${name}$`, 'm'));
  assert.match(out(), /a burst of 500: 200 x 101, 300 x 504/);
  for (const line of out().split('\n')) assert.ok(line.length <= 80, line);
  await assert.rejects(lab({ name: 'simultaneus-504', options: {} }, host), /did you mean "simultaneous-504"/);
  await assert.rejects(lab({ name: 'limit', options: { maxx: 1 } }, host), /no option --maxx \(did you mean --max\?\)/);
});
