/**
 * Limits with a fixed number: of connections, or of connections per second. The number of 101s does not depend on time;
 * those came quickly, and the others were refused at once or had to wait.
 */
import { startsTogether } from '../../plan/stages/loads.js';
import { formatCount } from '../../plan/units.js';
import { areAlike, isCounted, isOverSizes } from '../ceiling.js';
import type { Evidence, Failure, ObservedBurst } from '../evidence.js';
import { counted, earlyMs, type Finding, headerOf, type Rule, spoken, spreadAdvice, whoSaid } from '../finding.js';
import { rampOf, roundMs } from '../shape.js';
import { lookAlike, queueOf } from './look-alikes.js';

/** Refusals as limits produce them. */
const REFUSALS = new Set(['503', '429', '500', '502', 'closed', 'reset', 'reset-connect', '403']);
const APART_RATE =
  'A second burst half a second later tells: a limit of connections gives the same count again, a rate only what has come back since.';

export const limitRule: Rule = (evidence) => {
  const { worst } = evidence;
  if (!startsTogether(worst.kind) || worst.ok === 0) return [];
  const [failure] = worst.failures.filter(({ outcome }) => REFUSALS.has(outcome)).sort((a, b) => b.count - a.count);
  if (failure === undefined || failure.count < 0.6 * failedCount(worst)) return [];
  // In a slow burst the last place is taken late, so refusals start late too.
  if (!failure.isAtOnce && isCounted(evidence, failure)) return turnedAway(evidence, failure);
  if (!failure.isAtOnce) return turnedAwayLate(evidence, failure);
  return paced(evidence, failure) ?? turnedAway(evidence, failure);
};

function failedCount({ failures }: ObservedBurst): number {
  return failures.reduce((sum, { count }) => sum + count, 0);
}

/** A limit that nearly all attempts fit into is unlikely; so few failures are more often accidents. */
function isRare({ attempted }: ObservedBurst, { count }: Failure): boolean {
  return count < 0.02 * attempted;
}

/** 101s one after another and refusals at once: a rate limit with a queue, in which attempts wait their turn. */
function paced({ worst, alone }: Evidence, failure: Failure): Finding[] | null {
  // 502 is about the backend; a rate limit refuses in its own name.
  if (failure.outcome === '502') return null;
  const ramp = rampOf(worst.okMs);
  // Quick answers to many attempts form a ramp too; with a rate limit the 101s continue long after the refusals.
  if (ramp === null || ramp.lastMs < 500 || ramp.lastMs < 5 * failure.timesMs[failure.timesMs.length - 1]) return null;
  // The steps are as long as a single handshake: there is no rate limit, they are served one after another.
  const typicalMs = alone?.typicalMs ?? null;
  if (typicalMs !== null && typicalMs > 0.5 * ramp.stepMs) return null;
  const ratePerS = 1000 / ramp.stepMs;
  return [
    {
      cause: 'rate-limit',
      confidence: typicalMs === null ? 0.65 : 0.85,
      evidence: `The 101s came at a steady ${ratePerS.toFixed(ratePerS < 20 ? 1 : 0)} a second for ${spoken(ramp.lastMs)}, and ${whoSaid(failure)} to the other ${failure.count} at once: a rate with a queue of ${worst.ok}.`,
      outcomes: [failure.outcome],
      figures: { ratePerS, burst: worst.ok },
      lead: spreadAdvice(worst.attempted, ratePerS),
    },
  ];
}

/** Even single handshakes, each closed before the next, were refused in the same way. */
function refusedOneByOne({ alone }: Evidence, { outcome }: Failure): boolean {
  return alone !== null && alone.ok > 0 && (alone.outcomes[outcome] ?? 0) > 0;
}

