/**
 * A few single handshakes before the first burst: they show whether the target answers at all, on each of its
 * addresses, and give the latency without load, for comparison with a burst's. Any complete response head passes;
 * silence fails.
 */
import type { OutcomeId } from '../../names/outcomes.js';
import { PREFLIGHT_ATTEMPTS } from '../../plan/needs.js';
import type { Inputs, Plan } from '../../plan/plan.js';
import type { Outcomes, Preflight } from '../../result/result.js';
import { Tally } from '../../tally/tally.js';
import { handshakeOnce, type SingleHandshake } from '../load/single-handshake.js';
import { now } from '../machine/clock.js';
import type { TlsOptions } from '../transport/tls-options.js';
import type { Destination } from '../transport/transport.js';
import type { Resolution } from './resolve.js';

const WITHIN_MS = 1000;
const FIRST_TIMEOUT_MS = 10_000;

export interface PreflightOutcome {
  readonly outcomes: Outcomes;
  /** As a result holds it. Not before the first burst: to encode its latencies takes longer than the preflight. */
  record(): Preflight;
  /** A complete response head came back at least once. */
  readonly answered: boolean;
  /** Destinations of all further attempts: as planned, or an address that answers when the planned one does not. */
  readonly destinations: readonly Destination[];
  /** Addresses that did not answer, each with its outcome. */
  readonly dead: readonly DeadAddress[];
  /** TLS session to resume, if the target gave one. */
  readonly session: Buffer | null;
}

export interface DeadAddress {
  readonly address: string;
  readonly outcome: OutcomeId;
}

export interface PreflightOptions {
  readonly plan: Plan;
  readonly inputs: Inputs;
  readonly resolution: Resolution;
  readonly tls: TlsOptions | null;
  readonly userAgent: string;
  readonly portRange: readonly [low: number, high: number];
  readonly signal: AbortSignal;
}

export async function preflight(options: PreflightOptions): Promise<PreflightOutcome> {
  const { resolution } = options;
  const tally = new Tally();
  if (resolution.failure !== null) tally.addUntimed('dns', resolution.failure, 1);
  const asking = new Asking(options);
  if (resolution.failure === null) await asking.run();
  for (const one of asking.handshakes) tally.merge(one.tally);
  // What was measured while this machine stood still is no time of an unloaded target.
  const timed = new Tally();
  for (const one of asking.handshakes) if (one.stalledMs === 0) timed.merge(one.tally);
  const tls = asking.handshakes.map((one) => one.tls).find((facts) => facts !== null) ?? null;
  return {
    outcomes: tally.outcomes(),
    record: () => {
      const { attempted, outcomes, samples } = tally.counted();
      const latencyMs = timed.counted().latencyMs.handshake;
      const cipher = tls === null ? null : `${tls.protocol} ${tls.cipher}`;
      return { attempted, outcomes, latencyMs, samples, tls: cipher };
    },
    answered: asking.handshakes.some(({ outcome }) => isAnswer(outcome)),
    destinations: asking.destinations,
    dead: asking.dead,
    session: tls?.session ?? null,
  };
}

/** The handshakes of one preflight. Every address is tried once before any is tried again. */
class Asking {
  readonly handshakes: SingleHandshake[] = [];
  readonly dead: DeadAddress[] = [];
  destinations: readonly Destination[];
  readonly #options: PreflightOptions;
  #until = now() + WITHIN_MS;
  readonly #gone: Promise<unknown>[] = [];
  /** Index of the next handshake. */
  #index = 0;

  constructor(options: PreflightOptions) {
    this.#options = options;
    this.destinations = options.resolution.destinations;
  }

  async run(): Promise<void> {
    const { resolution, signal } = this.#options;
    const alive = await this.#round(resolution.destinations);
    // A client with several addresses tries the next one (RFC 8305); so does this one, and reports it.
    const mayTryOthers = alive.length === 0 && !this.#isLocal && !signal.aborted;
    const [instead] = mayTryOthers ? await this.#round(resolution.others) : [];
    if (instead !== undefined) this.destinations = [instead];
    const asked = alive.length > 0 ? alive : this.destinations;
    while (this.#index < PREFLIGHT_ATTEMPTS && now() < this.#until && !signal.aborted) {
      const index = this.#index++;
      const one = await this.#ask(asked[index % asked.length], index, this.#until - now());
      // A later handshake that ran out of the preflight's time says nothing.
      if (!one.outcome.startsWith('timeout-')) this.handshakes.push(one);
    }
    await Promise.all(this.#gone);
  }

  /**
   * One handshake with each address, all at once, because a dead address takes until its timeout. @returns those that
   * answer
   */
  async #round(addresses: readonly Destination[]): Promise<Destination[]> {
    const asked = addresses.slice(0, PREFLIGHT_ATTEMPTS - this.#index);
    const ended = await Promise.all(asked.map((to) => this.#ask(to, this.#index++, FIRST_TIMEOUT_MS)));
    this.handshakes.push(...ended);
    ended.forEach(({ outcome }, place) => {
      if (!isAnswer(outcome)) this.dead.push({ address: asked[place].address, outcome });
    });
    return asked.filter((_, place) => isAnswer(ended[place].outcome));
  }

  get #isLocal(): boolean {
    return this.handshakes.some(({ outcome }) => outcome.startsWith('local-'));
  }

  async #ask(to: Destination, index: number, patienceMs: number): Promise<SingleHandshake> {
    const timeoutMs = Math.min(this.#options.plan.timeoutMs, Math.max(1, patienceMs));
    const one = await handshakeOnce({ ...this.#options, destinations: [to], timeoutMs, index });
    this.#gone.push(one.gone);
    this.#until += one.stalledMs;
    return one;
  }
}

/** A complete response head, with any status. */
function isAnswer(outcome: OutcomeId): boolean {
  return /^\d+$/.test(outcome) || outcome === 'invalid-101';
}

/** The addresses that did not answer, as part of a sentence. */
export function deadInWords(dead: readonly DeadAddress[]): string {
  return dead.map(({ address, outcome }) => `${address}: ${outcome}`).join(', ');
}
