/**
 * The published schema and the reader take and refuse the same documents as the hand-written schema did that version 1 was
 * published with (test/golden/result.schema.before.json). That one is judged by a validator that is not ours.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { directorOf } from '#dist/commands/find-director.js';
import { withDiagnosis } from '#dist/diagnose/diagnose.js';
import { UserError } from '#dist/errors.js';
import { planOf } from '#dist/index.js';
import { readResult, writeResult } from '#dist/result/document.js';
import { resultJsonSchema } from '#dist/result/published-schema.js';
import type { Result } from '#dist/result/result.js';
import { checkOf, failed, oneByOne, resultOf } from './diagnose-results.js';
import { NGINX_504, rampAndCluster, result } from './report-results.js';
import { searchResult, searchSpecs } from './report-searches.js';

fc.configureGlobal({ seed: 20261121, includeErrorInReport: true });

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** As much of JSON Schema as the old schema is made of. */
interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string;
  readonly const?: Json;
  readonly enum?: readonly Json[];
  readonly anyOf?: readonly [Schema, Schema];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | true;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly minimum?: number;
}

const old: Schema = JSON.parse(
  readFileSync(new URL('../../golden/result.schema.before.json', import.meta.url), 'utf8'),
);
const ajv = () => new Ajv2020({ strict: true });
const isByOld = ajv().compile(old);
const isByNew = ajv().compile(resultJsonSchema);

function isRead(document: unknown): boolean {
  try {
    readResult(document);
    return true;
  } catch (error) {
    assert.ok(error instanceof UserError && error.code === 'result', String(error));
    // Sums are no matter of a schema.
    return error.message.startsWith('the result does not add up');
  }
}

/** All three say the same. */
function assertAgreed(document: Json, what: string): boolean {
  const expected = isByOld(document);
  const problem = JSON.stringify(isByOld.errors?.[0]);
  assert.equal(isByNew(document), expected, `published schema, ${what}: ${problem}`);
  assert.equal(isRead(document), expected, `reader, ${what}: ${problem}`);
  return expected;
}

/** The document with everything in it that a schema names, or with as little as it lets pass. */
function documentOf(schema: Schema, isFull: boolean, known = new Map<string, Json>()): Json {
  if (schema.$ref !== undefined) {
    const made = known.get(schema.$ref) ?? documentOf(definition(schema.$ref), isFull, known);
    known.set(schema.$ref, made);
    return made;
  }
  if (schema.anyOf !== undefined) return documentOf(schema.anyOf[isFull ? 0 : 1], isFull, known);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  switch (schema.type) {
    case 'array':
      return Array.from({ length: schema.minItems ?? (isFull ? 1 : 0) }, () =>
        documentOf(schema.items ?? {}, isFull, known),
      );
    case 'object': {
      const { properties = {}, required = [], additionalProperties = true } = schema;
      const keys = isFull ? Object.keys(properties) : required;
      const own = keys.map((key) => [key, documentOf(properties[key], isFull && !ADDED_SINCE.has(key), known)]);
      const others =
        isFull && additionalProperties !== true ? [['101', documentOf(additionalProperties, isFull, known)]] : [];
      return Object.fromEntries([...own, ...others]);
    }
    case 'string':
      return 'text';
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return schema.minimum ?? 0;
  }
}

function definition(ref: string): Schema {
  const found = old.$defs?.[ref.replace('#/$defs/', '')];
  assert.ok(found, ref);
  return found;
}

/** A burst always had its place for sessions, of which the old schema says no more than that it is an object or null. */
function fullDocument(): Record<string, Json> {
  const document = documentOf(old, true) as { bursts: { sessions: Json }[] } & Record<string, Json>;
  for (const burst of document.bursts) burst.sessions = null;
  return document;
}

/** What runs left, or could have. */
function results(): readonly Result[] {
  const specs = searchSpecs();
  const names = ['found-hysteresis', 'below-min', 'did-not-recover', 'generator-limited'];
  const searches = names.map((name) => searchResult(specs[name]));
  const director = directorOf(planOf({ target: { url: 'ws://127.0.0.1:9/' }, stages: [{ find: { max: 500 } }] }));
  assert.ok(director);
  director.begin(0);
  const search = { stage: 0, firstIndex: 0, attempts: 60, state: director.state };
  const samples = { 504: NGINX_504 };
  const probes = [{ atMs: 1500, outcome: '504', tookMs: 1000 }];
  const after = { fromMs: 1000, everyMs: 500, probes, lastFailedMs: 1500, samples };
  const refused = failed('403', [5, 6, 7], { statusLine: 'HTTP/1.1 403 Forbidden' }, 'no Origin');
  const check = checkOf('403', { 'with-origin': '101', direct: '403' }, { answer: NGINX_504 });
  return [
    result(rampAndCluster),
    ...searches,
    { ...searches[0], search },
    ...[resultOf({ bursts: [{ groups: [refused], after, floorMs: 20 }], check, alone: oneByOne(['403']) })],
  ].map(withDiagnosis);
}

/** At most three of what there is much of; its sums are no matter of a schema. */
function shortened(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.slice(0, 3).map(shortened);
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, shortened(child)]));
}

