/**
 * The target that works: a usual `ws` server behind the lab's listener. It answers a request without an upgrade with
 * 426 and an invalid one with 400, as ws does by default, and echoes messages;
 * `echo` does the same with delays.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type RawData, WebSocketServer } from 'ws';
import type { OutcomeId } from '../../names/outcomes.js';
import type { Connection } from '../server/connection.js';
import { type LabEnv, openLab, type RunningLab } from '../server/listener.js';
import { nginxPage, wsUpgradeRequired } from '../server/pages.js';
import { type LabSettings, numberOf } from '../server/target-options.js';

export function startHealthy(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return startWs('healthy', undefined, settings, env);
}

/** Healthy, and as slow as it is told to be. */
export function startEcho(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const ms = (name: string): number => (settings[name] === null ? 0 : numberOf(settings, name));
  return startWs('echo', undefined, settings, env, { handshakeMs: ms('handshake'), replyMs: ms('reply') });
}

/** Healthy over TLS only; a client that disconnects after TLS did not trust the certificate. */
export function startTlsSelfSigned(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return startWs('tls-self-signed', 'tls', { ...settings, tls: true }, env);
}

function startWs(
  name: string,
  leftAfterTls: OutcomeId | undefined,
  settings: LabSettings,
  env: LabEnv,
  delays: WsDelays = NO_DELAYS,
): Promise<RunningLab> {
  const server = wsServer(delays);
  return openLab(name, settings, env, {
    // Never called: http reads every connection itself.
    onRequest: () => {},
    onConnection: (connection) => server.adopt(connection.stream, connection),
    leftAfterTls,
    onStop: () => server.stop(),
  });
}

/** Time before each 101 and before each echo. */
interface WsDelays {
  readonly handshakeMs: number;
  readonly replyMs: number;
}

const NO_DELAYS: WsDelays = { handshakeMs: 0, replyMs: 0 };

export interface WsServer {
  /** Serves `stream` from its first byte, and counts on behalf of `connection`. */
  adopt(stream: Socket, connection: Connection): void;
  stop(): void;
}

export function wsServer({ handshakeMs, replyMs }: WsDelays = NO_DELAYS): WsServer {
  const connections = new WeakMap<Duplex, Connection>();
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 65_536 });
  // Connections that wait at a gate before they send anything must not be closed by http's timers.
  const http = createServer({ headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: 0 });

  sockets.on('wsClientError', (_error: Error, socket: Duplex) => {
    connections.get(socket)?.count('400');
    socket.end(nginxPage('400'), 'latin1');
  });
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const connection = connections.get(socket);
    connection?.requestReceived();
    const upgrade = (): void =>
      sockets.handleUpgrade(request, socket, head, (client) => {
        connection?.count('101');
        client.on('error', ignore);
        client.on('message', (data: RawData, isBinary: boolean) =>
          after(replyMs, () => client.send(data, { binary: isBinary })),
        );
      });
    after(handshakeMs, () => connection?.open !== false && upgrade());
  });
  http.on('request', (request: IncomingMessage, _response: ServerResponse) => {
    const connection = connections.get(request.socket);
    connection?.requestReceived();
    connection?.count('426');
    request.socket.end(wsUpgradeRequired(), 'latin1');
  });
  http.on('clientError', (_error: Error, socket: Duplex) => socket.destroy());
  return {
    adopt(stream, connection) {
      connections.set(stream, connection);
      http.emit('connection', stream);
    },
    stop: () => {
      http.close();
    },
  };
}

/** At once without a delay, so that the plain target costs nothing for it. */
function after(ms: number, act: () => unknown): void {
  if (ms === 0) act();
  else setTimeout(act, ms).unref();
}

function ignore(): void {}
