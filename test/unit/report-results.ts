/** Results as the engine would leave them, built from attempts whose times follow a formula: the same on every run. */

import { type OutcomeId, outcomeCode } from '#dist/names/outcomes.js';
import type { Stage, Target } from '#dist/plan/plan.js';
import type { PlanRecord } from '#dist/plan/plan-record.js';
import type {
  Arrivals,
  Burst,
  Calibration,
  Preflight,
  Result,
  Sample,
  ThresholdResult,
  Validity,
} from '#dist/result/result.js';
import { Tally } from '#dist/tally/tally.js';
import { lose } from './lost.js';

export const VALID: Validity = { verdict: 'valid', reasons: [] };

export const NGINX_504: Sample = {
  statusLine: 'HTTP/1.1 504 Gateway Time-out',
  headers: [
    ['Server', 'nginx/1.22.1'],
    ['Content-Type', 'text/html'],
  ],
  body: '\r\n<html>\r\n<head><title>504 Gateway Time-out</title></head>',
  detail: null,
  atMs: 1000.4,
};

/** `count` attempts that ended as `outcome`, the i-th after `atMs(i)`. */
export interface Ending {
  readonly outcome: OutcomeId;
  readonly count: number;
  readonly atMs: (i: number) => number;
  /** How much earlier the answer may have come; 0 unless told. */
  readonly lateMs?: number;
  /** Stamped by the kernel, with so many SYNs sent again by the i-th; not asked unless told. */
  readonly synRetransmits?: (i: number) => number;
}

export interface BurstSpec {
  readonly endings: readonly Ending[];
  readonly size?: number;
  readonly kind?: 'burst' | 'churn' | 'arrive';
  readonly arrivals?: Arrivals;
  readonly rate?: number;
  readonly perSecond?: readonly number[];
  readonly spreadMs?: number;
  readonly validity?: Validity;
  readonly calibration?: Calibration;
  readonly samples?: Readonly<Record<string, Sample>>;
  readonly lost?: number;
}

export interface ResultSpec {
  readonly bursts: readonly BurstSpec[];
  readonly command?: string;
  readonly stages?: readonly Stage[];
  readonly validity?: Validity;
  readonly preflight?: Preflight | null;
  readonly thresholds?: readonly ThresholdResult[];
  readonly stopped?: string;
  readonly exitCode?: number;
  readonly target?: Partial<Target>;
}

export function plan(stages: readonly Stage[], target: Partial<Target> = {}): PlanRecord {
  return {
    name: null,
    about: null,
    target: {
      url: 'ws://127.0.0.1:8080/ws',
      scheme: 'ws',
      host: '127.0.0.1',
      port: 8080,
      path: '/ws',
      headers: [],
      origin: null,
      subprotocols: [],
      compression: false,
      tls: { ca: null, cert: null, key: null, servername: null, insecure: false, resume: false },
      connectTo: null,
      sourceIps: [],
      ...target,
    },
    data: null,
    gate: 'upgrade',
    timeoutMs: 75_000,
    stages,
    session: { holdMs: null, script: null },
    afterMs: null,
    thresholds: [],
    abort: null,
    allowHosts: [],
    close: null,
    resolve: 'first',
    preflight: true,
    calibrate: true,
    workers: null,
    transport: 'auto',
    releaseChunk: null,
    seed: 1,
  };
}

function tallyOf(spec: BurstSpec): Tally {
  const tally = new Tally();
  for (const { outcome, count, atMs, lateMs = 0, synRetransmits } of spec.endings) {
    const neverConnected = outcome === 'refused' || outcome.startsWith('local-');
    for (let i = 0; i < count; i++) {
      const ms = atMs(i);
      const lower = synRetransmits === undefined ? Math.max(0.001, ms - lateMs) : Number.NaN;
      const connect = neverConnected ? Number.NaN : 0.3 + (i % 10) / 50;
      tally.add({
        outcome: outcomeCode(outcome),
        connectMs: connect,
        connectLowerMs: synRetransmits === undefined ? connect : Number.NaN,
        tlsMs: Number.NaN,
        tlsLowerMs: Number.NaN,
        upgradeMs: ms,
        upgradeLowerMs: lower,
        handshakeMs: ms,
        handshakeLowerMs: lower,
        synRetransmits: synRetransmits?.(i) ?? Number.NaN,
        retransmits: synRetransmits === undefined || i % 50 > 0 ? 0 : 2,
        rttMs: synRetransmits === undefined ? Number.NaN : 0.08,
      });
    }
  }
  for (const [id, sample] of Object.entries(spec.samples ?? {})) tally.addSample(outcomeCode(id as OutcomeId), sample);
  lose(tally, spec.lost ?? 0);
  return tally;
}

