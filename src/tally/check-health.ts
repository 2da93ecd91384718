/**
 * The summary of a check: whether the target is healthy, what is wrong, and the exit code. Pure; the diagnosis explains
 * causes.
 */

import { EXIT, type ExitCode } from '../errors.js';
import { isOpen } from '../names/outcomes.js';
import type { Check } from '../result/check-facts.js';

/** What makes the target unhealthy, most serious first, each a clause; empty: it is healthy. */
export function ailments(check: Check): string[] {
  const { outcome, ping, close, probes, idle } = check;
  if (!isOpen(outcome)) return [`the handshake ended as ${outcome}`];
  const again = probes.find(({ id }) => id === 'open-close-open');
  return [
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
