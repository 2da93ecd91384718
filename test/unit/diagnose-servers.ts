/**
 * What real servers say and do to requests that are wrong for them, as it came over the wire: websocket 1.0.35, autobahn
 * 22.7, websocketd 0.4, daphne 4.0, SockJS 0.3, Vite 8, mosquitto 2.0, websockify 0.10, express-ws 5, graphql-ws 6, aedes 1.2.
 */
import type { Sample } from '#dist/result/result.js';
import { type Case, type NearMiss, page, quick, wsSays } from './diagnose-answers.js';
import { alike, answered, probed } from './diagnose-probed.js';
import { always, around, failed, type Told } from './diagnose-results.js';
import { ended } from './diagnose-sharpened.js';

const TOKEN: Partial<Told> = { target: { path: '/live?token=***' } };
const ORIGIN: Partial<Told> = { target: { origin: 'https://other.example' } };

/** The status line alone, with another phrase than usual. */
const phrase = (status: number, words: string): Partial<Sample> => ({ statusLine: `HTTP/1.1 ${status} ${words}` });
const rejects = (status: string, reason: string): Partial<Sample> => ({
  statusLine: `HTTP/1.1 ${status}`,
  headers: [
    ['Connection', 'close'],
    ['X-WebSocket-Reject-Reason', reason],
  ],
});
const NO_ORIGIN = rejects('403 Forbidden', 'Origin not allowed');
const NOT_ALLOWED = phrase(400, "WebSocket connection denied: origin 'https://other.example' not allowed");
const DENIED = phrase(403, 'Access denied');
const OTHER_HOST = 'Blocked request. This host ("dev.example.com") is not allowed.';
const closedFor = (word: string, reason: string): Told => ({
  bursts: [
    ended(50, { [word]: 50 }, around(50, 3, 10), { ends: { [word]: { minMs: 3, maxMs: 13, reason, reasonAtMs: 9 } } }),
  ],
});
const checkClosed = (found: string): Told =>
  probed('101', null, {}, { ping: { ok: false, tookMs: 2, found: `no pong: ${found}` } });

export const OF_SERVERS: readonly Case[] = [
  // In a header, or in the phrase after the status.
  ['a header about the Origin', 'origin-refused', { ...always('403', 2, NO_ORIGIN), ...ORIGIN }],
  [
    'a header about the subprotocol',
    'subprotocol-required',
    probed('400', rejects('400 Bad Request', 'Subprotocol required'), {
      'without-upgrade': answered('404', page('Not Found')),
      'with-origin': answered('403', NO_ORIGIN),
    }),
  ],
  ['a phrase about the Origin', 'origin-refused', { ...always('400', 2, NOT_ALLOWED), ...ORIGIN }],
  [
    'the same, and version 8, whose Origin has another name, gets past',
    'origin-refused',
    {
      ...probed('400', NOT_ALLOWED, { 'version-8': '101', 'without-origin': '101', 'without-upgrade': '200' }),
      ...ORIGIN,
    },
  ],
  [
    'a phrase about the subprotocol',
    'subprotocol-required',
    always('400', 2, phrase(400, 'subprotocol chat expected')),
  ],
  [
    'a 400 about the Host of which only an ordinary GET hears',
    'forbidden',
    probed('400', wsSays(400, 'Bad Request'), {
      'without-upgrade': answered('403', page(OTHER_HOST)),
      'version-8': answered('400', wsSays(400, 'Bad Request')),
    }),
  ],
  // Without a word.
  ['a 403 to a token of the query', 'auth-refused', { ...always('403', 2, DENIED), ...TOKEN }],
  ['the same without credentials', 'origin-refused', always('403', 2, DENIED)],
  [
    'the same with an Origin beside the token',
    'origin-refused',
    { ...always('403', 2, DENIED), target: { ...TOKEN.target, ...ORIGIN.target } },
  ],
  [
    'silence at a path where a GET finds nothing',
    'wrong-path',
    probed('timeout-upgrade', null, { 'without-upgrade': '404', 'other-slash': 'timeout-upgrade' }),
  ],
  ['the prefix of SockJS', 'wrong-path', always('200', 2, page('Welcome to SockJS!\n'))],
  [
    'a token whose tunnel nobody knows',
    'auth-refused',
    { ...probed('closed', null, { 'without-upgrade': '405' }), ...TOKEN },
  ],
  [
    'a subprotocol that mosquitto does not know',
    'subprotocol-required',
    {
      ...probed('closed', null, { 'without-upgrade': 'closed', 'without-subprotocol': '101' }),
      target: { subprotocols: ['mqtt5'] },
    },
  ],
  // After the 101.
  ['closed at once without a code', 'rejected-after-accept', { bursts: [ended(50, { 1005: 50 }, around(50, 2, 60))] }],
  ['the same of one connection', 'rejected-after-accept', checkClosed('close-frame without a code')],
  ['4406 about the subprotocol', 'subprotocol-required', closedFor('4406', 'Subprotocol not acceptable')],
  ['1002 about the subprotocol', 'subprotocol-required', closedFor('1002', 'subprotocol mqtt expected')],
  ['the same of one connection', 'subprotocol-required', checkClosed('close-frame 1002 (subprotocol mqtt expected)')],
  ['1008 about a number of connections', 'connection-limit', closedFor('1008', 'maximum connections exceeded')],
  [
    'a whole 400 of engine.io',
    'version-mismatch',
    closedFor('protocol', 'HTTP/1.1 400 Bad Request Unsupported protocol version'),
  ],
  ['a whole 400 of a second server', 'two-servers-answered', closedFor('protocol', 'HTTP/1.1 400 Bad Request')],
  ['1011 whatever its reason', 'cut-after-upgrade', closedFor('1011', 'auth backend is down')],
];

