/**
 * Responses that a single handshake gets too: the status, the page and the headers show what the server or a hop
 * rejects. 5xx of gateways about their backends are in backend.ts.
 */
import type { CauseId } from '../causes.js';
import type { Evidence, Failure } from '../evidence.js';
import {
  bodyOf,
  counted,
  type Finding,
  headerOf,
  isOfWs,
  neverWorks,
  quoteOf,
  type Rule,
  sameDirect,
  unlessUnseen,
  whoSaid,
} from '../finding.js';
import { TO_TLS_PORT } from '../observations.js';
import { auth401 } from './credentials.js';
import { isWorded } from './wording.js';

type Judge = (failure: Failure, evidence: Evidence) => readonly Finding[];

export const statusRule: Rule = (evidence) => {
  if (!neverWorks(evidence)) return [];
  return evidence.failures.flatMap((failure) => {
    if (isWorded(failure)) return [];
    const judge = BY_STATUS[failure.outcome] ?? (failure.outcome.startsWith('2') ? ok200 : undefined);
    const found = judge?.(failure, evidence) ?? [];
    return found
      .filter(({ cause }) => cause !== 'upgrade-not-forwarded' || !sameDirect(evidence))
      .map((finding) => ({
        ...finding,
        confidence: unlessUnseen(evidence, finding.confidence),
      }));
  });
};

function found(failure: Failure, cause: CauseId, confidence: number, because: string, apart?: string): Finding {
  const evidence = `${whoSaid(failure)}, ${counted(failure.count, failure.outcome)}: ${because}`;
  return { cause, confidence, evidence, outcomes: [failure.outcome], ...(apart !== undefined && { apart }) };
}

const DIRECT =
  'Ask the backend itself: wstampede check URL --direct ws://BACKEND. A 101 there means that a hop before it strips the headers.';

function redirected(failure: Failure): Finding[] {
  const location = headerOf(failure, 'location');
  return [
    found(
      failure,
      'redirected',
      0.93,
      location === null ? 'it names no Location.' : `it sends clients to ${location}.`,
    ),
  ];
}

function ok200(failure: Failure): Finding[] {
  if (failure.hop?.id === 'caddy' && bodyOf(failure) === '') {
    return [found(failure, 'wrong-path', 0.7, 'an empty page is what Caddy answers where no site or route matches.')];
  }
  return [
    found(failure, 'upgrade-not-forwarded', 0.55, 'an ordinary page, as if Upgrade had not been asked for.', DIRECT),
    found(
      failure,
      'not-a-websocket-endpoint',
      0.45,
      'an ordinary page, as a web server without WebSocket gives.',
      DIRECT,
    ),
  ];
}

