/**
 * Live progress on stderr while a run goes on: a bar on a terminal, plain lines in a log, nothing when asked to be
 * quiet. It shows the numbers that it is given and asks for none; it never writes to stdout. It neither hides the
 * cursor nor switches line wrapping off, so a crash leaves the terminal as it was.
 */
import { type Options, type Params, SingleBar } from 'cli-progress';
import { type Host, monotonicMs } from '../../host.js';
import type { LoadKind } from '../../plan/stages/loads.js';
import { formatCount } from '../../plan/units.js';
import type { SearchNews } from '../../search/engine-interface.js';
import type { RunNews, RunPhase } from '../outputs/output.js';
import { bar, type Glyphs, glyphsOf, palette, safeText, type Terminal } from '../terminal/style.js';
import { clip } from '../terminal/text-width.js';
import { LOAD_WORDS } from '../words/load-words.js';
import { burstLine, restLine, searchLine } from './search-line.js';

export type ProgressMode = 'bar' | 'plain' | 'off';

/** The state of a run; which burst it is in is told apart, by `burst`. */
export interface ProgressNumbers extends Omit<RunNews, 'index' | 'of' | 'size'> {
  /** 0 when only time ends it. */
  readonly size: number;
}

interface BurstInfo {
  /** 0-based, as in the result. */
  readonly index: number;
  /** Bursts of the whole run. */
  readonly bursts: number;
  readonly size: number;
  readonly kind: LoadKind;
}

export interface ProgressDisplay {
  /** A line worth keeping: shown unless progress is off. */
  note(text: string): void;
  /** A line about what the result is worth: shown in every mode. */
  warn(text: string): void;
  stage(title: string): void;
  burst(info: BurstInfo): void;
  /** Cheap; as often as there is news. */
  update(numbers: ProgressNumbers): void;
  /** Ends what is drawn; may be called again. */
  stop(): void;
}

interface ProgressOptions {
  readonly enabled: ProgressMode;
  readonly terminal: Terminal;
  /** Monotonic, ms. */
  readonly now?: () => number;
}

/** A bar on a terminal; lines in a pipe and in CI, where a redrawn line would be noise; `off` when asked. */
export function progressMode(
  host: Pick<Host, 'stderr' | 'env'>,
  flags: { readonly noProgress?: boolean; readonly quiet?: boolean },
): ProgressMode {
  if (flags.quiet === true || flags.noProgress === true) return 'off';
  const inCi = !['', '0', 'false'].includes(host.env.CI ?? '');
  return host.stderr.isTTY === true && !inCi && host.env.TERM !== 'dumb' ? 'bar' : 'plain';
}

export function startProgress(host: Pick<Host, 'stderr'>, options: ProgressOptions): ProgressDisplay {
  const { yellow, dim } = palette(options.terminal.color);
  const glyphs = glyphsOf(options.terminal.unicode);
  const write = (text: string): void => {
    host.stderr.write(`${text}\n`);
  };
  const warning = (text: string): string => yellow(`warning: ${safeText(text)}`);
  const now = options.now ?? monotonicMs;
  if (options.enabled === 'bar') return new LiveBar(host.stderr, options.terminal.width, glyphs, dim, warning, now);
  if (options.enabled === 'plain') return new PlainLines(write, now, glyphs, warning);
  return {
    note: () => {},
    warn: (text) => write(warning(text)),
    stage: () => {},
    burst: () => {},
    update: () => {},
    stop: () => {},
  };
}

const FRAMES_PER_SECOND = 8;
const BAR_CELLS = 20;

/** cli-progress draws on a timer of its own; lines in between take the bar away for a moment. */
class LiveBar implements ProgressDisplay {
  readonly #stream: Host['stderr'];
  readonly #width: number;
  readonly #glyphs: Glyphs;
  readonly #dim: (text: string) => string;
  readonly #warning: (text: string) => string;
  #bar: SingleBar | null = null;
  #info: BurstInfo | null = null;
  #numbers: ProgressNumbers | null = null;
  readonly #now: () => number;
  /** While a search waits it sends no new news; the time that is left is counted from when the last came. */
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

