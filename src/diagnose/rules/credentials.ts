/** Credentials: whether and how they were sent, who refused them, and whether all clients or only some were refused. */
import { formatCount } from '../../plan/units.js';
import type { Evidence, Failure } from '../evidence.js';
import { counted, type Finding, headerOf, isOfWs, type Rule, whoSaid } from '../finding.js';

/** `in the query and a cookie`. */
function sentWords({ credentials }: Evidence): string {
  if (credentials.length === 0) return 'none were sent';
  return `credentials were sent (in ${credentials.join(' and ')}) and not accepted`;
}

/** 401 or 407, also for a single handshake. */
export function auth401(failure: Failure, evidence: Evidence): Finding[] {
  const asked = headerOf(failure, 'www-authenticate');
  const found = (confidence: number, because: string, apart?: string): Finding => ({
    cause: 'auth-refused',
    confidence,
    evidence: `${whoSaid(failure)}, ${counted(failure.count, failure.outcome)}: ${because}`,
    outcomes: [failure.outcome],
    ...(apart !== undefined && { apart }),
  });
  if (asked !== null || !isOfWs(failure)) {
    return [found(0.92, `${asked === null ? '' : `it asks for ${asked}; `}${sentWords(evidence)}.`)];
  }
  const apart = 'wstampede check tries with and without Origin; verifyClient of a ws server refuses both with 401.';
  const refused = found(0.7, `verifyClient of a ws server says no; ${sentWords(evidence)}.`, apart);
  const origin = { ...found(0.4, 'verifyClient of a ws server says no, maybe to the Origin.', apart) };
  return [refused, { ...origin, cause: 'origin-refused' }];
}

/** Some clients get 101 and others 401: if each has its own data row, the rows differ. */
export const partlyRefusedRule: Rule = (evidence) => {
  const { worst, bursts, usesRows, credentials, alone } = evidence;
  const failure = worst.failures.find(({ outcome }) => outcome === '401' || (outcome === '403' && usesRows));
  const passed = worst.ok > 0 || (usesRows && alone !== null && alone.ok > 0);
  if (failure === undefined || !passed) return [];
  const refused = bursts.map((burst) => countOf(burst.failures, failure.outcome));
  const isSame = bursts.length > 1 && Math.max(...refused) - Math.min(...refused) <= 1;
  const sizes = new Set(bursts.map(({ size }) => size)).size === 1;
  const rows = usesRows ? ' Each client sends the values of its own data row' : '';
  const again = isSame && sizes ? `${rows === '' ? ' ' : ', and '}${refused.length} bursts got the same count` : '';
  return [
    {
      cause: 'credentials-partly-refused',
      confidence: usesRows ? (failure.outcome === '401' ? 0.88 : 0.7) : credentials.length > 0 ? 0.5 : 0.4,
      evidence: `${formatCount(worst.ok)} got their 101, and ${whoSaid(failure)} to ${formatCount(failure.count)} of ${formatCount(worst.attempted)}.${rows}${again}${rows + again === '' ? '' : '.'}`,
      outcomes: [failure.outcome],
      figures: { refused: failure.count },
      apart:
        'The rows that are refused: with --attempts FILE.csv the same rows fail in every burst. A limit on sessions or on a rate refuses others each time.',
    },
  ];
};

function countOf(failures: readonly Failure[], outcome: string): number {
  return failures.find((one) => one.outcome === outcome)?.count ?? 0;
}
