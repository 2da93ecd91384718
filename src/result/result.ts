/**
 * The Result: what a run leaves behind, as JSON. A leaf: the engine fills it, reports read it, neither knows the other.
 * Times are in ms with µs precision unless a name says otherwise; absent is null. Additive keys are allowed, a change of
 * meaning needs a new schemaVersion.
 */

import type { BoundedPhase, Phase } from '../names/phases.js';
import type { Gate } from '../plan/plan.js';
import type { PlanRecord } from '../plan/plan-record.js';
import type { Check } from './check-facts.js';
import type { DropOff } from './drop-off.js';

export const SCHEMA_VERSION = 1;

export type Verdict = 'valid' | 'suspect' | 'invalid';

export interface Validity {
  readonly verdict: Verdict;
  /** One sentence each, the gravest first. */
  readonly reasons: readonly string[];
  /** What each of the reasons would make of it by itself; absent where that is the verdict for all of them. */
  readonly weights?: readonly Verdict[];
}

/** Summary of one histogram; ms. `hdr` is HdrHistogram V2 compressed base64 in µs. */
export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly p50: number;
  readonly p75: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly hdr: string;
}

/** The first attempt that ended as a given failure; every text already masked and safe to print. */
export interface Sample {
  readonly statusLine: string | null;
  readonly headers: readonly (readonly [string, string])[];
  /** At most 1 KiB. */
  readonly body: string | null;
  readonly detail: string | null;
  /** ms after T0. */
  readonly atMs: number;
}

export interface Release {
  /** First to last attempt released, ms. */
  readonly spreadMs: number;
  /** First and last release after T0, ms. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** Lateness of each worker's first release after T0, ms. */
  readonly perWorkerMs: readonly number[];
}

/** The generator's own floor for bursts of `size`, measured against a mirror on this machine; subtracted from nothing. */
export interface Calibration {
  readonly size: number;
  readonly share101: number;
  readonly spreadMs: number;
  readonly handshakeMs: Summary | null;
  readonly upgradeMs: Summary | null;
  /** Churn only: handshakes a second. */
  readonly rate: number | null;
}

export type Outcomes = Readonly<Record<string, number>>;
export type LatencyMs = Readonly<Record<Phase, Summary | null>>;
export type LatencyLowerMs = Readonly<Record<BoundedPhase, Summary | null>>;

/** What the kernel said of the connections (TCP_INFO), in attempts and times. */
export interface KernelCounts {
  /** Attempts whose TCP_INFO is known. */
  readonly asked: number;
  /** Of these, with at least one SYN that was sent again; and how often in all. */
  readonly synRetransmitted: number;
  readonly synRetransmits: number;
  /** The same of data, once connected. */
  readonly retransmitted: number;
  readonly retransmits: number;
}

/** What bursts and totals have in common. `attempted` is the sum of `outcomes`. */
export interface Counted {
  readonly attempted: number;
  readonly outcomes: Outcomes;
  readonly latencyMs: LatencyMs;
  /** Two-sided bound; null where stamps are the kernel's. */
  readonly latencyLowerMs: LatencyLowerMs | null;
  readonly failureMs: Readonly<Record<string, Summary | null>>;
  readonly samples: Readonly<Record<string, Sample>>;
  /** Distinct details per failed outcome, capped; the rest under `(other)`. */
  readonly details: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly lostWhileHeld: number;
  /** Values clamped to the histogram's range of 1 µs to 10 min. */
  readonly clamped: number;
  /** null: the transport does not ask the kernel. */
  readonly kernel: KernelCounts | null;
}

/** Evidence about the generator during a burst. */
export interface GeneratorEvidence {
  /** First system call made. */
  readonly launched: number;
  /** Failed before the gate. */
  readonly failedToArm: number;
  /** Longest time in which a worker's loop stamped nothing, ms. */
  readonly longestGapMs: number;
  readonly gcPauses: number;
  readonly gcMaxMs: number;
  /** cgroup CPU throttling during the burst, ms; null where the kernel does not say. */
  readonly throttledMs: number | null;
  /** CPU stolen by the hypervisor, share of all CPU time; null where unknown. */
  readonly stealShare: number | null;
  /** TLS sessions resumed; null over ws. */
  readonly tlsResumed: number | null;
}

export interface Burst extends Counted {
  readonly stage: number;
  readonly index: number;
  readonly size: number;
  readonly kind: 'burst' | 'churn';
  readonly gate: Gate;
  /** ISO 8601, UTC, µs. */
  readonly releasedAt: string | null;
  readonly release: Release | null;
  /** Release to the last attempt's end, ms. */
  readonly makespanMs: number | null;
  /** Churn only: handshakes per second over the stage, and 101s in each second. */
  readonly rate: number | null;
  readonly perSecond: readonly number[] | null;
  readonly validity: Validity;
  readonly calibration: Calibration | null;
  readonly generator: GeneratorEvidence;
  readonly after: After | null;
  readonly sessions: null;
  readonly watch: null;
}

