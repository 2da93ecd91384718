/**
 * A listen queue as this machine's kernel saw it: which first SYNs were accepted, and which had to be retransmitted.
 * Linux takes backlog + 1 connections into a queue that the server does not empty, and drops the SYNs of all others, so
 * the count is the length of the queue. The same counter grows when a packet is lost or a firewall drops it: this file
 * tells them apart, or leaves it open.
 */
import { startsTogether } from '../../plan/stages/loads.js';
import { formatCount } from '../../plan/units.js';
import type { Evidence, ObservedBurst } from '../evidence.js';
import { counted, type Finding, spoken } from '../finding.js';
import { synRetriesOf } from '../shape.js';

/** SYNs of one burst. A connection opened with its first SYN (`admitted`) or with a later one (`retried`). */
export interface Syns {
  readonly admitted: number;
  readonly retried: number;
  readonly never: number;
  /** Attempts whose first SYN was not accepted, and how often these SYNs were retransmitted. */
  readonly dropped: number;
  readonly retransmits: number;
}

/** An attempt that ends before this has sent only one SYN. */
const FIRST_RETRY_MS = 1100;

/** null: the kernel was not asked about all attempts, or its counters say nothing. */
export function synsOf({ timeoutMs }: Evidence, burst: ObservedBurst): Syns | null {
  const { kernel, connectMs, kind } = burst;
  // In a churn the queue is emptied while new connections arrive.
  if (kernel === null || !startsTogether(kind) || timeoutMs < FIRST_RETRY_MS) return null;
  const connected = connectMs.length;
  const never = burst.failures.find(({ outcome }) => outcome === 'timeout-connect')?.count ?? 0;
  const admitted = Math.min(connected, connected + never - kernel.synRetransmitted);
  // The kernel may have been asked about refused attempts too; a connection without data makes the count useless.
  if (kernel.asked < connected + never || admitted < 1) return null;
  return {
    admitted,
    retried: connected - admitted,
    never,
    dropped: kernel.synRetransmitted,
    retransmits: kernel.synRetransmits,
  };
}

/** One or two late SYNs among thousands are packet loss. */
const LEAST_DROPPED = { count: 3, share: 0.01 };
/** Enough for a pattern. */
const MANY_DROPPED = 5;

export function seenQueue(evidence: Evidence, burst: ObservedBurst, syns: Syns): Finding | null {
  const { admitted, retried, never, dropped, retransmits } = syns;
  const of = admitted + retried + never;
  if (dropped < Math.max(LEAST_DROPPED.count, LEAST_DROPPED.share * of)) return null;
  const stillMs = stillFor(evidence, burst);
  if (isLoss(burst, syns, stillMs !== null)) return null;
  // Some connected at once, the others never, and the server is not blocked: a limit, and the queue is only where the
  // others wait.
  if (stillMs === null && retried === 0 && burst.ok > 0) return null;
  const waves = (synRetriesOf(burst.connectMs)?.wavesMs ?? []).map((ms) => spoken(ms)).join(', ');
  const backlog = admitted - 1;
  return {
    cause: 'listen-queue-full',
    confidence: stillMs !== null ? 0.95 : dropped >= MANY_DROPPED ? 0.88 : 0.72,
    evidence:
      `Seen, not inferred: ${formatCount(admitted)} of ${formatCount(of)} attempts needed no SYN retransmit; of the other ${formatCount(dropped)} the kernel sent ${formatCount(retransmits)} SYNs again` +
      `${retried > 0 ? `, and ${formatCount(retried)} connected then${waves === '' ? '' : ` (after ${waves})`}` : ''}` +
      `${never > 0 ? `, ${counted(never, 'timeout-connect')} never did` : ''}: the listen queue was full. ` +
      (stillMs === null
        ? `A server that accepts nothing meanwhile lets in B + 1, so B is ${formatCount(backlog)} or less.`
        : `The server answered nobody for ${spoken(stillMs)}. One that stands still lets in B + 1, so B is ${formatCount(backlog)}, less what it had accepted before.`),
    outcomes: burst.failures
      .map(({ outcome }) => outcome)
      .filter((id) => /^timeout-|^50[234]$|^reset$|^closed$/.test(id)),
    figures: {
      backlog,
      connectedAtOnce: admitted,
      retried,
      synRetransmits: retransmits,
      ...(stillMs !== null && { stillMs }),
    },
    ...(stillMs === null && {
      apart:
        'On the server ListenOverflows of `nstat -az` grows then; if it does not, a firewall that limits SYNs looks the same.',
    }),
  };
}

/** Shorter pauses are normal on a busy machine. */
const STILL_MS = 250;
/** In multiples of a single handshake, and of the connect time. */
const STILL_FACTORS = { alone: 3, connect: 4 };
/** A connection that opens later than this did not open with its first SYN. */
const RETRIED_MS = 900;

/**
 * How long after the release there was no response, so that the server cannot have accepted anything either; null:
 * unknown.
 */
function stillFor({ gate, alone }: Evidence, burst: ObservedBurst): number | null {
  // With the other gates, connections are opened a few at a time before the release.
  if (gate !== 'connect') return null;
  const answered = burst.failures.filter(({ outcome }) =>
    /^\d+$|^invalid-101$|^malformed$|^closed$|^reset$/.test(outcome),
  );
  const firsts = [burst.okMs, ...answered.map(({ timesMs }) => timesMs)].flatMap((times) => times.slice(0, 1));
  const endMs = firsts.length > 0 || alone === null || alone.ok === 0 ? null : burst.makespanMs;
  const stillMs = firsts.length > 0 ? Math.min(...firsts) : endMs;
  const usualMs = Math.max(
    STILL_FACTORS.alone * (alone?.typicalMs ?? 0),
    STILL_FACTORS.connect * (burst.connectMs[0] ?? 0),
  );
  if (stillMs === null || stillMs < Math.max(STILL_MS, usualMs)) return null;
  // If a second SYN succeeded in that time, the server accepted a connection, unless SYN cookies did: then the request
  // is retransmitted too.
  const taken = burst.connectMs.filter((ms) => ms >= RETRIED_MS && ms < stillMs).length;
  return taken > 0 && (burst.kernel?.retransmitted ?? 0) < taken / 2 ? null : stillMs;
}

/** A network with a higher loss is not usable at all. */
const MOST_LOST = 0.3;
/** Up to this loss, even SYNs to a blocked server may have been lost on the way. */
const OFTEN_LOST = 0.1;

/** A network that loses SYNs loses data segments equally often; a queue drops only SYNs. */
function isLoss({ kernel }: ObservedBurst, { dropped, admitted, retried, never }: Syns, isStill: boolean): boolean {
  const share = dropped / (admitted + retried + never);
  if (share > (isStill ? OFTEN_LOST : MOST_LOST)) return false;
  return (kernel?.retransmitted ?? 0) >= dropped / 3;
}
