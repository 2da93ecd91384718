/**
 * Servers from npm, each as its README has it, with the rules that such servers usually have: one path, a token, a
 * subprotocol, an Origin. `node npm-servers.mjs NAME HOST PORT` prints `ready SECRET` once it listens, answers each line on
 * its stdin with the number of connections that it has accepted, and ends with its stdin. Not compiled: its packages are
 * those of this folder.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const require = createRequire(import.meta.url);
const TOKEN = 'good-token';
const BEAT_MS = 300;
// Longer than a busy machine stalls.
const PATIENCE_MS = 3000;

let accepted = 0;
const count = () => {
  accepted += 1;
};

/** A site without pages, as most WebSocket servers stand on one. */
async function site(host, port) {
  const http = createServer((_, response) => {
    response.statusCode = 404;
    response.end('Not Found');
  });
  http.listen(port, host);
  await once(http, 'listening');
  return http;
}

const tokenOf = (request) => new URL(request.url, 'http://server').searchParams.get('token');

function refuse(socket, status) {
  socket.on('error', () => {});
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** Each starts a server on HOST and PORT, and returns what a client must know (or nothing). */
const SERVERS = {
  async ws(host, port) {
    const { WebSocketServer } = await import('ws');
    const verifyClient = ({ req }) => tokenOf(req) === TOKEN;
    const server = new WebSocketServer({ server: await site(host, port), path: '/chat', verifyClient });
    server.on('connection', (socket) => {
      count();
      socket.on('error', () => {});
    });
  },

  async websocket(host, port) {
    const { server: WebSocketServer } = require('websocket');
    const server = new WebSocketServer({ httpServer: await site(host, port), autoAcceptConnections: false });
    server.on('request', (request) => {
      if (request.origin !== 'https://app.example.com') return request.reject(403, 'Origin not allowed');
      if (!request.requestedProtocols.includes('echo-protocol')) return request.reject(400, 'Subprotocol required');
      request.accept('echo-protocol', request.origin);
      count();
    });
  },

  async 'socket.io'(host, port) {
    const { Server } = await import('socket.io');
    const io = new Server(await site(host, port));
    io.engine.on('connection', count);
  },

  async 'engine.io'(host, port) {
    const { attach } = require('engine.io');
    attach(await site(host, port)).on('connection', count);
  },

  async sockjs(host, port) {
    const http = await site(host, port);
    const echo = require('sockjs').createServer({ prefix: '/echo', log: () => {} });
    echo.on('connection', count);
    echo.installHandlers(http);
  },

  async faye(host, port) {
    const http = await site(host, port);
    new (require('faye').NodeAdapter)({ mount: '/bayeux', timeout: 45 }).attach(http);
    // Faye tells of its clients' messages only: what it is asked for is counted instead.
    http.on('upgrade', ({ url }) => url.startsWith('/bayeux') && count());
  },

  async 'faye-websocket'(host, port) {
    const WebSocket = require('faye-websocket');
    (await site(host, port)).on('upgrade', (request, socket, body) => {
      if (!WebSocket.isWebSocket(request)) return refuse(socket, '400 Bad Request');
      if (tokenOf(request) !== TOKEN) return refuse(socket, '401 Unauthorized');
      new WebSocket(request, socket, body).on('open', count);
    });
  },

  async fastify(host, port) {
    const app = (await import('fastify')).default();
    await app.register(await import('@fastify/websocket'));
    app.addHook('preValidation', async (request, reply) => {
      if (request.routeOptions.url === '/live' && request.query.token !== TOKEN) await reply.code(401).send('no token');
    });
    app.get('/live', { websocket: true }, count);
    await app.listen({ host, port });
  },

  async 'express-ws'(host, port) {
    const express = require('express');
    const app = express();
    require('express-ws')(app);
    app.use((request, response, next) => {
      if (request.query.token === TOKEN) next();
      else response.status(401).end();
    });
    app.ws('/echo', count);
    await once(app.listen(port, host), 'listening');
  },

  async 'graphql-ws'(host, port) {
    const { buildSchema } = require('graphql');
    const { useServer } = require('graphql-ws/use/ws');
    const { WebSocketServer } = require('ws');
    const server = new WebSocketServer({ server: await site(host, port), path: '/graphql' });
    server.on('connection', count);
    useServer({ schema: buildSchema('type Query { hello: String }') }, server);
  },

  async hocuspocus(host, port) {
    const { Server } = await import('@hocuspocus/server');
    const server = new Server({ port, address: host, quiet: true });
    server.webSocketServer.on('connection', count);
    await server.listen();
  },

  async 'y-websocket'(host, port) {
    const { setupWSConnection } = require('y-websocket/bin/utils');
    const { WebSocketServer } = require('ws');
    const server = new WebSocketServer({ noServer: true });
    server.on('connection', (socket, request) => {
      count();
      setupWSConnection(socket, request);
    });
    (await site(host, port)).on('upgrade', (request, socket, head) => {
      if (tokenOf(request) !== TOKEN) return refuse(socket, '401 Unauthorized');
      server.handleUpgrade(request, socket, head, (opened) => server.emit('connection', opened, request));
    });
  },

  async peer(host, port) {
    const { PeerServer } = require('peer');
    const listening = new Promise((resolve) => {
      PeerServer({ host, port, path: '/' }, resolve).on('connection', count);
    });
    await listening;
  },

  async aedes(host, port) {
    const { Aedes } = await import('aedes');
    const { WebSocketServer, createWebSocketStream } = await import('ws');
    const broker = await Aedes.createBroker();
    const handleProtocols = (offered) => (offered.has('mqtt') ? 'mqtt' : false);
    const server = new WebSocketServer({ server: await site(host, port), path: '/mqtt', handleProtocols });
    server.on('connection', (socket, request) => {
      count();
      if (socket.protocol !== 'mqtt') return socket.close(1002, 'subprotocol mqtt expected');
      broker.handle(
        createWebSocketStream(socket).on('error', () => {}),
        request,
      );
    });
  },

  // With a login, and impatient: for the tests of sessions.

  async 'graphql-ws-login'(host, port) {
    const { buildSchema } = require('graphql');
    const { useServer } = require('graphql-ws/use/ws');
    const { WebSocketServer } = require('ws');
    const server = new WebSocketServer({ server: await site(host, port), path: '/graphql' });
    server.on('connection', count);
    const schema = buildSchema('type Query { hello: String } type Subscription { tick: Int }');
    const subscribe = async function* () {
      yield { tick: 1 };
      await new Promise(() => {});
    };
    const onConnect = ({ connectionParams }) => connectionParams?.token === TOKEN;
    const options = {
      schema,
      onConnect,
      connectionInitWaitTimeout: PATIENCE_MS,
      roots: { subscription: { tick: subscribe } },
    };
    useServer(options, server);
  },

  async 'socket.io-login'(host, port) {
    const { Server } = await import('socket.io');
    const io = new Server(await site(host, port), { pingInterval: BEAT_MS, pingTimeout: PATIENCE_MS });
    io.engine.on('connection', count);
    io.use((socket, next) => next(socket.handshake.auth.token === TOKEN ? undefined : new Error('not authorized')));
  },

  async 'aedes-login'(host, port) {
    const { Aedes } = await import('aedes');
    const { WebSocketServer, createWebSocketStream } = await import('ws');
    const authenticate = (_client, _name, password, done) => done(null, String(password) === TOKEN);
    const broker = await Aedes.createBroker({ authenticate });
    const handleProtocols = (offered) => (offered.has('mqtt') ? 'mqtt' : false);
    const server = new WebSocketServer({ server: await site(host, port), path: '/mqtt', handleProtocols });
    server.on('connection', (socket, request) => {
      count();
      broker.handle(
        createWebSocketStream(socket).on('error', () => {}),
        request,
      );
    });
  },

  async vite(host, port) {
    const root = mkdtempSync(join(tmpdir(), 'wst-vite-'));
    process.once('exit', () => rmSync(root, { recursive: true, force: true }));
    writeFileSync(join(root, 'index.html'), '<!doctype html><title>site</title>');
    const { createServer: createVite } = await import('vite');
    const vite = await createVite({
      root,
      configFile: false,
      logLevel: 'silent',
      server: { host, port, strictPort: true },
    });
    vite.ws.on('connection', count);
    await vite.listen();
    return vite.config.webSocketToken;
  },
};

const [name, host, port] = process.argv.slice(2);
const secret = (await SERVERS[name](host, Number(port))) ?? '';
process.stdout.write(`ready ${secret}\n`);
for await (const _ of createInterface({ input: process.stdin })) process.stdout.write(`${accepted}\n`);
process.exit();