/** One handshake by itself after the burst: what a client met that had no part in it. */
export interface AfterProbe {
  /** Its start after T0, ms. */
  readonly atMs: number;
  readonly outcome: string;
  /** Its own start to its end, ms. */
  readonly tookMs: number;
}

/** How long others kept suffering once a burst was over: probes at a steady pace, each by itself. */
export interface After {
  /** T0 to the end of the burst, its connections closed: the first probe starts here, ms. */
  readonly fromMs: number;
  /** From one probe's start to the next one's, ms. */
  readonly everyMs: number;
  readonly probes: readonly AfterProbe[];
  /** T0 to the start of the last probe that failed; null when none did. */
  readonly lastFailedMs: number | null;
  /** First sample of each failed outcome. */
  readonly samples: Readonly<Record<string, Sample>>;
}

export interface Totals extends Counted {
  readonly validity: Validity;
  readonly launched: number;
  readonly rate: number | null;
}

export interface Preflight {
  readonly attempted: number;
  readonly outcomes: Outcomes;
  /** `handshake` of the answered ones. */
  readonly latencyMs: Summary | null;
  readonly samples: Readonly<Record<string, Sample>>;
  /** TLS as negotiated, e.g. `TLSv1.3 TLS_AES_256_GCM_SHA384`; null over ws or when it failed. */
  readonly tls: string | null;
}

export interface Generator {
  readonly id: string;
  readonly host: string;
  readonly cpus: number;
  readonly node: string;
  readonly platform: string;
  /** The one that was used: `epoll` or `node`. */
  readonly transport: string;
  /** Why it is not `epoll`, where that was asked for or `auto`; null: it is, or `node` was asked for. */
  readonly transportNote: string | null;
  readonly workers: number;
  readonly limits: { readonly fds: number | null; readonly ports: number | null };
}

export interface ThresholdResult {
  readonly expression: string;
  /** null: nothing to judge (no value). ms, share, count or rate in the expression's own unit. */
  readonly actual: number | null;
  /** The same judged with the lower latency bound; null where it does not apply. */
  readonly actualLower: number | null;
  readonly ok: boolean;
}

/** A likely cause of the failures of a run, most likely first. */
export interface Diagnosis {
  /** Stable id: src/diagnose/causes.ts. */
  readonly cause: string;
  /** Sentences with the numbers that speak for it. */
  readonly evidence: string;
  /** What to change, with the directive of the recognised gateway. */
  readonly remedy: string;
  /** 0 to 1. */
  readonly confidence: number;
  /** Outcomes that it explains. */
  readonly outcomes: readonly string[];
  /** The hop that answered, as its answers betray it; null when they don't. */
  readonly gateway: string | null;
  /** What would tell it from another cause that the evidence fits as well; null when there is none. */
  readonly apart: string | null;
  /** The numbers of the evidence, units last in their names: `timeoutMs`, `serviceMs`, `limit`. */
  readonly figures: Readonly<Record<string, number>>;
}

export interface SavedSearch {
  /** Its stage in the plan. */
  readonly stage: number;
  /** Index of its first burst. */
  readonly firstIndex: number;
  /** Handshakes of the run that had a number so far: `{{ index }}` of the next one. */
  readonly attempts: number;
  /** The search's own; its shape is in search-schema.ts. */
  readonly state: object;
}

export interface Result {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly tool: { readonly name: 'wstampede'; readonly version: string };
  readonly command: string;
  readonly startedAt: string;
  readonly endedAt: string;
  /** Masked. */
  readonly plan: PlanRecord;
  readonly generators: readonly Generator[];
  /** All addresses of the target's name, the dialled ones first; empty when the look-up failed. */
  readonly addresses: readonly string[];
  readonly bursts: readonly Burst[];
  readonly preflight: Preflight | null;
  readonly totals: Totals;
  /** Of the stage `find`; null without one. */
  readonly dropOff: DropOff | null;
  readonly storm: null;
  readonly thresholds: readonly ThresholdResult[];
  readonly diagnosis: readonly Diagnosis[];
  /** Of `check` only: the one handshake, step by step. */
  readonly check: Check | null;
  /** Where a search stands, so that it can go on; null: there was none. */
  readonly search: SavedSearch | null;
  readonly validity: Validity;
  /** Why the run ended before its plan did; null when it did not. */
  readonly stopped: string | null;
  readonly exitCode: number;
}
