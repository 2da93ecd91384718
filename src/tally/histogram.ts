/**
 * A latency histogram: the only user of hdr-histogram-js, with checks. Range 1 µs to 10 min at 3 significant digits, so
 * every value is accurate to 0.1 %; all histograms share these options, so they can be merged, never averaged. Owns the
 * conversion from ms to whole µs; does not know which phase it holds.
 */
import { createRequire } from 'node:module';
import type { Int32Histogram, JsHistogram } from 'hdr-histogram-js';
import { checkedCount } from '../result/adds-up.js';
import type { Summary } from '../result/result.js';

/** What of the library writes and reads the compressed form. */
interface Encoding {
  encodeIntoCompressedBase64(histogram: JsHistogram): string;
  decodeFromCompressedBase64(hdr: string): JsHistogram;
}

const require = createRequire(import.meta.url);
/**
 * The library's files by themselves: the whole of it, with its compression and its WebAssembly, takes as long to load as all
 * else that a worker thread needs, and nothing of that is needed to count.
 */
const { default: Counts } = require('hdr-histogram-js/dist/Int32Histogram.js') as { default: typeof Int32Histogram };

function encoding(): Encoding {
  return require('hdr-histogram-js/dist/encoding.js') as Encoding;
}

const LOWEST_US = 1;
const HIGHEST_US = 600_000_000;
const DIGITS = 3;
/** Our own are under 100 kB even with every bucket in use; a longer text is not worth decompressing. */
const LONGEST_ENCODED = 1_000_000;

/** Steps of a printed distribution in each half of what is left to 100 %: HdrHistogram's own number. */
const TICKS = 5;

/** As plain JSON data. */
export interface EncodedHistogram {
  readonly hdr: string;
  readonly clamped: number;
}

/** Recorded values from `fromMs` (inclusive) to `toMs` (exclusive). */
interface Bar {
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
}

export class LatencyHistogram {
  /** 86 kB of counts, so allocated with the first value: most phases of most tallies stay empty. */
  #counts: Int32Histogram | null = null;
  #clamped = 0;

  /** Values recorded. */
  get count(): number {
    return this.#counts === null ? 0 : this.#counts.totalCount;
  }

  /** Values that were negative or over 10 min and were recorded as 1 µs or 10 min. */
  get clamped(): number {
    return this.#clamped;
  }

  /**
   * Rounds to whole µs; a value that rounds to 0 is recorded as 1 µs, the smallest that the histogram can hold.
   * @throws RangeError for NaN and infinities: the library accepts them and fails later
   */
  record(ms: number): void {
    let us = Math.round(ms * 1000);
    if (!(us > LOWEST_US && us <= HIGHEST_US)) {
      if (!Number.isFinite(ms)) throw new RangeError(`not a latency: ${ms} ms`);
      if (ms < 0 || us > HIGHEST_US) this.#clamped++;
      us = us > HIGHEST_US ? HIGHEST_US : LOWEST_US;
    }
    this.#counts ??= emptyCounts();
    this.#counts.recordValue(us);
  }

