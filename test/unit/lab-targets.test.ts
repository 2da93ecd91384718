/** Every target of the catalogue gives a burst exactly the outcomes that it promises, and says so itself. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CAUSES } from '#dist/diagnose/causes.js';
import { CATALOGUE, findTarget } from '#dist/lab/catalogue/catalogue.js';
import type { RunningLab } from '#dist/lab/server/listener.js';
import { readSettings } from '#dist/lab/server/target-options.js';
import { isOutcomeId } from '#dist/names/outcomes.js';
import { burst, byOutcome, count, leave, until } from './lab-raw.js';

const N = 40;

interface Case {
  readonly name: string;
  readonly options?: Record<string, unknown>;
}

/** Not its default of 10 a second: a burst that a busy machine spreads over 100 ms would have one more admitted. */
const STEADY: Readonly<Record<string, Case['options']>> = {
  'rate-limit': { rate: 1 },
  // 40 in line are served within half a second.
  'client-deadline': { service: '10ms' },
};

/** Each of the other words of each choice. */
const CHOICES: readonly Case[] = CATALOGUE.filter(({ name }) => name !== 'limit').flatMap((target) =>
  target.options
    .filter(({ name }) => name !== 'gateway')
    .flatMap(({ name, choices, default: plain }) =>
      choices
        .filter((word) => word !== plain)
        .map((word) => ({ name: target.name, options: { ...STEADY[target.name], [name]: word } })),
    ),
);

/** Targets that stop the process that they run in. */
const BLOCKS = ['slow-accept', 'phantom-connections'];

/** Targets that see no client, and those that see them and read no request. */
const UNSEEN = ['nothing-listens', 'syn-dropped'];
const UNASKED = ['accept-then-fin', 'tls-self-signed', 'tls-wrong'];

/** With their defaults. */
const BY_CHANCE = ['flaky'];

/** They end connections right after their 101. */
const CUT_AT_ONCE = ['cut-after-upgrade', 'rejected-after-accept', 'two-servers-answered'];

/** Every target with its defaults (or what is steadier), and each of its choices. */
const CASES: readonly Case[] = [
  ...CATALOGUE.filter(({ name }) => ![...BLOCKS, ...UNSEEN, ...BY_CHANCE].includes(name)).map(({ name }) => ({
    name,
    options: STEADY[name],
  })),
  { name: 'simultaneous-504', options: { timeout: '400ms', service: '20ms' } },
  { name: 'limit', options: { max: 15 } },
  { name: 'limit', options: { max: 15, answer: '429' } },
  { name: 'limit', options: { max: 15, answer: 'reset' } },
  { name: 'limit', options: { max: 15, answer: 'silent' } },
  { name: 'limit', options: { max: 15, answer: 'closed' } },
  { name: 'limit', options: { max: 15, answer: 'queue', queue: '300ms' } },
  { name: 'limit', options: { max: 0 } },
  { name: 'slow-concurrent', options: { timeout: '350ms', service: '100ms', width: 5 } },
  { name: 'slow-concurrent', options: { timeout: '350ms', service: '100ms', width: 0 } },
  { name: 'slow-concurrent', options: { timeout: '100ms', service: '200ms', width: 0 } },
  { name: 'simultaneous-504', options: { timeout: '400ms', service: '20ms', 'dead-work': true } },
  { name: 'negative-cache', options: { timeout: '300ms', service: '20ms' } },
  { name: 'descriptor-limit', options: { max: 15 } },
  { name: 'ports-exhausted', options: { max: 15 } },
  { name: 'header-too-large', options: { bytes: 8192 } },
  { name: 'hysteretic', options: { capacity: 15 } },
  { name: 'flaky', options: { failures: 0, capacity: 15 } },
  { name: 'flaky', options: { failures: 1_000_000 } },
  ...CHOICES,
  { name: 'limit', options: { max: 15, answer: 'reset', tls: true } },
  ...['healthy', 'limit', 'reset', 'half-head', 'silent', 'not-http', 'close-kills-server'].map((name) => ({
    name,
    options: { tls: true },
  })),
];

async function start(name: string, options: Record<string, unknown> = {}): Promise<RunningLab> {
  const target = findTarget(name);
  assert.ok(target);
  return target.start(readSettings(name, target.options, options), { note: () => {} });
}

describe('a burst gets what the catalogue promises', () => {
  for (const { name, options = {} } of CASES) {
    test(`${name} ${JSON.stringify(options)}`, async () => {
      const target = findTarget(name);
      assert.ok(target);
      const expected = target.expects(N, readSettings(name, target.options, options));
      assert.ok(expected !== null);
      const isUnasked = UNASKED.includes(name) && expected['400'] === undefined;
      const lab = await start(name, options);
      try {
        const raws = await burst(lab.url, N, {
          trust: name !== 'tls-self-signed',
          silent: expected['timeout-upgrade'] ?? 0,
          heard: () => isUnasked || lab.report().requests === N,
        });
        assert.deepEqual(count(raws), { ...expected });
        await leave(raws);
      } finally {
        const report = await lab.stop();
        assert.deepEqual(byOutcome(report), { ...expected });
        assert.equal(report.accepted, N);
        assert.equal(report.requests, isUnasked ? 0 : N);
        assert.equal(report.upgraded, expected['101'] ?? 0);
        // Who is cut off at once may be gone before the last has come.
        if (!CUT_AT_ONCE.includes(name)) assert.equal(report.upgradedOpenMax, expected['101'] ?? 0);
        assert.equal(report.upgraded + report.refused + (expected['timeout-upgrade'] ?? 0), N);
      }
    });
  }
});

