/**
 * A storm that feeds itself: clients leave before they are served, come back, and the service spends its time on
 * handshakes of clients that have left. The remedy is a number: over how many seconds they must come back.
 */
import { stormRemedy, stormRemedyWords } from '../../plan/policy/recovery.js';
import { formatCount, formatDuration } from '../../plan/units.js';
import type { Evidence } from '../evidence.js';
import type { Finding, Rule } from '../finding.js';
import type { StormOfPlan } from '../storms.js';

/** Shares of the attempts after a drop that their own clients gave up. */
const WASTED = { least: 0.1, most: 0.5 };

export const retryStormRule: Rule = ({ storms, timeoutMs }: Evidence) =>
  storms.flatMap((one) => found(one, timeoutMs) ?? []);

function found({ storm, policy, stage }: StormOfPlan, timeoutMs: number): Finding | null {
  const { abandoned, attempts, dropped, never, perSecond } = storm;
  const total = Object.values(attempts).reduce((sum, count) => sum + count, 0);
  const wasted = total === 0 ? 0 : abandoned / total;
  const served = Math.max(0, ...perSecond.opens);
  const rate = stage.capacity ?? served;
  if (storm.validity.verdict === 'invalid' || dropped === 0 || wasted < WASTED.least || rate === 0) return null;
  const limitMs = policy.timeout?.maxMs ?? timeoutMs;
  const known = stage.capacity === null ? 'at most' : 'told to be';
  const stuck =
    never.stillTrying === 0
      ? ''
      : ` ${formatCount(never.stillTrying)} of ${formatCount(dropped)} clients were still trying at the end of the watch.`;
  const remedy = stormRemedy(dropped, rate, policy.timeout?.maxMs ?? null);
  return {
    cause: 'retry-storm',
    confidence: wasted >= WASTED.most || never.stillTrying > 0 ? 0.9 : 0.75,
    evidence: `With the policy ${policy.name}, ${formatCount(abandoned)} of ${formatCount(total)} attempts were given up by their own client (timeout ${formatDuration(limitMs)}) before they were served; handshakes completed in a second: ${known} ${formatCount(rate)}.${stuck}`,
    outcomes: Object.keys(attempts).filter((id) => id.startsWith('timeout-')),
    figures: { abandoned, attempts: total, perSecond: rate, timeoutMs: limitMs, windowMs: remedy.windowMs },
    lead: `For ${formatCount(dropped)} clients at ${formatCount(rate)} a second: ${stormRemedyWords(remedy)}.`,
  };
}
