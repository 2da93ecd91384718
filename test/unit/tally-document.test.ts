import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { UserError } from '#dist/errors.js';
import { outcomeCode } from '#dist/names/outcomes.js';
import type { PlanRecord } from '#dist/plan/plan-record.js';
import { readResult, writeResult } from '#dist/result/document.js';
import { isoMicros } from '#dist/result/iso-time.js';
import { resultJsonSchema } from '#dist/result/published-schema.js';
import type { Burst, Result, Totals, Validity } from '#dist/result/result.js';
import { Tally } from '#dist/tally/tally.js';
import { RunningSums, totalsOf } from '#dist/tally/totals.js';

const SCHEMA_FILE = 'profiles/result.schema.json';
const VALID: Validity = { verdict: 'valid', reasons: [] };

const PLAN: PlanRecord = {
  name: 'simultaneous-504',
  about: null,
  target: {
    url: 'ws://127.0.0.1:9504/ws',
    scheme: 'ws',
    host: '127.0.0.1',
    port: 9504,
    path: '/ws',
    headers: [['Authorization', '***']],
    origin: null,
    subprotocols: ['chat.v1'],
    compression: false,
    tls: { ca: null, cert: null, key: null, servername: null, insecure: false, resume: false },
    connectTo: { host: '127.0.0.2', port: 80 },
    sourceIps: [],
  },
  data: { file: 'tokens.csv', pick: 'cycle' },
  gate: 'upgrade',
  timeoutMs: 75_000,
  stages: [
    { kind: 'burst', size: 3, times: 1, restMs: 0 },
    { kind: 'churn', total: 2, inFlight: 1, forMs: null, restMs: 0 },
  ],
  session: { holdMs: null, script: null },
  thresholds: ['share(101) >= 99.9%'],
  abort: null,
  allowHosts: [],
  close: null,
  resolve: 'first',
  preflight: true,
  calibrate: true,
  workers: null,
  transport: 'auto',
  releaseChunk: null,
  seed: 7,
  afterMs: null,
};

function tallyOf(outcomes: readonly ('101' | '504' | 'local-other')[]): Tally {
  const tally = new Tally();
  for (const id of outcomes) {
    const code = outcomeCode(id);
    const times = {
      connectMs: 1,
      connectLowerMs: 0.5,
      tlsMs: Number.NaN,
      tlsLowerMs: Number.NaN,
      upgradeMs: 2,
      upgradeLowerMs: 1,
    };
    const kernel = {
      synRetransmits: id === 'local-other' ? Number.NaN : id === '504' ? 2 : 0,
      retransmits: 0,
      rttMs: 0.1,
    };
    const handshakeMs = id === 'local-other' ? Number.NaN : 3;
    tally.add({ outcome: code, ...times, handshakeMs, handshakeLowerMs: 2, ...kernel });
    if (id === '504') {
      tally.addDetail(code, 'upstream timed out');
      const headers: [string, string][] = [['Server', 'nginx']];
      tally.addSample(code, {
        statusLine: 'HTTP/1.1 504 Gateway Time-out',
        headers,
        body: null,
        detail: null,
        atMs: 1000,
      });
    }
  }
  return tally;
}

function burst(index: number, kind: 'burst' | 'churn', tally: Tally): Burst {
  const release = { spreadMs: 1, firstMs: 0, lastMs: 1, perWorkerMs: [0, 0.1] };
  const handshakeMs = tally.counted().latencyMs.handshake;
  return {
    arrivals: null,
    stage: index,
    index,
    size: tally.attempted,
    kind,
    gate: 'upgrade',
    releasedAt: isoMicros(1_795_248_000_123.456),
    release: kind === 'burst' ? release : null,
    makespanMs: 1001.5,
    rate: kind === 'churn' ? 200.5 : null,
    perSecond: kind === 'churn' ? [200, 201] : null,
    ...tally.counted(),
    validity: { verdict: 'suspect', reasons: ['paced by the generator'] },
    calibration: {
      size: 3,
      share101: 1,
      spreadMs: 0.5,
      handshakeMs,
      connectMs: null,
      tlsMs: null,
      upgradeMs: null,
      rate: null,
    },
    generator: {
      launched: 3,
      failedToArm: 0,
      longestGapMs: 1.2,
      gcPauses: 1,
      gcMaxMs: 0.8,
      throttledMs: null,
      stealShare: 0.01,
      tlsResumed: null,
    },
    after: null,
    sessions: null,
    watch: null,
  };
}

