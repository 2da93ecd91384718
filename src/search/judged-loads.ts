/**
 * What the bursts so far say about each load (docs/method.md, "Classes and bounds"): counts, class, decisions, and the
 * relevant bounds after MLRsearch (draft-ietf-bmwg-mlrsearch). Recomputed from the history each time: it is short, and
 * two copies cannot disagree. Does not decide what to try next.
 */
import { goodWeight, type SearchOptions } from './search-options.js';
import type { Fired, SearchState } from './state.js';

export interface JudgedLoad {
  readonly size: number;
  n: number;
  good: number;
  bad: number;
  marginal: number;
  freshGood: number;
  freshBad: number;
  staleBad: number;
  launched: number;
  /** Missed handshakes of each objective, over all bursts. */
  failed: number[];
}

/** After this many marginal bursts at an undecided load, its pooled share decides. */
const MARGINALS_TO_POOL = 2;
/**
 * A load is decided to be bad only after this many bad bursts on a rested target (docs/method.md, "Deciding a load").
 */
const FRESH_BADS = 2;
const ROUNDING = 1e-9;

export class Loads {
  readonly #options: SearchOptions;
  /** In the order in which they were first tried. */
  readonly #bySize = new Map<number, JudgedLoad>();

  constructor(state: Pick<SearchState, 'options' | 'history' | 'freshMode'>) {
    this.#options = state.options;
    for (const fired of state.history) {
      if (fired.counts === null || (state.freshMode && fired.counts === 'stale')) continue;
      let load = this.#bySize.get(fired.size);
      if (load === undefined) {
        load = emptyLoad(fired.size, state.options.objectives.length);
        this.#bySize.set(fired.size, load);
      }
      addTo(load, fired);
    }
  }

  get(size: number): JudgedLoad | null {
    return this.#bySize.get(size) ?? null;
  }

  all(): JudgedLoad[] {
    return [...this.#bySize.values()];
  }

  /** Number of bursts at `size`. */
  bursts(size: number): number {
    return this.#bySize.get(size)?.n ?? 0;
  }

  freshBads(size: number): number {
    return this.#bySize.get(size)?.freshBad ?? 0;
  }

  /** Lead of good over bad bursts, in units of bad bursts. */
  score(size: number): number {
    const load = this.#bySize.get(size);
    if (load === undefined) return 0;
    const score = load.good * goodWeight(this.#options.quantile) - load.bad;
    return Math.abs(score) < ROUNDING ? 0 : score;
  }

  classOf(size: number): 'good' | 'bad' | 'undecided' {
    const load = this.#bySize.get(size);
    if (load === undefined) return 'undecided';
    const score = this.score(size);
    if (score !== 0) return score > 0 ? 'good' : 'bad';
    if (load.marginal < MARGINALS_TO_POOL && load.n < this.#options.cap) return 'undecided';
    const missed = this.#options.objectives.some(
      ({ share }, i) => load.failed[i] > load.launched * (1 - share) + ROUNDING,
    );
    return missed ? 'bad' : 'good';
  }

  isDecidedGood(size: number): boolean {
    return this.score(size) >= this.#options.lead - ROUNDING;
  }

  isOutvoted(size: number): boolean {
    return this.score(size) <= -this.#options.lead + ROUNDING;
  }

  isDecidedBad(size: number): boolean {
    return this.isOutvoted(size) && this.freshBads(size) >= FRESH_BADS;
  }

  needsFresh(size: number): boolean {
    return this.freshBads(size) < FRESH_BADS;
  }

  sizesOf(kind: 'good' | 'bad' | 'undecided'): number[] {
    return [...this.#bySize.keys()].filter((size) => this.classOf(size) === kind);
  }

  /**
   * hi: the smallest bad load; lo: the largest good one below it, which is the conservative choice when loads
   * contradict each other. But a load whose badness is not decided does not count against a larger one that is decided
   * to be good: otherwise a few outlier bursts at a small load would hold the search there until its budget is used up.
   */
  bounds(): { lo: number | null; hi: number | null } {
    const decidedGood = largest([...this.#bySize.keys()].filter((size) => this.isDecidedGood(size))) ?? 0;
    const hi = least(this.sizesOf('bad').filter((size) => size > decidedGood || this.isOutvoted(size)));
    const lo = largest(this.sizesOf('good').filter((size) => hi === null || size < hi));
    return { lo, hi };
  }
}

export function least(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.min(...values);
}

export function largest(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.max(...values);
}

export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function emptyLoad(size: number, objectives: number): JudgedLoad {
  return {
    size,
    n: 0,
    good: 0,
    bad: 0,
    marginal: 0,
    freshGood: 0,
    freshBad: 0,
    staleBad: 0,
    launched: 0,
    failed: new Array<number>(objectives).fill(0),
  };
}

function addTo(load: JudgedLoad, { verdict, counts, facts }: Fired): void {
  const isFresh = counts === 'fresh';
  load.n++;
  load.launched += facts.launched;
  for (const [i, [, most]] of facts.failed.entries()) load.failed[i] += most;
  if (verdict === 'good') {
    load.good++;
    if (isFresh) load.freshGood++;
  } else if (verdict === 'bad') {
    load.bad++;
    if (isFresh) load.freshBad++;
    else load.staleBad++;
  } else {
    load.marginal++;
  }
}
