/**
 * The Tally: mergeable counts and histograms of one shard, one burst or one run. It owns the rules of what is counted
 * where (latencies of successes and failures apart, phases by how far an attempt got) and the invariant that attempts
 * equal the sum of outcomes, checked before encoding and after decoding. It does not know who measured, or when.
 */

import {
  type NamedOutcomeId,
  OUTCOME_CODES,
  type OutcomeId,
  openedOf,
  outcomeCode,
  outcomeId,
} from '../names/outcomes.js';
import { BOUNDED_PHASES, type BoundedPhase, PHASES, type Phase } from '../names/phases.js';
import { assertKernel, assertOutcome, assertSessions, assertSum, checkedCount, knownOf } from '../result/adds-up.js';
import type { Counted, KernelCounts, LatencyLowerMs, LatencyMs, Outcomes, Sample, Sessions } from '../result/result.js';
import { FailureTimes } from './failure-times.js';
import { decodedHistogram, type EncodedHistogram, encodedHistograms, LatencyHistogram } from './histogram.js';
import { type KernelSaid, KernelTally } from './kernel-counts.js';
import { type EncodedSessions, SessionTally, type SessionTimes } from './session-tally.js';

/** Text from a target must not grow memory: distinct details per outcome, and characters per detail. */
const MOST_DETAILS = 20;
const LONGEST_DETAIL = 200;
const OTHER_DETAILS = '(other)';

const SWITCHED = 101;
const LOWEST_CODE = 100;

/**
 * One ended attempt. The engine reuses one object, so nothing here may be kept. Times in ms; NaN = the attempt did not
 * reach that phase, or its lower bound equals the upper one (kernel timestamps are exact).
 */
export interface Ended extends KernelSaid {
  /** Outcome code, as `outcomeCode` gives it. */
  outcome: number;
  connectMs: number;
  connectLowerMs: number;
  tlsMs: number;
  tlsLowerMs: number;
  /** Request written to response head complete. */
  upgradeMs: number;
  upgradeLowerMs: number;
  /** T0 to the end, whatever the outcome; NaN when the attempt never started or its end was not seen. */
  handshakeMs: number;
  handshakeLowerMs: number;
}

/** An attempt without any known time. */
export function untimed(): Ended {
  return {
    outcome: 0,
    connectMs: Number.NaN,
    connectLowerMs: Number.NaN,
    tlsMs: Number.NaN,
    tlsLowerMs: Number.NaN,
    upgradeMs: Number.NaN,
    upgradeLowerMs: Number.NaN,
    handshakeMs: Number.NaN,
    handshakeLowerMs: Number.NaN,
    synRetransmits: Number.NaN,
    retransmits: Number.NaN,
    rttMs: Number.NaN,
  };
}

/** A tally as plain JSON data, to send between threads and machines. A histogram without values is missing. */
export interface EncodedTally {
  readonly attempted: number;
  readonly outcomes: Outcomes;
  readonly latency: Readonly<Partial<Record<Phase, EncodedHistogram>>>;
  readonly latencyLower: Readonly<Partial<Record<BoundedPhase, EncodedHistogram>>>;
  readonly failure: Readonly<Record<string, EncodedHistogram>>;
  readonly samples: Readonly<Record<string, Sample>>;
  readonly details: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly lostWhileHeld: number;
  readonly kernel: KernelCounts | null;
  readonly sessions: EncodedSessions;
}

export class Tally {
  #attempted = 0;
  #lostWhileHeld = 0;
  readonly #counts = new Float64Array(OUTCOME_CODES);
  readonly #latency = histogramsOf(PHASES);
  readonly #lower = histogramsOf(BOUNDED_PHASES);
  #failure = new FailureTimes();
  readonly #samples = new Map<number, Sample>();
  readonly #details = new Map<number, Map<string, number>>();
  #kernel = new KernelTally();
  #sessions = new SessionTally();

  get attempted(): number {
    return this.#attempted;
  }

