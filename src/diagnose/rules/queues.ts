/**
 * Listen queues: a client that finds one full is not told. Its SYN is dropped and retransmitted on a schedule, or SYN
 * cookies make it believe that it is connected while the server knows nothing of it. Without a gateway the connect
 * times show this; behind a gateway, its two timeouts do.
 */
import { formatCount } from '../../plan/units.js';
import type { ObservedBurst } from '../evidence.js';
import { counted, type Finding, type Rule, spoken } from '../finding.js';
import { clustersOf, dataRetriesOf, roundMs, synRetriesOf } from '../shape.js';
import { seenQueue, synsOf } from './syns.js';

/** One or two late SYNs among thousands are packet loss. */
const LEAST_RETRIED = { count: 3, share: 0.01 };

/** If the kernel was asked, its counters decide; otherwise the connect times are read. */
export const listenQueueRule: Rule = (evidence) => {
  const { worst, bursts } = evidence;
  for (const burst of worst.failures.length > 0 ? [worst] : bursts) {
    const syns = synsOf(evidence, burst);
    const finding = syns === null ? inferredQueue(burst) : seenQueue(evidence, burst, syns);
    const retried = syns?.retried ?? synRetriesOf(burst.connectMs)?.retried ?? 0;
    if (finding !== null) return inOrder(finding, phantoms(burst, retried), burst);
  }
  return [];
};

/** As sure, and yet after it. */
const JUST_LESS = 0.01;

/** Where connections that the server does not know of are all that failed, the full queue only made others late. */
function inOrder(queue: Finding, phantom: readonly Finding[], { failures }: ObservedBurst): Finding[] {
  const explained = phantom.flatMap(({ outcomes }) => outcomes);
  const [first] = phantom;
  if (first === undefined || failures.length === 0 || !failures.every(({ outcome }) => explained.includes(outcome))) {
    return [queue, ...phantom];
  }
  return [...phantom, { ...queue, confidence: Math.min(queue.confidence, first.confidence - JUST_LESS) }];
}

function inferredQueue(burst: ObservedBurst): Finding | null {
  const syn = synRetriesOf(burst.connectMs);
  const never = burst.failures.find(({ outcome }) => outcome === 'timeout-connect')?.count ?? 0;
  const retried = syn?.retried ?? 0;
  if (!isQueued(burst) && !(never > 0 && burst.connectMs.length > 0 && burst.ok === 0)) return null;
  const atOnce = syn?.atOnce ?? burst.connectMs.length;
  const waves = (syn?.wavesMs ?? []).map((ms) => spoken(ms)).join(', ');
  const outcomes = burst.failures
    .map(({ outcome }) => outcome)
    .filter((id) => /^timeout-|^50[234]$|^reset$|^closed$/.test(id));
  return {
    cause: 'listen-queue-full',
    confidence: retried >= 5 ? 0.87 : 0.7,
    evidence:
      `${formatCount(atOnce)} of ${formatCount(burst.attempted)} connected at once` +
      `${retried > 0 ? `, ${formatCount(retried)} only when the kernel sent their SYN again (after ${waves}, its schedule, and nothing between)` : ''}` +
      `${never > 0 ? `, ${counted(never, 'timeout-connect')} never did` : ''}: ` +
      `the listen queue was full. A server that accepts nothing meanwhile lets in B + 1, so B is ${formatCount(atOnce - 1)} or less.`,
    outcomes,
    figures: { backlog: atOnce - 1, connectedAtOnce: atOnce, retried },
    apart:
      'On the server ListenOverflows of `nstat -az` grows then; if it does not, a firewall that limits SYNs looks the same.',
  };
}

function isQueued({ connectMs, attempted }: ObservedBurst): boolean {
  const retried = synRetriesOf(connectMs)?.retried ?? 0;
  return retried >= Math.max(LEAST_RETRIED.count, LEAST_RETRIED.share * attempted);
}

/** Connected, and the first byte arrives on the schedule of retransmitted data, or never. */
function phantoms(burst: ObservedBurst, retried: number): Finding[] {
  const late = burst.upgradeMs.filter((ms) => ms >= 190);
  const onSchedule = dataRetriesOf(late);
  const silent = burst.failures.find(({ outcome }) => outcome === 'timeout-upgrade')?.count ?? 0;
  const hasSchedule = onSchedule >= 3 && onSchedule >= 0.8 * late.length && clustersOf(late).length >= 2;
  if (!hasSchedule && !(silent > 0 && retried > 0 && burst.ok > 0)) return [];
  return [
    {
      cause: 'phantom-connections',
      confidence: silent > 0 && retried > 0 ? 0.92 : 0.75,
      evidence:
        `${silent > 0 ? `${counted(silent, 'timeout-upgrade')} connected and never heard a byte` : ''}` +
        `${silent > 0 && hasSchedule ? '; ' : ''}` +
        `${hasSchedule ? `${onSchedule} got their first byte at 0.2, 0.6, 1.4, 3 or 6 s, when the kernel sends data again` : ''}` +
        `${retried > 0 ? `, and ${retried} had connected on a second or later SYN` : ''}: SYN cookies made connections that the server does not know of.`,
      outcomes: silent > 0 ? ['timeout-upgrade'] : [],
      figures: { silent, late: onSchedule },
      apart: 'TCPReqQFullDoCookies of `nstat -az` on the server counts the cookies.',
    },
  ];
}

