/**
 * The progress display as an output of a run. Passes the run's state to the display, and a new title whenever a burst
 * begins.
 */
import type { Output, RunNews } from '../outputs/output.js';
import { kindIn } from '../words/load-words.js';
import type { ProgressDisplay } from './display.js';

export class ProgressOutput implements Output {
  readonly name = 'the progress display';
  readonly #display: ProgressDisplay;
  /** Index of the burst in the display's title. */
  #shown: number | null = null;

  constructor(display: ProgressDisplay) {
    this.#display = display;
  }

  interval(news: RunNews): void {
    const { index, of, phase } = news;
    const size = news.size ?? 0;
    if (of > 0 && index !== this.#shown) {
      this.#shown = index;
      this.#display.burst({ index, bursts: of, size, kind: kindIn(phase) });
    }
    this.#display.update({ ...news, size });
  }

  note(text: string): void {
    this.#display.note(text);
  }

  warn(text: string): void {
    this.#display.warn(text);
  }

  close(): void {
    this.#display.stop();
  }
}
