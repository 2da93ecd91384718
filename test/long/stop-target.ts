/**
 * A raw server that knows what it answered and when: the truth beside which the files of a stopped run are held. It has
 * places for so many connections at once and answers 503 beyond. Every request is answered by the same delay, so that a stop
 * has something to come into the middle of.
 */
import { createHash } from 'node:crypto';
import net from 'node:net';

export interface StopTarget {
  readonly url: string;
  /** When each 101 was sent, and each 503; ms of Date.now(). */
  readonly opened: readonly number[];
  readonly refused: readonly number[];
  /** Forgets what it answered. */
  forget(): void;
  end(): void;
}

export interface StopWays {
  readonly host: string;
  readonly delayMs: number;
  readonly places: number;
}

export async function startStopTarget({ host, delayMs, places }: StopWays): Promise<StopTarget> {
  const opened: number[] = [];
  const refused: number[] = [];
  const open = new Set<net.Socket>();
  const answer = (socket: net.Socket, request: string): void => {
    if (socket.destroyed) return;
    if (open.size >= places) {
      refused.push(Date.now());
      socket.end('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    open.add(socket);
    opened.push(Date.now());
    const key = /\r\nsec-websocket-key: *(\S+)\r\n/i.exec(request)?.[1] ?? '';
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
  };
  const server = net.createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
    socket.on('data', (bytes) => {
      // The client says no more than that it closes.
      if (open.has(socket)) socket.end(Buffer.from([0x88, 0]));
      else setTimeout(() => answer(socket, bytes.toString('latin1')), delayMs);
    });
  });
  await new Promise<void>((resolve) => server.listen({ host, port: 0, backlog: 4096 }, resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    url: `ws://${host}:${port}/`,
    opened,
    refused,
    forget: () => {
      opened.length = 0;
      refused.length = 0;
    },
    end: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