function turnedAway(evidence: Evidence, failure: Failure): Finding[] {
  const { worst, bursts } = evidence;
  const others = bursts.filter(
    (burst) => burst !== worst && startsTogether(burst.kind) && burst.size > burst.ok && burst.ok > 0,
  );
  const repeat = repeated(worst, others);
  const alike = lookAlike(worst.ok);
  const outcomes = [failure.outcome];
  const doubt = isRare(worst, failure) ? 0.25 : 0;
  // Sequential handshakes do not use several places at once.
  const oneByOne = refusedOneByOne(evidence, failure) ? 0.25 : 0;
  const base =
    `${formatCount(worst.ok)} of ${formatCount(worst.attempted)} got their 101, and ${whoSaid(failure)} to the other ${formatCount(failure.count)} ` +
    `${failure.isAtOnce ? 'at once' : 'once those were in'} (from ${spoken(failure.timesMs[0])} on)${repeat.sentence}${alike === null ? '' : `; ${alike}`}.`;
  const limit: Finding = {
    cause: 'connection-limit',
    confidence: clamp(limitConfidence(failure) + repeat.forLimit - doubt - oneByOne),
    evidence: base,
    outcomes,
    figures: { limit: worst.ok },
    apart: APART_RATE,
  };
  const rate: Finding = {
    cause: 'rate-limit',
    confidence: clamp(rateConfidence(failure) + repeat.forRate - doubt + oneByOne),
    evidence:
      repeat.ratePerS === null ? base : `${base} That is about ${repeat.ratePerS.toFixed(1)} a second coming back.`,
    outcomes,
    figures: { burst: worst.ok, ...(repeat.ratePerS !== null && { ratePerS: repeat.ratePerS }) },
    ...(repeat.ratePerS !== null && repeat.ratePerS > 0 && { lead: spreadAdvice(worst.attempted, repeat.ratePerS) }),
    apart: APART_RATE,
  };
  if (failure.outcome === '500') return internalErrors(worst, failure, { ...limit, confidence: 0.4 });
  if (failure.outcome === '502') {
    return [
      limit,
      socketQueue(worst, failure, repeat.forLimit),
      descriptors(worst, failure, 0.42),
      ports(worst, failure),
    ];
  }
  return [limit, rate].filter(({ confidence }) => confidence >= 0.25);
}

/**
 * connect() to a Unix socket whose queue is full fails at once and is not retried: backlog + 1 get through, and the
 * others are refused before the first is served. A limit on open connections refuses while others get quick 101s.
 */
function socketQueue(worst: ObservedBurst, failure: Failure, forLimit: number): Finding {
  const { okMs } = worst;
  const refusedMs = failure.timesMs[Math.floor(0.95 * (failure.timesMs.length - 1))] ?? 0;
  const halfMs = okMs[Math.floor(okMs.length / 2)] ?? 0;
  const isServedLater = halfMs > Math.max(2 * refusedMs, refusedMs + 50);
  const alike = queueOf(worst.ok);
  const confidence = isServedLater ? 0.6 + (alike === null ? 0 : 0.18) + forLimit : alike === null ? 0.3 : 0.4;
  return {
    cause: 'socket-queue-full',
    confidence: clamp(confidence),
    evidence: `${formatCount(worst.ok)} got their 101, half of them after ${spoken(halfMs)}, and ${whoSaid(failure)} to the other ${formatCount(failure.count)} ${isServedLater ? `before that (within ${spoken(refusedMs)})` : 'at once'}: so does a gateway before a Unix socket whose listen queue is full${alike === null ? '' : `; ${alike}`}.`,
    outcomes: [failure.outcome],
    figures: { backlog: Math.max(0, worst.ok - 1) },
    apart:
      'error.log of nginx says "connect() to unix:... failed (11: Resource temporarily unavailable)" then; over TCP the kernel would try again after 1 s.',
  };
}

/** nginx answers so when it may open no more files; an application, when a resource has run out. */
function internalErrors(worst: ObservedBurst, failure: Failure, limit: Finding): Finding[] {
  if (failure.hop?.own === true) return [descriptors(worst, failure, 0.6), limit];
  const application: Finding = {
    cause: 'application-error',
    confidence: 0.6,
    evidence: `${formatCount(worst.ok)} got their 101, and ${whoSaid(failure)} to the other ${formatCount(failure.count)}, the first after ${spoken(failure.timesMs[0])}: the application fails when many come at once.`,
    outcomes: [failure.outcome],
    apart:
      'The log of the application has the reason: a pool that is used up, "too many open files", an error of its own.',
  };
  return [application, { ...limit, confidence: 0.35 }];
}

