/**
 * The times of failures by outcome, and how many outcomes have a histogram of their own in a result: a target that
 * answers with hundreds of statuses must not fill the file with histograms.
 */
import { type OutcomeId, outcomeCode, outcomeId } from '../names/outcomes.js';
import { assertOutcome } from '../result/adds-up.js';
import type { Outcomes, Summary } from '../result/result.js';
import { decodedHistogram, type EncodedHistogram, encodedHistograms, LatencyHistogram } from './histogram.js';

/** As many as there are samples of. */
const MOST_ROWS = 40;
const OTHER_OUTCOMES = '(other)';

export class FailureTimes {
  readonly #byCode = new Map<number, LatencyHistogram>();
  /** Times that a saved result holds under `(other)`. */
  readonly #other = new LatencyHistogram();

  of(code: number): LatencyHistogram {
    let histogram = this.#byCode.get(code);
    if (histogram === undefined) {
      histogram = new LatencyHistogram();
      this.#byCode.set(code, histogram);
    }
    return histogram;
  }

  get clamped(): number {
    return [this.#other, ...this.#byCode.values()].reduce((sum, { clamped }) => sum + clamped, 0);
  }

  merge(other: FailureTimes): void {
    this.#other.merge(other.#other);
    for (const [code, histogram] of other.#byCode) this.of(code).merge(histogram);
  }

  /** All of them, also the rare ones. */
  encode(): Record<string, EncodedHistogram> {
    const rows: [string, LatencyHistogram][] = [...this.#byCode]
      .sort(([a], [b]) => a - b)
      .map(([code, histogram]) => [outcomeId(code), histogram]);
    return encodedHistograms([...rows, [OTHER_OUTCOMES, this.#other]]);
  }

  static decode(data: Readonly<Record<string, EncodedHistogram>>): FailureTimes {
    const times = new FailureTimes();
    for (const [id, encoded] of Object.entries(data)) {
      if (id !== OTHER_OUTCOMES) assertOutcome(id);
      const into = id === OTHER_OUTCOMES ? times.#other : times.of(outcomeCode(id));
      into.merge(decodedHistogram(encoded));
    }
    return times;
  }

  /**
   * For every failure that occurred; null when none of its attempts has a known time. Of more than 40, the rarest share
   * the row `(other)`.
   */
  summaries(outcomes: Outcomes): Record<string, Summary | null> {
    const failed = Object.keys(outcomes).filter((id) => id !== '101') as OutcomeId[];
    const frequent = [...failed].sort((a, b) => (outcomes[b] ?? 0) - (outcomes[a] ?? 0));
    const own = new Set(frequent.slice(0, MOST_ROWS));
    const rest = new LatencyHistogram();
    rest.merge(this.#other);
    for (const id of frequent.slice(MOST_ROWS)) rest.merge(this.of(outcomeCode(id)));
    const rows: [string, Summary | null][] = failed
      .filter((id) => own.has(id))
      .map((id) => [id, this.#byCode.get(outcomeCode(id))?.summary() ?? null]);
    return Object.fromEntries(rest.count === 0 ? rows : [...rows, [OTHER_OUTCOMES, rest.summary()]]);
  }
}
