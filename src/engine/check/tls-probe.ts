/**
 * Examines a server's TLS on a separate connection, even if something is wrong with it: version, cipher, ALPN, the
 * chain as sent, and each problem that a client would refuse, in words. Sends no application data.
 */
import net from 'node:net';
import tls from 'node:tls';
import { printable } from '../../plan/printable.js';
import type { CheckCertificate, CheckTls } from '../../result/check-facts.js';
import { now, toMicros } from '../machine/clock.js';
import type { TlsOptions } from '../transport/tls-options.js';
import type { Destination } from '../transport/transport.js';

const MOST_CERTIFICATES = 8;
const MOST_NAMES = 20;
const LONGEST_NAME = 200;
const SOON_DAYS = 14;
const DAY_MS = 86_400_000;

/** Meaning of OpenSSL's verification errors; https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const IN_WORDS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is signed by itself, and not among those that are trusted here',
  SELF_SIGNED_CERT_IN_CHAIN: 'the chain ends at an authority that is not trusted here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'nobody who is trusted here signed the certificate: an unknown authority, or the server does not send the certificates between',
  UNABLE_TO_GET_ISSUER_CERT: 'the certificate of an issuer is missing',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'the chain ends at an issuer that is not known here, or a certificate between is missing',
  CERT_HAS_EXPIRED: 'a certificate has expired',
  CERT_NOT_YET_VALID: 'a certificate is not valid yet',
  CERT_REVOKED: 'the certificate was revoked',
  CERT_CHAIN_TOO_LONG: 'the chain is too long',
  CERT_UNTRUSTED: 'the authority is not trusted for servers',
  CERT_REJECTED: 'the authority is marked as rejected',
  CERT_SIGNATURE_FAILURE: 'the signature of a certificate is wrong',
  INVALID_PURPOSE: 'the certificate is not made for servers',
};

/** Meaning of an alert, or of bytes that are not TLS; matched in OpenSSL's messages and codes. */
const FAILURES: readonly (readonly [RegExp, string])[] = [
  [
    /wrong[ _]version[ _]number|packet[ _]length[ _]too[ _]long|http[ _]request/i,
    'what answers there speaks no TLS: try ws://',
  ],
  [/protocol[ _]version|unsupported[ _]protocol/i, 'client and server have no TLS version in common'],
  [/unrecognized[ _]name/i, 'the server knows no certificate for that name (SNI)'],
  [
    /certificate[ _]required|bad[ _]certificate|peer did not return/i,
    'the server wants a client certificate that it accepts (--cert, --key)',
  ],
  [/unknown[ _]ca/i, 'the server does not trust the client certificate'],
  [
    /handshake[ _]failure|no[ _]shared[ _]cipher|no[ _]ciphers/i,
    'client and server have no cipher in common, or the server wants something else',
  ],
  [/no[ _]application[ _]protocol/i, 'the server insists on another protocol (ALPN)'],
  [/internal[ _]error/i, 'the server failed in the TLS handshake'],
];

interface LookOptions {
  readonly to: Destination;
  readonly tls: TlsOptions;
  readonly localAddress: string | null;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** null: TCP did not open, or the probe was stopped. */
export function probeTls({ to, tls: wanted, localAddress, timeoutMs, signal }: LookOptions): Promise<CheckTls | null> {
  return new Promise((resolve) => {
    const raw = net.connect({
      host: to.address,
      port: to.port,
      family: to.family,
      localAddress: localAddress ?? undefined,
      autoSelectFamily: false,
    });
    let socket: tls.TLSSocket | null = null;
    let start = 0;
    const finish = (found: CheckTls | null): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      socket?.destroy();
      raw.destroy();
      resolve(found);
    };
    const failed = (code: string, words: string): void => {
      const tookMs = toMicros(now() - start);
      finish({ tookMs, protocol: null, cipher: null, alpn: null, chain: [], failure: code, problems: [words] });
    };
    const timer = setTimeout(() => {
      if (socket === null) finish(null);
      else failed('ETIMEDOUT', 'the TLS handshake was not answered in time');
    }, timeoutMs);
    const stop = (): void => finish(null);
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    raw.on('error', () => {
      if (socket === null) finish(null);
    });
    raw.once('connect', () => {
      start = now();
      socket = tls.connect({
        socket: raw,
        secureContext: wanted.context,
        host: wanted.servername,
        servername: net.isIP(wanted.servername) === 0 ? wanted.servername : undefined,
        rejectUnauthorized: false,
        ALPNProtocols: ['h2', 'http/1.1'],
      });
      socket.on('error', (error: NodeJS.ErrnoException) => {
        const code = error.code ?? 'UNKNOWN';
        failed(code, failureInWords(code, error.message));
      });
      socket.once('secureConnect', () => finish(facts(socket as tls.TLSSocket, wanted.servername, now() - start)));
      socket.once('end', () => failed('ECONNRESET', failureInWords('ECONNRESET', '')));
    });
  });
}