function limitConfidence(failure: Failure): number {
  switch (failure.outcome) {
    case 'closed':
    case 'reset':
    case 'reset-connect':
      return 0.74;
    case '429':
    case '403':
      return 0.42;
    case '502':
      return 0.52;
    default:
      return headerOf(failure, 'retry-after') === null ? 0.6 : 0.5;
  }
}

function rateConfidence(failure: Failure): number {
  const asks =
    headerOf(failure, 'retry-after') !== null || failure.sample?.headers.some(([name]) => /ratelimit/i.test(name));
  switch (failure.outcome) {
    case '429':
      return 0.78;
    case '403':
      return 0.55;
    case '503':
      return asks === true ? 0.52 : 0.45;
    case 'closed':
    case 'reset':
    case 'reset-connect':
      return 0.3;
    default:
      return asks === true ? 0.6 : 0.3;
  }
}

interface Repeat {
  readonly sentence: string;
  readonly forLimit: number;
  readonly forRate: number;
  readonly ratePerS: number | null;
}

const NO_REPEAT: Repeat = { sentence: '', forLimit: 0, forRate: 0, ratePerS: null };

/**
 * The same number in every burst suggests a connection limit; a first burst that got more than the others suggests a
 * rate.
 */
function repeated(worst: ObservedBurst, others: readonly ObservedBurst[]): Repeat {
  if (others.length === 0) return NO_REPEAT;
  const all = [worst, ...others].sort((a, b) => a.index - b.index);
  const counts = all.map(({ ok }) => ok);
  const [first, ...later] = counts;
  const most = Math.max(...counts);
  const least = Math.min(...counts);
  if (areAlike(counts)) {
    const sizes = new Set(all.map(({ size }) => size)).size;
    const hasSizes = isOverSizes(all);
    const sentence = `, in each of ${all.length} bursts${hasSizes ? ` of ${sizes} sizes` : ''} (${least === most ? formatCount(least) : `${formatCount(least)} to ${formatCount(most)}`})`;
    // At one size and with long rests, a rate limit allows the same number each time.
    if (areClose(all)) return { sentence: `${sentence}, close together`, forLimit: 0.3, forRate: -0.3, ratePerS: null };
    return { sentence, forLimit: hasSizes ? 0.2 : 0.12, forRate: -0.1, ratePerS: null };
  }
  const isDrained = later.every((ok) => ok < 0.8 * first);
  if (!isDrained) return { ...NO_REPEAT, sentence: ` (in all bursts: ${counts.join(', ')})` };
  return {
    sentence: `; ${counts.join(', ')} in the bursts one after another`,
    forLimit: -0.35,
    forRate: 0.3,
    ratePerS: refill(all),
  };
}

const CLOSE_MS = 2000;

/** So close together that a rate limit would not have recovered its full allowance, unless it is a high one. */
function areClose(all: readonly ObservedBurst[]): boolean {
  return all.every(({ releasedAtMs }, i) => {
    const before = i === 0 ? releasedAtMs : (all[i - 1]?.releasedAtMs ?? null);
    return releasedAtMs !== null && before !== null && releasedAtMs - before <= CLOSE_MS;
  });
}

/** Recovered allowance between two bursts, per second. */
function refill(all: readonly ObservedBurst[]): number | null {
  const [first, second] = all;
  if (first?.releasedAtMs == null || second?.releasedAtMs == null) return null;
  const seconds = (second.releasedAtMs - first.releasedAtMs) / 1000;
  return seconds > 0 ? second.ok / seconds : null;
}

function descriptors(worst: ObservedBurst, failure: Failure, confidence: number): Finding {
  return {
    cause: 'descriptor-limit',
    confidence,
    evidence: `${worst.ok} got their 101, and ${whoSaid(failure)} to the other ${failure.count} within milliseconds, as a hop does that may open no more files${worst.ok > 15 ? ` (a limit near ${worst.ok + 20} with the 20 or so that a server keeps open, half of that behind a proxy)` : ''}.`,
    outcomes: [failure.outcome],
    figures: { limit: worst.ok },
    apart:
      'The error log of the hop says "too many open files" (24) then; a backend that refuses connections leaves "reset by peer" or "prematurely closed".',
  };
}

