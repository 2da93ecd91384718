/**
 * The knee (docs/method.md, "The knee"), informational: the load from which more load brought almost no more handshakes
 * per second. Two models are fitted to survivors divided by makespan, at loads that did not fail: the universal
 * scalability law (Gunther), for a queue that grows gradually, and two straight lines on log axes, for a hard ceiling.
 * The model with the smaller residual is reported by name. No verdict depends on it.
 */
import type { Knee } from '../../result/drop-off.js';

export interface Throughput {
  readonly size: number;
  /** Survivors per second. */
  readonly rate: number;
}

/** With fewer loads, a curve with three or four parameters says nothing. */
const FEWEST_LOADS = 6;
/** Number of breakpoints that are tried for the two lines. */
const BREAKPOINTS = 200;
/** Change of slope on log axes that counts as a knee. */
const LEAST_BEND = 0.2;

/** null: too few loads, or neither model bends within the loads that were tried. */
export function kneeOf(points: readonly Throughput[]): Knee | null {
  const heard = points.filter(({ size, rate }) => size > 0 && rate > 0);
  const sizes = heard.map(({ size }) => size);
  if (new Set(sizes).size < FEWEST_LOADS) return null;
  const usl = fitUsl(heard);
  const lines = fitTwoSegments(heard);
  if (usl === null && lines === null) return null;
  const best = usl !== null && (lines === null || usl.misfit <= lines.misfit) ? usl : lines;
  if (best?.knee === undefined || best.knee <= Math.min(...sizes) || best.knee > Math.max(...sizes)) return null;
  const other = best === usl ? lines : usl;
  return {
    model: best === usl ? 'usl' : 'two-segment',
    size: Math.round(best.knee),
    misfit: best.misfit,
    otherMisfit: other?.misfit ?? best.misfit,
    peak: best.peak === null ? null : Math.round(best.peak),
  };
}

interface Fit {
  readonly knee: number;
  readonly peak: number | null;
  readonly misfit: number;
}

/**
 * X(N) = r N / (1 + a (N − 1) + b N (N − 1)): N / X is linear in 1, N − 1, N (N − 1), fitted by relative squares. The
 * knee is where queueing costs as much as the service itself: a (N − 1) + b N (N − 1) = 1.
 */
function fitUsl(points: readonly Throughput[]): Fit | null {
  const fit = (withRetrograde: boolean) => {
    const rows = points.map(({ size, rate }) => {
      const weight = rate / size;
      const terms = [1, size - 1, ...(withRetrograde ? [size * (size - 1)] : [])];
      return { terms: terms.map((term) => term * weight), value: 1 };
    });
    return leastSquares(rows);
  };
  const full = fit(true);
  const solved = full !== null && full[1] >= 0 && full[2] >= 0 ? full : fit(false);
  if (solved === null || solved[0] <= 0 || solved[1] < 0) return null;
  const a = solved[1] / solved[0];
  const b = (solved[2] ?? 0) / solved[0];
  const model = (n: number) => Math.log(n / (solved[0] * (1 + a * (n - 1) + b * n * (n - 1))));
  const knee = b > 0 ? (b - a + Math.sqrt((b - a) ** 2 + 4 * b * (1 + a))) / (2 * b) : a > 0 ? 1 + 1 / a : Number.NaN;
  if (!Number.isFinite(knee)) return null;
  return { knee, peak: b > 0 && a < 1 ? Math.sqrt((1 - a) / b) : null, misfit: misfitOf(points, model, 3) };
}

/** ln X = c + s x + u max(0, x − k) with x = ln N, for the bend k with the smallest residual. */
function fitTwoSegments(points: readonly Throughput[]): Fit | null {
  const xs = points.map(({ size }) => Math.log(size));
  const first = Math.min(...xs);
  const stride = (Math.max(...xs) - first) / BREAKPOINTS;
  let best: Fit | null = null;
  for (let i = 1; i < BREAKPOINTS; i++) {
    const bend = first + stride * i;
    const terms = (x: number) => [1, x, Math.max(0, x - bend)];
    const solved = leastSquares(points.map(({ rate }, j) => ({ terms: terms(xs[j]), value: Math.log(rate) })));
    if (solved === null || solved[2] > -LEAST_BEND) continue;
    const model = (n: number) => terms(Math.log(n)).reduce((sum, term, j) => sum + term * solved[j], 0);
    const misfit = misfitOf(points, model, 4);
    if (best === null || misfit < best.misfit) best = { knee: Math.exp(bend), peak: null, misfit };
  }
  return best;
}

/** Root mean square of ln(measured / model); each parameter costs one degree of freedom. */
function misfitOf(points: readonly Throughput[], model: (n: number) => number, parameters: number): number {
  const sum = points.reduce((total, { size, rate }) => total + (Math.log(rate) - model(size)) ** 2, 0);
  return Math.sqrt(sum / Math.max(1, points.length - parameters));
}

interface KneeRow {
  readonly terms: readonly number[];
  readonly value: number;
}

/** Normal equations, solved by elimination with scaled columns; null when they have no unique solution. */
function leastSquares(rows: readonly KneeRow[]): number[] | null {
  const width = rows[0].terms.length;
  const scales = Array.from({ length: width }, (_, j) =>
    Math.sqrt(rows.reduce((sum, row) => sum + row.terms[j] ** 2, 0)),
  );
  if (scales.includes(0)) return null;
  const matrix = scales.map((scale, j) => [
    ...scales.map((other, k) => rows.reduce((sum, { terms }) => sum + (terms[j] / scale) * (terms[k] / other), 0)),
    rows.reduce((sum, { terms, value }) => sum + (terms[j] / scale) * value, 0),
  ]);
  for (let j = 0; j < width; j++) {
    const pivot = matrix.slice(j).reduce((best, row) => (Math.abs(row[j]) > Math.abs(best[j]) ? row : best));
    if (Math.abs(pivot[j]) < 1e-12) return null;
    const place = matrix.indexOf(pivot);
    [matrix[j], matrix[place]] = [pivot, matrix[j]];
    for (const row of matrix) {
      if (row === pivot) continue;
      const factor = row[j] / pivot[j];
      for (let k = j; k <= width; k++) row[k] -= factor * pivot[k];
    }
  }
  return matrix.map((row, j) => row[width] / row[j] / scales[j]);
}
