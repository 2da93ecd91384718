/** How a schedule of starts was kept, counted: starts planned and skipped, and how late each of the others was. Mergeable. */
import { checkedCount } from '../result/adds-up.js';
import type { Arrivals } from '../result/result.js';
import { decodedHistogram, type EncodedHistogram, LatencyHistogram } from './histogram.js';

/** As plain JSON data, to send between threads and machines. */
export interface EncodedArrivals {
  readonly planned: number;
  readonly skipped: number;
  readonly late: EncodedHistogram;
}

export class ArrivalsTally {
  #planned = 0;
  #skipped = 0;
  readonly #late = new LatencyHistogram();

  get skipped(): number {
    return this.#skipped;
  }

  plan(starts: number): void {
    this.#planned += starts;
  }

  skip(): void {
    this.#skipped++;
  }

  /** One that was started so long after its planned instant. */
  start(lateMs: number): void {
    this.#late.record(Math.max(0, lateMs));
  }

  merge(other: ArrivalsTally): void {
    this.#planned += other.#planned;
    this.#skipped += other.#skipped;
    this.#late.merge(other.#late);
  }

  encode(): EncodedArrivals {
    const late = { hdr: this.#late.encode(), clamped: this.#late.clamped };
    return { planned: this.#planned, skipped: this.#skipped, late };
  }

  /** @throws Error when it is not what `encode` gives */
  static decode({ planned, skipped, late }: EncodedArrivals): ArrivalsTally {
    const tally = new ArrivalsTally();
    tally.#planned = checkedCount(planned, 'arrivals.planned');
    tally.#skipped = checkedCount(skipped, 'arrivals.skipped');
    tally.#late.merge(decodedHistogram(late));
    return tally;
  }

  /** @param started attempts, which are the starts that were not skipped */
  result(started: number): Arrivals {
    const late = (percentile: number) => (this.#late.count === 0 ? null : this.#late.percentileMs(percentile));
    return {
      planned: this.#planned,
      started,
      skipped: this.#skipped,
      lateP99Ms: late(99),
      lateMaxMs: late(100),
    };
  }
}
