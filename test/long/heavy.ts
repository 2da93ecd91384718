/**
 * Loads at the edge of what one machine holds, with the memory of the whole process tree watched from outside: the figures
 * of a burst that is held, of a churn, and of bursts under forced garbage collection. Shared by the long tests and by the
 * endurance run, which only differ in how much.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
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
