/**
 * Nothing is lost and nobody is wrongly blamed when things go wrong in mid-run: a worker dies, the user has seen enough,
 * the reader of stdout goes away, the target vanishes. What this machine itself refuses is in limits.test.ts.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkedResult, labFor, type Running, resultOf, start, sum, until, wstampede } from '../cli.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'wst-accounted-'));
after(() => rmSync(FOLDER, { recursive: true, force: true }));

const PLAIN = ['--no-preflight', '--no-calibrate'];
/** A stop takes a few ms; a second and a half leaves room for a machine that does other things as well. */
const SOON_MS = 1500;

interface SilentTarget {
  readonly port: number;
  /** Resolves when so many connections have sent something. */
  heard(connections: number): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Reads and never answers, save for a 101 if it `upgrades`; in this process, so that a test knows when a burst is under
 * way.
 */
async function silentTarget(t: TestContext, { upgrades = false } = {}): Promise<SilentTarget> {
  const sockets = new Set<Socket>();
  let heard = 0;
  let changed: () => void = () => {};
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', (head) => {
      if (upgrades) socket.write(switchingProtocols(String(head)));
      heard += 1;
      changed();
    });
    socket.resume();
  });
  const port = await new Promise<number>((resolve, reject) => {
    let tries = 0;
    const listen = () => server.listen({ host: '127.0.0.1', port: 20_000 + Math.floor(Math.random() * 12_000) });
    server.on('error', (error) => (++tries < 20 ? listen() : reject(error)));
    server.on('listening', () => resolve((server.address() as { port: number }).port));
    listen();
  });
  const stop = () => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  t.after(stop);
  return {
    port,
    stop,
    heard: async (connections) => {
      while (heard < connections) await new Promise<void>((resolve) => (changed = resolve));
    },
  };
}

function switchingProtocols(head: string): string {
  const key = /^Sec-WebSocket-Key: (.+)\r$/m.exec(head)?.[1] ?? '';
  // RFC 6455 section 1.3.
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
  return `${lines.join('\r\n')}\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

/** Sends `signals` 100 ms apart; how long after the first of them the program was gone. */
async function stopWith(running: Running, signals: readonly NodeJS.Signals[]): Promise<number> {
  const begun = Date.now();
  for (const [i, signal] of signals.entries()) {
    if (i > 0) await sleep(100);
    running.child.kill(signal);
  }
  await running.done;
  return Date.now() - begun;
}

for (const [kind, env] of [
  ['throw', { WST_FAULT: 'throw:1:100' }],
  ['memory', { WST_FAULT: 'memory:1:100', WST_WORKER_HEAP_MB: '64' }],
] as const) {
  test(`a worker that dies in mid-burst (${kind}): named, its share is local, the others' numbers stay`, async (t) => {
    const lab = await labFor(t, 'simultaneous-504', { host: '127.0.0.2' });
    const file = join(FOLDER, `${kind}.json`);
    const args = ['burst', lab.url, '-c', '400', '-b', '3', '-w', '2', ...PLAIN, '-o', file];
    const ran = await wstampede([...args, '--json'], { env });
    const report = await lab.stop();
    const result = resultOf(ran);
    assert.equal(ran.code, 4);
    assert.match(result.validity.reasons[0], kind === 'throw' ? /worker 1 .*on purpose/ : /worker 1 .*memory/);
    assert.equal(result.bursts.length, 1, 'the run ends with the burst in which the worker died');
    const [{ outcomes, size, validity }] = result.bursts;
    assert.equal(validity.verdict, 'invalid');
    assert.equal(size, 400);
    assert.equal(sum(outcomes), 400);
    assert.equal(outcomes['local-other'], 200);
    // Worker 0's half has been answered, as the target answers, and nothing else is said of it.
    assert.equal((outcomes['101'] ?? 0) + (outcomes['504'] ?? 0), 200);
    assert.ok((outcomes['504'] ?? 0) <= (report.byOutcome['504'] ?? 0));
    assert.ok((outcomes['101'] ?? 0) <= (report.byOutcome['101'] ?? 0));
    assert.deepEqual(checkedResult(readFileSync(file, 'utf8')), result);
    assert.doesNotMatch(ran.stderr, /\n\s+at /, 'no stack trace');
  });
}

test('the sentence about a dead worker says that nothing is said about the target', async (t) => {
  const lab = await labFor(t, 'healthy', { host: '127.0.0.3' });
  const ran = await wstampede(['churn', lab.url, '-d', '2s', '-c', '20', '-w', '2', ...PLAIN], {
    env: { WST_FAULT: 'throw:1:200' },
  });
  await lab.stop();
  assert.equal(ran.code, 4);
  const firstSentence = ran.stdout.split('\n\n')[0].replaceAll('\n', ' ');
  assert.match(firstSentence, /INVALID: worker 1 died: .*nothing about the target/);
});

