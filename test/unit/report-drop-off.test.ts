import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { searchPicture } from '#dist/report/terminal/search-picture.js';
import { glyphsOf, palette, type Terminal } from '#dist/report/terminal/style.js';
import { renderSummary } from '#dist/report/terminal/summary.js';
import { columnsOf } from '#dist/report/terminal/text-width.js';
import { dropOffSentence } from '#dist/report/words/drop-off-words.js';
import type { DropOff, Rung } from '#dist/result/drop-off.js';
import type { Result } from '#dist/result/result.js';
import { searchResult, searchSpecs } from './report-searches.js';

const PLAIN: Terminal = { width: 80, color: false, unicode: true };
const GOLDEN = new URL(import.meta.url.includes('/.out/') ? '../../golden/' : '../golden/', import.meta.url);
const WIDTHS = [40, 60, 79, 80, 100, 120, 160, 200];

const RESULTS: ReadonlyMap<string, Result> = new Map(
  Object.entries(searchSpecs()).map(([name, spec]) => {
    const stopped = spec.stoppedAfter === undefined ? undefined : 'stopped by SIGINT';
    return [name, searchResult(spec, { stopped })];
  }),
);

function dropOffOf(name: string): DropOff {
  const dropOff = RESULTS.get(name)?.dropOff;
  assert.ok(dropOff, name);
  return dropOff;
}

function sentence(name: string, over: Partial<DropOff> = {}): string {
  return dropOffSentence({ ...dropOffOf(name), ...over }, RESULTS.get(name)?.stopped ?? null);
}

function plain(text: string): string {
  return text.replace(/\x1b\[\d+m/g, '');
}

function assertFits(text: string, width: number): void {
  for (const line of plain(text).split('\n')) {
    assert.ok(columnsOf(line) <= width, `${columnsOf(line)} columns of ${width}: ${line}`);
  }
}

describe('a search on the terminal', () => {
  for (const [name, result] of RESULTS) {
    it(`reads as in golden/drop-off-${name}.txt`, () => {
      const text = renderSummary(result, PLAIN);
      assertFits(text, PLAIN.width);
      const file = fileURLToPath(new URL(`drop-off-${name}.txt`, GOLDEN));
      if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, text);
      assert.equal(text, readFileSync(file, 'utf8'));
    });
  }

  it('has a golden for each verdict', () => {
    const verdicts = new Set([...RESULTS.values()].map(({ dropOff }) => dropOff?.verdict));
    const all = ['FOUND', 'AT_LEAST_MAX', 'BELOW_MIN', 'DID_NOT_RECOVER', 'GENERATOR_LIMITED', 'BUDGET', 'INTERRUPTED'];
    assert.deepEqual([...verdicts].sort(), all.sort());
  });

  it('fits every width, in ASCII too, and is the same text in colour', () => {
    for (const [name, result] of RESULTS) {
      for (const width of WIDTHS) {
        const text = renderSummary(result, { width, color: false, unicode: true });
        assertFits(text, width);
        assert.equal(plain(renderSummary(result, { width, color: true, unicode: true })), text, name);
        const ascii = renderSummary(result, { width, color: false, unicode: false });
        assertFits(ascii, width);
        assert.match(ascii, /^[\n -~]*$/);
        assert.doesNotMatch(ascii, /\d\?\d/, `${name}: a range lost its dash`);
      }
    }
  });

  it('tells bursts of other stages beside the ladder', () => {
    const result = RESULTS.get('found');
    assert.ok(result);
    const [first] = result.bursts;
    const stages = [...result.plan.stages, { kind: 'burst', size: 64, times: 1, restMs: 0 } as const];
    const bursts = [...result.bursts, { ...first, stage: 1, index: 14 }];
    const text = renderSummary({ ...result, plan: { ...result.plan, stages }, bursts }, PLAIN);
    assert.match(text, /index +size +101 .*\n +14 +64 +64 +100%.*\n\n/);
    assert.doesNotMatch(renderSummary(result, PLAIN), /index +size/);
  });

  it('is told though its bursts are not there, and not before it has one', () => {
    const result = RESULTS.get('found');
    assert.ok(result);
    assert.match(renderSummary({ ...result, bursts: [] }, PLAIN), /^Plan for at most 2,784[\s\S]*\n {2}cost/);
    const dropOff: DropOff = { ...dropOffOf('interrupted'), cost: { ...dropOffOf('interrupted').cost, bursts: 0 } };
    const none: Result = { ...result, bursts: [], dropOff, stopped: 'stopped by SIGINT' };
    assert.match(renderSummary(none, PLAIN), /^Nothing was measured: stopped by SIGINT\./);
  });

  it('brings no control character from a reason or an outcome to the terminal', () => {
    const evil = fc.string({ unit: 'binary', maxLength: 120 });
    const base = RESULTS.get('generator-limited');
    assert.ok(base);
    const property = fc.property(evil, evil, fc.boolean(), (reason, name, unicode) => {
      const dropOff: DropOff = {
        ...dropOffOf('found-objectives'),
        verdict: 'GENERATOR_LIMITED',
        because: reason,
        limit: { most: 12, reason: `\x1b]0;owned\x07${reason}` },
        asked: { ...dropOffOf('found-objectives').asked, objectives: [name, `\x1b[2J${name}`] },
        objective: name,
        flags: [{ id: 'PACED', says: `${reason}\u202e` }],
      };
      const text = renderSummary({ ...base, dropOff }, { ...PLAIN, unicode });
      assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{C}\p{Zl}\p{Zp}]/u);
      assertFits(text, 80);
    });
    fc.assert(property, { numRuns: 40, seed: 5 });
  });
});

