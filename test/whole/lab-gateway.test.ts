/**
 * `lab --gateway`: real gateways before the lab's backends. One in four rows of lab-rows.ts with one gateway or the other
 * (all of them with both in test/long), and how a gateway ends, held against the process table.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { GATEWAYS, type GatewayName } from '#dist/lab/gateway/gateway-config.js';
import type { GatewayFiles } from '#dist/lab/gateway/real-gateway.js';
import { spawnLab } from '#dist/lab/spawn.js';
import { type Running, start, until, wstampede } from '../cli.js';
import { needsProgram } from '../needs.js';
import { checkRow, filesOf, gatewayFor, ROWS } from './lab-rows.js';

const ONE_IN = 4;

describe('a real gateway', { concurrency: 2 }, () => {
  for (const [i, row] of ROWS.entries()) {
    if (i % ONE_IN !== 0) continue;
    const gateway = row.haproxy === null ? 'nginx' : row.nginx === null ? 'haproxy' : GATEWAYS[(i / ONE_IN) % 2];
    test(`${gateway}: ${row.name} ${JSON.stringify(row.options ?? {})}`, async (t) => {
      if (needsProgram(t, gateway)) await checkRow(t, gateway, row);
    });
  }
});

function childrenOf(pid: string): string[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? [] : children.split(' ');
}

/** The process ids of whoever was started with this file as its configuration. */
function runningWith({ config }: GatewayFiles): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
      return command.includes(config) && !command.includes('node');
    } catch {
      return false;
    }
  });
}

async function startCommand(gateway: GatewayName): Promise<{ running: Running; files: GatewayFiles; url: string }> {
  const running = start(['lab', '--gateway', gateway, 'healthy']);
  let said = '';
  running.child.stdout?.on('data', (text: string) => {
    said += text;
  });
  await until('two lines', () => said.split('\n').length > 2);
  const [url, files] = said.split('\n');
  return { running, url, files: JSON.parse(files) as GatewayFiles };
}

for (const gateway of GATEWAYS) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
    test(`${gateway}: gone with the lab that ends by ${signal}`, async (t) => {
      if (!needsProgram(t, gateway)) return;
      const { running, files, url } = await startCommand(gateway);
      t.after(() => rmSync(files.folder, { recursive: true, force: true }));
      assert.match(url, /^ws:\/\/127\.0\.0\.1:\d+\/$/);
      assert.equal(dirname(files.config), files.folder);
      await running.stderrHas(/a real (nginx|haproxy) by /);
      const before = runningWith(files);
      assert.ok(before.length > 0);
      running.child.kill(signal);
      const ran = await running.done;
      if (signal !== 'SIGKILL') {
        assert.equal(ran.code, 0, ran.stderr);
        assert.deepEqual(JSON.parse(ran.stdout.trimEnd().split('\n')[2]).target, 'healthy');
      }
      for (let tries = 0; runningWith(files).length > 0; tries += 1) {
        assert.ok(tries < 500, `${gateway} is still there`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
  }

  test(`${gateway}: its own end is told by its name`, async (t) => {
    if (!needsProgram(t, gateway)) return;
    const { running, files } = await startCommand(gateway);
    t.after(() => rmSync(files.folder, { recursive: true, force: true }));
    // A worker names no file, and would outlive a master that was killed.
    const pids = runningWith(files).flatMap((pid) => [pid, ...childrenOf(pid)]);
    for (const pid of pids) process.kill(Number(pid), 'SIGKILL');
    const ran = await running.done;
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, new RegExp(`${gateway} ended while it served \\(SIGKILL\\)`));
    assert.match(ran.stderr, /its words are in .*error\.log/);
  });

  test(`${gateway}: a port that is taken, and a gateway that is not installed, are sentences`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'wst-missing-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const missing = await wstampede(['lab', '--gateway', gateway, 'healthy'], {
      env: { PATH: '/nowhere', TMPDIR: folder },
    });
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, new RegExp(`${gateway} is not installed`));
    assert.match(missing.stderr, new RegExp(`install it: apt-get install ${gateway}`));
    assert.deepEqual(readdirSync(folder), [], 'what did not start leaves nothing');
    if (!needsProgram(t, gateway)) return;
    const other = await spawnLab('silent', {});
    t.after(() => other.stop());
    const taken = await wstampede(['lab', '--gateway', gateway, 'healthy', '--port', new URL(other.url).port]);
    assert.equal(taken.code, 2);
    assert.match(taken.stderr, /cannot listen: .*EADDRINUSE/);
  });
}

test('a target of which no gateway can be made names those that have one', async () => {
  for (const args of [
    ['bad-accept', '--gateway', 'nginx'],
    ['--gateway', 'haproxy', 'tls-wrong'],
  ]) {
    const ran = await wstampede(['lab', ...args]);
    assert.equal(ran.code, 2);
    assert.match(ran.stderr, /targets with --gateway: healthy, simultaneous-504, /);
  }
  const wrong = await wstampede(['lab', 'healthy', '--gateway', 'envoy']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /--gateway: expected one of nginx, haproxy, got envoy/);
  const without = await wstampede(['lab', 'healthy', '--gateway']);
  assert.match(without.stderr, /--gateway: expected one of nginx, haproxy, got nothing/);
});

test('the child of a killed lab is reaped before its report could come', async (t) => {
  if (!needsProgram(t, 'nginx')) return;
  const lab = await gatewayFor(t, 'nginx', 'healthy', {});
  process.kill(lab.pid, 'SIGKILL');
  await assert.rejects(lab.stop(), /ended without a report/);
  await until('the gateway is gone', () => {
    try {
      readFileSync(`${filesOf(lab).folder}/nginx.pid`);
      return false;
    } catch {
      return true;
    }
  });
});
