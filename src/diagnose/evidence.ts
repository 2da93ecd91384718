/**
 * A result's failures in the form that the rules need: per burst and outcome, with times, samples and the hop that
 * answered, and beside them the single handshakes. Draws no conclusion.
 */

import { blameOf, isOpen, isOutcomeId, openedOf } from '../names/outcomes.js';
import type { Plan } from '../plan/plan.js';
import { isSecretName } from '../plan/secrets.js';
import { heldMs } from '../plan/session/session-script.js';
import { type LoadKind, startsTogether } from '../plan/stages/loads.js';
import type { Check } from '../result/check-facts.js';
import type { After, Burst, KernelCounts, Outcomes, Result, Sample, Summary } from '../result/result.js';
import { type Closes, closesOf } from './closes.js';
import { type Hop, recogniseHop } from './hops.js';
import { type Seen, seenBy } from './observations.js';
import { type Cluster, clustersOf, roundMs } from './shape.js';
import { type StormOfPlan, stormsOf } from './storms.js';
import { valuesOf } from './values.js';

/** One failed outcome of one burst. */
export interface Failure {
  readonly outcome: string;
  readonly count: number;
  /** Times from T0, ascending. */
  readonly timesMs: readonly number[];
  readonly clusters: readonly Cluster[];
  /** It was refused at once, without waiting for anything. */
  readonly isAtOnce: boolean;
  readonly sample: Sample | null;
  readonly hop: Hop | null;
  /** Counts of distinct details. */
  readonly details: Readonly<Record<string, number>>;
}

/** One burst, or the preflight in its place, in the form that the rules need. */
export interface ObservedBurst {
  readonly index: number;
  readonly size: number;
  readonly kind: LoadKind;
  readonly attempted: number;
  readonly ok: number;
  /** Times of the 101s from T0, ascending. */
  readonly okMs: readonly number[];
  /** Connect times of all attempts that connected, ascending. */
  readonly connectMs: readonly number[];
  /** Times from request to response head of the 101s, ascending. */
  readonly upgradeMs: readonly number[];
  readonly failures: readonly Failure[];
  readonly lost: number;
  readonly makespanMs: number | null;
  /** ms since the Unix epoch. */
  readonly releasedAtMs: number | null;
  readonly rate: number | null;
  readonly perSecond: readonly number[] | null;
  readonly after: After | null;
  /** The kernel's counters of the connections; null: it was not asked. */
  readonly kernel: KernelCounts | null;
  /** How connections ended after their 101; null: not recorded. */
  readonly closes: Closes | null;
}

/** The single handshakes of the preflight or the check. */
export interface Alone {
  readonly attempted: number;
  readonly ok: number;
  readonly outcomes: Outcomes;
  /** Median time of those that were answered, ms. */
  readonly typicalMs: number | null;
}

export interface Evidence {
  readonly scheme: 'ws' | 'wss';
  readonly timeoutMs: number;
  readonly gate: string;
  /** The Origin that was sent; null: none. */
  readonly origin: string | null;
  /** Where credentials were sent: `a header`, `the query`, `a cookie`, `a subprotocol`; empty: none were sent. */
  readonly credentials: readonly string[];
  /** Clients send values of different data rows. */
  readonly usesRows: boolean;
  readonly subprotocols: readonly string[];
  /** The user gave headers of their own. */
  readonly hasOwnHeaders: boolean;
  readonly holdMs: number | null;
  readonly bursts: readonly ObservedBurst[];
  /** The most informative burst: with failures and some 101s, and among those the one with the most failures. */
  readonly worst: ObservedBurst;
  /** All failed outcomes of the worst burst, most frequent first. */
  readonly failures: readonly Failure[];
  /** null: there was no single handshake. */
  readonly alone: Alone | null;
  readonly check: Check | null;
  /** Facts from the probes of `check`. */
  readonly seen: Seen;
  /** Of the target's name, the one dialled first. */
  readonly addresses: readonly string[];
  /** Attempts go to all addresses of the name. */
  readonly usesAllAddresses: boolean;
  /** Each address had a single handshake. */
  readonly wasEachTried: boolean;
  readonly storms: readonly StormOfPlan[];
}

