/**
 * Whether the numbers of a burst, or of a run, can be trusted: rules from evidence about the generator to a verdict
 * with reasons. Owns the limits above which the generator's own delays matter; never judges the target and measures
 * nothing.
 */

import { blameOf, isOutcomeId, type OutcomeId } from '../names/outcomes.js';
import type { Subject } from '../plan/expressions/condition.js';
import type { Gate } from '../plan/plan.js';
import { type LoadKind, startsTogether } from '../plan/stages/loads.js';
import { formatCount, formatDuration } from '../plan/units.js';
import type { Arrivals, Calibration, Outcomes, Release, ThresholdResult, Validity, Verdict } from '../result/result.js';
import type { Storm } from '../result/storm.js';
import { floorMisses, isSmallFloor } from './floor.js';
import { disagrees, isHidden, type Judged } from './thresholds.js';

/**
 * How long a worker's event loop stood still, ms: the longest single time and the sum; of the worker with the longest.
 */
export interface Stalled {
  readonly longestMs: number;
  readonly totalMs: number;
}

/**
 * A stall of a second may have changed what the target did to a burst or a hold. One that lasts a second is measured a
 * little shorter: what the thread worked meanwhile is taken off.
 */
export const LONG_STALL_MS = 950;
export const NEVER_STALLED: Stalled = { longestMs: 0, totalMs: 0 };

/** What is known about the generator during one burst (or one stage of churn or arrivals). Times in ms, shares from 0 to 1. */
export interface BurstEvidence {
  readonly kind: LoadKind;
  readonly gate: Gate;
  /** null: a churn stage that only time ends. */
  readonly planned: number | null;
  /** Attempts whose first system call was made. */
  readonly launched: number;
  readonly outcomes: Outcomes;
  /** Ended before the gate opened. */
  readonly failedToArm: number;
  /** Replies read so long after their deadline that it is unknown whether they arrived within it. */
  readonly overdue: number;
  /** Total deadline of an attempt. */
  readonly timeoutMs: number;
  readonly release: Release | null;
  readonly makespanMs: number | null;
  readonly calibration: Calibration | null;
  /** Of a load with planned starts. */
  readonly arrivals: Arrivals | null;
  /** Half of the handshakes took longer; null without any. */
  readonly handshakeP50Ms: number | null;
  /** What is asked for and a slow generator can miss, with what this burst and this generator alone came to. */
  readonly limits: readonly Judged[];
  /** One sentence for each worker that did not report. */
  readonly lostWorkers: readonly string[];
  /** How far the wall clock moved against the monotonic clock; null when not compared. */
  readonly clockStepMs: number | null;
  /** Arrivals were stamped by the kernel, with the wall clock. */
  readonly hasKernelStamps: boolean;
  /** The last request of a burst, after T0; null where none was sent, and for a load with a rate. */
  readonly lastSentMs: number | null;
  /** Longest time between two timestamps of a worker's event loop. */
  readonly longestGapMs: number;
  /** From the first connection of a burst until T0. */
  readonly stalledArming: Stalled;
  /** From T0 until the last attempt ended. */
  readonly stalled: Stalled;
  /** From then until the connections were closed. */
  readonly stalledHolding: Stalled;
  /** 101s that the target closed before this side did. */
  readonly lost: number;
  /** A threshold is about connections after their 101. */
  readonly asksOfHeld: boolean;
  readonly gcMaxMs: number;
  readonly throttledMs: number | null;
  /** For the thread that waited longest for a core, while the machine was observed. */
  readonly runQueueMs: number | null;
  readonly watchedMs: number;
  readonly stealShare: number | null;
  /** How full the kernel's connection tracking table was. */
  readonly conntrackShare: number | null;
}

/** A reason with its severity; `valid` is a note that does not change the verdict. */
export interface WeighedReason {
  readonly verdict: Verdict;
  readonly reason: string;
}

/**
 * Release ratio = makespan / release spread. Below `paced` the generator set the pace; from `together` on it did not.
 */
