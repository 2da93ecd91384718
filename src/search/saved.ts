/**
 * Checks whether a saved state is one that the search could have written: the rules over several keys, which a schema
 * cannot express. Its shape has been checked before (result/saved-search.ts), and so have its options, which must equal
 * the requested ones.
 */
import type { Fired, SearchState } from './state.js';

/** The end of a sentence that says what is wrong, or null. */
export function savedProblem(state: SearchState): string | null {
  const { options, history, startedAtMs, lastAtMs, shot, inFlight, restore, sweep, baseline, canary } = state;
  if (lastAtMs < startedAtMs) return 'it was last heard of before it began';
  if (history.length > options.budget) return 'it has more bursts than it may';
  const odd = history.findIndex((fired, place) => !isPossible(fired, place, state));
  if (odd !== -1) return `entry ${odd} of its history`;
  const isSize = (size: number) => size >= 1 && size <= options.max;
  if (shot !== null && !isSize(shot.size)) return 'the burst that it was about to fire';
  if (inFlight !== null && shot === null) return 'a burst in flight that was never asked for';
  if (restore !== null && (restore.at >= restore.loads.length || !restore.loads.every(isSize))) return 'its recovery';
  if (restore !== null && restore.missed !== null && restore.missed >= history.length) return 'its recovery';
  if (sweep !== null && (sweep.at >= sweep.sizes.length || !sweep.sizes.every(isSize))) return 'its down-sweep';
  if (baseline.some(({ attempted, survived }) => survived > attempted)) return 'its baseline';
  return canary.failed > canary.handshakes ? 'its canaries' : null;
}

function isPossible(fired: Fired, place: number, { options }: SearchState): boolean {
  const { index, size, facts, binding, verdict, counts, startedAtMs, endedAtMs } = fired;
  const { objectives } = options;
  return (
    index === place &&
    size >= 1 &&
    size <= options.max &&
    endedAtMs >= startedAtMs &&
    facts.launched <= size &&
    facts.survived <= facts.launched &&
    facts.failed.length === objectives.length &&
    facts.failed.every(([fewest, most]) => fewest <= most && most <= facts.launched) &&
    (binding === null || binding <= objectives.length) &&
    (verdict !== 'invalid' || counts === null)
  );
}
