/** Every shipped profile, the target of the lab that suits it, and what must come of it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Result } from '#dist/result/result.js';
import { labFor, ROOT, resultOf, wstampede } from './cli.js';

const PROFILES = join(ROOT, 'profiles');

interface Fit {
  readonly target: string;
  readonly options: Readonly<Record<string, string | number | boolean>>;
  readonly exitCode: number;
  /** null: a search, which finds nothing below the largest size that it was given. */
  readonly sizes: readonly number[] | null;
  /** As it stands it takes a minute: it runs in the long tests alone. */
  readonly isLong?: boolean;
  /** For the tests, where the profile as it stands takes half an hour. */
  readonly flags?: readonly string[];
}

/** One entry a profile: a new one without an entry fails the tests. */
export const FITS: Readonly<Record<string, Fit>> = {
  'quick-look': { target: 'healthy', options: {}, exitCode: 0, sizes: [10, 100, 100, 100] },
  // Two bursts in a row with more than half 504 end it; T/S = 80 makes these 200 and 400.
  'simultaneous-504': {
    target: 'simultaneous-504',
    options: { timeout: '400ms', service: '5ms' },
    exitCode: 3,
    sizes: [25, 50, 100, 200, 400],
  },
  'launch-capacity': {
    target: 'healthy',
    options: {},
    exitCode: 0,
    sizes: [100, 200, 300, 400, 500, 600, 700, 800, 900, 1000],
  },
  'tls-burst': { target: 'healthy', options: { tls: true }, exitCode: 0, sizes: [50, 200, 200, 200] },
  'steady-arrivals': { target: 'healthy', options: {}, exitCode: 0, sizes: [1200, 3000], isLong: true },
  'ramp-and-keep': { target: 'healthy', options: {}, exitCode: 0, sizes: [800], isLong: true },
  'deploy-storm': {
    target: 'restarts',
    options: { 'drop-at': 300, outage: '3s', rate: 100 },
    exitCode: 0,
    sizes: [300],
    isLong: true,
  },
  // One of its policies never brings all clients back.
  'policy-comparison': {
    target: 'herd-fragile',
    options: { rate: 50 },
    exitCode: 0,
    sizes: [200, 200],
    isLong: true,
  },
  soak: { target: 'healthy', options: {}, exitCode: 0, sizes: [1000], isLong: true, flags: ['--hold', '2s'] },
  'find-limit': { target: 'healthy', options: {}, exitCode: 0, sizes: null },
  'find-under-latency': { target: 'healthy', options: {}, exitCode: 0, sizes: null },
  'auth-tokens': { target: 'healthy', options: {}, exitCode: 0, sizes: [50, 50, 50] },
};

export function shippedProfiles(): string[] {
  const names = readdirSync(PROFILES).filter((file) => file.endsWith('.yaml'));
  return names.map((file) => file.slice(0, -'.yaml'.length)).sort();
}

/** Runs the profile with `-u` at its target. */
export async function runShipped(
  t: TestContext,
  name: string,
  host: string,
  flags: readonly string[],
): Promise<Result> {
  const { target, options, exitCode, sizes, flags: own = [] } = FITS[name];
  const lab = await labFor(t, target, { ...options, host });
  const ran = await wstampede(['run', name, '-u', lab.url, '--json', ...own, ...flags]);
  const result = resultOf(ran);
  const report = await lab.stop();
  assert.equal(ran.code, exitCode, `${result.validity.reasons.join('; ')} ${JSON.stringify(result.thresholds)}`);
  const { dropOff } = result;
  if (sizes === null) assert.equal(dropOff?.verdict, 'AT_LEAST_MAX', dropOff?.because);
  else {
    assert.deepEqual(
      result.bursts.map(({ size }) => size),
      sizes,
    );
  }
  assert.equal(result.plan.name, name);
  const beside = (result.preflight?.outcomes['101'] ?? 0) + (dropOff?.cost.canaryHandshakes ?? 0);
  // A client that comes back is not in the totals, and may leave while its 101 is on the way.
  const back = (result.storm ?? []).reduce((sum, { attempts }) => sum + (attempts['101'] ?? 0), 0);
  const expected = (result.totals.outcomes['101'] ?? 0) + beside + back;
  if (result.storm === null) assert.equal(report.upgraded, expected);
  else assert.ok(report.upgraded >= expected, `${report.upgraded} of ${expected}`);
  assert.equal(report.byOutcome['504'] ?? 0, result.totals.outcomes['504'] ?? 0);
  if (name === 'auth-tokens') assertMasked(ran.stdout);
  return result;
}

/** No value of the file with the tokens may be in what was written. */
function assertMasked(text: string): void {
  const [, ...rows] = readFileSync(join(PROFILES, 'auth-tokens.csv'), 'utf8').trimEnd().split('\n');
  for (const value of rows.flatMap((row) => row.split(','))) assert.ok(!text.includes(value), `${value} is shown`);
}
