/**
 * Rows in which the words are wrong rather than their number: TLS in its ways to fail, heads too large, answers that are
 * none (3g). Builders.
 */
import { WRONG_CERTIFICATES } from '#dist/lab/server/wrong-certificates.js';
import type { GatewayName } from './configs.js';
import { all, at, PATIENT, type Row, type Shot, soon, type Where } from './row.js';

interface Worded {
  readonly gateway: GatewayName;
  /** N. */
  readonly size: number;
  readonly where: Where;
}

const LONG_MS = 20_000;
/** No row here is about this one, save those that say so: "at once" is less than half of it. */
const READ_MS = 2000;
const HEALTHY = { kind: 'ws', built: 'port' } as const;

function row(of: Worded, more: Pick<Row, 'kind' | 'cause' | 'story'> & Partial<Row>, shot: Partial<Shot>): Row {
  const { gateway, size, where } = of;
  return {
    id: `${gateway}/${more.kind}`,
    gateway,
    settings: { ...PATIENT, readMs: READ_MS },
    backend: HEALTHY,
    shots: [{ size, timeoutMs: LONG_MS, expects: [], log: {}, ...shot }],
    where,
    ...more,
  };
}

/** A TLS handshake that fails leaves no line in an access log. */
function failsTls(size: number, why: string, detail: RegExp): Pick<Shot, 'door' | 'expects' | 'log'> {
  return {
    door: 'secure',
    expects: [{ ...all('tls', size, '3g', why, soon(READ_MS)), detail }],
    log: { tls: null },
  };
}

export function untrusted(of: Worded): Row {
  return row(
    of,
    { kind: 'tls-untrusted', cause: 'tls-untrusted', story: 'a self-signed certificate that the client does not know' },
    { ...failsTls(of.size, 'nobody vouches for it', /DEPTH_ZERO_SELF_SIGNED_CERT/), trusts: false },
  );
}

const FAULTS = {
  expired: { cause: 'tls-expired', code: /CERT_HAS_EXPIRED/ },
  'not-yet-valid': { cause: 'tls-expired', code: /CERT_NOT_YET_VALID/ },
  'wrong-name': { cause: 'tls-wrong-name', code: /ERR_TLS_CERT_ALTNAME_INVALID/ },
} as const;
export type CertificateFault = keyof typeof FAULTS;
export const CERTIFICATE_FAULTS = Object.keys(FAULTS) as CertificateFault[];

export function wrongCertificate(of: Worded & { readonly fault: CertificateFault }): Row {
  const { cause, code } = FAULTS[of.fault];
  return row(
    of,
    {
      kind: `tls-${of.fault}`,
      cause,
      story: `a certificate that is ${of.fault.replaceAll('-', ' ')}`,
      certificate: WRONG_CERTIFICATES[of.fault],
    },
    failsTls(of.size, "the client's own judgement", code),
  );
}

const OLD_TLS: Readonly<Partial<Record<GatewayName, Record<string, string>>>> = {
  nginx: { server: 'ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;' },
  haproxy: { tls: ' ssl-min-ver TLSv1.0 ssl-max-ver TLSv1.1 ciphers ALL:@SECLEVEL=0' },
  apache2: { tls: 'SSLProtocol TLSv1.1\n  SSLCipherSuite ALL:@SECLEVEL=0' },
};
/** Caddy speaks nothing older than TLS 1.2. */
export const OLD_TLS_GATEWAYS = Object.keys(OLD_TLS) as GatewayName[];

export function oldTls(of: Worded): Row {
  return row(
    of,
    {
      kind: 'tls-old-version',
      cause: 'tls-protocol',
      story: 'TLS 1.1 at most',
      settings: { ...PATIENT, readMs: READ_MS, slots: OLD_TLS[of.gateway] },
    },
    failsTls(of.size, 'no version in common: an alert', /EPROTO|ERR_SSL/),
  );
}

const UNKNOWN_NAME: Readonly<Partial<Record<GatewayName, Record<string, string>>>> = {
  nginx: { server: 'ssl_reject_handshake on;' },
  haproxy: { tls: ' strict-sni' },
};
/** Apache answers 403 to an unknown name, Caddy the first certificate that it has. */
export const UNKNOWN_NAME_GATEWAYS = Object.keys(UNKNOWN_NAME) as GatewayName[];

