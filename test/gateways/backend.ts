/**
 * A process: the application behind a gateway. Arguments: `BackendSettings` as JSON, and the port of 127.0.0.1. Prints a
 * line when it listens. On its stdin: `report` prints one JSON line (`BackendReport`) and counts anew, `block` prints a
 * line and stands still (kind `blocks`); it ends with its stdin.
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { BackendReport, BackendSettings, Built } from './backend-kinds.js';
import { concurrentQueue, type Queue, serialQueue } from './backend-queues.js';

/** The kernel caps it at net.core.somaxconn; Node's default of 511 would be a limit of its own. */
const LONGEST_BACKLOG = 65_535;
const HOST = '127.0.0.1';
/** Who is told to stand still and has nobody waiting for so long moves again. */
const BLOCK_PATIENCE_MS = 20_000;
/** How often it looks whether it was kept from running, and what of that is nothing. */
const TICK_MS = 5;
const UNHURT_MS = 15;

const settings = JSON.parse(process.argv[2]) as BackendSettings;
const port = Number(process.argv[3]);

let asked = 0;
let served = 0;
let firstMs = 0;
let lastMs = 0;
let stalledMs = 0;
let queue: Queue | null = null;

function counts(): void {
  const now = performance.now();
  if (asked === 0) firstMs = now;
  lastMs = now;
  asked += 1;
}

function countsServed(): void {
  served += 1;
}

function report(): BackendReport {
  const told = { asked, served, spreadMs: lastMs - firstMs, serviceMs: queue?.measured() ?? null, stalledMs };
  asked = 0;
  stalledMs = 0;
  served = 0;
  return told;
}

function httpServer(): Server {
  return createServer({ headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: 0 });
}

function listen(server: Server | TcpServer, backlog = LONGEST_BACKLOG): void {
  server.listen({ host: HOST, port, backlog }, listens);
}

function listens(): void {
  process.stdout.write(`${port}\n`);
}

function onUpgrade(server: Server, take: (request: IncomingMessage, socket: Duplex, head: Buffer) => void): void {
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    counts();
    socket.on('error', () => {});
    take(request, socket, head);
  });
}

/** Unread, the socket would not tell that the gateway has left. */
function queued(through: Queue): void {
  queue = through;
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const server = httpServer();
  onUpgrade(server, (request, socket, head) => {
    socket.resume();
    const grant = () => sockets.handleUpgrade(request, socket, head, granted);
    through.add({ socket, grant });
  });
  server.on('request', upgradeRequired);
  listen(server);
}

function granted(client: WebSocket): void {
  countsServed();
  client.on('error', () => {});
}

function upgradeRequired(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426).end();
}

/** As the final handler of Express writes it. */
function expressNotFound(request: IncomingMessage, response: ServerResponse): void {
  const page = (text: string) =>
    `<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>\n<body>\n<pre>${text}</pre>\n</body>\n</html>\n`;
  const path = (request.url ?? '/').split('?')[0].replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
  response.writeHead(404, {
    'X-Powered-By': 'Express',
    'Content-Security-Policy': "default-src 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Content-Type': 'text/html; charset=utf-8',
  });
  response.end(page(`Cannot GET ${path}`));
}

function welcome(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/html' });
  response.end(
    '<!DOCTYPE html>\n<html>\n<head><title>Welcome</title></head>\n<body><h1>Welcome</h1></body>\n</html>\n',
  );
}

function own(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(404, { 'Content-Type': 'application/json' }).end('{"error":"no such resource"}');
}

function wsServer(built: Built): WebSocketServer {
  if (built === 'port') {
    const sockets = new WebSocketServer({ host: HOST, port, backlog: LONGEST_BACKLOG, perMessageDeflate: false });
    return sockets.on('listening', listens);
  }
  const server = httpServer();
  if (built === 'express') server.on('request', expressNotFound);
  if (built === 'handler' || built === 'noServer') server.on('request', own);
  if (built === 'noServer') {
    const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
    onUpgrade(server, (request, socket, head) =>
      sockets.handleUpgrade(request, socket, head, (client) => sockets.emit('connection', client, request)),
    );
    listen(server);
    return sockets;
  }
  if (built === 'watched') server.on('upgrade', (_request, socket: Duplex) => void socket.on('error', () => {}));
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  listen(server);
  return sockets;
}

