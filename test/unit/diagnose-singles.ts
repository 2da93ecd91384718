/**
 * What each cause that a single handshake meets leaves behind: backends that are gone, configurations, TLS, the way there,
 * and this machine's own limits.
 */
import {
  apache,
  burst,
  by,
  type Case,
  haproxy,
  nginx,
  page,
  quick,
  refusedAtOnce,
  wsSays,
} from './diagnose-answers.js';
import { always, around, failed, oneByOne, type Told, unconnected } from './diagnose-results.js';

const FIRST_ONLY = oneByOne(['101', '502', '502', '502', '502'], 3, nginx(502));

const BACKEND: readonly Case[] = [
  ['nothing behind nginx', 'backend-down', always('502', 1, nginx(502))],
  ['nothing behind HAProxy', 'backend-down', always('503', 3005, haproxy(503))],
  ['nothing behind Apache', 'backend-down', always('503', 1, apache(503))],
  ['nothing behind an ALB', 'backend-down', always('503', 3, by('awselb/2.0', '<center>awselb/2.0</center>'))],
  ['nothing behind Envoy', 'backend-down', always('503', 3, by('envoy', 'no healthy upstream'))],
  ['521 of Cloudflare', 'backend-down', always('521', 40, by('cloudflare', 'cloudflare'))],
  ['SYNs dropped behind HAProxy', 'backend-unreachable', always('503', 8010, haproxy(503))],
  ['SYNs dropped behind Caddy', 'backend-unreachable', always('502', 3003, by('Caddy'))],
  [
    'SYNs dropped behind Envoy',
    'backend-unreachable',
    always(
      '503',
      5003,
      by('envoy', 'upstream connect error or disconnect/reset before headers. reset reason: connection timeout'),
    ),
  ],
  ['523 of Cloudflare', 'backend-unreachable', always('523', 40, by('cloudflare', 'cloudflare'))],
  [
    'an end in the middle, behind lighttpd',
    'backend-died',
    always(
      '500',
      300,
      by(
        'lighttpd/1.4.69',
        '<?xml version="1.0" encoding="iso-8859-1"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"',
      ),
    ),
  ],
  ['an end in the middle, behind nginx', 'backend-died', always('502', 350, nginx(502))],
  ['half an answer', 'backend-died', always('closed', 3, { statusLine: 'HTTP/1.1 101 Swit' })],
  [
    'an end in the middle of a crowd',
    'backend-died',
    burst(failed('502', around(200, 312, 8), nginx(502))),
    { diedAtMs: 312 },
  ],
  ['a fall at the first touch', 'backend-died', burst(failed('closed', around(200, 3, 5)))],
  ['a port closed within a burst', 'backend-died', burst(quick(50), unconnected('refused', around(150, 60, 20)))],
  ['no answer behind nginx', 'backend-hangs', always('504', 60_050, nginx(504))],
  ['no answer behind Apache', 'backend-hangs', always('502', 60_050, apache(502))],
  ['no answer behind h2o', 'backend-hangs', always('502', 30_010, by('h2o/2.2.5', 'I/O timeout'))],
  ['no answer in a pipe of Varnish', 'backend-hangs', always('closed', 60_060)],
  ['524 of Cloudflare', 'backend-hangs', always('524', 100_100, by('cloudflare', 'cloudflare'))],
  [
    'only the first one',
    'server-closed-itself',
    { alone: FIRST_ONLY, bursts: [{ groups: [failed('502', around(200, 1, 30), nginx(502))] }] },
  ],
  [
    'only the first burst',
    'server-closed-itself',
    {
      alone: null,
      bursts: [
        { groups: [quick(50)] },
        { groups: [failed('503', around(50, 3005, 10), haproxy(503))] },
        { groups: [failed('503', around(50, 3005, 10), haproxy(503))] },
      ],
    },
  ],
  [
    'the words of a closed ws server',
    'server-closed-itself',
    always('503', 1, {
      statusLine: 'HTTP/1.1 503 Service Unavailable',
      headers: [
        ['Connection', 'close'],
        ['Content-Type', 'text/html'],
        ['Content-Length', '19'],
      ],
      body: 'Service Unavailable',
    }),
  ],
  [
    'the first one, and then silence',
    'server-closed-itself',
    { alone: oneByOne(['101'], 4), bursts: [{ groups: [failed('504', around(200, 60_010, 30), nginx(504))] }] },
  ],
  ['an error of the application', 'application-error', always('500', 8, page('TypeError: x is undefined'))],
];

