/**
 * Messages between threads, as data: the start message of a worker's one long job, and messages back. Its task is a
 * GeneratorTask. Orders are not sent as messages: they are in shared memory.
 */
import type { MessagePort } from 'node:worker_threads';
import type { LoadTarget } from '../load/load-target.js';
import type { Armed, ShardReport } from '../load/shard.js';

/** A worker's number, and how to reach it. */
export interface WorkerPost {
  readonly worker: number;
  readonly workers: number;
  readonly control: SharedArrayBuffer;
  readonly port: MessagePort;
}

/** To a worker: the target at this index of its task is replaced. */
export interface NewTarget {
  readonly place: number;
  readonly target: LoadTarget;
}

/** To a worker: report what you know now. The answer has the same number. */
export interface Peek {
  readonly peek: number;
}

export type WorkerMessage =
  | { readonly kind: 'up' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'retargeted' }
  | ({ readonly kind: 'armed' } & Armed)
  | { readonly kind: 'ended' }
  | { readonly kind: 'peeked'; readonly peek: number; readonly report: ShardReport | null }
  | { readonly kind: 'rows'; readonly rows: string }
  | { readonly kind: 'closed'; readonly report: ShardReport };