/** null when nothing was attempted. */
export function evidenceOf(result: Result): Evidence | null {
  const preflight = observedPreflight(result);
  const valid = result.bursts.filter(({ validity }) => validity.verdict !== 'invalid');
  const facts = (valid.length > 0 ? valid : result.bursts).map((burst) => observedBurst(burst, result));
  const bursts = facts.length > 0 ? facts : preflight === null ? [] : [preflight];
  const [first] = bursts;
  if (first === undefined) return null;
  const worst = bursts.reduce((a, b) => (weight(b) > weight(a) ? b : a), first);
  const { target } = result.plan;
  return {
    scheme: target.scheme,
    timeoutMs: result.plan.timeoutMs,
    gate: result.plan.gate,
    origin: target.origin ?? target.headers.find(([name]) => /^origin$/i.test(name))?.[1] ?? null,
    credentials: credentialsOf(target),
    usesRows: result.plan.data !== null && USES_ROWS.test(JSON.stringify(target)),
    subprotocols: subprotocolsOf(target),
    hasOwnHeaders: target.headers.length > 0,
    holdMs: heldMs(result.plan.session),
    bursts,
    worst,
    failures: [...worst.failures].sort((a, b) => b.count - a.count),
    alone: aloneOf(result),
    check: result.check,
    seen: seenBy(result.check, target.scheme),
    addresses: result.addresses,
    usesAllAddresses: result.plan.resolve === 'all',
    wasEachTried: preflight !== null,
    storms: stormsOf(result),
  };
}

