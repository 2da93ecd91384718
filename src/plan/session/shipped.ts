/**
 * The shipped sessions: what a client of each protocol says until it is acknowledged, in the form in which a user would
 * write it. A subscription is part of it only when its variable is given. Each ends without a hold: the client is ready
 * when its lines are done.
 */
import { mqttConnect, mqttSubscribe } from './mqtt-packets.js';

/** One entry of a session's list, as written in YAML. */
export type WrittenLine = Readonly<Record<string, unknown>>;

interface ShippedVariable {
  readonly about: string;
  /** What its value must not hold, because of the text that it is put into. */
  readonly inside?: 'json' | 'line' | 'packet';
}

export interface ShippedSession {
  readonly name: string;
  readonly about: string;
  readonly subprotocol: string | null;
  /** Added where the URL has none. `{{ var.NAME }}` stands for the text of a variable. */
  readonly path: string | null;
  /** Without the question mark. */
  query(given: SessionVariables): string | null;
  readonly variables: Readonly<Record<string, ShippedVariable>>;
  lines(given: SessionVariables): readonly WrittenLine[];
}

/** The texts of the variables that were given. */
export type SessionVariables = Readonly<Record<string, string>>;

const none = () => null;
const tokenInQuery =
  (name: string) =>
  ({ token }: SessionVariables) =>
    token === undefined ? null : `${name}={{ var.token }}`;
/** Lines that are there only when a variable is. */
const told = (value: string | undefined, lines: readonly WrittenLine[]) => (value === undefined ? [] : lines);

const RECORD_SEPARATOR = '\u001e';
const SIGNALR_CALL = `{"type":1,"invocationId":"1","target":"{{ var.method }}","arguments":`;
const MQTT_KEEP_ALIVE_S = 60;

const graphqlWs: ShippedSession = {
  name: 'graphql-ws',
  about: 'GraphQL over WebSocket (graphql-transport-ws); ready at connection_ack',
  subprotocol: 'graphql-transport-ws',
  path: '/graphql',
  query: none,
  variables: {
    token: { about: 'sent as payload.token of connection_init' },
    query: { about: "a subscription to start, such as 'subscription { tick }'" },
  },
  lines: ({ token, query }) => [
    { when: { type: 'ping' }, send: { type: 'pong' } },
    { send: { type: 'connection_init', ...(token === undefined ? {} : { payload: { token: '{{ var.token }}' } }) } },
    { expect: { type: 'connection_ack' } },
    ...told(query, [
      { when: { type: 'error' }, close: 1000 },
      { send: { id: '1', type: 'subscribe', payload: { query: '{{ var.query }}' } } },
    ]),
  ],
};

const socketIo: ShippedSession = {
  name: 'socket.io',
  about: 'Socket.IO 3 and later (Engine.IO 4); ready when the namespace is joined',
  subprotocol: null,
  path: '/socket.io/',
  query: () => 'EIO=4&transport=websocket',
  variables: {
    token: { about: 'sent as auth.token', inside: 'json' },
    namespace: { about: 'the namespace to join, such as /chat; default /', inside: 'json' },
  },
  lines: ({ token, namespace }) => [
    { when: '2', send: '3' },
    { expect: { $starts: '0{' } },
    { when: { $starts: '44' }, close: 1000 },
    { when: { $starts: '41' }, close: 1000 },
    {
      send: `40${namespace === undefined ? '' : '{{ var.namespace }},'}${token === undefined ? '' : '{"token":"{{ var.token }}"}'}`,
    },
    { expect: { $starts: '40' } },
  ],
};

