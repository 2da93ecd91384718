/**
 * Loads at the edge of what one machine holds, with the memory of the whole process tree watched from outside: the figures
 * of a burst that is held, of a churn, and of bursts under forced garbage collection. Shared by the long tests and by the
 * endurance run, which only differ in how much.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { openKernel } from '#dist/engine/transport/epoll/open-kernel.js';
import type { Result } from '#dist/result/result.js';
import type { Stressed } from '../bench/gc-stress.js';
import { resultOf, start, sum } from '../cli.js';
import { type Watch, watchMemory } from '../gateways/memory.js';
import { startTarget } from '../gateways/target.js';

export type Transport = 'epoll' | 'node';

export const IN_FLIGHT = 500;
/** The last quarter of a churn may hold this much more than the second. */
const GROWTH = 1.05;
const QUIET = ['--json', '--no-progress', '--no-preflight'];
/** Far beyond what any of them takes. */
const PATIENCE_MS = 600_000;

/** Why the transport can't be used here; null: it can. */
export async function troubleOf(transport: Transport): Promise<string | null> {
  if (transport === 'node') return null;
  const opened = await openKernel(`${process.platform}-${process.arch}`);
  return typeof opened === 'string' ? opened : null;
}

export interface Load {
  readonly transport: Transport;
  /** Of the target; each load has one of its own. */
  readonly host: string;
  /** Further flags. */
  readonly flags?: readonly string[];
}

export interface Held extends Load {
  readonly size: number;
  readonly gate: 'connect' | 'upgrade';
  readonly calibrate?: boolean;
}

/** Everything opened in one burst and held together. @throws AssertionError unless all were, by both sides' account */
export async function hold(held: Held): Promise<Watch> {
  const { transport, host, size, gate, calibrate, flags = [] } = held;
  const target = await startTarget(host);
  try {
    const running = start([
      ...['burst', target.url, '-c', `${size}`, '--gate', gate, '--hold', '3s', '--transport', transport, ...QUIET],
      ...(calibrate === true ? [] : ['--no-calibrate']),
      ...flags,
    ]);
    const memory = await watchMemory(running.pid, running.done);
    const result = resultOf(await running.done);
    const report = await target.report();
    assertAll(result, size);
    const [burst] = result.bursts;
    assert.equal(burst.lostWhileHeld, 0);
    assert.equal(report.peakOpen, size, 'open together, says the target');
    assert.equal(result.generators[0].transport, transport);
    return memory;
  } finally {
    await target.stop();
  }
}

function assertAll(result: Result, size: number): void {
  const [burst] = result.bursts;
  assert.ok(burst !== undefined, result.validity.reasons.join('; '));
  assert.deepEqual(burst.outcomes, { '101': size }, JSON.stringify(burst.samples));
  assert.notEqual(burst.validity.verdict, 'invalid', burst.validity.reasons.join('; '));
}

export interface Beating extends Load {
  readonly size: number;
  /** Each connection sends a ping this often, and is held this long. */
  readonly everyMs: number;
  readonly forMs: number;
}

export interface Beaten {
  /** Mean VmRSS of the tree by fifth of the hold, MiB. */
  readonly fifths: readonly number[];
  readonly peakRss: number;
  /** Of the generator itself. */
  readonly own: number;
  readonly pings: number;
}

/** Held together with a ping now and then. @throws AssertionError unless all were held, and all pings came */
export async function beat({ transport, host, size, everyMs, forMs }: Beating): Promise<Beaten> {
  const target = await startTarget(host);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'wst-beat-'));
  const profile = path.join(folder, 'beat.json');
  try {
    const session = [{ every: `${everyMs}ms`, send: { $ping: '' } }, { hold: `${forMs}ms` }];
    writeFileSync(
      profile,
      JSON.stringify({
        target: { url: target.url },
        gate: 'upgrade',
        stages: [{ burst: size }],
        session,
        close: 'reset',
      }),
    );
    const running = start(['run', profile, '--transport', transport, '-w', '2', '--no-calibrate', ...QUIET], {
      patienceMs: PATIENCE_MS + forMs,
    });
    const memory = await watchMemory(running.pid, running.done);
    const result = resultOf(await running.done);
    const report = await target.report();
    assertAll(result, size);
    const [burst] = result.bursts;
    assert.deepEqual(burst.sessions?.closed, { rst: size }, JSON.stringify(burst.sessions));
    assert.equal(report.peakOpen, size, 'open together, says the target');
    // The first beat comes at a random moment of the period, so each connection sends as many as fit, give or take one.
    const fit = forMs / everyMs;
    assert.ok(Math.abs(report.pings / size - fit) <= 1, `${report.pings} pings of ${size}, ${fit} each fit`);
    const from = Date.parse(burst.releasedAt ?? '') + (burst.makespanMs ?? 0);
    const fifths = [0, 1, 2, 3, 4].map((part) => {
      const within = memory.samples.filter(({ at }) => Math.floor(((at - from) / forMs) * 5) === part);
      return within.reduce((all, { rss }) => all + rss, 0) / within.length;
    });
    return { fifths, peakRss: memory.peakRss, own: memory.own, pings: report.pings };
  } finally {
    rmSync(folder, { recursive: true });
    await target.stop();
  }
}

