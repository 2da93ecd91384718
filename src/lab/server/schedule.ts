/**
 * The queue of a gateway with read timeout T before a backend that serves C upgrades at a time, S each: who gets a 101,
 * who a 504, and when; and the bucket of a rate limit: who is let in. Pure arithmetic on whole µs; the verdict is passed
 * on arrival, so neither a late timer nor a busy event loop can change a count.
 *
 * A burst released in one instant still arrives over some ms, in which a real backend would serve a few more than C·T/S.
 * To make the count exact, arrivals within `togetherUs` of the first, none of whose clients has left yet, are one group
 * and are judged as if all had come with the first: the k-th of an empty queue is due at ⌈k/C⌉·S after that moment, and
 * is a 504 if that is later than T. So a burst into an empty queue gets exactly min(N, C·floor(T/S)) 101s. A client that
 * leaves (a preflight handshake, churn, the burst before) ends the group, and the next arrival is judged by its own wait.
 * That is the plain queue again, at most `togetherUs` too strict to an endless stream of clients that stay.
 *
 * A request that will be a 504 takes no place in the queue: like a backend that skips sockets which are gone, so that
 * a burst does not spoil the next one. A backend that works for the dead serves it all the same, and does spoil it.
 */
export interface Admission {
  readonly status: '101' | '504';
  /** When the answer is due, on the clock of the arrival, µs. Never earlier than an earlier admission of that status. */
  readonly dueUs: number;
}

export interface Backend {
  /** Time for one upgrade (S). */
  readonly serviceMs: number;
  /** How many upgrades are served at a time (C); 0: all of them. */
  readonly width: number;
  /** It goes on with an upgrade that the gateway has given up. */
  readonly worksForDead: boolean;
}

/** Of a burst, which arrivals came in one instant. */
class Group {
  readonly #togetherUs: number;
  #firstUs: number | null = null;

  constructor(togetherUs: number) {
    this.#togetherUs = togetherUs;
  }

  /** When the first of the group of this arrival came. */
  join(nowUs: number): number {
    if (this.#firstUs === null || nowUs - this.#firstUs > this.#togetherUs) this.#firstUs = nowUs;
    return this.#firstUs;
  }

  end(): void {
    this.#firstUs = null;
  }
}

export class UpgradeQueue {
  readonly #serviceUs: number;
  readonly #timeoutUs: number;
  readonly #worksForDead: boolean;
  readonly #group: Group;
  /** When each place is free again, by the schedule; they are taken in turn, so the next one is the first to be free. */
  readonly #freeUs: number[];
  #next = 0;

  constructor(backend: Backend, timeoutMs: number, togetherMs: number) {
    this.#serviceUs = Math.max(1, Math.round(backend.serviceMs * 1000));
    this.#timeoutUs = Math.round(timeoutMs * 1000);
    this.#worksForDead = backend.worksForDead;
    this.#group = new Group(Math.min(Math.round(togetherMs * 1000), this.#timeoutUs));
    this.#freeUs = new Array<number>(backend.width).fill(0);
  }

  admit(nowUs: number): Admission {
    const groupUs = this.#group.join(nowUs);
    const servedUs = Math.max(this.#freeUs[this.#next] ?? 0, groupUs) + this.#serviceUs;
    const isLate = servedUs - groupUs > this.#timeoutUs;
    if ((!isLate || this.#worksForDead) && this.#freeUs.length > 0) {
      this.#freeUs[this.#next] = servedUs;
      this.#next = (this.#next + 1) % this.#freeUs.length;
    }
    if (isLate) return { status: '504', dueUs: nowUs + this.#timeoutUs };
    // A straggler may find its place in the schedule already past; nobody is served in less than S.
    return { status: '101', dueUs: Math.max(servedUs, nowUs + this.#serviceUs) };
  }

  /** An upgraded client has left, so there is no burst that is still arriving. */
  clientLeft(): void {
    this.#group.end();
  }
}

/** How many of a burst into an empty queue get their 101. */
export function capacity(serviceMs: number, timeoutMs: number, width = 1): number {
  const steps = Math.floor(Math.round(timeoutMs * 1000) / Math.max(1, Math.round(serviceMs * 1000)));
  if (width > 0) return width * steps;
  return steps > 0 ? Number.POSITIVE_INFINITY : 0;
}

/**
 * The bucket of nginx's limit_req (`rate` and `burst`, nodelay): an arrival fills it by one, it leaks `rate` a second,
 * and who would make it higher than `burst` beside the one in service is turned away and fills nothing. So of a burst
 * into an empty bucket exactly burst + 1 are let in.
 */
export class RateLimit {
  readonly #perUs: number;
  readonly #burst: number;
  readonly #group: Group;
  #level = 0;
  #atUs = 0;

  constructor(perSecond: number, burst: number, togetherMs: number) {
    this.#perUs = perSecond / 1e6;
    this.#burst = burst;
    this.#group = new Group(Math.round(togetherMs * 1000));
  }

  admits(nowUs: number): boolean {
    const at = this.#group.join(nowUs);
    const level = Math.max(0, this.#level - Math.max(0, at - this.#atUs) * this.#perUs);
    if (level > this.#burst) return false;
    this.#level = level + 1;
    this.#atUs = Math.max(at, this.#atUs);
    return true;
  }

  clientLeft(): void {
    this.#group.end();
  }
}

/**
 * A CPU that computes all handshakes side by side, S each: who comes together is done together, k·S after the first of
 * them came. With a gateway's read timeout T in front, none of them is done in time once k·S > T.
 */
export class SharedCpu {
  readonly #serviceUs: number;
  #firstUs = 0;
  #size = 0;

  constructor(serviceMs: number) {
    this.#serviceUs = Math.max(1, Math.round(serviceMs * 1000));
  }

  /** When all are done that have come so far. */
  arrive(nowUs: number): number {
    if (this.#size === 0) this.#firstUs = nowUs;
    this.#size += 1;
    return this.dueUs;
  }

  get dueUs(): number {
    return this.#firstUs + this.#size * this.#serviceUs;
  }

  /** They are: the next to come is the first again. */
  done(): void {
    this.#size = 0;
  }
}
