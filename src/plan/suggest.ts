/**
 * "Did you mean": the nearest of the words that would have been right. Knows nothing about profiles, flags or commands, so
 * that all of them ask it the same way.
 */
import { distance } from 'fastest-levenshtein';

/** The nearest known word, or null when none is near enough to be a slip of the fingers. Case does not count. */
export function nearest(word: string, known: readonly string[]): string | null {
  const wanted = word.toLowerCase();
  // A third of the word may be wrong, at least one letter: `brust` finds `burst`, `x` finds nothing.
  const tolerance = Math.max(1, Math.floor(word.length / 3), word.length > 3 ? 2 : 1);
  let best: string | null = null;
  let bestDistance = tolerance + 1;
  for (const candidate of known) {
    const d = distance(wanted, candidate.toLowerCase());
    if (d < bestDistance && d < candidate.length) {
      best = candidate;
      bestDistance = d;
    }
  }
  return best;
}

/** `; did you mean "burst"?`, or an empty text. */
export function didYouMean(word: string, known: readonly string[]): string {
  const found = nearest(word, known);
  return found === null ? '' : `; did you mean "${found}"?`;
}