function bad400(failure: Failure, { origin, seen, hasOwnHeaders }: Evidence): Finding[] {
  const body = bodyOf(failure);
  // tls.ts finds out whose page it is.
  if (TO_TLS_PORT.test(body)) return [];
  if (/Too Large|too long/i.test(body))
    return [found(failure, 'header-too-large', 0.93, 'the page says that the head is too large.')];
  const versions = headerOf(failure, 'sec-websocket-version');
  if (/sec-websocket-version/i.test(body)) {
    return [found(failure, 'version-mismatch', 0.75, `it says "${quoteOf(failure)}", and version 13 was sent.`)];
  }
  // Some servers send their supported versions with every refusal.
  if (versions !== null && !/\b13\b/.test(versions)) {
    return [found(failure, 'version-mismatch', 0.9, `it speaks version ${versions} and was asked for 13.`)];
  }
  if (/upgrade|connection header/i.test(body) && seen.upgradeArrives === true) {
    const because = `it says "${quoteOf(failure)}", and ${seen.upgradeBecause}: a hop changes the case or the list of a header, or the server compares it too strictly.`;
    return [found(failure, 'header-case', 0.75, because, DIRECT)];
  }
  if (/upgrade|connection header/i.test(body)) {
    return [found(failure, 'upgrade-not-forwarded', 0.85, `it says "${quoteOf(failure)}", and the header was sent.`)];
  }
  if (/sec-websocket-key/i.test(body)) {
    return [
      found(failure, 'upgrade-not-forwarded', 0.7, 'it misses the key, and the key was sent: a hop strips headers.'),
    ];
  }
  if (versions !== null) {
    return [
      found(
        failure,
        'upgrade-not-forwarded',
        0.6,
        'a WebSocket server that speaks version 13 did not take it for a handshake.',
        DIRECT,
      ),
      found(failure, 'bad-request', 0.4, 'or it dislikes another header of the handshake.', DIRECT),
    ];
  }
  if (isOfWs(failure)) {
    return [
      found(
        failure,
        'wrong-path',
        0.72,
        'a ws server answers so to a path that is not its own.',
        'Another path, or the path with its trailing slash (wstampede check tries that).',
      ),
      found(failure, 'bad-request', 0.3, 'or to a request that it takes to be malformed.'),
    ];
  }
  const { hop } = failure;
  const isBare = hop?.own === true && GATEWAYS.has(hop.id);
  // A gateway finds nothing wrong with the handshake itself: another reason is a header of the user's.
  const isPlain = isBare && !hasOwnHeaders;
  return [
    ...(isBare
      ? [
          found(
            failure,
            'proxy-protocol-mismatch',
            isPlain ? 0.55 : 0.42,
            `the page is ${hop.name}'s own: so it answers when something before it sends the PROXY protocol.`,
            'An ordinary GET (wstampede check tries one) gets the same page then.',
          ),
        ]
      : []),
    ...(hop !== null && !hop.own && body.trim() === ''
      ? [
          found(
            failure,
            'header-case',
            0.4,
            'the backend refuses without a word: it may compare the case of Connection or Upgrade, which a hop changes.',
            DIRECT,
          ),
        ]
      : []),
    found(
      failure,
      'bad-request',
      isPlain ? 0.45 : 0.6,
      `the request is taken to be malformed${origin === null ? '; some servers insist on an Origin' : ''}.`,
    ),
  ];
}

function forbidden403(failure: Failure, { origin, credentials }: Evidence): Finding[] {
  const { hop } = failure;
  const body = bodyOf(failure);
  if (hop?.id === 'envoy' && body === '') {
    return [
      found(
        failure,
        'upgrade-not-forwarded',
        0.85,
        'Envoy says so, without a page, where upgrades are not enabled (upgrade_configs).',
      ),
    ];
  }
  if (hop?.id === 'cloudflare')
    return [found(failure, 'forbidden', 0.75, 'a rule of Cloudflare (WAF, bot or rate rule).')];
  if (/origin|\bCORS\b/i.test(body)) return [found(failure, 'origin-refused', 0.9, `it says "${quoteOf(failure)}".`)];
  if (hop?.own === true && GATEWAYS.has(hop.id)) {
    return [
      found(failure, 'forbidden', 0.75, `the page is ${hop.name}'s own: a rule of its configuration forbids it.`),
      found(failure, 'origin-refused', 0.4, 'the rule may be about the Origin.', ORIGIN_APART),
    ];
  }
  const sent =
    origin !== null
      ? 'the Origin that was sent may not be on its list'
      : 'no Origin was sent, and browsers always send one';
  const apart = ORIGIN_APART;
  const forbidden = found(failure, 'forbidden', 0.5, 'a rule of the server or of a hop forbids it.', apart);
  // ASGI servers make a 403 of every refusal of the application.
  const isRejected = credentials.length > 0 && origin === null;
  const refused = found(failure, 'origin-refused', isRejected ? 0.4 : 0.55, `${sent}.`, apart);
  if (credentials.length === 0) return [refused, forbidden];
  const because = `credentials were sent (in ${credentials.join(' and ')}), and an application that does not accept them may say 403 as well.`;
  return [found(failure, 'auth-refused', isRejected ? 0.58 : 0.45, because, apart), refused, forbidden];
}

/** Hops whose own pages are about their own rules. */
const GATEWAYS = new Set(['nginx', 'haproxy', 'apache', 'caddy', 'envoy', 'varnish', 'squid', 'lighttpd', 'h2o']);
const ORIGIN_APART =
  'wstampede check tries with and without Origin: if one of them gets another answer, it is the Origin.';

