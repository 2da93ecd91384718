/**
 * The Plan: what a person wrote (profile, flags, environment), validated, defaulted, frozen and serialisable. It holds
 * no secret's value and no file's content: those travel beside it as Inputs. Templates ({{ … }}) stay as written.
 */
import type { AbortRule, Threshold } from './expressions/rules.js';
import type { FindStage } from './stages/find.js';
import { factsOf, isSearch, type Stage } from './stages/kinds.js';
import type { CloseKind } from './stages/loads.js';

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
  /** Addresses; CIDR blocks already expanded. */
  readonly sourceIps: readonly string[];
}

export type Pick = 'cycle' | 'random' | 'once';

export interface DataPlan {
  /** Path as written. */
  readonly file: string;
  readonly pick: Pick;
}

export interface SessionPlan {
  /** Hold every 101 this long after the last attempt of its burst ended; null: only until that moment. */
  readonly holdMs: number | null;
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
  /** Probe the target for this long once a burst is over; null: not at all. */
  readonly afterMs: number | null;
  readonly thresholds: readonly Threshold[];
  readonly abort: AbortRule | null;
  readonly allowHosts: readonly string[];
  /** null: as each stage's load has it. */
  readonly close: CloseKind | null;
  readonly resolve: 'first' | 'all';
  readonly preflight: boolean;
  readonly calibrate: boolean;
  /** null: min(cores, ceil(N / 250)). */
  readonly workers: number | null;
  /** auto: `epoll` where it works, else `node`. */
  readonly transport: 'auto' | 'epoll' | 'node';
  /** Releases in a slice before the thread reads answers; null: as the transport needs it. */
  readonly releaseChunk: number | null;
  /** Rules everything random but keys and masks. */
  readonly seed: number;
}

/** What a plan needs beside itself and what must never be written to a result. */
export interface Inputs {
  /** Rows of the data file, header names as keys; empty without data. */
  readonly rows: readonly Readonly<Record<string, string>>[];
  /** Values of the `{{ env.NAME }}` that the plan uses. */
  readonly env: Readonly<Record<string, string>>;
  /** PEM texts. */
  readonly tls: { readonly ca: string | null; readonly cert: string | null; readonly key: string | null };
}

/** How many attempts each burst of a stage holds, in order; null: time alone ends it. None for a search. */
export function burstSizes(stage: Stage): readonly (number | null)[] {
  return factsOf(stage).sizes(stage);
}

/** The largest number of attempts of one stage that are open in the same instant. */
export function stageOpen(stage: Stage): number {
  return factsOf(stage).mostOpen(stage);
}

/** The largest number of attempts of the plan that are open in the same instant. */
export function peakOpen({ stages }: Staged): number {
  return Math.max(0, ...stages.map(stageOpen));
}

/** The same without searches, which take less where less can be had. */
export function fixedOpen({ stages }: Staged): number {
  return Math.max(0, ...stages.filter((stage) => !isSearch(stage)).map(stageOpen));
}

export function findStageOf(stages: readonly Stage[]): FindStage | null {
  return stages.find(isSearch) ?? null;
}

type Staged = { readonly stages: readonly Stage[] };
