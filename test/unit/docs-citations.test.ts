/**
 * What comments and tests cite of docs/method.md is there: each heading, and each rule about real gateways. Nothing
 * cites a document that is not part of the project.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const METHOD_PAGE = readFileSync(join(ROOT, 'docs/method.md'), 'utf8');
const HEADINGS = [...METHOD_PAGE.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading);

/** `docs/method.md, "Heading"`, or several headings with a comma or "and" between them. */
const CITATION = /docs\/method\.md,\s+("[^"]+"(?:(?:,| and|, and)\s+"[^"]+")*)/g;
const COMMENT = /\/\*[\s\S]*?\*\/|(?<![:'"`])\/\/[^\n]*/g;
/** Documents that were never part of the project: by name in a comment, by name and section anywhere. */
const GONE = /\b(?:METHOD|GATEWAYS|PEERS|DESIGN)\b/;
const GONE_SECTION = /\b(?:METHOD|GATEWAYS|PEERS|DESIGN)(?:\.md|'s)?,?\s+(?:section\s+)?[A-Z]?\.?\d/;
const RULE = /\b(?:O(?:1\d|2[01]|[1-9])|3[a-g])\b/g;

function filesOf(folder: string, endings: RegExp): { path: string; text: string }[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && endings.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length))
    .filter((path) => !path.startsWith('test/.out/'))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));
}

/** A comment over several lines as one line of text. */
function unwrapped(text: string): string {
  return text.replace(/\n\s*(?:\*|\/\/)\s?/g, ' ');
}

function headingsCited(text: string): string[] {
  return [...unwrapped(text).matchAll(CITATION)].flatMap(([, quoted]) =>
    quoted.split('"').filter((_, i) => i % 2 === 1),
  );
}

/** As GitHub makes an anchor of a heading. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-');
}

/** This file has citations that are wrong on purpose. */
const SOURCES = [...filesOf('src', /\.ts$/), ...filesOf('test', /\.ts$/)].filter(
  ({ path }) => path !== 'test/unit/docs-citations.test.ts',
);
const PAGES = [...filesOf('docs', /\.md$/), ...filesOf('test', /\.md$/)];

describe('what is cited of docs/method.md', () => {
  test('each heading exists, and only once', () => {
    const cited = SOURCES.flatMap(({ path, text }) => headingsCited(text).map((heading) => ({ path, heading })));
    assert.ok(cited.length > 30, `${cited.length} citations were found`);
    assert.deepEqual(
      cited.filter(({ heading }) => !HEADINGS.includes(heading)),
      [],
    );
    assert.equal(new Set(HEADINGS).size, HEADINGS.length);
  });

  test('a mention of the document is in the form that is checked here', () => {
    for (const { path, text } of SOURCES.filter(({ path }) => path.startsWith('src/'))) {
      const mentions = unwrapped(text).match(/docs\/method\.md/g)?.length ?? 0;
      assert.equal([...unwrapped(text).matchAll(CITATION)].length, mentions, path);
    }
  });

  test('its links, and those to it, lead to a heading', () => {
    const anchors = new Set(HEADINGS.map(anchor));
    const links = PAGES.flatMap(({ path, text }) => {
      const pattern = path === 'docs/method.md' ? /\]\(#([^)]+)\)/g : /docs\/method\.md#([^)]+)\)/g;
      return [...text.matchAll(pattern)].map(([, name]) => name);
    });
    assert.ok(links.length > HEADINGS.length / 2);
    for (const link of links) assert.ok(anchors.has(link), link);
  });

  test('every rule that a row of the gateway matrix is judged by is there', () => {
    const files = SOURCES.filter(
      ({ path }) => path.startsWith('test/gateways/') || path === 'test/bench/find-cases.ts',
    );
    const named = files.flatMap(({ text }) => text.match(RULE) ?? []);
    const defined = [...METHOD_PAGE.matchAll(/^(?:\| (O\d+) \||\*\*(3[a-g])\.)/gm)].map(
      ([, one, other]) => one ?? other,
    );
    assert.ok(new Set(named).size > 20);
    for (const rule of new Set(named)) assert.ok(defined.includes(rule), rule);
  });
});

test('nothing cites a document that is not part of the project', () => {
  for (const { path, text } of SOURCES) {
    for (const [comment] of text.matchAll(COMMENT)) assert.doesNotMatch(comment, GONE, path);
    assert.doesNotMatch(text, GONE_SECTION, path);
  }
  for (const { path, text } of PAGES) assert.doesNotMatch(text, GONE_SECTION, path);
});

test('these checks can fail', () => {
  assert.deepEqual(headingsCited('/** It (docs/method.md, "One,\n * two" and "Three") rests. */'), [
    'One, two',
    'Three',
  ]);
  assert.match('// see METHOD A.4', GONE);
  assert.match("test('GATEWAYS O9: a full queue', () => {", GONE_SECTION);
  assert.match('PEERS.md 2.1', GONE_SECTION);
  assert.doesNotMatch('GATEWAYS[i % 2]', GONE_SECTION);
});