test('Ctrl-C in mid-burst: exit 130, the partial result on stdout and in -o, attempts aborted', async (t) => {
  const target = await silentTarget(t);
  const file = join(FOLDER, 'stopped.json');
  const rows = join(FOLDER, 'stopped.csv');
  const url = `ws://127.0.0.1:${target.port}/`;
  const running = start(['burst', url, '-c', '50', '-b', '3', ...PLAIN, '--json', '-o', file, '--attempts', rows]);
  await target.heard(50);
  const took = await stopWith(running, ['SIGINT']);
  await target.stop();
  const ran = await running.done;
  const result = resultOf(ran);
  assert.equal(ran.code, 130);
  assert.deepEqual(
    result.bursts.map(({ outcomes }) => outcomes),
    [{ aborted: 50 }],
  );
  assert.match(result.stopped ?? '', /user/);
  assert.notEqual(result.validity.verdict, 'invalid');
  assert.deepEqual(checkedResult(readFileSync(file, 'utf8')), result);
  assert.equal(readFileSync(rows, 'utf8').match(/,aborted,/g)?.length, 50);
  assert.ok(took < SOON_MS, `gone after ${took} ms`);
});

test('timeout -s INT, which signals the process and then its group, asks once', async (t) => {
  const target = await silentTarget(t);
  const running = start(['burst', `ws://127.0.0.1:${target.port}/`, '-c', '20', ...PLAIN, '--json']);
  await target.heard(20);
  for (let i = 0; i < 3; i++) running.child.kill('SIGINT');
  const result = resultOf(await running.done);
  await target.stop();
  assert.deepEqual([result.exitCode, result.totals.outcomes], [130, { aborted: 20 }]);
});

test('Ctrl-C while the burst is being armed', async (t) => {
  const target = await silentTarget(t);
  // TLS to somebody who does not speak it: no attempt ever reaches the gate.
  const url = `wss://127.0.0.1:${target.port}/`;
  const running = start(['burst', url, '-c', '20', '--gate', 'upgrade', ...PLAIN, '--json']);
  await target.heard(20);
  const took = await stopWith(running, ['SIGINT']);
  await target.stop();
  const result = resultOf(await running.done);
  assert.equal(result.exitCode, 130);
  assert.deepEqual(result.totals.outcomes, { aborted: 20 });
  assert.ok(took < SOON_MS, `gone after ${took} ms`);
});

test('Ctrl-C during the rest: the bursts so far are the result', async (t) => {
  const lab = await labFor(t, 'healthy', { host: '127.0.0.4' });
  const file = join(FOLDER, 'rest.json');
  const running = start(['burst', lab.url, '-c', '20', '-b', '2', '--rest', '60s', ...PLAIN, '--json', '-o', file]);
  await until('the result of the first burst', () => hasContent(file));
  const took = await stopWith(running, ['SIGINT']);
  await lab.stop();
  const result = resultOf(await running.done);
  assert.equal(result.exitCode, 130);
  assert.deepEqual(result.totals.outcomes, { 101: 20 });
  assert.ok(took < SOON_MS, `gone after ${took} ms`);
});

test('Ctrl-C in the middle of churn: what has ended is counted', async (t) => {
  const lab = await labFor(t, 'healthy', { host: '127.0.0.5' });
  const running = start(['churn', lab.url, '-d', '60s', '-c', '10', ...PLAIN, '--json']);
  await running.stderrHas(/churn/);
  await sleep(300);
  const took = await stopWith(running, ['SIGINT']);
  const report = await lab.stop();
  const result = resultOf(await running.done);
  assert.equal(result.exitCode, 130);
  const { 101: upgraded = 0, aborted = 0, ...others } = result.totals.outcomes;
  assert.deepEqual(others, {});
  // An attempt that was stopped may have had its answer on the way.
  assert.ok(upgraded <= report.upgraded && report.upgraded <= upgraded + aborted, `${upgraded} ${report.upgraded}`);
  assert.ok(aborted <= 10);
  assert.ok(took < SOON_MS, `gone after ${took} ms`);
});

test('a second Ctrl-C: what was counted is told, closings are not waited for; a third: gone', async (t) => {
  const target = await silentTarget(t, { upgrades: true });
  const args = ['burst', `ws://127.0.0.1:${target.port}/`, '-c', '20', '--hold', '60s', ...PLAIN, '--json'];
  const patient = start(args);
  await target.heard(20);
  const grace = await stopWith(patient, ['SIGINT']);
  assert.deepEqual(resultOf(await patient.done).totals.outcomes, { 101: 20 });
  // The first one says goodbye, waits 2 s for the answer that never comes, and then resets.
  assert.ok(grace >= 2000, `gone after ${grace} ms`);
  const hasty = start(args);
  await target.heard(40);
  const took = await stopWith(hasty, ['SIGINT', 'SIGINT']);
  await target.stop();
  const ran = await hasty.done;
  assert.equal(ran.code, 130);
  assert.deepEqual(resultOf(ran).totals.outcomes, { 101: 20 });
  assert.ok(took < SOON_MS, `gone after ${took} ms`);
});