/** From the second to the last fifth: the first has what the handshakes left. MiB. */
export function growthOf({ fifths }: Beaten): number {
  return fifths[4] - fifths[1];
}

export function beatText(beaten: Beaten): string {
  const all = beaten.fifths.map((mean) => mean.toFixed(1)).join(', ');
  return `RSS by fifth of the hold, MiB: ${all}; grew by ${growthOf(beaten).toFixed(1)}; peak ${beaten.own.toFixed(1)} (VmHWM); ${beaten.pings} pings`;
}

export interface Churned {
  /** Mean VmRSS of the tree by quarter of the churn, MiB. */
  readonly quarters: readonly number[];
  readonly peakRss: number;
  readonly rate: number;
}

/** Handshakes one after another. @throws AssertionError when one is missing, or the memory grows */
export async function churn({ transport, host, total }: Load & { readonly total: number }): Promise<Churned> {
  const target = await startTarget(host);
  try {
    const running = start(
      [
        ...['churn', target.url, '-n', `${total}`, '-c', `${IN_FLIGHT}`, '--transport', transport],
        ...['--no-calibrate', ...QUIET],
      ],
      { patienceMs: PATIENCE_MS },
    );
    const memory = await watchMemory(running.pid, running.done);
    const result = resultOf(await running.done);
    const report = await target.report();
    const [burst] = result.bursts;
    assert.deepEqual(burst.outcomes, { '101': total }, JSON.stringify(burst.samples));
    assert.equal(sum(burst.outcomes), total);
    assert.equal(report.handshakes, total, 'handshakes, says the target');
    assert.equal(result.generators[0].transport, transport);
    const from = Date.parse(burst.releasedAt ?? '');
    const quarter = (burst.makespanMs ?? 0) / 4;
    const quarters = [0, 1, 2, 3].map((q) => {
      const within = memory.samples.filter(({ at }) => at >= from + q * quarter && at < from + (q + 1) * quarter);
      return within.reduce((all, { rss }) => all + rss, 0) / within.length;
    });
    const grew = `grew from ${quarters[1].toFixed(1)} to ${quarters[3].toFixed(1)} MiB`;
    assert.ok(quarters[3] <= quarters[1] * GROWTH, grew);
    return { quarters, peakRss: memory.peakRss, rate: burst.rate ?? Number.NaN };
  } finally {
    await target.stop();
  }
}

/** Bursts over `epoll` while garbage is collected all the time. @throws AssertionError for a fault of whatever kind */
export async function stress(bursts: number, size: number, host: string): Promise<Stressed> {
  const target = await startTarget(host);
  const script = fileURLToPath(new URL('../bench/gc-stress.js', import.meta.url));
  const flags = ['--expose-gc', '--max-semi-space-size=1'];
  const child = spawn(process.execPath, [...flags, script, target.url, `${bursts}`, `${size}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: PATIENCE_MS,
  });
  try {
    const [said, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    assert.deepEqual([code, signal], [0, null], 'the process ended by itself');
    const stressed = JSON.parse(said) as Stressed;
    assert.equal(stressed.damaged, null, 'no byte beside a native block was written');
    assert.deepEqual(stressed.outcomes, { 101: bursts * size });
    return stressed;
  } finally {
    await target.stop();
  }
}

/** What a memory watch saw, for a person. */
export function memoryText({ own, processes, peakRss }: Watch): string {
  return `generator ${own.toFixed(1)} MiB (VmHWM), tree of ${processes}: ${peakRss.toFixed(1)} MiB (highest sum of VmRSS)`;
}

export function churnText({ quarters, peakRss, rate }: Churned): string {
  const all = quarters.map((mean) => mean.toFixed(1)).join(', ');
  return `RSS by quarter, MiB: ${all}; peak ${peakRss.toFixed(1)}; ${rate.toFixed(0)} handshakes/s`;
}

export function stressText({ bursts, calls, minor, major, seconds }: Stressed): string {
  return `${bursts} bursts, ${calls} native calls, ${minor} + ${major} forced collections, ${seconds.toFixed(1)} s`;
}
