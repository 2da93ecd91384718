/**
 * Shared memory between the main thread and its workers: orders, T0, the end of a hold, the stop flag and live counts.
 * Orders are stored here, not sent as messages, because `Atomics` wakes a thread several times faster than a message
 * (0.15–0.3 ms against 0.7–1.3 ms); numbers come back as messages.
 */
import { LIVE_SIZE, type LiveTotals } from '../attempt/live-counts.js';
import type { ShardOrder } from '../load/shard.js';

export const ORDER = { none: 0, arm: 1, release: 2, close: 3, quit: 4, drop: 5 } as const;
export type Order = (typeof ORDER)[keyof typeof ORDER];

const ORDER_FIELDS = [
  'target',
  'stage',
  'place',
  'burst',
  'count',
  'open',
  'first',
  'stride',
  'base',
  'clientBase',
] as const;

const SEQ = 0;
const KIND = 1;
const FLAGS_PER_WORKER = 2;
/** T0, the wall clock's offset, the end of a hold, the drop of a storm. */
const NUMBERS_HEAD = 4;
/** An order adds four to the sequence, a run's one stop and one hurry add one each: no change can hide another. */
const STOP_STEP = 1;
const ORDER_STEP = 4;
/** Values of the stop flag. */
const STOP = { none: 0, stop: 1, hurry: 2 } as const;

/** Views on one SharedArrayBuffer; only this class knows its layout. */
export class Control implements LiveTotals {
  readonly memory: SharedArrayBuffer;
  readonly workers: number;
  readonly #flags: Int32Array;
  readonly #numbers: Float64Array;
  readonly #live: Int32Array;

  constructor(workers: number, memory?: SharedArrayBuffer) {
    const numbers = NUMBERS_HEAD + workers * ORDER_FIELDS.length;
    const flags = 2 + workers * FLAGS_PER_WORKER;
    const bytes = numbers * 8 + (flags + workers * LIVE_SIZE) * 4;
    this.workers = workers;
    this.memory = memory ?? new SharedArrayBuffer(bytes);
    this.#numbers = new Float64Array(this.memory, 0, numbers);
    this.#flags = new Int32Array(this.memory, numbers * 8, flags);
    this.#live = new Int32Array(this.memory, numbers * 8 + flags * 4, workers * LIVE_SIZE);
  }

  /** Set once: by the first Ctrl-C, an abort rule, or the end of a stage's time. Workers check it between slices. */
  get stopped(): boolean {
    return Atomics.load(this.#flags, 0) !== STOP.none;
  }

  /** Stops launching everywhere and wakes the given workers; a second call changes nothing. */
  stop(workers: readonly number[]): void {
    if (Atomics.compareExchange(this.#flags, 0, STOP.none, STOP.stop) === STOP.none) this.#wake(workers);
  }

  /** Whether to stop waiting for connections to close. */
  get hurried(): boolean {
    return Atomics.load(this.#flags, 0) === STOP.hurry;
  }

  /** After `stop`; a second call changes nothing. */
  hurry(workers: readonly number[]): void {
    if (Atomics.exchange(this.#flags, 0, STOP.hurry) !== STOP.hurry) this.#wake(workers);
  }

  /** T0 of the current burst, on the clock of `now()`, ms. */
  get releaseAt(): number {
    return this.#numbers[0];
  }

  /** Wall clock minus the clock of `now()`, ms, measured once for all workers, so that their rows agree. */
  get wallOffset(): number {
    return this.#numbers[1];
  }

  /** Stores the worker's next shard; the order to begin comes later. */
  brief(worker: number, shard: ShardOrder): void {
    ORDER_FIELDS.forEach((field, i) => {
      this.#numbers[NUMBERS_HEAD + worker * ORDER_FIELDS.length + i] = shard[field];
    });
  }

  order(worker: number, kind: Order): void {
    const at = this.#flagAt(worker);
    Atomics.store(this.#flags, at + KIND, kind);
    Atomics.add(this.#flags, at + SEQ, ORDER_STEP);
    Atomics.notify(this.#flags, at + SEQ);
  }

  /** How long open connections are held, on the clock of `now()`, ms; set when the load's last attempt has ended. */
  get holdUntil(): number {
    return this.#numbers[2];
  }

  /** Sets T0 and orders the given workers to begin at it. */
  release(workers: readonly number[], at: number, wallOffset: number): void {
    this.#numbers[0] = at;
    this.#numbers[1] = wallOffset;
    for (const worker of workers) this.order(worker, ORDER.release);
  }

  /** When a storm's watch begins, on the clock of `now()`, ms. */
  get dropAt(): number {
    return this.#numbers[3];
  }

  /** Sets the beginning of a storm's watch and orders the given workers to begin it. */
  drop(workers: readonly number[], at: number): void {
    this.#numbers[3] = at;
    for (const worker of workers) this.order(worker, ORDER.drop);
  }

  /** Sets the end of the hold and orders the given workers to close at it. */
  close(workers: readonly number[], holdUntil: number): void {
    this.#numbers[2] = holdUntil;
    for (const worker of workers) this.order(worker, ORDER.close);
  }

  /**
   * Waits until this worker's sequence differs from `seen`. `order` is null in the result if only `stop()` changed it.
   * A change before the call resolves at once, so nothing is missed.
   */
  async next(worker: number, seen: number): Promise<{ seq: number; order: Order | null }> {
    const at = this.#flagAt(worker);
    const waiting = Atomics.waitAsync(this.#flags, at + SEQ, seen);
    if (waiting.async) await waiting.value;
    const seq = Atomics.load(this.#flags, at + SEQ);
    const isOrder = Math.floor(seq / ORDER_STEP) !== Math.floor(seen / ORDER_STEP);
    return { seq, order: isOrder ? (Atomics.load(this.#flags, at + KIND) as Order) : null };
  }

  shardOf(worker: number): ShardOrder {
    const from = NUMBERS_HEAD + worker * ORDER_FIELDS.length;
    const read = (field: (typeof ORDER_FIELDS)[number]) => this.#numbers[from + ORDER_FIELDS.indexOf(field)];
    return {
      target: read('target'),
      stage: read('stage'),
      place: read('place'),
      burst: read('burst'),
      count: read('count'),
      open: read('open'),
      first: read('first'),
      stride: read('stride'),
      base: read('base'),
      clientBase: read('clientBase'),
    };
  }

  /** Blocks this thread for `ms` or until an order arrives: finer than a timer, used only just before T0. */
  sleep(worker: number, ms: number): void {
    const at = this.#flagAt(worker) + SEQ;
    Atomics.wait(this.#flags, at, Atomics.load(this.#flags, at), ms);
  }

  /** This worker's live counts, without locks: one writer, other threads only read. */
  live(worker: number): Int32Array {
    return this.#live.subarray(worker * LIVE_SIZE, (worker + 1) * LIVE_SIZE);
  }

  /** Sum over all workers of one live count. */
  total(index: number): number {
    let sum = 0;
    for (let worker = 0; worker < this.workers; worker++) sum += this.#live[worker * LIVE_SIZE + index];
    return sum;
  }

  resetLive(): void {
    this.#live.fill(0);
  }

  #wake(workers: readonly number[]): void {
    for (const worker of workers) {
      const at = this.#flagAt(worker) + SEQ;
      Atomics.add(this.#flags, at, STOP_STEP);
      Atomics.notify(this.#flags, at);
    }
  }

  #flagAt(worker: number): number {
    return 2 + worker * FLAGS_PER_WORKER;
  }
}
