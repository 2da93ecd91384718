/**
 * A server of the ws library that closes after its 101, as an application does that looks at its clients only then: over
 * ws or wss, every client or each k-th, and with its own count of what it closed.
 */
import { createServer as createPlain } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { LAB_CERTIFICATE, LAB_PRIVATE_KEY } from '#dist/lab/server/certificate.js';

export interface ClosingOptions {
  readonly code: number;
  readonly reason: string;
  readonly host: string;
  readonly secure?: boolean;
  /** Each k-th is closed, the first one not unless k is 1; default 1. */
  readonly each?: number;
  /** From its 101 to its close frame; default 0. */
  readonly afterMs?: number;
}

export interface ClosingServer {
  readonly url: string;
  /** Since `forget`. */
  readonly accepted: number;
  readonly closed: number;
  forget(): void;
  end(): Promise<void>;
}

export async function startClosing(options: ClosingOptions): Promise<ClosingServer> {
  const { code, reason, host, secure = false, each = 1, afterMs = 0 } = options;
  const counts = { accepted: 0, closed: 0 };
  const http = secure ? createSecure({ cert: LAB_CERTIFICATE, key: LAB_PRIVATE_KEY }) : createPlain();
  const server = new WebSocketServer({ server: http });
  const close = (socket: { close(code: number, reason: string): void }): void => {
    counts.closed++;
    socket.close(code, reason);
  };
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    counts.accepted++;
    if (counts.accepted % each !== 0) return;
    if (afterMs === 0) close(socket);
    else setTimeout(close, afterMs, socket);
  });
  await new Promise<void>((resolve) => http.listen({ host, port: 0, backlog: 4096 }, resolve));
  return {
    url: `${secure ? 'wss' : 'ws'}://${host}:${(http.address() as AddressInfo).port}/`,
    get accepted() {
      return counts.accepted;
    },
    get closed() {
      return counts.closed;
    },
    forget() {
      counts.accepted = counts.closed = 0;
    },
    async end() {
      for (const socket of server.clients) socket.terminate();
      server.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
