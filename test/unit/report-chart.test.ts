import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { renderHistogram } from '#dist/report/terminal/chart.js';
import { columnsOf } from '#dist/report/terminal/text-width.js';
import { LatencyHistogram } from '#dist/tally/histogram.js';

const OPTIONS = { width: 80, rows: 14, unicode: true };

function histogram(values: readonly number[]): LatencyHistogram {
  const made = new LatencyHistogram();
  for (const value of values) made.record(value);
  return made;
}

function times(count: number, atMs: (i: number) => number): number[] {
  return Array.from({ length: count }, (_, i) => atMs(i));
}

interface Drawn {
  readonly label: string;
  readonly count: number;
  readonly cells: number;
  readonly failures: string | null;
}

function parsed(lines: readonly string[]): Drawn[] {
  return lines.map((line) => {
    const [, label, count, bar, failures] =
      /^ +((?:⋮ )?[\d.,–]+ (?:µs|ms|s)) +([\d,]+) ?([▏▎▍▌▋▊▉█]*) *(?:▒+ (.*))?$/.exec(line) ?? [];
    assert.notEqual(label, undefined, `no row: ${line}`);
    return { label, count: Number(count.replaceAll(',', '')), cells: bar.length, failures: failures ?? null };
  });
}

function drawn(ok: readonly number[] | null, failures: Readonly<Record<string, readonly number[]>> = {}): Drawn[] {
  const failed = Object.entries(failures).map(([id, values]) => ({ id, histogram: histogram(values) }));
  return parsed(renderHistogram(ok === null ? null : histogram(ok), failed, OPTIONS));
}

describe('the drawn histogram', () => {
  it('shows a ramp as rows nearly equal, and the cluster of 504s right after it', () => {
    const rows = drawn(
      times(200, (i) => 5 * i + 4.3),
      { 504: times(300, (i) => 1000.2 + i / 50) },
    );
    assert.equal(rows.length, 11);
    const ramp = rows.slice(0, 10);
    assert.deepEqual(
      ramp.map(({ count }) => count),
      times(10, () => 20),
    );
    assert.deepEqual(rows[0].label, '0–100 ms');
    assert.ok(ramp.every(({ failures, cells }) => failures === null && cells > 20));
    assert.deepEqual(rows[10], { label: '1,000–1,100 ms', count: 0, cells: 0, failures: '300 × 504' });
  });

  it('shows a staircase of five steps as five rows apart', () => {
    const rows = drawn(times(500, (i) => 100 * (1 + Math.floor(i / 100)) + (i % 10) / 10));
    const steps = rows.filter(({ count }) => count > 0);
    assert.deepEqual(
      steps.map(({ count }) => count),
      [100, 100, 100, 100, 100],
    );
    assert.equal(rows.length, 9);
    assert.ok(rows.every(({ count }, i) => count > 0 === (i % 2 === 0)));
  });

  it('chooses a logarithmic axis when values spread over decades', () => {
    const rows = drawn(times(1000, (i) => 0.5 * 2 ** (i / 100)));
    assert.equal(rows[0].label, '0.5–1 ms');
    assert.match(rows[1].label, /^1–2 ms$/);
    assert.match(rows[2].label, /^2–5 ms$/);
    assert.ok(rows.filter(({ count }) => count > 50).length >= 7);
  });

  it('zooms into a cluster and tells its outlier beside the scale', () => {
    const rows = drawn([...times(999, (i) => 20 + (i % 37) / 10), 500]);
    assert.ok(rows.filter(({ count }) => count > 50).length >= 6);
    assert.deepEqual(rows.at(-1), { label: '⋮ 500 ms', count: 1, cells: 1, failures: null });
  });

  it('keeps far failures apart from each other', () => {
    const rows = drawn(
      times(100, (i) => 5 + i / 20),
      { refused: [0.2, 0.2, 0.2], 504: times(40, () => 60_000), 'timeout-upgrade': times(10, () => 75_001) },
    );
    assert.equal(rows[0].failures, '3 × refused');
    assert.match(rows.at(-2)?.label ?? '', /^⋮ 60 s$/);
    assert.equal(rows.at(-2)?.failures, '40 × 504');
    assert.equal(rows.at(-1)?.failures, '10 × timeout-upgrade');
  });

  it('draws failures alone when nothing succeeded, and nothing of nothing', () => {
    const rows = drawn(null, { 502: times(50, (i) => 3000 + i) });
    assert.ok(rows.every(({ count, failures }) => count === 0 && (failures === null || failures.endsWith('× 502'))));
    assert.deepEqual(renderHistogram(null, [], OPTIONS), []);
    assert.deepEqual(renderHistogram(new LatencyHistogram(), [], OPTIONS), []);
  });

  it('is ASCII where it has to be', () => {
    const failures = [{ id: '504', histogram: histogram([900]) }];
    const lines = renderHistogram(histogram([0.1, 0.5]), failures, { ...OPTIONS, unicode: false });
    assert.match(lines.join('\n'), /^[\n -~]+$/);
  });

  it('counts every value once, in at most 14 rows that fit, whatever the values', () => {
    const value = fc.oneof(
      fc.double({ min: 0.001, max: 600_000, noNaN: true }),
      fc.double({ min: 0.001, max: 50, noNaN: true }),
      fc.constantFrom(0.001, 1, 10, 100, 1000, 60_000, 600_000),
    );
    const property = fc.property(
      fc.array(value, { maxLength: 150 }),
      fc.array(value, { maxLength: 60 }),
      fc.integer({ min: 60, max: 120 }),
      (ok, failed, width) => {
        const lines = renderHistogram(histogram(ok), [{ id: '504', histogram: histogram(failed) }], {
          ...OPTIONS,
          width,
        });
        assert.ok(lines.length <= 14, lines.join('\n'));
        for (const line of lines) assert.ok(columnsOf(line) <= width, line);
        const rows = parsed(lines);
        const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
        assert.equal(sum(rows.map(({ count }) => count)), ok.length);
        const told = rows.map(({ failures }) => Number(/^([\d,]+) × 504$/.exec(failures ?? '0 × 504')?.[1]));
        assert.equal(sum(told), failed.length);
      },
    );
    fc.assert(property, { numRuns: 100, seed: 11 });
  });
});