const RATIO = { paced: 2, together: 5 };
/** Share of the deadline that a release may take; beyond it timeouts may be caused by the release. */
const RELEASE_SHARE = 0.2;
const GAP = { leastMs: 50, share: 0.2, longestSpanOfChurnMs: 1000 };
/** Of a load with a rate, and of a latency that is asked for: above it a stall may have changed what is measured. */
const STALL = { shareOfRate: 0.01, shareOfLimit: 0.2 };
const TOO_LONG = 'latencies may be too long by as much';
const FAILED_OF_IT = 'failures may have come of the delay';
const THROTTLED_SHARE = 0.01;
/** A target on the same machine uses cores too; a longer wait leaves too few for the generator. */
const RUN_QUEUE = { leastMs: 200, share: 0.5 };
const STEAL_SHARE = 0.05;
const CONNTRACK_SHARE = 0.9;
/**
 * Thresholds for a step of the clock, above what a time daemon can slew: at most 0.05 % (adjtimex(2): 500 ppm). On
 * Linux, where arrivals can be stamped, slewing changes the monotonic clock too (clock_gettime(2)).
 */
const CLOCK = { leastMs: 5, share: 0.001, leastMsOfStamps: 1 };
/** How late 1 % of the planned starts may be: so long, or so much of what a handshake takes, whichever is longer. */
const LATE = { suspect: { leastMs: 2, share: 0.1 }, invalid: { leastMs: 20, share: 0.5 } };
const MOST_REASONS_A_VERDICT = 5;

const GRAVITY: Readonly<Record<Verdict, number>> = { invalid: 2, suspect: 1, valid: 0 };

const WAY_OUT: Readonly<Record<string, string>> = {
  'local-fds': 'raise the limit of open files (ulimit -n)',
  'local-ports':
    'add source addresses (--source-ip), widen net.ipv4.ip_local_port_range, or wait until TIME_WAIT is over (60 s)',
  'local-memory': 'use fewer connections, or give sockets more memory (net.ipv4.tcp_mem)',
  'local-other':
    'see the detail of the first one; EPERM and EACCES come from a firewall or a sandbox, ENOSPC from fs.epoll.max_user_watches; what was not released before its deadline needs a longer -t or a smaller burst',
};

export function judgeBurst(evidence: BurstEvidence): Validity {
  return validityOf([
    ...lostWorkers(evidence),
    ...localOutcomes(evidence),
    ...shortLaunch(evidence),
    ...slowGenerator(evidence),
    ...unarmed(evidence),
    ...pacing(evidence),
    ...lateness(evidence),
    ...floor(evidence),
    ...stalls(evidence),
    ...disturbances(evidence),
  ]);
}

/**
 * The worst of all bursts, plus reasons that only a run can show: a threshold whose two latency bounds disagree, or
 * thresholds without a burst to judge. `limits` are sentences that make a run invalid by themselves, such as a need
 * that this machine cannot meet. With several bursts, each reason starts with the place of its burst; with several
 * storms, with the policy of its storm.
 */
export function judgeRun(
  bursts: readonly Validity[],
  thresholds: readonly Judged[],
  limits: readonly string[] = [],
  storms: readonly Storm[] = [],
): Validity {
  const findings: WeighedReason[] = limits.map((reason) => ({ verdict: 'invalid', reason }));
  if (thresholds.length > 0 && bursts.every(({ verdict }) => verdict === 'invalid')) {
    findings.push({ verdict: 'invalid', reason: 'no burst was valid, so there is nothing to judge the thresholds by' });
  }
  for (const threshold of thresholds) {
    if (disagrees(threshold)) findings.push({ verdict: 'invalid', reason: disagreement(threshold.result) });
    // One burst alone says so itself.
    else if (bursts.length > 1) findings.push(...besideFloor(threshold));
  }
  if (bursts.length === 0)
    findings.push({ verdict: 'suspect', reason: 'no burst was released, so nothing was measured' });
  for (const verdict of ['invalid', 'suspect', 'valid'] as const) findings.push(...ofBursts(bursts, verdict));
  for (const { policy, validity } of storms) {
    const where = storms.length === 1 ? '' : `storm of ${policy}: `;
    findings.push(...weighed(validity).map(({ verdict, reason }) => ({ verdict, reason: `${where}${reason}` })));
  }
  return validityOf(findings);
}