  /** Adds every value of `other`, which stays as it is. */
  merge(other: LatencyHistogram): void {
    this.#clamped += other.#clamped;
    if (other.#counts === null) return;
    this.#counts ??= emptyCounts();
    this.#counts.add(other.#counts);
  }

  /** Percentile `p` (0 to 100), ms: the highest value of its bucket. @throws RangeError when the histogram is empty. */
  percentileMs(p: number): number {
    return this.#recorded().getValueAtPercentile(p) / 1000;
  }

  /** Lowest value of the first recorded bucket, ms. @throws RangeError when the histogram is empty. */
  get minMs(): number {
    return this.percentileMs(0);
  }

  /**
   * Highest value of the last recorded bucket, ms, as HdrHistogram defines the maximum: it is the same before and after
   * encoding.
   * @throws RangeError when the histogram is empty
   */
  get maxMs(): number {
    return this.percentileMs(100);
  }

  /** Mean of the buckets' middles, ms, rounded to µs. @throws RangeError when the histogram is empty. */
  get meanMs(): number {
    return Math.round(this.#recorded().mean) / 1000;
  }

  /** null when nothing was recorded. */
  summary(): Summary | null {
    if (this.count === 0) return null;
    return {
      count: this.count,
      min: this.minMs,
      mean: this.meanMs,
      p50: this.percentileMs(50),
      p75: this.percentileMs(75),
      p90: this.percentileMs(90),
      p95: this.percentileMs(95),
      p99: this.percentileMs(99),
      p999: this.percentileMs(99.9),
      max: this.maxMs,
      hdr: this.encode(),
    };
  }

  /** HdrHistogram V2, compressed, base64; values in µs. The clamped count is not part of that format. */
  encode(): string {
    return encoding().encodeIntoCompressedBase64(this.#counts ?? emptyCounts());
  }

  /** Loads what `encode` needs, where its first call would come at a bad moment. */
  static loadEncoding(): void {
    encoding();
  }

  /**
   * Reads what `encode` wrote, here or in another implementation with the same range and digits. `clamped` is the
   * writer's count of clamped values.
   * @throws Error when the text is not such a histogram
   */
  static decode(hdr: string, clamped = 0): LatencyHistogram {
    if (hdr.length > LONGEST_ENCODED) throw new Error(`not a latency histogram: ${hdr.length} characters`);
    const decoded = encoding().decodeFromCompressedBase64(hdr);
    if (
      decoded.lowestDiscernibleValue !== LOWEST_US ||
      decoded.highestTrackableValue !== HIGHEST_US ||
      decoded.numberOfSignificantValueDigits !== DIGITS
    ) {
      throw new Error('not a latency histogram of 1 µs to 10 min with 3 digits');
    }
    const histogram = new LatencyHistogram();
    histogram.#clamped = clamped;
    if (decoded.totalCount > 0) {
      histogram.#counts = emptyCounts();
      histogram.#counts.add(decoded);
    }
    return histogram;
  }

  /** As text, values in ms: what HdrHistogram's own tools print. Without a value, a distribution of none. */
  percentileDistribution(): string {
    return (this.#counts ?? emptyCounts()).outputPercentileDistribution(TICKS, 1000);
  }

  /** The recorded buckets, ascending; their counts add up to `count`. */
  bars(): Bar[] {
    const counts = this.#counts;
    const bars: Bar[] = [];
    if (counts === null) return bars;
    for (let i = 0; i < counts.countsArrayLength; i++) {
      const count = counts.getCountAtIndex(i);
      if (count === 0) continue;
      const from = counts.valueFromIndex(i);
      bars.push({ fromMs: from / 1000, toMs: counts.nextNonEquivalentValue(from) / 1000, count });
    }
    return bars;
  }

  #recorded(): Int32Histogram {
    if (this.#counts === null) throw new RangeError('an empty histogram has no such value');
    return this.#counts;
  }
}

/** Those that hold a value. */
export function encodedHistograms(
  histograms: readonly (readonly [string, LatencyHistogram])[],
): Record<string, EncodedHistogram> {
  const recorded = histograms.filter(([, histogram]) => histogram.count > 0);
  return Object.fromEntries(recorded.map(([key, h]) => [key, { hdr: h.encode(), clamped: h.clamped }]));
}

/** @throws Error when it is no histogram */
export function decodedHistogram(encoded: EncodedHistogram | undefined): LatencyHistogram {
  if (encoded === undefined) return new LatencyHistogram();
  return LatencyHistogram.decode(encoded.hdr, checkedCount(encoded.clamped, 'clamped'));
}

/** Fixed range: values are clamped before they are recorded, so a resize could only hide a mistake. */
function emptyCounts(): Int32Histogram {
  const counts = new Counts(LOWEST_US, HIGHEST_US, DIGITS);
  counts.autoResize = false;
  return counts;
}
