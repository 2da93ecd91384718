/**
 * What a storm comes to, mergeable over workers: per client when it was dropped and whether it is back, per attempt its
 * outcome, and both over time. Every number is counted by client, over all clients dropped: those that never came back
 * are part of every share and percentile. Times are ms after the watch began, so that parts can be added.
 */
import { isoMicros } from '../result/iso-time.js';
import type { Storm } from '../result/storm.js';
import { decodedHistogram, type EncodedHistogram, LatencyHistogram } from './histogram.js';
import { type EncodedTally, Tally } from './tally.js';

/** Width of a bin of attempts and opens, ms: the sliding second is known to 1 % of it. */
export const BIN_MS = 10;
const BINS_PER_SECOND = 1000 / BIN_MS;
const BINS_PER_TENTH = 100 / BIN_MS;

/** A worker's part, as plain JSON data. */
export interface EncodedStorm {
  /** Ready when the watch began. */
  readonly fleet: number;
  /** The first drop of each client that was dropped. */
  readonly dropsMs: readonly number[];
  /** When each of those that are back was ready last. */
  readonly returnsMs: readonly number[];
  readonly never: Storm['never'];
  readonly drops: CountExtent;
  /** Of clients that were dropped. */
  readonly attempts: CountExtent;
  readonly tally: EncodedTally;
  /** Attempts that the client gave up by its own timeout. */
  readonly abandoned: number;
  /** How connections were dropped, by the words of sessions.cut, `closed` where this side did it. */
  readonly ends: Readonly<Record<string, number>>;
  readonly attemptBins: readonly number[];
  readonly openBins: readonly number[];
  /**
   * `away`: from a client's first drop until it was back for good. `late`, `started`: how late timers were, and how late
   * attempts started.
   */
  readonly times: Readonly<Partial<Record<'away' | 'late' | 'started', EncodedHistogram>>>;
}

interface CountExtent {
  readonly total: number;
  readonly max: number;
}

/** What a storm's result needs besides the counts. */
export interface StormHeading {
  readonly clients: number;
  readonly policy: string;
  /** This side, or its command, made the drop when the watch began; otherwise t0 is the first drop. */
  readonly isOwnDrop: boolean;
  /** Wall clock at the beginning of the watch, ms since the Unix epoch. */
  readonly beganAt: number;
}

export class StormTally {
  #fleet = 0;
  readonly #drops: number[] = [];
  readonly #returns: number[] = [];
  readonly #away = new LatencyHistogram();
  readonly #never = { gaveUp: 0, stopped: 0, stillTrying: 0 };
  readonly #dropCounts = { total: 0, max: 0 };
  readonly #attemptCounts = { total: 0, max: 0 };
  readonly #tally = new Tally();
  #abandoned = 0;
  readonly #ends = new Map<string, number>();
  readonly #attemptBins: number[] = [];
  readonly #openBins: number[] = [];
  readonly #late = new LatencyHistogram();
  readonly #started = new LatencyHistogram();

  get dropped(): number {
    return this.#drops.length;
  }