const NO_LIBRARY = page('Unsupported upgrade request.');

/** What a server says of itself is not doubted for what its probes got. */
export const SAID_FOR_SURE: readonly Case[] = [
  [
    'a server without a WebSocket library',
    'not-a-websocket-endpoint',
    probed('400', NO_LIBRARY, { ...alike('400', NO_LIBRARY), 'without-upgrade': '404' }),
  ],
  [
    'a list of Origins that has none of the probes',
    'origin-refused',
    {
      ...probed('403', NO_ORIGIN, { ...alike('403', NO_ORIGIN), 'without-origin': '403', 'without-upgrade': '404' }),
      ...ORIGIN,
    },
  ],
];

/** `[what, causes that must not be named, what was seen]` */
export const NOT_OF_SERVERS: readonly NearMiss[] = [
  [
    'a 400 that names its reason is not about the case of a header',
    ['header-case', 'bad-request'],
    probed('400', phrase(400, 'subprotocol chat expected'), { 'without-upgrade': '200' }),
  ],
  [
    'version 8 gets past a refused Origin',
    ['version-mismatch'],
    { ...probed('400', page(''), { 'version-8': '101', 'without-origin': '101' }), ...ORIGIN },
  ],
  [
    'silence where a GET finds a page',
    ['wrong-path'],
    probed('timeout-upgrade', null, { 'without-upgrade': answered('200', page('<!doctype html>')) }),
  ],
  [
    'a GET that is refused for itself',
    ['forbidden'],
    probed('400', wsSays(400, 'Bad Request'), { 'without-upgrade': answered('403', page('token expired')) }),
  ],
  [
    'an origin server that has a fault of its own',
    ['origin-refused'],
    always('400', 2, page('The origin server could not be asked')),
  ],
  [
    'an orderly close that comes late',
    ['rejected-after-accept'],
    { holdMs: 9000, bursts: [ended(50, { 1000: 50 }, around(50, 4000, 900))] },
  ],
  [
    'an orderly close of some clients',
    ['rejected-after-accept'],
    { bursts: [ended(50, { 1000: 17 }, around(17, 3, 10))] },
  ],
  [
    'a 403 beside 101s is no expired token of all',
    ['auth-refused'],
    { bursts: [{ groups: [quick(25), failed('403', around(25, 4, 20), DENIED)] }], ...TOKEN },
  ],
];
