/**
 * The raw server of the matrix: it answers a handshake with the row that its path names, byte by byte as the row says, and
 * a TLS ClientHello with the one row of its port. It computes Accept by itself (RFC 6455 section 4.2.2): what is judged by
 * the answers shares nothing with what makes them.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { onRequest, pause, type RawServer, serve } from '../unit/fire-raw.js';
import type { Answer, Step } from './answer.js';

export interface Target {
  readonly server: RawServer;
  /** Where `answer` is to be had. */
  url(answer: Answer): string;
  /** By the client's port: which row it was answered with. */
  readonly answered: ReadonlyMap<number, string>;
}

/** Answers plain handshakes with any of these rows, and `/` with a page that a browser can be sent to. */
export async function startTarget(answers: readonly Answer[], page: string): Promise<Target> {
  const byName = new Map(answers.map((answer) => [answer.name, answer]));
  const answered = new Map<number, string>();
  const server = await serve(
    onRequest((socket, request) => {
      const path = decodeURIComponent(request.split(' ')[1].slice(1));
      const answer = byName.get(path);
      if (answer === undefined) {
        const body = path === '' ? page : '';
        const fields = `Content-Type: text/html\r\nContent-Length: ${body.length}\r\nConnection: close`;
        socket.end(`HTTP/1.1 ${path === '' ? '200 OK' : '404 Not Found'}\r\n${fields}\r\n\r\n${body}`);
        return;
      }
      answered.set(socket.remotePort ?? 0, answer.name);
      void play(socket, answer.steps(acceptOf(request)));
    }),
  );
  return { server, answered, url: (answer) => `ws://${server.host}:${server.port}/${answer.name}` };
}

/** Answers whatever comes first, which is a ClientHello, with this row. */
export async function startSecureTarget(answer: Answer): Promise<Target> {
  const server = await serve((socket) => {
    socket.once('data', () => void play(socket, answer.steps('')));
    // Read on, or a FIN of the client's would never be seen.
    socket.resume();
  });
  return { server, answered: new Map(), url: () => `wss://${server.host}:${server.port}/${answer.name}` };
}

function acceptOf(request: string): string {
  const key = /^sec-websocket-key: *(\S+)/im.exec(request)?.[1] ?? '';
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

async function play(socket: Socket, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    if (socket.destroyed) return;
    if ('write' in step) socket.write(step.write, 'latin1');
    else if ('drip' in step) await dripped(socket, step.drip);
    else if ('taken' in step) await taken(socket);
    else if (step.end === 'FIN') socket.end();
    else socket.resetAndDestroy();
  }
}

/**
 * Waits until the receive queue of the client's socket, which is on this machine, is empty. Data and RST that are read at
 * once are an end of file to libuv, and so to Node (uv__stream_eof upon POLLHUP); no pause by the clock would rule that out.
 */
async function taken(socket: Socket): Promise<void> {
  const hex = (port = 0) => port.toString(16).toUpperCase().padStart(4, '0');
  // proc(5): local and remote address, state, and the queues as tx:rx.
  const row = new RegExp(`:${hex(socket.remotePort)} [0-9A-F]{8}:${hex(socket.localPort)} \\w\\w \\w+:(\\w+) `);
  for (let tries = 0; tries < 1000 && !socket.destroyed; tries++) {
    const queued = row.exec(await readFile('/proc/net/tcp', 'latin1'));
    if (queued === null || Number.parseInt(queued[1], 16) === 0) return;
    await pause(5);
  }
}

/** Without Nagle's delay each write is a segment of its own; the pause keeps the kernel from joining those that wait. */
async function dripped(socket: Socket, text: string): Promise<void> {
  for (const byte of text) {
    if (socket.destroyed) return;
    socket.write(byte, 'latin1');
    await pause(1);
  }
}
