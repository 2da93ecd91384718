/**
 * A bar on a terminal, redrawn in place. It neither hides the cursor nor switches line wrapping off, so a crash leaves the
 * terminal as it was.
 */
import { type Options, type Params, SingleBar } from 'cli-progress';
import type { Host } from '../../host.js';
import type { SearchNews } from '../../search/engine-interface.js';
import { bar, type Glyphs, safeText } from '../terminal/style.js';
import { clip } from '../terminal/text-width.js';
import type { BurstInfo, ProgressDisplay, ProgressNumbers } from './display.js';
import { state, title } from './progress-words.js';
import { searchLine } from './search-line.js';

const FRAMES_PER_SECOND = 8;
const BAR_CELLS = 20;

/** cli-progress draws on its own timer; other lines remove the bar for a moment. */
export class LiveBar implements ProgressDisplay {
  readonly #stream: Host['stderr'];
  readonly #width: number;
  readonly #glyphs: Glyphs;
  readonly #dim: (text: string) => string;
  readonly #warning: (text: string) => string;
  #bar: SingleBar | null = null;
  #info: BurstInfo | null = null;
  #numbers: ProgressNumbers | null = null;
  readonly #now: () => number;
  /** A waiting search sends no news, so the remaining time is counted from the last news. */
  #search: { readonly news: SearchNews; readonly atMs: number } | null = null;

  constructor(
    stream: Host['stderr'],
    width: number,
    glyphs: Glyphs,
    dim: (text: string) => string,
    warning: (text: string) => string,
    now: () => number,
  ) {
    this.#now = now;
    this.#stream = stream;
    this.#width = width;
    this.#glyphs = glyphs;
    this.#dim = dim;
    this.#warning = warning;
  }

  note(text: string): void {
    this.#line(this.#dim(safeText(text)));
  }

  warn(text: string): void {
    this.#line(this.#warning(text));
  }

  stage(title: string): void {
    this.#info = null;
    this.#line(this.#dim(safeText(title)));
  }

  burst(info: BurstInfo): void {
    this.#info = info;
    this.#numbers = null;
  }

  update(numbers: ProgressNumbers): void {
    this.#numbers = numbers;
    const news = numbers.search ?? null;
    if (news === null) this.#search = null;
    else if (news !== this.#search?.news) this.#search = { news, atMs: this.#now() };
    if (this.#bar === null) {
      this.#bar = this.#newBar();
      this.#bar.start(Math.max(1, numbers.size), numbers.ended);
    }
    this.#bar.update(numbers.ended);
  }

  /** Also forgets the numbers: a later note must not draw the bar again. */
  stop(): void {
    this.#erase();
    this.#numbers = null;
  }

  #erase(): void {
    this.#bar?.stop();
    this.#bar = null;
  }

  #newBar(): SingleBar {
    const options: Options = {
      stream: this.#stream,
      fps: FRAMES_PER_SECOND,
      clearOnComplete: true,
      hideCursor: false,
      linewrap: true,
      // The command handles signals: a listener of the bar would change the effect of the first Ctrl-C.
      gracefulExit: false,
      format: (_options: Options, _params: Params) => this.#frame(),
    };
    return new SingleBar(options);
  }

  /** One column narrower than the terminal, because some terminals wrap a full line. */
  #frame(): string {
    if (this.#numbers === null) return '';
    const { size, ended } = this.#numbers;
    if (this.#search !== null) return clip(this.#searching(this.#numbers), this.#width - 1, this.#glyphs);
    const full = bar(ended, size, BAR_CELLS, this.#glyphs).padEnd(BAR_CELLS);
    const text = `${title(this.#info)}${size > 0 ? `|${full}| ` : ''}${state(this.#numbers, this.#glyphs)}`;
    return clip(text, this.#width - 1, this.#glyphs);
  }

  /** The state of the search, then of its current burst. */
  #searching(numbers: ProgressNumbers): string {
    if (this.#search === null) return '';
    const { news, atMs } = this.#search;
    const line = searchLine(news, this.#now() - atMs, this.#glyphs);
    return numbers.phase === 'resting' ? line : `${line} ${this.#glyphs.dot} ${state(numbers, this.#glyphs)}`;
  }

  #line(text: string): void {
    this.#erase();
    this.#stream.write(`${text}\n`);
    if (this.#numbers !== null) this.update(this.#numbers);
  }
}
