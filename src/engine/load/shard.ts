/**
 * One worker's part of a load, whatever its kind: what it is given, what it is told to do, and what it reports. A kind of
 * load is an implementation of `Shard` and a row of the table in load-kinds.ts.
 */
import type { Inputs, Plan } from '../../plan/plan.js';
import type { EncodedTally } from '../../tally/tally.js';
import type { Stalled } from '../../tally/validity.js';
import type { Kernel } from '../transport/epoll/system-calls.js';
import type { PortChooser } from '../transport/ports.js';
import type { TlsOptions } from '../transport/tls-options.js';
import type { Destination, TransportEvents } from '../transport/transport.js';

/** Told in this order; `stop` at any time. None of them rejects. */
export interface Shard {
  /** Brings every attempt to the gate; resolves when each waits there or has failed. */
  arm(): Promise<Armed>;
  /** Begins at T0 (ms on the clock of `now()`) and resolves when every attempt has ended. */
  run(releaseAt: number): Promise<void>;
  /** Keeps what is open until `holdUntil` (ms on the clock of `now()`), closes it, and reports; no socket is left. */
  close(holdUntil: number): Promise<ShardReport>;
  /** What `close` would report by now; nothing is ended. null: there is nothing to tell in the middle of this load. */
  peek(): ShardReport | null;
  /** Ends what has not ended as `aborted`, and a hold at once. */
  stop(): void;
  /** After `stop`: resets what has not closed by itself. */
  hurry(): void;
}

export interface Armed {
  readonly armed: number;
  readonly failed: number;
}

/** What a worker needs to know of its shard; all numbers, so that an order is one store in shared memory. */
export interface ShardOrder {
  /** Index of the load's target in the task. */
  readonly target: number;
  /** Index of the stage in the plan of that target. */
  readonly stage: number;
  /** Index of the burst over the whole run. */
  readonly burst: number;
  /** Attempts of this shard; where a load has no total 0: as many as fit in the stage's time. */
  readonly count: number;
  /** Attempts of this shard that may be open at once. */
  readonly open: number;
  /** Number of the shard's first attempt within the burst. */
  readonly first: number;
  /** Distance between two attempt numbers of this shard: attempts are dealt out like cards. */
  readonly stride: number;
  /** Number in the run of the burst's first attempt: the base of `{{ index }}`. */
  readonly base: number;
}

/** What a shard is given: the plan, its order and what its worker holds for all shards. */
export interface ShardContext {
  readonly plan: Plan;
  readonly inputs: Inputs;
  readonly order: ShardOrder;
  readonly worker: number;
  readonly destinations: readonly Destination[];
  readonly tls: TlsOptions | null;
  /** This thread's way to the kernel; null: the transport for every platform. */
  readonly kernel: Kernel | null;
  readonly ports: PortChooser;
  readonly live: Int32Array;
  readonly userAgent: string;
  readonly wantRows: boolean;
  /** Wall clock minus the clock of `now()`, ms; known from the release on. */
  readonly wallOffset: () => number;
  /** Blocks the thread, ms; for the last moments before T0. */
  readonly sleep: (ms: number) => void;
  /** Sends CSV rows before the shard is over. */
  readonly sendRows: (rows: string) => void;
  /** Sees each request before it is kept for sending, Latin-1; what it returns is sent. */
  readonly rewrite?: (request: string) => string;
  /** Listens in on what the transport tells; must pass everything on to the engine. */
  readonly listen?: (engine: TransportEvents) => TransportEvents;
}

/** What one worker knows of its part of a load. Times in ms after T0; null where nothing happened. */
export interface ShardReport {
  readonly tally: EncodedTally;
  readonly launched: number;
  /** Ended by themselves before the release. */
  readonly failedToArm: number;
  /** Answers read so long after their deadline that it can't be told whether they came in time. */
  readonly overdue: number;
  readonly firstReleaseMs: number | null;
  readonly lastReleaseMs: number | null;
  readonly lastEndMs: number | null;
  readonly longestGapMs: number;
  /** From T0 until the last attempt had ended. */
  readonly stalled: Stalled;
  /** From then until the first connection was closed. */
  readonly stalledHolding: Stalled;
  /** Of the clock that stamps arrivals; seen where steps back and forth leave nothing to see at the end. */
  readonly clockStepMs: number;
  readonly gcPauses: number;
  readonly gcMaxMs: number;
  readonly tlsResumed: number;
  /** 101s in each second after T0, where the load has a rate. */
  readonly perSecond: readonly number[] | null;
  /** CSV rows not sent before. */
  readonly rows: string | null;
}
