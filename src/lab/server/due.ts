/**
 * Responses that are sent later, each at its time on one absolute schedule. One timer for all: each time it fires,
 * everything that is due is sent, so late timers do not shift the schedule, and ten thousand waiting responses need ten
 * thousand small objects but no timer each. Knows no sockets or outcomes.
 */
import { monotonicMs } from '../../host.js';

interface Due {
  readonly dueUs: number;
  readonly give: () => void;
}

/** After this many sent responses, a lane frees their memory. */
const SPENT_LIMIT = 4096;

/** Sends responses in order of their due times; they must be added in that order. */
class Lane {
  #waiting: Due[] = [];
  #next = 0;

  add(due: Due): void {
    this.#waiting.push(due);
  }

  /** Sends all that are due; returns the due time of the next one, null if there is none. */
  giveUntil(nowUs: number): number | null {
    while (this.#next < this.#waiting.length && this.#waiting[this.#next].dueUs <= nowUs) {
      this.#waiting[this.#next].give();
      this.#next += 1;
    }
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
      return null;
    }
    // Sent responses must be freed even if the lane never becomes empty.
    if (this.#next >= SPENT_LIMIT) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    return this.#waiting[this.#next].dueUs;
  }
}

/** @typeParam Name the lanes; within a lane due times never decrease */
export class Agenda<Name extends string> {
  readonly #lanes = new Map<Name, Lane>();
  #timer: NodeJS.Timeout | null = null;
  #wakeUs = Number.POSITIVE_INFINITY;

  /** Calls `give` at `dueUs` on the clock of `nowUs()`. */
  at(lane: Name, dueUs: number, give: () => void): void {
    const found = this.#lanes.get(lane) ?? new Lane();
    this.#lanes.set(lane, found);
    found.add({ dueUs, give });
    this.#wakeAt(dueUs);
  }

  /** Responses that are not due yet are dropped. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#wakeUs = Number.NEGATIVE_INFINITY;
  }

  #wake(): void {
    this.#timer = null;
    this.#wakeUs = Number.POSITIVE_INFINITY;
    const now = nowUs();
    const next = [...this.#lanes.values()].map((lane) => lane.giveUntil(now)).filter((due) => due !== null);
    if (next.length > 0) this.#wakeAt(Math.min(...next));
  }

  #wakeAt(dueUs: number): void {
    if (dueUs >= this.#wakeUs) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#wakeUs = dueUs;
    this.#timer = setTimeout(() => this.#wake(), Math.max(0, Math.ceil((dueUs - nowUs()) / 1000)));
  }
}

/** CLOCK_MONOTONIC in whole µs. */
export function nowUs(): number {
  return Math.round(monotonicMs() * 1000);
}