const signalr: ShippedSession = {
  name: 'signalr',
  about: 'ASP.NET Core SignalR, JSON protocol, without negotiation; ready at the answer to the handshake',
  subprotocol: null,
  path: null,
  query: tokenInQuery('access_token'),
  variables: {
    token: { about: 'sent as access_token in the query' },
    method: { about: 'a hub method to call, such as JoinGroup; ready at its completion', inside: 'json' },
    channel: { about: 'the argument of that method', inside: 'json' },
  },
  lines: ({ method, channel }) => [
    { when: { type: 7 }, close: 1000 },
    { when: { $starts: '{"error"' }, close: 1000 },
    { send: `{"protocol":"json","version":1}${RECORD_SEPARATOR}` },
    { expect: { $starts: `{}${RECORD_SEPARATOR}` } },
    { every: '15s', send: `{"type":6}${RECORD_SEPARATOR}` },
    ...told(method, [
      { when: { $regex: '"type":3,.*"error":' }, close: 1000 },
      { send: `${SIGNALR_CALL}[${channel === undefined ? '' : '"{{ var.channel }}"'}]}${RECORD_SEPARATOR}` },
      { expect: { type: 3, invocationId: '1' } },
    ]),
  ],
};

const stomp: ShippedSession = {
  name: 'stomp',
  about: 'STOMP 1.2; ready at CONNECTED',
  subprotocol: 'v12.stomp',
  path: null,
  query: none,
  variables: {
    login: { about: 'user name', inside: 'line' },
    passcode: { about: 'password', inside: 'line' },
    host: { about: 'virtual host; default /', inside: 'line' },
    channel: { about: 'a destination to subscribe to, such as /topic/news', inside: 'line' },
  },
  lines: ({ login, passcode, host, channel }) => {
    const headers = [
      'accept-version:1.2',
      `host:${host === undefined ? '/' : '{{ var.host }}'}`,
      ...(login === undefined ? [] : ['login:{{ var.login }}']),
      ...(passcode === undefined ? [] : ['passcode:{{ var.passcode }}']),
      'heart-beat:10000,10000',
    ];
    return [
      { when: { $starts: 'ERROR' }, close: 1000 },
      { send: `CONNECT\n${headers.join('\n')}\n\n\0` },
      { expect: { $starts: 'CONNECTED' } },
      { every: '10s', send: '\n' },
      ...told(channel, [
        { send: 'SUBSCRIBE\nid:0\ndestination:{{ var.channel }}\nack:auto\nreceipt:1\n\n\0' },
        { expect: { $starts: 'RECEIPT' } },
      ]),
    ];
  },
};

const mqtt: ShippedSession = {
  name: 'mqtt',
  about: 'MQTT 3.1.1; ready at CONNACK',
  subprotocol: 'mqtt',
  path: '/mqtt',
  query: none,
  variables: {
    login: { about: 'user name', inside: 'packet' },
    passcode: { about: 'password', inside: 'packet' },
    channel: { about: 'a topic to subscribe to, such as sensors/#', inside: 'packet' },
  },
  lines: ({ login, passcode, channel }) => [
    // CONNACK with a return code: 1 to 5 say why the broker refuses.
    ...['IAIAAQ==', 'IAIAAg==', 'IAIAAw==', 'IAIABA==', 'IAIABQ=='].map((refusal) => ({
      when: { $binary: refusal },
      close: 1000,
    })),
    { send: { $binary: mqttConnect(MQTT_KEEP_ALIVE_S, login ?? null, passcode ?? null) } },
    { expect: { $binary: 'IAIAAA==' } },
    // PINGREQ
    { every: '30s', send: { $binary: 'wAA=' } },
    ...told(channel, [
      // SUBACK of packet 1: refused, or granted with quality of service 0.
      { when: { $binary: 'kAMAAYA=' }, close: 1000 },
      { send: { $binary: mqttSubscribe(channel ?? '') } },
      { expect: { $binary: 'kAMAAQA=' } },
    ]),
  ],
};

const HEARTBEAT = [null, 'h', 'phoenix', 'heartbeat', {}];

const phoenix: ShippedSession = {
  name: 'phoenix',
  about: 'Phoenix channels, serializer 2.0.0; ready when the first heartbeat is answered',
  subprotocol: null,
  path: '/socket/websocket',
  query: ({ token }) => `vsn=2.0.0${token === undefined ? '' : '&token={{ var.token }}'}`,
  variables: {
    token: { about: 'sent as token in the query' },
    channel: { about: 'a topic to join, such as room:lobby' },
  },
  lines: ({ channel }) => [
    { send: HEARTBEAT },
    { expect: [null, 'h', 'phoenix', 'phx_reply', { status: 'ok' }] },
    { every: '30s', send: HEARTBEAT },
    ...told(channel, [
      { when: ['1', '1', '{{ var.channel }}', 'phx_reply', { status: 'error' }], close: 1000 },
      { send: ['1', '1', '{{ var.channel }}', 'phx_join', {}] },
      { expect: ['1', '1', '{{ var.channel }}', 'phx_reply', { status: 'ok' }] },
    ]),
  ],
};

