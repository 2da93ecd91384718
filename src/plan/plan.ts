/**
 * The Plan: what a person wrote (profile, flags, environment), validated, defaulted, frozen and serialisable. It holds
 * no secret's value and no file's content: those travel beside it as Inputs. Templates ({{ … }}) stay as written.
 */

/** The step at which all attempts of a burst wait to be released together. */
export type Gate = 'connect' | 'tls' | 'upgrade';
export type CloseKind = 'clean' | 'reset';
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

export interface BurstStage {
  readonly kind: 'burst';
  readonly size: number;
  readonly times: number;
  readonly restMs: number;
}

export interface StepsStage {
  readonly kind: 'steps';
  /** Burst sizes in order. */
  readonly sizes: readonly number[];
  readonly restMs: number;
}

export interface ChurnStage {
  readonly kind: 'churn';
  /** Attempts in total; null when only `forMs` ends the stage. */
  readonly total: number | null;
  readonly inFlight: number;
  /** No launches after this long; null = no limit of time. */
  readonly forMs: number | null;
  readonly restMs: number;
}

/** A search for the drop-off point; null: what the preset says. Sizes are handshakes released together. */
export interface FindStage {
  readonly kind: 'find';
  readonly max: number;
  readonly min: number | null;
  /** The drop-off that the person expects. */
  readonly expect: number | null;
  /** Relative width of the bracket at which the search ends. */
  readonly width: number | null;
  /** Objectives; with none of them the preset's. */
  readonly share: number | null;
  readonly p99Ms: number | null;
  readonly p95Ms: number | null;
  readonly preset: 'quick' | 'standard' | 'thorough' | null;
  /** Cool-down after a burst. */
  readonly restMs: number | null;
  /** Rest after a bad burst that makes the target count as rested. */
  readonly freshWaitMs: number | null;
  readonly maxWaitMs: number | null;
  /** Bursts. */
  readonly budget: number | null;
  readonly deadlineMs: number | null;
  /** Share of bursts that must meet the objectives. */
  readonly burstQuantile: number | null;
  readonly downSweep: boolean;
  /** Failed handshakes on the target that end the search. */
  readonly harm: number | null;
}

/** A new kind of stage is a new member of this union and one entry in the schema's stage table. */
export type Stage = BurstStage | StepsStage | ChurnStage | FindStage;

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
  /** Expressions as written, already checked by the threshold parser. */
  readonly thresholds: readonly string[];
  readonly abort: string | null;
  readonly allowHosts: readonly string[];
  /** null: clean for bursts, reset for churn. */
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

/**
 * How many attempts of `n` a stage's bursts hold, in order (churn: one entry, its total, or null when time ends it). None
 * for a search: it decides as it goes.
 */
export function burstSizes(stage: Stage): readonly (number | null)[] {
  switch (stage.kind) {
    case 'burst':
      return Array.from({ length: stage.times }, () => stage.size);
    case 'steps':
      return stage.sizes;
    case 'churn':
      return [stage.total];
    case 'find':
      return [];
  }
}

/** The largest number of attempts of the plan that are open in the same instant. */
export function peakOpen(plan: Plan): number {
  return Math.max(0, ...plan.stages.map(stageOpen));
}

/** The same without searches, which take less where less can be had. */
export function fixedOpen(plan: Plan): number {
  return Math.max(0, ...plan.stages.filter(({ kind }) => kind !== 'find').map(stageOpen));
}

export function findStageOf(stages: readonly Stage[]): FindStage | null {
  return stages.find((stage) => stage.kind === 'find') ?? null;
}

/** The largest number of attempts of one stage that are open in the same instant. */
export function stageOpen(stage: Stage): number {
  switch (stage.kind) {
    case 'burst':
      return stage.size;
    case 'steps':
      return Math.max(...stage.sizes);
    case 'churn':
      return stage.total === null ? stage.inFlight : Math.min(stage.inFlight, stage.total);
    case 'find':
      return stage.max;
  }
}
