/**
 * The permutation test of two means as an interval of their difference. For shares, of which most are equal (every burst
 * whole): ranks could not tell 5 whole bursts of 5 from 1 of 5, and the mean of all divisions of the values can, as exactly
 * as Fisher's test. Every division that exchanges k values of either side gives one difference at which it ties with the
 * division that was seen; the interval lies between two of these differences, sorted, as that of the rank-sum test does.
 */
import { randomAt } from '../plan/random.js';
import type { Shift } from './rank-sum.js';

/** Divisions that are all tried: 10 and 10 values have so many. */
const MOST_DIVISIONS = 184_756;
/** Beyond that, this many drawn ones. */
const DRAWN = 9_999;
const SEED = 1;
/** Shares are sums of quotients: a difference below this is rounding. */
const ROUNDING = 1e-12;

/** The difference of the means, and its interval at 1 - `alpha`. */
export function meanShift(before: readonly number[], after: readonly number[], alpha: number): Shift {
  const divisions = binomial(before.length + after.length, before.length);
  const ties = divisions <= MOST_DIVISIONS ? allTies(before, after) : drawnTies(before, after);
  const sorted = ties.map(rounded).sort();
  // The division that was seen counts too.
  const place = Math.floor((alpha / 2) * (sorted.length + 1) * (1 + 1e-12));
  return {
    estimate: rounded(meanOf(after) - meanOf(before)),
    interval: place === 0 ? null : [sorted[place - 1], sorted[sorted.length - place]],
  };
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function rounded(value: number): number {
  return Math.abs(value) < ROUNDING ? 0 : value;
}

function allTies(before: readonly number[], after: readonly number[]): Float64Array {
  const most = Math.min(before.length, after.length);
  const [early, late] = [before, after].map((values) => sumsBySize(values, most));
  const ties: number[] = [];
  for (let size = 1; size <= most; size++) {
    for (const given of late[size]) for (const taken of early[size]) ties.push((given - taken) / size);
  }
  return Float64Array.from(ties);
}

/** The sums of all subsets of 0, 1, 2, … `most` of the values. */
function sumsBySize(values: readonly number[], most: number): number[][] {
  const sums: number[][] = Array.from({ length: most + 1 }, () => []);
  sums[0].push(0);
  for (const value of values) {
    for (let size = most; size >= 1; size--) for (const sum of [...sums[size - 1]]) sums[size].push(sum + value);
  }
  return sums;
}

function drawnTies(before: readonly number[], after: readonly number[]): Float64Array {
  const values = [...before, ...after];
  const places = values.map((_, place) => place);
  const ties = new Float64Array(DRAWN);
  for (let drawn = 0, draw = 0; drawn < DRAWN; draw++) {
    const { size, difference } = divide(values, places, before.length, draw);
    if (size > 0) ties[drawn++] = difference / size;
  }
  return ties;
}

/** Puts random values on the first side (`places` is reordered); `size`: how many of them came from the second one. */
function divide(
  values: readonly number[],
  places: number[],
  first: number,
  draw: number,
): { readonly size: number; readonly difference: number } {
  for (let i = 0; i < first; i++) {
    const other = i + Math.floor(randomAt(SEED, draw, i) * (places.length - i));
    [places[i], places[other]] = [places[other], places[i]];
  }
  let size = 0;
  let difference = 0;
  for (const [i, place] of places.entries()) {
    if (i < first && place >= first) {
      size++;
      difference += values[place];
    } else if (i >= first && place < first) difference -= values[place];
  }
  return { size, difference };
}

function binomial(n: number, k: number): number {
  let product = 1;
  for (let i = 1; i <= k; i++) product = (product * (n - k + i)) / i;
  return Math.round(product);
}
