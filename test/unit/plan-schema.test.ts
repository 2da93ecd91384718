import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { profiles, profileText } from '#dist/commands/profiles.js';
import { UserError } from '#dist/errors.js';
import type { Host } from '#dist/host.js';
import { parseCsv } from '#dist/plan/data.js';
import { planNeeds } from '#dist/plan/needs.js';
import { checkInputs } from '#dist/plan/profile/inputs.js';
import { profileJsonSchema } from '#dist/plan/profile/json-schema.js';
import { compilePlan } from '#dist/plan/profile/profile.js';
import { readProfile } from '#dist/plan/profile/written.js';

const folder = new URL('../../../profiles/', import.meta.url);
const shipped = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
const validator = () => new Ajv({ allErrors: true, strict: true, allowUnionTypes: true }).compile(profileJsonSchema());
const text = (file: string): string => readFileSync(new URL(file, folder), 'utf8');

function fakeHost(cwd: string): { host: Host; written: () => string; said: () => string } {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const host = { cwd, env: {}, argv: [], stdout, stderr } as unknown as Host;
  return { host, written: () => String(stdout.read() ?? ''), said: () => String(stderr.read() ?? '') };
}

test('the schema that editors read is the one that validates', () => {
  const committed = text('profile.schema.json');
  const current = `${JSON.stringify(profileJsonSchema(), null, 2)}\n`;
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(new URL('profile.schema.json', folder), current);
  else assert.equal(committed, current, 'run this test with UPDATE_GOLDEN=1');
  assert.equal(profileJsonSchema().$schema, 'http://json-schema.org/draft-07/schema#');
});

test('the JSON Schema takes what the program takes, and refuses what a schema can refuse', () => {
  const valid = validator();
  const good = {
    target: { url: 'ws://h/' },
    stages: [{ burst: '10k', rest: '1m30s' }, { churn: { inFlight: 5, for: '1s' } }],
  };
  assert.ok(valid(good), JSON.stringify(valid.errors));
  assert.ok(valid({ ...good, timeout: 0, $schema: './profile.schema.json' }), JSON.stringify(valid.errors));
  const bad: object[] = [
    { ...good, stages: [] },
    { ...good, stages: [{ burst: 0 }] },
    { ...good, stages: [{ burst: 1.5 }] },
    { ...good, stages: [{ brust: 5 }] },
    { ...good, timeout: 30 },
    { ...good, timeout: '30' },
    { ...good, gate: 'upgarde' },
    { ...good, targt: {} },
    { target: {}, stages: [{ burst: 5 }] },
  ];
  for (const value of bad) {
    assert.equal(valid(value), false, JSON.stringify(value));
  }
});

test('every key has a description for the editor', () => {
  const missing: string[] = [];
  const walk = (schema: Readonly<Record<string, unknown>>, path: string): void => {
    const properties = (schema.properties ?? {}) as Record<string, Record<string, unknown>>;
    for (const [key, value] of Object.entries(properties)) {
      if (value.description === undefined && value.properties === undefined) missing.push(`${path}.${key}`);
      walk(value, `${path}.${key}`);
    }
  };
  walk(profileJsonSchema(), '');
  assert.deepEqual(missing, []);
});

test('every shipped profile says its question, names the schema, and is valid for program and editor', () => {
  assert.deepEqual(shipped, [
    'auth-tokens.yaml',
    'deploy-storm.yaml',
    'find-limit.yaml',
    'find-under-latency.yaml',
    'launch-capacity.yaml',
    'policy-comparison.yaml',
    'quick-look.yaml',
    'ramp-and-keep.yaml',
    'simultaneous-504.yaml',
    'soak.yaml',
    'steady-arrivals.yaml',
    'tls-burst.yaml',
  ]);
  // What keeps connections, or waits until all are back, takes its time.
  const long = [
    'deploy-storm.yaml',
    'policy-comparison.yaml',
    'ramp-and-keep.yaml',
    'soak.yaml',
    'steady-arrivals.yaml',
  ];
  const valid = validator();
  for (const file of shipped) {
    assert.ok(text(file).startsWith('# yaml-language-server: $schema=./profile.schema.json\n'), file);
    assert.ok(valid(parse(text(file))), `${file}: ${JSON.stringify(valid.errors)}`);
    const plan = compilePlan(readProfile(text(file), file));
    assert.equal(`${plan.name}.yaml`, file);
    assert.match(plan.about ?? '', /\?$/, `${file}: about is a question`);
    assert.match(plan.target.host, /^127\./);
    if (!long.includes(file)) assert.ok(planNeeds(plan).bestMs <= 25_000, `${file} runs in well under 30 s`);
    assert.ok((planNeeds(plan).attempts ?? 0) <= 10_000, `${file} is modest`);
    if (plan.data !== null) {
      const table = parseCsv(text(plan.data.file), plan.data.file);
      checkInputs(plan, { rows: table.rows, env: {}, tls: { ca: null, cert: null, key: null } }, table.columns);
    }
  }
});

test('profiles lists all with their questions, prints one, prints the schema', async () => {
  const { host, written, said } = fakeHost('/');
  assert.equal(await profiles({}, host), 0);
  const list = written();
  for (const file of shipped) assert.ok(list.includes(file.replace('.yaml', '')), file);
  for (const line of list.split('\n')) assert.ok(line.length <= 80, line);
  assert.match(list, /How many clients may reconnect at once/);
  await profiles({ name: 'tls-burst' }, host);
  assert.equal(written(), text('tls-burst.yaml'));
  assert.match(said(), /wstampede profiles --schema > profile\.schema\.json/);
  await profiles({ schema: true }, host);
  assert.deepEqual(JSON.parse(written()), profileJsonSchema());
});

test('a file comes before a shipped profile, a wrong name gets a suggestion', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'wst-profiles-'));
  try {
    const { host } = fakeHost(cwd);
    mkdirSync(join(cwd, 'tls-burst'));
    writeFileSync(join(cwd, 'mine.yaml'), 'x: 1\n');
    assert.deepEqual(await profileText('mine.yaml', host), {
      text: 'x: 1\n',
      file: 'mine.yaml',
      path: join(cwd, 'mine.yaml'),
      directory: cwd,
    });
    const found = await profileText('tls-burst', host);
    assert.equal(found.text, text('tls-burst.yaml'));
    assert.equal(found.file, 'tls-burst.yaml');
    await assert.rejects(profileText('tls-brust', host), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /did you mean "tls-burst"\?/);
      assert.match(error.hint ?? '', /simultaneous-504/);
      return error.exitCode === 2;
    });
    await assert.rejects(profileText('../profiles/x\0', host), UserError);
  } finally {
    rmSync(cwd, { recursive: true });
  }
});
