/** What continues after a burst: work for clients that have disconnected, and gateways that remember a failure. */

import { isOpen } from '../../names/outcomes.js';
import type { AfterProbe } from '../../result/result.js';
import { hasSuffered } from '../../tally/after-probes.js';
import type { ObservedBurst } from '../evidence.js';
import { counted, type Finding, type Rule, spoken } from '../finding.js';
import { rampOf, roundMs } from '../shape.js';

/** A probe refused this quickly did not wait for anything. */
const QUICK_MS = 150;

export const afterRule: Rule = ({ bursts }) => bursts.flatMap((burst) => afterFindings(burst));

function afterFindings({ after, okMs, attempted }: ObservedBurst): Finding[] {
  if (after === null || after.lastFailedMs === null) return [];
  const failed = after.probes.filter(hasSuffered);
  const outcomes = [...new Set(failed.map(({ outcome }) => outcome))];
  const quick = failed.filter(({ tookMs }) => tookMs <= QUICK_MS).length;
  const recovers = isOpen(after.probes[after.probes.length - 1]?.outcome);
  const until = spoken(after.lastFailedMs);
  if (quick >= 0.8 * failed.length && failed.every(({ outcome }) => ['502', '503'].includes(outcome))) {
    return [
      {
        cause: 'negative-cache',
        confidence: recovers ? 0.75 : 0.5,
        evidence: `After the burst ${failed.length} single handshakes were refused at once (${outcomes.join(', ')}), the last ${until} after the release${recovers ? ', and then all went well again' : ''}: the gateway did not even try its backend.`,
        outcomes,
        figures: { lastFailedMs: after.lastFailedMs },
      },
    ];
  }
  const ramp = rampOf(okMs);
  const expected = ramp === null ? '' : ` (N x S = ${spoken(attempted * ramp.stepMs)} of work were asked for)`;
  // A backend that was blocked is back at once; one that works off a backlog lets each later probe wait less.
  const back = after.probes.find(({ atMs, outcome }) => atMs > (after.lastFailedMs ?? 0) && isOpen(outcome));
  const isBackAtOnce = back !== undefined && back.tookMs <= QUICK_MS;
  const falls = fallingAfter(after.lastFailedMs, after.probes);
  return [
    {
      cause: 'work-for-the-dead',
      // A 503 means that no backend took the connection, not that it was slow.
      confidence: falls ? 0.82 : outcomes.every((id) => id === '503') || (isBackAtOnce && ramp === null) ? 0.45 : 0.62,
      evidence: `After the burst ${failed.length} of ${after.probes.length} single handshakes still failed (${outcomes.join(', ')}), the last begun ${until} after the release${expected}${falls ? '; those after it waited less and less' : ''}: the backend went on working for clients that had gone.`,
      outcomes,
      figures: { lastFailedMs: after.lastFailedMs },
    },
  ];
}

/** Latencies that fall as the backlog is worked off: three probes that waited, each less than the previous one. */
function fallingAfter(fromMs: number, probes: readonly AfterProbe[]): boolean {
  const later = probes.filter(({ atMs, outcome }) => atMs > fromMs && isOpen(outcome));
  const waited = later.slice(
    0,
    later.findIndex(({ tookMs }) => tookMs <= QUICK_MS),
  );
  return waited.length >= 3 && waited.every(({ tookMs }, i) => i === 0 || tookMs < waited[i - 1].tookMs);
}

/** A gateway that refuses at once after a burst in which it gave up on its backend does not even try to connect. */
export const rememberedRule: Rule = ({ bursts }) => {
  for (let i = 1; i < bursts.length; i++) {
    const [before, now] = [bursts[i - 1], bursts[i]];
    const [failure, ...others] = now.failures;
    const gaveUp = before.ok > 0 && before.failures.some((one) => one.timesMs.length > 0 && !one.isAtOnce);
    if (!gaveUp || now.ok > 0 || failure === undefined || others.length > 0) continue;
    if (!['502', '503'].includes(failure.outcome) || !failure.isAtOnce) continue;
    return [
      {
        cause: 'negative-cache',
        confidence: 0.72,
        evidence: `Burst ${before.index} got ${before.ok} through and was given up on for the others after ${spoken(before.failures[0].timesMs[0])}; the next was refused as a whole within milliseconds (${counted(failure.count, failure.outcome)}): the gateway holds its backends for failed and does not try them.`,
        outcomes: [failure.outcome],
        apart:
          'After fail_timeout (10 s in nginx), or when the checks succeed again, all is well; a backend that has died stays away.',
      },
    ];
  }
  return [];
};

/** A burst that would pass alone fails completely because of the previous one. */
export const spoiledRule: Rule = ({ bursts }) => {
  for (let i = 1; i < bursts.length; i++) {
    const [before, now] = [bursts[i - 1], bursts[i]];
    const ramp = rampOf(before.okMs);
    if (ramp === null || before.ok === before.attempted || now.ok > 0 || now.attempted > before.ok) continue;
    return [
      {
        cause: 'work-for-the-dead',
        confidence: 0.7,
        evidence: `Burst ${before.index} got ${before.ok} of ${before.attempted} through, and the next, of only ${now.attempted}, none: the backend was still working for clients that had gone.`,
        outcomes: now.failures.map(({ outcome }) => outcome),
      },
    ];
  }
  return [];
};

/**
 * nginx with several peers tries each in turn: a 502 after a timeout means that no peer is left, and it remembers that.
 */
export const poisonedRule: Rule = ({ worst }) => {
  const failure = worst.failures.find(({ outcome, hop }) => outcome === '502' && hop?.id === 'nginx');
  if (failure === undefined || failure.timesMs.length === 0 || worst.ok === 0) return [];
  const late = failure.clusters.find(({ minMs }) => minMs > 400 && roundMs(minMs) !== null);
  if (late === undefined) return [];
  return [
    {
      cause: 'negative-cache',
      confidence: 0.7,
      evidence: `nginx answered 502, not 504, ${spoken(late.minMs)} after the release (${counted(failure.count, '502')}): after that timeout it held all of its peers for failed ("no live upstreams"), and refuses at once for fail_timeout (10 s) from then on.`,
      outcomes: ['502'],
      figures: { timeoutMs: late.minMs },
      apart:
        'A name that resolves to 127.0.0.1 and ::1 is two peers; a single peer is never disabled, and answers 504.',
    },
  ];
};
