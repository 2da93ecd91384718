/**
 * Connections that the target ended after their 101. The close code is read first, then how they ended (FIN, RST),
 * when, and how many stayed open: only a round idle time that no close frame explains is an idle timeout.
 */
import { isOpen } from '../../names/outcomes.js';
import { startsTogether } from '../../plan/stages/loads.js';
import { formatCount } from '../../plan/units.js';
import type { Check } from '../../result/check-facts.js';
import { areAlike, isOverSizes } from '../ceiling.js';
import { type Closes, endedWith } from '../closes.js';
import type { Evidence, ObservedBurst } from '../evidence.js';
import { type Finding, inOneLine, type Rule, spoken } from '../finding.js';
import { median, roundMs } from '../shape.js';
import { type Meaning, meaningOfEnd, rejectedAtOnce } from './close-meanings.js';
import { lookAlike } from './look-alikes.js';

const APART =
  'wstampede check shows code and reason of one connection; the log of the server says what happened at that moment.';

export const after101Rule: Rule = (evidence) => {
  if (evidence.check !== null) return checked(evidence.check);
  const counted = evidence.bursts.filter((burst) => burst.closes !== null && burst.closes.endedCount > 0);
  if (counted.length === 0) return lost(evidence);
  const limit = limitAfter101(evidence.bursts);
  return [...(limit === null ? [] : [limit]), ...spokenCloses(evidence, counted, limit !== null)];
};

/** Findings from close codes over all bursts: which ended connections mean what. */
function spokenCloses(evidence: Evidence, bursts: readonly ObservedBurst[], isLimit: boolean): Finding[] {
  const words = new Map<string, number>();
  for (const { closes } of bursts)
    for (const [word, n] of closes?.ended ?? []) words.set(word, (words.get(word) ?? 0) + n);
  const ended = sum(words.values());
  const opened = sum(bursts.map(({ closes }) => closes?.opened ?? 0));
  const findings = [...words].flatMap(([word, count]): Finding[] => {
    const reason = reasonOf(bursts, word);
    const quoted = reason === null ? '' : ` (${inOneLine(reason)})`;
    const isSilence = word === 'timeout-message';
    const said = `${formatCount(count)} of ${formatCount(opened)} ${isSilence ? 'clients waited in vain for a message after their 101' : `connections were ended by the target after their 101 ${endWords(word)}`}${quoted}`;
    const share = count / ended;
    const isAtOnce = count >= NEARLY_ALL * opened && diedAtOnce(bursts);
    const meaning =
      (isAtOnce ? rejectedAtOnce(word, reason) : null) ??
      meaningOfEnd(word, reason) ??
      unspoken(evidence, bursts, word);
    // If a fixed number stays open, the code only tells how the server closed the others.
    const doubt = (isLimit ? 0.35 : 0) + (share < 0.5 ? 0.25 : 0) + (evidence.failures.length > 0 ? 0.3 : 0);
    return [
      {
        cause: meaning.cause,
        confidence: clamp(meaning.confidence - doubt),
        evidence: `${said}${isSilence ? '' : lifeWords(bursts)}: ${meaning.because}.`,
        outcomes: [],
        apart: APART,
        ...(meaning.lead !== undefined && { lead: meaning.lead }),
      },
    ];
  });
  return findings;
}

/** Some clients may leave by themselves meanwhile. */
const NEARLY_ALL = 0.9;

function diedAtOnce(bursts: readonly ObservedBurst[]): boolean {
  const times = longest(bursts);
  return times.length > 0 && median(times) < IDLE_MS;
}

function reasonOf(bursts: readonly ObservedBurst[], word: string): string | null {
  return bursts.map(({ closes }) => closes?.reasons.get(word)).find((reason) => reason !== undefined) ?? null;
}

