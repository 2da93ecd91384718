/**
 * Backends that are real ws servers with a real bug: the close handler of one socket closes the whole server. The
 * outcome of the next handshake depends on how the server was made; it is not simulated, but comes from ws and Node.
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
 * @param made how the server was made, a word of `--server`: with its own `port`, on an application's HTTP server
 * (`express`) or an empty one (`bare`), or with `noServer`, so that upgrades are passed to it
 * @param onUpgrade called for each connection that has got its 101
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
