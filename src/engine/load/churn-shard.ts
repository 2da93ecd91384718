/**
 * One worker's part of a churn stage: a closed loop that keeps a number of handshakes in flight, closes each connection
 * after its 101 and starts the next attempt in the same slot, so that memory does not grow with the number of attempts.
 * Each attempt is due at its own start.
 */

import { outcomeCode } from '../../names/outcomes.js';
import type { ChurnStage } from '../../plan/plan.js';
import { LatencyHistogram } from '../../tally/histogram.js';
import { Tally } from '../../tally/tally.js';
import { NEVER_STALLED, type Stalled } from '../../tally/validity.js';
import { LIVE } from '../attempt/live-counts.js';
import { now } from '../machine/clock.js';
import { wait } from '../machine/wait.js';
import { AttemptSet, type GeneratorFacts } from './attempt-set.js';
import { Parting } from './parting.js';
import type { Armed, Shard, ShardContext, ShardReport } from './shard.js';
import { SteadyCounts } from './steady-counts.js';

const STATUS_101 = 101;

export class ChurnShard implements Shard {
  readonly #context: ShardContext;
  readonly #set: AttemptSet;
  readonly #parting: Parting;
  readonly #limit: number;
  readonly #forMs: number;
  #until = Number.POSITIVE_INFINITY;
  readonly #isClean: boolean;
  readonly #steady: SteadyCounts;
  #isReleased = false;
  #stalled: Stalled = NEVER_STALLED;
  #launched = 0;
  #inFlight = 0;
  #isStopped = false;
  #resolveEnded: (() => void) | null = null;

  constructor(context: ShardContext, stage: ChurnStage) {
    this.#context = context;
    this.#limit = stage.total === null ? Number.POSITIVE_INFINITY : context.order.count;
    this.#forMs = stage.forMs ?? Number.POSITIVE_INFINITY;
    this.#isClean = context.plan.close === 'clean';
    const events = {
      armed: () => {},
      ended: (slot: number) => this.#ended(slot),
      ready: (slot: number) => this.#parting.add(slot),
      cut: () => {},
      freed: (slot: number) => this.#freed(slot),
    };
    this.#set = new AttemptSet(context, context.order.open, events, (slot) => this.#set.columns.opened[slot]);
    this.#set.attempts.released = true;
    const { columns, attempts } = this.#set;
    this.#steady = new SteadyCounts(context, this.#set.recorder);
    this.#parting = new Parting(columns, (slot) => attempts.close(slot, this.#isClean));
  }

  /** There is no gate: attempts start one by one. */
  async arm(): Promise<Armed> {
    // What is told while it goes on must not hold it up.
    LatencyHistogram.loadEncoding();
    return { armed: 0, failed: 0 };
  }

  async run(releaseAt: number): Promise<void> {
    this.#isReleased = true;
    this.#steady.begin(releaseAt);
    this.#until = releaseAt + this.#forMs;
    await wait(Math.max(0, releaseAt - now()));
    const slots = Math.min(this.#context.order.open, this.#limit);
    if (slots === 0) return;
    this.#set.stamping.start(releaseAt);
    this.#set.observeGc();
    const ended = new Promise<void>((resolve) => {
      this.#resolveEnded = resolve;
    });
    // Counted before the loop, which must not look finished while its slots are being filled.
    this.#inFlight = slots;
    const chunk = this.#context.plan.releaseChunk ?? this.#set.stamping.releaseChunk;
    let slot = 0;
    const slice = () => {
      for (let left = chunk; slot < slots && left > 0; left--, slot++) this.#next(slot, true);
      if (slot < slots) setImmediate(slice);
    };
    slice();
    await ended;
    this.#set.stamping.stop();
    this.#stalled = this.#set.stamping.stalls.take();
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    const code = outcomeCode('aborted');
    const at = now();
    for (let slot = 0; slot < this.#set.columns.size; slot++) {
      if (!Number.isNaN(this.#set.columns.opened[slot])) this.#set.attempts.expire(slot, at, code);
    }
    this.#parting.hurry();
    for (let slot = 0; slot < this.#set.columns.size; slot++) {
      if (Number.isNaN(this.#set.columns.readyAt[slot])) this.#set.attempts.close(slot, this.#isClean);
    }
  }

  /** Attempts in flight are not included. The rows so far are final, so they are sent on. */
  peek(): ShardReport | null {
    if (this.#isStopped || !this.#isReleased) return null;
    const { recorder } = this.#set;
    this.#steady.sendRows();
    const tally = new Tally();
    tally.merge(recorder.tally);
    this.#set.copySamples(tally);
    const ended = tally.attempted;
    return {
      ...this.#set.generatorSoFar(),
      ...this.#soFar(),
      tally: tally.encode(),
      launched: ended,
      rows: null,
    };
  }

  hurry(): void {
    this.#set.hurry();
  }

  /** Nothing is held: each connection was closed after its 101. */
  async close(): Promise<ShardReport> {
    const { attempts, recorder } = this.#set;
    this.#isStopped = true;
    this.#parting.hurry();
    for (let slot = 0; slot < this.#set.columns.size; slot++) attempts.close(slot, this.#isClean);
    const generator = await this.#set.drain();
    this.#set.keepSamples();
    return {
      ...generator,
      ...this.#soFar(),
      tally: recorder.tally.encode(),
      launched: this.#launched,
      rows: recorder.takeRows(),
    };
  }

  /** Without what differs between a look and the end. */
  #soFar(): Omit<ShardReport, keyof GeneratorFacts | 'tally' | 'launched' | 'rows'> {
    return {
      ...this.#steady.report(),
      overdue: this.#set.attempts.overdue,
      stalled: this.#stalled,
      stalledHolding: NEVER_STALLED,
      arrivals: null,
    };
  }

  /** Starts the next attempt in a free slot, or retires the slot. */
  #next(slot: number, isFirst = false): void {
    const at = now();
    if (this.#isStopped || this.#launched >= this.#limit || at >= this.#until) {
      this.#inFlight--;
      if (this.#inFlight === 0) this.#resolveEnded?.();
      return;
    }
    const { attempts, columns, deadlines } = this.#set;
    if (!isFirst) columns.clear(slot);
    const { order, plan, live } = this.#context;
    attempts.prepare(slot, order.first + this.#launched * order.stride, false);
    this.#launched++;
    this.#steady.released(at);
    live[LIVE.released]++;
    deadlines.set(slot, at + plan.timeoutMs);
    attempts.launch(slot);
  }

  #ended(slot: number): void {
    const { columns } = this.#set;
    this.#steady.ended(columns.done[slot], columns.outcome[slot] === STATUS_101);
  }

  /** Called once the connection is gone, because how it ended is part of the count. */
  #freed(slot: number): void {
    const { columns, attempts, recorder } = this.#set;
    recorder.record(slot, columns.opened[slot]);
    this.#parting.ended(slot);
    attempts.details.delete(slot);
    this.#steady.rowKept();
    this.#next(slot);
  }
}
