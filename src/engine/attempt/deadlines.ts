/**
 * One timer for the absolute deadlines of all attempts of a shard. It looks at the whole column when the earliest one is
 * due, and not more often than every few ms, which is cheaper than a timer an attempt and can't be put off by a target
 * that drips.
 */
import { now } from '../machine/clock.js';
import type { Columns } from './columns.js';

/** Deadlines that lie closer together are handled in one look. */
const GRAIN_MS = 5;

export class Deadlines {
  readonly timeoutMs: number;
  readonly #columns: Columns;
  readonly #expire: (slot: number, at: number) => void;
  readonly #catchUp: () => void;
  #timer: NodeJS.Timeout | null = null;
  #immediate: NodeJS.Immediate | null = null;
  #dueAt = Number.POSITIVE_INFINITY;

  /** @param catchUp lets everything be told that has already arrived, before anything is judged too late */
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
    // A timer may fire up to a ms early (libuv keeps whole ms); one that fires early is simply armed again.
    this.#timer = setTimeout(this.#due, Math.max(1, Math.ceil(at - now())));
  }

  /**
   * Timers come before the poll in a turn of the event loop, so an answer may already lie in the kernel, above all after a
   * pause of this process: what is due is judged behind the next poll.
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
