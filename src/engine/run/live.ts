/**
 * Progress of a running load: reads the generators' live counts a few times per second, for display. It only reads; no
 * worker waits for it.
 */
import { OUTCOME_CODES, outcomeId } from '../../names/outcomes.js';
import type { SearchNews } from '../../search/engine-interface.js';
import { Tally } from '../../tally/tally.js';
import { LIVE, type LiveTotals, liveOutcome } from '../attempt/live-counts.js';
import type { StagePhase } from './stage-run.js';

const PERIOD_MS = 100;
const TICKS_PER_SECOND = 10;

export interface Progress {
  readonly phase: StagePhase | 'preflight' | 'calibrating' | 'probing' | 'resting' | 'canary';
  /** Index of the burst, and the number of bursts in the plan. */
  readonly index: number;
  readonly of: number;
  /** Attempts of the burst, or its probes while those are sent; null when only time ends it. */
  readonly size: number | null;
  readonly armed: number;
  readonly released: number;
  readonly ended: number;
  /** Planned starts for which there was no room. */
  readonly skipped: number;
  readonly byOutcome: Readonly<Record<string, number>>;
  /** Of a storm after its drop: the clients to come back, those dropped so far, and those that are back. */
  readonly storm?: { readonly fleet: number; readonly dropped: number; readonly back: number } | null;
  /** The state of the search that this burst belongs to. */
  readonly search?: SearchNews;
}

type OfBurst = Pick<Progress, 'index' | 'size' | 'of' | 'search'>;

export class Live {
  /** Values before the first burst. */
  static readonly nothing: Omit<Progress, 'phase'> = {
    index: 0,
    of: 0,
    size: 0,
    armed: 0,
    released: 0,
    ended: 0,
    skipped: 0,
    byOutcome: {},
  };
  /** Called once per second with the outcomes so far, without times. */
  onOutcomes: ((tally: Tally) => void) | null = null;
  readonly #counts: LiveTotals;
  readonly #burst: OfBurst;
  readonly #show: (progress: Progress) => void;
  #phase: StagePhase = 'arming';
  #timer: NodeJS.Timeout | null = null;
  #ticks = 0;

  constructor(counts: LiveTotals, burst: OfBurst, show: (progress: Progress) => void) {
    this.#counts = counts;
    this.#burst = burst;
    this.#show = show;
  }

  start(phase: StagePhase): void {
    this.#phase = phase;
    this.#timer = setInterval(() => this.#tick(), PERIOD_MS);
  }

  enter(phase: StagePhase): void {
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
    for (const [id, count] of Object.entries(progress.byOutcome)) tally.addUntimed(id as never, '', count);
    this.onOutcomes(tally);
  }

  /** A client that is not dropped yet is awaited as well. */
  #storm(): Progress['storm'] {
    const [fleet, dropped, awaited] = [LIVE.fleet, LIVE.dropped, LIVE.awaited].map((at) => this.#counts.total(at));
    return { fleet, dropped, back: Math.max(0, fleet - awaited) };
  }

  #read(): Progress {
    const total = (index: number) => this.#counts.total(index);
    // Workers continue meanwhile. `ended` is read first, so every ended attempt has its outcome in the counts read
    // after it.
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
      skipped: total(LIVE.skipped),
      byOutcome,
      storm: this.#phase === 'watching' ? this.#storm() : null,
    };
  }
}
