/**
 * What servers and applications say in their own words: a body that names the problem is better evidence than a status.
 * One table; the words are those of the products named in it.
 */

import { REASON_HEADER } from '../../names/reasons.js';
import type { Sample } from '../../result/result.js';
import type { CauseId } from '../causes.js';
import type { Evidence, Failure } from '../evidence.js';
import {
  bodyOf,
  counted,
  detailsOf,
  type Finding,
  headerOf,
  inOneLine,
  neverWorks,
  type Rule,
  unlessUnseen,
  whoSaid,
} from '../finding.js';
import { type Hop, recogniseHop } from '../hops.js';
import { isStatus, TO_TLS_PORT } from '../observations.js';

interface Wording {
  readonly says: RegExp;
  /** The outcomes in which the words are looked for. */
  readonly outcomes: RegExp;
  readonly cause: CauseId;
  readonly confidence: number;
  /** Completes "it says ...: ". */
  readonly because: string;
  readonly lead?: string;
  /** The answers to the probes can't speak against it: they would be the same. */
  readonly isDecided?: true;
  /** It is about every request, so that an ordinary GET is told of it as well. */
  readonly concernsAll?: true;
}

const REFUSALS = /^(4\d\d|500|501|502|503|200)$/;

const WORDINGS: readonly Wording[] = [
  {
    // uvicorn without websockets or wsproto; its log says "No supported WebSocket library detected".
    says: /Unsupported upgrade request|No supported WebSocket library/i,
    outcomes: REFUSALS,
    cause: 'not-a-websocket-endpoint',
    confidence: 0.9,
    because: 'so a server answers that has no WebSocket library (uvicorn); Upgrade did arrive.',
    isDecided: true,
    lead: "Install the library beside the server: pip install 'uvicorn[standard]', or websockets or wsproto.",
  },
  {
    // engine.io, code 1; the id may be masked.
    says: /Session ID (unknown|\*{3})|"code":\s*1\b.{0,40}"message"/i,
    outcomes: /^400$/,
    cause: 'sticky-session-missing',
    confidence: 0.88,
    because:
      'engine.io does not know the session id of the request: another worker or server has opened it, or it has ended.',
  },
  {
    // SignalR, SockJS.
    says: /No Connection with that ID|Connection ID required|session (is )?not found|unknown session/i,
    outcomes: /^(400|404)$/,
    cause: 'sticky-session-missing',
    confidence: 0.75,
    because: 'the connection was negotiated with another server, or never.',
  },
  {
    says: /Transport unknown/i,
    outcomes: /^400$/,
    cause: 'bad-request',
    confidence: 0.85,
    because: 'engine.io misses ?EIO=4&transport=websocket in the query.',
    lead: 'Add ?EIO=4&transport=websocket to the URL (socket.io and engine.io).',
  },
  {
    says: /Unsupported protocol version/i,
    outcomes: /^(400|invalid-101)$/,
    cause: 'version-mismatch',
    confidence: 0.88,
    because: 'engine.io speaks another EIO than the query asks for.',
    lead: 'Ask for the EIO that the server speaks: EIO=4 since socket.io 3.',
  },
  {
    // engine.io, code 3: transport=websocket without an upgrade.
    says: /"code":\s*3\b.{0,40}Bad request/i,
    outcomes: /^400$/,
    cause: 'upgrade-not-forwarded',
    confidence: 0.88,
    because: 'so engine.io answers an ordinary GET with transport=websocket: Upgrade did not reach it.',
  },
  {
    says: /"code":\s*4\b.{0,60}"message"/i,
    outcomes: /^(400|403)$/,
    cause: 'forbidden',
    confidence: 0.8,
    because: 'allowRequest of engine.io refused it.',
  },
  {
    says: /^Welcome to SockJS!/,
    outcomes: /^200$/,
    cause: 'wrong-path',
    confidence: 0.9,
    because: 'SockJS greets so at its prefix, and its WebSocket is below that.',
    lead: 'Add /websocket to the path, or /SERVER/SESSION/websocket (such as /000/abcdefgh/websocket).',
  },
  {
    // Gateways before a TLS backend send it too; rules/tls.ts knows whose port it was.
    says: /Missing ALPN Protocol|Unknown ALPN Protocol|HTTP\/2 (only|required)/i,
    outcomes: /^(403|400|426|505)$/,
    cause: 'http2-only',
    confidence: 0.9,
    because: 'the server wants HTTP/2.',
  },
  {
    says: /sub-?protocol|Sec-WebSocket-Protocol/i,
    outcomes: /^(400|406|426|500|501)$/,
    cause: 'subprotocol-required',
    confidence: 0.85,
    because: 'it misses a subprotocol, or does not know the one that was offered.',
  },
  {
    says: /Invalid Host header|DisallowedHost|Invalid HTTP_HOST|This host .{0,80}(is )?not allowed|host not allowed|unknown host/i,
    outcomes: /^(400|403|421)$/,
    cause: 'forbidden',
    confidence: 0.82,
    because: 'the server refuses the Host of the request.',
    lead: 'Add the host to the allowed hosts of the server, or send the right one: -H "Host: NAME".',
    concernsAll: true,
  },
  {
    // Spring says "Invalid CORS request".
    says: /origin|CSWSH|\bCORS\b/i,
    outcomes: /^403$/,
    cause: 'origin-refused',
    confidence: 0.9,
    because: 'the refusal is about the Origin.',
    // A server with a list refuses the Origins of the probes as well.
    isDecided: true,
  },
  {
    // A 400 or 401 that only mentions an origin may be about an origin server.
    says: /\bcross[- ]?origin\b|\b(invalid|unknown|bad|wrong|missing|forbidden|disallowed|untrusted) origin\b|\borigin\b(?! (server|host)).{0,80}\b(not|denied|refused|rejected|forbidden|invalid|mismatch)\b/i,
    outcomes: /^(400|401|426)$/,
    cause: 'origin-refused',
    confidence: 0.88,
    because: 'the refusal is about the Origin.',
    // A server with a list refuses the Origins of the probes as well.
    isDecided: true,
  },
  {
    says: /no available server/i,
    outcomes: /^503$/,
    cause: 'health-check-fails',
    confidence: 0.6,
    because: 'Traefik says so when every server of the service fails its health check, or none is configured.',
  },
  {
    says: /(token|jwt|signature|session|credential)s?\b.{0,40}\b(expired|invalid|missing|required|malformed)|(expired|invalid|missing) (\w+ )?(token|jwt|credentials|api key)|jwt (expired|malformed)/i,
    outcomes: /^(400|403|500|502)$/,
    cause: 'auth-refused',
    confidence: 0.82,
    because: 'the refusal is about the credentials.',
  },
  {
    says: /too many (open )?(connections|sockets|clients)|max(imum)? (number of )?(connections|clients)|connections? (limit|exceeded)/i,
    outcomes: /^(4\d\d|50[03])$/,
    cause: 'connection-limit',
    confidence: 0.8,
    because: 'it names a limit of connections.',
  },
];

