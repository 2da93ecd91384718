/** Pages as text: what stands in them, what they weigh, that they are read back, and that nothing in them can run. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { savedResults } from '#dist/report/files/saved-results.js';
import { wholePage } from '#dist/report/formats/html/whole-page.js';
import { titleOf } from '#dist/report/words/title.js';
import { writeResult } from '#dist/result/document.js';
import type { Result } from '#dist/result/result.js';
import { ROOT } from '../cli.js';
import { hostile, invalid, largeBurst, pagedResults } from './report-pages.js';
import { result } from './report-results.js';

const DATA = /<script type="application\/json" id="wstampede-result(?:-\d+)?">[^<]*<\/script>/g;
const PAGES = pagedResults();

/** As a reader of the text gets it. */
function unescaped(markup: string): string {
  return markup
    .replace(/<[^>]*>/g, '')
    .replace(
      /&(lt|gt|quot|#39|amp);/g,
      (_, name: string) => ({ lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' })[name] ?? '',
    );
}

describe('a page', () => {
  for (const name of ['burst', 'churn', 'find', 'invalid', 'check', 'several']) {
    it(`is as read: ${name}`, () => {
      const text = wholePage(PAGES[name])
        .replace(DATA, '')
        .replace(/<style>[\s\S]*?<\/style>/, '');
      const golden = `${ROOT}test/golden/page-${name}.html`;
      mkdirSync(`${ROOT}test/golden`, { recursive: true });
      if (process.env.UPDATE_GOLDEN === '1') writeFileSync(golden, text);
      assert.equal(text, readFileSync(golden, 'utf8'), 'UPDATE_GOLDEN=1 writes it anew');
    });
  }

  it('begins with the sentence of the terminal, judged', () => {
    for (const [name, [first, second]] of Object.entries(PAGES)) {
      if (second !== undefined) continue;
      const page = wholePage([first]);
      const [, heading = ''] = /<h1>([\s\S]*?)<\/h1>/.exec(page) ?? [];
      const verdict = first.validity.verdict.toUpperCase();
      const sentence = titleOf(first).text.replace(/^INVALID: /, '');
      assert.equal(unescaped(heading), `${verdict}${sentence}`, name);
      assert.ok(page.indexOf(`<title>${verdict}`) > 0, name);
    }
  });

  it('carries its results and gives them back, compressed where they are large', () => {
    const large = result({ bursts: Array.from({ length: 12 }, () => largeBurst(2000)) });
    for (const results of [...Object.values(PAGES), [large]] as (readonly Result[])[]) {
      const back = savedResults(wholePage(results));
      assert.deepEqual(
        back.map((one) => writeResult(one)),
        results.map((one) => writeResult(one)),
      );
    }
    assert.match(wholePage([large]), /id="wstampede-result">\{"gzip":"/);
    assert.match(wholePage(PAGES.check), /id="wstampede-result">\{"schemaVersion":1/);
  });

  it('says nothing about the target of an invalid run where it would be quoted', () => {
    const page = wholePage([invalid]);
    const [head] = page.split('<section');
    assert.doesNotMatch(head.replace(/<style>[\s\S]*?<\/style>/, ''), /123|321|blockquote/);
    const pictures = [...page.matchAll(/<svg[\s\S]*?<\/svg>/g)].map(([svg]) => svg);
    assert.ok(pictures.length > 1);
    for (const svg of pictures) {
      assert.match(
        svg,
        />INVALID · about this generator, not the target · burst · 1 burst of 444, gate upgrade · 2026/,
      );
      assert.doesNotMatch(svg, /class="[fs]-(ok|bad|accent)"/, 'grey');
    }
  });

  it('has verdict, load, target and date inside every picture', () => {
    for (const name of ['burst', 'bursts', 'churn', 'find']) {
      const pictures = [...wholePage(PAGES[name]).matchAll(/<svg[\s\S]*?<\/svg>/g)].map(([svg]) => svg);
      assert.ok(pictures.length >= 2, name);
      for (const svg of pictures) {
        assert.match(svg, />VALID · \w+ · [^·]+ of [^·]+ · 2026-11-21 08:00 UTC · ws:\/\/127\.0\.0\.1:8080\/ws</);
        assert.match(svg, /^<svg [^>]*role="img" aria-labelledby="[^"]+"[^>]*>\s*<title id/);
      }
    }
  });

  it('holds no markup that a target, a user or a file wrote', () => {
    for (const [name, results] of Object.entries(PAGES)) {
      const page = wholePage(results.map(hostile))
        .replace(DATA, '')
        .replace(/<style>[\s\S]*?<\/style>/, '');
      assert.doesNotMatch(page, /<(script|img|iframe|object|embed|link|base|form|input|button)\b/i, name);
      for (const [tag] of page.matchAll(/<[a-z][^>]*>/g)) {
        assert.doesNotMatch(tag, /\son\w+\s*=|javascript:|href="(?!#)/i, `${name}: ${tag.slice(0, 200)}`);
      }
    }
  });

  it('uses each id once', () => {
    for (const [name, results] of Object.entries(PAGES)) {
      const ids = [...wholePage(results).matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
      assert.deepEqual(
        ids.filter((id, i) => ids.indexOf(id) !== i),
        [],
        name,
      );
    }
  });

  it('stays small enough to be mailed', () => {
    const one = wholePage([result({ bursts: [largeBurst(2000)] })]);
    assert.ok(one.length < 100_000, `one burst of 2,000: ${one.length} B`);
    const many = wholePage([result({ bursts: Array.from({ length: 25 }, (_, i) => largeBurst(800 + 50 * i)) })]);
    assert.ok(many.length < 300_000, `25 bursts of up to 2,000: ${many.length} B`);
  });
});
