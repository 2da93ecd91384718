/**
 * A policy at work for many clients: when each comes back, and whether. Every number is determined by the seed, the
 * client and how many draws it has made, so that a run is repeatable with any number of workers. State is in typed
 * arrays. Knows no clock and no socket.
 */
import { randomAt } from '../random.js';
import { attemptLimitMs, holdsCode, type Policy } from './policy.js';
import { type WaitState, waitMs } from './waits.js';

/** ms until the client's next attempt; or it has used up its attempts or time; or a code has ended it. */
export type NextAttempt = number | 'gaveUp' | 'stopped';

/** Lane 0 of a client is for what is drawn once; its draws use the lanes after it. */
const FIRST_LANE = 1;

export class FleetWaits {
  readonly #policy: Policy;
  readonly #seed: number;
  readonly #firstClient: number;
  readonly #failures: Uint32Array;
  readonly #draws: Uint32Array;
  readonly #carried: Float64Array;
  /** Filled for one client at a time, so that a wait makes no object. */
  readonly #state: WaitState = { failures: 0, carried: 0, ownShare: 0 };
  #client = 0;
  readonly #random = (): number => {
    const lane = FIRST_LANE + this.#draws[this.#client];
    this.#draws[this.#client] += 1;
    return randomAt(this.#seed, this.#firstClient + this.#client, lane);
  };

  /** @param firstClient the number in the fleet of the client that is 0 here */
  constructor(policy: Policy, seed: number, clients: number, firstClient = 0) {
    this.#policy = policy;
    this.#seed = seed;
    this.#firstClient = firstClient;
    this.#failures = new Uint32Array(clients);
    this.#draws = new Uint32Array(clients);
    this.#carried = new Float64Array(clients);
  }

  /**
   * The client has lost its connection, or an attempt of it has failed.
   * @param lostForMs time since its connection was lost
   * @param code what its library sees: an HTTP status, a close code (1006 without a close frame); null: no answer
   */
  next(client: number, lostForMs: number, code: number | null): NextAttempt {
    const { stop, now, attempts, totalMs, waits } = this.#policy;
    if (holdsCode(stop, code)) return 'stopped';
    // As in the libraries that know such codes, this is no failure.
    if (holdsCode(now, code)) return 0;
    if (attempts !== null && this.#failures[client] >= attempts) return 'gaveUp';
    const wait = this.#draw(client, waits);
    this.#failures[client] += 1;
    return totalMs !== null && lostForMs + wait > totalMs ? 'gaveUp' : wait;
  }

  #draw(client: number, waits: Policy['waits']): number {
    const state = this.#state;
    this.#client = client;
    state.failures = this.#failures[client];
    state.carried = this.#carried[client];
    if (waits.kind === 'curve' && waits.isPerClient)
      state.ownShare = randomAt(this.#seed, this.#firstClient + client, 0);
    const wait = waitMs(waits, state, this.#random);
    this.#carried[client] = state.carried;
    return wait;
  }

  /** The limit of the attempt that `next` announced last, ms; null: the policy has none. */
  limitMs(client: number): number | null {
    return attemptLimitMs(this.#policy, Math.max(0, this.#failures[client] - 1));
  }

  /** The client is well again, as `reset` of the policy defines it: its failures are forgotten. */
  reset(client: number): void {
    this.#failures[client] = 0;
  }
}