test('the catalogue names outcomes of the table only, and they add up', () => {
  for (const target of CATALOGUE) {
    const settings = readSettings(target.name, target.options, {});
    for (const n of [1, 17, 5000]) {
      for (const expected of [target.expects(n, settings), target.expectsLater?.(n, settings) ?? null]) {
        if (expected === null) continue;
        for (const id of Object.keys(expected)) assert.ok(isOutcomeId(id), id);
        assert.equal(
          Object.values(expected).reduce<number>((sum, one) => sum + (one ?? 0), 0),
          n,
          target.name,
        );
      }
    }
  }
  assert.equal(new Set(CATALOGUE.map((target) => target.name)).size, CATALOGUE.length);
});

test('each target names a cause that diagnosis knows, whatever is set on it', () => {
  const known: readonly (string | null)[] = [null, ...CAUSES.map(({ id }) => id)];
  const named = new Set<string | null>();
  for (const { name, options = {} } of [...CATALOGUE.map((target): Case => ({ name: target.name })), ...CASES]) {
    const target = findTarget(name);
    assert.ok(target);
    const cause = target.cause(readSettings(name, target.options, options));
    assert.ok(known.includes(cause), `${name}: ${cause}`);
    named.add(cause);
  }
  // What loopback cannot make, what no burst meets, or what is no target's fault.
  const apart = ['dns-failure', 'target-unreachable', 'retry-storm', 'generator-limit', 'unknown'];
  assert.deepEqual(
    CAUSES.map(({ id }) => id).filter((id) => !named.has(id)),
    apart,
  );
});

test('simultaneous-504 gives T/S of a burst their 101, and of the next one as well', async () => {
  const lab = await start('simultaneous-504', { timeout: '300ms', service: '10ms' });
  try {
    for (let round = 1; round <= 2; round += 1) {
      const raws = await burst(lab.url, 60);
      assert.deepEqual(count(raws), { 101: 30, 504: 30 });
      const refused = raws.find((raw) => raw.outcome === '504');
      assert.match(refused?.received ?? '', /\r\nServer: nginx\r\n[\s\S]*<center>nginx<\/center>/);
      await leave(raws);
    }
    // Handshakes one after another, as a preflight makes them, take nothing from the burst that follows.
    for (let i = 0; i < 3; i += 1) {
      const raws = await burst(lab.url, 1);
      assert.deepEqual(count(raws), { 101: 1 });
      const gone = lab.report().upgraded;
      await leave(raws);
      assert.equal(gone, 61 + i);
    }
    await until(() => lab.report().openMax >= 60);
    const raws = await burst(lab.url, 60);
    assert.deepEqual(count(raws), { 101: 30, 504: 30 });
    await leave(raws);
  } finally {
    await lab.stop();
  }
});

test('close-kills-server: after the first client has left every handshake is a 502', async () => {
  const lab = await start('close-kills-server');
  try {
    const first = await burst(lab.url, 1);
    assert.deepEqual(count(first), { 101: 1 });
    await leave(first);
    // The backend notices in its own time; a probe that was early stays, so it is no second reason.
    const early = [];
    for (let tries = 0; tries < 100; tries += 1) {
      const [probe] = await burst(lab.url, 1);
      early.push(probe);
      if (probe.outcome === '502') break;
    }
    assert.equal(early.at(-1)?.outcome, '502');
    const raws = await burst(lab.url, N);
    assert.deepEqual(count(raws), { 502: N });
    await leave([...early, ...raws]);
  } finally {
    const report = await lab.stop();
    assert.equal(report.byOutcome['502'], N + 1);
  }
});

test('limit: a place is free again when its client has left', async () => {
  const lab = await start('limit', { max: 5 });
  try {
    const first = await burst(lab.url, 8);
    assert.deepEqual(count(first), { 101: 5, 503: 3 });
    await leave(first.filter((raw) => raw.outcome === '101').slice(0, 2));
    let opened = 0;
    const probes = [];
    for (let tries = 0; tries < 200 && opened < 2; tries += 1) {
      const [probe] = await burst(lab.url, 1);
      probes.push(probe);
      if (probe.outcome === '101') opened += 1;
    }
    assert.equal(opened, 2);
    assert.deepEqual(count(await burst(lab.url, 3)), { 503: 3 });
    await leave([...first, ...probes]);
  } finally {
    assert.equal((await lab.stop()).upgradedOpenMax, 5);
  }
});

test('the log holds a row for every request, joined to its client by port', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lab-log-'));
  const log = join(folder, 'log.csv');
  try {
    const before = Date.now() * 1000;
    const lab = await start('limit', { max: 3, log });
    const raws = await burst(lab.url, 5);
    await leave(raws);
    await lab.stop();
    const [header, ...rows] = readFileSync(log, 'utf8').trimEnd().split('\n');
    assert.equal(header, 'received_us,remote_port,outcome,monotonic_us');
    const seen = new Map(rows.map((row) => [Number(row.split(',')[1]), row.split(',')[2]]));
    assert.deepEqual(seen, new Map(raws.map((raw) => [raw.port, raw.outcome])));
    for (const row of rows) {
      const received = Number(row.split(',')[0]);
      // A clock that is set while the test runs is allowed a second.
      assert.ok(received > before - 1e6 && received < Date.now() * 1000 + 1e6, row);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