describe('the sentence of a search', () => {
  it('is the one of the method', () => {
    assert.equal(
      sentence('found'),
      'Plan for at most 2,784 simultaneous handshakes; the drop-off is near 3,000 (95%: 2,784–3,267): 2,928 met 99.9% in 3 of 3 bursts, 3,074 in 0 of 3. At 3,074 about 3,000 survived.',
    );
    assert.equal(
      sentence('at-least-max'),
      'No drop-off up to 5,000 simultaneous handshakes: 5,000 met 99.9% in 3 of 3 bursts. The limit is above what was asked.',
    );
    assert.match(
      sentence('below-min'),
      /^Already broken at 10 simultaneous handshakes: 99\.9% was met in 0 of 3 bursts,/,
    );
    assert.match(sentence('below-min'), /10\.0% of its handshakes failed; one by one, 11 of 220 failed\. Check/);
    assert.match(
      sentence('did-not-recover'),
      /^Broke at 4,096 simultaneous handshakes and did not serve 2,048 again within \d+ min: metastable; the search stopped/,
    );
    assert.match(
      sentence('did-not-recover-single'),
      /and did not answer single handshakes as before within \d+ min \(220 of the search’s 380 failed\): it has died, or is metastable/,
    );
  });

  it('never tells a limit of the generator as one of the target', () => {
    for (const name of ['generator-limited', 'generator-invalid']) {
      assert.match(sentence(name), /^This generator can release at most [\d,]+ simultaneous handshakes \(.*ulimit -n/);
      assert.match(sentence(name), /; the target was fine up to [\d,]+\.$/);
    }
    const nothing = { bracket: [null, null], limit: { most: null, reason: 'no ports.' } } as const;
    assert.equal(
      sentence('generator-limited', nothing),
      'This generator could send nothing of what was asked (no ports); this says nothing about the target.',
    );
    const between = sentence('generator-limited', { bracket: [100, 200] });
    assert.match(between, /; the target held 100 and failed at 200, and what lies between can't be told from here\.$/);
  });

  it('names the objective that broke when there are several', () => {
    assert.match(
      sentence('found-objectives'),
      /697 met both objectives in 8 of 8 bursts, 731 in 0 of 3, missing share/,
    );
    assert.match(sentence('found', { objective: 'drain rate' }), /3,074 in 0 of 3, missing drain rate\. At/);
    assert.match(
      sentence('found-objectives'),
      /^Plan for at most [\d,]+ simultaneous handshakes \(for 80% of the bursts\); the drop-off is near 712 /,
    );
  });

  it('gives the best that is known when it ended early', () => {
    assert.match(sentence('budget'), /^The search ended before it was sure: all 9 bursts were used\. So far 2,928 met/);
    assert.match(
      sentence('interrupted'),
      /^PARTIAL \(stopped by SIGINT\): so far 2,048 met 99\.9% in 2 of 2 bursts, 4,096/,
    );
    assert.match(sentence('interrupted-early'), /so far 128 met 99\.9% in 1 of 1 burst, and nothing broke\.$/);
    assert.match(sentence('interrupted', { bracket: [null, null] }), /so far no load is decided\.$/);
    assert.match(
      sentence('interrupted', { bracket: [null, 4096] }),
      /so far 4,096 met 99\.9% in 0 of 1 burst, and nothing held/,
    );
  });
});

describe('the picture of a search', () => {
  const pen = (width: number) => ({ width, glyphs: glyphsOf(true), paint: palette(false) });

  function marks(lines: readonly string[], mark: string): number {
    return lines.slice(1).join('').split(mark).length - 1;
  }

  it('shows each load by a mark of its own, and the bracket between its ends', () => {
    for (const name of ['found', 'found-objectives', 'found-floor', 'at-least-max', 'below-min']) {
      const { ladder } = dropOffOf(name);
      for (const width of [60, 80, 200]) {
        const lines = searchPicture(dropOffOf(name), pen(width));
        const good = ladder.filter((rung) => rung.good > rung.bad).length;
        const bad = ladder.filter((rung) => rung.bad > rung.good).length;
        assert.deepEqual([marks(lines, '●'), marks(lines, '✗')], [good, bad], `${name} at ${width}`);
      }
    }
    const shaded = searchPicture(dropOffOf('found'), pen(80)).filter((line) => /●░|░✗|░░/.test(line));
    assert.equal(shaded.length, 6);
    assert.match(searchPicture(dropOffOf('found'), pen(80)).at(-1) ?? '', /2,928–3,074/);
  });

  it('looks closer where little was lost', () => {
    const scale = (name: string): string | undefined => /(\S+) ┤/.exec(searchPicture(dropOffOf(name), pen(80))[6])?.[1];
    assert.equal(scale('found'), '50%');
    assert.equal(scale('found-objectives'), '90%');
  });

  it('copes with any ladder', () => {
    const rung = fc
      .record({
        size: fc.integer({ min: 1, max: 100_000_000 }),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
        good: fc.nat(3),
        bad: fc.nat(3),
      })
      .map((told): Rung => ({ ...dropOffOf('found').ladder[0], ...told }));
    const ladders = fc.uniqueArray(rung, { selector: ({ size }) => size, maxLength: 70 });
    const property = fc.property(
      ladders,
      fc.nat(),
      fc.nat(),
      fc.integer({ min: 40, max: 200 }),
      (some, i, j, width) => {
        const ladder = some.toSorted((a, b) => a.size - b.size);
        const sizes = ladder.map(({ size }) => size);
        const lo = sizes[i % (sizes.length + 1)] ?? null;
        const hi = sizes.filter((size) => lo === null || size > lo)[j % (sizes.length + 1)] ?? null;
        const dropOff: DropOff = {
          ...dropOffOf('found'),
          ladder,
          bracket: [lo, hi],
          interval95: [lo === null ? null : 0, hi],
        };
        for (const unicode of [true, false]) {
          const lines = searchPicture(dropOff, { ...pen(width), glyphs: glyphsOf(unicode) });
          assert.equal(lines.length === 0, ladder.length === 0);
          assertFits(lines.join('\n'), width);
        }
      },
    );
    fc.assert(property, { numRuns: 300, seed: 11 });
  });
});