const USES_ROWS = /\{\{\s*row\./;

/** Every way in which a browser or another client can send credentials. */
function credentialsOf({ headers, path, subprotocols, tls }: Plan['target']): string[] {
  const names = headers.map(([name]) => name);
  const query = new URLSearchParams(path.includes('?') ? path.slice(path.indexOf('?') + 1) : '');
  return [
    ...(names.some((name) => name.toLowerCase() !== 'cookie' && isSecretName(name)) ? ['a header'] : []),
    ...(names.some((name) => /^cookie$/i.test(name)) ? ['a cookie'] : []),
    ...([...query.keys()].some((name) => isSecretName(name) || /^(auth|ticket|sig|code)$/i.test(name))
      ? ['the query']
      : []),
    ...(subprotocols.some((one) => CARRIES_TOKEN.test(one)) ? ['a subprotocol'] : []),
    ...(tls.cert !== null ? ['a client certificate'] : []),
  ];
}

/** Masked already, named like a token, or filled from a data row. */
const CARRIES_TOKEN = /\*\*\*|token|bearer|auth|jwt|\{\{\s*(row|env)\./i;

function subprotocolsOf({ subprotocols, headers }: Plan['target']): string[] {
  const written = headers.filter(([name]) => /^sec-websocket-protocol$/i.test(name));
  return [...subprotocols, ...written.flatMap(([, value]) => value.split(/\s*,\s*/))].filter((one) => one !== '');
}

/** A burst with some 101s and many failures shows the shape of the limit best. */
function weight({ failures, ok, lost }: ObservedBurst): number {
  const failed = failures.reduce((sum, { count }) => sum + count, 0);
  if (failed === 0) return lost > 0 ? 0.5 : 0;
  return failed + (ok >= ENOUGH_FOR_A_SHAPE ? 1e9 : 0);
}

const ENOUGH_FOR_A_SHAPE = 5;

/** Outcomes that say something: not those stopped by the user or by an abort rule. */
export function isFailure(outcome: string): boolean {
  return !isOpen(outcome) && outcome !== 'aborted' && isOutcomeId(outcome);
}

export function isLocal(outcome: string): boolean {
  return isOutcomeId(outcome) && blameOf(outcome) === 'local';
}

function observedBurst(burst: Burst, { plan, preflight }: Result): ObservedBurst {
  const okMs = valuesOf(burst.latencyMs.handshake);
  const stage = plan.stages[burst.stage];
  // The drop that was waited for is no fault.
  const isDropped = stage?.kind === 'storm' && stage.drop.by === 'server';
  return {
    index: burst.index,
    size: burst.size,
    kind: burst.kind,
    attempted: burst.attempted,
    ok: openedOf(burst.outcomes),
    okMs,
    connectMs: valuesOf(burst.latencyMs.connect),
    upgradeMs: valuesOf(burst.latencyMs.upgrade),
    failures: failuresOf(burst, burst.failureMs, burst.details, {
      okMs,
      alone: preflight?.samples ?? {},
      floorMs: burst.calibration?.handshakeMs?.p99 ?? null,
    }),
    lost: isDropped ? 0 : burst.lostWhileHeld,
    makespanMs: burst.makespanMs,
    releasedAtMs: burst.releasedAt === null ? null : Date.parse(burst.releasedAt),
    rate: burst.rate,
    perSecond: burst.perSecond,
    after: burst.after,
    kernel: burst.kernel,
    closes: isDropped ? null : closesOf(burst.sessions),
  };
}

/** A run that stopped at its preflight has no other burst. */
function observedPreflight({ preflight }: Result): ObservedBurst | null {
  if (preflight === null || preflight.attempted === 0) return null;
  return {
    index: 0,
    size: preflight.attempted,
    kind: 'burst',
    attempted: preflight.attempted,
    ok: openedOf(preflight.outcomes),
    okMs: valuesOf(preflight.latencyMs),
    connectMs: [],
    upgradeMs: [],
    failures: failuresOf(preflight, {}, {}, { okMs: [], alone: {}, floorMs: null }),
    lost: 0,
    makespanMs: null,
    releasedAtMs: null,
    rate: null,
    perSecond: null,
    after: null,
    kernel: null,
    closes: null,
  };
}

/**
 * What distinguishes a refusal in a slow burst from a wait: how soon others got their 101, and how soon a single
 * handshake got the same outcome.
 */
interface BesideFailures {
  readonly okMs: readonly number[];
  readonly alone: Readonly<Record<string, Sample>>;
  /** When this machine had received nearly all responses of a target that never waits; null: unknown. */
  readonly floorMs: number | null;
}

function failuresOf(
  { outcomes, samples }: Pick<Burst, 'outcomes' | 'samples'>,
  failureMs: Readonly<Record<string, Summary | null>>,
  details: Readonly<Record<string, Readonly<Record<string, number>>>>,
  beside: BesideFailures,
): Failure[] {
  return Object.entries(outcomes)
    .filter(([outcome]) => isFailure(outcome))
    .map(([outcome, count]) => {
      const sample = samples[outcome] ?? null;
      const recorded = valuesOf(failureMs[outcome] ?? null);
      // Without a histogram (preflight), only the time of the first one is known.
      const timesMs = recorded.length > 0 || sample === null ? recorded : [sample.atMs];
      return {
        outcome,
        count,
        timesMs,
        clusters: clustersOf(timesMs),
        isAtOnce: cameAtOnce(outcome, timesMs, beside),
        sample,
        hop: sample === null ? null : recogniseHop(sample),
        details: details[outcome] ?? {},
      };
    });
}

const AT_ONCE_MS = 300;
/** A busy machine receives responses late; a refusal then comes at most this much later than the first 101. */
const BESIDE_OK_MS = 100;

/** Outcomes that always mean a wait. */
const SAYS_WAITED = /^(504|524|408|timeout-.*)$/;

function cameAtOnce(outcome: string, timesMs: readonly number[], { okMs, alone, floorMs }: BesideFailures): boolean {
  const [first] = timesMs;
  if (first === undefined) return false;
  if (first <= AT_ONCE_MS || (alone[outcome] !== undefined && alone[outcome].atMs <= AT_ONCE_MS)) return true;
  if (okMs.length === 0 || roundMs(first) !== null) return false;
  // The local test server, which answers at once, took as long: no response can arrive sooner here.
  const isFloor = floorMs !== null && first <= floorMs && !SAYS_WAITED.test(outcome);
  return isFloor || first <= okMs[0] + BESIDE_OK_MS;
}

/** A burst this small is as good as a single handshake. */
const FEW = 1;

function aloneOf({ preflight, bursts }: Result): Alone | null {
  if (preflight !== null && preflight.attempted > 0) {
    const { attempted, outcomes, latencyMs } = preflight;
    return { attempted, ok: openedOf(outcomes), outcomes, typicalMs: latencyMs?.p50 ?? null };
  }
  const single = bursts.find(({ size, kind }) => startsTogether(kind) && size <= FEW);
  if (single === undefined) return null;
  const { attempted, outcomes, latencyMs } = single;
  return { attempted, ok: openedOf(outcomes), outcomes, typicalMs: latencyMs.handshake?.p50 ?? null };
}
