/**
 * What a policy makes of an outage, computed: every client of a fleet loses its connection at 0, the service refuses
 * at once until it is back, and then completes handshakes one after another in the order of their arrival, those of
 * clients that have left too. Pure and seeded. Belongs to `plan`, because it is known before anything is sent, and
 * the dry run, a diagnosis and a storm's report all say it.
 */
import { AttemptHeap } from './attempt-heap.js';
import { FleetWaits } from './fleet-waits.js';
import { meanLastWaitMs } from './last-wait.js';
import type { Policy } from './policy.js';

export interface Outage {
  readonly policy: Policy;
  readonly clients: number;
  /** The service refuses for so long, from the loss on. */
  readonly outageMs: number;
  /** Handshakes that the service completes in a second; null: every one at once. */
  readonly perSecond: number | null;
  /** Limit of an attempt where the policy has none; null: none. */
  readonly timeoutMs: number | null;
  /** Watched for so long after the service's return. */
  readonly windowMs: number;
  readonly seed: number;
}

export interface OutageForecast {
  /** Until so many of the whole fleet are back, from the service's return; null: not within the window. */
  readonly t50Ms: number | null;
  readonly t95Ms: number | null;
  readonly t99Ms: number | null;
  readonly t100Ms: number | null;
  /** The most attempts in any second after the service's return. */
  readonly peakPerSecond: number;
  readonly attemptsPerClient: { readonly mean: number; readonly max: number };
  readonly back: number;
  readonly gaveUp: number;
  readonly stillTrying: number;
  /** Share of the handshakes served whose client had left; 0 when none was served. */
  readonly wastedShare: number;
}

const SECOND_MS = 1000;

// Bounds of the work. A larger fleet before a service that is faster by the same factor behaves the same, so a part of
// it is simulated, and its counts are scaled up.
const MOST_CLIENTS = 10_000;
const LEAST_CLIENTS = 200;
const MOST_ATTEMPTS = 1_000_000;

export function simulateOutage(outage: Outage): OutageForecast {
  const { clients, perSecond } = outage;
  const simulated = Math.min(
    clients,
    MOST_CLIENTS,
    Math.max(LEAST_CLIENTS, Math.floor(MOST_ATTEMPTS / attemptsEach(outage))),
  );
  if (simulated === clients) return new OutageRun(outage).forecast();
  const scale = clients / simulated;
  const part = { ...outage, clients: simulated, perSecond: perSecond === null ? null : perSecond / scale };
  const forecast = new OutageRun(part).forecast();
  const back = Math.round(forecast.back * scale);
  const gaveUp = Math.round(forecast.gaveUp * scale);
  return {
    ...forecast,
    peakPerSecond: Math.round(forecast.peakPerSecond * scale),
    back,
    gaveUp,
    stillTrying: clients - back - gaveUp,
  };
}

/** Roughly, how often one client tries until the end of the window. */
function attemptsEach({ policy, outageMs, perSecond, timeoutMs, windowMs }: Outage): number {
  const waitMs = Math.max(1, meanLastWaitMs(policy) ?? outageMs);
  const limitMs = policy.timeout?.maxMs ?? timeoutMs ?? windowMs;
  return 1 + outageMs / waitMs + (perSecond === null ? 0 : windowMs / (limitMs + waitMs));
}

class OutageRun {
  readonly #outage: Outage;
  readonly #waits: FleetWaits;
  readonly #heap: AttemptHeap;
  readonly #attempts: Uint32Array;
  /** Attempts after the return: a sliding second over a queue of their times. */
  #recent: number[] = [];
  #oldest = 0;
  #peak = 0;
  readonly #backMs: number[] = [];
  #gaveUp = 0;
  #served = 0;
  #wasted = 0;
  /** When the service has completed what has arrived so far. */
  #freeMs: number;

  constructor(outage: Outage) {
    this.#outage = outage;
    this.#waits = new FleetWaits(outage.policy, outage.seed, outage.clients);
    this.#heap = new AttemptHeap(outage.clients);
    this.#attempts = new Uint32Array(outage.clients);
    this.#freeMs = outage.outageMs;
  }

  forecast(): OutageForecast {
    const { clients, outageMs, windowMs } = this.#outage;
    for (let client = 0; client < clients; client += 1) this.#schedule(client, 0);
    const endMs = outageMs + windowMs;
    while (this.#heap.earliestMs <= endMs) {
      const nowMs = this.#heap.earliestMs;
      this.#attempt(this.#heap.pop(), nowMs);
    }
    this.#backMs.sort((a, b) => a - b);
    const total = this.#attempts.reduce((sum, count) => sum + count, 0);
    // Served after the end of the window is not back within it.
    const back = this.#backMs.filter((ms) => ms <= windowMs);
    return {
      t50Ms: reached(back, clients, 0.5),
      t95Ms: reached(back, clients, 0.95),
      t99Ms: reached(back, clients, 0.99),
      t100Ms: reached(back, clients, 1),
      peakPerSecond: this.#peak,
      attemptsPerClient: {
        mean: clients === 0 ? 0 : total / clients,
        max: this.#attempts.reduce((most, count) => Math.max(most, count), 0),
      },
      back: back.length,
      gaveUp: this.#gaveUp,
      stillTrying: clients - back.length - this.#gaveUp,
      wastedShare: this.#served === 0 ? 0 : this.#wasted / this.#served,
    };
  }

  #schedule(client: number, nowMs: number): void {
    const wait = this.#waits.next(client, nowMs, null);
    if (typeof wait === 'number') this.#heap.push(client, nowMs + wait);
    else this.#gaveUp += 1;
  }

  #attempt(client: number, nowMs: number): void {
    const { outageMs, perSecond, timeoutMs } = this.#outage;
    this.#attempts[client] += 1;
    if (nowMs < outageMs) {
      this.#schedule(client, nowMs);
      return;
    }
    this.#countPeak(nowMs);
    this.#served += 1;
    this.#freeMs = perSecond === null ? nowMs : Math.max(this.#freeMs, nowMs) + SECOND_MS / perSecond;
    const limitMs = this.#waits.limitMs(client) ?? timeoutMs;
    if (limitMs === null || this.#freeMs - nowMs <= limitMs) {
      this.#backMs.push(this.#freeMs - outageMs);
      return;
    }
    this.#wasted += 1;
    this.#schedule(client, nowMs + limitMs);
  }

  #countPeak(nowMs: number): void {
    this.#recent.push(nowMs);
    while (this.#recent[this.#oldest] <= nowMs - SECOND_MS) this.#oldest += 1;
    if (2 * this.#oldest > this.#recent.length) {
      this.#recent = this.#recent.slice(this.#oldest);
      this.#oldest = 0;
    }
    this.#peak = Math.max(this.#peak, this.#recent.length - this.#oldest);
  }
}

/** When `share` of all `clients` are back; `backMs` is sorted. */
function reached(backMs: readonly number[], clients: number, share: number): number | null {
  return backMs[Math.max(0, Math.ceil(share * clients) - 1)] ?? null;
}
