/** Progress for a log or a pipe: complete lines, and few of them. */
import type { SearchNews } from '../../search/engine-interface.js';
import { type Glyphs, safeText } from '../terminal/style.js';
import type { BurstInfo, ProgressDisplay, ProgressNumbers } from './display.js';
import { outcomes, PHASES, state, title } from './progress-words.js';
import { burstLine, restLine } from './search-line.js';

/** One line per burst when it has ended; during a long burst, a line at intervals. */
export class PlainLines implements ProgressDisplay {
  readonly #write: (line: string) => void;
  readonly #now: () => number;
  readonly #glyphs: Glyphs;
  readonly #warning: (text: string) => string;
  #info: BurstInfo | null = null;
  /** The latest numbers, until they have been printed. */
  #untold: ProgressNumbers | null = null;
  /** The last line about this burst has been printed. */
  #isTold = false;
  /** For a search: the burst and the wait of the last lines. */
  #toldBurst: number | null = null;
  #toldRestMs: number | null = null;
  #lastLineMs: number;

  constructor(write: (line: string) => void, now: () => number, glyphs: Glyphs, warning: (text: string) => string) {
    this.#write = write;
    this.#now = now;
    this.#glyphs = glyphs;
    this.#warning = warning;
    this.#lastLineMs = now();
  }

  note(text: string): void {
    this.#write(safeText(text));
  }

  warn(text: string): void {
    this.#write(this.#warning(text));
  }

  stage(text: string): void {
    this.#tell();
    this.#info = null;
    this.#write(safeText(text));
  }

  burst(info: BurstInfo): void {
    this.#tell();
    this.#info = info;
    this.#isTold = false;
    this.#lastLineMs = this.#now();
  }

  update(numbers: ProgressNumbers): void {
    const news = numbers.search ?? null;
    if (news !== null) {
      this.#searching(numbers, news);
      return;
    }
    if (numbers.phase === 'probing') this.#probing(numbers);
    if (numbers.phase === 'watching') this.#watching(numbers);
    if (this.#info === null || this.#isTold) return;
    const { phase, size, ended } = numbers;
    // During a rest the numbers may already be 0.
    if (phase !== 'resting' && phase !== 'canary') this.#untold = numbers;
    if (phase === 'closing' || phase === 'resting' || (size > 0 && ended >= size)) {
      this.#tell();
      this.#isTold = true;
      return;
    }
    if (this.#now() - this.#lastLineMs >= PHASES[phase].lineMs) this.#tell();
  }

  stop(): void {
    this.#tell();
    this.#info = null;
  }

  /** A line for each burst that has ended and for each long wait. */
  #searching(numbers: ProgressNumbers, news: SearchNews): void {
    const { size, ended } = numbers;
    if (size > 0 && ended >= size && this.#toldBurst !== news.bursts) {
      this.#toldBurst = news.bursts;
      this.#write(burstLine(news, outcomes(numbers, this.#glyphs), this.#glyphs));
    }
    if (news.restUntilMs === null || news.restUntilMs === this.#toldRestMs) return;
    this.#toldRestMs = news.restUntilMs;
    const line = restLine(news, this.#glyphs);
    if (line !== null) this.#write(line);
  }

  /** The watch of a storm goes on for minutes after its clients were opened. */
  #watching(numbers: ProgressNumbers): void {
    if (!this.#isTold) this.#tell();
    this.#isTold = true;
    if (this.#now() - this.#lastLineMs < PHASES.watching.lineMs) return;
    this.#untold = numbers;
    this.#tell();
  }

  /** Probes get a separate line below that of their burst. */
  #probing(numbers: ProgressNumbers): void {
    if (!this.#isTold) this.#tell();
    this.#isTold = true;
    this.#untold = numbers;
    if (numbers.ended >= numbers.size || this.#now() - this.#lastLineMs >= PHASES.probing.lineMs) this.#tell();
  }

  #tell(): void {
    const numbers = this.#untold;
    if (numbers === null || this.#info === null) return;
    this.#untold = null;
    this.#lastLineMs = this.#now();
    const isWhole = numbers.size > 0 && numbers.ended >= numbers.size && numbers.phase !== 'watching';
    const isProbes = numbers.phase === 'probing';
    const text = isWhole ? outcomes(numbers, this.#glyphs) : state(numbers, this.#glyphs);
    this.#write(`${title(this.#info)}${isWhole && isProbes ? 'probes after it: ' : ''}${text}`);
  }
}
