/**
 * Answers that are given later, each at its time on one absolute schedule. One timer for all: on every wake-up whatever is
 * due is given, so the schedule never drifts by what timers are late, and ten thousand waiting answers cost ten thousand
 * small objects and no timer each. Knows neither sockets nor outcomes.
 */
import { monotonicMs } from '../../host.js';

interface Due {
  readonly dueUs: number;
  readonly give: () => void;
}

/** How many of a lane have to be given before their places are freed. */
const SPENT_LIMIT = 4096;

/** Gives answers in order of their due times; relies on being filled in that order. */
class Lane {
  #waiting: Due[] = [];
  #next = 0;

  add(due: Due): void {
    this.#waiting.push(due);
  }

  /** Gives all that is due; the due time of the next one, null when there is none. */
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
    // What has been given must not be held for as long as the lane never runs dry.
    if (this.#next >= SPENT_LIMIT) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    return this.#waiting[this.#next].dueUs;
  }
}

/** @typeParam Name the lanes; within each of them due times never fall. */
export class Agenda<Name extends string> {
  readonly #lanes = new Map<Name, Lane>();
  #timer: NodeJS.Timeout | null = null;
  #wakeUs = Number.POSITIVE_INFINITY;

  /** Has `give` called at `dueUs` on the clock of `nowUs()`. */
  at(lane: Name, dueUs: number, give: () => void): void {
    const found = this.#lanes.get(lane) ?? new Lane();
    this.#lanes.set(lane, found);
    found.add({ dueUs, give });
    this.#wakeAt(dueUs);
  }

  /** What is not due yet is never given. */
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
