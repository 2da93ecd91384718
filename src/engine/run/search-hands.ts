/**
 * Executes a search's actions: rests, recovery checks, calibrations, bursts, in the order that its director gives. It
 * decides nothing: the director decides what to try next, what a burst meant and when the search is over. The run
 * passes in what it can do (fire a burst, keep it, save) as `SearchGround`.
 */
import { isOpen } from '../../names/outcomes.js';
import { formatCount } from '../../plan/units.js';
import type { Burst, Calibration } from '../../result/result.js';
import type { CanaryFacts, Director, SearchAction } from '../../search/engine-interface.js';
import { LONG_STALL_MS } from '../../tally/validity.js';
import type { SingleHandshake } from '../load/single-handshake.js';
import { now, wallOffset } from '../machine/clock.js';
import { wait, waitUntil } from '../machine/wait.js';
import type { Shortage } from './machine-needs.js';

/** What the run does for its search. */
export interface SearchGround {
  /** Aborted when the run is to end: running actions then return soon. */
  readonly signal: AbortSignal;
  /** What prevents that many connections; null: nothing. */
  shortage(size: number): Shortage | null;
  readonly calibration: SearchCalibration;
  /** One single handshake, for at most `timeoutMs` or the plan's timeout. */
  single(timeoutMs: number): Promise<SingleHandshake>;
  /** Reserves attempt numbers. @returns the first of them */
  number(handshakes: number): number;
  /** Fires a burst and adds it to the run. */
  fire(burst: SearchBurst): Promise<Burst>;
  /** Saves everything so far. `burst` is the one just reported to the search. */
  save(burst: Burst | null): Promise<void>;
  readonly tell: SearchTeller;
  /** Ends the run, because this machine cannot go on. */
  refuse(reason: string): void;
}

/** Calibration of this generator by bursts to the local test server. */
export interface SearchCalibration {
  /** The calibration for a burst of that size; null when stopped, or when calibration is off. */
  at(size: number): Promise<Calibration | null>;
  /** The local test server is not needed until the next `at`. */
  end(): Promise<void>;
}

/** Messages for the user. */
interface SearchTeller {
  /** One line. */
  note(text: string): void;
  phase(phase: 'resting' | 'canary' | 'calibrating'): void;
}

interface SearchBurst {
  readonly size: number;
  /** Index of the burst in the search. */
  readonly index: number;
  readonly floor: Calibration | null;
  /** Number of its first attempt. */
  readonly base: number;
}

/** A handshake of a recovery check that takes longer has failed: the check compares milliseconds. */
const CANARY_TIMEOUT_MS = 10_000;
/** Ports in TIME_WAIT are free again after this (tcp(7): 60 s on Linux). */
const TIME_WAIT_MS = 65_000;
const LOCAL_POLL_MS = 1000;
/** Ratio of the sizes with an acceptable and an unacceptable floor at which looking for the limit ends. */
const FLOOR_WIDTH = 1.1;
const MOST_FLOORS = 10;
const FLOOR_TRIES = 3;
const FLOOR_PAUSE_MS = 1500;

export async function runSearch(ground: SearchGround, director: Director): Promise<void> {
  await new Search(ground, director).run();
}

type Doable = Exclude<SearchAction, { do: 'stop' }>;
/** No more than `fit` handshakes can be sent at once. */
type Limit = Pick<Shortage, 'fit' | 'reason'>;

/** Each action returns the next one; null: the run was stopped before there was something that the search could use. */
class Search {
  readonly #ground: SearchGround;
  readonly #director: Director;
  /** Wall clock minus `now()`: taken once, so that a change of the clock does not move a rest. */
  readonly #offset = wallOffset();
  /** Acceptable floors by size. */
  readonly #floors = new Map<number, Calibration>();

  constructor(ground: SearchGround, director: Director) {
    this.#ground = ground;
    this.#director = director;
  }

  async run(): Promise<void> {
    let action: SearchAction | null = this.#begin();
    while (action !== null && action.do !== 'stop' && !this.#isStopped) action = await this.#perform(action);
    await this.#ground.save(null);
  }

  /** Needs that this machine cannot meet at all are reported before anything is sent. */
  #begin(): SearchAction {
    const action = this.#director.begin(this.#nowMs());
    const tight = this.#ground.shortage(this.#director.max);
    if (tight === null || action.do === 'stop') return action;
    const [fit, max] = [tight.fit, this.#director.max].map(formatCount);
    this.#ground.tell.note(`the search goes up to ${fit} instead of ${max}: ${tight.reason}`);
    return this.#limited(tight);
  }

  #perform(action: Doable): Promise<SearchAction | null> {
    switch (action.do) {
      case 'rest':
        return this.#rest(action.untilMs);
      case 'canary':
        return this.#check(action.handshakes, action.overMs);
      case 'fire':
        return this.#fire(action.size, action.index);
    }
  }

  async #rest(untilMs: number): Promise<SearchAction | null> {
    this.#ground.tell.phase('resting');
    await waitUntil(untilMs - this.#offset, this.#ground.signal);
    return this.#isStopped ? null : this.#director.next({ is: 'rested', nowMs: this.#nowMs() });
  }