/**
 * Behind a gateway: requests in the backend's queue get the read timeout, the others the connect timeout, which differs
 * or gives another status.
 */
export const queueBehindRule: Rule = ({ worst }) => {
  const waited = worst.failures
    .filter(({ outcome }) => ['504', '503', '502'].includes(outcome))
    .flatMap(({ outcome, clusters }) => clusters.map((cluster) => ({ outcome, ...cluster })))
    .filter(({ minMs }) => minMs > 400);
  const groups = waited.filter(({ count }) => count >= 2).sort((a, b) => a.count - b.count);
  if (groups.length !== 2 || worst.ok > 0.5 * worst.attempted) return [];
  const [few, many] = groups;
  const areTight = [few, many].every(({ minMs, maxMs }) => maxMs - minMs <= Math.max(150, 0.15 * minMs));
  const differ = Math.abs(few.minMs - many.minMs) > 400 || few.outcome !== many.outcome;
  if (!areTight || !differ || few.count > 0.6 * many.count) return [];
  return [
    {
      cause: 'listen-queue-full',
      confidence: roundMs(few.minMs) !== null && roundMs(many.minMs) !== null ? 0.78 : 0.7,
      evidence:
        `Two groups failed at two times: ${counted(few.count, few.outcome)} at ${spoken(few.minMs)} (taken by the backend, and not answered: read timeout) and ` +
        `${counted(many.count, many.outcome)} at ${spoken(many.minMs)} (not taken at all: connect timeout). So the listen queue of the backend held B + 1 = ${few.count} and the backend accepted nothing.`,
      outcomes: [...new Set([few.outcome, many.outcome])],
      figures: { backlog: few.count - 1, readTimeoutMs: few.minMs, connectTimeoutMs: many.minMs },
      apart: 'The log of the gateway tells "while connecting to upstream" from "while reading response header".',
    },
  ];
};

/** Responses later than this share of the timeout were limited by it. */
const CUT = 0.85;

/**
 * The backend was blocked for less than the read timeout: requests in its queue got their 101 together, the others
 * timed out connecting.
 */
export const queueRecoveredRule: Rule = ({ worst }) => {
  const { ok, okMs, failures, attempted } = worst;
  const [failure] = failures;
  if (failure === undefined || failures.length > 1 || ok < 3 || ok > 0.6 * attempted) return [];
  if (!['504', '503', '502'].includes(failure.outcome) || failure.clusters.length !== 1) return [];
  const connectTimeout = roundMs(failure.clusters[0].minMs);
  const isTogether = okMs[okMs.length - 1] - okMs[0] < 0.25 * okMs[okMs.length - 1];
  if (connectTimeout === null || !isTogether || okMs[0] < 250 || okMs[0] > failure.clusters[0].minMs) return [];
  return [
    {
      cause: 'listen-queue-full',
      // A burst that is computed in parallel ends just before the first timeouts; a blocked backend can continue at any
      // time.
      confidence: okMs[okMs.length - 1] > CUT * failure.clusters[0].minMs ? 0.45 : 0.66,
      evidence:
        `${ok} got their 101 together after ${spoken(okMs[0])}, as when a backend that stood still goes on, and ${counted(failure.count, failure.outcome)} came at ${spoken(failure.clusters[0].minMs)}, a connect timeout: ` +
        `the listen queue of the backend held B + 1 = ${ok}.`,
      outcomes: [failure.outcome],
      figures: { backlog: ok - 1, connectTimeoutMs: connectTimeout, blockedMs: okMs[0] },
      apart: 'The log of the gateway says "while connecting to upstream" then.',
    },
  ];
};

/**
 * The gateway retries connecting until the backend continues: requests accepted before it was blocked got the read
 * timeout, all the others got their 101 after that.
 */
export const queueRetriedRule: Rule = ({ worst }) => {
  const { okMs, failures, ok } = worst;
  const [failure] = failures;
  if (failure === undefined || failures.length > 1 || !['504', '502'].includes(failure.outcome)) return [];
  const [cluster, ...more] = failure.clusters;
  if (cluster === undefined || more.length > 0 || roundMs(cluster.minMs) === null || ok < failure.count) return [];
  if (okMs[0] < cluster.maxMs) return [];
  return [
    {
      cause: 'listen-queue-full',
      confidence: 0.72,
      evidence:
        `${counted(failure.count, failure.outcome)} came at ${spoken(cluster.minMs)}, a read timeout, and all ${ok} 101s after it, from ${spoken(okMs[0])} on: ` +
        `the backend stood still with B + 1 = ${failure.count} connections in its listen queue, and the gateway went on connecting for the others.`,
      outcomes: [failure.outcome],
      figures: { backlog: failure.count - 1, readTimeoutMs: cluster.minMs },
      apart:
        'The log of the gateway counts retries of connections; the event loop of the backend was blocked that long.',
    },
  ];
};
