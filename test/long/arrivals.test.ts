/**
 * Arrivals in earnest: over every transport, at a target that stands still, as seen by the target, against nginx's access
 * log, and on a machine that is kept busy.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type net from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { openKernel } from '#dist/engine/transport/epoll/open-kernel.js';
import type { Result } from '#dist/result/result.js';
import { resultOf, wstampede } from '../cli.js';
import { attemptsOf, compareWithLog } from '../gateways/agree.js';
import { startNginx } from '../gateways/gateway.js';
import { needsProgram, withoutEpoll } from '../needs.js';
import { arrivalTests } from '../unit/arrival-cases.js';
import { onRequest, serve, switching } from '../unit/fire-raw.js';

const kernel = await openKernel(`${process.platform}-${process.arch}`);
const skip = withoutEpoll(typeof kernel === 'string' ? kernel : null);

describe('over node, ws', () => arrivalTests({ kernel: null }));
describe('over node, wss', () => arrivalTests({ kernel: null, tls: {}, target: { tls: { insecure: true } } }));
describe('over epoll, ws', { skip }, () => arrivalTests({ kernel: typeof kernel === 'string' ? null : kernel }));

/** Exceeded once in a thousand by chance. */
const CRITICAL = 1.95;
const QUICK = ['--no-preflight', '--no-calibrate', '--no-progress', '--json'];

/** Kolmogorov-Smirnov: the largest distance from the distribution `cdf`, times the square root of n. */
function distance(values: readonly number[], cdf: (value: number) => number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  return Math.max(...sorted.map((x, i) => Math.max(cdf(x) - i / n, (i + 1) / n - cdf(x)))) * Math.sqrt(n);
}

/** Answers at once, except for some time after its first connection, and says when each connection came. */
async function target(t: TestContext, still?: { readonly fromMs: number; readonly toMs: number }) {
  const accepted: number[] = [];
  const waiting: (() => void)[] = [];
  let isStill = false;
  const server = await serve((socket) => {
    accepted.push(performance.timeOrigin + performance.now());
    if (accepted.length === 1 && still !== undefined) {
      setTimeout(() => {
        isStill = true;
      }, still.fromMs);
      setTimeout(() => {
        isStill = false;
        for (const answer of waiting.splice(0)) answer();
      }, still.toMs);
    }
    onRequest((one: net.Socket, request) => {
      const answer = () => one.write(switching(request));
      if (isStill) waiting.push(answer);
      else answer();
    })(socket);
  });
  t.after(() => server.close());
  return { url: server.url, accepted };
}

for (const transport of ['node', 'epoll']) {
  test(`500/s at a target that stands still for 3 s: the wait counts from the planned instants (${transport})`, async (t) => {
    if (transport === 'epoll' && skip !== false) return t.skip(skip);
    const { url, accepted } = await target(t, { fromMs: 1500, toMs: 4500 });
    const ran = await wstampede(['arrive', url, '-r', '500/s', '-d', '6s', '--transport', transport, ...QUICK]);
    const { bursts } = resultOf(ran);
    assert.deepEqual(bursts[0].outcomes, { 101: 3000 });
    assert.deepEqual([bursts[0].arrivals?.skipped, accepted.length], [0, 3000]);
    // 1,500 of 3,000 wait 1.5 s on average. Of a closed loop only those in flight would.
    const p99 = bursts[0].latencyMs.handshake?.p99 ?? 0;
    assert.ok(p99 >= 2500, `p99 is ${p99} ms`);
    assert.ok((bursts[0].latencyMs.handshake?.p75 ?? 0) >= 1000);
  });
}

test('poisson: the target sees arrivals as of independent users', async (t) => {
  const { url, accepted } = await target(t);
  const ran = await wstampede(['arrive', url, '-r', '20/s', '-d', '30s', '--spacing', 'poisson', ...QUICK]);
  const [{ arrivals }] = resultOf(ran).bursts;
  assert.equal(accepted.length, 600);
  const gaps = accepted.slice(1).map((at, i) => at - accepted[i]);
  // A start that is late by 1 ms moves a gap of 50 ms on average by as much: 2 % of the distribution.
  const blur = ((arrivals?.lateP99Ms ?? 0) / 50) * Math.sqrt(600);
  const found = distance(gaps, (gap) => 1 - Math.exp(-gap / 50));
  assert.ok(found < CRITICAL + blur, `${found}, blur ${blur}`);
  const instants = accepted.map((at) => (at - accepted[0]) / 30_000);
  assert.ok(distance(instants, (share) => share) < CRITICAL);
});

