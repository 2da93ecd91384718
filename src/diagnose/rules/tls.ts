/** TLS: the meaning of the error code, and of what servers answer to the wrong protocol. */
import type { CauseId } from '../causes.js';
import type { Evidence, Failure } from '../evidence.js';
import { bodyOf, counted, detailsOf, failureOf, headerOf, type Rule, unlessUnseen, worksAlone } from '../finding.js';
import { TO_TLS_PORT } from '../observations.js';
import { SYN_RETRY_MS } from './deadline.js';

/** In order: the first match is used. */
const CODES: readonly (readonly [RegExp, CauseId, string])[] = [
  [/CERT_HAS_EXPIRED/, 'tls-expired', 'the certificate has expired'],
  [/CERT_NOT_YET_VALID/, 'tls-expired', 'the certificate is not valid yet'],
  [/ALTNAME/, 'tls-wrong-name', 'the certificate names another host'],
  [/SELF_SIGNED/, 'tls-untrusted', 'the certificate is signed by itself, or by an authority of its own'],
  [/UNABLE_TO|UNTRUSTED|CERT_SIGNATURE|INVALID_CA/, 'tls-untrusted', 'the chain ends at nobody who is trusted'],
  [/CERTIFICATE_REQUIRED|BAD_CERTIFICATE/, 'tls-client-certificate', 'the server asks for a client certificate'],
  [
    /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/,
    'plaintext-port',
    'the answer to the TLS hello was no TLS',
  ],
  [/NO_APPLICATION_PROTOCOL/, 'http2-only', 'the server wants another protocol than HTTP/1.1 (ALPN)'],
  [/UNRECOGNIZED_NAME/, 'tls-protocol', 'the server has no certificate for this name (SNI)'],
  [/PROTOCOL|VERSION|HANDSHAKE_FAILURE|CIPHER/, 'tls-protocol', 'no TLS version or cipher in common'],
];

export const tlsRule: Rule = (evidence) => {
  const failure = failureOf(evidence, 'tls');
  if (failure === null) return [];
  const text = detailsOf(failure);
  const match = CODES.find(([pattern]) => pattern.test(text));
  if (match === undefined) return [];
  const [pattern, cause, words] = match;
  const code = text.split('\n').find((line) => pattern.test(line)) ?? '';
  return [
    {
      cause,
      confidence: cause === 'tls-protocol' || cause === 'http2-only' ? 0.82 : 0.94,
      evidence: `${counted(failure.count, 'tls')}: ${words} (${code}).`,
      outcomes: ['tls'],
    },
  ];
};

/** No TLS answer: a server that waits for a plaintext request is as silent as a busy one. */
export const tlsTimeoutRule: Rule = (evidence) => {
  const failure = failureOf(evidence, 'timeout-tls');
  if (failure === null) return [];
  const said = counted(failure.count, 'timeout-tls');
  if (worksAlone(evidence)) {
    return [
      {
        cause: 'cpu-bound',
        confidence: 0.6,
        evidence: `${said} although a handshake works alone: TLS handshakes wait for a CPU, some milliseconds each.`,
        outcomes: ['timeout-tls'],
        apart:
          'With --gate upgrade TLS is done before the release: if the failures go, it is TLS; CPU use of the gateway during the burst says the same.',
      },
    ];
  }
  return [
    {
      cause: 'plaintext-port',
      confidence: unlessUnseen(evidence, evidence.timeoutMs < SYN_RETRY_MS ? 0.4 : 0.55),
      evidence: `${said}: TCP is open and nobody answers the TLS hello, as a server does that waits for a plaintext request.`,
      outcomes: ['timeout-tls'],
      apart: 'Try ws:// on the same port (wstampede check does); silence there too means that the server hangs.',
    },
  ];
};

const WANTS_CERTIFICATE = /No required SSL certificate|SSL certificate error|certificate (is )?required/i;

/**
 * The page is not from this port: this client used TLS, or the port does not speak it, or the connection stayed open
 * after the page, which a TLS port never allows.
 */
function isRelayed({ scheme, seen }: Evidence, failure: Failure): boolean {
  if (scheme === 'wss' || seen.speaksTls === false || seen.worksDirect) return true;
  return seen.speaksTls !== true && headerOf(failure, 'connection')?.toLowerCase() === 'keep-alive';
}

export const tlsPortRule: Rule = (evidence) => {
  const failure = failureOf(evidence, '400', '497', '495', '496');
  const body = failure === null ? '' : bodyOf(failure);
  if (failure !== null && TO_TLS_PORT.test(body)) {
    const said = `${counted(failure.count, failure.outcome)} whose page says that a plain HTTP request was sent to a TLS port`;
    const outcomes = [failure.outcome];
    if (isRelayed(evidence, failure)) {
      return [
        {
          cause: 'gateway-misconfigured',
          confidence: 0.88,
          evidence: `${said}, and it was not sent by this client: a gateway speaks http:// to a backend that speaks TLS.`,
          outcomes,
          lead: 'Let the gateway dial the backend by https:// (wss://).',
          isDecided: true,
        },
      ];
    }
    return [{ cause: 'tls-port', confidence: 0.97, evidence: `${said}.`, outcomes }];
  }
  if (failure !== null && WANTS_CERTIFICATE.test(body)) {
    return [
      {
        cause: 'tls-client-certificate',
        confidence: 0.95,
        evidence: `${counted(failure.count, failure.outcome)} whose page asks for a client certificate.`,
        outcomes: [failure.outcome],
      },
    ];
  }
  const alert = failureOf(evidence, 'malformed');
  // A TLS alert record: type 21, version 3.x (RFC 8446 section 5.1); unprintable bytes are escaped in samples.
  if (alert !== null && /^(\\x15|\u0015|\\u0015)(\\x03|\u0003|\\u0003)/.test(bodyOf(alert))) {
    return [
      {
        cause: 'tls-port',
        confidence: 0.92,
        evidence: `${counted(alert.count, 'malformed')}: the answer is a TLS alert.`,
        outcomes: ['malformed'],
      },
    ];
  }
  return [];
};
