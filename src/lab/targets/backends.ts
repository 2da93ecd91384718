/**
 * Backends that are real ws servers with a real mistake: the handler of one socket's end closes the server of all. What
 * becomes of the next handshake depends on how the server was made, and is not acted here but left to ws and Node.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { LONGEST_BACKLOG, tryPorts } from '../server/listener.js';
import { expressNotFound } from '../server/pages.js';

export interface Backend {
  readonly port: number;
  stop(): void;
}

const WS_OPTIONS = { perMessageDeflate: false, maxPayload: 65_536 } as const;
const HTTP_OPTIONS = { headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: 0 } as const;

/**
 * @param made how the server was made, a word of `--server`: `port` of its own, on the server of an application
 * (`express`) or of none (`bare`), or with `noserver` and handed its upgrades
 * @param onUpgrade told of each connection that has got its 101
 */
export async function startSelfClosing(
  made: string,
  host: string,
  onUpgrade: (socket: Socket) => void = () => {},
): Promise<Backend> {
  const closesItself = (server: WebSocketServer): WebSocketServer =>
    server.on('connection', (socket: WebSocket, request: IncomingMessage) => {
      onUpgrade(request.socket);
      socket.on('error', () => {});
      socket.on('close', () => server.close());
    });
  if (made === 'port') {
    const { port, server } = await tryPorts(0, (candidate) =>
      closesItself(new WebSocketServer({ ...WS_OPTIONS, host, port: candidate, backlog: LONGEST_BACKLOG })),
    );
    server.on('error', () => {});
    return { port, stop: () => stopAll(server, null) };
  }
  const http = createServer(HTTP_OPTIONS);
  if (made !== 'bare') http.on('request', answerAsExpress);
  const sockets = closesItself(
    new WebSocketServer(made === 'noserver' ? { ...WS_OPTIONS, noServer: true } : { ...WS_OPTIONS, server: http }),
  );
  if (made === 'noserver') {
    http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => {});
      sockets.handleUpgrade(request, socket, head, (client) => sockets.emit('connection', client, request));
    });
  }
  const { port } = await tryPorts(0, (candidate) => http.listen({ host, port: candidate, backlog: LONGEST_BACKLOG }));
  http.on('error', () => {}).on('clientError', (_error: Error, socket: Duplex) => socket.destroy());
  return { port, stop: () => stopAll(sockets, http) };
}

function answerAsExpress(request: IncomingMessage, response: ServerResponse): void {
  response.socket?.end(expressNotFound(request.url ?? '/'), 'latin1');
}

function stopAll(sockets: WebSocketServer, http: Server | null): void {
  for (const client of sockets.clients) client.terminate();
  sockets.close();
  http?.close();
  http?.closeAllConnections();
}
