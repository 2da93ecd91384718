/**
 * The Plan: profile, flags and environment after validation, with defaults, frozen and serialisable. It holds no value
 * of a secret and no content of a file: these travel beside it as Inputs. Templates ({{ … }}) stay as written.
 */
import type { AbortRule, Threshold } from './expressions/rules.js';
import type { SessionPlan } from './session/session-script.js';
import type { FindStage } from './stages/find.js';
import { factsOf, isSearch, type Stage } from './stages/kinds.js';
import type { CloseKind } from './stages/loads.js';

export type { ArriveStage } from './stages/arrive.js';
export type { ChurnStage } from './stages/churn.js';
export type { FindStage, Stage };

/** The step at which all attempts of a burst wait to be released together. */
export type Gate = 'connect' | 'tls' | 'upgrade';
export type Scheme = 'ws' | 'wss';

export interface TlsPlan {
  /** Paths as written; the contents are in Inputs. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly servername: string | null;
  readonly insecure: boolean;
  /** Offer TLS session resumption. */
  readonly resume: boolean;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface Target {
  /** The URL as written, templates included. */
  readonly url: string;
  readonly scheme: Scheme;
  /** Name or address without brackets; no template. */
  readonly host: string;
  readonly port: number;
  /** Request target (path and query), templates included; starts with `/`. */
  readonly path: string;
  /** In the order written; values may hold templates. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly origin: string | null;
  readonly subprotocols: readonly string[];
  /** Offer permessage-deflate. */
  readonly compression: boolean;
  readonly tls: TlsPlan;
  readonly connectTo: Endpoint | null;
  /** Addresses, with CIDR blocks expanded. */
  readonly sourceIps: readonly string[];
}

export type Pick = 'cycle' | 'random' | 'once';

export interface DataPlan {
  /** Path as written. */
  readonly file: string;
  readonly pick: Pick;
}

export interface Plan {
  readonly name: string | null;
  readonly about: string | null;
  readonly target: Target;
  readonly data: DataPlan | null;
  readonly gate: Gate;
  /** Total deadline of an attempt, ms, from the release (arming has its own of the same length). */
  readonly timeoutMs: number;
  readonly stages: readonly Stage[];
  readonly session: SessionPlan;
  /** Probe the target for this long after each burst; null: no probes. */
  readonly afterMs: number | null;
  readonly thresholds: readonly Threshold[];
  readonly abort: AbortRule | null;
  readonly allowHosts: readonly string[];
  /** null: the default of each stage's load. */
  readonly close: CloseKind | null;
  readonly resolve: 'first' | 'all';
  readonly preflight: boolean;
  readonly calibrate: boolean;
  /** null: min(cores, ceil(N / 250)). */
  readonly workers: number | null;
  /** auto: `epoll` if it works here, else `node`. */
  readonly transport: 'auto' | 'epoll' | 'node';
  /** Attempts started before the thread reads replies; null: the transport's default. */
  readonly releaseChunk: number | null;
  /** Random seed for everything but Sec-WebSocket-Key and frame masks. */
  readonly seed: number;
}

/** What a plan needs at run time but must never be written to a result. */
export interface Inputs {
  /** Rows of the data file, with header names as keys; empty without data. */
  readonly rows: readonly Readonly<Record<string, string>>[];
  /** Values of the `{{ env.NAME }}` that the plan uses. */
  readonly env: Readonly<Record<string, string>>;
  /** PEM texts. */
  readonly tls: { readonly ca: string | null; readonly cert: string | null; readonly key: string | null };
}

/** Number of attempts of each burst of a stage, in order; null: only time ends it. Empty for a search. */
export function burstSizes(stage: Stage): readonly (number | null)[] {
  return factsOf(stage).sizes(stage);
}

/** The largest number of attempts of one stage that are open at the same time. */
export function stageOpen(stage: Stage): number {
  return factsOf(stage).mostOpen(stage);
}

/** The largest number of attempts of the plan that are open at the same time. */
export function peakOpen({ stages }: Staged): number {
  return Math.max(0, ...stages.map(stageOpen));
}

/** The same without searches, which adapt to what is available. */
export function fixedOpen({ stages }: Staged): number {
  return Math.max(0, ...stages.filter((stage) => !isSearch(stage)).map(stageOpen));
}

export function findStageOf(stages: readonly Stage[]): FindStage | null {
  return stages.find(isSearch) ?? null;
}

type Staged = { readonly stages: readonly Stage[] };