function ports(worst: ObservedBurst, failure: Failure): Finding {
  const isNear = worst.ok > 20_000;
  return {
    cause: 'ports-exhausted',
    confidence: isNear ? 0.7 : 0.2,
    evidence: `${worst.ok} got their 101, and ${whoSaid(failure)} to the others at once.`,
    outcomes: [failure.outcome],
    figures: { limit: worst.ok },
    apart: 'The error log of the hop says "cannot assign requested address" (99) then.',
  };
}

/** Attempts over the limit wait first, and are then refused. */
function turnedAwayLate({ worst }: Evidence, failure: Failure): Finding[] {
  const [firstMs] = failure.timesMs;
  const slowestOk = worst.okMs[worst.okMs.length - 1];
  if (
    firstMs === undefined ||
    slowestOk === undefined ||
    slowestOk > 0.5 * firstMs ||
    !['503', '429', '502', 'closed'].includes(failure.outcome)
  )
    return [];
  const queueMs = earlyMs(failure.timesMs);
  const isHaproxy = failure.outcome === '503';
  return [
    {
      cause: failure.outcome === '429' ? 'rate-limit' : 'connection-limit',
      confidence: isHaproxy || failure.outcome === '429' ? 0.8 : 0.55,
      evidence: `${formatCount(worst.ok)} got their 101 within ${spoken(slowestOk)}, and ${whoSaid(failure)} to the other ${formatCount(failure.count)} after ${spoken(queueMs)}: they were kept in a queue for a place that did not come free.`,
      outcomes: [failure.outcome],
      figures: { limit: worst.ok, queueMs },
    },
  ];
}

/** Attempts over the limit wait until the client times out: no answer, while others got theirs at once. */
export const waitingRule: Rule = ({ worst, timeoutMs }) => {
  const silent = worst.failures.find(({ outcome }) => outcome === 'timeout-upgrade');
  if (!startsTogether(worst.kind) || worst.ok === 0 || silent === undefined || silent.count < 0.2 * failedCount(worst))
    return [];
  const slowestOk = worst.okMs[worst.okMs.length - 1];
  if (slowestOk === undefined || slowestOk > 0.3 * timeoutMs) return [];
  const unconnected = worst.failures.find(({ outcome }) => outcome === 'timeout-connect')?.count ?? 0;
  // nginx without a free descriptor delays accepting, and answers 500 when it has accepted and cannot continue.
  const [broken] = worst.failures.filter(
    ({ outcome, hop, isAtOnce }) => outcome === '500' && isAtOnce && hop?.id === 'nginx',
  );
  if (broken !== undefined) return [descriptors(worst, broken, 0.76)];
  const isFrontDoor = unconnected > 0 && Math.abs(silent.count - worst.ok - 1) <= Math.max(2, 0.05 * worst.ok);
  const alike = lookAlike(worst.ok);
  return [
    {
      cause: 'connection-limit',
      confidence: isFrontDoor ? 0.88 : 0.72,
      evidence:
        `${formatCount(worst.ok)} got their 101 within ${spoken(slowestOk)}, ${counted(silent.count, 'timeout-upgrade')} connected and heard nothing` +
        `${unconnected > 0 ? `, ${counted(unconnected, 'timeout-connect')} did not even connect` : ''}: the others wait for a place${alike === null ? '' : ` (${alike})`}.` +
        (isFrontDoor
          ? ' As many wait in the listen queue as are carried: a limit whose listen queue has its own length, as maxconn of HAProxy.'
          : ''),
      outcomes: ['timeout-upgrade', ...(unconnected > 0 ? ['timeout-connect'] : [])],
      figures: { limit: worst.ok },
      apart:
        'Close some of the open connections: if waiting ones are served at once, it is a limit; if not, the server hangs.',
    },
  ];
};

