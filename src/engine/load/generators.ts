/**
 * What fires a load: threads of this machine, or machines. Whoever runs a stage orders, waits and gathers through this
 * interface and knows nothing of what is behind it. T0 has one owner, which is here: `release` chooses and returns it.
 */
import type { LiveTotals } from '../attempt/live-counts.js';
import type { LoadTarget } from './load-target.js';
import type { ShardReport } from './shard.js';

/** Index of each target in a task. */
export const TARGET = { real: 0, mirror: 1 } as const;

/** What generators are there for: told before the first load. */
export interface GeneratorTask {
  /** A load names one by its index. */
  readonly targets: readonly LoadTarget[];
  readonly userAgent: string;
  readonly portRange: readonly [low: number, high: number];
  /** For the transport `epoll`; null: the transport for every platform. */
  readonly platform: string | null;
  readonly fault: Fault | null;
}

/** A fault to be played on purpose, so that what follows a worker's death can be tested. */
export interface Fault {
  readonly worker: number;
  readonly kind: 'throw' | 'memory';
  /** After the release. */
  readonly afterMs: number;
}

/** One load: one burst, or one churn. */
export interface LoadOrder {
  /** Index of the target in the task. */
  readonly target: number;
  /** Index of the stage in that target's plan. */
  readonly stage: number;
  /** Index of the burst over the whole run. */
  readonly index: number;
  /** Attempts; null: as many as fit into the stage's time. */
  readonly size: number | null;
  /** Attempts that may be open at once. */
  readonly open: number;
  /** Number in the run of the first attempt. */
  readonly base: number;
}

/** T0, and what turns it into wall-clock time. */
export interface Released {
  /** ms on the clock of `now()`. */
  readonly at: number;
  /** Wall clock minus the clock of `now()`, ms. */
  readonly wallOffset: number;
}

/** The part of a load that was given to a worker which died: nothing else is known of it. */
export interface LostPart {
  /** `worker 2 died before it reported`. */
  readonly what: string;
  /** Attempts of which the first system call was made. */
  readonly launched: number;
  /** Attempts that are unaccounted for. */
  readonly attempts: number;
}

export interface Gathered {
  readonly reports: readonly ShardReport[];
  readonly lost: readonly LostPart[];
}

export interface Generators {
  /** Parts that a load is dealt out to. */
  readonly parts: number;
  /** The counts of the load under way. */
  readonly counts: LiveTotals;
  /** CSV rows of attempts, whole lines, as they come. */
  onRows: (rows: string) => void;
  /** Resolves when all run; beside generators that are starting nothing is unloaded. @throws Error when one can't start */
  up(): Promise<void>;
  /** Tells them what they are there for; resolves when all are ready. @throws Error when one can't be */
  brief(task: GeneratorTask): Promise<void>;
  /** Puts another target in that place of their task. */
  retarget(place: number, target: LoadTarget): Promise<void>;
  /** Deals a load out and has it brought to its gate; resolves when every attempt waits there, or at `until`. */
  arm(order: LoadOrder, until: number): Promise<void>;
  /** Sets T0, a moment from now. @param orAtOnce nothing is left to release: T0 is now */
  release(orAtOnce?: boolean): Released;
  /** Resolves when every attempt has ended everywhere, or at `until`. */
  ended(until: number): Promise<void>;
  /** Has what is open kept until `holdUntil`, then closed; resolves with what each knows, at `until` at the latest. */
  gather(holdUntil: number, until: number): Promise<Gathered>;
  /**
   * In the middle of a load: what each knows by now, while rows of attempts that are not in it wait. Does nothing when one
   * of them does not tell.
   */
  peek(use: (reports: readonly ShardReport[]) => Promise<void>): Promise<void>;
  /** One sentence for each worker that is gone. */
  deaths(): readonly string[];
  /** Ends everything that has not ended, once in a run. */
  stop(): void;
  /** After `stop`: what has not closed by itself is reset, so that `gather` has its numbers at once. */
  hurry(): void;
  /** Lets the living finish, ends the rest. Later calls do nothing. */
  end(): Promise<void>;
}
