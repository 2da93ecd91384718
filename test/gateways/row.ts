/**
 * A row of the gateway matrix, as data: a stack, the bursts fired at it, and what each must show by which oracle.
 * Oracles are the rules of docs/method.md, "Predictions" and "Kinds of failure" (O1 to O21, 3a to 3g). Knows how to
 * write an expectation, not how to judge one.
 */
import type { CauseId } from '#dist/diagnose/causes.js';
import type { Wording } from './agree.js';
import type { BackendReport } from './backend-kinds.js';
import type { GatewayName, GatewaySettings } from './configs.js';
import type { StackPlan } from './stack.js';

/** Both ends belong to it. */
export type Span = readonly [low: number, high: number];

/** What a burst left behind that expectations may need: some things only the run itself can tell. */
export interface Seen {
  readonly size: number;
  /** Of all outcomes. */
  readonly counts: Readonly<Record<string, number>>;
  /** First to last request at a backend, or first to last released, ms. */
  readonly spreadMs: number;
  /** T0 to when the last request can have been written: released, through TCP and TLS, ms. */
  readonly writtenMs: number;
  /** Of each backend. */
  readonly reports: readonly BackendReport[];
}

export interface Expectation {
  readonly outcome: string;
  /** O1 to O21 or 3a to 3g: docs/method.md, "Predictions" and "Kinds of failure". */
  readonly oracle: string;
  /** The formula with its numbers, and why the tolerance is what it is. */
  readonly why: string;
  readonly count: Span | ((seen: Seen) => Span);
  /** Of a failure its time after T0, of a 101 its `handshake`: every one of them, ms. Null: nothing is said. */
  readonly ms: Span | ((seen: Seen) => Span) | null;
  /** Median of the same, ms. */
  readonly p50Ms?: (seen: Seen) => Span;
  /** Every detail of the outcome. */
  readonly detail?: RegExp;
}

export interface Shot {
  readonly size: number;
  /** Deadline of an attempt, as of `-t`. */
  readonly timeoutMs: number;
  /** Default `plain`. The crossed ones speak ws to the TLS port and TLS to the other. */
  readonly door?: 'plain' | 'secure' | 'ws-to-tls' | 'wss-to-plain';
  readonly gate?: 'connect' | 'tls' | 'upgrade';
  /** Default: none. Its handshakes are in the log as well. */
  readonly preflight?: boolean;
  /** false: the certificate of the stack is not trusted. */
  readonly trusts?: boolean;
  /** Further arguments. */
  readonly args?: readonly string[];
  /** What is done before it is fired. */
  readonly before?: readonly Deed[];
  /** Outcomes that are not listed must not occur. */
  readonly expects: readonly Expectation[];
  /**
   * What the log says instead, by the client's outcome. Outcomes that are statuses are themselves unless they are named
   * here. A string: why the log can't be held against the counts.
   */
  readonly log: Wording | string;
}

export type Deed = 'block' | 'start-backends' | 'stop-backends' | { readonly pauseMs: number };

/** Where it runs: `test` in all three, `long` in the last two. */
export type Where = 'test' | 'long' | 'bench';

export interface Row extends StackPlan {
  /** What it makes, e.g. `slow-serial`; each kind has a row in `npm test`. */
  readonly kind: string;
  /** `gateway/kind` and what tells it from others of its kind. */
  readonly id: string;
  /** What a diagnosis should find; null: nothing is wrong. */
  readonly cause: CauseId | null;
  /** One line: what is wrong here. */
  readonly story: string;
  readonly shots: readonly Shot[];
  readonly where: Where;
  /** Where what was seen here differs from the rule. */
  readonly note?: string;
}

/** Settings that nothing in a row speaks of: long enough never to matter. */
export const PATIENT: GatewaySettings = { readMs: 30_000, connectMs: 5000 };

/** What a gateway answers when its backend takes longer than the read timeout (3b, 3d). */
export const READ_FAILURE: Readonly<Record<GatewayName, string>> = {
  nginx: '504',
  haproxy: '504',
  apache2: '502',
  caddy: '504',
};

/** What it answers when nobody takes its connection (O9). */
export const CONNECT_FAILURE: Readonly<Record<GatewayName, string>> = {
  nginx: '504',
  haproxy: '503',
  apache2: '503',
  caddy: '502',
};

/** What it answers when its connection is refused (3b). */
export const REFUSED: Readonly<Record<GatewayName, string>> = {
  nginx: '502',
  haproxy: '503',
  apache2: '503',
  caddy: '502',
};

export function exactly(count: number): Span {
  return [count, count];
}

/**
 * At a timer of somebody else's: it starts after the release, by at most the time the burst takes to get through, and on
 * a busy machine fires late. A clock of whole ms may be one early.
 */
export function at(ms: number): (seen: Seen) => Span {
  return ({ spreadMs, writtenMs }) => [ms - 5, ms + Math.max(spreadMs, writtenMs) + Math.max(500, 0.15 * ms)];
}

/**
 * Without waiting for a timer of `timerMs`: in less than half of it once it is written, so that no busy machine can
 * confuse the two.
 */
export function soon(timerMs: number): (seen: Seen) => Span {
  return ({ spreadMs, writtenMs }) => [0, Math.max(spreadMs, writtenMs) + timerMs / 2];
}

/** All attempts of a burst end alike. */
export function all(
  outcome: string,
  size: number,
  oracle: string,
  why: string,
  ms: Expectation['ms'] = null,
): Expectation {
  return { outcome, oracle, why, count: exactly(size), ms };
}

/** The same over TLS, from end to end of the gateway's door. */
export function secured(row: Row, where: Where): Row {
  const shots = row.shots.map((shot): Shot => ({ ...shot, door: 'secure' }));
  return { ...row, id: `${row.id}/wss`, shots, where };
}
