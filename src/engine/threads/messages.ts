/**
 * What threads tell each other, as data: a worker's post when its one long job begins, and messages back. Its task is the
 * generators' own (GeneratorTask). Orders do not travel here: they lie in shared memory.
 */
import type { MessagePort } from 'node:worker_threads';
import type { LoadTarget } from '../load/load-target.js';
import type { Armed, ShardReport } from '../load/shard.js';

/** Where a worker stands, and how it is reached. */
export interface WorkerPost {
  readonly worker: number;
  readonly workers: number;
  readonly control: SharedArrayBuffer;
  readonly port: MessagePort;
}

/** To a worker: from now on the target at this place of its task is another one. */
export interface NewTarget {
  readonly place: number;
  readonly target: LoadTarget;
}

/** To a worker: tell what you know by now. The answer bears the same number. */
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
