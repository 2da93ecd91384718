/**
 * Targets that send a 101 and then reject the client, by what they send with it; the queue of a Unix socket; and a hop
 * that does not wait for a request.
 */
import type { Connection } from '../server/connection.js';
import { Agenda, nowUs } from '../server/due.js';
import { type LabEnv, openLab, type RunningLab } from '../server/listener.js';
import { haproxyRequestTimeout, nginxPage, relayedBadRequest } from '../server/pages.js';
import { parseRequest, type Request, RequestHeadReader } from '../server/request-head.js';
import { type LabSettings, numberOf } from '../server/target-options.js';
import { closeFrame } from '../server/tunnel.js';

function startClosing(name: string, settings: LabSettings, env: LabEnv, reason: string): Promise<RunningLab> {
  const frame = closeFrame(numberOf(settings, 'code'), reason);
  const afterMs = numberOf(settings, 'after');
  return openLab(name, settings, env, {
    onRequest(connection, request) {
      connection.upgrade(request);
      if (connection.upgraded) setTimeout(() => connection.open && connection.stream.end(frame), afterMs).unref();
    },
  });
}

export function startRejectedAfterAccept(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return startClosing('rejected-after-accept', settings, env, 'token expired');
}

export function startServerRestart(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return startClosing('server-restart', settings, env, 'service restart');
}

/**
 * Two WebSocketServers with paths on one HTTP server: the one for the other path writes its refusal into the open
 * tunnel.
 */
export function startTwoServers(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return openLab('two-servers-answered', settings, env, {
    onRequest(connection, request) {
      connection.upgrade(request);
      if (connection.upgraded) connection.stream.end(relayedBadRequest('Bad Request'), 'latin1');
    },
  });
}

/**
 * backlog + 1 connections wait in the queue until the server behind the socket continues; the others are refused at
 * once.
 */
export function startSocketQueue(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const backlog = numberOf(settings, 'backlog');
  const blockUs = numberOf(settings, 'block') * 1000;
  const agenda = new Agenda<'served'>();
  let queued = 0;
  const serve = (connection: Connection, request: Request): void => {
    queued -= 1;
    if (connection.open) connection.upgrade(request);
  };
  return openLab('socket-queue-full', settings, env, {
    onRequest(connection, request) {
      if (queued > backlog) {
        connection.finish('502', nginxPage('502'));
        return;
      }
      queued += 1;
      agenda.at('served', nowUs() + blockUs, () => serve(connection, request));
    },
    onStop: () => agenda.stop(),
  });
}

/** HAProxy's `timeout http-request`: a client that has sent no request by then gets 408. */
export function startAnsweredBefore(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const afterMs = numberOf(settings, 'after');
  return openLab('answered-before-request', settings, env, {
    // Not used here: `ready` below handles requests.
    onRequest: () => {},
    onConnection(connection) {
      const head = new RequestHeadReader();
      const timer = setTimeout(() => {
        connection.countUnasked('408');
        connection.stream.end(haproxyRequestTimeout(), 'latin1');
      }, afterMs).unref();
      connection.stream.on('data', (chunk: Buffer) => {
        const read = connection.upgraded ? null : head.push(chunk);
        if (read === null || read === 'too-long') return;
        clearTimeout(timer);
        connection.requestReceived();
        connection.upgrade(parseRequest(read.head));
      });
    },
  });
}
