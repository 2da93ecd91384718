/**
 * Splits a number of attempts over workers or agents so that nothing is lost to rounding.
 */

/**
 * Shares of `total` for `parts` takers, the larger ones first; they differ by at most 1 and add up to `total`.
 * @throws RangeError when `total` is not a count or `parts` is below 1
 */
export function splitShares(total: number, parts: number): number[] {
  if (!Number.isSafeInteger(total) || total < 0) throw new RangeError(`cannot split ${total}: not a count`);
  if (!Number.isSafeInteger(parts) || parts < 1) throw new RangeError(`cannot split over ${parts} parts`);
  const least = Math.floor(total / parts);
  const larger = total - least * parts;
  const shares = Array.from({ length: parts }, (_, i) => (i < larger ? least + 1 : least));
  const sum = shares.reduce((a, b) => a + b, 0);
  if (sum !== total) throw new Error(`the shares add up to ${sum} instead of ${total}`);
  return shares;
}