type Path = readonly string[];

/** Keys that version 1 has got since: the old schema lets them hold anything. */
const ADDED_SINCE: ReadonlySet<string> = new Set([
  'met',
  'refusedMs',
  'refusedAfterBreakMs',
  'headBytes',
  'sessions',
  'finished',
  'connectMs',
  'tlsMs',
  'floor',
  'ended',
  'received',
  'arrivals',
  'stalled',
  'script',
  // Its place was reserved for an object: now it is a list.
  'storm',
]);

/** Of what stands at several places as one and the same object, the inside is told once. */
function pathsOf(value: Json, path: Path = [], known = new Set<Json>()): Path[] {
  if (typeof value !== 'object' || value === null || known.has(value)) return [path];
  known.add(value);
  const entries = Object.entries(value).filter(([key]) => !ADDED_SINCE.has(key));
  return [path, ...entries.flatMap(([key, child]) => pathsOf(child, [...path, key], known))];
}

const JUNK: readonly Json[] = [
  ...[null, true, 0, 1, -1, 0.5, 1.5, '', 'text', 'burst'],
  ...[[], {}, [1], [1, 2], ['a', 'b'], [null, null], [['a', 'b']], { 101: null }],
];

/** Ways to change what stands at a key of an object or a list, of which `holder` is a copy. */
const CHANGES: readonly ((holder: Record<string, Json>, key: string) => void)[] = [
  (holder, key) => {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete holder[key];
  },
  (holder, key) => {
    const value = holder[key];
    if (Array.isArray(value)) holder[key] = Array.from({ length: 4 }, () => value[0] ?? null);
    else if (typeof value === 'object' && value !== null) holder[key] = { ...value, unknown: { key: 1 } };
  },
  ...JUNK.map((junk) => (holder: Record<string, Json>, key: string) => {
    holder[key] = junk;
  }),
];

/** A copy with one change; the same document where an earlier change has taken the place away. */
function changed(document: Json, [key, ...rest]: Path, change: (typeof CHANGES)[number]): Json {
  if (typeof document !== 'object' || document === null || !Object.hasOwn(document, key)) return document;
  const copy = (Array.isArray(document) ? [...document] : { ...document }) as Record<string, Json>;
  if (rest.length === 0) change(copy, key);
  else copy[key] = changed(copy[key], rest, change);
  return copy;
}

test('every place of a document, changed in every way', (t) => {
  const full = fullDocument();
  const least = documentOf(old, false) as Record<string, Json>;
  const tested = { accepted: 0, refused: 0 };
  assert.ok(assertAgreed(full, 'full') && assertAgreed(least, 'least'));
  for (const path of pathsOf(full).slice(1)) {
    // Only one part is full at a time: small documents are checked faster.
    const document = { ...least, [path[0]]: full[path[0]] };
    for (const [i, change] of CHANGES.entries()) {
      const mutant = changed(document, path, change);
      tested[assertAgreed(mutant, `${path.join('.')} change ${i}`) ? 'accepted' : 'refused']++;
    }
  }
  t.diagnostic(JSON.stringify(tested));
  assert.ok(tested.accepted > 1000 && tested.refused > 1000);
});

test('a burst has its place for sessions, which may be null', () => {
  const document = (change: (burst: Record<string, Json>) => void) => {
    const full = fullDocument() as { bursts: Record<string, Json>[] };
    const [burst] = full.bursts;
    change(burst);
    return { ...full, bursts: [burst] } as unknown as Json;
  };
  assert.equal(
    assertAgreed(
      document(() => {}),
      'null',
    ),
    true,
  );
  const without = document((burst) => {
    delete burst.sessions;
  });
  assert.equal(assertAgreed(without, 'without'), false);
  const nonsense = document((burst) => {
    burst.sessions = { ready: 'many' };
  });
  assert.deepEqual([isByNew(nonsense), isRead(nonsense)], [false, false]);
});

test('results with several changes', (t) => {
  const documents = results().map((one) => shortened(JSON.parse(writeResult(one))));
  for (const [i, document] of documents.entries()) assert.ok(assertAgreed(document, `result ${i}`), `result ${i}`);
  const paths = documents.map((document) => pathsOf(document));
  const tested = { accepted: 0, refused: 0 };
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(CHANGES.length - 1)), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(fc.nat(documents.length - 1), changes, (which, places) => {
      const mutant = places.reduce((document, [place, change]) => {
        const path = paths[which][1 + (place % (paths[which].length - 1))];
        return changed(document, path, CHANGES[change]);
      }, documents[which]);
      tested[assertAgreed(mutant, JSON.stringify(places)) ? 'accepted' : 'refused']++;
    }),
    { numRuns: 2000 },
  );
  t.diagnostic(JSON.stringify(tested));
});

test('a count that no program can hold exactly is refused on reading; a schema does not say so', () => {
  const document = fullDocument() as { exitCode: number };
  document.exitCode = 2 ** 53;
  assert.deepEqual([isByOld(document), isByNew(document), isRead(document)], [true, true, false]);
});