  async #check(handshakes: number, overMs: number): Promise<SearchAction | null> {
    const ground = this.#ground;
    ground.tell.phase('canary');
    const until = now() + TIME_WAIT_MS;
    for (;;) {
      const { facts, local } = await this.#singles(handshakes, overMs);
      if (this.#isStopped) return null;
      // A few that this machine could not send, or in which it stood still, leave enough to judge by.
      if (2 * facts.attempted >= handshakes) return this.#director.next({ is: 'canary', nowMs: this.#nowMs(), facts });
      if (now() > until) {
        ground.refuse(`single handshakes can't be sent from this machine (${local ?? 'it stands still'})`);
        return null;
      }
      await wait(LOCAL_POLL_MS, ground.signal);
    }
  }

  /** Single handshakes at a steady pace; none waits for the previous one. */
  async #singles(handshakes: number, overMs: number): Promise<{ facts: CanaryFacts; local: string | null }> {
    const from = now();
    const running: Promise<SingleHandshake>[] = [];
    for (let i = 0; i < handshakes; i++) {
      await waitUntil(from + (i * overMs) / handshakes, this.#ground.signal);
      if (this.#isStopped) break;
      const one = this.#ground.single(CANARY_TIMEOUT_MS);
      // The error is handled below; without this line it would end the process before the other handshakes have ended.
      one.catch(() => {});
      running.push(one);
    }
    const ended = await Promise.all(running);
    const local = ended.find(({ outcome }) => outcome.startsWith('local-'))?.outcome ?? null;
    const sent = ended.filter(({ outcome, stalledMs }) => !outcome.startsWith('local-') && stalledMs < LONG_STALL_MS);
    const times = sent.filter(({ outcome }) => isOpen(outcome)).map(leastMs);
    times.sort((a, b) => a - b);
    const p95Ms = times.length === 0 ? null : times[Math.ceil(0.95 * times.length) - 1];
    return { facts: { attempted: sent.length, survived: times.length, p95Ms }, local };
  }

  async #fire(size: number, index: number): Promise<SearchAction | null> {
    const ground = this.#ground;
    const tight = await this.#room(size);
    if (this.#isStopped) return null;
    if (tight !== null) return this.#limited(tight);
    const { floor, limit } = await this.#floorFor(size);
    await ground.calibration.end();
    if (this.#isStopped) return null;
    if (limit !== null) return this.#limited(limit);
    this.#director.firing();
    const base = ground.number(size);
    await ground.save(null);
    const burst = await ground.fire({ size, index, floor, base });
    // A burst that was stopped midway says nothing; a resumed search counts it as lost.
    if ((burst.outcomes.aborted ?? 0) > 0) return null;
    const facts = this.#director.factsOf(burst);
    const next = this.#director.next({ is: 'burst', nowMs: this.#nowMs(), facts });
    await ground.save(burst);
    return next;
  }

  /** Waits for ports that earlier bursts left in TIME_WAIT; null: there is room. */
  async #room(size: number): Promise<Shortage | null> {
    const { signal, tell } = this.#ground;
    const until = now() + TIME_WAIT_MS;
    let tight = this.#ground.shortage(size);
    while (tight?.passes === true && now() < until && !this.#isStopped) {
      tell.phase('resting');
      await wait(LOCAL_POLL_MS, signal);
      tight = this.#ground.shortage(size);
    }
    return tight;
  }

  /**
   * The floor for a burst, measured unless that size or a larger one was measured; or a limit: the largest size with an
   * acceptable floor.
   */
  async #floorFor(size: number): Promise<{ floor: Calibration | null; limit: Limit | null }> {
    const known = [...this.#floors.keys()].filter((one) => one >= size);
    if (known.length > 0) return { floor: this.#floors.get(Math.min(...known)) ?? null, limit: null };
    let problem: string | null = null;
    for (let tries = 0; tries < FLOOR_TRIES; tries++) {
      // One disturbed measurement is not a limit.
      if (tries > 0) await wait(FLOOR_PAUSE_MS, this.#ground.signal);
      const floor = await this.#measured(size);
      if (floor === null) return { floor: null, limit: null };
      problem = this.#director.floorProblem(floor);
      if (problem === null) return { floor, limit: null };
    }
    return { floor: null, limit: { fit: await this.#largestGood(size), reason: problem ?? '' } };
  }

  async #largestGood(bad: number): Promise<number> {
    let good = Math.max(0, ...this.#floors.keys());
    for (let i = 0; i < MOST_FLOORS && bad > Math.max(good, this.#director.min) * FLOOR_WIDTH; i++) {
      const size = Math.round(Math.sqrt(bad * Math.max(good, this.#director.min)));
      if (size <= good || size >= bad || this.#isStopped) break;
      if ((await this.#measured(size)) === null) break;
      if (this.#floors.has(size)) good = size;
      else bad = size;
    }
    return good;
  }

  async #measured(size: number): Promise<Calibration | null> {
    this.#ground.tell.phase('calibrating');
    const floor = await this.#ground.calibration.at(size);
    if (floor !== null && this.#director.floorProblem(floor) === null) this.#floors.set(size, floor);
    return floor;
  }

  #limited({ fit, reason }: Limit): SearchAction {
    return this.#director.next({ is: 'limit', nowMs: this.#nowMs(), max: fit, reason });
  }

  get #isStopped(): boolean {
    return this.#ground.signal.aborted;
  }

  #nowMs(): number {
    return now() + this.#offset;
  }
}

/** The lower latency bound, because a reply that this machine read late does not make the target slow. */
function leastMs({ tally, tookMs }: SingleHandshake): number {
  const lower = tally.lowerOf('handshake');
  return lower.count === 0 ? tookMs : lower.maxMs;
}
