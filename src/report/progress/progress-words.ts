/** The state of a run in a few words: which burst, what is happening, the outcomes so far. */
import { formatCount } from '../../plan/units.js';
import type { RunPhase } from '../outputs/output.js';
import type { Glyphs } from '../terminal/style.js';
import { LOAD_WORDS } from '../words/load-words.js';
import type { BurstInfo, ProgressNumbers } from './display.js';

export function title(info: BurstInfo | null): string {
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

/** A burst that waits for a 60 s timeout must not look hung in a log. */
const SIGN_OF_LIFE_MS = 10_000;
/** Interval of lines for a load that runs for minutes. */
const STEADY_LINE_MS = 1000;

const arming: PhaseWords = { shows: 'armed', lineMs: SIGN_OF_LIFE_MS };
const named: PhaseWords = { shows: 'name', lineMs: SIGN_OF_LIFE_MS };
const ending: PhaseWords = { shows: 'ended', start: ({ phase }) => phase, lineMs: SIGN_OF_LIFE_MS };

export const PHASES: Readonly<Record<RunPhase, PhaseWords>> = {
  preflight: named,
  calibrating: named,
  arming,
  armed: arming,
  released: { ...ending, start: ({ released }) => `released ${formatCount(released)}` },
  churning: { shows: 'ended', lineMs: STEADY_LINE_MS },
  arriving: { shows: 'ended', start: ({ released }) => `started ${formatCount(released)}`, lineMs: STEADY_LINE_MS },
  opening: { shows: 'ended', lineMs: STEADY_LINE_MS },
  watching: { shows: 'ended', start: watched, lineMs: STEADY_LINE_MS },
  holding: ending,
  closing: ending,
  probing: ending,
  resting: named,
  canary: named,
};

/** `dropped 4,800/5,000 · back 1,200`. */
function watched({ storm }: ProgressNumbers): string {
  if (storm == null) return 'waiting for the drop';
  const { fleet, dropped, back } = storm;
  if (dropped === 0) return 'waiting for the drop';
  return `dropped ${formatCount(dropped)}/${formatCount(fleet)}, back ${formatCount(back)}`;
}

/** `released 500 · ended 320/500: 300 × 101, 20 × 504`. */
export function state(numbers: ProgressNumbers, glyphs: Glyphs): string {
  const { phase, size, armed, ended } = numbers;
  const { shows, start } = PHASES[phase];
  const of = size > 0 && phase !== 'watching' ? `/${formatCount(size)}` : '';
  if (shows === 'armed') return `${phase} ${formatCount(armed)}${of}`;
  if (shows === 'name') return phase;
  const told = [outcomes(numbers, glyphs), skippedWords(numbers)].filter(Boolean).join(', ');
  const before = start === undefined ? '' : `${start(numbers)} ${glyphs.dot} `;
  return `${before}ended ${formatCount(ended)}${of}${told === '' ? '' : `: ${told}`}`;
}

function skippedWords({ skipped = 0 }: ProgressNumbers): string {
  return skipped === 0 ? '' : `${formatCount(skipped)} skipped`;
}

export function outcomes({ byOutcome }: ProgressNumbers, { times }: Glyphs): string {
  const entries = Object.entries(byOutcome).filter(([, count]) => count > 0);
  return entries.map(([id, count]) => `${formatCount(count)} ${times} ${id}`).join(', ');
}