function sampleResult(): Result {
  const tallies = [tallyOf(['101', '101', '504']), tallyOf(['101', 'local-other'])];
  const { latencyMs, outcomes, samples, attempted } = tallyOf(['101']).counted();
  return {
    schemaVersion: 1,
    tool: { name: 'wstampede', version: '0.1.0' },
    command: 'burst',
    startedAt: isoMicros(1_795_248_000_000),
    endedAt: isoMicros(1_795_248_002_000),
    plan: PLAN,
    addresses: ['127.0.0.1'],
    generators: [
      {
        id: 'local',
        host: 'here',
        cpus: 2,
        node: 'v20.20.0',
        platform: 'linux-x64',
        transport: 'node',
        transportNote: 'no koffi',
        workers: 1,
        limits: { fds: 20_000, ports: null },
      },
    ],
    bursts: [burst(0, 'burst', tallies[0]), burst(1, 'churn', tallies[1])],
    preflight: { attempted, outcomes, latencyMs: latencyMs.handshake, samples, tls: null },
    totals: totals(tallies),
    dropOff: null,
    storm: null,
    thresholds: [{ expression: 'share(101) >= 99.9%', actual: 0.75, actualLower: null, floor: null, ok: false }],
    diagnosis: [
      {
        cause: 'slow-serial-upgrade',
        evidence: '504 after 1 s',
        remedy: 'raise it',
        confidence: 0.9,
        outcomes: ['504'],
        gateway: 'nginx',
        apart: null,
        figures: { timeoutMs: 1000 },
      },
    ],
    check: null,
    search: null,
    validity: { verdict: 'suspect', reasons: ['paced by the generator'] },
    stopped: null,
    exitCode: 3,
  };
}

function totals(tallies: readonly Tally[]): Totals {
  const sums = new RunningSums();
  for (const tally of tallies) sums.add({ tally, validity: VALID, launched: 3, rate: null, isOfSearch: false });
  return totalsOf(sums.sums().all, VALID);
}

/** The stopped preflight: no bursts, nothing measured. */
function emptyResult(): Result {
  return {
    ...sampleResult(),
    bursts: [],
    preflight: null,
    plan: { ...PLAN, data: null, target: { ...PLAN.target, connectTo: null } },
    totals: totals([]),
    stopped: 'the target gave no answer',
    exitCode: 5,
  };
}

/** A copy that may be damaged; `path` leads to the key to set. */
function damaged(path: string, value: unknown): unknown {
  const copy = JSON.parse(JSON.stringify(sampleResult()));
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  const parent = keys.reduce((at, key) => at[key], copy);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}

function refused(value: unknown): UserError {
  try {
    readResult(value);
  } catch (error) {
    assert.ok(error instanceof UserError && error.code === 'result' && error.exitCode === 2, String(error));
    return error;
  }
  assert.fail('it was accepted');
}

test('the committed JSON Schema is the one in the code', () => {
  const text = `${JSON.stringify(resultJsonSchema, null, 2)}\n`;
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(SCHEMA_FILE, text);
  assert.equal(readFileSync(SCHEMA_FILE, 'utf8'), text);
});

test('results validate by that schema, in a validator that is not ours', () => {
  const validate = new Ajv2020({ strict: true, allErrors: true }).compile(resultJsonSchema);
  for (const result of [sampleResult(), emptyResult()]) {
    assert.ok(validate(JSON.parse(writeResult(result))), JSON.stringify(validate.errors, null, 2));
  }
  assert.equal(validate({ ...emptyResult(), exitCode: null }), false);
});

test('the schema names every key that a result has', () => {
  const seen = new Set<string>();
  const visit = (schema: unknown, value: unknown, path: string): void => {
    let at = schema as Record<string, never>;
    while (at.$ref !== undefined) at = resultJsonSchema.$defs?.[String(at.$ref).replace('#/$defs/', '')] as typeof at;
    if (at.anyOf !== undefined) visit(at.anyOf[value === null ? 1 : 0], value, path);
    else if (Array.isArray(value)) for (const item of value) visit(at.items ?? {}, item, `${path}[]`);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, child] of Object.entries(value)) {
        const named = at.properties?.[key] ?? at.additionalProperties;
        if (typeof named !== 'object') seen.add(`${path}.${key}`);
        else visit(named, child, `${path}.${key}`);
      }
    }
  };
  visit(resultJsonSchema, sampleResult(), '');
  const ofStages = ['size', 'times', 'restMs', 'total', 'inFlight', 'forMs'].map((key) => `.plan.stages[].${key}`);
  assert.deepEqual([...seen].sort(), ofStages.sort());
});

test('what was written is read back, unchanged', () => {
  for (const result of [sampleResult(), emptyResult()]) {
    const text = writeResult(result);
    assert.ok(text.endsWith('}\n'));
    const read = readResult(JSON.parse(text));
    assert.deepEqual(read, JSON.parse(JSON.stringify(result)));
    assert.equal(writeResult(read), text);
  }
});

test('a document from before the kernel was asked is read, and says that it was not', () => {
  const { generators, bursts, totals, ...rest } = JSON.parse(writeResult(sampleResult()));
  const without = ({ kernel, transportNote, ...one }: Record<string, unknown>) => one;
  const read = readResult({
    ...rest,
    generators: generators.map(without),
    bursts: bursts.map(without),
    totals: without(totals),
  });
  assert.deepEqual([read.bursts[0].kernel, read.totals.kernel, read.generators[0].transportNote], [null, null, null]);
});

