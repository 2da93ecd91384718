/**
 * Carries out a search for the drop-off point: rests, canaries, calibrations, bursts, in the order that a director says.
 * It owns the hands of a search and none of its mind: what to try next, what a burst meant and when it is over is the
 * director's, which lives in another ring (the search is pure, and fire does not know it). What the run around it can do
 * (fire a burst, keep it, save) is handed in as its ground.
 */
import { formatCount } from '../../plan/units.js';
import type { Burst, Calibration } from '../../result/result.js';
import type { Found } from '../../tally/assemble.js';
import { LatencyHistogram } from '../../tally/histogram.js';
import { handshakeOnce, type SingleHandshake, type SingleOptions } from '../load/single-handshake.js';
import { now, wallOffset } from '../machine/clock.js';
import type { Shortage } from '../machine/limits.js';
import { wait, waitUntil } from '../machine/wait.js';

/** What a director may ask for. Instants are ms since the Unix epoch, because a search may outlive its process. */
export type FindAction =
  | { readonly do: 'rest'; readonly untilMs: number; readonly why: string }
  | { readonly do: 'canary'; readonly handshakes: number; readonly overMs: number }
  | { readonly do: 'fire'; readonly index: number; readonly size: number; readonly why: string }
  | { readonly do: 'stop' };

export type FindEvent =
  | { readonly is: 'rested'; readonly nowMs: number }
  | { readonly is: 'canary'; readonly nowMs: number; readonly facts: CanaryFacts }
  | { readonly is: 'burst'; readonly nowMs: number; readonly burst: Burst }
  /** No more than `max` can be sent at once from here; a burst that was asked for was not sent. */
  | { readonly is: 'limit'; readonly nowMs: number; readonly max: number; readonly reason: string };

/** Handshakes one after another; those that failed on this machine are left out. */
interface CanaryFacts {
  readonly attempted: number;
  /** Got their 101. */
  readonly survived: number;
  readonly p95Ms: number | null;
}

/** Where a search stands, for whoever shows it. */
export interface SearchNews {
  /** Largest load that holds, smallest that does not; null while that is not known. */
  readonly bracket: readonly [number | null, number | null];
  /** Bursts so far, and how many there may be. */
  readonly bursts: number;
  readonly budget: number;
  /** The burst that is coming, or going on. */
  readonly size: number | null;
  readonly why: string | null;
  /** What it waits for, and until when; null when it does not wait. */
  readonly restWhy: string | null;
  readonly restUntilMs: number | null;
  /** No burst begins after this. */
  readonly deadlineAtMs: number;
  /** What is left of the search, by its own expectation. */
  readonly leftMs: number;
  readonly nowMs: number;
}

export interface Director {
  /** Largest burst that it may ask for. */
  readonly max: number;
  /** Smallest one. */
  readonly min: number;
  /** Begins a search, or goes on with one that was saved. */
  begin(nowMs: number): FindAction;
  next(event: FindEvent): FindAction;
  /** The burst that was asked for last is on its way from now on: whoever goes on with the search must not repeat it. */
  firing(): void;
  /** Why a generator with that floor can't judge bursts of that size; null: it can. */
  floorProblem(floor: Calibration): string | null;
  news(nowMs: number): SearchNews;
  readonly dropOff: Found['dropOff'];
  /** As it may be saved. */
  readonly state: object;
}

/** What the run does for its search. */
export interface SearchGround {
  readonly signal: AbortSignal;
  /** Fires a burst whose attempts are numbered from `base` on, and keeps it. */
  fire(size: number, index: number, floor: Calibration | null, base: number): Promise<Burst>;
  /** The mirror's answer to a burst of that size; null when stopped, or when there is to be no calibration. */
  calibrate(size: number): Promise<Calibration | null>;
  /** The mirror is not needed for now. */
  endCalibration(): Promise<void>;
  /** What stands in the way of that many connections. */
  shortage(size: number): Shortage | null;
  /** Single handshakes: all but their timeout and number. */
  single(): Omit<SingleOptions, 'timeoutMs' | 'index'>;
  /** Numbers for so many handshakes. @returns the first of them */
  number(handshakes: number): number;
  /** Saves everything so far. `burst` is the one that has just been told to the search. */
  save(burst: Burst | null): Promise<void>;
  /** One line for a person. */
  note(text: string): void;
  show(phase: 'resting' | 'canary' | 'calibrating'): void;
  /** Ends the run: this machine can't go on. */
  refuse(reason: string): void;
}