function endWords(word: string): string {
  switch (word) {
    case 'fin':
      return 'by FIN, without a close frame';
    case 'rst':
      return 'by RST';
    case 'tls':
      return 'by an error of TLS';
    case 'protocol':
      return 'after bytes that are no frames';
    case 'rejected':
      return 'by a message that rejects them';
    case '1005':
      return 'by a close frame without a code';
    default:
      return `by close code ${word}`;
  }
}

function lifeWords(bursts: readonly ObservedBurst[]): string {
  const times = longest(bursts);
  return times.length === 0 ? '' : `, half of them within ${spoken(median(times))}`;
}

/** Lifetimes of ended connections, from the burst with the most of them. */
function longest(bursts: readonly ObservedBurst[]): readonly number[] {
  return mostEnded(bursts)?.endedMs ?? [];
}

function mostEnded(bursts: readonly ObservedBurst[]): Closes | null {
  return burstOfMost(bursts)?.closes ?? null;
}

function burstOfMost(bursts: readonly ObservedBurst[]): ObservedBurst | undefined {
  const [worst] = [...bursts].sort((a, b) => (b.closes?.endedCount ?? 0) - (a.closes?.endedCount ?? 0));
  return worst;
}

/** The longest time by which a gateway's clock is taken to be behind. */
const BEHIND_MS = 100;

/**
 * The configured time behind a silence. A gateway sets its timers by a clock that it reads once a turn of its loop, so a
 * silence is shorter than configured by as long as a turn with many handshakes took: no longer than the burst.
 */
function idleTimeOf(silentMs: number, burst: ObservedBurst | undefined): { ms: number; isExact: boolean } | null {
  const exact = silentMs < IDLE_MS ? null : roundMs(silentMs);
  if (exact !== null) return { ms: exact, isExact: true };
  const early = roundMs(silentMs + Math.min(BEHIND_MS, burst?.makespanMs ?? 0));
  return early === null || early < IDLE_MS ? null : { ms: early, isExact: false };
}

/** Earlier than this, a connection was not closed for being idle. */
const IDLE_MS = 900;

/** FIN or RST say nothing by themselves: the idle time does. */
function unspoken(evidence: Evidence, bursts: readonly ObservedBurst[], word: string): Meaning {
  if (word === 'timeout-message') {
    return {
      cause: 'application-error',
      confidence: 0.55,
      because: 'the application said nothing within the time for a message (--message-timeout)',
    };
  }
  const silences = mostEnded(bursts)?.silentMs ?? null;
  const times = silences ?? longest(bursts);
  // A greeting before the silence does not matter where it is known when the silence began.
  const heard = silences !== null ? 0 : sum(bursts.map(({ closes }) => closes?.received ?? 0));
  const silentMs = times.length === 0 ? null : median(times);
  const isTogether = times.length > 0 && times[Math.floor(0.9 * times.length)] <= 1.1 * median(times) + 150;
  const idle = silentMs === null ? null : idleTimeOf(silentMs, burstOfMost(bursts));
  if (idle !== null && heard === 0 && (word === 'fin' || word === 'rst' || word === 'tls')) {
    const sure = idle.isExact ? 0.85 : 0.72;
    return {
      cause: 'idle-cut',
      confidence: isTogether ? sure : sure - 0.2,
      because: `that is ${spoken(idle.ms)} of silence, a configured time, and no close frame came: a hop ends tunnels in which nothing is sent`,
    };
  }
  const isLate = (silentMs ?? heldMsOf(evidence, bursts[0])) >= Math.min(IDLE_MS, earliestTimerMs(bursts[0]));
  if (silentMs === null && isLate) {
    return {
      cause: 'idle-cut',
      confidence: 0.6,
      because: 'they were held without a word, and the timeout of a gateway also ends tunnels in which nothing is sent',
    };
  }
  return {
    cause: 'cut-after-upgrade',
    confidence: silentMs !== null && silentMs < IDLE_MS ? 0.8 : 0.6,
    because: 'no close frame says why: a crash, a restart, or a layer that accepts and then finds no backend',
  };
}