/** @param more other known text, such as OpenSSL's own message */
export function failureInWords(code: string, more = ''): string {
  const verdict = IN_WORDS[code];
  if (verdict !== undefined) return verdict;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'the certificate is for another name';
  if (code === 'ECONNRESET') return 'the connection was closed during the TLS handshake';
  const found = FAILURES.find(([pattern]) => pattern.test(`${code} ${more}`));
  return found === undefined ? `TLS failed: ${printable(code, LONGEST_NAME)}` : found[1];
}

function facts(socket: tls.TLSSocket, servername: string, tookMs: number): CheckTls {
  const leaf = socket.getPeerCertificate(true);
  const certificates = chainOf(leaf);
  const unverified = (socket.authorizationError as unknown as string | Error | undefined) ?? null;
  const code = unverified === null ? null : typeof unverified === 'string' ? unverified : unverified.message;
  const wrongName = certificates.length === 0 ? undefined : tls.checkServerIdentity(servername, leaf);
  const nameCode = wrongName === undefined ? null : 'ERR_TLS_CERT_ALTNAME_INVALID';
  const verdicts = code === null || code === nameCode ? [] : [failureInWords(code)];
  return {
    tookMs: toMicros(tookMs),
    protocol: socket.getProtocol(),
    cipher: socket.getCipher()?.name ?? null,
    alpn: socket.alpnProtocol || null,
    chain: certificates.map(described),
    failure: code === null && nameCode === null ? null : printable(code ?? nameCode ?? '', LONGEST_NAME),
    problems: [
      ...verdicts,
      ...(wrongName === undefined ? [] : [`the certificate is not for ${printable(servername, LONGEST_NAME)}`]),
      ...certificates.flatMap((one, place) => dateProblems(one, place)),
    ],
  };
}

function chainOf(leaf: tls.DetailedPeerCertificate): tls.DetailedPeerCertificate[] {
  const chain: tls.DetailedPeerCertificate[] = [];
  let one: tls.DetailedPeerCertificate | undefined = leaf;
  // A self-signed certificate is its own issuer.
  while (one?.raw !== undefined && chain.length < MOST_CERTIFICATES && !chain.some(({ raw }) => raw === one?.raw)) {
    if (chain.some(({ fingerprint256 }) => fingerprint256 === one?.fingerprint256)) break;
    chain.push(one);
    one = one.issuerCertificate;
  }
  return chain;
}

function described(certificate: tls.DetailedPeerCertificate): CheckCertificate {
  const names = (certificate.subjectaltname ?? '')
    .split(', ')
    .filter((name) => name !== '')
    .map((name) => printable(name.replace(/^(DNS|IP Address):/, ''), LONGEST_NAME));
  return {
    subject: nameOf(certificate.subject),
    issuer: nameOf(certificate.issuer),
    names: names.slice(0, MOST_NAMES),
    validFrom: isoOf(certificate.valid_from),
    validTo: isoOf(certificate.valid_to),
  };
}

/** `CN=x, O=y`; Node gives a list when an attribute occurs several times. */
function nameOf(name: tls.Certificate | undefined): string {
  const parts = Object.entries({ ...name }).flatMap(([key, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => `${key}=${one}`),
  );
  return printable(parts.join(', '), LONGEST_NAME);
}

function isoOf(text: string): string {
  const time = Date.parse(text);
  return Number.isNaN(time) ? printable(text, LONGEST_NAME) : new Date(time).toISOString();
}

function dateProblems(certificate: tls.DetailedPeerCertificate, place: number): string[] {
  const whose = place === 0 ? 'the certificate' : `the certificate of the issuer ${nameOf(certificate.subject)}`;
  const [from, to] = [Date.parse(certificate.valid_from), Date.parse(certificate.valid_to)];
  const day = (time: number) => new Date(time).toISOString().slice(0, 10);
  if (from > Date.now()) return [`${whose} is valid from ${day(from)} only`];
  if (to < Date.now()) return [`${whose} expired on ${day(to)}`];
  const days = Math.floor((to - Date.now()) / DAY_MS);
  return days < SOON_DAYS ? [`${whose} expires in ${days === 1 ? '1 day' : `${days} days`}`] : [];
}
