/**
 * A reconnect policy: how a client comes back after it has lost its connection. Plain data, part of a Plan. A list of
 * waits states nearly every client library exactly; a curve states those whose waits grow by a rule. waits.ts turns
 * the data into times.
 */
import type { TimeRange } from './time-range.js';

/** The waits before each attempt in order; the last one repeats. */
export interface WaitList {
  readonly kind: 'list';
  readonly waits: readonly TimeRange[];
}

/** How `first` becomes the base of wait n (from 0): first × factor^n, or first + n × step. */
export type Growth =
  | { readonly by: 'factor'; readonly factor: number }
  | { readonly by: 'step'; readonly stepMs: number };

/** What `max` limits: the base before jitter, the wait after it, or both. */
export const CLAMPS = ['base', 'wait', 'both'] as const;
export type Clamp = (typeof CLAMPS)[number];

/**
 * Libraries whose draw is not one uniform number for each wait:
 * - `comb` (backo2, socket.io): one number decides how far the wait is from its base and, by its first digit, to which
 *   side, so that half of the range is never used;
 * - `product` (anycable): `first` is drawn for each wait and multiplied by the jitter, two uniform numbers;
 * - `poll` (Action Cable): a timer that runs all the time looks whether the connection is stale;
 * - `gauss` (autobahn): each wait is drawn around the previous one, so that deviations add up;
 * - `decorrelated` (AWS): between `first` and `grow` times the previous wait.
 */
export const NAMED_DRAWS = ['comb', 'product', 'poll', 'gauss', 'decorrelated'] as const;
export type NamedDraw = (typeof NAMED_DRAWS)[number];

/** base × U[jitter] + U[plus], with U a uniform draw. */
export interface WaitCurve {
  readonly kind: 'curve';
  readonly first: TimeRange;
  /** `first` is drawn once for each client. */
  readonly isPerClient: boolean;
  readonly growth: Growth;
  /** null: no limit. */
  readonly maxMs: number | null;
  readonly jitter: { readonly least: number; readonly most: number };
  readonly plus: TimeRange;
  readonly clamp: Clamp;
  /** null: uniform. */
  readonly draw: NamedDraw | null;
}

/** How long one attempt may take: first × grow^n, at most max. */
export interface AttemptLimit {
  readonly firstMs: number;
  readonly grow: number;
  readonly maxMs: number;
}

/** HTTP statuses (100 to 599) or close codes (1000 to 4999), both ends included. */
export interface CodeRange {
  readonly from: number;
  readonly to: number;
}

/** When failures are forgotten: at the 101, when ready, after being up for so long, or never. */
export const RESET_WORDS = ['open', 'ready', 'never'] as const;
export type PolicyReset = (typeof RESET_WORDS)[number] | { readonly upMs: number };

export interface Policy {
  readonly name: string;
  readonly waits: WaitList | WaitCurve;
  /** Attempts after a lost connection; null: no end. */
  readonly attempts: number | null;
  /** It gives up when its next attempt would start later than this after the loss; null: no end. */
  readonly totalMs: number | null;
  /** null: no limit of its own. */
  readonly timeout: AttemptLimit | null;
  readonly reset: PolicyReset;
  /** After these it never comes back. */
  readonly stop: readonly CodeRange[];
  /** After these it comes back without a wait. */
  readonly now: readonly CodeRange[];
}

/** The limit of attempt n (from 0) after a loss; null: the policy has none. */
export function attemptLimitMs({ timeout }: Policy, attempt: number): number | null {
  return timeout === null ? null : Math.min(timeout.maxMs, timeout.firstMs * timeout.grow ** attempt);
}

/** How long a client must be up before its failures are forgotten; 0 unless the policy names a time. */
export function resetMs({ reset }: Policy): number {
  return typeof reset === 'object' ? reset.upMs : 0;
}

export function holdsCode(ranges: readonly CodeRange[], code: number | null): boolean {
  return code !== null && ranges.some(({ from, to }) => code >= from && code <= to);
}