/** The login page of a gateway before the application (oauth2-proxy, Vouch, SSO). */
const LOGIN_PAGE =
  /<form[^>]*(log|sign)-?in|<title>[^<]*(log ?in|sign ?in|single sign|authenticat)|type=["']?password/i;
const LOGIN_PLACE = /log-?in|sign-?in|\/auth\b|oauth|sso|saml|openid/i;

export const wordingRule: Rule = (evidence) => [
  ...evidence.failures.flatMap((failure): Finding[] => {
    const said = wordingOf(failure);
    return said === null ? loginPage(evidence, failure) : [saidSo(evidence, failure, said)];
  }),
  ...toldToGet(evidence),
];

/** A response that states its cause in words: its status need not be interpreted. */
export function isWorded(failure: Failure): boolean {
  return wordingOf(failure) !== null || isLoginPage(failure);
}

export function isLoginPage(failure: Failure): boolean {
  return /^(200|401|403)$/.test(failure.outcome) && LOGIN_PAGE.test(bodyOf(failure));
}

interface Said {
  readonly wording: Wording;
  readonly quote: string;
}

function wordingOf(failure: Failure): Said | null {
  return isSaidAlone(failure.hop) ? wordingIn(failure.sample, failure.outcome) : null;
}

function wordingIn(sample: Sample | null, outcome: string): Said | null {
  const texts = sample === null ? [] : textsOf(sample);
  if (texts.some((text) => TO_TLS_PORT.test(text))) return null;
  for (const wording of WORDINGS) {
    const quote = wording.outcomes.test(outcome) ? texts.find((text) => wording.says.test(text)) : undefined;
    if (quote !== undefined) return { wording, quote };
  }
  return null;
}

/** Where a refusal may say why: its body, a header for it, and the phrase after the status. */
function textsOf({ body, headers, statusLine }: Sample): string[] {
  const reasons = headers.filter(([name]) => REASON_HEADER.test(name)).map(([, value]) => value);
  const phrase = /^\S+ \d{3} (.+)$/.exec(statusLine ?? '')?.[1];
  return [...(body === null ? [] : [body]), ...reasons, ...(phrase === undefined ? [] : [phrase])];
}

/** Gateways' pages contain many words: only short texts of an application count. */
function isSaidAlone(hop: Hop | null): boolean {
  return hop?.own !== true || hop.id === 'express' || hop.id === 'traefik';
}

function saidSo(evidence: Evidence, failure: Failure, { wording, quote }: Said): Finding {
  const { cause, because, lead, confidence, isDecided } = wording;
  return {
    cause,
    confidence: unlessUnseen(evidence, confidence),
    evidence: `${whoSaid(failure)}, ${counted(failure.count, failure.outcome)}. It says "${inOneLine(quote)}": ${because}`,
    outcomes: [failure.outcome],
    ...(lead !== undefined && { lead }),
    ...(isDecided && { isDecided }),
  };
}

/** The handshake is refused without a reason, and an ordinary GET of the same address hears one that concerns both. */
function toldToGet(evidence: Evidence): Finding[] {
  const get = evidence.seen.probe('without-upgrade');
  const failure = evidence.failures.find(({ outcome }) => isStatus(outcome));
  if (get?.sample == null || failure === undefined || isWorded(failure) || !neverWorks(evidence)) return [];
  const said = isSaidAlone(recogniseHop(get.sample)) ? wordingIn(get.sample, get.outcome) : null;
  if (said?.wording.concernsAll !== true) return [];
  const { cause, because, lead } = said.wording;
  return [
    {
      cause,
      confidence: 0.78,
      evidence: `${whoSaid(failure)}, ${counted(failure.count, failure.outcome)}, and an ordinary GET of the same address ${get.outcome}. That one says "${inOneLine(said.quote)}": ${because}`,
      outcomes: [failure.outcome],
      ...(lead !== undefined && { lead }),
    },
  ];
}

function loginPage(evidence: Evidence, failure: Failure): Finding[] {
  const location = headerOf(failure, 'location');
  const isPage = isLoginPage(failure);
  const isPlace = /^30[12378]$/.test(failure.outcome) && location !== null && LOGIN_PLACE.test(location);
  if (!isPage && !isPlace) return [];
  const sent = evidence.credentials.length > 0 ? 'the credentials that were sent were not accepted' : 'none were sent';
  return [
    {
      cause: 'auth-refused',
      confidence: unlessUnseen(evidence, isPage ? 0.78 : 0.5),
      evidence: `${whoSaid(failure)}, ${counted(failure.count, failure.outcome)}: ${isPage ? 'a login page' : `a way to log in (${location})`} in place of the handshake; ${sent}.`,
      outcomes: [failure.outcome],
    },
  ];
}

/** Responses that came before the request was sent: the hop had waited too long for a request. */
export const answeredBeforeRule: Rule = (evidence) => [
  ...evidence.failures
    .filter((failure) => isBeforeRequest(failure, evidence))
    .map((failure) => ({
      cause: 'answered-before-request' as const,
      confidence: 0.92,
      evidence: `${counted(failure.count, failure.outcome)} came before the request was sent: connections wait at --gate ${evidence.gate} until all of them are open, and the hop gave up waiting for a request meanwhile.`,
      outcomes: [failure.outcome],
      lead: 'Use --gate connect, or fewer connections.',
    })),
  ...endedWaiting(evidence),
];

/**
 * Connections that the hop ended while they waited for the release: a timeout for the first bytes, or a connection
 * limit.
 */
function endedWaiting({ failures, gate, alone }: Evidence): Finding[] {
  if (gate === 'connect' || alone === null || alone.ok === 0) return [];
  return failures.flatMap((failure): Finding[] => {
    const waited = failure.details['before the release'] ?? 0;
    if (!/^(closed|reset)$/.test(failure.outcome) || waited < 0.5 * failure.count) return [];
    return [
      {
        cause: 'answered-before-request',
        confidence: 0.5,
        evidence: `${counted(waited, failure.outcome)} while they waited at --gate ${gate} for the others, before anything was sent: the time that the hop gives a client to begin is shorter than opening all connections takes.`,
        outcomes: [failure.outcome],
        lead: 'Use --gate connect, or fewer connections.',
        apart: 'A limit of connections ends them as well: a smaller burst, or --gate connect, tells the two apart.',
      },
    ];
  });
}

function isBeforeRequest(failure: Failure, { gate, alone }: Evidence): boolean {
  // A server that is not HTTP sends a greeting (SSH, SMTP): that is another cause.
  if (!isStatus(failure.outcome)) return false;
  if (/before the request/i.test(detailsOf(failure))) return true;
  // A hop that otherwise answers well sends 408 only to clients that kept it waiting.
  return failure.outcome === '408' && gate === 'upgrade' && alone !== null && alone.ok > 0;
}