/** A canary handshake that takes longer than this has failed its purpose anyway: it compares with milliseconds. */
const CANARY_TIMEOUT_MS = 10_000;
/** Ports in TIME_WAIT come back within this (tcp(7): 60 s on Linux). */
const TIME_WAIT_MS = 65_000;
const LOCAL_POLL_MS = 1000;
/** Sizes between one whose floor was good and one whose floor was not, until they are this near. */
const FLOOR_WIDTH = 1.1;
const MOST_FLOORS = 10;
const FLOOR_TRIES = 3;
const FLOOR_PAUSE_MS = 1500;

export async function runSearch(ground: SearchGround, director: Director): Promise<void> {
  await new Search(ground, director).run();
}

class Search {
  readonly #ground: SearchGround;
  readonly #director: Director;
  /** Wall clock minus `now()`: taken once, so that a clock that is set does not move a rest. */
  readonly #offset = wallOffset();
  /** Good floors by size. */
  readonly #floors = new Map<number, Calibration>();

  constructor(ground: SearchGround, director: Director) {
    this.#ground = ground;
    this.#director = director;
  }

  async run(): Promise<void> {
    const ground = this.#ground;
    let action = this.#director.begin(this.#nowMs());
    const tight = ground.shortage(this.#director.max);
    if (tight !== null && action.do !== 'stop') {
      const [fit, max] = [tight.fit, this.#director.max].map(formatCount);
      ground.note(`the search goes up to ${fit} instead of ${max}: ${tight.reason}`);
      action = this.#director.next(this.#limit(tight.fit, tight.reason));
    }
    while (action.do !== 'stop' && !ground.signal.aborted) {
      const event = await this.#perform(action);
      if (event === null) break;
      action = this.#director.next(event);
      if (event.is === 'burst') await ground.save(event.burst);
    }
    await ground.save(null);
  }

  /** null: stopped, and nothing happened that the search could use. */
  async #perform(action: Exclude<FindAction, { do: 'stop' }>): Promise<FindEvent | null> {
    switch (action.do) {
      case 'rest':
        return this.#rest(action.untilMs);
      case 'canary':
        return this.#canary(action.handshakes, action.overMs);
      case 'fire':
        return this.#fire(action.size, action.index);
    }
  }

  async #rest(untilMs: number): Promise<FindEvent | null> {
    const { signal } = this.#ground;
    this.#ground.show('resting');
    await waitUntil(untilMs - this.#offset, signal);
    return signal.aborted ? null : { is: 'rested', nowMs: this.#nowMs() };
  }

  async #canary(handshakes: number, overMs: number): Promise<FindEvent | null> {
    const ground = this.#ground;
    ground.show('canary');
    const until = now() + TIME_WAIT_MS;
    for (;;) {
      const { facts, local } = await this.#singles(handshakes, overMs);
      if (ground.signal.aborted) return null;
      // A few that this machine could not send leave enough to judge by.
      if (2 * facts.attempted >= handshakes) return { is: 'canary', nowMs: this.#nowMs(), facts };
      if (now() > until) {
        ground.refuse(`single handshakes can't be sent from this machine (${local})`);
        return null;
      }
      await wait(LOCAL_POLL_MS, this.#ground.signal);
    }
  }

  /** Handshakes at a steady pace, none waiting for the one before. */
  async #singles(handshakes: number, overMs: number): Promise<{ facts: CanaryFacts; local: string | null }> {
    const ground = this.#ground;
    const single = ground.single();
    const first = ground.number(handshakes);
    const timeoutMs = Math.min(CANARY_TIMEOUT_MS, single.plan.timeoutMs);
    const from = now();
    const running: Promise<SingleHandshake>[] = [];
    for (let i = 0; i < handshakes && !ground.signal.aborted; i++) {
      await waitUntil(from + (i * overMs) / handshakes, ground.signal);
      const one = handshakeOnce({ ...single, timeoutMs, index: first + i });
      // Heard of below; without this a bug in one would end the process before the others had ended.
      one.catch(() => {});
      running.push(one);
    }
    const ended = await Promise.all(running);
    const local = ended.find(({ outcome }) => outcome.startsWith('local-'))?.outcome ?? null;
    const sent = ended.filter(({ outcome }) => !outcome.startsWith('local-'));
    const times = sent.filter(({ outcome }) => outcome === '101').map(leastMs);
    times.sort((a, b) => a - b);
    const p95Ms = times.length === 0 ? null : times[Math.ceil(0.95 * times.length) - 1];
    return { facts: { attempted: sent.length, survived: times.length, p95Ms }, local };
  }

  async #fire(size: number, index: number): Promise<FindEvent | null> {
    const ground = this.#ground;
    const tight = await this.#room(size);
    if (ground.signal.aborted) return null;
    if (tight !== null) return this.#limit(tight.fit, tight.reason);
    const { floor, limit } = await this.#floorFor(size);
    await ground.endCalibration();
    if (ground.signal.aborted) return null;
    if (limit !== null) return limit;
    this.#director.firing();
    const base = ground.number(size);
    await ground.save(null);
    const burst = await ground.fire(size, index, floor, base);
    // Broken off in the middle it says nothing; the search, going on, will count it as lost.
    if ((burst.outcomes.aborted ?? 0) > 0) return null;
    return { is: 'burst', nowMs: this.#nowMs(), burst };
  }

  /** Ports that earlier bursts left in TIME_WAIT are waited for; null: there is room. */
  async #room(size: number): Promise<Shortage | null> {
    const until = now() + TIME_WAIT_MS;
    let tight = this.#ground.shortage(size);
    while (tight?.passes === true && now() < until && !this.#ground.signal.aborted) {
      this.#ground.show('resting');
      await wait(LOCAL_POLL_MS, this.#ground.signal);
      tight = this.#ground.shortage(size);
    }
    return tight;
  }

  /** The floor for a burst, measured when none of that size or above was; or the largest size whose floor is good. */
  async #floorFor(size: number): Promise<{ floor: Calibration | null; limit: FindEvent | null }> {
    const known = [...this.#floors.keys()].filter((one) => one >= size);
    if (known.length > 0) return { floor: this.#floors.get(Math.min(...known)) ?? null, limit: null };
    let problem: string | null = null;
    for (let tries = 0; tries < FLOOR_TRIES; tries++) {
      // A moment of noise is no limit.
      if (tries > 0) await wait(FLOOR_PAUSE_MS, this.#ground.signal);
      const floor = await this.#measured(size);
      if (floor === null) return { floor: null, limit: null };
      problem = this.#director.floorProblem(floor);
      if (problem === null) return { floor, limit: null };
    }
    const max = await this.#largestGood(size);
    return { floor: null, limit: this.#limit(max, problem ?? '') };
  }

  async #largestGood(bad: number): Promise<number> {
    let good = Math.max(0, ...this.#floors.keys());
    for (let i = 0; i < MOST_FLOORS && bad > Math.max(good, this.#director.min) * FLOOR_WIDTH; i++) {
      const size = Math.round(Math.sqrt(bad * Math.max(good, this.#director.min)));
      if (size <= good || size >= bad || this.#ground.signal.aborted) break;
      if ((await this.#measured(size)) === null) break;
      if (this.#floors.has(size)) good = size;
      else bad = size;
    }
    return good;
  }

  async #measured(size: number): Promise<Calibration | null> {
    this.#ground.show('calibrating');
    const floor = await this.#ground.calibrate(size);
    if (floor !== null && this.#director.floorProblem(floor) === null) this.#floors.set(size, floor);
    return floor;
  }

  #limit(max: number, reason: string): FindEvent {
    return { is: 'limit', nowMs: this.#nowMs(), max, reason };
  }

  #nowMs(): number {
    return now() + this.#offset;
  }
}

/** At the lower latency bound: that this machine read the answer late is no slowness of the target. */
function leastMs({ tally, tookMs }: SingleHandshake): number {
  const lower = tally.latencyLower.handshake;
  return lower === undefined ? tookMs : LatencyHistogram.decode(lower.hdr).maxMs;
}
