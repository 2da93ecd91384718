/**
 * The program where the optional package koffi is not installed: it runs over the transport `node` and says so once, and
 * whoever insists on `epoll` learns why that is not to be had.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openKernel } from '#dist/engine/transport/epoll/open-kernel.js';
import { labFor, ROOT, resultOf, wstampede } from '../cli.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'wst-koffi-'));
after(() => rmSync(FOLDER, { recursive: true, force: true }));

/** A copy of what ships, beside every package but koffi. @returns its command */
function withoutKoffi(): string {
  const modules = join(ROOT, 'node_modules');
  mkdirSync(join(FOLDER, 'node_modules'));
  for (const name of readdirSync(modules)) {
    if (!/koffi/.test(name)) symlinkSync(join(modules, name), join(FOLDER, 'node_modules', name));
  }
  for (const part of ['dist', 'profiles', 'package.json'])
    cpSync(join(ROOT, part), join(FOLDER, part), { recursive: true });
  return join(FOLDER, 'dist', 'cli.js');
}

const cli = withoutKoffi();
const opened = await openKernel(`${process.platform}-${process.arch}`);
/** Where nothing goes over epoll anyway the reason is the one that holds there. */
const REASON = typeof opened === 'string' ? opened : 'the package koffi is not installed';
const PLAIN = ['--no-preflight', '--no-calibrate'];

test('without koffi a burst goes over node, with one line about it and the reason in the result', async (t) => {
  const lab = await labFor(t, 'healthy', { host: '127.0.0.11' });
  const ran = await wstampede(['burst', lab.url, '-c', '40', '--json', ...PLAIN], { cli });
  const result = resultOf(ran);
  assert.equal(ran.code, 0);
  assert.deepEqual(result.totals.outcomes, { 101: 40 });
  const [{ transport, transportNote }] = result.generators;
  assert.equal(transport, 'node');
  assert.ok(transportNote?.startsWith(`not epoll: ${REASON}`), transportNote ?? 'no note');
  const lines = ran.stderr.split('\n').filter((line) => line.includes('epoll'));
  assert.equal(lines.length, 1, ran.stderr);
  assert.ok(lines[0].includes(transportNote ?? '?'), lines[0]);
});

test('without koffi --transport epoll is refused with the reason, and nothing is sent', async (t) => {
  const lab = await labFor(t, 'healthy', { host: '127.0.0.12' });
  const ran = await wstampede(['burst', lab.url, '-c', '40', '--transport', 'epoll', ...PLAIN], { cli });
  assert.equal(ran.code, 2);
  assert.equal(ran.stdout, '');
  assert.ok(ran.stderr.includes(`--transport epoll does not work here: ${REASON}`), ran.stderr);
  assert.match(ran.stderr, /--transport auto takes the transport node/);
  assert.equal((await lab.stop()).accepted, 0);
});

test('whoever asks for node is told nothing of it', async (t) => {
  const lab = await labFor(t, 'healthy', { host: '127.0.0.13' });
  const ran = await wstampede(['burst', lab.url, '-c', '5', '--transport', 'node', '--json', ...PLAIN], { cli });
  assert.equal(resultOf(ran).generators[0].transportNote, null);
  assert.doesNotMatch(ran.stderr, /epoll/);
});
