/**
 * A burst while it happens: reads the workers' live counts a few times a second for whoever shows progress. It only
 * looks; no worker waits for it.
 */
import { OUTCOME_CODES, outcomeId } from '../../names/outcomes.js';
import { Tally } from '../../tally/tally.js';
import { type Control, LIVE, liveOutcome } from '../threads/shared-memory.js';
import type { SearchNews } from './search-hands.js';
import { addUntimed, type VolleyPhase } from './stage-run.js';

const PERIOD_MS = 100;
const TICKS_PER_SECOND = 10;

export interface Progress {
  readonly phase: VolleyPhase | 'preflight' | 'calibrating' | 'probing' | 'resting' | 'canary';
  /** Index of the burst, and how many the plan has. */
  readonly index: number;
  readonly of: number;
  /** Attempts of the burst, or its probes while these are sent; null when only time ends it. */
  readonly size: number | null;
  readonly armed: number;
  readonly released: number;
  readonly ended: number;
  readonly byOutcome: Readonly<Record<string, number>>;
  /** Where the search stands that this is a part of. */
  readonly search?: SearchNews;
}

type OfBurst = Pick<Progress, 'index' | 'size' | 'of' | 'search'>;

export class Live {
  /** Numbers before there is a burst. */
  static readonly nothing: Omit<Progress, 'phase'> = {
    index: 0,
    of: 0,
    size: 0,
    armed: 0,
    released: 0,
    ended: 0,
    byOutcome: {},
  };
  /** Called once a second with the outcomes so far, no times. */
  onOutcomes: ((tally: Tally) => void) | null = null;
  readonly #control: Control;
  readonly #burst: OfBurst;
  readonly #show: (progress: Progress) => void;
  #phase: VolleyPhase = 'arming';
  #timer: NodeJS.Timeout | null = null;
  #ticks = 0;

  constructor(control: Control, burst: OfBurst, show: (progress: Progress) => void) {
    this.#control = control;
    this.#burst = burst;
    this.#show = show;
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), PERIOD_MS);
  }

  enter(phase: VolleyPhase): void {
    this.#phase = phase;
    this.#show(this.#read());
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#show(this.#read());
  }

  #tick(): void {
    const progress = this.#read();
    this.#show(progress);
    if (this.onOutcomes === null || ++this.#ticks % TICKS_PER_SECOND !== 0) return;
    const tally = new Tally();
    for (const [id, count] of Object.entries(progress.byOutcome)) addUntimed(tally, id as never, '', count);
    this.onOutcomes(tally);
  }

  #read(): Progress {
    const total = (index: number) => this.#control.total(index);
    // Workers go on while this is read: what has ended by now has its outcome in what is read after it.
    const ended = total(LIVE.ended);
    const byOutcome: Record<string, number> = {};
    for (let code = 100; code < OUTCOME_CODES; code++) {
      const count = total(liveOutcome(code));
      if (count > 0) byOutcome[outcomeId(code)] = count;
    }
    return {
      phase: this.#phase,
      ...this.#burst,
      armed: total(LIVE.armed),
      released: total(LIVE.released),
      ended,
      byOutcome,
    };
  }
}
