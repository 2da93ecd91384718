/** Servers of Debian's Python packages (python-servers.py), with what is right for them and what people get wrong. */
import { type Asked, type Row, wrongOrigin, wrongPath, wrongToken } from './row.js';
import { startScript } from './server.js';

const FIRST_PORT = 61_130;

type Told = Pick<Row, 'id' | 'right' | 'mistakes'> &
  Partial<Row> & { readonly server?: string; readonly module?: string };

const LIVE: Asked = { path: '/live?token=good-token' };
const CHAT: Asked = { path: '/', origin: 'https://app.example.com', subprotocol: 'chat' };
const SIGNED: Asked = {
  path: '/',
  origin: 'https://app.example.com',
  headers: { Authorization: `Basic ${Buffer.from('user:secret').toString('base64')}` },
};
const EXPIRED = { Authorization: `Basic ${Buffer.from('user:old').toString('base64')}` };

/** ASGI servers make a 403 of every refusal, and a 500 of an exception, which is Channels' word for an unknown path. */
const ASGI = [
  wrongToken('/live?token=old-token', '403', ['auth-refused', 'forbidden']),
  { ...wrongPath('/chat?token=good-token', '500'), causes: ['application-error', 'wrong-path'] },
];

const TOLD: readonly Told[] = [
  {
    id: 'websockets',
    right: SIGNED,
    counts: 'its handler',
    mistakes: [
      wrongOrigin(SIGNED, '403'),
      { ...wrongToken('/', '401'), what: 'expired credentials', asked: { ...SIGNED, headers: EXPIRED } },
    ],
    isLong: true,
  },
  {
    id: 'aiohttp',
    right: LIVE,
    counts: 'its handler',
    mistakes: [wrongToken('/live?token=old-token', '401'), wrongPath('/chat?token=good-token', '404')],
    isLong: true,
  },
  {
    id: 'tornado',
    right: { path: '/live' },
    counts: 'its open event',
    mistakes: [wrongOrigin({ path: '/live' }, '403'), wrongPath('/chat', '404')],
    isLong: true,
  },
  { id: 'daphne', right: LIVE, mistakes: ASGI },
  { id: 'uvicorn', right: LIVE, mistakes: ASGI },
  { id: 'hypercorn', right: LIVE, mistakes: ASGI },
  {
    id: 'autobahn',
    right: CHAT,
    counts: 'its open event',
    mistakes: [
      wrongOrigin(CHAT, '400'),
      {
        what: 'no subprotocol',
        asked: { path: '/', origin: CHAT.origin },
        ends: ['400'],
        causes: ['subprotocol-required'],
      },
    ],
  },
  {
    id: 'gevent-websocket',
    server: 'gevent',
    module: 'geventwebsocket',
    right: { path: '/live' },
    counts: 'its open event',
    mistakes: [{ ...wrongPath('/chat', '101'), causes: ['rejected-after-accept'] }],
    note: 'accepts before it looks at the path, then closes with no code',
  },
];

export const PYTHON_ROWS: readonly Row[] = TOLD.map(({ server, module, ...told }, i) => ({
  source: { module: module ?? told.id, debian: `python3-${told.id}` },
  port: FIRST_PORT + i,
  start: (place) => startScript('/usr/bin/python3', 'python-servers.py', server ?? told.id, place),
  counts: 'the application, at websocket.accept',
  ...told,
}));
