/**
 * Real client libraries beside our presets of them: as many clients of each are connected to one server, which dies.
 * Both stand in one process, so that a busy machine makes both late.
 * `node reconnecting-clients.mjs CLIENTS OUTAGE_MS` prints one JSON object: for each library its version, its preset, how
 * many are back, and for each client, theirs and ours, its attempts to the one that succeeds: ms after the server's death,
 * and ms waited; how often graphql-ws tries by default; and for how long the process was busy at a stretch. Not compiled: its packages are those of this folder.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Client as StompClient } from '@stomp/stompjs';
import { Centrifuge } from 'centrifuge';
import { buildSchema, parse, subscribe, validate } from 'graphql';
import { createClient as createGraphqlClient } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocket as PartySocket } from 'partysocket';
import { Socket as PhoenixSocket } from 'phoenix';
import ReconnectingWebSocket from 'reconnecting-websocket';
import { Server as SocketIoServer } from 'socket.io';
import { io } from 'socket.io-client';
import { WebSocket, WebSocketServer } from 'ws';
import { FleetWaits } from '../../dist/plan/policy/fleet-waits.js';
import { presetNamed } from '../../dist/plan/policy/presets.js';

const require = createRequire(import.meta.url);
const [clients, outageMs] = process.argv.slice(2).map(Number);
/** Longer than any first wait after the outage. */
const PATIENCE_MS = 25_000;

/** null while the server lives for the first time. */
let diedAt = null;

/** The attempts of one client after the server's death, and whether it is back. */
class Attempts {
  /** ms after the death. */
  times = [];
  /** ms from the loss, or from the attempt that failed before. */
  waits = [];
  failedAt = 0;
  isUp = false;
  isBack = false;

  begun() {
    if (diedAt === null || this.isBack) return;
    this.times.push(performance.now() - diedAt);
    this.waits.push(performance.now() - this.failedAt);
  }

  failed() {
    this.failedAt = performance.now();
  }

  succeeded() {
    this.isUp = true;
    if (diedAt !== null) this.isBack = true;
  }
}

/** The global class of a browser, for libraries that take one, counting how often it is used. */
function counting(attempts) {
  return class extends WebSocket {
    constructor(url, protocols) {
      attempts.begun();
      super(url, protocols);
      // A refusal is an event for the library, and must be no uncaught error.
      this.on('error', () => {});
      this.on('close', () => attempts.failed());
    }
  };
}

/** Each starts one client of a library against `ws://HOST:PORT`. */
const LIBRARIES = {
  'socket.io-client': (base, attempts) => {
    const socket = io(base.replace('ws', 'http'), { transports: ['websocket'], forceNew: true });
    socket.io.on('reconnect_attempt', () => attempts.begun());
    for (const event of ['close', 'reconnect_error']) socket.io.on(event, () => attempts.failed());
    socket.on('connect', () => attempts.succeeded());
  },
  'reconnecting-websocket': (base, attempts) => {
    // Its default is drawn once for each page, and these are 200 pages.
    const minReconnectionDelay = 1000 + Math.random() * 4000;
    const socket = new ReconnectingWebSocket(`${base}/plain`, [], {
      WebSocket: counting(attempts),
      minReconnectionDelay,
    });
    socket.addEventListener('open', () => attempts.succeeded());
  },
  partysocket: (base, attempts) => {
    const socket = new PartySocket(`${base}/plain`, [], { WebSocket: counting(attempts) });
    socket.addEventListener('open', () => attempts.succeeded());
  },
  // By default it takes an attempt that is refused for fatal (see below); its users set shouldRetry.
  'graphql-ws': (base, attempts) => startGraphql(base, attempts, { shouldRetry: () => true }),
  centrifuge: (base, attempts) => {
    const client = new Centrifuge(`${base}/centrifuge`, { websocket: counting(attempts) });
    client.on('connected', () => attempts.succeeded());
    client.on('error', () => {});
    client.connect();
  },
  '@stomp/stompjs': (base, attempts) => {
    const Counting = counting(attempts);
    const client = new StompClient({
      webSocketFactory: () => new Counting(`${base}/stomp`, ['v12.stomp']),
      onConnect: () => attempts.succeeded(),
      debug() {},
    });
    client.activate();
  },
  phoenix: (base, attempts) => {
    const socket = new PhoenixSocket(`${base}/phoenix`, { transport: counting(attempts) });
    socket.onOpen(() => attempts.succeeded());
    socket.connect();
  },
};

const PRESETS = {
  'socket.io-client': 'socket.io',
  'reconnecting-websocket': 'reconnecting-websocket',
  partysocket: 'partysocket',
  'graphql-ws': 'graphql-ws',
  centrifuge: 'centrifuge',
  '@stomp/stompjs': 'stomp',
  phoenix: 'phoenix',
};

