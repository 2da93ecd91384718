/**
 * Servers that play the frames of a protocol's document, for those that npm and Debian have no server of: each wants a
 * login, and the keep-alive of its protocol, much sooner than real ones do.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

export const TOKEN = 'good-token';
/** Without a sign of life for this long a client is cut: longer than a busy machine stalls. */
const PATIENCE_MS = 3000;
const BEAT_MS = 300;

interface Player {
  readonly path: string;
  readonly subprotocol?: string;
  /** The status of a refused handshake, or null. */
  refusal?(query: URLSearchParams): number | null;
  /** A client came. @returns what its messages do */
  play(client: Client): (text: string) => void;
}

interface Client {
  readonly query: URLSearchParams;
  send(message: string | object): void;
  close(code: number, reason?: string): void;
  /** Called again and again until the connection ends. */
  every(act: () => void): void;
  /** Cut unless it is called again within the patience. */
  alive(cut: () => void): void;
}

const refusedToken = (status: number) => (query: URLSearchParams) => (query.get('token') === TOKEN ? null : status);

const signalr: Player = {
  path: '/hub',
  refusal: (query) => (query.get('access_token') === TOKEN ? null : 401),
  play(client) {
    let isShaken = false;
    const say = (message: object) => client.send(`${JSON.stringify(message)}\u001e`);
    const wait = () =>
      client.alive(() => {
        say({ type: 7, error: 'Connection closed with an error.' });
        client.close(1000);
      });
    return (text) => {
      wait();
      for (const part of text.split('\u001e').filter(Boolean)) {
        const message = JSON.parse(part) as {
          protocol?: string;
          type?: number;
          target?: string;
          invocationId?: string;
        };
        if (!isShaken) {
          isShaken = message.protocol === 'json';
          say(isShaken ? {} : { error: 'Handshake was canceled.' });
          if (!isShaken) client.close(1000);
        } else if (message.type === 1) {
          const { invocationId, target } = message;
          say({
            type: 3,
            invocationId,
            ...(target === 'JoinGroup' ? { result: null } : { error: 'Unknown hub method' }),
          });
        }
      }
    };
  },
};

const stomp: Player = {
  path: '/ws',
  subprotocol: 'v12.stomp',
  play(client) {
    let isConnected = false;
    const refuse = (message: string) => {
      client.send(`ERROR\nmessage:${message}\n\n\0`);
      client.close(1002);
    };
    return (text) => {
      const headers = new Map(text.split('\n').map((line) => line.split(':', 2) as [string, string]));
      if (text.startsWith('CONNECT')) {
        if (headers.get('passcode') !== TOKEN) return refuse('Access refused');
        isConnected = true;
        client.send('CONNECTED\nversion:1.2\nheart-beat:10000,10000\n\n\0');
      } else if (!isConnected) return refuse('Illegal command');
      else if (headers.has('receipt')) client.send(`RECEIPT\nreceipt-id:${headers.get('receipt')}\n\n\0`);
      client.alive(() => client.close(1002, 'heart-beat missed'));
    };
  },
};

const phoenix: Player = {
  path: '/socket/websocket',
  refusal: refusedToken(403),
  play(client) {
    const joined = new Set<string>();
    return (text) => {
      client.alive(() => client.close(1000));
      const [joinRef, ref, topic, event] = JSON.parse(text) as [string | null, string, string, string];
      if (event === 'phx_join' && topic.startsWith('room:')) joined.add(topic);
      const isKnown = topic === 'phoenix' || joined.has(topic);
      const response = isKnown ? {} : { reason: 'unmatched topic' };
      client.send([joinRef, ref, topic, 'phx_reply', { status: isKnown ? 'ok' : 'error', response }]);
    };
  },
};

