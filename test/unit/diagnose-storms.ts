/** A storm that a policy does not recover from, as a fragile service of 20 handshakes a second leaves it. */
import type { CauseId } from '#dist/diagnose/causes.js';
import type { Policy } from '#dist/plan/policy/policy.js';
import { ok, serially, type Told } from './diagnose-results.js';

const AT_ONCE = { fromMs: 0, toMs: 0 };
const IMPATIENT: Policy = {
  name: 'impatient',
  waits: { kind: 'list', waits: [{ fromMs: 10_000, toMs: 10_000 }] },
  attempts: null,
  totalMs: null,
  timeout: { firstMs: 4000, grow: 1, maxMs: 4000 },
  reset: 'ready',
  stop: [],
  now: [],
};

const STUCK: Told = {
  bursts: [{ groups: [ok(serially(400, 1))] }],
  storm: {
    stage: {
      kind: 'storm',
      clients: 400,
      openMs: 24_000,
      settleMs: 2000,
      drop: { by: 'server' },
      policies: [IMPATIENT],
      windowMs: 60_000,
      notice: AT_ONCE,
      capacity: null,
      restMs: 0,
    },
    storm: {
      clients: 400,
      fleet: 400,
      dropped: 400,
      policy: 'impatient',
      droppedAt: '2026-11-21T08:01:00.000000Z',
      dropSpreadMs: 166,
      bound: null,
      t50Ms: null,
      t95Ms: null,
      t99Ms: null,
      t100Ms: null,
      backMs: null,
      never: { gaveUp: 0, stopped: 0, stillTrying: 320 },
      attemptsPerClient: { mean: 5, max: 6 },
      dropsPerClient: { mean: 1, max: 1 },
      attempts: { 101: 80, 'timeout-upgrade': 1920 },
      abandoned: 1920,
      perSecond: { attempts: [400], opens: [20, 20, 20, 20] },
      per100ms: { attempts: [], opens: [] },
      peakPerSecond: 400,
      late: null,
      handshakeMs: null,
      ends: { fin: 400 },
      samples: {},
      validity: { verdict: 'valid', reasons: [] },
    },
  },
};

export const STORMS: readonly (readonly [
  what: string,
  cause: CauseId,
  told: Told,
  figures?: Record<string, number>,
])[] = [
  [
    'clients leave after 4 s, and the service needs 20',
    'retry-storm',
    STUCK,
    { perSecond: 20, abandoned: 1920, attempts: 2000, timeoutMs: 4000, windowMs: 20_000 },
  ],
];
