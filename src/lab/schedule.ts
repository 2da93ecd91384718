/**
 * The queue of a gateway with read timeout T before a backend that serves one upgrade after another, S each: who gets a
 * 101, who a 504, and when. Pure arithmetic on whole µs; the verdict is passed on arrival, so neither a late timer nor a
 * busy event loop can change a count.
 *
 * A burst released in one instant still arrives over some ms, in which a real backend would serve a few more than T/S.
 * To make the count exact, arrivals within `togetherUs` of the first, none of whose clients has left yet, are one group
 * and are judged as if all had come with the first: the k-th of an empty queue is due at k·S after that moment, and is a
 * 504 if k·S > T. So a burst into an empty queue gets exactly min(N, floor(T/S)) 101s. A client that leaves
 * (a preflight handshake, churn, the burst before) ends the group, and the next arrival is judged by its own wait. That
 * is the plain queue again, at most `togetherUs` too strict to an endless stream of clients that stay.
 *
 * A request that will be a 504 takes no place in the queue: like a backend that skips sockets which are gone, so that
 * a burst does not spoil the next one.
 */
export interface Admission {
  readonly status: '101' | '504';
  /** When the answer is due, on the clock of the arrival, µs. Never earlier than an earlier admission of that status. */
  readonly dueUs: number;
}

export class UpgradeQueue {
  readonly #serviceUs: number;
  readonly #timeoutUs: number;
  readonly #togetherUs: number;
  /** When the first of the group arrived. */
  #groupUs: number | null = null;
  /** When the backend is done with all that it has, by the schedule. */
  #freeUs = 0;

  constructor(serviceMs: number, timeoutMs: number, togetherMs: number) {
    this.#serviceUs = Math.max(1, Math.round(serviceMs * 1000));
    this.#timeoutUs = Math.round(timeoutMs * 1000);
    this.#togetherUs = Math.min(Math.round(togetherMs * 1000), this.#timeoutUs);
  }

  admit(nowUs: number): Admission {
    if (this.#groupUs === null || nowUs - this.#groupUs > this.#togetherUs) this.#groupUs = nowUs;
    const servedUs = Math.max(this.#freeUs, this.#groupUs) + this.#serviceUs;
    if (servedUs - this.#groupUs > this.#timeoutUs) return { status: '504', dueUs: nowUs + this.#timeoutUs };
    this.#freeUs = servedUs;
    // A straggler may find its place in the schedule already past; nobody is served in less than S.
    return { status: '101', dueUs: Math.max(servedUs, nowUs + this.#serviceUs) };
  }

  /** An upgraded client has left, so there is no burst that is still arriving. */
  clientLeft(): void {
    this.#groupUs = null;
  }
}

/** How many of a burst into an empty queue get their 101. */
export function capacity(serviceMs: number, timeoutMs: number): number {
  return Math.floor(Math.round(timeoutMs * 1000) / Math.max(1, Math.round(serviceMs * 1000)));
}
