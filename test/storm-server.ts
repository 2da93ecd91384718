/**
 * A WebSocket server that can be dropped as a deploy drops one: every connection is ended, the port refuses for a while,
 * then the same port serves again. It counts what it has seen, so that a storm's numbers can be held against it. Real
 * servers: node:http and ws.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

export interface StormServer {
  readonly url: string;
  /** Asked by any client, it drops: `GET` this address. */
  readonly dropUrl: string;
  /** WebSocket connections opened since the start. */
  readonly opened: number;
  /** Connections that the last drops have ended. */
  readonly dropped: number;
  /** Request headers of every handshake, in order. */
  readonly requests: readonly Readonly<Record<string, string | string[] | undefined>>[];
  drop(): Promise<void>;
  close(): Promise<void>;
}

interface StormServerOptions {
  /** Refuses for so long after a drop. */
  readonly awayMs?: number;
  /** Ends a connection at a drop; default: its TCP connection is destroyed. */
  readonly end?: (socket: WebSocket) => void;
  /** Called for each connection. */
  readonly connected?: (socket: WebSocket, number: number) => void;
}

/** Ports below the range of the kernel's own choice: a client's local port can't take the server's while it is away. */
const PORTS = { first: 20_000, count: 10_000 };

export async function stormServer(options: StormServerOptions = {}): Promise<StormServer> {
  const { awayMs = 200, end = (socket) => socket.terminate(), connected } = options;
  const seen = { opened: 0, dropped: 0 };
  const requests: Record<string, string | string[] | undefined>[] = [];
  const sockets = new Set<WebSocket>();
  const listening = async (port: number): Promise<Server> => {
    const server = createServer((request, response) => {
      response.end('dropped');
      if (request.url === '/drop') void drop();
    });
    new WebSocketServer({ server }).on('connection', (socket, request) => {
      seen.opened++;
      requests.push(request.headers);
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
      connected?.(socket, seen.opened);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, host: '127.0.0.1', backlog: 4096 }, resolve);
    });
    return server;
  };
  let server = await onFreePort(listening);
  const { port } = server.address() as AddressInfo;
  let isClosed = false;
  const stopped = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
      for (const socket of sockets) socket.terminate();
    });
  const drop = async (): Promise<void> => {
    for (const socket of sockets) {
      seen.dropped++;
      end(socket);
    }
    server.close();
    server.closeIdleConnections();
    await new Promise((resolve) => setTimeout(resolve, awayMs));
    if (!isClosed) server = await listening(port);
  };
  return {
    url: `ws://127.0.0.1:${port}/`,
    dropUrl: `http://127.0.0.1:${port}/drop`,
    get opened() {
      return seen.opened;
    },
    get dropped() {
      return seen.dropped;
    },
    requests,
    drop,
    close: () => {
      isClosed = true;
      return stopped();
    },
  };
}

async function onFreePort(listening: (port: number) => Promise<Server>): Promise<Server> {
  for (;;) {
    try {
      return await listening(PORTS.first + Math.floor(Math.random() * PORTS.count));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}