/** A client that comes back by our policy, over the same sockets. */
function startOurs(base, attempts, waits, client) {
  const connect = () => {
    attempts.begun();
    const socket = new WebSocket(`${base}/plain`);
    socket.on('error', () => {});
    socket.on('open', () => attempts.succeeded());
    socket.on('close', (code) => {
      attempts.failed();
      const wait = waits.next(client, performance.now() - diedAt, code);
      if (typeof wait === 'number') setTimeout(connect, wait);
    });
  };
  connect();
}

function startGraphql(base, attempts, options) {
  const client = createGraphqlClient({
    url: `${base}/graphql`,
    webSocketImpl: counting(attempts),
    on: { connected: () => attempts.succeeded() },
    ...options,
  });
  client.subscribe({ query: 'subscription { tick }' }, { next() {}, error() {}, complete() {} });
}

const schema = buildSchema('type Query { a: Int } type Subscription { tick: Int }');

/** A subscription that stays open. */
async function* ticks() {
  await new Promise(() => {});
  yield { tick: 1 };
}

/** First answers of each protocol; what a client sends beside them is read and dropped. */
const GREETINGS = {
  '/plain': () => {},
  '/phoenix/websocket': () => {},
  '/stomp': (socket) => socket.once('message', () => socket.send('CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0')),
  '/centrifuge': (socket) =>
    socket.once('message', (data) => {
      const { id } = JSON.parse(String(data).split('\n')[0]);
      socket.send(JSON.stringify({ id, connect: { client: 'c', version: 'test' } }));
    }),
};

function listen(port) {
  const http = createServer();
  const tcp = new Set();
  http.on('connection', (socket) => {
    tcp.add(socket);
    socket.once('close', () => tcp.delete(socket));
  });
  const plain = new WebSocketServer({ noServer: true, handleProtocols: ([first]) => first });
  const graphql = new WebSocketServer({ noServer: true, handleProtocols: () => 'graphql-transport-ws' });
  useServer(
    { schema, execute: () => null, subscribe, validate, parse, roots: { subscription: { tick: ticks } } },
    graphql,
  );
  new SocketIoServer(http);
  http.on('upgrade', (request, socket, head) => {
    const path = request.url.split('?')[0];
    if (path === '/graphql') {
      graphql.handleUpgrade(request, socket, head, (one) => graphql.emit('connection', one, request));
    } else if (GREETINGS[path] !== undefined) plain.handleUpgrade(request, socket, head, GREETINGS[path]);
  });
  http.listen(port, '127.0.0.1');
  return {
    http,
    /** As a process that is killed: nobody listens, and the kernel ends every connection. */
    die() {
      http.close();
      for (const socket of tcp) socket.resetAndDestroy();
    },
  };
}

async function until(isSo, patienceMs) {
  const end = performance.now() + patienceMs;
  while (!isSo() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
  return isSo();
}

const server = listen(0);
await once(server.http, 'listening');
const { port } = server.http.address();
const base = `ws://127.0.0.1:${port}`;
const fleets = Object.entries(LIBRARIES).map(([library, start]) => ({
  library,
  preset: PRESETS[library],
  version: JSON.parse(readFileSync(require.resolve(`./node_modules/${library}/package.json`))).version,
  theirs: Array.from({ length: clients }, () => new Attempts()),
  ours: Array.from({ length: clients }, () => new Attempts()),
  start,
}));
for (const { preset, theirs, ours, start } of fleets) {
  const waits = new FleetWaits(presetNamed(preset).policy, 11, clients);
  for (let client = 0; client < clients; client += 1) {
    start(base, theirs[client]);
    startOurs(base, ours[client], waits, client);
  }
}
const plainGraphql = new Attempts();
startGraphql(base, plainGraphql, {});
const isEach = (state) => () => fleets.every(({ theirs, ours }) => [...theirs, ...ours].every((one) => one[state]));
if (!(await until(isEach('isUp'), PATIENCE_MS))) throw new Error('not every client connected');
// reconnecting-websocket and partysocket forget failures after 5 s; the others have none.
await new Promise((resolve) => setTimeout(resolve, 5500));
const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();
diedAt = performance.now();
server.die();
await new Promise((resolve) => setTimeout(resolve, outageMs));
listen(port);
await until(isEach('isBack'), PATIENCE_MS);
const libraries = fleets.map(({ library, preset, version, theirs, ours }) => ({
  library,
  preset,
  version,
  back: theirs.filter(({ isBack }) => isBack).length,
  theirs: theirs.map(({ times, waits }) => ({ times, waits })),
  ours: ours.map(({ times, waits }) => ({ times, waits })),
}));
const result = { libraries, graphqlByDefault: plainGraphql.times.length, busyMs: delay.max / 1e6 };
process.stdout.write(JSON.stringify(result), () => process.exit(0));