/** The same number stays open at every size: a limit that is enforced after the 101. */
function limitAfter101(bursts: readonly ObservedBurst[]): Finding | null {
  const overloads = bursts.flatMap((burst) => {
    const { closes } = burst;
    if (closes === null || !startsTogether(burst.kind) || closes.endedCount === 0) return [];
    const rejected = closes.endedCount - endedWith(closes, (word) => word === '1001' || word === '1012');
    if (rejected === 0) return [];
    // A close code of the application has its own meaning.
    const isUnspoken = endedWith(closes, (word) => Number(word) >= 3000) < 0.5 * closes.endedCount;
    return [{ ok: closes.opened - closes.endedCount, size: burst.size, ended: closes.endedCount, isUnspoken }];
  });
  const [first] = overloads;
  if (first === undefined || first.ok === 0) return null;
  const kept = overloads.map(({ ok }) => ok);
  const isCounted = overloads.length > 1 && areAlike(kept) && isOverSizes(overloads);
  const alike = lookAlike(first.ok);
  const isWritten = isRoundCount(first.ok) && first.ended >= 0.2 * first.size && first.isUnspoken;
  if (!isCounted && alike === null && !isWritten) return null;
  return {
    cause: 'connection-limit',
    confidence: isCounted ? 0.9 : overloads.length > 1 && areAlike(kept) ? 0.78 : 0.72,
    evidence: `Exactly ${formatCount(first.ok)} connections stay open${isCounted ? ` of ${overloads.map(({ size }) => formatCount(size)).join(' and of ')}` : ` of ${formatCount(first.size)}`}; the others are ended after their 101${alike === null ? '' : ` (${alike})`}: a limit that is enforced once the handshake is done.`,
    outcomes: [],
    figures: { limit: first.ok },
    apart: 'Another size of the burst tells: a limit leaves the same count open.',
  };
}

/** Numbers that people write into configurations. */
function isRoundCount(count: number): boolean {
  return count >= 10 && (count % 50 === 0 || [10, 16, 20, 25, 32, 64, 128, 256, 512, 1024].includes(count));
}

/** The time of the first timeout of other attempts. */
function earliestTimerMs(burst: ObservedBurst | undefined): number {
  const waited = (burst?.failures ?? []).filter((one) => one.timesMs.length > 0 && !one.isAtOnce);
  return Math.min(...waited.map(({ timesMs }) => timesMs[0]), Number.POSITIVE_INFINITY);
}

function heldMsOf({ holdMs }: Evidence, burst: ObservedBurst | undefined): number {
  return (burst?.makespanMs ?? 0) + (holdMs ?? 0);
}

/** How they ended was not recorded: only that they did, and how long they were held. */
function lost(evidence: Evidence): Finding[] {
  const { bursts, failures } = evidence;
  const burst = bursts.find((one) => one.lost > 0);
  // Beside failures, a few tunnels cut by a read timeout are not worth a finding.
  if (burst === undefined || (failures.length > 0 && burst.lost < 0.5 * burst.ok)) return [];
  const heldMs = heldMsOf(evidence, burst);
  const said = `${burst.lost} of ${burst.ok} connections were ended by the target after their 101`;
  // Beside failures it is a separate, less important problem.
  const confidence = (alone: number) => (failures.length > 0 ? 0.4 : alone);
  if (heldMs >= Math.min(IDLE_MS, earliestTimerMs(burst))) {
    return [
      {
        cause: 'idle-cut',
        confidence: confidence(burst.lost >= 0.9 * burst.ok ? 0.75 : 0.6),
        evidence: `${said}, while they were held for up to ${spoken(heldMs)} without a word: the timeout of a gateway for an answer also ends tunnels in which nothing is sent.`,
        outcomes: [],
        apart:
          'wstampede check --idle 2m says after how long and how; a ping now and then (session of the application) keeps it open.',
      },
    ];
  }
  return [
    {
      cause: 'cut-after-upgrade',
      confidence: confidence(0.7),
      evidence: `${said}, before the burst was over.`,
      outcomes: [],
      apart:
        'The log of the server or of the hop before it at that moment; a restart, a crash, or a layer that accepts and then finds no backend.',
    },
  ];
}