const actioncable: Player = {
  path: '/cable',
  subprotocol: 'actioncable-v1-json',
  play(client) {
    if (client.query.get('token') !== TOKEN) {
      client.send({ type: 'disconnect', reason: 'unauthorized', reconnect: false });
      client.close(1000);
      return () => {};
    }
    client.send({ type: 'welcome' });
    client.every(() => client.send({ type: 'ping', message: 1_800_000_000 }));
    return (text) => {
      const { identifier } = JSON.parse(text) as { identifier: string };
      const { channel } = JSON.parse(identifier) as { channel: string };
      client.send({ identifier, type: channel === 'ChatChannel' ? 'confirm_subscription' : 'reject_subscription' });
    };
  },
};

const centrifugo: Player = {
  path: '/connection/websocket',
  play(client) {
    let isConnected = false;
    const wait = () => client.alive(() => client.close(3012, 'no pong'));
    return (text) => {
      if (text === '{}') return wait();
      const command = JSON.parse(text) as { id: number; connect?: { token?: string }; subscribe?: { channel: string } };
      if (command.connect !== undefined) {
        if (command.connect.token !== TOKEN) return client.close(3500, 'invalid token');
        isConnected = true;
        client.send({ id: command.id, connect: { client: 'x', ping: 1, pong: true } });
        client.every(() => client.send('{}'));
        return wait();
      }
      if (!isConnected) return client.close(3501, 'bad request');
      const isKnown = command.subscribe?.channel === 'news';
      client.send({
        id: command.id,
        ...(isKnown ? { subscribe: {} } : { error: { code: 102, message: 'unknown channel' } }),
      });
    };
  },
};

const pusher: Player = {
  path: `/app/${TOKEN}`,
  play(client) {
    const data = JSON.stringify({ socket_id: '1.1', activity_timeout: 120 });
    client.send({ event: 'pusher:connection_established', data });
    client.every(() => client.send({ event: 'pusher:ping', data: {} }));
    const wait = () => client.alive(() => client.close(4201, 'Pong reply not received'));
    wait();
    return (text) => {
      const { event, data: asked } = JSON.parse(text) as { event: string; data: { channel?: string } };
      if (event === 'pusher:pong') wait();
      else if (asked.channel?.startsWith('private-') === true) {
        client.send({ event: 'pusher:error', data: { code: null, message: 'Auth value is missing' } });
      } else client.send({ event: 'pusher_internal:subscription_succeeded', channel: asked.channel, data: '{}' });
    };
  },
};

const PLAYERS = { signalr, stomp, phoenix, actioncable, centrifugo, pusher };
export type Played = keyof typeof PLAYERS;

/** @returns the address, and what ends it */
export async function startPlayer(name: Played): Promise<{ readonly url: string; stop(): void }> {
  const player: Player = PLAYERS[name];
  const http = createServer();
  const server = new WebSocketServer({
    server: http,
    path: player.path,
    handleProtocols: (offered) => [...offered].find((one) => one === player.subprotocol) ?? false,
    verifyClient: ({ req }: { req: IncomingMessage }, done: (isFine: boolean, status?: number) => void) => {
      const status = player.refusal?.(queryOf(req)) ?? null;
      done(status === null, status ?? undefined);
    },
  });
  server.on('connection', (socket, request) => {
    const onMessage = player.play(clientOf(socket, queryOf(request)));
    socket.on('message', (bytes: Buffer) => onMessage(bytes.toString()));
    socket.on('error', () => {});
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    stop() {
      for (const socket of server.clients) socket.terminate();
      http.close();
    },
  };
}

function queryOf({ url = '' }: IncomingMessage): URLSearchParams {
  return new URL(url, 'http://server').searchParams;
}

function clientOf(socket: WebSocket, query: URLSearchParams): Client {
  let patience: NodeJS.Timeout | undefined;
  const beats: NodeJS.Timeout[] = [];
  socket.once('close', () => {
    clearTimeout(patience);
    for (const beat of beats) clearInterval(beat);
  });
  return {
    query,
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    close: (code, reason) => socket.close(code, reason),
    every: (act) => beats.push(setInterval(act, BEAT_MS)),
    alive(cut) {
      clearTimeout(patience);
      const asked = setTimeout(() => {
        // After a stall of this process what has come is read first.
        setImmediate(() => setImmediate(() => patience === asked && cut()));
      }, PATIENCE_MS);
      patience = asked;
    },
  };
}
