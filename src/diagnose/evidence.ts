/**
 * What a result says about its failures, laid out for the rules: burst by burst, outcome by outcome, with times, samples
 * and the hop that answered, and beside it what a single handshake does. It draws no conclusion.
 */

import { blameOf, isOpen, isOutcomeId, openedOf } from '../names/outcomes.js';
import type { Plan } from '../plan/plan.js';
import { isSecretName } from '../plan/secrets.js';
import { type LoadKind, startsTogether } from '../plan/stages/loads.js';
import type { Check } from '../result/check-facts.js';
import type { After, Burst, KernelCounts, Outcomes, Preflight, Result, Sample, Summary } from '../result/result.js';
import { type Closes, closesOf } from './closes.js';
import { type Hop, recogniseHop } from './hops.js';
import { type Seen, seenBy } from './observations.js';
import { type Cluster, clustersOf, roundMs } from './shape.js';
import { valuesOf } from './values.js';

/** One failed outcome of one burst. */
export interface Failure {
  readonly outcome: string;
  readonly count: number;
  /** From T0, ascending. */
  readonly timesMs: readonly number[];
  readonly clusters: readonly Cluster[];
  /** A refusal, and nothing that was waited for. */
  readonly isAtOnce: boolean;
  readonly sample: Sample | null;
  readonly hop: Hop | null;
  /** Distinct details by count. */
  readonly details: Readonly<Record<string, number>>;
}

/** One burst, or the preflight in its place, as the rules see it. */
export interface ObservedBurst {
  readonly index: number;
  readonly size: number;
  readonly kind: LoadKind;
  readonly attempted: number;
  readonly ok: number;
  /** 101s, from T0, ascending. */
  readonly okMs: readonly number[];
  /** Connect times of all that connected, ascending. */
  readonly connectMs: readonly number[];
  /** Request to head of the 101s, ascending. */
  readonly upgradeMs: readonly number[];
  readonly failures: readonly Failure[];
  readonly lost: number;
  readonly makespanMs: number | null;
  /** ms since the Unix epoch. */
  readonly releasedAtMs: number | null;
  readonly rate: number | null;
  readonly perSecond: readonly number[] | null;
  readonly after: After | null;
  /** What the kernel said of the connections; null: it was not asked. */
  readonly kernel: KernelCounts | null;
  /** How connections ended after their 101; null: nobody counted. */
  readonly closes: Closes | null;
}

/** What handshakes do that come one by one. */
export interface Alone {
  readonly attempted: number;
  readonly ok: number;
  readonly outcomes: Outcomes;
  /** Median of what was answered, ms. */
  readonly typicalMs: number | null;
}

export interface Evidence {
  readonly scheme: 'ws' | 'wss';
  readonly timeoutMs: number;
  readonly gate: string;
  /** As it was sent; null: none was. */
  readonly origin: string | null;
  /** Where credentials were sent: `a header`, `the query`, `a cookie`, `a subprotocol`; empty: nowhere. */
  readonly credentials: readonly string[];
  /** Clients send values of their own rows. */
  readonly usesRows: boolean;
  readonly subprotocols: readonly string[];
  readonly holdMs: number | null;
  readonly bursts: readonly ObservedBurst[];
  /** The burst that says most: of those with failures the one with some 101s beside them, then with the most failures. */
  readonly worst: ObservedBurst;
  /** All failed outcomes of the worst burst, most frequent first. */
  readonly failures: readonly Failure[];
  /** null: no single handshake was made. */
  readonly alone: Alone | null;
  readonly check: Check | null;
  /** What the probes of `check` showed. */
  readonly seen: Seen;
}

/** null when nothing was attempted. */
export function evidenceOf(result: Result): Evidence | null {
  const preflight = observedPreflight(result);
  const valid = result.bursts.filter(({ validity }) => validity.verdict !== 'invalid');
  const facts = (valid.length > 0 ? valid : result.bursts).map((burst) => observedBurst(burst, result.preflight));
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
    holdMs: result.plan.session.holdMs,
    bursts,
    worst,
    failures: [...worst.failures].sort((a, b) => b.count - a.count),
    alone: aloneOf(result),
    check: result.check,
    seen: seenBy(result.check, target.scheme),
  };
}