  /** Adds a worker's part. */
  add(part: EncodedStorm): void {
    this.#fleet += part.fleet;
    for (const at of part.dropsMs) this.#drops.push(at);
    for (const at of part.returnsMs) this.#returns.push(at);
    this.#away.merge(decodedHistogram(part.times.away));
    for (const way of ['gaveUp', 'stopped', 'stillTrying'] as const) this.#never[way] += part.never[way];
    addExtent(this.#dropCounts, part.drops);
    addExtent(this.#attemptCounts, part.attempts);
    this.#tally.merge(Tally.decode(part.tally));
    this.#abandoned += part.abandoned;
    for (const [word, count] of Object.entries(part.ends)) this.#ends.set(word, (this.#ends.get(word) ?? 0) + count);
    addBins(this.#attemptBins, part.attemptBins);
    addBins(this.#openBins, part.openBins);
    this.#late.merge(decodedHistogram(part.times.late));
    this.#started.merge(decodedHistogram(part.times.started));
  }

  /** @throws Error when clients do not add up: a bug, and no number of this storm can be trusted */
  storm({ clients, policy, isOwnDrop, beganAt }: StormHeading): Omit<Storm, 'bound' | 'validity'> {
    const { gaveUp, stopped, stillTrying } = this.#never;
    const dropped = this.#drops.length;
    if (this.#returns.length + gaveUp + stopped + stillTrying !== dropped)
      throw new Error(`${dropped} clients were dropped, but what became of them adds up to another number`);
    const [first, last] = extremes(this.#drops);
    const t0 = isOwnDrop ? 0 : (first ?? 0);
    const returns = Float64Array.from(this.#returns, (at) => at - t0).sort();
    const at = (share: number) => rankOf(returns, share, dropped);
    const counted = this.#tally.counted();
    const bins = Math.max(this.#attemptBins.length, this.#openBins.length);
    const series = (wide: number) => ({
      attempts: widened(this.#attemptBins, bins, t0, wide),
      opens: widened(this.#openBins, bins, t0, wide),
    });
    return {
      clients,
      fleet: this.#fleet,
      dropped,
      policy,
      droppedAt: dropped === 0 ? null : isoMicros(beganAt + t0),
      dropSpreadMs: first === null || last === null ? null : inMicros(last - first),
      t50Ms: at(0.5),
      t95Ms: at(0.95),
      t99Ms: at(0.99),
      t100Ms: at(1),
      backMs: this.#away.summary(),
      never: { ...this.#never },
      attemptsPerClient: meanAndMax(this.#attemptCounts, dropped),
      dropsPerClient: meanAndMax(this.#dropCounts, dropped),
      attempts: counted.outcomes,
      abandoned: this.#abandoned,
      perSecond: series(BINS_PER_SECOND),
      per100ms: series(BINS_PER_TENTH),
      peakPerSecond: slidingPeak(this.#attemptBins),
      late: lateOf(this.#late, this.#started),
      handshakeMs: counted.latencyMs.handshake,
      ends: Object.fromEntries([...this.#ends].sort(([a], [b]) => (a < b ? -1 : 1))),
      samples: counted.samples,
    };
  }
}

/** The `share`-th of all that were dropped, by rank; null: fewer are back. `returns` are sorted. */
function rankOf(returns: Float64Array, share: number, dropped: number): number | null {
  const rank = Math.ceil(share * dropped);
  return rank < 1 || rank > returns.length ? null : inMicros(returns[rank - 1]);
}

function extremes(values: readonly number[]): readonly [least: number | null, most: number | null] {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return values.length === 0 ? [null, null] : [least, most];
}

function addExtent(sum: { total: number; max: number }, { total, max }: CountExtent): void {
  sum.total += total;
  if (max > sum.max) sum.max = max;
}

function meanAndMax(
  { total, max }: CountExtent,
  clients: number,
): { readonly mean: number; readonly max: number } | null {
  return clients === 0 ? null : { mean: Math.round((total / clients) * 1000) / 1000, max };
}

function addBins(sum: number[], bins: readonly number[]): void {
  while (sum.length < bins.length) sum.push(0);
  for (let i = 0; i < bins.length; i++) sum[i] += bins[i];
}

/** Bins from t0 on, `wide` of them added up to one. */
function widened(bins: readonly number[], length: number, t0: number, wide: number): number[] {
  const from = Math.floor(t0 / BIN_MS);
  const out = new Array<number>(Math.max(0, Math.ceil((length - from) / wide))).fill(0);
  for (let i = from; i < bins.length; i++) out[Math.floor((i - from) / wide)] += bins[i];
  return out;
}

/** The most in any second, wherever it begins. */
function slidingPeak(bins: readonly number[]): number {
  let sum = 0;
  let peak = 0;
  for (let i = 0; i < bins.length; i++) {
    sum += bins[i] - (i >= BINS_PER_SECOND ? bins[i - BINS_PER_SECOND] : 0);
    if (sum > peak) peak = sum;
  }
  return peak;
}

function lateOf(timers: LatencyHistogram, starts: LatencyHistogram): Storm['late'] {
  if (timers.count === 0 || starts.count === 0) return null;
  return {
    p99Ms: timers.percentileMs(99),
    maxMs: timers.maxMs,
    startP99Ms: starts.percentileMs(99),
    startMaxMs: starts.maxMs,
  };
}

function inMicros(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
