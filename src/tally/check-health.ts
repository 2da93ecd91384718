/**
 * The summary of a check: whether the target is healthy, what is wrong, and the exit code. Pure; the diagnosis explains
 * causes.
 */

import { EXIT, type ExitCode } from '../errors.js';
import { isOpen } from '../names/outcomes.js';
import type { Check, CheckEnded, CheckProbe, CheckSession } from '../result/check-facts.js';

const NOBODY: ReadonlySet<string> = new Set(['refused', 'reset-connect', 'timeout-connect', 'unreachable']);

/**
 * For so long at least the tunnel of a probe is watched: a server that rejects a client after its 101 does so at once, or when
 * it has looked something up.
 */
export const LEAST_WATCH_MS = 300;

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

/**
 * Without an Origin it works, and with that of a page on the target's own host it is refused, or its connection ended after
 * the 101, while others are served.
 */
export function browsersRefused(check: Check, sentOrigin: boolean): CheckProbe | null {
  const own = check.probes.find(({ id }) => id === 'own-origin' || id === 'with-origin');
  return own !== undefined && !sentOrigin && isTurnedAway(own, check) ? own : null;
}

/** Firefox's form of the Connection header is refused, while others are served. */
export function firefoxTurnedAway(check: Check): CheckProbe | null {
  const probe = check.probes.find(({ id }) => id === 'firefox-connection');
  return probe !== undefined && isTurnedAway(probe, check) ? probe : null;
}

/** The handshake itself is served, and this one is not. 429 and 503 are of limits. */
function isTurnedAway({ outcome, ended = null }: CheckProbe, check: Check): boolean {
  if (!isOpen(check.outcome) || harmOf(check.probes) !== null) return false;
  if (isOpen(outcome)) return ended !== null && (check.ended ?? null) === null;
  return /^(?:[2-5]\d\d|closed|reset|timeout-upgrade)$/.test(outcome) && !/^(?:429|503)$/.test(outcome);
}

/** `close-frame 1008 ("origin not allowed")`. */
export function endText({ by, said }: CheckEnded): string {
  return said === null ? by : `${by} ("${said}")`;
}

/** What makes the target unhealthy, most serious first, each a clause; empty: it is healthy. */
export function ailments(check: Check): string[] {
  const { outcome, probes, session } = check;
  if (!isOpen(outcome)) return [`the handshake ended as ${outcome}`];
  const again = probes.find(({ id }) => id === 'open-close-open');
  const harm = harmOf(probes);
  const stopped = session == null || session.readyMs !== null ? null : stopText(session);
  return [
    ...(harm === null ? [] : [harmText(harm)]),
    ...(again === undefined || isOpen(again.outcome) ? [] : [`once a client had left, the next got ${again.outcome}`]),
    ...(stopped === null ? ailmentsOfTunnel(check) : [`the session stopped ${stopped}`]),
  ];
}

/** A tunnel that the target ended is one ailment: that nothing on it was answered any more follows from it. */
function ailmentsOfTunnel({ ping, close, idle, ended = null }: Check): string[] {
  if (idle !== null && idle.cutBy !== null) {
    return [`the idle tunnel was cut (${ended === null ? idle.cutBy : endText(ended)})`];
  }
  if (ended !== null) return [`the target ended the connection after it (${endText(ended)})`];
  return [
    ...(ping === null || ping.ok ? [] : [`the ping was not answered (${ping.found})`]),
    ...(close === null || close.ok ? [] : [`the close was not as it should be (${close.found})`]),
  ];
}

/** `at expect #2 {"type":"welcome"}: closed with 4401 ("Unauthorized")`. */
export function stopText({ steps, end, reason, rule, message }: CheckSession): string {
  const step = steps.find(({ tookMs }) => tookMs === null)?.step ?? 'before it was ready';
  const said = reason === null ? '' : ` ("${reason}")`;
  const came = message === null ? '' : `; ${end === 'rejected' ? 'its' : 'last'} message: ${message}`;
  return `at ${step}: ${rule === null ? '' : `${rule}, `}${STOPS[end ?? ''] ?? `closed with ${end}`}${said}${came}`;
}

const STOPS: Readonly<Record<string, string>> = {
  fin: 'ended by FIN',
  rst: 'reset',
  tls: 'ended with a TLS error',
  protocol: 'bytes that are no frames came',
  rejected: 'refused',
  'timeout-message': 'no answer in time',
  1005: 'closed without a code',
  aborted: 'no answer before the check ended',
  '': 'it did not end',
};

/** Whether the target sent anything: bytes of a response, or a TLS handshake that this side rejected. */
export function hasAnswered({ outcome, firstByteMs }: Check): boolean {
  return firstByteMs !== null || outcome === 'tls';
}

export function checkExitCode(check: Check): ExitCode {
  if (!hasAnswered(check)) return EXIT.noAnswer;
  return ailments(check).length === 0 ? EXIT.ok : EXIT.missed;
}