export function validityOf(findings: readonly WeighedReason[]): Validity {
  const sorted = gravestFirst(findings);
  const verdict = sorted[0]?.verdict ?? 'valid';
  const reasons = sorted.map(({ reason }) => reason);
  if (sorted.every((finding) => finding.verdict === verdict)) return { verdict, reasons };
  return { verdict, reasons, weights: sorted.map((finding) => finding.verdict) };
}

/** null: no matter. @param handshakeP50Ms half of the handshakes took longer; null without any */
export function lateVerdict(lateP99Ms: number, handshakeP50Ms: number | null): 'invalid' | 'suspect' | null {
  const isOver = (verdict: 'invalid' | 'suspect') =>
    lateP99Ms > Math.max(LATE[verdict].leastMs, LATE[verdict].share * (handshakeP50Ms ?? 0));
  return isOver('invalid') ? 'invalid' : isOver('suspect') ? 'suspect' : null;
}

function gravestFirst(findings: readonly WeighedReason[]): WeighedReason[] {
  return [...findings].sort((a, b) => GRAVITY[b.verdict] - GRAVITY[a.verdict]);
}

/** Each reason, with the verdict that it alone would give. */
export function weighed({ verdict, reasons, weights }: Validity): { verdict: Verdict; reason: string }[] {
  return reasons.map((reason, i) => ({ verdict: weights?.[i] ?? verdict, reason }));
}

/** All reasons of the bursts with that verdict, including the lighter reasons of an invalid burst. */
function ofBursts(bursts: readonly Validity[], verdict: Verdict): WeighedReason[] {
  const judged = bursts.flatMap((burst, place) => (burst.verdict === verdict ? [{ place, burst }] : []));
  const findings = judged.flatMap(({ place, burst }) =>
    weighed(burst).map((finding) =>
      bursts.length === 1 ? finding : { ...finding, reason: `burst ${place}: ${finding.reason}` },
    ),
  );
  const shown = gravestFirst(findings).slice(0, MOST_REASONS_A_VERDICT);
  const hidden = findings.length - shown.length;
  if (hidden === 0) return shown;
  const more = `and ${hidden} more of the same weight in ${judged.length} ${verdict} bursts`;
  return [...shown, { verdict: shown[shown.length - 1].verdict, reason: more }];
}

function lostWorkers(evidence: BurstEvidence): WeighedReason[] {
  return evidence.lostWorkers.map((reason) => ({ verdict: 'invalid', reason }));
}

export function localOutcomes(evidence: Pick<BurstEvidence, 'outcomes'>): WeighedReason[] {
  return Object.entries(evidence.outcomes)
    .filter(([id, count]) => count > 0 && isOutcomeId(id) && blameOf(id as OutcomeId) === 'local')
    .sort(([, a], [, b]) => b - a)
    .map(([id, count]) => ({
      verdict: 'invalid',
      reason: `${attempts(count)} failed on this machine, not at the target (${id}): ${WAY_OUT[id]}`,
    }));
}

/** A burst that was stopped is not the generator's fault; launching fewer attempts for any other reason is. */
function shortLaunch({ planned, launched, outcomes }: BurstEvidence): WeighedReason[] {
  const findings: WeighedReason[] = [];
  const aborted = outcomes.aborted ?? 0;
  if (planned !== null && launched < planned - aborted) {
    const reason = `only ${formatCount(launched)} of ${attempts(planned)} were launched by this machine`;
    findings.push({ verdict: 'invalid', reason });
  }
  if (aborted > 0) {
    const of = planned === null ? '' : ` of ${formatCount(planned)}`;
    findings.push({ verdict: 'suspect', reason: `stopped early: ${formatCount(aborted)}${of} attempts were aborted` });
  }
  return findings;
}

