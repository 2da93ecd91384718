/** What the probes after bursts come to, and how it is told. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderSummary } from '#dist/report/terminal/summary.js';
import { afterText, samplesOfProbes } from '#dist/report/words/after-words.js';
import type { After, Burst } from '#dist/result/result.js';
import { afterOf, hasSuffered } from '#dist/tally/after-probes.js';
import { NGINX_504, rampAndCluster, result } from './report-results.js';

const FROM_MS = 1000;

/** A probe every 500 ms from the end of a burst; `[outcome, ms it took, ms that this machine stood still meanwhile]`. */
function afterBurst(ends: readonly (readonly [outcome: string, tookMs: number, stalledMs?: number])[]): After {
  return afterOf(
    { fromMs: FROM_MS, everyMs: 500 },
    ends.map(([outcome, tookMs, stalledMs = 0], i) => ({
      probe: { atMs: FROM_MS + 500 * i, outcome, tookMs },
      stalledMs,
      sample: outcome === '101' || outcome === 'aborted' ? null : { ...NGINX_504, atMs: tookMs, detail: `probe ${i}` },
    })),
  );
}

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
const FAILED = ['504', 1000] as const;
const FINE = ['101', 12] as const;

function told(...afters: (After | null)[]): string | null {
  const { bursts } = result({ bursts: afters.map(() => rampAndCluster.bursts[0]) });
  return afterText(bursts.map((burst, i): Burst => ({ ...burst, after: afters[i] })));
}

describe('the probes after a burst', () => {
  it('say until when others suffered', () => {
    const after = afterBurst([...times(12, FAILED), ['101', 400], ...times(17, FINE)]);
    assert.equal(after.lastFailedMs, FROM_MS + 11 * 500);
    assert.equal(after.probes.length, 30);
    assert.deepEqual(Object.keys(after.samples), ['504']);
    assert.equal(after.samples['504'].detail, 'probe 0');
  });

  it('leave out what this machine failed at and what was stopped', () => {
    const after = afterBurst([FAILED, FINE, ['local-ports', 1], ['aborted', 300]]);
    assert.equal(after.lastFailedMs, FROM_MS);
    assert.deepEqual(after.probes.map(hasSuffered), [true, false, false, false]);
    assert.equal(afterBurst([FINE, ['local-fds', 0], ['aborted', 0]]).lastFailedMs, null);
    // Five seconds without a core are no answer of the target's, whatever the probe ended as.
    const stalled = afterBurst([FINE, ['timeout-upgrade', 5010, 5000], ['101', 5000, 4900], FINE]);
    assert.deepEqual([stalled.lastFailedMs, stalled.probes.length, stalled.stalled], [null, 2, 2]);
    assert.deepEqual(stalled.samples, {});
    assert.equal(
      told(stalled),
      'all 2 probes after the burst got their 101, the slowest in 12.0 ms; 2 left out, because the generator stalled',
    );
    for (const outcome of ['refused', 'closed', '404', 'timeout-upgrade', 'invalid-101']) {
      assert.ok(hasSuffered({ atMs: 0, outcome, tookMs: 1 }), outcome);
    }
  });
});

describe('the sentence about the probes', () => {
  const cases: readonly (readonly [what: string, after: After | null, text: string | null])[] = [
    ['nothing was probed', null, null],
    ['all was well', afterBurst(times(3, FINE)), 'all 3 probes after the burst got their 101, the slowest in 12.0 ms'],
    ['one was well', afterBurst([FINE]), 'the one probe after the burst got its 101 in 12.0 ms'],
    [
      'it passed at once',
      afterBurst([...times(12, FAILED), ...times(18, FINE)]),
      'others kept suffering for 5.50 s: 12 of 30 probes failed (504), the last at 6.50 s; then 101 in 12.0 ms',
    ],
    [
      'it passed slowly',
      afterBurst([...times(2, FAILED), ['101', 900], ['101', 400], FINE]),
      'others kept suffering for 500 ms: 2 of 5 probes failed (504), the last at 1.50 s; then 101 in 900 ms, at the end in 12.0 ms',
    ],
    [
      'one probe failed',
      afterBurst([FAILED, FINE]),
      'others kept suffering for less than 500 ms: 1 of 2 probes failed (504), at 1.00 s; then 101 in 12.0 ms',
    ],
    [
      'no end was seen',
      afterBurst([FINE, ['502', 1], ['refused', 1], ['502', 1]]),
      'others kept suffering for 1.50 s: 3 of 4 probes failed (2 × 502, 1 × refused), the last at 2.50 s; its end was not seen, a longer --after may show it',
    ],
    [
      'some say nothing',
      afterBurst([FINE, FINE, ['local-ports', 1], ['aborted', 1]]),
      'all 2 probes after the burst got their 101, the slowest in 12.0 ms; 1 failed on this machine (local-ports); 1 had not ended',
    ],
    ['all were stopped', afterBurst([['aborted', 1]]), 'no probe ended; 1 had not ended'],
    ['there was no time for one', afterBurst([]), 'no probe ended'],
  ];
  for (const [what, after, text] of cases) it(`when ${what}`, () => assert.equal(told(after), text));

  it('of several bursts tells the worst', () => {
    const well = afterBurst(times(2, FINE));
    assert.equal(told(well, null, well), 'all 4 probes after 2 bursts got their 101, the slowest in 12.0 ms');
    assert.equal(
      told(well, afterBurst([FAILED, FAILED, FINE]), afterBurst([FAILED, FINE])),
      'after 2 of 3 bursts others suffered; the longest, burst 1 (500): they kept suffering for 500 ms: 2 of 3 probes failed (504), the last at 1.50 s; then 101 in 12.0 ms',
    );
  });
});

describe('the summary with probes', () => {
  it('shows what no attempt of the burst was told, made harmless', () => {
    const base = result(rampAndCluster);
    const after = afterBurst([FAILED, ['502', 1], FINE]);
    const hostile = { ...NGINX_504, statusLine: 'HTTP/1.1 502 \x1b[2J', atMs: 1 };
    const bursts = base.bursts.map((burst) => ({
      ...burst,
      after: { ...after, samples: { ...after.samples, 502: hostile } },
    }));
    assert.deepEqual(
      samplesOfProbes(bursts, base.totals.samples).map(([id]) => id),
      ['502'],
    );
    for (const width of [40, 80, 120]) {
      const text = renderSummary({ ...base, bursts }, { width, color: false, unicode: true });
      assert.match(text, /\n {2}after {6,}others kept/);
      assert.match(text, /first 502 of a probe, after 1\.00 ms\n {4}HTTP\/1\.1 502/);
      assert.doesNotMatch(text, /\x1b/);
      for (const line of text.split('\n')) assert.ok(line.length <= width, line);
    }
  });
});
