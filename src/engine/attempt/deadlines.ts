/**
 * One timer for the absolute deadlines of all attempts of a shard. When the earliest is due it checks the whole column,
 * at most once every few ms. That is cheaper than one timer per attempt, and a target that sends single bytes cannot
 * extend it.
 */
import { now } from '../machine/clock.js';
import type { Columns } from './columns.js';

/** Deadlines closer together than this are handled in one pass. */
const GRAIN_MS = 5;

export class Deadlines {
  readonly timeoutMs: number;
  readonly #columns: Columns;
  readonly #expire: (slot: number, at: number) => void;
  readonly #catchUp: () => void;
  #timer: NodeJS.Timeout | null = null;
  #immediate: NodeJS.Immediate | null = null;
  #dueAt = Number.POSITIVE_INFINITY;

  /** @param catchUp processes all events that have already arrived, before any attempt is judged late */
  constructor(
    columns: Columns,
    timeoutMs: number,
    expire: (slot: number, at: number) => void,
    catchUp: () => void = () => {},
  ) {
    this.#columns = columns;
    this.timeoutMs = timeoutMs;
    this.#expire = expire;
    this.#catchUp = catchUp;
  }

  /** `at`: ms on the clock of `now()`. */
  set(slot: number, at: number): void {
    this.#columns.deadline[slot] = at;
    if (at < this.#dueAt) this.#arm(at);
  }

  clear(slot: number): void {
    this.#columns.deadline[slot] = Number.POSITIVE_INFINITY;
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#timer = this.#immediate = null;
    this.#dueAt = Number.POSITIVE_INFINITY;
  }

  #arm(at: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#dueAt = at;
    // A timer may fire up to 1 ms early (libuv counts whole ms); it is then simply armed again.
    this.#timer = setTimeout(this.#due, Math.max(1, Math.ceil(at - now())));
  }

  /**
   * The event loop runs timers before it polls, so a reply may already be in the kernel, above all after this process
   * was paused. Deadlines are therefore judged after the next poll.
   */
  readonly #due = (): void => {
    this.#timer = null;
    this.#immediate = setImmediate(this.#look);
  };

  readonly #look = (): void => {
    this.#immediate = null;
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.#catchUp();
    const at = now();
    const { deadline, size } = this.#columns;
    let next = Number.POSITIVE_INFINITY;
    for (let slot = 0; slot < size; slot++) {
      if (deadline[slot] <= at) {
        deadline[slot] = Number.POSITIVE_INFINITY;
        this.#expire(slot, at);
      }
      if (deadline[slot] < next) next = deadline[slot];
    }
    if (next < this.#dueAt) this.#arm(Math.max(next, at + GRAIN_MS));
  };
}