/** Deadlines that passed because this machine was slow are not timeouts of the target. */
function slowGenerator(evidence: BurstEvidence): WeighedReason[] {
  const { overdue, outcomes, release, timeoutMs, calibration, kind } = evidence;
  const findings: WeighedReason[] = [];
  const say = (reason: string) => findings.push({ verdict: 'invalid', reason });
  if (overdue > 0) {
    say(
      `${overdue === 1 ? '1 answer was' : `${formatCount(overdue)} answers were`} read long after the deadline: this machine stood still, so nobody ` +
        'can tell whether they came in time',
    );
  }
  const timeouts = Object.entries(outcomes).reduce((sum, [id, n]) => sum + (id.startsWith('timeout-') ? n : 0), 0);
  if (timeouts === 0) return findings;
  if (startsTogether(kind) && release !== null && release.lastMs > RELEASE_SHARE * timeoutMs) {
    say(
      `the release took ${inMs(release.lastMs)} of the deadline of ${inMs(timeoutMs)}: some of the ` +
        `${formatCount(timeouts)} timeouts may be this machine's; give attempts longer (-t) or release fewer`,
    );
  }
  if (calibration !== null && calibration.share101 < 1) {
    say(
      `this generator timed out even against its own mirror (${percent(calibration.share101)} of ` +
        `${formatCount(calibration.size)} got through): the ${formatCount(timeouts)} timeouts may be its own`,
    );
  }
  return findings;
}

function unarmed({ failedToArm, planned, launched, gate }: BurstEvidence): WeighedReason[] {
  if (failedToArm === 0) return [];
  const reason = `${formatCount(failedToArm)} of ${formatCount(planned ?? launched)} could not be armed: they failed before the gate ${gate} was opened, so fewer were released together`;
  return [{ verdict: 'suspect', reason }];
}

function pacing({ kind, release, makespanMs, planned, launched, failedToArm }: BurstEvidence): WeighedReason[] {
  if (!startsTogether(kind) || release === null || makespanMs === null || release.spreadMs <= 0) return [];
  const ratio = makespanMs / release.spreadMs;
  if (ratio >= RATIO.together) return [];
  const released = formatCount(Math.min(planned ?? launched, launched) - failedToArm);
  const within = `${released} were released within ${inMs(release.spreadMs)}`;
  if (ratio < RATIO.paced) {
    const reason = `paced by the generator: the target answered as fast as it was asked; ${within}`;
    return [{ verdict: 'suspect', reason }];
  }
  return [{ verdict: 'valid', reason: `${within}, and the burst lasted only ${ratio.toFixed(1)} times as long` }];
}

/** A start that comes late is a kinder load than the planned one, and its lateness counts as latency. */
function lateness({ arrivals, handshakeP50Ms }: BurstEvidence): WeighedReason[] {
  const lateMs = arrivals?.lateP99Ms ?? 0;
  const verdict = lateVerdict(lateMs, handshakeP50Ms);
  if (verdict === null) return [];
  const beside = handshakeP50Ms === null ? '' : ` (half of the handshakes took less than ${inMs(handshakeP50Ms)})`;
  const reason = `the generator started 1% of the attempts more than ${inMs(lateMs)} late${beside}: use more workers or machines, or a lower rate`;
  return [{ verdict, reason }];
}

function floor({ calibration, limits }: BurstEvidence): WeighedReason[] {
  if (calibration === null) return [];
  const findings: WeighedReason[] = [];
  if (calibration.share101 < 1) {
    const answered = percent(calibration.share101);
    const reason = `this generator got only ${answered} of ${formatCount(calibration.size)} handshakes through to its own mirror`;
    findings.push({ verdict: 'suspect', reason });
  }
  const missed = limits.flatMap(besideFloor);
  return [...findings, ...(missed.length > 0 ? missed : largestFloor(limits))];
}

/** A limit that this generator misses even with a target that answers at once: is it the target that misses it? */
function besideFloor(judged: Judged): WeighedReason[] {
  const { condition, result } = judged;
  const { expression, actual, floor, ok } = result;
  if (ok || floor === null || actual === null || !floorMisses(condition, floor)) return [];
  const inUnit = (value: number) => (condition.subject.kind === 'rate' ? perSecond(value) : inMs(value));
  const alone = `${expression}: this generator misses it even against the local test server (${inUnit(floor)})`;
  return isHidden(judged)
    ? [{ verdict: 'invalid', reason: `${alone}, so the target's ${inUnit(actual)} may be the generator's own` }]
    : [{ verdict: 'suspect', reason: `${alone}, and the target's ${inUnit(actual)} is more than that explains` }];
}