const CLOSE_CODE = /close(?:[ -]frame)?[ :]*(\d{4})/;

/** The code that is told of a connection that ended; 1005 stands for a frame without one (RFC 6455 section 7.4.1). */
function codeIn(found: string): string | null {
  return CLOSE_CODE.exec(found)?.[1] ?? (/close(?:[ -]frame)? without a code/.test(found) ? '1005' : null);
}

/** The single connection of `check`, and how it ended. */
function checked({ outcome, ping, close, idle }: Check): Finding[] {
  if (!isOpen(outcome)) return [];
  if (idle?.livedMs != null) return [idled(idle.livedMs, idle.cutBy ?? 'the target')];
  const failed = ping !== null && !ping.ok ? ping : close !== null && !close.ok ? close : null;
  if (failed === null) return [];
  const said =
    ping?.ok === true
      ? `The tunnel worked (a pong came), and was ended before it was closed from here: ${failed.found}`
      : `The tunnel was ended by the target as soon as it was open: ${failed.found}`;
  const code = codeIn(failed.found);
  // What no reader of frames can take is told by its bytes.
  const word = code ?? (/HTTP\/1\.|broken frame/.test(failed.found) ? 'protocol' : '');
  const meaning = (ping?.ok === true ? null : rejectedAtOnce(word, failed.found)) ?? meaningOfEnd(word, failed.found);
  if (meaning !== null) {
    return [
      {
        cause: meaning.cause,
        confidence: meaning.confidence,
        evidence: `${said}: ${meaning.because}.`,
        outcomes: [],
        ...(meaning.lead !== undefined && { lead: meaning.lead }),
      },
      ...(code === '1002' && meaning.cause === 'rejected-after-accept' ? [secondAnswer(said)] : []),
    ];
  }
  if (!/ended|closed|reset|close-frame/.test(failed.found)) {
    const found = `The handshake works, and then: ${failed.found}.`;
    return [{ cause: 'unknown', confidence: 0.1, evidence: found, outcomes: [] }];
  }
  return [
    {
      cause: 'cut-after-upgrade',
      confidence: ping?.ok === true ? 0.6 : 0.75,
      evidence: `${said}.`,
      outcomes: [],
      apart:
        'wstampede check --idle 2m says how long a tunnel lives in which nothing is sent: a timeout is a round time.',
    },
  ];
}

function secondAnswer(said: string): Finding {
  return {
    cause: 'two-servers-answered',
    confidence: 0.55,
    evidence: `${said}: so it looks as well when a second server writes its refusal into the open tunnel.`,
    outcomes: [],
  };
}

function idled(livedMs: number, cutBy: string): Finding {
  const meaning = meaningOfEnd(codeIn(cutBy) ?? '', cutBy);
  const said = `An open connection on which nothing was sent lived for ${spoken(livedMs)} and was ended by ${cutBy}`;
  const isRound = roundMs(livedMs) !== null;
  // Some servers close idle clients with a code of 1000 or none; every other code has its own meaning.
  if (meaning !== null && meaning.cause !== 'cut-after-upgrade') {
    return {
      cause: meaning.cause,
      confidence: meaning.confidence,
      evidence: `${said}: ${meaning.because}.`,
      outcomes: [],
      figures: { idleMs: livedMs },
    };
  }
  return {
    cause: 'idle-cut',
    confidence: isRound && meaning === null ? 0.93 : 0.7,
    evidence: `${said}${isRound ? ', a configured time' : ''}.`,
    outcomes: [],
    figures: { idleMs: livedMs },
  };
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function clamp(confidence: number): number {
  return Number(Math.min(0.95, Math.max(0.1, confidence)).toFixed(2));
}
