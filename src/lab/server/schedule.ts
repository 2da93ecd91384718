/**
 * The queue of a gateway with read timeout T before a backend that serves C upgrades at a time, S each: which request
 * gets a 101, which a 504, and when; and the bucket of a rate limit: which request is accepted. Pure arithmetic on
 * whole µs; the verdict is fixed on arrival, so neither a late timer nor a busy event loop can change a count.
 *
 * A burst released at one instant still arrives over some ms, in which a real backend would serve a few more than
 * C·T/S. To make the count exact, arrivals within `togetherUs` of the first, as long as none of their clients has left,
 * form one group and are judged as if all had come with the first: the k-th in an empty queue is due at ⌈k/C⌉·S after
 * that moment, and gets a 504 if that is later than T. So a burst into an empty queue gets exactly min(N, C·floor(T/S))
 * 101s. A client that leaves (a preflight handshake, a churn, the previous burst) ends the group, and the next arrival
 * is judged by its own wait. For an endless stream of clients that stay, this is at most `togetherUs` stricter than a
 * plain queue.
 *
 * A request that will get a 504 takes no place in the queue, as in a backend that skips clients that have disconnected,
 * so that a burst does not affect the next one. A backend that works for disconnected clients serves it anyway, and
 * does affect the next one.
 */
export interface Admission {
  readonly status: '101' | '504';
  /**
   * When the response is due, on the clock of the arrival, µs. Never earlier than an earlier response with the same
   * status.
   */
  readonly dueUs: number;
}

export interface BackendCapacity {
  /** Time for one upgrade (S). */
  readonly serviceMs: number;
  /** Number of upgrades served at a time (C); 0: all. */
  readonly width: number;
  /** It continues an upgrade that has timed out at the gateway. */
  readonly worksForDead: boolean;
}

/** Groups arrivals of a burst that count as simultaneous. */
class Group {
  readonly #togetherUs: number;
  #firstUs: number | null = null;

  constructor(togetherUs: number) {
    this.#togetherUs = togetherUs;
  }

  /** Arrival time of the first request in this arrival's group. */
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
  /**
   * When each place becomes free, by the schedule; they are used in turn, so the next one is the first to become free.
   */
  readonly #freeUs: number[];
  #next = 0;

  constructor(backend: BackendCapacity, timeoutMs: number, togetherMs: number) {
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
    // A late arrival's scheduled place may already be past, but no upgrade takes less than S.
    return { status: '101', dueUs: Math.max(servedUs, nowUs + this.#serviceUs) };
  }

  /** An upgraded client has left, so no burst is still arriving. */
  clientLeft(): void {
    this.#group.end();
  }
}

/** How many handshakes of a burst into an empty queue get their 101. */
export function capacity(serviceMs: number, timeoutMs: number, width = 1): number {
  const steps = Math.floor(Math.round(timeoutMs * 1000) / Math.max(1, Math.round(serviceMs * 1000)));
  if (width > 0) return width * steps;
  return steps > 0 ? Number.POSITIVE_INFINITY : 0;
}

/**
 * The bucket of nginx's limit_req (`rate` and `burst`, nodelay): an arrival adds one, `rate` per second leak away, and
 * a request that would raise it above `burst`, besides the one in service, is refused and adds nothing. So exactly
 * burst + 1 requests of a burst into an empty bucket are accepted.
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
 * A CPU that computes all handshakes in parallel, S each: handshakes that arrive together end together, k·S after the
 * first one arrived. With a gateway's read timeout T in front, none ends in time once k·S > T.
 */
export class SharedCpu {
  readonly #serviceUs: number;
  #firstUs = 0;
  #size = 0;

  constructor(serviceMs: number) {
    this.#serviceUs = Math.max(1, Math.round(serviceMs * 1000));
  }

  /** When all handshakes that have arrived so far are done. */
  arrive(nowUs: number): number {
    if (this.#size === 0) this.#firstUs = nowUs;
    this.#size += 1;
    return this.dueUs;
  }

  get dueUs(): number {
    return this.#firstUs + this.#size * this.#serviceUs;
  }

  /** They are done: the next arrival is the first of a new group. */
  done(): void {
    this.#size = 0;
  }
}
