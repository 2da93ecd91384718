/**
 * A running search in one line: the bracket so far, what is being tried or waited for and why, and the remaining time.
 * Knows only the news and its age; the progress display places the line.
 */
import { formatCount } from '../../plan/units.js';
import type { SearchNews, Why, WhyRest } from '../../search/engine-interface.js';
import type { Glyphs } from '../terminal/style.js';
import { spokenSpan } from '../words/numbers.js';

const WHY_BURST: Readonly<Record<Why, string>> = {
  ramp: 'larger',
  descend: 'smaller',
  repeat: 'once more: undecided',
  hint: 'where the survivors point',
  gallop: 'near the end that moved',
  bisect: 'halving the bracket',
  'confirm-low': 'does it hold?',
  'confirm-high': 'does it break?',
  sentinel: 'is it back?',
  break: 'breaking it once more',
  'after-break': 'right after the break',
};

const WHY_REST: Readonly<Record<WhyRest, string>> = {
  cool: 'cooling down',
  fresh: 'resting the target',
  recover: 'giving it time to recover',
  canary: 'single handshakes are not as before',
};

/** Shorter waits are not logged. */
const LOGGED_REST_MS = 10_000;

/** `find 2,048–4,096 · 2,928: where the survivors point · ~4 min left`; `sinceMs`: the age of the news. */
export function searchLine(news: SearchNews, sinceMs: number, glyphs: Glyphs): string {
  return [bracketText(news, glyphs), doing(news, sinceMs), left(news, sinceMs)].join(` ${glyphs.dot} `);
}

/** The log line when a wait begins; null when it is too short. */
export function restLine(news: SearchNews, glyphs: Glyphs): string | null {
  const { restUntilMs, nowMs } = news;
  return restUntilMs === null || restUntilMs - nowMs < LOGGED_REST_MS ? null : searchLine(news, 0, glyphs);
}

/** The log line of a burst that has ended: `find 2,048–4,096 · burst 9: 2,928 (where the survivors point): …`. */
export function burstLine(news: SearchNews, outcomes: string, glyphs: Glyphs): string {
  const { size, bursts } = news;
  const what = size === null ? '' : `: ${formatCount(size)} (${whyBurst(news)})`;
  return `${bracketText(news, glyphs)} ${glyphs.dot} burst ${bursts + 1}${what}: ${outcomes}`;
}

function bracketText({ bracket: [lo, hi] }: SearchNews, { dash }: Glyphs): string {
  if (lo === null && hi === null) return 'find';
  if (hi === null) return `find over ${formatCount(lo ?? 0)}`;
  return lo === null ? `find under ${formatCount(hi)}` : `find ${formatCount(lo)}${dash}${formatCount(hi)}`;
}

function whyBurst({ why, bursts }: SearchNews): string {
  if (bursts === 0) return 'the first';
  return why === null ? 'next' : WHY_BURST[why];
}

function doing(news: SearchNews, sinceMs: number): string {
  const { size, restWhy, restUntilMs, nowMs } = news;
  if (restWhy === null || restUntilMs === null)
    return size === null ? 'starting' : `${formatCount(size)}: ${whyBurst(news)}`;
  const waitMs = Math.max(0, restUntilMs - nowMs - sinceMs);
  const then = size === null ? '' : `, then ${formatCount(size)}`;
  return `${WHY_REST[restWhy]} for ${spokenSpan(waitMs)}${then}`;
}

/** If less than this is expected to remain, no number is shown. */
const NEARLY_MS = 1000;

/** The time that the search expects to need, or, if unknown, the maximum. */
function left({ leftMs, deadlineAtMs, nowMs }: SearchNews, sinceMs: number): string {
  if (leftMs !== null) return leftMs - sinceMs < NEARLY_MS ? 'nearly done' : `~${spokenSpan(leftMs - sinceMs)} left`;
  return `at most ${spokenSpan(Math.max(0, deadlineAtMs - nowMs - sinceMs))} left`;
}
