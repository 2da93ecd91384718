/**
 * What a shard whose attempts start one by one keeps beside its tally: when the first and the last were started and
 * ended, the 101s of each second, and CSV rows that are sent on before there are many. Nothing of it grows with the
 * number of attempts.
 */
import { NEVER_STALLED } from '../../tally/validity.js';
import type { Recorder } from '../attempt/recorder.js';
import type { ShardContext, ShardReport } from './shard.js';

/** Number of attempts whose CSV rows are collected before they are sent on. */
const ROWS_PER_MESSAGE = 2000;
/** Seconds allocated at the start: growing an array later would deoptimise compiled code. */
const SECONDS = 3600;

type Steady = Pick<
  ShardReport,
  'failedToArm' | 'stalledArming' | 'lastSentMs' | 'firstReleaseMs' | 'lastReleaseMs' | 'lastEndMs' | 'perSecond'
>;

export class SteadyCounts {
  readonly #context: ShardContext;
  readonly #recorder: Recorder;
  #releaseAt = Number.NaN;
  #firstRelease = Number.NaN;
  #lastRelease = Number.NaN;
  #lastEnd = Number.NaN;
  /** 101s in each second, and the number of seconds until the last one. */
  readonly #perSecond: number[] = new Array(SECONDS).fill(0);
  #seconds = 0;
  #rowsKept = 0;

  constructor(context: ShardContext, recorder: Recorder) {
    this.#context = context;
    this.#recorder = recorder;
  }

  /** T0, like the other times in ms on the clock of `now()`. */
  begin(releaseAt: number): void {
    this.#releaseAt = releaseAt;
  }

  released(at: number): void {
    if (Number.isNaN(this.#firstRelease)) this.#firstRelease = at;
    this.#lastRelease = at;
  }

  ended(at: number, isOpen: boolean): void {
    this.#lastEnd = at;
    if (!isOpen) return;
    // The timer of T0 may fire a little early.
    const second = Math.max(0, Math.floor((at - this.#releaseAt) / 1000));
    this.#perSecond[second] = (this.#perSecond[second] ?? 0) + 1;
    this.#seconds = Math.max(this.#seconds, second + 1);
  }

  /** The recorder has one more row, if rows are wanted. */
  rowKept(): void {
    if (this.#context.wantRows && ++this.#rowsKept >= ROWS_PER_MESSAGE) this.sendRows();
  }

  /** Sends the rows so far, which are final. */
  sendRows(): void {
    const rows = this.#recorder.takeRows();
    if (rows !== null) this.#context.sendRows(rows);
    this.#rowsKept = 0;
  }

  report(): Steady {
    const after = (at: number) => (Number.isNaN(at) ? null : at - this.#releaseAt);
    return {
      failedToArm: 0,
      stalledArming: NEVER_STALLED,
      lastSentMs: null,
      firstReleaseMs: after(this.#firstRelease),
      lastReleaseMs: after(this.#lastRelease),
      lastEndMs: after(this.#lastEnd),
      perSecond: Array.from(this.#perSecond.slice(0, this.#seconds), (count) => count ?? 0),
    };
  }
}
