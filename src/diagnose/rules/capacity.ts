/**
 * A backend that is too slow for so many handshakes at once. The shape of the 101s shows how it works through them; the
 * time of the failures shows when its gateway (or this client) timed out. One at a time gives a ramp, a limited number
 * at a time a staircase, and computing all in parallel a common end.
 */
import { startsTogether } from '../../plan/stages/loads.js';
import { isCounted } from '../ceiling.js';
import type { Evidence, Failure, ObservedBurst } from '../evidence.js';
import {
  aloneSentence,
  counted,
  earlyMs,
  type Finding,
  type Rule,
  spoken,
  spreadAdvice,
  worksAlone,
} from '../finding.js';
import { configuredMs, type Ramp, rampOf, roughRampOf, roundMs, type Staircase, staircaseOf } from '../shape.js';

/** Failures after a wait. */
const WAITED = new Set(['504', '502', '503', 'timeout-upgrade', 'timeout-tls', '524', '408', 'closed']);
/** The ramp must reach at least this share of the time at which the others timed out. */
const CLIFF = 0.6;
/** Ratio of the number of 101s to T/S. */
const FITS = { least: 0.75, most: 1.3 };

interface Cliff {
  readonly failures: readonly Failure[];
  /** When the first ones timed out, after T0. */
  readonly measuredMs: number;
  /** T: the timeout. */
  readonly timeoutMs: number;
  /** This client's own deadline ended them. */
  readonly isOurs: boolean;
}

/** The failures of a burst that came late, and all at about the same time. */
function cliffOf(evidence: Evidence, burst: ObservedBurst): Cliff | null {
  const failures = burst.failures.filter((one) => WAITED.has(one.outcome) && one.timesMs.length > 0 && !one.isAtOnce);
  if (failures.length === 0) return null;
  const count = failures.reduce((sum, one) => sum + one.count, 0);
  const all = burst.failures.reduce((sum, one) => sum + one.count, 0);
  if (count < 0.7 * all) return null;
  const measured = Math.min(...failures.map(({ timesMs }) => earlyMs(timesMs)));
  const isOurs = failures.every(({ outcome }) => outcome.startsWith('timeout-'));
  return { failures, measuredMs: measured, timeoutMs: isOurs ? evidence.timeoutMs : configuredMs(measured), isOurs };
}

export const capacityRule: Rule = (evidence) => {
  const { worst } = evidence;
  if (!startsTogether(worst.kind)) return [];
  const cliff = cliffOf(evidence, worst);
  if (cliff === null) return [];
  // Refused by count, at moments that no timeout explains.
  if (!cliff.isOurs && cliff.failures.every((failure) => isCounted(evidence, failure))) return [];
  const stairs = staircaseOf(worst.okMs);
  if (stairs !== null && stairs.steps * stairs.stepMs >= CLIFF * cliff.timeoutMs)
    return [concurrent(evidence, sinceArrival(cliff, worst.okMs[0] - stairs.stepMs), stairs)];
  const ramp = rampOf(worst.okMs) ?? fewInLine(worst.okMs);
  if (ramp !== null && ramp.firstMs <= 0.4 * cliff.timeoutMs && ramp.lastMs >= CLIFF * cliff.timeoutMs) {
    return [serial(evidence, sinceArrival(cliff, ramp.firstMs - ramp.stepMs), ramp)];
  }
  const rough = roughRampOf(worst.okMs);
  if (rough !== null && rough.firstMs <= 0.4 * cliff.timeoutMs && rough.lastMs >= CLIFF * cliff.timeoutMs) {
    return [{ ...serial(evidence, cliff, rough), confidence: 0.6 }];
  }
  return [...commonEnd(evidence, cliff), ...noneInTime(evidence, cliff)];
};

/** A gateway's timeout starts when a request has reached it; under load the first 101 is late by the same delay. */
function sinceArrival(cliff: Cliff, lateMs: number): Cliff {
  if (cliff.isOurs || lateMs <= 0) return cliff;
  return { ...cliff, timeoutMs: configuredMs(cliff.measuredMs - Math.min(lateMs, 0.2 * cliff.measuredMs)) };
}

