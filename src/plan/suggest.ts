/**
 * "Did you mean": finds the nearest valid word. Independent of profiles, flags and commands, so that all of them use
 * the same suggestions.
 */
import { distance } from 'fastest-levenshtein';

const LONGEST_WORD = 40;
/** From this many letters on, the beginning of a known word counts as that word. */
const SHORTEST_START = 3;

/** The nearest known word, or null when none is close enough to be a typo. Letter case is ignored. */
export function nearest(word: string, known: readonly string[]): string | null {
  if (word.length > LONGEST_WORD) return null;
  // A third of the word may be wrong, and at least two letters of a word over three: `brust` finds `burst`, `foo` does
  // not find `row`.
  const tolerance = Math.max(1, Math.floor(word.length / 3), word.length > 3 ? 2 : 1);
  let best: string | null = null;
  let bestSlips = tolerance + 1;
  for (const candidate of known) {
    const found = slips(word.toLowerCase(), candidate.toLowerCase());
    if (found < bestSlips && found < candidate.length) {
      best = candidate;
      bestSlips = found;
    }
  }
  return best;
}

/**
 * Levenshtein distance, except that two swapped neighbours count as one typo (`rwo` for `row`), and so does a word that
 * is not typed to its end (`simultaneous` for `simultaneous-504`).
 */
function slips(word: string, candidate: string): number {
  if (word.length >= SHORTEST_START && word !== candidate && candidate.startsWith(word)) return 1;
  let least = distance(word, candidate);
  for (let i = 0; i + 1 < word.length; i += 1) {
    const swapped = word.slice(0, i) + word.charAt(i + 1) + word.charAt(i) + word.slice(i + 2);
    least = Math.min(least, 1 + distance(swapped, candidate));
  }
  return least;
}

/** `; did you mean "burst"?`, or an empty text. */
export function didYouMean(word: string, known: readonly string[]): string {
  const found = nearest(word, known);
  return found === null ? '' : `; did you mean "${found}"?`;
}