function notFound404(failure: Failure): Finding[] {
  const { hop } = failure;
  const body = bodyOf(failure);
  if (hop?.own === true && hop.id !== 'express') {
    return [
      found(failure, 'wrong-path', 0.82, `the page is ${hop.name}'s own: no route of its configuration has this path.`),
    ];
  }
  const isExpress = /Cannot GET/.test(body);
  const because = isExpress
    ? 'the page is that of an Express application, which sees a request only when Upgrade did not reach the server, or when nobody handles it.'
    : 'an ordinary page, as if Upgrade had not been asked for.';
  const through = hop !== null && hop.id !== 'express';
  return [
    found(
      failure,
      'upgrade-not-forwarded',
      through ? 0.78 : isExpress ? 0.65 : 0.5,
      through ? `${because} ${hop.name} stands before it.` : because,
      DIRECT,
    ),
    found(failure, 'wrong-path', isExpress ? 0.42 : 0.45, 'or there is no WebSocket endpoint at this path.', DIRECT),
  ];
}

function upgrade426(failure: Failure): Finding[] {
  const versions = headerOf(failure, 'sec-websocket-version');
  if (versions !== null && !/\b13\b/.test(versions)) {
    return [found(failure, 'version-mismatch', 0.92, `it speaks version ${versions} and was asked for 13.`)];
  }
  const upgrade = headerOf(failure, 'upgrade');
  if (upgrade !== null && !/websocket/i.test(upgrade)) {
    return [found(failure, 'bad-request', 0.6, `it wants an upgrade to ${upgrade} first.`)];
  }
  return [
    found(
      failure,
      'upgrade-not-forwarded',
      0.9,
      'the server asks for an Upgrade, and one was sent: a hop before it strips the header.',
    ),
  ];
}

function tooLarge(failure: Failure): Finding[] {
  return [found(failure, 'header-too-large', 0.93, 'the head or the URL of the request is too large for it.')];
}

function rate429(failure: Failure): Finding[] {
  const wait = headerOf(failure, 'retry-after');
  return [
    found(
      failure,
      'rate-limit',
      0.78,
      `too many requests${wait === null ? '' : `, retry after ${wait} s`}; even a single one is refused.`,
    ),
  ];
}

function noMethod(failure: Failure): Finding[] {
  const other = 'it does not handle such requests at this address.';
  if (failure.hop === null || failure.hop.own) return [found(failure, 'not-a-websocket-endpoint', 0.6, other, DIRECT)];
  const because = `the server behind ${failure.hop.name} does not take an ordinary GET, as if Upgrade had not been asked for.`;
  return [
    found(failure, 'upgrade-not-forwarded', 0.62, because, DIRECT),
    found(failure, 'not-a-websocket-endpoint', 0.5, other, DIRECT),
  ];
}

function application500(failure: Failure, { seen }: Evidence): Finding[] {
  const { hop } = failure;
  if (hop?.own !== true || !GATEWAYS.has(hop.id) || hop.id === 'lighttpd') {
    const confidence = hop?.own === true && hop.id === 'lighttpd' ? 0.5 : 0.7;
    return [found(failure, 'application-error', confidence, 'an error of the application; its log has the reason.')];
  }
  // If probes went past the gateway or sent an ordinary GET, they say more.
  if (seen.isOwnForAll) return [];
  const page = `the page is ${hop.name}'s own`;
  if (hop.id !== 'nginx') {
    return [
      found(failure, 'gateway-misconfigured', 0.6, `${page}: its configuration fails.`, DIRECT),
      found(failure, 'application-error', 0.35, 'or it puts its page in place of an error of the application.', DIRECT),
    ];
  }
  return [
    found(
      failure,
      'auth-subrequest-failed',
      0.55,
      `${page}: as when auth_request gets an answer other than 2xx, 401 and 403.`,
      DIRECT,
    ),
    found(failure, 'gateway-misconfigured', 0.45, `${page}: or another part of its configuration fails.`, DIRECT),
  ];
}

function http1(failure: Failure): Finding[] {
  return [found(failure, 'http2-only', 0.85, 'an AWS ALB says so to HTTP/1.1 where its target group speaks HTTP/2.')];
}

const BY_STATUS: Readonly<Record<string, Judge>> = {
  '301': redirected,
  '302': redirected,
  '303': redirected,
  '307': redirected,
  '308': redirected,
  '400': bad400,
  '401': auth401,
  '403': forbidden403,
  '404': notFound404,
  '405': noMethod,
  '407': auth401,
  '410': notFound404,
  '413': tooLarge,
  '414': tooLarge,
  '426': upgrade426,
  '429': rate429,
  '431': tooLarge,
  '464': http1,
  '494': tooLarge,
  '500': application500,
  '501': noMethod,
  '505': noMethod,
};
