/**
 * A server that closed itself: the first handshake works, its client disconnects, and from then on every handshake
 * fails, for example because the handler of a socket's `close` event calls `wss.close()`. What later clients see
 * depends on the server and on its gateway, so the sign is the order of events, not the status.
 */

import type { Evidence, Failure } from '../evidence.js';
import { counted, earlyMs, type Finding, failureOf, headerOf, type Rule, whoSaid } from '../finding.js';
import { isWsAnswer } from '../hops.js';

/**
 * Answers of a server that has closed, directly or through its gateway; other outcomes are rules about who may connect
 * again.
 */
const CLOSED = new Set(['502', '503', '504', '404', '426', 'refused', 'closed', 'reset', 'timeout-upgrade']);

/** Of the single handshakes, the first got through and none after it. */
function onlyTheFirst({ alone, failures }: Evidence): boolean {
  if (alone === null || alone.ok !== 1 || alone.attempted < 2) return false;
  return failures.every((failure) => CLOSED.has(failure.outcome) && !isLimit(failure));
}

/** nginx answers 503 only for its own limits; a Retry-After means that something counts. */
function isLimit(failure: Failure): boolean {
  const isOwn = failure.outcome === '503' && failure.hop?.id === 'nginx' && failure.hop.own;
  return isOwn || headerOf(failure, 'retry-after') !== null;
}

/** The preflight ended after its first handshake, because the second did not get an answer in time. */
function stuckAfterFirst({ alone }: Evidence): boolean {
  return alone !== null && alone.ok === 1 && alone.attempted === 1 && (alone.typicalMs ?? 0) < 250;
}

/** An earlier burst got all of its 101s; this one and all later ones got none. */
function turnedAfterBurst({ alone, bursts, worst }: Evidence): boolean {
  // If several single handshakes were opened and closed, closing one does not close this server.
  if (alone !== null && alone.ok > 1) return false;
  const place = bursts.findIndex(({ ok }) => ok === 0);
  return (
    place > 0 &&
    bursts.slice(0, place).every((b) => b.ok === b.attempted) &&
    bursts.slice(place).every((b) => b.ok === 0) &&
    worst.ok === 0
  );
}

/** It worked at first in this run and then never again. */
export function hadWorked(evidence: Evidence): boolean {
  return evidence.worst.ok === 0 && (onlyTheFirst(evidence) || turnedAfterBurst(evidence) || stuckAfterFirst(evidence));
}

export const closedServerRule: Rule = (evidence) => {
  const { worst, failures, bursts } = evidence;
  const [failure] = failures;
  if (failure === undefined) return [];
  const apart =
    'wstampede check opens, closes and opens again; in the code of the server look for wss.close() or server.close() in a handler of close.';
  const found = (confidence: number, evidence: string): Finding[] => [
    { cause: 'server-closed-itself', confidence, evidence, outcomes: failures.map(({ outcome }) => outcome), apart },
  ];
  if (worst.ok === 0 && onlyTheFirst(evidence)) {
    return found(
      0.88,
      `One after another, the first handshake got its 101 and none after it had been closed: ${whoSaid(failure)}, to all ${worst.size} of the burst as well.`,
    );
  }
  if (turnedAfterBurst(evidence)) {
    const good = bursts.filter(({ ok }) => ok > 0).length;
    return found(
      0.75,
      `The first ${good === 1 ? 'burst' : `${good} bursts`} got 101s only, and since their clients left not one handshake has: ${whoSaid(failure)}.`,
    );
  }
  const closed = failureOf(evidence, '503');
  if (closed?.sample != null && isWsAnswer(closed.sample) && worst.ok === 0) {
    return found(
      0.7,
      `${counted(closed.count, '503')} written by a ws server itself: so it answers once it has been closed.`,
    );
  }
  if (worst.ok === 0 && stuckAfterFirst(evidence) && failures.every(({ outcome }) => STUCK.has(outcome))) {
    return found(
      isRefusedByHaproxy(failure) ? 0.78 : 0.62,
      `The first handshake got its 101 at once; the second, alone as well, got no answer within its second, and of the burst none did (${counted(failure.count, failure.outcome)}).`,
    );
  }
  return [];
};

/** What a closed server, and a gateway before it, answer after a wait. */
const STUCK = new Set(['502', '503', '504', 'timeout-upgrade', 'closed']);

/** 503 after 3 s: three retries, 1 s apart, of a refused connection. */
function isRefusedByHaproxy({ outcome, hop, timesMs }: Failure): boolean {
  return outcome === '503' && hop?.id === 'haproxy' && Math.abs(earlyMs(timesMs) - 3000) < 400;
}
