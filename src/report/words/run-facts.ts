/**
 * The facts about a run besides its numbers, in the order of importance: doubts about the numbers, how close together
 * the attempts started, what the kernel retransmitted, how single handshakes did afterwards, and the generator's own
 * cost. Which facts there are depends on the run.
 */
import { isOpen, openedOf } from '../../names/outcomes.js';
import type { Gate } from '../../plan/plan.js';
import { printable } from '../../plan/printable.js';
import { LOADS, startsTogether } from '../../plan/stages/loads.js';
import { formatCount } from '../../plan/units.js';
import type { Burst, Calibration, Counted, Result, Summary } from '../../result/result.js';
import { weighed } from '../../tally/validity.js';
import { afterText } from './after-words.js';
import { arrivalsFact } from './arrival-words.js';
import { endFacts, readyFacts } from './end-words.js';
import type { Fact } from './fact.js';
import { hasDropOff, remediesOf } from './headline.js';
import { percent, spokenMs } from './numbers.js';
import { preflightOutcomes } from './outcome-words.js';

/** Reasons to doubt the numbers. */
export function doubtsOf(result: Result): Fact[] {
  const { validity, preflight } = result;
  const doubts: Fact[] = [];
  if (validity.verdict !== 'valid') {
    // The headline of an invalid run already gives its first reason; a search's headline only if that is a limit of the
    // generator.
    const isTold =
      validity.verdict === 'invalid' && (!hasDropOff(result) || result.dropOff.verdict === 'GENERATOR_LIMITED');
    // Each with its own severity: a reason that is only suspect did not make the run invalid.
    for (const { verdict, reason } of weighed(validity).slice(isTold ? 1 : 0)) {
      const isDoubt = verdict !== 'valid';
      doubts.push({ label: isDoubt ? verdict : 'note', text: printable(reason), isDoubt });
    }
  }
  if (preflight !== null && Object.keys(preflight.outcomes).some((id) => !isOpen(id))) {
    const outcomes = preflightOutcomes(preflight.outcomes, preflight.attempted);
    const text = `${outcomes}: alone, the target did not always give a 101`;
    doubts.push({ label: 'preflight', text, isDoubt: true });
  }
  return doubts;
}

/** Why there are no numbers, and what to try. */
export function reasonsForNothing(result: Result): Fact[] {
  const { plan, preflight, validity, stopped } = result;
  const [, ...others] = validity.reasons;
  // The headline already gives one of them.
  const untold = stopped === null ? others : validity.reasons.filter((reason) => reason !== stopped);
  const hasAnswer = preflight === null || openedOf(preflight.outcomes) > 0;
  const remedies = hasAnswer ? [] : remediesOf(result);
  return [
    { label: 'target', text: printable(plan.target.url) },
    ...(preflight === null
      ? []
      : [{ label: 'preflight', text: preflightOutcomes(preflight.outcomes, preflight.attempted) }]),
    ...untold.map((reason) => ({ label: 'because', text: printable(reason) })),
    ...remedies.map((remedy) => ({ label: 'try', text: remedy })),
  ];
}

/** What was measured besides outcomes and latencies. */
export function runFacts(result: Result): Fact[] {
  const { bursts, totals } = result;
  return [
    ...releaseFact(bursts),
    ...bursts.flatMap(arrivalsFact),
    ...bursts.flatMap(paceFact),
    ...readyFacts(totals, result.plan.session.script?.messageTimeoutMs ?? null),
    ...endFacts(totals),
    ...kernelFact(totals),
    ...afterFact(bursts),
    ...floorFact(bursts),
    ...tlsFact(result),
    ...clampedFact(totals),
    ...validityFact(result),
  ];
}

/** Which transport was used. */
export function transportFacts({ generators }: Result): Fact[] {
  return generators.map(({ transport, transportNote }) => ({
    label: 'transport',
    text: transportNote === null ? transport : `${transport}, ${printable(transportNote)}`,
  }));
}

/** The gate of all attempts of the run; null when some had none or another one. */
export function oneGate({ bursts }: Result): Gate | null {
  const gates = new Set(bursts.map(({ kind, gate }) => (startsTogether(kind) ? gate : null)));
  const [gate = null] = gates.size === 1 ? gates : [];
  return gate;
}