function burst(spec: BurstSpec, index: number, tally: Tally): Burst {
  const counted = tally.counted();
  const ends = spec.endings.map(({ count, atMs }) => atMs(count - 1));
  const kind = spec.kind ?? 'burst';
  return {
    ...counted,
    arrivals: spec.arrivals ?? null,
    stage: 0,
    index,
    size: spec.size ?? counted.attempted,
    kind,
    gate: 'upgrade',
    releasedAt: '2026-11-21T08:00:00.123456Z',
    release:
      kind === 'churn'
        ? null
        : {
            spreadMs: spec.spreadMs ?? 6.2,
            firstMs: 0.1,
            lastMs: 0.1 + (spec.spreadMs ?? 6.2),
            perWorkerMs: [0.1, 0.2],
          },
    makespanMs: Math.max(...ends),
    rate: spec.rate ?? null,
    perSecond: spec.perSecond ?? null,
    validity: spec.validity ?? VALID,
    calibration: spec.calibration ?? null,
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
    after: null,
    sessions: null,
    watch: null,
  };
}

export function result(spec: ResultSpec): Result {
  const tallies = spec.bursts.map(tallyOf);
  const totals = new Tally();
  for (const tally of tallies) totals.merge(tally);
  const counted = totals.counted();
  const validity = spec.validity ?? VALID;
  return {
    schemaVersion: 1,
    tool: { name: 'wstampede', version: '0.1.0' },
    command: spec.command ?? 'burst',
    startedAt: '2026-11-21T08:00:00.000000Z',
    endedAt: '2026-11-21T08:00:03.000000Z',
    plan: plan(spec.stages ?? [{ kind: 'burst', size: 500, times: 1, restMs: 0 }], spec.target),
    addresses: ['127.0.0.1'],
    generators: [],
    bursts: spec.bursts.map((one, i) => burst(one, i, tallies[i])),
    preflight: spec.preflight === undefined ? answered() : spec.preflight,
    totals: { ...counted, validity, launched: counted.attempted, rate: spec.bursts[0]?.rate ?? null },
    dropOff: null,
    storm: null,
    thresholds: spec.thresholds ?? [],
    diagnosis: [],
    check: null,
    search: null,
    validity,
    stopped: spec.stopped ?? null,
    exitCode: spec.exitCode ?? 0,
  };
}

/** A preflight whose five handshakes were all answered 101. */
export function answered(): Preflight {
  const tally = tallyOf({ endings: [{ outcome: '101', count: 5, atMs: (i) => 5.4 + i / 10 }] });
  return {
    attempted: 5,
    outcomes: { 101: 5 },
    latencyMs: tally.counted().latencyMs.handshake,
    samples: {},
    tls: null,
  };
}

export function floor(size: number): Calibration {
  const { handshake, upgrade } = tallyOf({
    endings: [{ outcome: '101', count: 100, atMs: (i) => 1 + i * 0.04 }],
  }).counted().latencyMs;
  return {
    size,
    share101: 1,
    spreadMs: 4.1,
    handshakeMs: handshake,
    connectMs: null,
    tlsMs: null,
    upgradeMs: upgrade,
    rate: null,
  };
}

/** 200 upgrades one after another, 5 ms each, then the gateway's read timeout answers the rest. */
export const rampAndCluster: ResultSpec = {
  bursts: [
    {
      endings: [
        { outcome: '101', count: 200, atMs: (i) => 5 * i + 4.3 },
        { outcome: '504', count: 300, atMs: (i) => 1000.2 + i / 50 },
      ],
      samples: { 504: NGINX_504 },
      calibration: floor(500),
    },
  ],
  thresholds: [
    { expression: 'share(101) >= 99.9%', actual: 0.4, actualLower: null, floor: null, ok: false },
    { expression: 'count(502) == 0', actual: 0, actualLower: null, floor: null, ok: true },
    { expression: 'p99(handshake) < 500ms', actual: 988.4, actualLower: 985.1, floor: 18.9, ok: false },
  ],
  exitCode: 3,
};
