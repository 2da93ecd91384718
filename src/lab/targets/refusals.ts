/**
 * Targets that answer every handshake in the same way, a single one as well as a thousand: a hop or a server with the
 * wrong configuration. Where the real one would accept a correct request, the target does too.
 */
import type { Connection } from '../server/connection.js';
import { Agenda, nowUs } from '../server/due.js';
import { type LabEnv, openLab, type RunningLab } from '../server/listener.js';
import {
  envoyForbidden,
  expressError,
  expressNotFound,
  gorillaForbidden,
  isPageStatus,
  nginxHeadTooLarge,
  nginxPage,
  nodeHeadTooLarge,
  otherVersions,
  sitePage,
  wsRefusal,
  wsUpgradeRequired,
} from '../server/pages.js';
import { hasToken, type Request } from '../server/request-head.js';
import { type LabSettings, numberOf, textOf } from '../server/target-options.js';

export type Answer = (connection: Connection, request: Request) => void;

function startAnswer(name: string, settings: LabSettings, env: LabEnv, answer: Answer): Promise<RunningLab> {
  return openLab(name, settings, env, { onRequest: answer });
}

/** Each backend's response to an ordinary GET; `504` stands for one whose server has no request handler. */
export function startUpgradeNotForwarded(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const answer = textOf(settings, 'answer');
  const timeoutUs = numberOf(settings, 'timeout') * 1000;
  const agenda = new Agenda<'504'>();
  return openLab('upgrade-not-forwarded', settings, env, {
    onRequest(connection, request) {
      if (answer === '404') connection.finish('404', expressNotFound(request.target));
      else if (answer === '426') connection.finish('426', wsUpgradeRequired());
      else if (answer === '200') connection.finish('200', sitePage());
      else if (answer === '403') connection.finish('403', envoyForbidden());
      else agenda.at('504', nowUs() + timeoutUs, () => connection.open && connection.finish('504', nginxPage('504')));
    },
    onStop: () => agenda.stop(),
  });
}

/** A healthy server behind a proxy that forwards no upgrade: its application's response to an ordinary GET. */
export function startOrdinary(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const answer = textOf(settings, 'answer');
  return startAnswer('upgrade-not-forwarded', settings, env, (connection, request) => {
    if (hasToken(request.headers.get('upgrade'), 'websocket')) connection.upgrade(request);
    else if (answer === '404') connection.finish('404', expressNotFound(request.target));
    else if (answer === '426') connection.finish('426', wsUpgradeRequired());
    else if (answer === '200') connection.finish('200', sitePage());
  });
}

export function startPlainSite(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return startAnswer('plain-site', settings, env, (connection) => connection.finish('200', sitePage()));
}

export function startWrongPath(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const path = textOf(settings, 'path');
  const answer = textOf(settings, 'answer');
  return startAnswer('wrong-path', settings, env, (connection, request) => {
    if (request.target.split('?')[0] === path) connection.upgrade(request);
    else if (answer === '400') connection.finish('400', wsRefusal('400'));
    else connection.finish('404', expressNotFound(request.target));
  });
}

/** From 2010 (hybi-08), before RFC 6455; its 101 differs only in the version that it requires. */
const OLD_VERSION = '8';

export function startVersionMismatch(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const answer = textOf(settings, 'answer') === '426' ? '426' : '400';
  return startAnswer('version-mismatch', settings, env, (connection, request) => {
    if (request.headers.get('sec-websocket-version') !== OLD_VERSION) {
      connection.finish(answer, otherVersions(answer, OLD_VERSION));
      return;
    }
    const headers = new Map(request.headers).set('sec-websocket-version', '13');
    connection.upgrade({ ...request, headers });
  });
}

export function startOriginRefused(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const allowed = textOf(settings, 'origin');
  return startAnswer('origin-refused', settings, env, (connection, request) => {
    if (request.headers.get('origin') === allowed) connection.upgrade(request);
    else connection.finish('403', gorillaForbidden());
  });
}

export function startAuthRefused(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const right = textOf(settings, 'authorization');
  const challenge = `WWW-Authenticate: ${/^basic /i.test(right) ? 'Basic' : 'Bearer'} realm="lab"`;
  return startAnswer('auth-refused', settings, env, (connection, request) => {
    if (request.headers.get('authorization') === right) connection.upgrade(request);
    else connection.finish('401', nginxPage('401', [challenge]));
  });
}

export function startForbidden(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return startAnswer('forbidden', settings, env, (connection) => connection.finish('403', nginxPage('403')));
}

export function startRedirect(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const answer = textOf(settings, 'answer');
  if (!isPageStatus(answer)) throw new Error(`no page for ${answer}`);
  return startAnswer('redirect', settings, env, (connection, request) => {
    // The host cannot contain CR or LF: the head was split at them.
    const where = `Location: https://${request.headers.get('host') ?? 'localhost'}${request.target}`;
    connection.finish(answer, nginxPage(answer, [where]));
  });
}

export function startBadRequest(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return startAnswer('bad-request', settings, env, (connection) => connection.finish('400', nginxPage('400')));
}

export function startHeaderTooLarge(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const bytes = numberOf(settings, 'bytes');
  const answer = textOf(settings, 'answer');
  return startAnswer('header-too-large', settings, env, (connection, request) => {
    if (request.head.length <= bytes) connection.upgrade(request);
    else if (answer === '431') connection.finish('431', nodeHeadTooLarge());
    else connection.finish('400', nginxHeadTooLarge());
  });
}

/** The application's routes work until they are asked for a WebSocket. */
export function startApplicationError(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return startAnswer('application-error', settings, env, (connection, request) => {
    if (hasToken(request.headers.get('upgrade'), 'websocket')) connection.finish('500', expressError());
    else connection.finish('200', sitePage());
  });
}
