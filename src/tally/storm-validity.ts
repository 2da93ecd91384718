/**
 * Whether the numbers of a storm can be trusted. A storm is an open model whose schedule depends on outcomes: a
 * generator that is late makes a policy look kind, so its timers are judged by the rule of arrivals. Attempts that are
 * due in the same instant can't start in the same instant; how long that takes is judged beside the second in which
 * attempts are counted.
 */
import { formatCount, formatDuration } from '../plan/units.js';
import type { Validity } from '../result/result.js';
import type { Storm } from '../result/storm.js';
import { lateVerdict, localOutcomes, validityOf, type WeighedReason } from './validity.js';

export interface StormEvidence {
  readonly storm: Omit<Storm, 'bound' | 'validity'>;
  /** What went wrong with the drop. */
  readonly problem: string | null;
  /** One sentence for each worker that did not report. */
  readonly lostWorkers: readonly string[];
  readonly isStopped: boolean;
}

/** How long after its instant an attempt may start, behind others that were due: a part of the second that is counted. */
const STARTS = { suspectMs: 250, invalidMs: 1000 };

export function judgeStorm(evidence: StormEvidence): Validity {
  return validityOf([
    ...evidence.lostWorkers.map((reason) => ({ verdict: 'invalid', reason }) as const),
    ...noDrop(evidence),
    ...localOutcomes({ outcomes: evidence.storm.attempts }),
    ...lateTimers(evidence.storm),
    ...lateStarts(evidence.storm),
    ...incomplete(evidence),
  ]);
}

function noDrop({ storm, problem, isStopped }: StormEvidence): WeighedReason[] {
  if (problem !== null) return [{ verdict: 'invalid', reason: problem }];
  if (storm.fleet === 0) return [{ verdict: 'invalid', reason: 'no client was ready, so there was nothing to drop' }];
  if (storm.dropped > 0 || isStopped) return [];
  const reason = 'no client was dropped while the run waited for it, so nothing came back';
  return [{ verdict: 'invalid', reason }];
}

function lateTimers({ late, handshakeMs }: StormEvidence['storm']): WeighedReason[] {
  if (late === null) return [];
  const verdict = lateVerdict(late.p99Ms, handshakeMs?.p50 ?? null);
  if (verdict === null) return [];
  const reason = `this machine woke up more than ${inMs(late.p99Ms)} late for 1% of the attempts, which makes a policy look kinder than it is: use more workers or machines, or fewer clients`;
  return [{ verdict, reason }];
}

function lateStarts({ late }: StormEvidence['storm']): WeighedReason[] {
  if (late === null || late.startP99Ms <= STARTS.suspectMs) return [];
  const reason = `1% of the attempts started more than ${inMs(late.startP99Ms)} after their planned instant, behind others that were due: attempts a second are understated; use more workers or machines, or fewer clients`;
  return [{ verdict: late.startP99Ms > STARTS.invalidMs ? 'invalid' : 'suspect', reason }];
}

function incomplete({ storm, isStopped }: StormEvidence): WeighedReason[] {
  const findings: WeighedReason[] = [];
  if (isStopped) findings.push({ verdict: 'suspect', reason: 'the watch was stopped before it was over' });
  const { fleet, clients } = storm;
  if (fleet > 0 && fleet < clients) {
    const reason = `only ${formatCount(fleet)} of ${formatCount(clients)} clients were ready when they were dropped`;
    findings.push({ verdict: 'suspect', reason });
  }
  return findings;
}

/** Three significant digits: more would suggest a precision that was not measured. */
function inMs(ms: number): string {
  return formatDuration(Number(ms.toPrecision(3)));
}
