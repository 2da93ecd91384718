/**
 * A process: the application behind a gateway. A ws server that serves upgrades one by one, S each, the k-th of a queue
 * at k·S on an absolute schedule, so that a late timer costs nothing. Arguments: S in ms; `skip` or `serve` for clients
 * that the gateway has given up while they waited; the port. Prints the port when it listens; ends with its stdin.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';

interface Waiting {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** The kernel caps it at net.core.somaxconn; Node's default of 511 would be a limit of its own. */
const LONGEST_BACKLOG = 65_535;

const serviceMs = Number(process.argv[2]);
const skipsDead = process.argv[3] !== 'serve';
const queue: Waiting[] = [];
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const http = createServer({ headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: 0 });
/** When the one who waits longest will have been served. */
let dueMs = 0;
let timer: NodeJS.Timeout | null = null;

http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
  socket.on('error', () => {});
  // Unread, the socket would not tell that the gateway has left.
  socket.resume();
  if (queue.length === 0) dueMs = Math.max(dueMs, performance.now()) + serviceMs;
  queue.push({ request, socket, head });
  wake();
});
http.on('request', (_request, response) => {
  response.writeHead(426).end();
});

function wake(): void {
  if (timer === null) timer = setTimeout(serve, Math.max(0, Math.ceil(dueMs - performance.now())));
}

function serve(): void {
  timer = null;
  while (queue.length > 0 && dueMs <= performance.now()) {
    const { request, socket, head } = queue.shift() as Waiting;
    const isDead = socket.destroyed || !socket.readable;
    if (isDead) {
      // Half closed by the gateway: kept, it would cost a descriptor for ever.
      socket.destroy();
    } else {
      sockets.handleUpgrade(request, socket, head, (client) => {
        client.on('error', () => {});
      });
    }
    if (!isDead || !skipsDead) dueMs += serviceMs;
  }
  if (queue.length > 0) wake();
}

http.listen({ host: '127.0.0.1', port: Number(process.argv[4]), backlog: LONGEST_BACKLOG }, () => {
  process.stdout.write(`${(http.address() as AddressInfo).port}\n`);
});
process.stdin.resume().on('end', () => process.exit(0));
