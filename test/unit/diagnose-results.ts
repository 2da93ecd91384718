/**
 * Results with the failures of known causes, built from the formulas of those causes and a seeded jitter: what the engine
 * would leave behind had it met them. They know nothing of the rules that read them.
 */

import { type OutcomeId, outcomeCode } from '#dist/names/outcomes.js';
import type { Plan } from '#dist/plan/plan.js';
import type { StormStage } from '#dist/plan/stages/storm.js';
import type { Check, CheckProbe, ProbeId } from '#dist/result/check-facts.js';
import type { After, Burst, Preflight, Result, Sample, Summary, Validity } from '#dist/result/result.js';
import type { Storm } from '#dist/result/storm.js';
import { Tally } from '#dist/tally/tally.js';
import { lose } from './lost.js';
import { plan, VALID } from './report-results.js';

/** Attempts of one burst that ended in the same way. */
export interface Group {
  readonly outcome: OutcomeId;
  /** T0 to the end, ms, one value an attempt; NaN: not seen. */
  readonly atMs: readonly number[];
  /** Connect time of the i-th, ms; NaN: it never connected. Some tenths of a ms unless told. */
  readonly connectMs?: (i: number) => number;
  /** Request to head of the i-th, ms; the time from T0 unless told. */
  readonly upgradeMs?: (i: number) => number;
  readonly sample?: Partial<Sample>;
  readonly detail?: string;
  /** SYNs of the i-th that the kernel sent again; it was not asked unless told. */
  readonly synRetransmits?: (i: number) => number;
  /** The same of data; none unless told. */
  readonly retransmits?: (i: number) => number;
}

export interface BurstOf {
  readonly groups: readonly Group[];
  readonly kind?: 'burst' | 'churn';
  readonly perSecond?: readonly number[];
  readonly lost?: number;
  /** As the Result has it. */
  readonly sessions?: object;
  readonly after?: After;
  readonly validity?: Validity;
  /** Release, s after the first one's. */
  readonly atS?: number;
  /** What the generator's own mirror took for as many; null: no calibration. */
  readonly floorMs?: number;
}

export interface Told {
  readonly bursts: readonly BurstOf[];
  /** null: no preflight was made. All five got their 101 in 5 ms unless told. */
  readonly alone?: Preflight | null;
  readonly timeoutMs?: number;
  readonly gate?: Plan['gate'];
  readonly holdMs?: number;
  readonly target?: Partial<Plan['target']>;
  readonly check?: Check;
  /** Clients send values of their own rows. */
  readonly rows?: boolean;
  /** The burst is the opening of this storm. */
  readonly storm?: { readonly stage: StormStage; readonly storm: Storm };
}

/** Numbers in [0, 1) that are the same on every run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `n` times served one after another, stepMs each, each step longer or shorter by up to `jitter` of itself. */
export function serially(n: number, stepMs: number, jitter = 0.1, fromMs = 0): number[] {
  const random = seeded(n + Math.round(stepMs * 1000));
  let at = fromMs;
  return Array.from({ length: n }, () => {
    at += stepMs * (1 + jitter * (2 * random() - 1));
    return at;
  });
}

/** `n` times served `together` at a time, stepMs each; those of a step end within `jitterMs`. */
export function inSteps(n: number, together: number, stepMs: number, jitterMs = stepMs / 50): number[] {
  const random = seeded(n + together);
  return Array.from({ length: n }, (_, i) => (Math.floor(i / together) + 1) * stepMs + jitterMs * random());
}

/** `n` times from `fromMs` on, spread over `withinMs`. */
export function around(n: number, fromMs: number, withinMs = 5): number[] {
  return Array.from({ length: n }, (_, i) => fromMs + (withinMs * i) / Math.max(1, n));
}

export function ok(atMs: readonly number[], more: Partial<Group> = {}): Group {
  return { outcome: '101', atMs, ...more };
}

export function failed(outcome: OutcomeId, atMs: readonly number[], sample?: Partial<Sample>, detail?: string): Group {
  return { outcome, atMs, ...(sample !== undefined && { sample }), ...(detail !== undefined && { detail }) };
}