/** Of the latencies that are asked for, the one of which the floor takes up most. */
function largestFloor(limits: readonly Judged[]): WeighedReason[] {
  const large = limits.flatMap(({ condition: { subject, limit }, result: { expression, floor } }) =>
    subject.kind !== 'latency' || floor === null || isSmallFloor(floor, limit)
      ? []
      : [{ expression, floor, share: floor / limit }],
  );
  if (large.length === 0) return [];
  const { expression, floor, share } = large.reduce((a, b) => (b.share > a.share ? b : a));
  const reason = `the generator's own floor is not small beside ${expression}: it takes up ${percent(share)} of it (${inMs(floor)} against the local test server)`;
  return [{ verdict: 'suspect', reason }];
}

/** How a stall affects the measurement: a rate, a latency, and how a target treats a client that is slow to reply. */
function stalls(evidence: BurstEvidence): WeighedReason[] {
  // A churn holds nothing.
  const whileOpen = evidence.kind === 'churn' ? [] : stallsWhileOpen(evidence);
  return [...(startsTogether(evidence.kind) ? stallsInBurst(evidence) : stallsOfRate(evidence)), ...whileOpen];
}

function stallsOfRate({ stalled, makespanMs }: BurstEvidence): WeighedReason[] {
  if (stalled.totalMs === 0) return [];
  const share = stalled.totalMs / Math.max(makespanMs ?? 0, stalled.totalMs);
  const reason = `the generator stalled for ${inMs(stalled.totalMs)}, ${percent(share)} of the stage: `;
  return share > STALL.shareOfRate
    ? [{ verdict: 'invalid', reason: `${reason}its rate is not the target's` }]
    : [{ verdict: 'suspect', reason: `${reason}its rate may be too low by as much` }];
}

function stallsInBurst(evidence: BurstEvidence): WeighedReason[] {
  const { stalled, stalledArming, outcomes, limits } = evidence;
  const failed = Object.entries(outcomes).some(([id, n]) => n > 0 && id !== '101' && id !== 'aborted');
  // Arrivals that the kernel stamps are right all the same; what was sent late is late.
  const isExact = evidence.hasKernelStamps && (evidence.lastSentMs ?? 0) < stalled.longestMs;
  const tightestMs = Math.min(
    ...limits.map(({ condition: { subject, limit } }) =>
      subject.kind === 'latency' ? limit : Number.POSITIVE_INFINITY,
    ),
  );
  const during = stalledFor(stalled.longestMs, 'during the burst');
  const findings: WeighedReason[] = [];
  if (!isExact && stalled.longestMs > STALL.shareOfLimit * tightestMs) findings.push(during('invalid', TOO_LONG));
  else if (stalled.longestMs >= LONG_STALL_MS)
    findings.push(
      failed ? during('invalid', FAILED_OF_IT) : during('suspect', isExact ? 'the load was uneven' : TOO_LONG),
    );
  if (stalledArming.longestMs < LONG_STALL_MS) return findings;
  const before = stalledFor(stalledArming.longestMs, 'before the gate opened');
  const asksOfArming = limits.some(({ condition: { subject } }) => isArmed(subject));
  if (failed) return [...findings, before('invalid', FAILED_OF_IT)];
  return [
    ...findings,
    before(asksOfArming ? 'invalid' : 'suspect', 'times of connect and TLS may be too long by as much'),
  ];
}

/** A phase that may come before the gate. */
function isArmed(subject: Subject): boolean {
  return subject.kind === 'latency' && (subject.phase === 'connect' || subject.phase === 'tls');
}

function stallsWhileOpen({ stalled, stalledHolding, lost, asksOfHeld }: BurstEvidence): WeighedReason[] {
  const longestMs = Math.max(stalled.longestMs, stalledHolding.longestMs);
  if (longestMs < LONG_STALL_MS) return [];
  const open = stalledFor(longestMs, 'while connections were open');
  if (lost > 0) return [open('invalid', 'the target may have closed them because it got no answer')];
  if (asksOfHeld) return [open('invalid', 'what the target closed meanwhile is not known')];
  return stalledHolding.longestMs < LONG_STALL_MS ? [] : [open('suspect', 'pings were answered late')];
}

