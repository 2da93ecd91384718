/**
 * A service that completes handshakes one after another, C a second. Whether it also works on those whose client has
 * left decides if a fleet of impatient clients can ever come back. Pure arithmetic on the µs of its caller's clock.
 */
export interface Handshake {
  /** Its client has not left. */
  readonly isThere: () => boolean;
  readonly serve: () => void;
}

/** After this many that are done, their memory is freed. */
const SPENT_LIMIT = 4096;

export class ServiceLine {
  readonly #eachUs: number;
  readonly #worksForGone: boolean;
  readonly #longest: number;
  #waiting: Handshake[] = [];
  #next = 0;
  #dueUs = 0;

  /** @param longest handshakes that may wait; more are not taken, so that a flood can't fill the memory */
  constructor(perSecond: number, worksForGone: boolean, longest: number) {
    this.#eachUs = 1e6 / perSecond;
    this.#worksForGone = worksForGone;
    this.#longest = longest;
  }

  get size(): number {
    return this.#waiting.length - this.#next;
  }

  /** False: the line is full. */
  join(one: Handshake, nowUs: number): boolean {
    if (this.size >= this.#longest) return false;
    if (this.size === 0) this.#dueUs = Math.max(this.#dueUs, nowUs + this.#eachUs);
    this.#waiting.push(one);
    return true;
  }

  /** Serves all whose turn has come; returns when the next one is due, null when nobody waits. */
  serveUntil(nowUs: number): number | null {
    while (this.size > 0) {
      const one = this.#waiting[this.#next];
      const isThere = one.isThere();
      // A handshake whose client has left costs its time here, or nothing.
      const costs = isThere || this.#worksForGone;
      if (costs && this.#dueUs > nowUs) break;
      this.#next += 1;
      if (costs) this.#dueUs += this.#eachUs;
      if (isThere) one.serve();
    }
    // What has been served must be freed even if the line never becomes empty.
    if (this.#next >= SPENT_LIMIT || this.size === 0) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    return this.size === 0 ? null : this.#dueUs;
  }
}
