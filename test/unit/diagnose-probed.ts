/**
 * What `check` finds of gateways and servers that fail in ways which a status alone does not tell: the answers are those of
 * nginx 1.22.1, HAProxy 2.6.12, Apache 2.4.71, uvicorn, engine.io and ws as they came over the wire.
 */
import type { OutcomeId } from '#dist/names/outcomes.js';
import type { Check, CheckProbe } from '#dist/result/check-facts.js';
import type { Sample } from '#dist/result/result.js';
import { apache, by, type Case, haproxy, type NearMiss, nginx, page, wsSays } from './diagnose-answers.js';
import { checkOf, failed, ok, sampleOf, type Told } from './diagnose-results.js';

type Probes = Readonly<Record<string, string | Partial<CheckProbe>>>;

/** One handshake that ended so, with its probes. */
export function probed(
  outcome: string,
  sample: Partial<Sample> | null,
  probes: Probes,
  more: Partial<Check> = {},
): Told {
  const id = outcome as OutcomeId;
  const atMs = sample?.atMs ?? 3;
  const group = outcome === '101' ? ok([atMs]) : failed(id, [atMs], sample ?? undefined, sample?.detail ?? undefined);
  const answer = sample === null ? null : sampleOf(sample, atMs);
  return {
    alone: null,
    bursts: [{ groups: [group] }],
    check: checkOf(outcome, probes, { answer, detail: sample?.detail ?? null, ...more }),
  };
}

export const answered = (outcome: string, sample: Partial<Sample>): Partial<CheckProbe> => ({
  outcome,
  sample: sampleOf(sample),
});

/** The same answer for each of the probes that change the request. */
export function alike(outcome: string, sample: Partial<Sample> | null): Probes {
  const one = sample === null ? outcome : answered(outcome, sample);
  return { 'without-upgrade': one, 'version-8': one, 'own-origin': one, 'other-slash': one };
}

const NO_TLS = { url: 'wss://127.0.0.1:8080/ws', outcome: 'tls', detail: 'ERR_SSL_WRONG_VERSION_NUMBER' };
const relayed = (status: number, body: string, ...headers: [string, string][]): Partial<Sample> => ({
  statusLine: `HTTP/1.1 ${status} x`,
  headers: [['Server', 'nginx/1.22.1'], ['Connection', 'keep-alive'], ...headers],
  body,
});
const TO_TLS: Partial<Sample> = {
  ...nginx(400),
  headers: [
    ['Server', 'nginx/1.22.1'],
    ['Connection', 'keep-alive'],
  ],
  body: '<title>400 The plain HTTP request was sent to HTTPS port</title><center>nginx/1.22.1</center>',
};
const FROM_TLS_PORT: Partial<Sample> = {
  ...TO_TLS,
  headers: [
    ['Server', 'nginx/1.22.1'],
    ['Connection', 'close'],
  ],
};
const login = relayed(200, '<html><title>Login</title><form>log in</form></html>');
const TOKEN = 'a'.repeat(6000);