  /** What happened to the connections after their 101. */
  get sessions(): SessionTally {
    return this.#sessions;
  }

  count(id: OutcomeId): number {
    return this.#counts[outcomeCode(id)];
  }

  /** Counts one ended attempt. Allocates only the buckets of a histogram at its first value. */
  add(ended: Ended): void {
    const code = checkedCode(ended.outcome);
    this.#attempted++;
    this.#counts[code]++;
    this.#kernel.add(ended);
    const { connect, tls, upgrade, handshake } = this.#latency;
    const lower = this.#lower;
    recordReached(connect, ended.connectMs);
    recordReached(lower.connect, ended.connectLowerMs);
    recordReached(tls, ended.tlsMs);
    recordReached(lower.tls, ended.tlsLowerMs);
    if (code === SWITCHED) {
      recordReached(upgrade, ended.upgradeMs);
      recordReached(lower.upgrade, ended.upgradeLowerMs);
      recordReached(handshake, ended.handshakeMs);
      recordReached(lower.handshake, ended.handshakeLowerMs);
    } else {
      recordReached(this.#failure.of(code), ended.handshakeMs);
    }
  }

  /** Counts attempts that ended without any known time. */
  addUntimed(id: NamedOutcomeId, detail: string, attempts: number): void {
    if (attempts === 0) return;
    const code = outcomeCode(id);
    const ended = { ...untimed(), outcome: code };
    for (let i = 0; i < attempts; i++) this.add(ended);
    this.addDetail(code, detail);
  }

  /** The time of one DNS lookup, ms. */
  addDns(ms: number): void {
    this.#latency.dns.record(ms);
  }

  /**
   * Counts the detail of a failed attempt. At most 20 distinct details per outcome are kept, of at most 200 characters;
   * the rest is counted under `(other)`.
   */
  addDetail(code: number, detail: string): void {
    let details = this.#details.get(checkedCode(code));
    if (details === undefined) {
      details = new Map();
      this.#details.set(code, details);
    }
    let key = shortened(detail);
    if (!details.has(key) && distinct(details) >= MOST_DETAILS) key = OTHER_DETAILS;
    increase(details, key, 1);
  }

  /** The kept sample of an outcome. */
  sampleOf(code: number): Sample | null {
    return this.#samples.get(code) ?? null;
  }

  /** The lower bounds of a phase. */
  lowerOf(phase: BoundedPhase): LatencyHistogram {
    return this.#lower[phase];
  }

  /** Keeps the earliest sample of the outcome. */
  addSample(code: number, sample: Sample): void {
    const kept = this.#samples.get(checkedCode(code));
    this.#samples.set(code, kept === undefined ? sample : earlier(kept, sample));
  }

  /** From a 101 to the first message that its session expected; NaN: there was none. */
  addMessage(ms: number): void {
    recordReached(this.#latency.message, ms);
  }

  /** What became of one connection that had its 101, as `SessionTally.add` takes it. */
  addSession(end: number, times: SessionTimes): void {
    if (this.#sessions.add(end, times)) this.#lostWhileHeld++;
  }

  /**
   * Adds everything of `other`, which stays unchanged. The order of merges does not matter for counts, histograms and
   * samples (the earliest wins). Of the details, the 20 most frequent of both sides are kept: their sum never depends
   * on the order, but which of more than 20 rare ones keep their own row can.
   */
  merge(other: Tally): void {
    this.#attempted += other.#attempted;
    this.#lostWhileHeld += other.#lostWhileHeld;
    this.#kernel.merge(other.#kernel);
    this.#sessions.merge(other.#sessions);
    for (let code = LOWEST_CODE; code < OUTCOME_CODES; code++) this.#counts[code] += other.#counts[code];
    for (const phase of PHASES) this.#latency[phase].merge(other.#latency[phase]);
    for (const phase of BOUNDED_PHASES) this.#lower[phase].merge(other.#lower[phase]);
    this.#failure.merge(other.#failure);
    for (const [code, sample] of other.#samples) this.addSample(code, sample);
    for (const [code, details] of other.#details) {
      this.#details.set(code, mergedDetails(this.#details.get(code) ?? new Map(), details));
    }
  }

  /** @throws Error when attempts are not the sum of outcomes: a bug, and no number of this tally can be trusted */
  encode(): EncodedTally {
    const outcomes = this.outcomes();
    assertSum(this.#attempted, outcomes);
    return {
      attempted: this.#attempted,
      outcomes,
      latency: encodedHistograms(PHASES.map((phase) => [phase, this.#latency[phase]])),
      latencyLower: encodedHistograms(BOUNDED_PHASES.map((phase) => [phase, this.#lower[phase]])),
      failure: this.#failure.encode(),
      samples: Object.fromEntries(byOutcome(this.#samples)),
      details: plainDetails(this.#details),
      lostWhileHeld: this.#lostWhileHeld,
      kernel: this.#kernelCounts(),
      sessions: this.#sessions.encode(),
    };
  }

  /** @throws Error when the data is not a tally: a wrong sum, a negative or fractional count, an unknown outcome */
  static decode(data: EncodedTally): Tally {
    const tally = new Tally();
    tally.#attempted = checkedCount(data.attempted, 'attempted');
    tally.#lostWhileHeld = checkedCount(data.lostWhileHeld, 'lostWhileHeld');
    for (const [id, count] of Object.entries(data.outcomes)) {
      tally.#counts[knownCode(id)] = checkedCount(count, `outcomes ${id}`);
    }
    assertSum(tally.#attempted, tally.outcomes());
    assertKernel(tally.#attempted, data.kernel);
    tally.#kernel = KernelTally.of(data.kernel);
    assertSessions(openedOf(data.outcomes), data.lostWhileHeld, data.sessions);
    tally.#sessions = SessionTally.decode(data.sessions);
    for (const phase of PHASES) tally.#latency[phase].merge(decodedHistogram(data.latency[phase]));
    for (const phase of BOUNDED_PHASES) tally.#lower[phase].merge(decodedHistogram(data.latencyLower[phase]));
    tally.#failure = FailureTimes.decode(data.failure);
    for (const [id, sample] of Object.entries(data.samples)) tally.#samples.set(knownCode(id), sample);
    for (const [id, details] of Object.entries(data.details)) {
      const counts = Object.entries(details).map(([detail, n]) => [detail, checkedCount(n, `details ${id}`)] as const);
      tally.#details.set(knownCode(id), mergedDetails(new Map(), new Map(counts)));
    }
    return tally;
  }

  /** The tally in the form that a result holds. `latencyLowerMs` is null when no lower bound was measured. */
  counted(): Counted {
    const outcomes = this.outcomes();
    assertSum(this.#attempted, outcomes);
    const histograms = [...Object.values(this.#latency), ...Object.values(this.#lower)];
    return {
      attempted: this.#attempted,
      outcomes,
      latencyMs: Object.fromEntries(PHASES.map((phase) => [phase, this.#latency[phase].summary()])) as LatencyMs,
      latencyLowerMs: this.#latencyLowerMs(),
      failureMs: this.#failure.summaries(outcomes),
      samples: Object.fromEntries(byOutcome(this.#samples)),
      details: plainDetails(this.#details),
      lostWhileHeld: this.#lostWhileHeld,
      clamped: histograms.reduce((sum, histogram) => sum + histogram.clamped, this.#failure.clamped),
      kernel: this.#kernelCounts(),
      sessions: this.#sessionsOf(),
    };
  }

  /** null: of some that were opened it is not known how they ended. */
  #sessionsOf(): Sessions | null {
    const sessions = this.#sessions.sessions();
    assertSessions(this.#counts[SWITCHED], this.#lostWhileHeld, sessions);
    return knownOf(sessions) < this.#counts[SWITCHED] ? null : sessions;
  }

  #kernelCounts(): KernelCounts | null {
    const counts = this.#kernel.counts();
    assertKernel(this.#attempted, counts);
    return counts;
  }

  /**
   * null for a phase whose lower bound was measured for some attempts only: it would describe a different set of
   * attempts.
   */
  #latencyLowerMs(): LatencyLowerMs | null {
    if (BOUNDED_PHASES.every((phase) => this.#lower[phase].count === 0)) return null;
    const summaries = BOUNDED_PHASES.map((phase) => {
      const lower = this.#lower[phase];
      return [phase, lower.count === this.#latency[phase].count ? lower.summary() : null];
    });
    return Object.fromEntries(summaries) as LatencyLowerMs;
  }

  /** Outcomes that occurred, by code: 101, then the other statuses, then the named ones in table order. */
  outcomes(): Outcomes {
    const outcomes: Record<string, number> = {};
    for (let code = LOWEST_CODE; code < OUTCOME_CODES; code++) {
      if (this.#counts[code] > 0) outcomes[outcomeId(code)] = this.#counts[code];
    }
    return outcomes;
  }
}

function recordReached(histogram: LatencyHistogram, ms: number): void {
  if (!Number.isNaN(ms)) histogram.record(ms);
}

function histogramsOf<P extends string>(phases: readonly P[]): Record<P, LatencyHistogram> {
  return Object.fromEntries(phases.map((phase) => [phase, new LatencyHistogram()])) as Record<P, LatencyHistogram>;
}

function byOutcome<T>(map: ReadonlyMap<number, T>): [OutcomeId, T][] {
  return [...map].sort(([a], [b]) => a - b).map(([code, value]) => [outcomeId(code), value]);
}

/** `Object.fromEntries` defines own properties, so a detail named `__proto__` is counted like any other. */
function plainDetails(details: ReadonlyMap<number, ReadonlyMap<string, number>>): Counted['details'] {
  return Object.fromEntries(
    byOutcome(details).map(([id, counts]) => [id, Object.fromEntries([...counts].sort(byFrequency))]),
  );
}

function mergedDetails(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): Map<string, number> {
  const sum = new Map(a);
  for (const [detail, count] of b) increase(sum, shortened(detail), count);
  if (distinct(sum) <= MOST_DETAILS) return sum;
  const rows = [...sum].filter(([detail]) => detail !== OTHER_DETAILS).sort(byFrequency);
  const kept = new Map(rows.slice(0, MOST_DETAILS));
  const rest = rows.slice(MOST_DETAILS).reduce((total, [, count]) => total + count, 0);
  return kept.set(OTHER_DETAILS, rest + (sum.get(OTHER_DETAILS) ?? 0));
}

/** Most frequent first; ties by name, and `(other)` last, so that the order does not depend on the order of merges. */
function byFrequency([a, countA]: readonly [string, number], [b, countB]: readonly [string, number]): number {
  if ((a === OTHER_DETAILS) !== (b === OTHER_DETAILS)) return a === OTHER_DETAILS ? 1 : -1;
  return countB - countA || (a < b ? -1 : 1);
}

function distinct(details: ReadonlyMap<string, number>): number {
  return details.size - (details.has(OTHER_DETAILS) ? 1 : 0);
}

function increase(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

/** Cut between code points, so that no surrogate pair is split. */
function shortened(detail: string): string {
  if (detail.length <= LONGEST_DETAIL) return detail;
  const cut = detail.slice(0, LONGEST_DETAIL - 1);
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

/** Ties in time are broken by content, so that the result does not depend on the order of merges. */
function earlier(a: Sample, b: Sample): Sample {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs ? a : b;
  return JSON.stringify(a) <= JSON.stringify(b) ? a : b;
}

function checkedCode(code: number): number {
  if (!(code >= LOWEST_CODE && code < OUTCOME_CODES)) throw new Error(`no such outcome code: ${code}`);
  return code;
}

function knownCode(id: string): number {
  assertOutcome(id);
  return outcomeCode(id);
}