/** What never got as far as TCP. */
export function unconnected(outcome: OutcomeId, atMs: readonly number[], detail?: string): Group {
  return {
    ...failed(outcome, atMs, detail === undefined ? undefined : { detail }, detail),
    connectMs: () => Number.NaN,
  };
}

/** The same, with the kernel asked: so many SYNs of each were sent again, and so much data. */
export function seen(group: Group, synRetransmits: number, retransmits = 0): Group {
  return { ...group, synRetransmits: () => synRetransmits, retransmits: () => retransmits };
}

/** Handshakes one after another, ended so. */
export function oneByOne(outcomes: readonly OutcomeId[], atMs = 5, sample?: Partial<Sample>): Preflight {
  const ids = [...new Set(outcomes)];
  const groups = ids.map((id) =>
    failed(id, around(outcomes.filter((one) => one === id).length, atMs, 1), id === '101' ? undefined : sample),
  );
  const { attempted, outcomes: counts, latencyMs, samples, failureMs } = tallyOf({ groups }).counted();
  return {
    attempted,
    outcomes: counts,
    latencyMs: latencyMs.handshake ?? Object.values(failureMs)[0] ?? null,
    samples,
    tls: null,
  };
}

/** A single handshake fails in the same way: a preflight of one and a burst of `count`. */
export function always(outcome: OutcomeId, atMs: number, sample?: Partial<Sample>, detail?: string, count = 20): Told {
  const seen = { ...sample, ...(detail !== undefined && { detail }) };
  return {
    alone: oneByOne([outcome], atMs, seen),
    bursts: [{ groups: [failed(outcome, around(count, atMs, atMs * 0.01), seen, detail)] }],
  };
}

export function resultOf(told: Told): Result {
  const tallies = told.bursts.map(tallyOf);
  const totals = new Tally();
  for (const tally of tallies) totals.merge(tally);
  const counted = totals.counted();
  const fired = { kind: 'burst', size: counted.attempted, times: told.bursts.length, restMs: 0 } as const;
  const base = plan([told.storm?.stage ?? fired], told.target);
  const preflight = told.alone === undefined ? oneByOne(['101', '101', '101', '101', '101']) : told.alone;
  return {
    schemaVersion: 1,
    tool: { name: 'wstampede', version: '0.1.0' },
    command: told.check === undefined ? 'burst' : 'check',
    startedAt: '2026-11-21T08:00:00.000000Z',
    endedAt: '2026-11-21T08:10:00.000000Z',
    plan: {
      ...base,
      data: told.rows === true ? { file: 'rows.csv', pick: 'cycle' } : base.data,
      gate: told.gate ?? base.gate,
      timeoutMs: told.timeoutMs ?? 75_000,
      session: { holdMs: told.holdMs ?? null, script: null },
    },
    addresses: ['127.0.0.1'],
    generators: [],
    bursts: told.bursts.map((one, i) => burstOf(one, i, tallies[i])),
    preflight,
    totals: { ...counted, validity: VALID, launched: counted.attempted, rate: null },
    dropOff: null,
    storm: told.storm === undefined ? null : [told.storm.storm],
    thresholds: [],
    diagnosis: [],
    check: told.check ?? null,
    validity: VALID,
    search: null,
    stopped: null,
    exitCode: 0,
  };
}

function tallyOf({ groups, lost }: BurstOf): Tally {
  const tally = new Tally();
  for (const { outcome, atMs, connectMs, upgradeMs, sample, detail, synRetransmits, retransmits } of groups) {
    const code = outcomeCode(outcome);
    for (const [i, ms] of atMs.entries()) {
      const connect = connectMs === undefined ? 0.3 + (i % 10) / 50 : connectMs(i);
      const upgrade = upgradeMs === undefined ? ms : upgradeMs(i);
      tally.add({
        outcome: code,
        connectMs: connect,
        connectLowerMs: connect,
        tlsMs: Number.NaN,
        tlsLowerMs: Number.NaN,
        upgradeMs: upgrade,
        upgradeLowerMs: upgrade,
        handshakeMs: ms,
        handshakeLowerMs: ms,
        synRetransmits: synRetransmits?.(i) ?? Number.NaN,
        retransmits: retransmits?.(i) ?? 0,
        rttMs: synRetransmits === undefined ? Number.NaN : 0.1,
      });
      if (detail !== undefined) tally.addDetail(code, detail);
    }
    if (sample !== undefined) tally.addSample(code, sampleOf(sample, atMs[0]));
  }
  lose(tally, lost ?? 0);
  return tally;
}