export const PROBED: readonly Case[] = [
  // The gateway's own page for everything, and a backend that is well.
  [
    'auth_request of nginx fails',
    'auth-subrequest-failed',
    probed('500', nginx(500), { ...alike('500', nginx(500)), direct: '101' }),
  ],
  ['the same, and nobody asked past it', 'auth-subrequest-failed', probed('500', nginx(500), alike('500', nginx(500)))],
  [
    'no proxy module of Apache',
    'gateway-misconfigured',
    probed('500', apache(500), { ...alike('500', apache(500)), direct: '101' }),
  ],
  [
    'no resolver, or https:// to a plain backend',
    'gateway-misconfigured',
    probed('502', nginx(502), { ...alike('502', nginx(502)), direct: '101' }),
  ],
  [
    'http:// to a TLS backend',
    'gateway-misconfigured',
    probed('400', TO_TLS, { ...alike('400', TO_TLS), 'other-scheme': NO_TLS }),
  ],
  [
    'the same, past it a 101',
    'gateway-misconfigured',
    probed('400', TO_TLS, { ...alike('400', TO_TLS), direct: '101' }),
  ],
  [
    'the same behind wss://',
    'gateway-misconfigured',
    {
      ...probed('400', TO_TLS, { ...alike('400', TO_TLS), 'other-scheme': answered('400', FROM_TLS_PORT) }),
      target: { scheme: 'wss' },
    },
  ],
  [
    'PROXY protocol that nginx does not expect',
    'proxy-protocol-mismatch',
    probed('400', nginx(400), alike('400', nginx(400))),
  ],
  [
    'the same, past the balancer a 101',
    'proxy-protocol-mismatch',
    probed('400', nginx(400), { ...alike('400', nginx(400)), direct: '101' }),
  ],
  // Upgrade does arrive.
  [
    'Connection compared by its case',
    'header-case',
    probed('400', relayed(400, ''), {
      ...alike('400', relayed(400, '')),
      'without-upgrade': answered('200', relayed(200, 'hello')),
    }),
  ],
  [
    'the same, past the gateway a 101',
    'header-case',
    probed('400', relayed(400, ''), { ...alike('400', relayed(400, '')), 'without-upgrade': '200', direct: '101' }),
  ],
  [
    "Firefox's Connection is refused",
    'header-case',
    probed('101', null, { 'without-upgrade': '426', 'firefox-connection': '400', 'open-close-open': '101' }),
  ],
  ["only Firefox's Connection is accepted", 'header-case', probed('400', page(''), { 'firefox-connection': '101' })],
  [
    'HAProxy speaks HTTP/2 to its backend',
    'http2-only',
    probed('502', haproxy(502), {
      ...alike('502', haproxy(502)),
      'without-upgrade': answered('200', page('<h1>home</h1>')),
      direct: '101',
    }),
  ],
  [
    'the same, and nobody asked past it',
    'http2-only',
    probed('502', haproxy(502), { ...alike('502', haproxy(502)), 'without-upgrade': '200' }),
  ],
  [
    'a SETTINGS frame',
    'http2-only',
    probed(
      'malformed',
      { body: '\\x00\\x00\\x12\\x04\\x00\\x00\\x00\\x00\\x00\\x00\\x03', detail: 'does not begin with HTTP/1.' },
      alike('malformed', null),
    ),
  ],
  [
    'a 101 whose head is over 4 KiB',
    'head-over-proxy-buffer',
    probed('502', nginx(502), {
      ...alike('502', nginx(502)),
      'without-upgrade': '426',
      direct: { outcome: '101', headBytes: 6200 },
    }),
  ],
  [
    'the same, and without that subprotocol a 101',
    'head-over-proxy-buffer',
    {
      ...probed('502', nginx(502), {
        ...alike('502', nginx(502)),
        'without-upgrade': '426',
        'without-subprotocol': '101',
      }),
      target: { subprotocols: ['***'] },
    },
  ],
  [
    'past the gateway the subprotocol gets its 101: the server knows it',
    'head-over-proxy-buffer',
    {
      ...probed('502', nginx(502), {
        ...alike('502', nginx(502)),
        'without-upgrade': '426',
        'without-subprotocol': '101',
        direct: { outcome: '101', headBytes: 6200 },
      }),
      target: { subprotocols: ['***'] },
    },
  ],
  [
    'the same, with the subprotocol that makes it large',
    'head-over-proxy-buffer',
    {
      ...probed('502', nginx(502), { ...alike('502', nginx(502)), 'without-upgrade': '426' }),
      target: { subprotocols: [TOKEN] },
    },
  ],
  [
    'a server that HAProxy holds for down',
    'health-check-fails',
    probed('503', haproxy(503), { ...alike('503', haproxy(503)), direct: '101' }),
  ],
  [
    'backends that Envoy holds for unhealthy',
    'health-check-fails',
    probed('503', by('envoy', 'no healthy upstream'), { direct: '101' }),
  ],
  [
    '405 of websockify, past the gateway a 101',
    'upgrade-not-forwarded',
    probed('405', relayed(405, 'Method Not Allowed'), {
      ...alike('405', relayed(405, 'Method Not Allowed')),
      direct: '101',
    }),
  ],
  [
    '501 of a server behind a gateway that strips',
    'upgrade-not-forwarded',
    probed('501', relayed(501, 'Unsupported'), { ...alike('501', relayed(501, 'Unsupported')), direct: '101' }),
  ],
  [
    'a page of a site, past the gateway a 101',
    'upgrade-not-forwarded',
    probed('200', relayed(200, '<h1>home'), { ...alike('200', relayed(200, '<h1>home')), direct: '101' }),
  ],
  ['a login page', 'auth-refused', probed('200', login, { ...alike('200', login), direct: '101' })],
  // Origin.
  [
    'an Origin that is refused behind a proxy',
    'origin-refused',
    {
      ...probed('403', relayed(403, 'Cross origin websockets not allowed'), { 'without-origin': '101', direct: '403' }),
      target: { origin: 'http://127.0.0.1' },
    },
  ],
  ['browsers are refused', 'origin-refused', probed('101', null, { 'own-origin': '403', 'open-close-open': '101' })],
  // What the probes did.
  [
    'a server that dies of a refused Origin',
    'backend-died',
    probed('101', null, { 'own-origin': '403', 'still-served': 'refused' }),
  ],
  ['a limit that the probes meet', 'rate-limit', probed('101', null, { 'own-origin': '429', 'still-served': '429' })],
  // TLS.
  [
    'the intermediate is missing',
    'tls-untrusted',
    {
      ...probed(
        'tls',
        { detail: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
        { 'other-scheme': answered('400', FROM_TLS_PORT) },
      ),
      target: { scheme: 'wss' },
    },
  ],
  [
    'an unknown name (SNI)',
    'tls-protocol',
    {
      ...probed(
        'tls',
        { detail: 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME' },
        { 'other-scheme': { ...answered('400', FROM_TLS_PORT), url: 'ws://127.0.0.1/' } },
      ),
      target: { scheme: 'wss' },
    },
  ],
  // Subprotocols and engine.io.
  [
    'libwebsockets does not know the subprotocol',
    'subprotocol-required',
    { ...probed('closed', null, { 'without-upgrade': '404' }), target: { subprotocols: ['nope'] } },
  ],
  ['Prosody wants one', 'subprotocol-required', probed('501', page(''), { 'without-upgrade': '200' })],
  [
    'without it there is a 101',
    'subprotocol-required',
    { ...probed('400', page('x'), { 'without-subprotocol': '101' }), target: { subprotocols: ['v9'] } },
  ],
  ['another path than that of engine.io', 'wrong-path', probed('closed', { atMs: 1038 }, { 'without-upgrade': '404' })],
  [
    'the same behind nginx with two servers',
    'wrong-path',
    probed('502', { ...nginx(502), atMs: 2021 }, { 'without-upgrade': answered('404', relayed(404, 'no')) }),
  ],
];

const wordsOf = (status: number, body: string, ...headers: [string, string][]): Told =>
  probed(`${status}`, relayed(status, body, ...headers), {});

/** What is said in so many words. */
export const WORDED: readonly Case[] = [
  ['uvicorn without a library', 'not-a-websocket-endpoint', wordsOf(400, 'Unsupported upgrade request.')],
  ['a session of another worker', 'sticky-session-missing', wordsOf(400, 'Session ID unknown')],
  ['the same as JSON, the id masked', 'sticky-session-missing', wordsOf(400, 'Session ID ***')],
  ['the same of SignalR', 'sticky-session-missing', wordsOf(404, 'No Connection with that ID')],
  ['engine.io without its query', 'bad-request', wordsOf(400, '{"code":0,"message":"Transport unknown"}')],
  ['the same of the ws it is built on', 'bad-request', probed('400', { ...wsSays(400, 'Transport unknown') }, {})],
  ['engine.io that saw no Upgrade', 'upgrade-not-forwarded', wordsOf(400, '{"code":3,"message":"Bad request"}')],
  ['allowRequest of engine.io', 'forbidden', wordsOf(403, '{"code":4,"message":"Forbidden"}')],
  ['another EIO', 'version-mismatch', wordsOf(400, '{"code":5,"message":"Unsupported protocol version"}')],
  [
    'a subprotocol that is missed',
    'subprotocol-required',
    wordsOf(400, 'This server only speaks WebSocket subprotocol mqtt'),
  ],
  ['a Host that is not allowed', 'forbidden', wordsOf(403, 'Blocked request. This host ("a") is not allowed.')],
  ['an expired token', 'auth-refused', wordsOf(403, '{"error":"token expired"}')],
  ['Spring about the Origin', 'origin-refused', wordsOf(403, 'Invalid CORS request')],
  ['tornado about the Origin', 'origin-refused', wordsOf(403, 'Cross origin websockets not allowed')],
  ['Traefik without a healthy server', 'health-check-fails', probed('503', page('no available server\n'), {})],
  ['a limit by its name', 'connection-limit', wordsOf(503, 'Too many connections')],
  ['node http2 without ALPN', 'http2-only', wordsOf(403, 'Missing ALPN Protocol, expected `h2` to be available')],
  ['464 of an ALB', 'http2-only', wordsOf(464, '')],
  [
    'a Connection that is read too strictly',
    'header-case',
    probed('400', relayed(400, 'Invalid Upgrade request'), { 'without-upgrade': '200' }),
  ],
];

/** `[what, causes that must not be named, what was seen]` */
export const REFUTED: readonly NearMiss[] = [
  [
    'Upgrade arrives: it was forwarded',
    ['upgrade-not-forwarded'],
    probed('400', relayed(400, ''), { 'without-upgrade': '200', direct: '101' }),
  ],
  [
    'Upgrade arrives at a 426 server',
    ['upgrade-not-forwarded'],
    probed('400', relayed(400, ''), { 'without-upgrade': '426' }),
  ],
  [
    'an ordinary GET is answered: something listens',
    ['backend-down', 'health-check-fails'],
    probed('502', nginx(502), { 'without-upgrade': '200', direct: '101' }),
  ],
  ['the same without asking past it', ['backend-down'], probed('502', haproxy(502), { 'without-upgrade': '200' })],
  [
    'a 101 past the gateway, its own 500',
    ['application-error'],
    probed('500', apache(500), { ...alike('500', apache(500)), direct: '101' }),
  ],
  [
    'PROXY protocol is no stripped Upgrade',
    ['upgrade-not-forwarded'],
    probed('400', nginx(400), { ...alike('400', nginx(400)), direct: '101' }),
  ],
  [
    'a certificate proves TLS',
    ['plaintext-port'],
    {
      ...probed(
        'tls',
        { detail: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
        { 'other-scheme': { ...answered('400', FROM_TLS_PORT), url: 'ws://127.0.0.1/' } },
      ),
      target: { scheme: 'wss' },
    },
  ],
  [
    'an alert proves TLS',
    ['plaintext-port'],
    {
      ...probed(
        'tls',
        { detail: 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME' },
        { 'other-scheme': { ...answered('400', page('hello')), url: 'ws://127.0.0.1/' } },
      ),
      target: { scheme: 'wss' },
    },
  ],
  [
    'wss:// was asked already',
    ['tls-port'],
    { ...probed('400', TO_TLS, alike('400', TO_TLS)), target: { scheme: 'wss' } },
  ],
  ['the port speaks no TLS', ['tls-port'], probed('400', TO_TLS, { ...alike('400', TO_TLS), 'other-scheme': NO_TLS })],
  [
    'a library that is missing is no hop',
    ['upgrade-not-forwarded'],
    probed('400', relayed(400, 'Unsupported upgrade request.'), {}),
  ],
  ['Transport unknown is no path', ['wrong-path'], probed('400', wsSays(400, 'Transport unknown'), {})],
  ['a login page is no stripped Upgrade', ['upgrade-not-forwarded'], probed('200', login, { ...alike('200', login) })],
  ['no Origin helps: it is another rule', ['origin-refused'], { ...probed('401', page(''), { 'with-origin': '401' }) }],
  [
    'a subprotocol makes no difference to a port that is silent to all',
    ['subprotocol-required'],
    probed('closed', null, { 'without-upgrade': 'closed' }),
  ],
  [
    'an end after 1 s of what answers nothing',
    ['wrong-path'],
    probed('closed', { atMs: 1030 }, { 'without-upgrade': 'closed' }),
  ],
  [
    'what died of a probe did not close itself, and says nothing of browsers',
    ['server-closed-itself', 'origin-refused'],
    probed('101', null, { 'own-origin': 'closed', 'still-served': 'refused' }),
  ],
  [
    'a limit for one client is no Firefox',
    ['header-case'],
    probed('101', null, { 'firefox-connection': '429', 'open-close-open': '101' }),
  ],
  [
    'the given Origin works, others may be refused',
    ['origin-refused'],
    {
      ...probed('101', null, { 'with-origin': '403', 'without-origin': '403', 'open-close-open': '101' }),
      target: { origin: 'https://app.example.com' },
    },
  ],
];
