/**
 * Randomness by position: the n-th value of a stream is computed from (seed, n) alone. So workers need no shared state,
 * and a run with the same seed draws the same rows with any number of workers. Not for keys or masks, which must be
 * unpredictable.
 */

// The finalizer of MurmurHash3 (Appleby, public domain): every input bit reaches every output bit.
function mix(word: number): number {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const HIGH_WORD = 2 ** 32;

/** 32 random bits for a position; `lane` separates several values for one position. All three are integers ≥ 0. */
export function bitsAt(seed: number, index: number, lane: number): number {
  let h = mix((seed % HIGH_WORD) ^ 0x9e3779b9);
  h = mix(h ^ Math.floor(seed / HIGH_WORD));
  h = mix((h + (index % HIGH_WORD)) | 0);
  h = mix((h ^ Math.floor(index / HIGH_WORD)) + 0x6d2b79f5);
  return mix((h + Math.imul(lane + 1, 0x9e3779b1)) | 0);
}

/** A number in [0, 1) with 53 random bits. */
export function randomAt(seed: number, index: number, lane = 0): number {
  const high = bitsAt(seed, index, 2 * lane) >>> 5;
  const low = bitsAt(seed, index, 2 * lane + 1) >>> 6;
  return (high * 67_108_864 + low) / 9_007_199_254_740_992;
}

const UUID_LANES = 1000;

/** A version 4 UUID in form (RFC 9562 section 5.4), determined by seed and index. */
export function uuidAt(seed: number, index: number): string {
  const hex = [0, 1, 2, 3]
    .map((i) =>
      bitsAt(seed, index, UUID_LANES + i)
        .toString(16)
        .padStart(8, '0'),
    )
    .join('');
  const variant = '89ab'[Number.parseInt(hex.charAt(16), 16) & 3];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}
