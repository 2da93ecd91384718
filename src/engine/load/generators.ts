/**
 * What fires a load: threads of this machine, or other machines. The code that runs a stage gives orders, waits and
 * collects through this interface, without knowing what is behind it. T0 has one owner: `release` chooses and returns
 * it.
 */
import type { LiveTotals } from '../attempt/live-counts.js';
import type { LoadTarget } from './load-target.js';
import type { ShardReport } from './shard.js';

/** Index of each target in a task. */
export const TARGET = { real: 0, mirror: 1 } as const;

/** What the generators must know before the first load. */
export interface GeneratorTask {
  /** A load refers to one by its index. */
  readonly targets: readonly LoadTarget[];
  readonly userAgent: string;
  readonly portRange: readonly [low: number, high: number];
  /** For the `epoll` transport; null: the `node` transport, which works on every platform. */
  readonly platform: string | null;
  readonly fault: Fault | null;
}

/** A fault injected on purpose, to test what follows a worker's death. */
export interface Fault {
  readonly worker: number;
  readonly kind: 'throw' | 'memory';
  /** Time after the release. */
  readonly afterMs: number;
}

/** One load: one burst, or one churn. */
export interface LoadOrder {
  /** Index of the target in the task. */
  readonly target: number;
  /** Index of the stage in that target's plan. */
  readonly stage: number;
  /** Index of the load within its stage. */
  readonly place: number;
  /** Index of the burst over the whole run. */
  readonly index: number;
  /** Attempts; null: as many as fit into the stage's duration. */
  readonly size: number | null;
  /** Attempts that may be open at once. */
  readonly open: number;
  /** Number of the first attempt in the run. */
  readonly base: number;
  /** Number of the first client in the run; the same, until a client has made several attempts. */
  readonly clientBase: number;
}

/** T0, and the offset that turns it into wall-clock time. */
export interface Released {
  /** ms on the clock of `now()`. */
  readonly at: number;
  /** Wall clock minus the clock of `now()`, ms. */
  readonly wallOffset: number;
}

/** The part of a load that a dead worker had: nothing else is known about it. */
export interface LostPart {
  /** `worker 2 died before it reported`. */
  readonly what: string;
  /** Attempts whose first system call was made. */
  readonly launched: number;
  /** Attempts that are unaccounted for. */
  readonly attempts: number;
}

export interface Gathered {
  readonly reports: readonly ShardReport[];
  readonly lost: readonly LostPart[];
}

export interface Generators {
  /** Number of parts into which a load is split. */
  readonly parts: number;
  /** Live counts of the current load. */
  readonly counts: LiveTotals;
  /** Receives CSV rows of attempts, whole lines, as they come. */
  onRows: (rows: string) => void;
  /**
   * Resolves when all have started; until then nothing can be measured undisturbed. @throws Error when one can't start
   */
  up(): Promise<void>;
  /** Sends the task to all; resolves when all are ready. @throws Error when one can't be */
  brief(task: GeneratorTask): Promise<void>;
  /** Replaces the target at that index of the task. */
  retarget(place: number, target: LoadTarget): Promise<void>;
  /** Splits a load and brings it to its gate; resolves when every attempt waits there, or at `until`. */
  arm(order: LoadOrder, until: number): Promise<void>;
  /** Sets T0, a moment from now. @param orAtOnce T0 is now, because no attempt is left to release */
  release(orAtOnce?: boolean): Released;
  /** Resolves when every attempt has ended everywhere, or at `until`. */
  ended(until: number): Promise<void>;
  /** Begins the watch of a storm at `at` (ms on the clock of `now()`), a moment from now. */
  drop(at: number): void;
  /**
   * Keeps open connections until `holdUntil`, then closes them; resolves with all reports, at `until` at the latest.
   */
  gather(holdUntil: number, until: number): Promise<Gathered>;
  /**
   * In the middle of a load: calls `use` with each shard's report so far; rows of attempts not in it are held back
   * meanwhile. Does nothing when a shard does not report.
   */
  peek(use: (reports: readonly ShardReport[]) => Promise<void>): Promise<void>;
  /** One sentence for each dead worker. */
  deaths(): readonly string[];
  /** Ends all attempts that have not ended; at most once in a run. */
  stop(): void;
  /** After `stop`: resets what has not closed yet, so that `gather` gets its numbers at once. */
  hurry(): void;
  /** Lets running generators finish and ends the others. Later calls do nothing. */
  end(): Promise<void>;
}
