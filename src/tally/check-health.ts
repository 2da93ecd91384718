/**
 * The summary of a check: whether the target is healthy, what is wrong, and the exit code. Pure; the diagnosis explains
 * causes.
 */

import { EXIT, type ExitCode } from '../errors.js';
import { isOpen } from '../names/outcomes.js';
import type { Check, CheckProbe } from '../result/check-facts.js';

const NOBODY: ReadonlySet<string> = new Set(['refused', 'reset-connect', 'timeout-connect', 'unreachable']);

/** What the probes did to the service. */
export interface Harm {
  /** The probe after which the plain handshake was not served any more; null: the handshake itself. */
  readonly after: string | null;
  /** What the plain handshake got then. */
  readonly outcome: string;
}

/** null: the plain handshake was served to the end, or nobody looked. */
export function harmOf(probes: readonly CheckProbe[]): Harm | null {
  const last = probes.find(({ id }) => id === 'still-served');
  return last === undefined ? null : { after: lastToBeServed(probes), outcome: last.outcome };
}

/** The last probe that still met somebody: who finds nobody did not do it. `direct` went elsewhere. */
export function lastToBeServed(probes: readonly CheckProbe[]): string | null {
  const asked = probes.filter(({ id }) => id !== 'direct' && id !== 'still-served');
  return asked.findLast(({ outcome }) => !NOBODY.has(outcome))?.id ?? null;
}

/** `it stopped answering after the probe other-slash (refused)`. */
export function harmText({ after, outcome }: Harm): string {
  const last = after === null ? 'the handshake itself' : `the probe ${after}`;
  return /^4\d\d$/.test(outcome)
    ? `after ${last} the next got ${outcome}`
    : `it stopped answering after ${last} (${outcome})`;
}

/** Without an Origin it works, and the Origin of a page on the target's own host is refused, while others are served. */
export function browsersRefused({ probes, outcome }: Check, sentOrigin: boolean): CheckProbe | null {
  const own = probes.find(({ id }) => id === 'own-origin' || id === 'with-origin');
  if (own === undefined || sentOrigin || !isOpen(outcome) || harmOf(probes) !== null) return null;
  // 429 and 503 are of limits.
  return /^(?:[45]\d\d|closed|reset)$/.test(own.outcome) && !/^(?:429|503)$/.test(own.outcome) ? own : null;
}

/** What makes the target unhealthy, most serious first, each a clause; empty: it is healthy. */
export function ailments(check: Check): string[] {
  const { outcome, ping, close, probes, idle } = check;
  if (!isOpen(outcome)) return [`the handshake ended as ${outcome}`];
  const again = probes.find(({ id }) => id === 'open-close-open');
  const harm = harmOf(probes);
  return [
    ...(harm === null ? [] : [harmText(harm)]),
    ...(again === undefined || isOpen(again.outcome) ? [] : [`once a client had left, the next got ${again.outcome}`]),
    ...(ping === null || ping.ok ? [] : [`the ping was not answered (${ping.found})`]),
    ...(idle === null || idle.cutBy === null ? [] : [`the idle tunnel was cut (${idle.cutBy})`]),
    ...(close === null || close.ok ? [] : [`the close was not as it should be (${close.found})`]),
  ];
}

/** Whether the target sent anything: bytes of a response, or a TLS handshake that this side rejected. */
export function hasAnswered({ outcome, firstByteMs }: Check): boolean {
  return firstByteMs !== null || outcome === 'tls';
}

export function checkExitCode(check: Check): ExitCode {
  if (!hasAnswered(check)) return EXIT.noAnswer;
  return ailments(check).length === 0 ? EXIT.ok : EXIT.missed;
}