const actioncable: ShippedSession = {
  name: 'actioncable',
  about: 'Rails Action Cable and AnyCable; ready at welcome',
  subprotocol: 'actioncable-v1-json',
  path: '/cable',
  query: tokenInQuery('token'),
  variables: {
    token: { about: 'sent as token in the query' },
    channel: { about: 'the class of a channel to subscribe to, such as ChatChannel', inside: 'json' },
  },
  lines: ({ channel }) => [
    { when: { type: 'disconnect' }, close: 1000 },
    { expect: { type: 'welcome' } },
    ...told(channel, [
      { when: { type: 'reject_subscription' }, close: 1000 },
      { send: { command: 'subscribe', identifier: '{"channel":"{{ var.channel }}"}' } },
      { expect: { type: 'confirm_subscription' } },
    ]),
  ],
};

const centrifugo: ShippedSession = {
  name: 'centrifugo',
  about: 'Centrifugo and Centrifuge, JSON protocol; ready at the reply to connect',
  subprotocol: null,
  path: '/connection/websocket',
  query: none,
  variables: {
    token: { about: 'the connection token (JWT)' },
    channel: { about: 'a channel to subscribe to' },
  },
  lines: ({ token, channel }) => [
    { when: '{}', send: '{}' },
    { when: { id: 1, error: {} }, close: 1000 },
    { send: { id: 1, connect: token === undefined ? {} : { token: '{{ var.token }}' } } },
    { expect: { id: 1, connect: {} } },
    ...told(channel, [
      { when: { id: 2, error: {} }, close: 1000 },
      { send: { id: 2, subscribe: { channel: '{{ var.channel }}' } } },
      { expect: { id: 2, subscribe: {} } },
    ]),
  ],
};

const pusher: ShippedSession = {
  name: 'pusher',
  about: 'Pusher Channels protocol 7 (Soketi, Reverb); ready at connection_established',
  subprotocol: null,
  path: '/app/{{ var.key }}',
  query: () => 'protocol=7&client=wstampede&version=1.0',
  variables: {
    key: { about: "the application's key, part of the path; needed when the URL has no path" },
    channel: { about: 'a public channel to subscribe to' },
  },
  lines: ({ channel }) => [
    { when: { event: 'pusher:ping' }, send: { event: 'pusher:pong', data: {} } },
    { when: { event: 'pusher:error' }, close: 1000 },
    { expect: { event: 'pusher:connection_established' } },
    ...told(channel, [
      { send: { event: 'pusher:subscribe', data: { channel: '{{ var.channel }}' } } },
      { expect: { event: 'pusher_internal:subscription_succeeded', channel: '{{ var.channel }}' } },
    ]),
  ],
};

export const SHIPPED_SESSIONS: readonly ShippedSession[] = [
  graphqlWs,
  socketIo,
  signalr,
  stomp,
  mqtt,
  phoenix,
  actioncable,
  centrifugo,
  pusher,
];

/** Null: there is none of that name. */
export function shippedSession(name: string): ShippedSession | null {
  return SHIPPED_SESSIONS.find((one) => one.name === name) ?? null;
}

const SPOILERS = { json: /["\\\p{Cc}]/u, line: /[\r\n\0]/, packet: null } as const;

/** What is wrong with a value of a variable, rendered, or null. The value is never repeated. */
export function spoilt({ inside }: ShippedVariable, value: string): string | null {
  const spoiler = inside === undefined ? null : SPOILERS[inside];
  if (spoiler === null || !spoiler.test(value)) return null;
  return inside === 'json'
    ? 'no quotes, backslashes or control characters: it stands inside a JSON text'
    : 'no line ends and no NUL: it stands in a line of its own';
}