  /** Forgets the numbers too: a note that comes later must not bring the bar back. */
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
      // Signals are the command's: a listener of the bar's own would change what the first Ctrl-C does.
      gracefulExit: false,
      format: (_options: Options, _params: Params) => this.#frame(),
    };
    return new SingleBar(options);
  }

  /** One column less than the terminal has: a full line would wrap on some. */
  #frame(): string {
    if (this.#numbers === null) return '';
    const { size, ended } = this.#numbers;
    if (this.#search !== null) return clip(this.#searching(this.#numbers), this.#width - 1, this.#glyphs);
    const full = bar(ended, size, BAR_CELLS, this.#glyphs).padEnd(BAR_CELLS);
    const text = `${title(this.#info)}${size > 0 ? `|${full}| ` : ''}${state(this.#numbers, this.#glyphs)}`;
    return clip(text, this.#width - 1, this.#glyphs);
  }

  /** Where the search is, then how its current burst is doing. */
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

/** One line a burst, written when it has ended; before that a line now and then. */
class PlainLines implements ProgressDisplay {
  readonly #write: (line: string) => void;
  readonly #now: () => number;
  readonly #glyphs: Glyphs;
  readonly #warning: (text: string) => string;
  #info: BurstInfo | null = null;
  /** The latest numbers, until a line has shown them. */
  #untold: ProgressNumbers | null = null;
  /** The last line about this burst is written. */
  #isTold = false;
  /** Of a search: the burst and the wait that the last lines were about. */
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
    if (this.#info === null || this.#isTold) return;
    const { phase, size, ended } = numbers;
    // At rest the numbers may be all 0 already.
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

  /** A line for each burst that has ended and for each wait that is long. */
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

  /** Probes get a line of their own below that of their burst. */
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
    const isWhole = numbers.size > 0 && numbers.ended >= numbers.size;
    const isProbes = numbers.phase === 'probing';
    const text = isWhole ? outcomes(numbers, this.#glyphs) : state(numbers, this.#glyphs);
    this.#write(`${title(this.#info)}${isWhole && isProbes ? 'probes after it: ' : ''}${text}`);
  }
}

function title(info: BurstInfo | null): string {
  if (info === null) return '';
  const { noun } = LOAD_WORDS[info.kind];
  const size = info.size > 0 ? ` (${formatCount(info.size)})` : '';
  return info.bursts === 1 ? `${noun}${size} ` : `${noun} ${info.index + 1}/${info.bursts}${size} `;
}

/** How a phase is shown. */
interface PhaseWords {
  /** The number of armed attempts, the outcomes so far, or only the name of the phase. */
  readonly shows: 'armed' | 'ended' | 'name';
  /** Text before the outcomes. */
  readonly start?: (numbers: ProgressNumbers) => string;
  /** A log gets a line at least this often. */
  readonly lineMs: number;
}

/** A burst that waits for a timeout of 60 s must not look dead in a log. */
const SIGN_OF_LIFE_MS = 10_000;
/** A load that goes on for minutes is shown second by second. */
const STEADY_LINE_MS = 1000;

const arming: PhaseWords = { shows: 'armed', lineMs: SIGN_OF_LIFE_MS };
const named: PhaseWords = { shows: 'name', lineMs: SIGN_OF_LIFE_MS };
const ending: PhaseWords = { shows: 'ended', start: ({ phase }) => phase, lineMs: SIGN_OF_LIFE_MS };

const PHASES: Readonly<Record<RunPhase, PhaseWords>> = {
  preflight: named,
  calibrating: named,
  arming,
  armed: arming,
  released: { ...ending, start: ({ released }) => `released ${formatCount(released)}` },
  churning: { shows: 'ended', lineMs: STEADY_LINE_MS },
  holding: ending,
  closing: ending,
  probing: ending,
  resting: named,
  canary: named,
};

/** `released 500 · ended 320/500: 300 × 101, 20 × 504`. */
function state(numbers: ProgressNumbers, glyphs: Glyphs): string {
  const { phase, size, armed, ended } = numbers;
  const { shows, start } = PHASES[phase];
  const of = size > 0 ? `/${formatCount(size)}` : '';
  if (shows === 'armed') return `${phase} ${formatCount(armed)}${of}`;
  if (shows === 'name') return phase;
  const told = outcomes(numbers, glyphs);
  const before = start === undefined ? '' : `${start(numbers)} ${glyphs.dot} `;
  return `${before}ended ${formatCount(ended)}${of}${told === '' ? '' : `: ${told}`}`;
}

function outcomes({ byOutcome }: ProgressNumbers, { times }: Glyphs): string {
  const entries = Object.entries(byOutcome).filter(([, count]) => count > 0);
  return entries.map(([id, count]) => `${formatCount(count)} ${times} ${id}`).join(', ');
}