test('SIGTERM: as Ctrl-C, exit 143', async (t) => {
  const target = await silentTarget(t);
  const running = start(['burst', `ws://127.0.0.1:${target.port}/`, '-c', '20', ...PLAIN, '--json']);
  await target.heard(20);
  const took = await stopWith(running, ['SIGTERM']);
  await target.stop();
  const result = resultOf(await running.done);
  assert.equal(result.exitCode, 143);
  assert.deepEqual(result.totals.outcomes, { aborted: 20 });
  assert.ok(took < SOON_MS, `gone after ${took} ms`);
});

test('a target that vanishes in mid-burst is blamed, and the run is not invalid', async (t) => {
  const log = join(FOLDER, 'vanishing.csv');
  // One upgrade every 100 ms: of 50 some have had their answer when the log shows the first.
  const lab = await labFor(t, 'simultaneous-504', { host: '127.0.0.7', timeout: '60s', service: '100ms', log });
  const running = start([
    ...['burst', lab.url, '-c', '50', '-b', '2', '--rest', '0s', '-t', '20s', ...PLAIN, '--json'],
    ...['--threshold', 'share(101) == 100%'],
  ]);
  await until('a row in the log of the target', () => /,101,/.test(readFileSync(log, 'utf8')));
  process.kill(lab.pid, 'SIGKILL');
  const result = resultOf(await running.done);
  await assert.rejects(lab.stop());
  assert.equal(result.exitCode, 3);
  assert.notEqual(result.validity.verdict, 'invalid');
  const [first, second] = result.bursts;
  const { 101: upgraded = 0, reset = 0, closed = 0, ...others } = first.outcomes;
  assert.deepEqual(others, {});
  assert.ok(upgraded > 0 && reset + closed > 0, JSON.stringify(first.outcomes));
  assert.equal(first.lostWhileHeld, upgraded, 'those that were held have been lost');
  assert.deepEqual(second.outcomes, { refused: 50 });
});

test('a reader of stdout that goes away: no complaint, no stack trace, no process left', async (t) => {
  const lab = await labFor(t, 'healthy', { host: '127.0.0.8' });
  const mark = `${process.pid}-${Date.now()}`;
  const pipe = (command: readonly string[]) => ['sh', '-c', '"$@" | head -1', 'sh', ...command];
  const commands = [
    ['burst', lab.url, '-c', '20', '-q'],
    ['burst', lab.url, '-c', '20', '-b', '3', '--rest', '0s', '--json', '-q', ...PLAIN],
    ['profiles', '--schema'],
    ['lab', '--list'],
  ];
  for (const args of commands) {
    const ran = await wstampede(args, { wrapper: pipe, env: { WST_MARK: mark } });
    assert.equal(ran.stdout.split('\n').length, 2, `${args.join(' ')}: one line`);
    assert.equal(ran.stderr, '', args.join(' '));
  }
  // Closed before anything is written: the run is made all the same, and its file written.
  const file = join(FOLDER, 'unread.json');
  const running = start(['burst', lab.url, '-c', '20', '-o', file, '-q', ...PLAIN], { env: { WST_MARK: mark } });
  running.child.stdout?.destroy();
  const ran = await running.done;
  assert.equal(ran.stderr, '');
  assert.equal(ran.code, 0);
  assert.deepEqual(checkedResult(readFileSync(file, 'utf8')).totals.outcomes, { 101: 20 });
  await lab.stop();
  assert.deepEqual(marked(mark), []);
});

test('the lab, too, survives a reader that goes away, and ends by Ctrl-C', async () => {
  const running = start(['lab', 'healthy', '--host', '127.0.0.2']);
  await running.stderrHas(/lab healthy/);
  running.child.stdout?.destroy();
  const took = await stopWith(running, ['SIGINT']);
  const ran = await running.done;
  assert.equal(ran.code, 0);
  assert.doesNotMatch(ran.stderr, /EPIPE|\n\s+at /);
  assert.ok(took < SOON_MS, `gone after ${took} ms`);
});

function hasContent(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** Processes with the given mark in their environment; none where there is no /proc. */
function marked(mark: string): string[] {
  const pids = statSync('/proc/self', { throwIfNoEntry: false }) === undefined ? [] : readdirSync('/proc');
  return pids.filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`WST_MARK=${mark}`);
    } catch {
      return false;
    }
  });
}