/** Too few for a fitted slope: the i-th 101 comes at i × S all the same. */
function fewInLine(okMs: readonly number[]): Ramp | null {
  if (okMs.length < 3 || okMs.length > 6) return null;
  const lastMs = okMs[okMs.length - 1];
  const stepMs = lastMs / okMs.length;
  const inLine = okMs.every((ms, i) => Math.abs(ms - (i + 1) * stepMs) < 0.3 * stepMs);
  return inLine ? { stepMs, firstMs: okMs[0], lastMs } : null;
}

function serial(evidence: Evidence, cliff: Cliff, ramp: Ramp): Finding {
  const { worst } = evidence;
  const timeoutMs = timeoutOf(cliff, ramp);
  const serviceMs = ramp.stepMs;
  const limit = Math.round(timeoutMs / serviceMs);
  const fits = worst.ok >= FITS.least * limit && worst.ok <= FITS.most * limit;
  const needMs = worst.attempted * serviceMs;
  return {
    cause: 'slow-serial-upgrade',
    confidence: !fits ? 0.6 : endsOtherwise(cliff) || isLumpy(worst.okMs, serviceMs) ? 0.72 : 0.92,
    evidence:
      `The 101s came one after another, one every S = ${spoken(serviceMs)} from ${spoken(ramp.firstMs)} to ${spoken(ramp.lastMs)}, ` +
      `and ${gaveUp(cliff)} T = ${spoken(timeoutMs)}: T/S = ${limit} fit into one burst, and ${worst.ok} of ${worst.attempted} got through${worst.ok > FITS.most * limit ? ' (more than fit: many reached the backend later)' : ''}. ` +
      aloneSentence(evidence),
    outcomes: cliff.failures.map(({ outcome }) => outcome),
    figures: { timeoutMs, serviceMs, limit, needMs },
    lead: `${worst.attempted} at once need ${worst.attempted} x S = ${spoken(needMs)}, and T${cliff.isOurs ? ", this client's own deadline (-t)," : ''} is ${spoken(timeoutMs)}: cut each handshake below ${spoken(timeoutMs / worst.attempted)}, or handle several in parallel. ${spreadAdvice(worst.attempted, 1000 / serviceMs)}`,
  };
}

/** If S fits many times into T, the last 101 comes this close to T. */
const LAST_IN_TIME = 0.02;

/** A busy gateway reports timeouts late, but the 101s end at T. If a round time is close, it is the configured one. */
function timeoutOf({ timeoutMs, isOurs }: Cliff, { firstMs, lastMs, stepMs }: Ramp): number {
  const round = isOurs ? null : roundMs(timeoutMs);
  if (round === null) return timeoutMs;
  const servedMs = lastMs - firstMs + stepMs;
  return Math.abs(servedMs - round) <= LAST_IN_TIME * round ? round : timeoutMs;
}

/**
 * Several at a time, but without regular steps: a staircase that a busy machine has blurred, or a queue that caught up.
 */
function isLumpy(okMs: readonly number[], stepMs: number): boolean {
  let together = 0;
  for (let i = 1; i < okMs.length; i++) if (okMs[i] - okMs[i - 1] < 0.2 * stepMs) together++;
  return together > 0.4 * okMs.length;
}

/** nginx, HAProxy and Caddy answer 504 when a single backend times out: their 502 may have another cause. */
function endsOtherwise({ failures }: Cliff): boolean {
  return failures.some(({ outcome, hop }) => outcome === '502' && hop?.id !== 'apache' && hop?.id !== 'h2o');
}

function gaveUp({ isOurs, failures }: Cliff): string {
  const said = failures.map(({ outcome, count }) => counted(count, outcome)).join(', ');
  if (isOurs) return `this client's own deadline (-t) ended the others (${said}) after`;
  const hop = failures.find((one) => one.hop !== null)?.hop?.name ?? 'the gateway';
  return `${hop} timed out the others (${said}) after`;
}