/**
 * Some got their 101 at once, the others a gateway's timeout: the server behind it did not take them, or took them and
 * hung.
 */
export const waitingBehindRule: Rule = ({ worst }): Finding[] => {
  const failure = worst.failures.find(({ outcome }) => outcome === '504' || outcome === '502');
  if (!startsTogether(worst.kind) || worst.ok === 0 || failure === undefined || failure.timesMs.length === 0) return [];
  const timeoutMs = roundMs(earlyMs(failure.timesMs));
  const slowestOk = worst.okMs[worst.okMs.length - 1];
  if (timeoutMs === null || failure.isAtOnce || slowestOk === undefined || slowestOk > 0.3 * timeoutMs) return [];
  if (failure.count < 0.6 * failedCount(worst) || failure.clusters.length > 1) return [];
  const said = `${formatCount(worst.ok)} got their 101 within ${spoken(slowestOk)}, and ${whoSaid(failure)} to the other ${formatCount(failure.count)} only after ${spoken(failure.timesMs[0])}, a configured time`;
  const outcomes = [failure.outcome];
  const apart =
    'Bursts of two sizes: the same count of 101s speaks for a limit, the same share of them for one of several backends that hangs.';
  return [
    {
      cause: 'connection-limit',
      confidence: 0.5,
      evidence: `${said}: the others waited for a place that did not come free.`,
      outcomes,
      figures: { limit: worst.ok, timeoutMs },
      apart,
    },
    {
      cause: 'backend-hangs',
      confidence: 0.42,
      evidence: `${said}: or one of several backends hangs.`,
      outcomes,
      figures: { timeoutMs },
      apart,
    },
  ];
};

/**
 * A closed loop against a rate limit: after the burst allowance a fixed number per second get through, the others are
 * refused at once.
 */
export const churnRateRule: Rule = (evidence) => {
  const { worst } = evidence;
  if (startsTogether(worst.kind) || worst.ok === 0 || worst.perSecond === null) return [];
  const refused = worst.failures.filter(({ outcome }) => REFUSALS.has(outcome));
  const [failure] = refused;
  // Any closed loop has a steady rate; a rate limit also refuses a large part of the attempts.
  if (failure === undefined || (failure.outcome !== '429' && isRare(worst, failure))) return [];
  const seconds = worst.rate === null || worst.rate === 0 ? worst.perSecond.length - 1 : worst.ok / worst.rate;
  const tail = paceAfterFirst(worst.perSecond, seconds);
  const mean = tail.reduce((sum, n) => sum + n, 0) / Math.max(1, tail.length);
  const isSteady = tail.length >= 2 && tail.every((n) => Math.abs(n - mean) <= Math.max(2, 0.25 * mean));
  const confidence = failure.outcome === '429' ? 0.85 : isSteady && failure.outcome === '503' ? 0.75 : 0.45;
  const finding: Finding = {
    cause: 'rate-limit',
    confidence,
    evidence: `${counted(worst.ok, '101')} and ${counted(failure.count, failure.outcome)} (${whoSaid(failure)} at once)${isSteady ? `: about ${mean.toFixed(mean < 20 ? 1 : 0)} a second get through, however many try` : ''}.`,
    outcomes: refused.map(({ outcome }) => outcome),
    figures: isSteady ? { ratePerS: mean, burst: Math.max(0, worst.ok - mean * worst.perSecond.length) } : {},
  };
  return [finding];
};

/** A part of a second is extrapolated only if it is at least this long. */
const LEAST_PART_S = 0.3;

/** 101s per second after the first second, in which the allowance of a rate limit is used up. */
function paceAfterFirst(perSecond: readonly number[], seconds: number): number[] {
  const whole = Math.floor(seconds);
  const part = seconds - whole;
  const last = part >= LEAST_PART_S && perSecond[whole] !== undefined ? [perSecond[whole] / part] : [];
  return [...perSecond.slice(1, whole), ...last];
}

function clamp(confidence: number): number {
  return Number(Math.min(0.9, Math.max(0, confidence)).toFixed(2));
}
