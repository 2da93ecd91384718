/**
 * The effect of this client's own deadline: handshakes that it ended were not refused by anything. If the deadline is
 * shorter than the network needs, or than the timeout behind it, that is reported first, because nothing else can be
 * concluded.
 */
import { startsTogether } from '../../plan/stages/loads.js';
import { formatDuration } from '../../plan/units.js';
import type { Evidence, Failure } from '../evidence.js';
import { capital, counted, type Finding, type Rule, spoken, worksAlone } from '../finding.js';

/** In the first second Linux does not retransmit a SYN (RFC 6298), so nothing is known about unanswered ones. */
export const SYN_RETRY_MS = 1000;
/** Gateways time out after 60 s by default: a longer wait means that there is no gateway, or a longer timeout. */
const AS_LONG_AS_GATEWAYS_MS = 60_000;
/** A connect that takes this share of the deadline leaves too little time for the rest. */
const MOST_OF_IT = 0.25;

export const deadlineRule: Rule = (evidence) => {
  const ended = evidence.failures.filter(({ outcome }) => /^timeout-(connect|tls|upgrade)$/.test(outcome));
  const count = ended.reduce((sum, one) => sum + one.count, 0);
  if (count === 0) return [];
  const found = tooShortForNetwork(evidence, ended) ?? longerThanGateways(evidence, ended);
  return found === null ? [] : [found];
};

function said(ended: readonly Failure[]): string {
  return ended.map(({ count, outcome }) => counted(count, outcome)).join(', ');
}

function tooShortForNetwork({ timeoutMs, worst }: Evidence, ended: readonly Failure[]): Finding | null {
  const outcomes = ended.map(({ outcome }) => outcome);
  const own = `this client's own deadline (-t ${formatDuration(timeoutMs)}) ended ${said(ended)}`;
  const connectMs = worst.connectMs.length === 0 ? null : worst.connectMs[0];
  if (connectMs !== null && connectMs >= MOST_OF_IT * timeoutMs && connectMs < SYN_RETRY_MS) {
    return {
      cause: 'client-deadline',
      confidence: 0.88,
      evidence: `${capital(own)}: opening a TCP connection alone took ${spoken(connectMs)} of it, one round trip.`,
      outcomes,
      figures: { timeoutMs, connectMs },
      lead: `Repeat with -t ${formatDuration(Math.max(5000, 10 * Math.ceil(connectMs)))} or more.`,
    };
  }
  if (timeoutMs >= SYN_RETRY_MS) return null;
  const unconnected = ended.find(({ outcome }) => outcome === 'timeout-connect');
  const hasConnected = worst.connectMs.length > 0 || worst.ok > 0;
  if (unconnected !== undefined && !hasConnected) {
    return {
      cause: 'client-deadline',
      confidence: 0.88,
      evidence: `${capital(own)}, before a SYN is sent a second time (after 1 s): whether SYNs are dropped or the way is long can't be told.`,
      outcomes,
      figures: { timeoutMs },
      lead: 'Repeat with -t 5s or more.',
    };
  }
  return {
    cause: 'client-deadline',
    confidence: 0.6,
    evidence: `${capital(own)}: below one second a handshake that only takes a while looks like one that is never answered.`,
    outcomes,
    figures: { timeoutMs },
    lead: 'Repeat with -t 5s or more.',
  };
}

/** Some got through, and the others were still waiting at this client's deadline: a longer -t would tell more. */
function longerThanGateways(evidence: Evidence, ended: readonly Failure[]): Finding | null {
  const { timeoutMs, worst } = evidence;
  const late = ended.filter(({ outcome }) => outcome === 'timeout-upgrade');
  if (timeoutMs <= AS_LONG_AS_GATEWAYS_MS || late.length === 0 || !worksAlone(evidence) || !startsTogether(worst.kind))
    return null;
  const answered = worst.failures.some(
    ({ outcome, timesMs }) => /^50[234]$/.test(outcome) && timesMs.some((ms) => ms > 1000),
  );
  if (answered) return null;
  // Attempts that had their 101 long before were not in the same queue as the others.
  const last = worst.okMs[worst.okMs.length - 1] ?? 0;
  if (last < 0.5 * timeoutMs) return null;
  const next = formatDuration(2 * timeoutMs);
  return {
    cause: 'client-deadline',
    confidence: 0.93,
    evidence: `This client's own deadline (-t ${formatDuration(timeoutMs)}) ended ${said(late)}, while 101s were still coming (the last after ${spoken(last)}): no gateway timed out before it.`,
    outcomes: late.map(({ outcome }) => outcome),
    figures: { timeoutMs },
    lead: `Repeat with -t above the timeout of the gateway (-t ${next}).`,
  };
}