/** A summary of such times, as a Result has it. */
export function summaryOf(atMs: readonly number[]): Summary | null {
  return tallyOf({ groups: [ok(atMs)] }).counted().latencyMs.handshake;
}

export function sampleOf(sample: Partial<Sample>, atMs = 1): Sample {
  return { statusLine: null, headers: [], body: null, detail: null, atMs, ...sample };
}

function burstOf(spec: BurstOf, index: number, tally: Tally): Burst {
  const counted = tally.counted();
  const ends = spec.groups.flatMap(({ atMs }) => atMs).filter((ms) => !Number.isNaN(ms));
  const kind = spec.kind ?? 'burst';
  return {
    ...counted,
    arrivals: null,
    stage: 0,
    index,
    size: counted.attempted,
    kind,
    gate: 'upgrade',
    releasedAt: new Date(Date.UTC(2026, 10, 21, 8) + 1000 * (spec.atS ?? 30 * index)).toISOString(),
    release: kind === 'churn' ? null : { spreadMs: 6.2, firstMs: 0.1, lastMs: 6.3, perWorkerMs: [0.1, 0.2] },
    makespanMs: ends.length === 0 ? null : ends.reduce((a, b) => Math.max(a, b)),
    rate: null,
    perSecond: spec.perSecond ?? null,
    validity: spec.validity ?? VALID,
    calibration: spec.floorMs === undefined ? null : floorOf(counted.attempted, spec.floorMs),
    generator: {
      launched: counted.attempted,
      failedToArm: 0,
      longestGapMs: 1.2,
      gcPauses: 0,
      gcMaxMs: 0,
      throttledMs: null,
      stealShare: 0,
      tlsResumed: null,
    },
    after: spec.after ?? null,
    // Null in the type of today; a reader must take what later versions write.
    sessions: (spec.sessions ?? null) as null,
    watch: null,
  };
}

function floorOf(size: number, floorMs: number): Burst['calibration'] {
  const { handshake } = tallyOf({ groups: [ok(around(size, 5, floorMs - 5))] }).counted().latencyMs;
  return {
    size,
    share101: 1,
    spreadMs: 20,
    handshakeMs: handshake,
    connectMs: null,
    tlsMs: null,
    upgradeMs: handshake,
    rate: null,
  };
}

/** What `check` found, `healthy` unless an outcome is told, with the probes that are given as `id: outcome`, or with more. */
export function checkOf(
  outcome: string,
  probes: Readonly<Record<string, string | Partial<CheckProbe>>> = {},
  more: Partial<Check> & { readonly url?: string } = {},
): Check {
  const { url = 'ws://127.0.0.1:8080/ws', ...rest } = more;
  const probe = ([id, ended]: [string, string | Partial<CheckProbe>]): CheckProbe => ({
    id: id as ProbeId,
    asks: 'one thing changed',
    url,
    outcome: typeof ended === 'string' ? ended : '101',
    detail: null,
    tookMs: 2,
    sample: null,
    says: 'something',
    ...(typeof ended !== 'string' && ended),
  });
  return {
    dns: null,
    tcp: [],
    tls: null,
    request: null,
    curl: 'curl',
    outcome,
    detail: null,
    answer: null,
    firstByteMs: 1,
    headMs: 1,
    clauses: [],
    ping: null,
    close: null,
    probes: Object.entries(probes).map(probe),
    idle: null,
    ...rest,
  };
}
