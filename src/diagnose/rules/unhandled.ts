/**
 * An upgrade that reached a WebSocket server which does not handle it: because no subprotocol or an unknown one was
 * offered, or because no handler has this path. The answer to an ordinary GET shows that the server itself is running.
 */
import { capital, type Finding, neverWorks, type Rule, spoken } from '../finding.js';
import { isWorded } from './wording.js';

const REFUSES: Readonly<Record<string, readonly [none: number, unknown: number]>> = {
  closed: [0.5, 0.62],
  reset: [0.4, 0.55],
  '400': [0.38, 0.5],
  '501': [0.6, 0.66],
  'timeout-upgrade': [0.4, 0.48],
  '502': [0.35, 0.45],
};

export const subprotocolRule: Rule = (evidence) => {
  const { seen, check, subprotocols, failures, credentials } = evidence;
  const [failure] = failures;
  if (!neverWorks(evidence) || check === null || failure === undefined || seen.upgradeArrives !== true) return [];
  if (isWorded(failure)) return [];
  const confidence = REFUSES[check.outcome];
  const tried = seen.probe('without-subprotocol');
  const isWaiting = check.outcome !== 'timeout-upgrade' && !failure.isAtOnce;
  const isOf = check.outcome !== '400' || (check.answer?.body ?? '').trim() === '';
  if (confidence === undefined || isWaiting || !isOf || seen.worksDirect) return [];
  const [none, unknown] = confidence;
  const offered =
    subprotocols.length === 0
      ? 'no subprotocol was offered'
      : `${subprotocols.join(', ')} was offered, which it may not know`;
  const finding: Finding = {
    cause: 'subprotocol-required',
    confidence: subprotocols.length === 0 ? none : tried === null ? unknown : Math.min(unknown, 0.5),
    evidence: `${capital(seen.upgradeBecause)}; ${offered}: servers such as libwebsockets, mosquitto, Janus, Prosody and Vite refuse that without a word.`,
    outcomes: [check.outcome],
    apart: 'Offer the subprotocol of the server: --subprotocol mqtt, xmpp, janus-protocol, vite-hmr and the like.',
  };
  // A tunnel to a place that the token names has nothing to say when nobody has that token.
  const isToken = credentials.length > 0 && subprotocols.length === 0 && /^(closed|reset)$/.test(check.outcome);
  if (!isToken) return [finding];
  return [
    {
      cause: 'auth-refused',
      confidence: 0.55,
      evidence: `${capital(seen.upgradeBecause)}; credentials were sent (in ${credentials.join(' and ')}): some servers end the connection without a word where they do not accept them.`,
      outcomes: [check.outcome],
      apart: 'A token that is known to be good; the log of the server.',
    },
    finding,
  ];
};

/** Some servers leave an upgrade of a path that is not theirs unanswered: an ordinary GET of it gets 404. */
export const unhandledPathRule: Rule = (evidence) => {
  const { seen, check } = evidence;
  if (!neverWorks(evidence) || check?.outcome !== 'timeout-upgrade' || seen.plainGet !== '404') return [];
  return [
    {
      cause: 'wrong-path',
      confidence: 0.55,
      evidence: `The upgrade is taken and never answered, and an ordinary GET of the same path gets 404: SockJS, Faye and others with a path of their own leave every other upgrade without an answer.`,
      outcomes: ['timeout-upgrade'],
      apart: 'Another path; the documentation of the server says at which it listens.',
    },
  ];
};

/** engine.io ends an upgrade that no handler has answered after destroyUpgradeTimeout. */
const DESTROYED_MS = 1000;
/** nginx tries the servers of its upstream one after another. */
const MOST_SERVERS = 4;

export const destroyedUpgradeRule: Rule = (evidence) => {
  if (!neverWorks(evidence)) return [];
  const { seen, failures } = evidence;
  return failures.flatMap((failure): Finding[] => {
    const [first] = failure.timesMs;
    if (first === undefined || !['closed', '502'].includes(failure.outcome)) return [];
    const servers = Math.round(first / DESTROYED_MS);
    const isDue = first >= servers * DESTROYED_MS - 15 && first <= servers * (DESTROYED_MS + 120);
    const isSeen = seen.backendAnswers === true && seen.upgradeArrives === true;
    if (servers < 1 || !isDue || servers > (failure.outcome === 'closed' ? 1 : MOST_SERVERS)) return [];
    if (!isSeen && (failure.outcome !== 'closed' || evidence.check !== null)) return [];
    const said = `The upgrade is ended without a word after ${spoken(first)}`;
    const get = isSeen ? `, while an ordinary GET is answered (${seen.plainGet})` : '';
    const outcomes = [failure.outcome];
    const apart =
      'socket.io listens at /socket.io/?EIO=4&transport=websocket unless its path option says otherwise; destroyUpgrade: false of engine.io leaves other upgrades alone.';
    return [
      {
        cause: 'wrong-path',
        confidence: isSeen ? 0.72 : 0.62,
        evidence: `${said}${get}: socket.io and engine.io end upgrades that no handler has answered after 1 s, those of another path too.`,
        outcomes,
        apart,
      },
      {
        cause: 'two-servers-answered',
        confidence: 0.4,
        evidence: `${said}${get}: or engine.io on the same port ends it before a slower handler has answered.`,
        outcomes,
        apart,
      },
    ];
  });
};