test('spread: the target sees each start somewhere in its own part of the time', async (t) => {
  const { url, accepted } = await target(t);
  const ran = await wstampede(['burst', url, '-c', '600', '--spread', '30s', ...QUICK]);
  const [{ arrivals, releasedAt }] = resultOf(ran).bursts;
  const t0 = Date.parse(releasedAt ?? '');
  assert.equal(accepted.length, 600);
  // The wall clock is corrected while a process runs; its monotonic clock is not.
  const corrected = Date.now() + 0.5 - (performance.timeOrigin + performance.now());
  const inPart = accepted.map((at, i) => (at + corrected - t0) / 50 - i);
  // `releasedAt` and the wall clock are read to the ms here.
  const blur = (((arrivals?.lateP99Ms ?? 0) + 2) / 50) * Math.sqrt(600);
  const far = distance(inPart, (share) => Math.min(1, Math.max(0, share)));
  assert.ok(far < CRITICAL + blur, `${far}, blur ${blur}, late ${JSON.stringify(arrivals)}`);
});

test('nginx: arrivals that are held, by number and by port as in its access log', async (t) => {
  if (!needsProgram(t, 'nginx')) return;
  const gateway = await startNginx();
  const folder = mkdtempSync(join(tmpdir(), 'wst-arrivals-'));
  try {
    for (const [place, url] of [gateway.url, gateway.secureUrl].entries()) {
      const csv = join(folder, `${place}.csv`);
      const args = ['arrive', `${url}arrive-${place}`, '-r', '50/s', '-d', '4s', '--hold', '1s', '--attempts', csv];
      const ran = await wstampede([...args, ...QUICK, '-t', '30s', '--ca', gateway.ca]);
      const [burst] = resultOf(ran).bursts;
      assert.equal(burst.attempted, 200);
      const attempts = attemptsOf(readFileSync(csv, 'utf8'));
      assert.equal(attempts.length, 200);
      const compared = await compareWithLog(gateway, `/arrive-${place}`, attempts, {}, {});
      assert.deepEqual(compared.faults, []);
      assert.equal(compared.lines, 200);
      assert.ok((burst.outcomes['101'] ?? 0) > 0);
    }
  } finally {
    await gateway.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Late by its own rows, ms: 99 % of the starts were no later. */
function lateOf(csv: string): number {
  const [header, ...rows] = csv.trimEnd().split('\n');
  const at = header.split(',').indexOf('late_us');
  const late = rows.map((row) => Number(row.split(',')[at]) / 1000).sort((a, b) => a - b);
  return late[Math.ceil(late.length * 0.99) - 1];
}

function isRight({ bursts: [burst], exitCode }: Result, lateMs: number): string | null {
  const p50 = burst.latencyMs.handshake?.p50 ?? 0;
  const { verdict } = burst.validity;
  // Within what the histogram rounds.
  const isOver = (least: number, share: number) => lateMs > Math.max(least, share * p50) * 1.002 + 0.002;
  if (verdict === 'valid' && isOver(2, 0.1)) return `valid, and ${lateMs} ms late (p50 ${p50} ms)`;
  if (verdict === 'suspect' && isOver(20, 0.5)) return `suspect, and ${lateMs} ms late (p50 ${p50} ms)`;
  if (verdict === 'invalid' && exitCode !== 4) return `invalid, and exit code ${exitCode}`;
  return null;
}

test('a generator that is kept busy is never valid when it is later than may be', { timeout: 600_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wst-busy-'));
  const busy: ChildProcess[] = [];
  t.after(() => {
    for (const child of busy) child.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  for (let core = 0; core < availableParallelism(); core++)
    busy.push(spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
  const { url } = await target(t);
  const verdicts: Record<string, number> = {};
  for (let run = 0; run < 20; run++) {
    const csv = join(folder, `${run}.csv`);
    const transport = run % 2 === 0 ? 'auto' : 'node';
    const args = ['arrive', url, '-r', '200/s', '-d', '1s', '--transport', transport, '--attempts', csv];
    const result = resultOf(await wstampede([...args, ...QUICK]));
    assert.equal(isRight(result, lateOf(readFileSync(csv, 'utf8'))), null);
    const { verdict } = result.bursts[0].validity;
    verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  }
  t.diagnostic(JSON.stringify(verdicts));
  assert.ok((verdicts.suspect ?? 0) + (verdicts.invalid ?? 0) > 0, 'no run was late');
});
