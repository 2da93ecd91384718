/**
 * What threads tell each other, as data: a worker's post when its one long job begins, its task when that is known, and
 * messages back. Orders do not travel here (control.ts).
 */
import type { MessagePort } from 'node:worker_threads';
import type { Inputs, Plan } from '../../plan/plan.js';
import type { EncodedTally } from '../../tally/tally.js';
import type { Destination } from '../transport/transport.js';

/** A fault to be played on purpose, so that what follows a worker's death can be tested. */
export interface Fault {
  readonly worker: number;
  readonly kind: 'throw' | 'memory';
  /** After the release. */
  readonly afterMs: number;
}

/** What a shard aims at: the plan's target, or the mirror in its place. */
export interface Aim {
  readonly plan: Plan;
  readonly inputs: Inputs;
  readonly destinations: readonly Destination[];
  readonly tlsSession: Uint8Array | null;
  readonly wantRows: boolean;
}

/** To a worker: from now on the aim at this place of its task is another one. */
export interface NewAim {
  readonly place: number;
  readonly aim: Aim;
}

/** Where a worker stands, and how it is reached. */
export interface WorkerPost {
  readonly worker: number;
  readonly workers: number;
  readonly control: SharedArrayBuffer;
  readonly port: MessagePort;
}

/** What it is there for: the first message on its port. */
export interface WorkerTask {
  /** Orders name one by its index. */
  readonly aims: readonly Aim[];
  readonly userAgent: string;
  readonly portRange: readonly [low: number, high: number];
  /** For the transport `epoll`; null: the transport for every platform. */
  readonly platform: string | null;
  readonly fault: Fault | null;
}

/** What one worker knows of its part of a burst or churn stage. Times in ms after T0; null where nothing happened. */
export interface ShardReport {
  readonly tally: EncodedTally;
  readonly launched: number;
  /** Ended by themselves before the release. */
  readonly failedToArm: number;
  /** Answers read so long after their deadline that nobody can tell whether they came in time. */
  readonly overdue: number;
  readonly firstReleaseMs: number | null;
  readonly lastReleaseMs: number | null;
  readonly lastEndMs: number | null;
  readonly longestGapMs: number;
  /** Of the clock that stamps arrivals; seen where steps back and forth leave nothing to see at the end. */
  readonly clockStepMs: number;
  readonly gcPauses: number;
  readonly gcMaxMs: number;
  readonly tlsResumed: number;
  /** Churn: 101s in each second after T0. */
  readonly perSecond: readonly number[] | null;
  /** CSV rows not sent before. */
  readonly rows: string | null;
}

export type WorkerMessage =
  | { readonly kind: 'up' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'aimed' }
  | { readonly kind: 'armed'; readonly armed: number; readonly failed: number }
  | { readonly kind: 'ended' }
  | { readonly kind: 'rows'; readonly rows: string }
  | { readonly kind: 'closed'; readonly report: ShardReport };
