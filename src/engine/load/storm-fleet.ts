/**
 * The clients of a storm's shard, in columns: where each one is between its connection and the next, when it was dropped
 * first and ready last, how often, and what all of them come to. Knows no socket and no timer; the shard reports what
 * happens to it.
 */
import { cutWord } from '../../names/ends.js';
import { encodedHistograms, LatencyHistogram } from '../../tally/histogram.js';
import { BIN_MS, type EncodedStorm } from '../../tally/storm-tally.js';
import type { EncodedTally } from '../../tally/tally.js';
import { LIVE } from '../attempt/live-counts.js';
import { toMicros } from '../machine/clock.js';

export const CLIENT = {
  /** Its first start is yet to come, or it never got ready: no part of the fleet. */
  outside: 0,
  /** An attempt is under way, or its connection is not ready yet. */
  trying: 1,
  ready: 2,
  /** Has lost its connection and does not know it yet. */
  unaware: 3,
  /** Waits for its next attempt. */
  waiting: 4,
  gaveUp: 5,
  stopped: 6,
} as const;

export class StormFleet {
  /** Of the fleet: was ready when the watch began. */
  readonly isMember: Uint8Array;
  readonly state: Uint8Array;
  /** When its connection was lost the last time. */
  readonly lostAt: Float64Array;
  readonly #firstDrop: Float64Array;
  readonly #readyAt: Float64Array;
  readonly #drops: Uint32Array;
  readonly #attempts: Uint32Array;
  readonly #live: Int32Array;
  #size = 0;
  #beganAt = Number.NaN;
  #abandoned = 0;
  readonly #ends = new Map<string, number>();
  readonly #attemptBins: number[] = [];
  readonly #openBins: number[] = [];
  readonly #late = new LatencyHistogram();
  readonly #started = new LatencyHistogram();

  constructor(slots: number, live: Int32Array) {
    const times = () => new Float64Array(slots).fill(Number.NaN);
    this.isMember = new Uint8Array(slots);
    this.state = new Uint8Array(slots);
    this.lostAt = times();
    this.#firstDrop = times();
    this.#readyAt = times();
    this.#drops = new Uint32Array(slots);
    this.#attempts = new Uint32Array(slots);
    this.#live = live;
  }

  /** The watch begins: those that are ready are the fleet. */
  begin(at: number): void {
    this.#beganAt = at;
    for (let slot = 0; slot < this.state.length; slot++) {
      if (this.state[slot] !== CLIENT.ready) continue;
      this.isMember[slot] = 1;
      this.#size++;
    }
    this.#live[LIVE.awaited] = this.#size;
    this.#live[LIVE.fleet] = this.#size;
  }

  get hasBegun(): boolean {
    return !Number.isNaN(this.#beganAt);
  }

  ready(slot: number, at: number): void {
    this.state[slot] = CLIENT.ready;
    this.#readyAt[slot] = at;
    if (!this.isMember[slot]) return;
    this.#live[LIVE.returns]++;
    this.#live[LIVE.awaited]--;
  }

  /**
   * A client that was ready has lost its connection.
   * @param end names/ends.ts
   * @returns whether for the first time
   */
  dropped(slot: number, at: number, end: number): boolean {
    const isFirst = this.#drops[slot] === 0;
    if (isFirst) {
      this.#firstDrop[slot] = at;
      this.#live[LIVE.dropped]++;
    } else this.#live[LIVE.awaited]++;
    this.lostAt[slot] = at;
    this.#drops[slot]++;
    const word = cutWord(end) ?? 'closed';
    this.#ends.set(word, (this.#ends.get(word) ?? 0) + 1);
    return isFirst;
  }

  /** It will never come back. */
  ended(slot: number, how: 'gaveUp' | 'stopped'): void {
    this.state[slot] = CLIENT[how];
    this.#live[LIVE.awaited]--;
    this.#live[LIVE.gone]++;
  }

  /** @param due its planned instant @param wokenAt when this thread began to start what was due */
  started(slot: number, at: number, due: number, wokenAt: number): void {
    this.state[slot] = CLIENT.trying;
    this.#attempts[slot]++;
    increase(this.#attemptBins, at - this.#beganAt);
    this.#late.record(Math.max(0, wokenAt - due));
    this.#started.record(Math.max(0, at - due));
  }

  opened(at: number): void {
    increase(this.#openBins, at - this.#beganAt);
  }

  /** A client has given up an attempt by its own timeout. */
  abandoned(): void {
    this.#abandoned++;
  }

  /** What it comes to so far. Clients that are away now are still trying. */
  encode(tally: EncodedTally): EncodedStorm {
    const away = new LatencyHistogram();
    const dropsMs: number[] = [];
    const returnsMs: number[] = [];
    const never = { gaveUp: 0, stopped: 0, stillTrying: 0 };
    const drops = { total: 0, max: 0 };
    const attempts = { total: 0, max: 0 };
    for (let slot = 0; slot < this.state.length; slot++) {
      if (this.#drops[slot] === 0) continue;
      dropsMs.push(toMicros(this.#firstDrop[slot] - this.#beganAt));
      extend(drops, this.#drops[slot]);
      extend(attempts, this.#attempts[slot]);
      const state = this.state[slot];
      if (state === CLIENT.ready) {
        returnsMs.push(toMicros(this.#readyAt[slot] - this.#beganAt));
        away.record(this.#readyAt[slot] - this.#firstDrop[slot]);
      } else if (state === CLIENT.gaveUp) never.gaveUp++;
      else if (state === CLIENT.stopped) never.stopped++;
      else never.stillTrying++;
    }
    return {
      fleet: this.#size,
      dropsMs,
      returnsMs,
      never,
      drops,
      attempts,
      tally,
      abandoned: this.#abandoned,
      ends: Object.fromEntries(this.#ends),
      attemptBins: [...this.#attemptBins],
      openBins: [...this.#openBins],
      times: encodedHistograms([
        ['away', away],
        ['late', this.#late],
        ['started', this.#started],
      ]),
    };
  }
}

function extend(sum: { total: number; max: number }, value: number): void {
  sum.total += value;
  if (value > sum.max) sum.max = value;
}

function increase(bins: number[], afterMs: number): void {
  const bin = Math.max(0, Math.floor(afterMs / BIN_MS));
  while (bins.length <= bin) bins.push(0);
  bins[bin]++;
}
