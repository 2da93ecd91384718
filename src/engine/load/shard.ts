/**
 * One worker's part of a load, of any kind: its input, its commands, and its report. A kind of load is an
 * implementation of `Shard` and a row of the table in load-kinds.ts.
 */
import type { Inputs, Plan } from '../../plan/plan.js';
import type { EncodedArrivals } from '../../tally/arrivals-tally.js';
import type { EncodedStorm } from '../../tally/storm-tally.js';
import type { EncodedTally } from '../../tally/tally.js';
import type { Stalled } from '../../tally/validity.js';
import type { Session, SessionGround } from '../session/session.js';
import type { Kernel } from '../transport/epoll/system-calls.js';
import type { PortChooser } from '../transport/ports.js';
import type { TlsOptions } from '../transport/tls-options.js';
import type { Destination, TransportEvents } from '../transport/transport.js';

/** Called in this order; `stop` at any time. None of them rejects. */
export interface Shard {
  /** Brings every attempt to the gate; resolves when each one waits there or has failed. */
  arm(): Promise<Armed>;
  /** Begins at T0 (ms on the clock of `now()`) and resolves when every attempt has ended. */
  run(releaseAt: number): Promise<void>;
  /**
   * Keeps connections open until `holdUntil` (ms on the clock of `now()`), closes them, and reports; no socket is left.
   */
  close(holdUntil: number): Promise<ShardReport>;
  /** What `close` would report now, without ending anything. null: this load has nothing to report midway. */
  peek(): ShardReport | null;
  /** For a storm, after `run`: its watch begins at `at` (ms on the clock of `now()`), and this side's drop is made. */
  drop?(at: number): void;
  /** Ends unfinished attempts as `aborted`, and a hold at once. */
  stop(): void;
  /** After `stop`: resets what has not closed yet. */
  hurry(): void;
}

export interface Armed {
  readonly armed: number;
  readonly failed: number;
}

/** What a worker must know about its shard; numbers only, so that an order is a few stores in shared memory. */
export interface ShardOrder {
  /** Index of the load's target in the task. */
  readonly target: number;
  /** Index of the stage in the plan of that target. */
  readonly stage: number;
  /** Index of the load within its stage. */
  readonly place: number;
  /** Index of the burst over the whole run. */
  readonly burst: number;
  /** Attempts of this shard; 0 for a load without a total: as many as fit into the stage's duration. */
  readonly count: number;
  /** Attempts of this shard that may be open at once. */
  readonly open: number;
  /** Number of the shard's first attempt within the burst. */
  readonly first: number;
  /** Distance between two consecutive attempt numbers of this shard: attempts are dealt out in turns. */
  readonly stride: number;
  /** Number of the burst's first attempt in the run: the base of `{{ index }}`. */
  readonly base: number;
  /** Number of the burst's first client in the run: the base of data rows. */
  readonly clientBase: number;
}

export type NewSession = (ground: SessionGround, plan: Plan, inputs: Inputs) => Session;

/** What a shard is given: the plan, its order, and what its worker shares between shards. */
export interface ShardContext {
  readonly plan: Plan;
  readonly inputs: Inputs;
  readonly order: ShardOrder;
  readonly worker: number;
  readonly destinations: readonly Destination[];
  readonly tls: TlsOptions | null;
  /** This thread's access to the kernel; null: the `node` transport. */
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
  /** Makes what follows a 101; without it connections are only held. */
  readonly newSession?: NewSession;
  /** Receives each request before it is stored, Latin-1, and returns what is sent. */
  readonly rewrite?: (request: string) => string;
  /** Observes the transport's events; must pass all of them on to the engine. */
  readonly listen?: (engine: TransportEvents) => TransportEvents;
}

/** What one worker reports about its part of a load. Times in ms after T0; null where nothing happened. */
export interface ShardReport {
  readonly tally: EncodedTally;
  readonly launched: number;
  /** Attempts that ended by themselves before the release. */
  readonly failedToArm: number;
  /** Replies read so long after their deadline that it is unknown whether they arrived in time. */
  readonly overdue: number;
  readonly firstReleaseMs: number | null;
  readonly lastReleaseMs: number | null;
  readonly lastEndMs: number | null;
  readonly longestGapMs: number;
  /** The last request of a burst, ms after T0; null where none was sent, and for a load with a rate. */
  readonly lastSentMs: number | null;
  /** From the first connection of a burst until T0. */
  readonly stalledArming: Stalled;
  /** From T0 until the last attempt ended. */
  readonly stalled: Stalled;
  /** From then until the first connection was closed. */
  readonly stalledHolding: Stalled;
  /** Largest step of the clock that stamps arrivals; steps that cancel each other out are seen too. */
  readonly clockStepMs: number;
  readonly gcPauses: number;
  readonly gcMaxMs: number;
  readonly tlsResumed: number;
  /** 101s in each second after T0, where the load has a rate. */
  readonly perSecond: readonly number[] | null;
  /** Of a load whose starts are planned. */
  readonly arrivals: EncodedArrivals | null;
  /** CSV rows not sent before. */
  readonly rows: string | null;
  /** What followed the drop; null: there was none. */
  readonly storm?: EncodedStorm | null;
}
