/**
 * What a burst must show at each target of the lab that has a real gateway, by the oracles of such stacks, and the check of
 * one of them: the counts of the program, and those of the gateway's own log.
 */
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type { GatewayName } from '#dist/lab/gateway/gateway-config.js';
import type { GatewayFiles } from '#dist/lab/gateway/real-gateway.js';
import { type SpawnedLab, spawnLab } from '#dist/lab/spawn.js';
import { resultOf, wstampede } from '../cli.js';

type Options = Readonly<Record<string, string | number | boolean>>;
type Counts = Readonly<Record<string, number>>;

export interface Row {
  readonly name: string;
  readonly options?: Options;
  readonly size: number;
  readonly bursts?: number;
  /** What each burst must show; a pair is a range. Null: this gateway cannot. */
  readonly nginx: readonly Readonly<Record<string, number | readonly [number, number]>>[] | null;
  readonly haproxy: Row['nginx'];
}

/** T/S = 200 through a real gateway: a few more while the burst arrives, fewer where the backend is kept waiting. */
const SERIAL = [60, 230] as const;

export const ROWS: readonly Row[] = [
  { name: 'healthy', size: 100, nginx: [{ 101: 100 }], haproxy: [{ 101: 100 }] },
  { name: 'healthy', options: { tls: true }, size: 50, nginx: [{ 101: 50 }], haproxy: [{ 101: 50 }] },
  {
    name: 'simultaneous-504',
    size: 400,
    nginx: [{ 101: SERIAL, 504: [170, 340] }],
    haproxy: [{ 101: SERIAL, 504: [170, 340] }],
  },
  {
    name: 'slow-concurrent',
    // floor(950/200) = 4 steps; one fewer where a core is busy for 150 ms.
    options: { timeout: '950ms', service: '200ms' },
    size: 100,
    nginx: [{ 101: [48, 64], 504: [36, 52] }],
    haproxy: [{ 101: [48, 64], 504: [36, 52] }],
  },
  {
    name: 'negative-cache',
    options: { timeout: '400ms', service: '10ms' },
    size: 100,
    bursts: 2,
    nginx: [{ 101: [10, 55], 502: [45, 90] }, { 502: 100 }],
    haproxy: null,
  },
  { name: 'limit', size: 80, nginx: [{ 101: 50, 503: 30 }], haproxy: [{ 101: 50, 503: 30 }] },
  {
    name: 'limit',
    options: { answer: 'queue', queue: '300ms' },
    size: 80,
    nginx: null,
    haproxy: [{ 101: 50, 503: 30 }],
  },
  {
    name: 'rate-limit',
    options: { rate: 1, answer: '429' },
    size: 80,
    nginx: [{ 101: 21, 429: 59 }],
    haproxy: [{ 101: 21, 429: 59 }],
  },
  { name: 'backend-refused', size: 20, nginx: [{ 502: 20 }], haproxy: [{ 503: 20 }] },
  {
    name: 'backend-unreachable',
    options: { connect: '200ms' },
    size: 20,
    nginx: [{ 504: 20 }],
    haproxy: [{ 503: 20 }],
  },
  { name: 'backend-died', size: 20, nginx: [{ 502: 20 }], haproxy: [{ 502: 20 }] },
  { name: 'backend-hangs', options: { timeout: '400ms' }, size: 20, nginx: [{ 504: 20 }], haproxy: [{ 504: 20 }] },
  ...[
    { server: 'port', nginx: 502, haproxy: 503 },
    { server: 'express', nginx: 404, haproxy: 404 },
    { server: 'bare', nginx: 504, haproxy: 504 },
    { server: 'noserver', nginx: 503, haproxy: 503 },
  ].map(
    ({ server, nginx, haproxy }): Row => ({
      name: 'close-kills-server',
      options: { server, timeout: server === 'bare' ? '600ms' : '10s' },
      size: 20,
      bursts: 2,
      nginx: [{ 101: 20 }, { [nginx]: 20 }],
      haproxy: [{ 101: 20 }, { [haproxy]: 20 }],
    }),
  ),
  ...['426', '404', '200', '504'].map(
    (answer): Row => ({
      name: 'upgrade-not-forwarded',
      options: { answer, timeout: answer === '504' ? '400ms' : '10s' },
      size: 20,
      nginx: [{ [answer]: 20 }],
      haproxy: [{ [answer]: 20 }],
    }),
  ),
];

export function filesOf(lab: SpawnedLab): GatewayFiles {
  assert.ok(lab.files);
  return lab.files;
}

/** A gateway before the backend of `name`, gone with its files when the test is over. */
export async function gatewayFor(
  t: TestContext,
  gateway: GatewayName,
  name: string,
  options: Options,
): Promise<SpawnedLab> {
  const lab = await spawnLab(name, { ...options, gateway });
  t.after(async () => {
    await lab.stop().catch(() => {});
    rmSync(filesOf(lab).folder, { recursive: true, force: true });
  });
  return lab;
}

/** Statuses in the access log: the number behind the quoted request. HAProxy's -1 is a tunnel or request without one. */
function logged(files: GatewayFiles): Counts {
  const counts: Record<string, number> = {};
  for (const [, status] of readFileSync(files.accessLog, 'latin1').matchAll(/^\S+ "[^"]*" (-?\d+) /gm)) {
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

export async function checkRow(t: TestContext, gateway: GatewayName, row: Row): Promise<void> {
  const wanted = row[gateway];
  const { name, options = {}, size, bursts = 1 } = row;
  if (wanted === null) {
    await assert.rejects(spawnLab(name, { ...options, gateway }), /cannot be made to do/);
    return;
  }
  const lab = await gatewayFor(t, gateway, name, options);
  const ran = await wstampede([
    ...['burst', lab.url, '-c', `${size}`, '-b', `${bursts}`, '--rest', '300ms', '-t', '20s', '-k'],
    ...['--no-preflight', '--no-calibrate', '--json'],
  ]);
  const result = resultOf(ran);
  await lab.stop();
  wanted.forEach((counts, i) => {
    const { outcomes } = result.bursts[i];
    t.diagnostic(JSON.stringify(outcomes));
    assert.deepEqual(Object.keys(outcomes), Object.keys(counts));
    for (const [id, expected] of Object.entries(counts)) {
      const [least, most] = typeof expected === 'number' ? [expected, expected] : expected;
      assert.ok(outcomes[id] >= least && outcomes[id] <= most, `${outcomes[id]} x ${id}, not ${least} to ${most}`);
    }
  });
  assert.deepEqual(logged(filesOf(lab)), { ...result.totals.outcomes }, "the gateway's own log");
}