export function unknownName(of: Worded): Row {
  return row(
    of,
    {
      kind: 'tls-unknown-name',
      cause: 'tls-protocol',
      story: 'no certificate for the name that the client gives',
      settings: { ...PATIENT, readMs: READ_MS, slots: UNKNOWN_NAME[of.gateway] },
    },
    failsTls(of.size, 'an alert', /EPROTO|ERR_SSL|ECONNRESET/),
  );
}

const MUTUAL: Readonly<Record<GatewayName, Record<string, string>>> = {
  nginx: { server: 'ssl_verify_client on; ssl_client_certificate FOLDER/ca.pem;' },
  haproxy: { tls: ' verify required ca-file FOLDER/ca.pem' },
  apache2: { tls: 'SSLVerifyClient require\n  SSLCACertificateFile FOLDER/ca.pem' },
  caddy: { tls: 'client_auth {\n      mode require_and_verify\n      trusted_ca_cert_file FOLDER/ca.pem\n    }' },
};

/** nginx says so in HTTP; the others by an alert, which with TLS 1.3 comes when the client believes itself through. */
export function clientCertificate(of: Worded): Row {
  const { gateway, size } = of;
  return row(
    of,
    {
      kind: 'tls-client-certificate',
      cause: 'tls-client-certificate',
      story: 'a client certificate is asked for, and none is given',
      settings: { ...PATIENT, readMs: READ_MS, slots: MUTUAL[gateway] },
    },
    gateway === 'nginx'
      ? { door: 'secure', expects: [all('400', size, '3g', 'No required SSL certificate was sent', soon(READ_MS))] }
      : failsTls(size, 'an alert', /CERTIFICATE_REQUIRED|EPROTO|ERR_SSL/),
  );
}

export function plaintextPort(of: Worded): Row {
  return row(
    of,
    { kind: 'wss-to-plain', cause: 'plaintext-port', story: 'wss:// to the port that speaks no TLS' },
    {
      ...failsTls(of.size, 'wrong version number', /EPROTO|WRONG_VERSION/),
      door: 'wss-to-plain',
      log: 'a hello is no request: what is logged of it has neither path nor outcome',
    },
  );
}

export function tlsPort(of: Worded): Row {
  const { gateway, size } = of;
  return row(
    of,
    { kind: 'ws-to-tls', cause: 'tls-port', story: 'ws:// to the port that speaks TLS' },
    {
      door: 'ws-to-tls',
      expects:
        gateway === 'haproxy'
          ? ['closed', 'reset'].map((outcome) => ({
              ...all(outcome, size, '3g', 'FIN, or RST for what it did not read', soon(READ_MS)),
              count: [0, size] as const,
            }))
          : [all('400', size, '3g', 'said in plain HTTP', soon(READ_MS))],
      log: gateway === 'haproxy' ? { closed: null, reset: null } : gateway === 'caddy' ? { '400': null } : {},
    },
  );
}

const TLS_BACKEND: Readonly<Record<GatewayName, Record<string, string>>> = {
  nginx: { scheme: 'https' },
  haproxy: { server: ' ssl verify none' },
  apache2: { scheme: 'https', server: 'SSLProxyEngine on' },
  caddy: { scheme: 'https://' },
};

/** @param of.retries HAProxy's */
export function backendWithoutTls(of: Worded & { readonly retries: number }): Row {
  const { gateway, size, retries } = of;
  const expects =
    gateway === 'haproxy'
      ? all('503', size, '3g', `503 after ${retries} retries, a second each`, at(retries * 1000))
      : all(gateway === 'apache2' ? '500' : '502', size, '3g', 'at once', soon(READ_MS));
  return row(
    of,
    {
      kind: 'backend-without-tls',
      cause: 'backend-down',
      note: gateway === 'apache2' ? 'Apache 2.4.71 says 500 here, not 502' : undefined,
      story: 'the gateway speaks TLS to a backend that does not',
      settings: { ...PATIENT, readMs: READ_MS, retries, slots: TLS_BACKEND[gateway] },
    },
    { expects: [expects] },
  );
}

