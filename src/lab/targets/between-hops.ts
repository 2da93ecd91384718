/**
 * Hops that fail in their own ways before a working backend, which is reachable at /direct, as `check --direct` asks
 * for it. Each answers exactly as its real counterpart did.
 */
import { type LabEnv, openLab, type RunningLab } from '../server/listener.js';
import {
  engineIoUnknownSession,
  haproxyBadGateway,
  haproxyUnavailable,
  nginxPage,
  relayedBadRequest,
  relayedNotFound,
  sitePage,
  wsUpgradeRequired,
} from '../server/pages.js';
import { hasToken, type Request, switchingProtocols } from '../server/request-head.js';
import { type LabSettings, numberOf, textOf } from '../server/target-options.js';
import type { Answer } from './refusals.js';

/** The path at which the backend itself is reachable. */
const DIRECT = /^\/direct(\/|\?|$)/;

function startBefore(
  name: string,
  settings: LabSettings,
  env: LabEnv,
  hop: Answer,
  backend: Answer = (connection, request) => connection.upgrade(request),
): Promise<RunningLab> {
  return openLab(name, settings, env, {
    onRequest: (connection, request) => (DIRECT.test(request.target) ? backend : hop)(connection, request),
  });
}

function wantsUpgrade({ headers }: Request): boolean {
  return hasToken(headers.get('upgrade'), 'websocket') && hasToken(headers.get('connection'), 'upgrade');
}

/** nginx that cannot resolve its backend's name, or speaks https:// to a port that does not. */
export function startGatewayMisconfigured(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return startBefore('gateway-misconfigured', settings, env, (connection) =>
    connection.finish('502', nginxPage('502')),
  );
}

/** nginx that gets `PROXY TCP4 ...` in front of each request and reads it as the request line. */
export function startProxyProtocol(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return startBefore('proxy-protocol-mismatch', settings, env, (connection) =>
    connection.finish('400', nginxPage('400')),
  );
}

/** nginx whose auth_request got 400: "auth request unexpected status". */
export function startAuthSubrequest(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return startBefore('auth-subrequest-failed', settings, env, (connection) =>
    connection.finish('500', nginxPage('500')),
  );
}

/** HAProxy whose health check of its only server got a 426. */
export function startHealthCheckFails(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return startBefore('health-check-fails', settings, env, (connection) =>
    connection.finish('503', haproxyUnavailable()),
  );
}

/** A backend that requires exactly `Connection: Upgrade`, and nginx that sends `upgrade`. */
export function startHeaderCase(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return startBefore('header-case', settings, env, (connection, request) => {
    if (wantsUpgrade(request)) connection.finish('400', relayedBadRequest(''));
    else connection.finish('200', sitePage());
  });
}

/** nginx's buffer for the head of a response. */
const BUFFER_BYTES = 4096;

/** A 101 with a large header, and nginx with its default buffer. */
export function startHeadOverBuffer(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const padding = `X-Session: ${'x'.repeat(BUFFER_BYTES)}\r\n`;
  return startBefore(
    'head-over-proxy-buffer',
    settings,
    env,
    (connection, request) => {
      if (wantsUpgrade(request)) connection.finish('502', nginxPage('502'));
      else connection.finish('426', wsUpgradeRequired());
    },
    (connection, request) => connection.say('101', switchingProtocols(request).replace(/\r\n$/, `${padding}\r\n`)),
  );
}

/** nginx's SETTINGS and a GOAWAY with PROTOCOL_ERROR (RFC 9113 sections 6.5 and 6.8). */
const SETTINGS_AND_GOAWAY =
  '\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x04\0\x01\0\0\0\x05\0\xff\xff\xff\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01';

/** A port that speaks HTTP/2 only, or HAProxy that uses it for a server without RFC 8441. */
export function startHttp2Only(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const isFrame = textOf(settings, 'answer') === 'frame';
  return startBefore('http2-only', settings, env, (connection, request) => {
    if (isFrame) connection.finish('malformed', SETTINGS_AND_GOAWAY);
    else if (wantsUpgrade(request)) connection.finish('502', haproxyBadGateway());
    else connection.finish('200', sitePage());
  });
}

/** engine.io behind a load balancer that sends each request to the next worker. */
export function startStickySession(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return startBefore('sticky-session-missing', settings, env, (connection) =>
    connection.finish('400', engineIoUnknownSession()),
  );
}

/** libwebsockets closes a handshake with an unknown subprotocol without a response, and also serves files. */
export function startSubprotocolRequired(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const wanted = textOf(settings, 'protocol');
  const answer = textOf(settings, 'answer');
  return startBefore('subprotocol-required', settings, env, (connection, request) => {
    if (!wantsUpgrade(request)) connection.finish('404', relayedNotFound());
    else if (hasToken(request.headers.get('sec-websocket-protocol'), wanted.toLowerCase())) connection.upgrade(request);
    else if (answer === '400') connection.finish('400', relayedBadRequest('Unsupported subprotocol\n'));
    else connection.finish('closed', '');
  });
}

/** One of every few tokens has expired. */
export function startPartlyRefused(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const every = Math.max(1, numberOf(settings, 'every'));
  let seen = 0;
  return openLab('credentials-partly-refused', settings, env, {
    onRequest(connection, request) {
      seen += 1;
      if (seen % every === 0)
        connection.finish('401', nginxPage('401', ['WWW-Authenticate: Bearer error="invalid_token"']));
      else connection.upgrade(request);
    },
  });
}