test('keys have one order, whoever built the result; unknown ones are kept at the end', () => {
  const result = sampleResult();
  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, child]) => [key, reversed(child)]),
    );
  };
  const backwards = reversed(result) as Result;
  const { plan, ...rest } = JSON.parse(writeResult(backwards));
  const { plan: _, ...expected } = JSON.parse(writeResult(result));
  assert.equal(JSON.stringify(rest).length, JSON.stringify(expected).length);
  assert.deepEqual(Object.keys(rest.bursts[0]), Object.keys(expected.bursts[0]));
  assert.deepEqual(
    Object.keys(rest.bursts[0].latencyMs.handshake),
    Object.keys(expected.bursts[0].latencyMs.handshake),
  );
  assert.deepEqual(Object.keys(plan), Object.keys(PLAN));

  const grown = JSON.parse(writeResult({ addedLater: { a: 1 }, ...result } as Result));
  assert.deepEqual([Object.keys(grown)[0], Object.keys(grown).at(-1)], ['schemaVersion', 'addedLater']);
  assert.deepEqual(readResult(grown), grown);
});

test('what is no result is refused', () => {
  for (const value of [null, 5, 'text', [], {}, { schemaVersion: '1' }, { schemaVersion: 0 }, { schemaVersion: 1.5 }]) {
    assert.match(refused(value).message, /^not a wstampede result: /);
  }
});

test('a result of a newer version is refused by name', () => {
  const error = refused({ schemaVersion: 2, anything: true });
  assert.equal(error.message, 'written by a newer wstampede (schema 2; this one reads up to 1)');
  assert.match(error.hint ?? '', /update wstampede/);
});

test('a damaged result is refused, saying where', () => {
  const cases: [string, unknown, RegExp][] = [
    ['totals', undefined, /: totals is missing$/],
    ['bursts.1.outcomes', null, /: bursts\[1\]\.outcomes: expected an object, found null$/],
    [
      'bursts.0.latencyMs.handshake.p99',
      'fast',
      /: bursts\[0\]\.latencyMs\.handshake\.p99: expected a number, found "fast"$/,
    ],
    ['bursts.0.validity.verdict', 'great', /verdict: expected "valid" or "suspect" or "invalid", found "great"$/],
    ['bursts.0.gate', 'last-byte', /bursts\[0\]\.gate: expected "connect" or "tls" or "upgrade"/],
    ['bursts.0.outcomes.504', -1, /bursts\[0\]\.outcomes\.504: expected 0 or more, found -1$/],
    ['bursts.0.samples.504.headers', [['Server']], /headers\[0\]: 1 entries are too few/],
    ['bursts.0.calibration.share101', 1.2, /share101: expected 1 or less/],
    ['bursts.0.size', 'many', /bursts\[0\]\.size: expected an integer, found "many"$/],
    ['bursts.0.size', 1.5, /bursts\[0\]\.size: expected an integer, found 1\.5$/],
    ['tool.name', 'other', /tool\.name: expected "wstampede", found "other"$/],
    ['generators', {}, /generators: expected an array, found an object$/],
    ['bursts.0.details', { '\u001b[31m': 1 }, /details\["\\u001b\[31m"\]: expected an object, found 1$/],
  ];
  for (const [path, value, message] of cases) assert.match(refused(damaged(path, value)).message, message, path);
});

test('a result that does not add up is refused on reading and never written', () => {
  const cases: [string, unknown, RegExp][] = [
    ['bursts.0.attempted', 4, /burst 0: attempted is 4, but the outcomes add up to 3$/],
    ['totals.attempted', 6, /totals: attempted is 6/],
    ['preflight.outcomes', { 101: 2 }, /preflight: attempted is 1/],
    ['totals.outcomes', { 101: 2, 504: 2, 'local-other': 1 }, /totals count 2 of 101, the bursts 3$/],
    ['totals.outcomes', { 101: 3, 504: 1, gone: 1 }, /totals: no such outcome: "gone"/],
    ['bursts', [], /totals count 3 of 101, the bursts 0$/],
    ['bursts.0.kernel.asked', 4, /burst 0: the kernel was asked about 4 of 3 attempts$/],
    [
      'bursts.0.kernel.synRetransmitted',
      4,
      /burst 0: kernel\.synRetransmitted is 4, but the kernel was asked about 3$/,
    ],
    ['totals.kernel', null, /totals count 0 attempts that the kernel was asked about, the bursts 4$/],
  ];
  for (const [path, value, message] of cases) {
    const document = damaged(path, value);
    assert.match(refused(document).message, message, path);
    assert.throws(() => writeResult(document as Result), message, path);
  }
});

test('times are ISO 8601 in UTC with µs', () => {
  assert.equal(isoMicros(1_795_248_000_123.456), '2026-11-21T08:00:00.123456Z');
  assert.equal(isoMicros(1_795_248_000_000), '2026-11-21T08:00:00.000000Z');
  assert.equal(isoMicros(1_795_248_000_000 - 0.0004), '2026-11-21T08:00:00.000000Z');
  assert.equal(isoMicros(0.001), '1970-01-01T00:00:00.000001Z');
  assert.equal(isoMicros(-0.001), '1969-12-31T23:59:59.999999Z');
  assert.throws(() => isoMicros(Number.NaN), RangeError);
});
