/** Quantiles of the normal distribution and of Student's t, as far as intervals and sample sizes need them. */

/** Acklam's rational approximation (2003); its relative error is below 1.2e-9. */
const INNER = [
  -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239,
];
const INNER_BELOW = [
  -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1,
];
const TAIL = [
  -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
];
const TAIL_BELOW = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1];
const TAIL_FROM = 0.02425;

/** @param p between 0 and 1, both excluded */
export function normalQuantile(p: number): number {
  if (p > 0.5) return -normalQuantile(1 - p);
  if (p < TAIL_FROM) {
    const tail = Math.sqrt(-2 * Math.log(p));
    return polynomial(TAIL, tail) / polynomial(TAIL_BELOW, tail);
  }
  const centred = p - 0.5;
  const square = centred * centred;
  return (polynomial(INNER, square) * centred) / polynomial(INNER_BELOW, square);
}

function polynomial(coefficients: readonly number[], at: number): number {
  return coefficients.reduce((sum, coefficient) => sum * at + coefficient, 0);
}

/** The first terms of the expansion around the normal quantile; within 1 % from 4 degrees of freedom on, for p up to 0.995. */
export function studentQuantile(p: number, degrees: number): number {
  const z = normalQuantile(p);
  const first = (z ** 3 + z) / 4;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  return z + first / degrees + second / degrees ** 2 + third / degrees ** 3;
}
