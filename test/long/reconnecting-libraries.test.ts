/**
 * The presets beside the libraries themselves: 200 clients of each library and 200 by its preset meet a server that dies
 * for 10 s, and their attempts come at the same times (two-sample Kolmogorov-Smirnov test).
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { presetNamed } from '#dist/plan/policy/presets.js';
import { needs } from '../needs.js';

const FOLDER = fileURLToPath(new URL('../../servers/', import.meta.url));
const CLIENTS = 200;
const OUTAGE_MS = 10_000;
const MISSING = 'client libraries of npm: npm run servers:install';
const LIBRARIES = [
  ...['socket.io-client', 'reconnecting-websocket', 'partysocket', 'graphql-ws', 'centrifuge'],
  ...['@stomp/stompjs', 'phoenix'],
];
/** A wait is late by what keeps the process busy, and both fleets are in one process, though not in step. */
const LATE_MS = 300;
/** Waits that fewer of the clients come to are not compared. */
const LEAST_CLIENTS = 50;

interface Fleet {
  readonly library: string;
  readonly preset: string;
  readonly version: string;
  readonly back: number;
  readonly theirs: readonly Client[];
  readonly ours: readonly Client[];
}

interface Client {
  /** Of its attempts, ms after the server's death. */
  readonly times: readonly number[];
  /** Before each of them, ms since the failure before. */
  readonly waits: readonly number[];
}

interface Measured {
  readonly libraries: readonly Fleet[];
  readonly graphqlByDefault: number;
  readonly busyMs: number;
}

/** How far two samples are from each other, where each value may be off by `lateMs`. */
function distance(some: readonly number[], others: readonly number[], lateMs: number): number {
  const share = (values: readonly number[], limit: number): number =>
    values.filter((value) => value <= limit).length / values.length;
  const ahead = (first: readonly number[], second: readonly number[]): number =>
    Math.max(...first.map((value) => share(first, value) - share(second, value + lateMs)));
  return Math.max(ahead(some, others), ahead(others, some));
}

/** The distance that two samples of those sizes exceed with a chance of 0.1%. */
function farthest(some: number, others: number): number {
  return 1.95 * Math.sqrt(1 / some + 1 / others);
}

function waitsOf(clients: readonly Client[], n: number): readonly number[] {
  return clients.flatMap(({ waits }) => waits[n] ?? []);
}

describe('200 clients of each library beside the preset', () => {
  let measured: Measured | null = null;

  before(async () => {
    if (!existsSync(`${FOLDER}node_modules/socket.io-client`)) return;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [`${FOLDER}reconnecting-clients.mjs`, `${CLIENTS}`, `${OUTAGE_MS}`],
      { maxBuffer: 1 << 24 },
    );
    measured = JSON.parse(stdout) as Measured;
  });
  after(() => {
    measured = null;
  });

  for (const library of LIBRARIES) {
    test(`${library}: attempts at the same times`, (t) => {
      if (!needs(t, measured !== null, MISSING)) return;
      const fleet = measured?.libraries.find((one) => one.library === library);
      assert.ok(fleet !== undefined && measured !== null);
      const { busyMs } = measured;
      const { theirs, ours, back, version, preset } = fleet;
      assert.equal(back, CLIENTS);
      const read = presetNamed(preset)?.of ?? '';
      assert.ok(read.includes(version.split('.').slice(0, 2).join('.')), `${version} is not ${read}`);
      for (let n = 0; ; n += 1) {
        const [some, others] = [waitsOf(theirs, n), waitsOf(ours, n)];
        if (Math.min(some.length, others.length) < LEAST_CLIENTS) break;
        const far = distance(some, others, LATE_MS + busyMs);
        const most = farthest(some.length, others.length);
        assert.ok(far <= most, `wait ${n}: ${far.toFixed(3)} from ours, at most ${most.toFixed(3)}`);
      }
      // Over the outage lateness adds up, at most once for each attempt.
      const times = (clients: readonly Client[]): readonly number[] => clients.flatMap((client) => client.times);
      const lateMs = LATE_MS + busyMs * Math.max(...ours.map(({ waits }) => waits.length));
      const far = distance(times(theirs), times(ours), lateMs);
      assert.ok(far <= farthest(CLIENTS, CLIENTS), `attempts over time: ${far.toFixed(3)} from ours`);
    });
  }

  test('the comparison tells libraries apart by their first waits', (t) => {
    if (!needs(t, measured !== null, MISSING)) return;
    const first = (name: string): readonly number[] =>
      waitsOf(measured?.libraries.find(({ library }) => library === name)?.theirs ?? [], 0);
    for (const [one, other] of [
      ['phoenix', '@stomp/stompjs'],
      ['@stomp/stompjs', 'partysocket'],
      ['partysocket', 'socket.io-client'],
    ])
      assert.ok(distance(first(one), first(other), LATE_MS) > farthest(CLIENTS, CLIENTS), `${one} passes for ${other}`);
  });

  test('graphql-ws by default tries once while the server is away, and leaves the error to the application', (t) => {
    if (!needs(t, measured !== null, MISSING)) return;
    assert.equal(measured?.graphqlByDefault, 1);
  });
});
