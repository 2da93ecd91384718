/**
 * What an ordinary client (the npm package ws) gets for a request: the truth that the tool's outcomes are held against,
 * and the proof that a server still serves.
 */
import WebSocket from 'ws';
import type { Asked } from './row.js';
import type { Server } from './server.js';

const DEADLINE_MS = 2000;
/** One that rejects after it has accepted does so within this. */
const STAYS_MS = 400;
let number = 0;

export function urlOf({ scheme = 'ws', path }: Asked, { place, secret }: Server): string {
  return `${scheme}://${place.host}:${place.port}${path.replaceAll('SECRET', secret)}`;
}

/** @returns an outcome's id; after 101 `, ` and the close code when the server ended it at once */
export function ordinaryClient(asked: Asked, server: Server): Promise<string> {
  number += 1;
  const url = urlOf(asked, server).replaceAll('{{ index }}', `ordinary-${number}`);
  const client = new WebSocket(url, asked.subprotocol === undefined ? [] : [asked.subprotocol], {
    headers: asked.headers,
    // In its own way `origin` sends the header even when there is none.
    ...(asked.origin === undefined ? {} : { origin: asked.origin }),
    rejectUnauthorized: false,
  });
  return new Promise((resolve) => {
    const deadline = setTimeout(() => end('timeout-upgrade'), DEADLINE_MS);
    const end = (outcome: string): void => {
      clearTimeout(deadline);
      resolve(outcome);
      client.terminate();
    };
    client.once('open', () => {
      clearTimeout(deadline);
      setTimeout(() => end('101'), STAYS_MS);
    });
    client.once('close', (code) => end(`101, ${code}`));
    client.once('unexpected-response', (request, { statusCode }) => {
      end(`${statusCode}`);
      request.destroy();
    });
    client.on('error', (error: NodeJS.ErrnoException) => end(failureOf(error, asked)));
  });
}

/** An end without a code is a FIN (Node says "socket hang up"), one with a system call an RST. */
function failureOf(error: NodeJS.ErrnoException, { scheme }: Asked): string {
  if (/no subprotocol/.test(error.message)) return '101, no subprotocol';
  if (scheme === 'wss') return 'tls';
  if (error.code === 'ECONNREFUSED') return 'refused';
  if (error.code === 'ECONNRESET') return error.syscall === undefined ? 'closed' : 'reset';
  return error.code?.startsWith('WS_ERR') === true ? '101, bytes that are no frame' : error.message;
}
