/**
 * When a churn closes a connection after its 101. Never in the same moment: a target that accepts a handshake and rejects the
 * client sends its close frame right behind the 101, and what has arrived must be read first. One look at what has arrived
 * is enough for a target that keeps its connections. As soon as one ends some by itself, the others are kept open for a
 * while too, so that they are ended by the target and not just before.
 */
import { cutWord } from '../../names/ends.js';
import { now } from '../machine/clock.js';

/** After one that the target ended, as many that it did not end are kept as long before all goes on at full speed. */
const KEPT_AFTER_CUT = 100;
/** Of the longest life of a connection that the target ended. */
const PATIENCE = 4;
const SHORTEST_MS = 2;
const LONGEST_MS = 1000;

interface Lives {
  /** Tells an attempt from a later one in the same slot. */
  readonly attempt: Uint32Array;
  readonly outcome: Uint16Array;
  readonly done: Float64Array;
  readonly end: Uint16Array;
  readonly endAt: Float64Array;
}

export class Parting {
  readonly #lives: Lives;
  readonly #close: (slot: number) => void;
  /** Slots that got their 101 since the last turn of the loop, and those that have been looked at since. */
  #fresh: number[] = [];
  #seen: number[] = [];
  /** In the order in which they will have been kept long enough: patience only grows. */
  readonly #kept: { readonly slot: number; readonly attempt: number; readonly until: number }[] = [];
  #timer: NodeJS.Timeout | null = null;
  #isScheduled = false;
  #isHurried = false;
  #keeps = 0;
  #patienceMs = SHORTEST_MS;

  constructor(lives: Lives, close: (slot: number) => void) {
    this.#lives = lives;
    this.#close = close;
  }

  /** The connection in the slot has its 101. */
  add(slot: number): void {
    this.#fresh.push(slot, this.#lives.attempt[slot]);
    this.#schedule();
  }

  /** The connection in the slot is gone. */
  ended(slot: number): void {
    const { outcome, end, endAt, done } = this.#lives;
    if (outcome[slot] !== 101) return;
    if (cutWord(end[slot]) === null) {
      if (this.#keeps > 0) this.#keeps--;
      return;
    }
    this.#keeps = KEPT_AFTER_CUT;
    const livedMs = endAt[slot] - done[slot];
    this.#patienceMs = Math.min(LONGEST_MS, Math.max(this.#patienceMs, PATIENCE * livedMs));
  }

  /** Nothing is waited for any more. */
  hurry(): void {
    this.#isHurried = true;
    if (this.#kept.length > 0) this.#closeKept();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#turn);
  }

  /** Between two turns the loop has read everything once. */
  readonly #turn = (): void => {
    this.#isScheduled = false;
    const due = this.#seen;
    this.#seen = this.#fresh;
    this.#fresh = due;
    if (this.#seen.length > 0) this.#schedule();
    // What is closed may put the next attempt into its slot, but tells of no 101 at once.
    for (let i = 0; i < due.length; i += 2) {
      if (this.#keeps > 0 && !this.#isHurried) this.#keep(due[i], due[i + 1]);
      else this.#part(due[i], due[i + 1]);
    }
    due.length = 0;
  };

  #keep(slot: number, attempt: number): void {
    if (this.#lives.attempt[slot] !== attempt) return;
    this.#kept.push({ slot, attempt, until: now() + this.#patienceMs });
    this.#timer ??= setTimeout(this.#closeKept, this.#patienceMs);
  }

  readonly #closeKept = (): void => {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const at = now();
    const later = this.#isHurried ? -1 : this.#kept.findIndex(({ until }) => until > at);
    const due = this.#kept.splice(0, later < 0 ? this.#kept.length : later);
    for (const { slot, attempt } of due) this.#part(slot, attempt);
    const [next] = this.#kept;
    if (next !== undefined) this.#timer ??= setTimeout(this.#closeKept, Math.max(1, next.until - at));
  };

  /** One that has ended by itself may have left its slot to the next. */
  #part(slot: number, attempt: number): void {
    if (this.#lives.attempt[slot] === attempt) this.#close(slot);
  }
}