function stalledFor(ms: number, when: string): (verdict: Verdict, what: string) => WeighedReason {
  return (verdict, what) => ({ verdict, reason: `the generator stalled for ${inMs(ms)} ${when}: ${what}` });
}

function disturbances(evidence: BurstEvidence): WeighedReason[] {
  const {
    kind,
    makespanMs,
    longestGapMs,
    gcMaxMs,
    throttledMs,
    runQueueMs,
    watchedMs,
    stealShare,
    conntrackShare,
    clockStepMs,
  } = evidence;
  const spanMs = makespanMs ?? 0;
  const isTold = evidence.stalled.totalMs > 0 && !startsTogether(kind);
  const reasons: string[] = [];
  // A churn stage lasts as long as it was told to, so its length does not tell which gap is too long.
  const gapSpanMs = startsTogether(kind) ? spanMs : Math.min(spanMs, GAP.longestSpanOfChurnMs);
  if (!isTold && longestGapMs > Math.max(GAP.leastMs, GAP.share * gapSpanMs)) {
    const gc = gcMaxMs > 0 ? ` (longest garbage collection ${inMs(gcMaxMs)})` : '';
    reasons.push(`the generator's loop stood still for ${inMs(longestGapMs)}${gc}`);
  }
  if (throttledMs !== null && throttledMs > THROTTLED_SHARE * spanMs) {
    reasons.push(`the generator's CPU was throttled for ${inMs(throttledMs)} (cgroup limit)`);
  } else if (runQueueMs !== null && runQueueMs > Math.max(RUN_QUEUE.leastMs, RUN_QUEUE.share * watchedMs)) {
    // Time without CPU quota is reported as waiting too, so waiting for a core is reported only without throttling.
    reasons.push(`a thread of the generator waited for a core for ${inMs(runQueueMs)} of ${inMs(watchedMs)}`);
  }
  if (stealShare !== null && stealShare > STEAL_SHARE) {
    reasons.push(`the hypervisor took ${percent(stealShare)} of this machine's CPU time`);
  }
  if (conntrackShare !== null && conntrackShare > CONNTRACK_SHARE) {
    reasons.push(
      `this machine's connection tracking table was ${percent(conntrackShare)} full (net.netfilter.nf_conntrack_max)`,
    );
  }
  const leastStepMs = evidence.hasKernelStamps ? CLOCK.leastMsOfStamps : CLOCK.leastMs + CLOCK.share * spanMs;
  if (clockStepMs !== null && Math.abs(clockStepMs) > leastStepMs) {
    const meaning = evidence.hasKernelStamps
      ? 'arrivals are stamped by it, so latencies may be wrong by as much'
      : 'latencies are right, times of day are not';
    reasons.push(`the wall clock was stepped by ${inMs(clockStepMs)}: ${meaning}`);
  }
  return reasons.map((reason) => ({ verdict: 'suspect', reason }));
}

/** In µs, because the two values may be close to each other and to the limit. */
function disagreement({ expression, actual, actualLower, ok }: ThresholdResult): string {
  const upper = `upper latency bound (${actual} ms)`;
  const lower = `lower one (${actualLower} ms)`;
  const verbs = ok ? ['holds', 'fails'] : ['fails', 'holds'];
  return `${expression} ${verbs[0]} at the ${upper} and ${verbs[1]} at the ${lower}: the generator was too slow to tell`;
}

function attempts(count: number): string {
  return count === 1 ? '1 attempt' : `${formatCount(count)} attempts`;
}

function perSecond(rate: number): string {
  return `${formatCount(Math.round(rate))}/s`;
}

/** Three significant digits: more would suggest a precision that was not measured. */
function inMs(ms: number): string {
  return formatDuration(Number(ms.toPrecision(3)));
}

/** Never rounds up to 100 %, which would say the opposite. */
function percent(share: number): string {
  const value = share * 100;
  return `${value < 100 ? Math.min(99.9, Number(value.toPrecision(3))) : Math.round(value)}%`;
}