function startWs(built: Built, closesItself: boolean): void {
  const sockets = wsServer(built);
  sockets.on('connection', (client: WebSocket) => {
    granted(client);
    if (closesItself) client.on('close', () => sockets.close());
  });
  sockets.on('error', () => {});
}

/** Whom ws has asked its application about when the server closes is turned away with a 503. */
function startClosesInFlight(delayMs: number, after: number): void {
  const server = httpServer().on('request', own);
  const sockets = new WebSocketServer({
    server,
    perMessageDeflate: false,
    verifyClient: (_info, done) => {
      counts();
      setTimeout(() => done(true), delayMs);
      if (asked === after) sockets.close();
    },
  });
  listen(server);
}

function startDies(after: number, afterMs: number): void {
  const server = httpServer();
  onUpgrade(server, (_request, socket) => {
    socket.resume();
    if (asked === after) setTimeout(() => process.kill(process.pid, 'SIGKILL'), afterMs);
  });
  listen(server);
}

function startLimited(max: number): void {
  const server = httpServer();
  server.maxConnections = max;
  new WebSocketServer({ server, perMessageDeflate: false }).on('connection', granted);
  listen(server);
}

function startBlocks(backlog: number): void {
  const server = httpServer();
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  onUpgrade(server, (request, socket, head) => sockets.handleUpgrade(request, socket, head, granted));
  listen(server, backlog);
}

/** Bytes of one's own, on a server that does not know what HTTP is. */
function startSays(text: string, ends: boolean): void {
  const server = createTcpServer((socket) => {
    let got = '';
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      got += bytes.toString('latin1');
      if (!got.includes('\r\n\r\n')) return;
      got = '';
      counts();
      if (ends) socket.end(text, 'latin1');
      else socket.write(text, 'latin1');
    });
  });
  listen(server);
}

/** Stands still until `blockMs` after the first connection has come to wait in the accept queue. */
function block(blockMs: number): void {
  process.stdout.write('blocks\n');
  const nap = new Int32Array(new SharedArrayBuffer(4));
  const untilMs = performance.now() + BLOCK_PATIENCE_MS;
  while (acceptQueue() === 0 && performance.now() < untilMs) Atomics.wait(nap, 0, 0, 2);
  Atomics.wait(nap, 0, 0, blockMs);
}

/** Of a listening socket /proc/net/tcp has the length of the accept queue where others have unread bytes (proc_net_tcp). */
function acceptQueue(): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const line of readFileSync('/proc/self/net/tcp', 'latin1').split('\n', 200)) {
    const [, address, , state, queues] = line.trim().split(/\s+/);
    if (state === '0A' && address.endsWith(local)) return Number.parseInt(queues.split(':')[1], 16);
  }
  return 0;
}

/** By kind; `none` is no process at all. */
function start(of: BackendSettings): void {
  if (of.kind === 'ws') startWs(of.built, of.closesItself === true);
  else if (of.kind === 'closes-in-flight') startClosesInFlight(of.delayMs, of.after);
  else if (of.kind === 'site') listen(httpServer().on('request', welcome));
  else if (of.kind === 'serial') queued(serialQueue(of.serviceMs, of.servesDead === true, of.burns === true));
  else if (of.kind === 'concurrent') queued(concurrentQueue(of.delayMs, of.atOnce));
  else if (of.kind === 'hangs') startHangs();
  else if (of.kind === 'dies') startDies(of.after, of.afterMs);
  else if (of.kind === 'blocks') startBlocks(of.backlog);
  else if (of.kind === 'limited') startLimited(of.max);
  else if (of.kind === 'says') startSays(of.text, of.ends);
}

/** Takes every upgrade and answers none. */
function startHangs(): void {
  const server = httpServer();
  onUpgrade(server, (_request, socket) => void socket.resume());
  listen(server);
}

function watchStalls(): void {
  let beforeMs = performance.now();
  setInterval(() => {
    const now = performance.now();
    if (asked > 0 && now - beforeMs > UNHURT_MS) stalledMs += now - beforeMs - TICK_MS;
    beforeMs = now;
  }, TICK_MS);
}

start(settings);
watchStalls();
createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (line === 'report') process.stdout.write(`${JSON.stringify(report())}\n`);
    if (line === 'block' && settings.kind === 'blocks') block(settings.blockMs);
  })
  .on('close', () => process.exit(0));