function concurrent(evidence: Evidence, cliff: Cliff, stairs: Staircase): Finding {
  const { worst } = evidence;
  const { timeoutMs } = cliff;
  const { together, stepMs, steps } = stairs;
  const limit = together * Math.floor(timeoutMs / stepMs);
  return {
    cause: 'slow-concurrent-upgrade',
    confidence: steps >= 3 ? 0.9 : 0.62,
    evidence:
      `The 101s came in ${steps} steps of ${together}, D = ${spoken(stepMs)} apart, and ${gaveUp(cliff)} T = ${spoken(timeoutMs)}: ` +
      `${together} are served at a time, ${together} x floor(T/D) = ${limit} fit, and ${worst.ok} of ${worst.attempted} got through. ${aloneSentence(evidence)}`,
    outcomes: cliff.failures.map(({ outcome }) => outcome),
    figures: { timeoutMs, stepMs, concurrency: together, limit },
    lead: `Of ${worst.attempted} at once all fit when ${Math.ceil((worst.attempted * stepMs) / timeoutMs)} are served at a time, or when D is below ${spoken((timeoutMs * together) / worst.attempted)}. ${spreadAdvice(worst.attempted, (1000 * together) / stepMs)}`,
    ...(steps < 3 && { apart: 'A longer -t or a larger burst shows more steps, if there are any.' }),
  };
}

/** All 101s came late and together: computed in parallel on one CPU. */
function commonEnd(evidence: Evidence, cliff: Cliff): Finding[] {
  const { worst, alone } = evidence;
  const { okMs } = worst;
  const [firstMs, lastMs] = [earlyMs(okMs), okMs[okMs.length - 1]];
  if (!endsTogether(worst, alone) || lastMs > 1.1 * cliff.timeoutMs || lastMs < 0.25 * cliff.timeoutMs) return [];
  return [
    {
      cause: 'cpu-bound',
      // Computing continues until the timeout cuts it off; an end long before that has another cause.
      confidence: lastMs > 0.8 * cliff.timeoutMs ? 0.62 : 0.45,
      evidence: `The 101s came together and late, ${spoken(firstMs)} to ${spoken(lastMs)} after the release, and ${gaveUp(cliff)} ${spoken(cliff.timeoutMs)}: as when all are computed side by side. ${aloneSentence(evidence)}`,
      outcomes: cliff.failures.map(({ outcome }) => outcome),
      figures: { timeoutMs: cliff.timeoutMs, cpuMs: lastMs / worst.attempted },
      apart:
        'The common end moves in proportion to the size of the burst; with a listen queue it would lie on 1, 2, 3 s instead.',
    },
  ];
}

/** Most came late and at one time: the first waited more than half as long as the last. */
function endsTogether({ okMs }: ObservedBurst, alone: Evidence['alone']): boolean {
  if (okMs.length < 5) return false;
  const firstMs = earlyMs(okMs);
  return firstMs >= 0.6 * okMs[okMs.length - 1] && firstMs >= 10 * (alone?.typicalMs ?? 20);
}

/** Single handshakes work; in the burst none was in time. */
function noneInTime(evidence: Evidence, cliff: Cliff): Finding[] {
  const { worst, bursts, alone } = evidence;
  if (worst.ok > 0 || !worksAlone(evidence)) return [];
  const smaller = bursts.find((burst) => burst.size < worst.size && endsTogether(burst, alone));
  const outcomes = cliff.failures.map(({ outcome }) => outcome);
  const said = `Alone a handshake works, and of ${worst.attempted} at once none was answered in time: ${gaveUp(cliff)} ${spoken(cliff.timeoutMs)}.`;
  const apart =
    'Smaller bursts tell: a ramp of 101s means serial work, a common end means CPU, a constant count a limit.';
  return [
    {
      cause: 'cpu-bound',
      confidence: smaller === undefined ? 0.4 : 0.7,
      evidence:
        smaller === undefined
          ? `${said} Computed side by side, all end together, and then too late.`
          : `${said} A burst of ${smaller.size} got its 101s together, ${spoken(earlyMs(smaller.okMs))} to ${spoken(smaller.okMs[smaller.okMs.length - 1])} after the release: computed side by side, so many more end together too late.`,
      outcomes,
      apart,
      figures: { timeoutMs: cliff.timeoutMs },
    },
    {
      cause: 'backend-hangs',
      confidence: 0.35,
      evidence: `${said} Or the backend stopped answering when the crowd came.`,
      outcomes,
      apart,
      figures: { timeoutMs: cliff.timeoutMs },
    },
  ];
}
