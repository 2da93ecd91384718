/**
 * The schema of a result is loaded with the first document, not before: it would delay the first burst. So nothing but the
 * library's door imports it other than as a type or by `import()`.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const DIST = fileURLToPath(new URL('../../../dist', import.meta.url));
/** Every file of the schema imports it. */
const SCHEMA = 'result/terms.js';

function importsOf(file: string): string[] {
  // Types are gone from what was built.
  const specifiers = readFileSync(join(DIST, file), 'utf8').matchAll(/^(?:import|export)\b[^;]*?'(\.[^']+)';/gm);
  return [...specifiers].map(([, specifier]) => relative(DIST, join(DIST, dirname(file), specifier)));
}

function loadedBy(file: string, known = new Set<string>()): ReadonlySet<string> {
  if (known.has(file)) return known;
  known.add(file);
  for (const imported of importsOf(file)) loadedBy(imported, known);
  return known;
}

/** They read or write documents: the library for its callers, the others when they are asked for and not before. */
const READERS = [
  'commands/report.js',
  'commands/resume.js',
  'commands/saved/compare.js',
  'commands/saved/read-results.js',
  'commands/saved/side-files.js',
  'compare/comparison.js',
  'compare/published-comparison.js',
  'index.js',
  'report/files/saved-results.js',
  'report/formats/html/whole-page.js',
  'report/formats/json.js',
];

test('only what reads results loads their schema', () => {
  const files = readdirSync(DIST, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'));
  const loading = files.filter((file) => !file.startsWith('result/') && loadedBy(file).has(SCHEMA));
  assert.deepEqual(loading.sort(), READERS);
});

test('what the first burst needs of a result needs no schema', () => {
  assert.ok(!loadedBy('commands/execute.js').has(SCHEMA));
  assert.ok(loadedBy('engine/run/run-plan.js').has('result/adds-up.js'));
  assert.ok(loadedBy('result/document.js').has(SCHEMA));
});
