/** Servers from npm (npm-servers.mjs), with what is right for them and what people get wrong. */
import {
  type Asked,
  type Mistake,
  NO_ANSWER,
  overTls,
  type Row,
  SILENCE,
  wrongOrigin,
  wrongPath,
  wrongToken,
} from './row.js';
import { startScript } from './server.js';

const FIRST_PORT = 61_100;

type Told = Pick<Row, 'id' | 'right' | 'mistakes'> & Partial<Row>;

const CONNECTIONS = 'its connection event';
const EIO = 'EIO=4&transport=websocket';
const APP = 'https://app.example.com';

const PEER: Asked = { path: '/peerjs?key=peerjs&id=peer-{{ index }}&token=t' };
const WEBSOCKET: Asked = { path: '/', origin: APP, subprotocol: 'echo-protocol' };
const GRAPHQL: Asked = { path: '/graphql', subprotocol: 'graphql-transport-ws' };
const MQTT: Asked = { path: '/mqtt', subprotocol: 'mqtt' };
/** The browser's own page, served from there. */
const VITE: Asked = { path: '/?token=SECRET', subprotocol: 'vite-hmr' };

/** Accepts every client and closes some at once, without a reason. */
function closedAtOnce(what: string, asked: Asked): Mistake {
  return { what, asked, ends: ['101'], causes: ['rejected-after-accept'] };
}

/** The same with a reason that speaks of the subprotocol. */
function closedFor(what: string, path: string): Mistake {
  return { ...closedAtOnce(what, { path }), causes: ['subprotocol-required', 'rejected-after-accept'] };
}

function noSubprotocol(path: string, ends: readonly string[], more: Omit<Asked, 'path'> = {}): Mistake {
  return { what: 'no subprotocol', asked: { ...more, path }, ends, causes: ['subprotocol-required'] };
}

const TOLD: readonly Told[] = [
  {
    id: 'ws',
    right: { path: '/chat?token=good-token' },
    mistakes: [wrongPath('/?token=good-token', '400'), wrongToken('/chat?token=old-token', '401')],
    isLong: true,
  },
  {
    id: 'websocket',
    right: WEBSOCKET,
    mistakes: [wrongOrigin(WEBSOCKET, '403'), noSubprotocol('/', ['400'], { origin: APP })],
    note: 'dies of an RST to a refusal',
  },
  {
    id: 'socket.io',
    right: { path: `/socket.io/?${EIO}` },
    mistakes: [
      { ...wrongPath(`/?${EIO}`, 'closed'), ends: NO_ANSWER },
      {
        what: 'session of another worker',
        asked: { path: `/socket.io/?${EIO}&sid=abcdefghijklmnopqrst` },
        ends: ['400'],
        causes: ['sticky-session-missing'],
      },
    ],
    isLong: true,
    note: 'engine.io ends an upgrade at another path after a second',
  },
  {
    id: 'engine.io',
    right: { path: `/engine.io/?${EIO}` },
    mistakes: [
      { what: 'no transport', asked: { path: '/engine.io/?EIO=4' }, ends: ['400'], causes: ['bad-request'] },
      {
        ...closedAtOnce('protocol version 3', { path: '/engine.io/?EIO=3&transport=websocket' }),
        causes: ['version-mismatch', 'rejected-after-accept'],
      },
    ],
    note: 'for version 3 it sends 101 and then a whole HTTP/1.1 400',
  },
  {
    id: 'sockjs',
    right: { path: '/echo/000/session{{ index }}/websocket' },
    mistakes: [
      { ...wrongPath('/chat/000/session/websocket', ''), ends: SILENCE, toldBy: 'probes' },
      { what: 'no session in the path', asked: { path: '/echo' }, ends: ['200'], causes: ['wrong-path'] },
    ],
    note: 'says nothing to an upgrade that is not below its prefix, and 200 "Welcome to SockJS!" at the prefix',
  },
  {
    id: 'faye',
    right: { path: '/bayeux' },
    counts: 'upgrades at its path',
    mistakes: [{ ...wrongPath('/faye', ''), ends: SILENCE, toldBy: 'probes' }, overTls({ path: '/bayeux' })],
    note: 'says nothing to an upgrade at another path',
  },
  {
    id: 'faye-websocket',
    right: { path: '/?token=good-token' },
    counts: 'its open event',
    mistakes: [wrongToken('/?token=old-token', '401'), overTls({ path: '/?token=good-token' })],
  },
  {
    id: 'fastify',
    right: { path: '/live?token=good-token' },
    counts: 'its handler',
    mistakes: [wrongPath('/love?token=good-token', '404'), wrongToken('/live?token=old-token', '401')],
  },
  {
    id: 'express-ws',
    right: { path: '/echo?token=good-token' },
    counts: 'its handler',
    mistakes: [
      closedAtOnce('wrong path', { path: '/chat?token=good-token' }),
      closedAtOnce('expired token', { path: '/echo?token=old-token' }),
    ],
    note: 'accepts before Express has seen the request, then closes with no code',
  },
  {
    id: 'graphql-ws',
    right: GRAPHQL,
    mistakes: [closedFor('no subprotocol', '/graphql'), wrongPath('/', '400', { subprotocol: 'graphql-transport-ws' })],
    note: 'closes with 4406 "Subprotocol not acceptable"',
  },
  {
    id: 'hocuspocus',
    right: { path: '/' },
    mistakes: [overTls({ path: '/' })],
    note: 'accepts every path and tells of a wrong token in its own protocol only',
  },
  {
    id: 'y-websocket',
    right: { path: '/room?token=good-token' },
    mistakes: [wrongToken('/room?token=old-token', '401'), overTls({ path: '/room?token=good-token' })],
  },
  {
    id: 'peer',
    right: PEER,
    counts: 'its connection event: peers with an id',
    mistakes: [closedAtOnce('no id and token', { path: '/peerjs' }), wrongPath('/peer', '400')],
    note: 'sends {"type":"ERROR"} and closes with no code',
  },
  {
    id: 'aedes',
    right: MQTT,
    mistakes: [closedFor('no subprotocol', '/mqtt'), wrongPath('/', '400', { subprotocol: 'mqtt' })],
    note: 'closes with 1002 "subprotocol mqtt expected"',
  },
  {
    id: 'vite',
    right: VITE,
    mistakes: [
      { ...noSubprotocol('/?token=SECRET', SILENCE), toldBy: 'nothing' },
      {
        what: 'Host that is not allowed',
        asked: { ...VITE, headers: { Host: 'dev.example.com' } },
        ends: ['400'],
        causes: ['forbidden', 'bad-request'],
        toldBy: 'probes',
      },
    ],
    note: 'says nothing to an upgrade without vite-hmr; of its 400 for a Host only an ordinary GET tells the reason',
  },
];

export const NPM_ROWS: readonly Row[] = TOLD.map((told, i) => ({
  source: 'npm',
  port: FIRST_PORT + i,
  start: (place) => startScript(process.execPath, 'npm-servers.mjs', told.id, place),
  counts: CONNECTIONS,
  ...told,
}));
