/** What people read of a comparison, held against files. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { compareSides } from '#dist/compare/compare.js';
import type { ComparedRun } from '#dist/compare/sides.js';
import { parseFailOn } from '#dist/plan/expressions/fail-on.js';
import { comparisonPage } from '#dist/report/formats/compared/compare-html.js';
import { comparisonJunit } from '#dist/report/formats/compared/compare-junit.js';
import { comparisonMarkdown } from '#dist/report/formats/compared/compare-markdown.js';
import { renderComparison } from '#dist/report/terminal/compare-page.js';
import { changeText, intervalText, valueText } from '#dist/report/words/compared/compare-numbers.js';
import { runsOf } from './compare-results.js';

const RUNS = [
  [0.98, 1.02],
  [1, 1.01],
  [1.01, 0.97],
  [0.99, 1],
  [1.02, 1.03],
];
const times = (runs: readonly (readonly number[])[], by: number) => runs.map((run) => run.map((one) => one * by));

const PAGES: Readonly<Record<string, () => [base: ComparedRun[], fresh: ComparedRun[], failOn: string[]]>> = {
  worse: () => [runsOf('main', RUNS), runsOf('pr', times(RUNS, 1.3)), ['p99(handshake) +10%', 'share(101) -1pp']],
  look: () => [runsOf('before', [[1, 1.02]]), runsOf('after', [[1.2, 1.22, 1.19]]), []],
  undecided: () => [
    runsOf('main', [[0.8, 0.9, 1, 1.1, 1.2]]),
    runsOf('pr', [[0.82, 0.95, 1.01, 1.11, 1.25]]),
    ['p99(handshake) +10%'],
  ],
  refused: () => {
    const [base, fresh] = [runsOf('main', RUNS), runsOf('pr', RUNS)];
    const moved = fresh.map(({ file, result }) => ({
      file,
      result: { ...result, plan: { ...result.plan, target: { ...result.plan.target, host: 'pr.example\u202e.com' } } },
    }));
    return [base, moved, ['p99(handshake) +10%']];
  },
};

for (const [name, sides] of Object.entries(PAGES)) {
  test(`a comparison on the terminal: ${name}`, () => {
    const [base, fresh, failOn] = sides();
    const comparison = compareSides(base, fresh, {
      failOn: failOn.map(parseFailOn),
      anyTarget: false,
      version: '0.1.0',
    });
    const text = renderComparison(comparison, { width: 80, color: false, unicode: true });
    held(`compare-${name}.txt`, text);
    held(`compare-${name}.md`, comparisonMarkdown(comparison));
    held(`compare-${name}.xml`, comparisonJunit(comparison));
    for (const line of text.split('\n')) assert.ok(line.length <= 80, line);
    const ascii = renderComparison(comparison, { width: 60, color: false, unicode: false });
    assert.match(ascii, /^[\n -~]*$/, 'an ASCII terminal gets ASCII');
    for (const line of ascii.split('\n')) assert.ok(line.length <= 60, line);
  });
}

function held(name: string, text: string): void {
  const golden = `test/golden/${name}`;
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(golden, text);
  assert.equal(text, readFileSync(golden, 'utf8'), `${name}: UPDATE_GOLDEN=1 writes it anew`);
}

test('the page: the sentence, the table and the picture; no script, and no markup of a file’s name', () => {
  const [base, fresh, failOn] = PAGES.worse();
  const hostile = fresh.map((run) => ({ ...run, file: `<img src=x onerror=alert(1)>${run.file}` }));
  const page = comparisonPage(
    compareSides(base, hostile, { failOn: failOn.map(parseFailOn), anyTarget: false, version: '0.1.0' }),
  );
  assert.match(page, /<h1>WORSE: p99\(handshake\) 990 ms to 1\.29 s/);
  assert.match(page, /<title>WORSE: /);
  assert.match(page, /default-src &#39;none&#39;/);
  assert.doesNotMatch(page, /<script|<img/);
  assert.match(page, /&lt;img src=x onerror=alert\(1\)&gt;pr-1\.json/);
  // Each of ten values and the axis: base and new of two latencies.
  const marks = page.match(/<path d="M[\d.]+ [\d.]+L[\d.]+ [\d.]+"/g) ?? [];
  assert.ok(marks.length >= 20, `${marks.length}`);
  assert.ok(page.length < 30_000, `${page.length}`);
  const [one, other, named] = PAGES.refused();
  const refused = comparisonPage(
    compareSides(one, other, { failOn: named.map(parseFailOn), anyTarget: false, version: '0.1.0' }),
  );
  assert.match(refused, /<h1>NOT COMPARABLE: the target differs/);
  assert.doesNotMatch(refused, /\u202e|NaN|Infinity/);
});

test('JUnit: WORSE is a failure, what nobody named or could decide is skipped, incomparable sides are an error', () => {
  const verdictsOf = (name: keyof typeof PAGES) => {
    const [base, fresh, failOn] = PAGES[name]();
    const xml = comparisonJunit(
      compareSides(base, fresh, { failOn: failOn.map(parseFailOn), anyTarget: false, version: '0.1.0' }),
    );
    return [...xml.matchAll(/<(failure|error|skipped) /g)].map(([, is]) => is).sort();
  };
  assert.deepEqual(verdictsOf('worse'), ['failure', 'skipped']);
  assert.deepEqual(verdictsOf('undecided'), ['skipped', 'skipped']);
  assert.deepEqual(verdictsOf('refused'), ['error']);
});

test('values, changes and intervals are written in the unit of their metric', () => {
  assert.deepEqual(
    [
      valueText(812.3, 'ms'),
      valueText(0, 'ms'),
      valueText('inf', 'ms'),
      valueText(0.9998, 'share'),
      valueText(1234.5, 'handshakes/s'),
      valueText('inf', 'handshakes'),
      valueText(null, 'ms'),
    ],
    ['812 ms', '0 s', 'never', '99.98%', '1,235/s', 'over the maximum', '–'],
  );
  assert.deepEqual(
    [
      changeText(0.243, 'ratio'),
      changeText(-0.0213, 'ratio'),
      changeText(12.5, 'ratio'),
      changeText('inf', 'ratio'),
      changeText(-0.0002, 'share'),
      changeText(2000, 'time'),
      changeText(0, 'time'),
    ],
    ['+24%', '-2.1%', '+1,250%', '+inf', '-0.02 pp', '+2.00 s', '0'],
  );
  assert.deepEqual(
    [
      intervalText([-0.02, 0.15], 'ratio'),
      intervalText([-0.0006, 0], 'share'),
      intervalText([0.1, 'inf'], 'ratio'),
      intervalText(null, 'ratio'),
    ],
    ['-2 … +15%', '-0.06 pp … 0', '+10% … +inf', null],
  );
});