const SETUP: readonly Case[] = [
  ['426 of a ws server', 'upgrade-not-forwarded', always('426', 1, page('Upgrade Required'))],
  [
    '404 of Express behind nginx',
    'upgrade-not-forwarded',
    always('404', 2, page('<pre>Cannot GET /ws</pre>', ['Server', 'nginx/1.22.1'], ['X-Powered-By', 'Express'])),
  ],
  ['an ordinary page', 'upgrade-not-forwarded', always('200', 2, page('<html>hello'))],
  ['403 of Envoy without a page', 'upgrade-not-forwarded', always('403', 1, by('envoy'))],
  ['400 that misses Upgrade', 'upgrade-not-forwarded', always('400', 1, page('Missing or invalid Upgrade header'))],
  ['400 that misses the key', 'upgrade-not-forwarded', always('400', 1, page('Missing Sec-WebSocket-Key header'))],
  ['a page of nginx itself', 'wrong-path', always('404', 1, { ...nginx(404) })],
  ['400 of a ws server', 'wrong-path', always('400', 1, wsSays(400, 'Bad Request'))],
  ['an empty page of Caddy', 'wrong-path', always('200', 1, by('Caddy'))],
  ['405', 'not-a-websocket-endpoint', always('405', 1, page('no'))],
  ['400 that names versions', 'version-mismatch', always('400', 1, page('', ['Sec-WebSocket-Version', '8, 7']))],
  ['426 that names versions', 'version-mismatch', always('426', 1, page('', ['Sec-WebSocket-Version', '8']))],
  ['403 about the origin', 'origin-refused', always('403', 1, page('Origin not allowed'))],
  ['401', 'auth-refused', always('401', 1, page('', ['WWW-Authenticate', 'Bearer']))],
  ['407', 'auth-refused', always('407', 1, page('proxy'))],
  ['a rule of Cloudflare', 'forbidden', always('403', 20, by('cloudflare', 'cloudflare'))],
  ['301', 'redirected', always('301', 1, page('', ['Location', 'https://example.com/']))],
  ['400 for some reason', 'bad-request', always('400', 1, page('no'))],
  ['431', 'header-too-large', always('431', 1, page(''))],
  [
    '400 of nginx for a large cookie',
    'header-too-large',
    always('400', 1, page('<title>400 Request Header Or Cookie Too Large</title>')),
  ],
  [
    'a 101 without Accept',
    'invalid-upgrade-answer',
    always('invalid-101', 1, { statusLine: 'HTTP/1.1 101 x' }, 'Sec-WebSocket-Accept is missing'),
  ],
  ['a head over 64 KiB', 'response-too-large', always('malformed', 1, page('HTTP/1.1 101 x'), 'head over 64 KiB')],
  ['a broken status line', 'malformed-answer', always('malformed', 1, page('HTTP/1.1 Busy 503'), 'status line')],
  [
    'interim answers without end',
    'silent-server',
    always('malformed', 1, page('HTTP/1.1 103 Early Hints'), 'head over 64 KiB'),
  ],
  ['SSH', 'not-http', always('malformed', 1, page('SSH-2.0-OpenSSH_9.2'))],
  ['hung up', 'closed-without-answer', always('closed', 1)],
  ['silence', 'silent-server', { ...always('timeout-upgrade', 75_000), timeoutMs: 75_000 }],
];

const tls = (detail: string): Told => ({ ...always('tls', 8, { detail }, detail), target: { scheme: 'wss' } });

const TLS: readonly Case[] = [
  ['self-signed', 'tls-untrusted', tls('DEPTH_ZERO_SELF_SIGNED_CERT')],
  ['unknown authority', 'tls-untrusted', tls('UNABLE_TO_VERIFY_LEAF_SIGNATURE')],
  ['expired', 'tls-expired', tls('CERT_HAS_EXPIRED')],
  ['not yet valid', 'tls-expired', tls('CERT_NOT_YET_VALID')],
  ['another name', 'tls-wrong-name', tls('ERR_TLS_CERT_ALTNAME_INVALID')],
  ['no common version', 'tls-protocol', tls('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION')],
  ['no common cipher', 'tls-protocol', tls('ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE')],
  ['no such name', 'tls-protocol', tls('ERR_SSL_TLSV1_UNRECOGNIZED_NAME')],
  ['a client certificate', 'tls-client-certificate', tls('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED')],
  [
    'a client certificate, by nginx',
    'tls-client-certificate',
    always('400', 1, page('<title>400 No required SSL certificate was sent</title>')),
  ],
  ['plaintext', 'plaintext-port', tls('ERR_SSL_WRONG_VERSION_NUMBER')],
  ['plaintext that waits', 'plaintext-port', { ...always('timeout-tls', 75_000), target: { scheme: 'wss' } }],
  [
    'the TLS port of nginx',
    'tls-port',
    always('400', 1, page('<center>The plain HTTP request was sent to HTTPS port</center>')),
  ],
  ['an alert', 'tls-port', always('malformed', 1, page('\\x15\\x03\\x01\\x00\\x02\\x02F'))],
];

const NETWORK: readonly Case[] = [
  [
    'no such name',
    'dns-failure',
    { alone: null, bursts: [{ groups: [unconnected('dns', around(5, 1), 'ENOTFOUND')] }] },
  ],
  ['refused', 'target-refused', { alone: oneByOne(['refused'], 0.3), bursts: [] }],
  ['no route', 'target-unreachable', { alone: null, bursts: [{ groups: [unconnected('unreachable', around(5, 1))] }] }],
  [
    'no SYN answered',
    'syn-dropped',
    { alone: null, timeoutMs: 5000, bursts: [{ groups: [unconnected('timeout-connect', around(50, 5000))] }] },
  ],
  ['out of descriptors', 'generator-limit', burst(quick(200), unconnected('local-fds', around(300, 0.2)))],
  [
    'out of ports beside 503s',
    'generator-limit',
    burst(quick(200), unconnected('local-ports', around(300, 0.2)), refusedAtOnce(50, '503', nginx(503))),
  ],
  ['nothing that is known', 'unknown', always('418', 2, page('I am a teapot'))],
];

export const SINGLES: readonly Case[] = [...BACKEND, ...SETUP, ...TLS, ...NETWORK];