/** How close together the attempts started. */
function releaseFact(all: readonly Burst[]): Fact[] {
  const bursts = all.filter(({ release, arrivals }) => release !== null && arrivals === null);
  if (bursts.length === 0) return [];
  const spreads = bursts.map(({ release }) => release?.spreadMs ?? 0);
  if (bursts.length > 1) {
    const [least, most] = [Math.min(...spreads), Math.max(...spreads)].map(spokenMs);
    return [{ label: 'release', text: `each burst within ${least} to ${most}` }];
  }
  const [burst] = bursts;
  const released = burst.generator.launched - burst.generator.failedToArm;
  const first = firstAnswerMs(burst);
  const answer = first === null ? '' : `; first answer after ${spokenMs(first)}`;
  const end = burst.makespanMs === null ? '' : `, last attempt ended after ${spokenMs(burst.makespanMs)}`;
  const within = `${formatCount(released)} within ${spokenMs(spreads[0])} (gate ${burst.gate})`;
  return [{ label: 'release', text: `${within}${answer}${end}` }];
}

/** ms after the release; null when nothing was answered. */
function firstAnswerMs(burst: Burst): number | null {
  const answered = Object.entries(burst.failureMs).filter(([id]) => /^\d+$/.test(id) || id === 'invalid-101');
  const summaries = [burst.latencyMs.handshake, ...answered.map(([, summary]) => summary)];
  const times = summaries.filter((summary): summary is Summary => summary !== null).map(({ min }) => min);
  return times.length === 0 ? null : Math.min(...times);
}

/** Handshakes per second, over the whole time and second by second. */
function paceFact({ kind, rate, perSecond }: Burst): Fact[] {
  if (!LOADS[kind].hasRate || rate === null) return [];
  const text = `${formatCount(Math.round(rate))} handshakes/s`;
  // The last second is rarely complete.
  const whole = (perSecond ?? []).slice(0, -1);
  if (whole.length < 2) return [{ label: 'pace', text }];
  const range = `${formatCount(Math.min(...whole))} to ${formatCount(Math.max(...whole))} in a whole second`;
  return [{ label: 'pace', text: `${text}; ${range}`, curve: whole }];
}

/** Retransmissions; no fact without any. */
function kernelFact({ kernel }: Counted): Fact[] {
  if (kernel === null) return [];
  const resent = (what: string, attempts: number, times: number): string[] =>
    attempts === 0
      ? []
      : [`${what}: ${formatCount(attempts)} of ${formatCount(kernel.asked)} attempts (${formatCount(times)} in all)`];
  const parts = [
    ...resent('SYN retransmits', kernel.synRetransmitted, kernel.synRetransmits),
    ...resent('data retransmits', kernel.retransmitted, kernel.retransmits),
  ];
  return parts.length === 0 ? [] : [{ label: 'kernel', text: parts.join('; ') }];
}

function afterFact(bursts: readonly Burst[]): Fact[] {
  const text = afterText(bursts);
  return text === null ? [] : [{ label: 'after', text }];
}

/** The calibration of the largest burst: the generator's own cost, contained in every measurement. */
function floorFact(bursts: readonly Burst[]): Fact[] {
  const floors = bursts.map(({ calibration }) => calibration).filter((floor): floor is Calibration => floor !== null);
  if (floors.length === 0) return [];
  const { size, handshakeMs, spreadMs, rate, share101 } = floors.reduce((a, b) => (b.size > a.size ? b : a));
  const parts = [
    handshakeMs === null ? null : `p99 ${spokenMs(handshakeMs.p99)}`,
    rate === null ? `spread ${spokenMs(spreadMs)}` : `${formatCount(Math.round(rate))}/s`,
    share101 < 1 ? `only ${percent(share101, 1)} got a 101` : null,
  ].filter((part) => part !== null);
  const start = `this generator alone, ${formatCount(size)} against a mirror of its own`;
  return [{ label: 'floor', text: `${start}: ${parts.join(', ')}` }];
}

function tlsFact({ plan, preflight, bursts }: Result): Fact[] {
  if (plan.target.scheme !== 'wss') return [];
  const resumed = bursts.reduce((sum, { generator }) => sum + (generator.tlsResumed ?? 0), 0);
  const sessions = plan.target.tls.resume ? `${formatCount(resumed)} sessions resumed` : 'sessions not resumed';
  const negotiated = preflight?.tls ?? null;
  return [{ label: 'tls', text: negotiated === null ? sessions : `${printable(negotiated)}; ${sessions}` }];
}

function clampedFact({ clamped }: Counted): Fact[] {
  if (clamped === 0) return [];
  return [{ label: 'clamped', text: `${formatCount(clamped)} latencies were outside 1 µs to 10 min` }];
}

/** Only for a valid run; reasons of other verdicts are shown above the numbers, as doubts. */
function validityFact({ validity: { verdict, reasons } }: Result): Fact[] {
  if (verdict !== 'valid') return [];
  return [{ label: 'validity', text: ['valid', ...reasons.map((reason) => printable(reason))].join('; ') }];
}
