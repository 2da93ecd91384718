/**
 * The targets where hops misunderstand each other: a gateway that fails by itself, a load balancer that marks a working
 * backend as down, servers that reject a client after its 101. /direct is the backend without the gateway, for `check
 * --direct`.
 */

import { capacity } from '../server/schedule.js';
import { always, type LabTarget, option, outcomeOfAnswer, split, withDefaults, withOptions } from '../server/target.js';
import { numberOf, textOf } from '../server/target-options.js';
import {
  startAuthSubrequest,
  startGatewayMisconfigured,
  startHeaderCase,
  startHeadOverBuffer,
  startHealthCheckFails,
  startHttp2Only,
  startPartlyRefused,
  startProxyProtocol,
  startStickySession,
  startSubprotocolRequired,
} from '../targets/between-hops.js';
import {
  startAnsweredBefore,
  startRejectedAfterAccept,
  startServerRestart,
  startSocketQueue,
  startTwoServers,
} from '../targets/rejections.js';
import { startClientDeadline } from '../targets/slow.js';

const BEFORE: readonly LabTarget[] = [
  always('502', 'gateway-misconfigured', {
    name: 'gateway-misconfigured',
    story:
      'nginx that does not come through to a backend that is well at /direct: no resolver for its name, or https:// to a plaintext port.',
    start: startGatewayMisconfigured,
  }),
  always('400', 'header-case', {
    name: 'header-case',
    story:
      'A backend that compares `Connection: Upgrade` by its case, behind nginx, which sends `upgrade`; /direct is the backend.',
    start: startHeaderCase,
  }),
  always('502', 'head-over-proxy-buffer', {
    name: 'head-over-proxy-buffer',
    story: 'A 101 whose head is larger than proxy_buffer_size of nginx; /direct is the backend.',
    start: startHeadOverBuffer,
  }),
  withDefaults({
    name: 'http2-only',
    story:
      'A port that answers in HTTP/2 frames whatever is asked, or HAProxy that speaks HTTP/2 to a server without RFC 8441.',
    options: withOptions(option('answer', 'choice', 'frame', 'what a handshake gets', ['frame', '502'])),
    cause: () => 'http2-only',
    expects: (n, settings) => split(n, 0, textOf(settings, 'answer') === '502' ? '502' : 'malformed'),
    start: startHttp2Only,
  }),
  always('400', 'proxy-protocol-mismatch', {
    name: 'proxy-protocol-mismatch',
    story:
      'A load balancer that sends the PROXY protocol to an nginx that does not expect it; /direct is nginx without the balancer.',
    start: startProxyProtocol,
  }),
  always('500', 'auth-subrequest-failed', {
    name: 'auth-subrequest-failed',
    story: 'nginx whose auth_request gets an answer other than 2xx, 401 and 403; /direct is the backend.',
    start: startAuthSubrequest,
  }),
  always('503', 'health-check-fails', {
    name: 'health-check-fails',
    story:
      'HAProxy that holds its one server for down, because the check got the 426 of a WebSocket server; /direct is that server.',
    start: startHealthCheckFails,
  }),
];

const REFUSING: readonly LabTarget[] = [
  withDefaults({
    name: 'credentials-partly-refused',
    story: 'A service whose clients send tokens of their own, of which every fourth has expired.',
    options: withOptions(option('every', 'count', 4, 'each so manieth handshake is refused')),
    cause: () => 'credentials-partly-refused',
    expects: (n, settings) => split(n, n - Math.floor(n / Math.max(1, numberOf(settings, 'every'))), '401'),
    // Which handshakes of the next burst are refused depends on how many came before.
    expectsLater: () => null,
    start: startPartlyRefused,
  }),
  withDefaults({
    name: 'subprotocol-required',
    story: 'libwebsockets, mosquitto or Janus: a handshake without the right subprotocol is ended without a word.',
    options: withOptions(
      option('protocol', 'text', 'chat.v1', 'the subprotocol that works'),
      option('answer', 'choice', 'closed', 'what the others get', ['closed', '400']),
    ),
    cause: () => 'subprotocol-required',
    expects: (n, settings) => split(n, 0, outcomeOfAnswer(textOf(settings, 'answer'))),
    start: startSubprotocolRequired,
  }),
  always('400', 'sticky-session-missing', {
    name: 'sticky-session-missing',
    story:
      'engine.io on several workers behind a load balancer without sticky sessions: the session of a request is unknown.',
    start: startStickySession,
  }),
  withDefaults({
    name: 'socket-queue-full',
    story:
      'nginx before a Unix socket whose server stands still: backlog + 1 wait in its queue, the others are 502 at once.',
    options: withOptions(
      option('backlog', 'count', 16, 'length of the listen queue of the socket'),
      option('block', 'duration', '500ms', 'how long those in the queue wait'),
    ),
    cause: () => 'socket-queue-full',
    expects: (n, settings) => split(n, numberOf(settings, 'backlog') + 1, '502'),
    start: startSocketQueue,
  }),
];

const TAKEN_BACK: readonly LabTarget[] = [
  withDefaults({
    name: 'rejected-after-accept',
    story: 'An application that accepts every handshake and then closes with a code of its own ("token expired").',
    options: withOptions(
      option('code', 'count', 4401, 'the close code'),
      option('after', 'duration', '1ms', 'how long after the 101'),
    ),
    cause: () => 'rejected-after-accept',
    expects: (n) => split(n, n, '101'),
    start: startRejectedAfterAccept,
  }),
  withDefaults({
    name: 'server-restart',
    story: 'A server that is deployed anew and tells its clients so: 1012 (or 1001) to all of them.',
    options: withOptions(
      option('code', 'count', 1012, 'the close code'),
      option('after', 'duration', '1s', 'how long after the 101'),
    ),
    cause: () => 'server-restart',
    expects: (n) => split(n, n, '101'),
    start: startServerRestart,
  }),
  withDefaults({
    name: 'two-servers-answered',
    story: 'Two ws servers with paths on one HTTP server: after the 101 of the one comes the 400 of the other.',
    cause: () => 'two-servers-answered',
    expects: (n) => split(n, n, '101'),
    start: startTwoServers,
  }),
];

const TIMES: readonly LabTarget[] = [
  withDefaults({
    name: 'client-deadline',
    story:
      'A gateway that waits 120 s for a slow backend, longer than this client does by default (-t 75s): try it with -c 100.',
    options: withOptions(
      option('timeout', 'duration', '120s', 'read timeout of the gateway (T)'),
      option('service', 'duration', '1s', 'time that the backend needs for one upgrade (S)'),
    ),
    cause: () => 'client-deadline',
    expects: (n, settings) =>
      split(n, capacity(numberOf(settings, 'service'), numberOf(settings, 'timeout'), 1), '504'),
    start: startClientDeadline,
  }),
  withDefaults({
    name: 'answered-before-request',
    story:
      'HAProxy whose time for a request (timeout http-request) is shorter than opening all connections takes: try it with -c 5000 --gate upgrade.',
    options: withOptions(option('after', 'duration', '1s', 'how long it waits for a request')),
    gates: ['connect'],
    cause: () => 'answered-before-request',
    expects: (n) => split(n, n, '101'),
    start: startAnsweredBefore,
  }),
];

export const HOP_TARGETS: readonly LabTarget[] = [...BEFORE, ...REFUSING, ...TAKEN_BACK, ...TIMES];