const PROXY_PROTOCOL: Readonly<Partial<Record<GatewayName, Record<string, string>>>> = {
  nginx: { bind: ' proxy_protocol' },
  haproxy: { bind: ' accept-proxy' },
};
export const PROXY_PROTOCOL_GATEWAYS = Object.keys(PROXY_PROTOCOL) as GatewayName[];

export function proxyProtocol(of: Worded): Row {
  const { gateway, size } = of;
  return row(
    of,
    {
      kind: 'proxy-protocol',
      cause: 'closed-without-answer',
      story: 'the PROXY protocol is expected, and a request comes',
      settings: { ...PATIENT, readMs: READ_MS, slots: PROXY_PROTOCOL[gateway] },
    },
    {
      expects: ['closed', 'reset'].map((outcome) => ({
        ...all(outcome, size, '3g', 'FIN, or RST for what it did not read', soon(READ_MS)),
        count: [0, size] as const,
      })),
      log: { closed: null, reset: null },
    },
  );
}

/** What each says to a head of `bytes`, in two headers (3g: limits of 8, 16 and 8 KiB; Caddy takes 1 MiB). */
export function headTooLarge(of: Worded & { readonly bytes: number }): Row {
  const { gateway, size, bytes } = of;
  return row(
    of,
    { kind: 'head-too-large', cause: 'header-too-large', story: `headers of ${bytes} bytes in the request` },
    {
      // One header alone may be too long for nginx and Apache; HAProxy counts the whole head.
      args: ['A', 'B'].flatMap((name) => ['-H', `X-Long-${name}: ${'a'.repeat(bytes / 2)}`]),
      expects: [
        gateway === 'caddy'
          ? all('431', size, '3g', 'Caddy takes 1 MiB; the Node behind it 16 KiB', soon(READ_MS))
          : all('400', size, '3g', "the gateway's own", soon(READ_MS)),
      ],
    },
  );
}

/** Answers of a backend that are none, and what the client is told instead (3g). */
const ANSWERS = {
  'no-accept': {
    cause: 'invalid-upgrade-answer',
    text: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    ends: false,
    becomes: { nginx: 'invalid-101', haproxy: '502', apache2: 'invalid-101', caddy: 'invalid-101' },
  },
  'no-upgrade': {
    cause: 'invalid-upgrade-answer',
    text: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n',
    ends: false,
    becomes: { nginx: 'invalid-101', haproxy: 'invalid-101', apache2: '502', caddy: '200' },
  },
  'answer-too-large': {
    cause: 'response-too-large',
    text: `HTTP/1.1 200 OK\r\nX-Long: ${'a'.repeat(20_000)}\r\nContent-Length: 0\r\n\r\n`,
    ends: true,
    becomes: { nginx: '502', haproxy: '502', apache2: '502', caddy: '200' },
  },
  'not-http': {
    cause: 'not-http',
    text: 'ERROR unknown command\r\n',
    ends: true,
    becomes: { nginx: 'malformed', haproxy: '502', apache2: '200', caddy: '502' },
  },
  'half-a-head': {
    cause: 'backend-died',
    text: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: webso',
    ends: true,
    becomes: { nginx: '502', haproxy: '502', apache2: '502', caddy: '502' },
  },
} as const;
export type AnswerName = keyof typeof ANSWERS;
export const ANSWER_NAMES = Object.keys(ANSWERS) as AnswerName[];

export function wrongAnswer(of: Worded & { readonly answer: AnswerName }): Row {
  const { gateway, size, answer } = of;
  const { cause, text, ends, becomes } = ANSWERS[answer];
  return row(
    of,
    {
      kind: `answer-${answer}`,
      cause,
      story: `the backend's answer: ${answer}`,
      backend: { kind: 'says', text, ends },
    },
    {
      expects: [all(becomes[gateway], size, '3g', 'what the gateway makes of it', soon(READ_MS))],
      // Caddy 2.6 takes it for handed over.
      log: { malformed: '009', ...(gateway === 'caddy' && answer === 'no-upgrade' ? { '200': '0' } : {}) },
    },
  );
}