const USES_ROWS = /\{\{\s*row\./;

/** Every way in which a browser or another client can carry who it is. */
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

/** Masked already, or labelled as one, or filled from a row. */
const CARRIES_TOKEN = /\*\*\*|token|bearer|auth|jwt|\{\{\s*(row|env)\./i;

function subprotocolsOf({ subprotocols, headers }: Plan['target']): string[] {
  const written = headers.filter(([name]) => /^sec-websocket-protocol$/i.test(name));
  return [...subprotocols, ...written.flatMap(([, value]) => value.split(/\s*,\s*/))].filter((one) => one !== '');
}

/** A burst in which some got through and many did not tells the shape of the limit. */
function weight({ failures, ok, lost }: ObservedBurst): number {
  const failed = failures.reduce((sum, { count }) => sum + count, 0);
  if (failed === 0) return lost > 0 ? 0.5 : 0;
  return failed + (ok >= ENOUGH_FOR_A_SHAPE ? 1e9 : 0);
}

const ENOUGH_FOR_A_SHAPE = 5;

/** Failures that speak of somebody: what the user or an abort rule stopped does not. */
export function isFailure(outcome: string): boolean {
  return !isOpen(outcome) && outcome !== 'aborted' && isOutcomeId(outcome);
}

export function isLocal(outcome: string): boolean {
  return isOutcomeId(outcome) && blameOf(outcome) === 'local';
}

function observedBurst(burst: Burst, preflight: Preflight | null): ObservedBurst {
  const okMs = valuesOf(burst.latencyMs.handshake);
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
    lost: burst.lostWhileHeld,
    makespanMs: burst.makespanMs,
    releasedAtMs: burst.releasedAt === null ? null : Date.parse(burst.releasedAt),
    rate: burst.rate,
    perSecond: burst.perSecond,
    after: burst.after,
    kernel: burst.kernel,
    closes: closesOf(burst.sessions),
  };
}

/** A run that was stopped at its preflight has nothing else to go by. */
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

/** What tells a refusal in a slow crowd from a wait: how soon others got their 101, how soon it came to a single one. */
interface Beside {
  readonly okMs: readonly number[];
  readonly alone: Readonly<Record<string, Sample>>;
  /** By when this machine had nearly all answers of a target that never waits; null: unknown. */
  readonly floorMs: number | null;
}

function failuresOf(
  { outcomes, samples }: Pick<Burst, 'outcomes' | 'samples'>,
  failureMs: Readonly<Record<string, Summary | null>>,
  details: Readonly<Record<string, Readonly<Record<string, number>>>>,
  beside: Beside,
): Failure[] {
  return Object.entries(outcomes)
    .filter(([outcome]) => isFailure(outcome))
    .map(([outcome, count]) => {
      const sample = samples[outcome] ?? null;
      const recorded = valuesOf(failureMs[outcome] ?? null);
      // Without a histogram (preflight) the first one's time is what there is.
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
/** A busy machine answers a crowd later; a refusal is then no later than the first 101 by more than this. */
const BESIDE_OK_MS = 100;

/** Answers that say by themselves that somebody waited. */
const SAYS_WAITED = /^(504|524|408|timeout-.*)$/;

function cameAtOnce(outcome: string, timesMs: readonly number[], { okMs, alone, floorMs }: Beside): boolean {
  const [first] = timesMs;
  if (first === undefined) return false;
  if (first <= AT_ONCE_MS || (alone[outcome] !== undefined && alone[outcome].atMs <= AT_ONCE_MS)) return true;
  if (okMs.length === 0 || roundMs(first) !== null) return false;
  // A mirror that answers at once took as long: no sooner can an answer be had here.
  const isFloor = floorMs !== null && first <= floorMs && !SAYS_WAITED.test(outcome);
  return isFloor || first <= okMs[0] + BESIDE_OK_MS;
}

/** A burst of so few is as good as single handshakes. */
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
