/**
 * From the parts of a run to its totals. Keeps two sums that must not be mixed: what happened (every attempt counts),
 * and what the target is judged by (without invalid bursts). They grow part by part, so that a run of days keeps no
 * more of a burst than its row in the result.
 */
import type { Counted, Totals, Validity } from '../result/result.js';
import { Tally } from './tally.js';

/** One burst, or one churn stage. */
export interface Part {
  readonly tally: Tally;
  readonly validity: Validity;
  readonly launched: number;
  /** Handshakes per second; null for a burst. */
  readonly rate: number | null;
  /** A search overloads its target on purpose, so only the search judges its bursts. */
  readonly isOfSearch: boolean;
}

interface Sum {
  readonly counted: Counted;
  readonly launched: number;
  readonly rate: number | null;
}

export interface Sums {
  /** Every attempt of the run. */
  readonly all: Sum;
  /**
   * What thresholds are judged on: valid and suspect parts. An invalid part counts neither against nor for the target.
   */
  readonly judged: Sum;
}

export class RunningSums {
  readonly #all = new RunningSum();
  readonly #judged = new RunningSum();

  /** `part` stays unchanged. */
  add(part: Part): void {
    this.#all.add(part);
    if (part.validity.verdict !== 'invalid' && !part.isOfSearch) this.#judged.add(part);
  }

  /** The sums with one more part, which is not kept. */
  with(part: Part): Sums {
    const counts = part.validity.verdict !== 'invalid' && !part.isOfSearch;
    return { all: this.#all.with(part), judged: counts ? this.#judged.with(part) : this.#judged.sum() };
  }

  /** The current sums. */
  sums(): Sums {
    return { all: this.#all.sum(), judged: this.#judged.sum() };
  }
}

/** `validity` is the verdict of the whole run (`judgeRun`). */
export function totalsOf({ counted, launched, rate }: Sum, validity: Validity): Totals {
  return { ...counted, validity, launched, rate };
}

class RunningSum {
  readonly #tally = new Tally();
  #launched = 0;
  readonly #rated: { readonly rate: number; readonly handshakes: number }[] = [];

  add({ tally, launched, rate }: Part): void {
    this.#tally.merge(tally);
    this.#launched += launched;
    if (rate !== null) this.#rated.push({ rate, handshakes: tally.count('101') });
  }

  with(part: Part): Sum {
    const more = new RunningSum();
    more.#tally.merge(this.#tally);
    more.#launched = this.#launched;
    more.#rated.push(...this.#rated);
    more.add(part);
    return more.sum();
  }

  sum(): Sum {
    return { counted: this.#tally.counted(), launched: this.#launched, rate: this.#rate() };
  }

  /**
   * Handshakes of all rated parts over the time that they took, not the mean of the rates. A part that got none has no
   * known length; it makes the rate of all 0 rather than vanish from it.
   */
  #rate(): number | null {
    const rated = this.#rated;
    if (rated.length <= 1) return rated[0]?.rate ?? null;
    if (rated.some(({ rate, handshakes }) => rate === 0 || handshakes === 0)) return 0;
    const handshakes = rated.reduce((sum, part) => sum + part.handshakes, 0);
    const seconds = rated.reduce((sum, part) => sum + part.handshakes / part.rate, 0);
    return handshakes / seconds;
  }
}
