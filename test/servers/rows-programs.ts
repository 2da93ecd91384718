/** Programs of Debian that speak WebSocket, each started with the smallest configuration that it takes. */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Asked, type Mistake, NO_ANSWER, overTls, type Row, wrongOrigin, wrongPath } from './row.js';
import { newFolder, type Place, type Server, startProgram } from './server.js';

const APP = 'https://app.example.com';
const MQTT: Asked = { path: '/mqtt', subprotocol: 'mqtt' };
const JANUS: Asked = { path: '/', subprotocol: 'janus-protocol' };
const MIRROR: Asked = { path: '/', subprotocol: 'lws-mirror-protocol' };
const XMPP: Asked = { path: '/xmpp-websocket', subprotocol: 'xmpp' };

/** A second port of the same server, beside those of all rows. */
const BESIDE = 60;

/** Closes without an answer. Where it takes a client with no subprotocol the probe that leaves it out tells. */
function endsFor(what: string, asked: Asked, toldBy: 'probes' | 'nothing'): Mistake {
  return { what, asked, ends: NO_ANSWER, causes: ['subprotocol-required'], toldBy };
}

function lines(log: string, pattern: RegExp): number {
  return log.match(new RegExp(pattern, 'gm'))?.length ?? 0;
}

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = newFolder();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

function mosquitto(place: Place): Promise<Server> {
  // 2.0.11 does not start with listeners for WebSocket alone.
  const folder = folderWith({
    'mosquitto.conf': `listener ${place.port}\nprotocol websockets\nlistener ${place.port + BESIDE} ${place.host}
allow_anonymous true\nuser root\nlog_type all\nlog_dest stdout\n`,
  });
  const accepted = (log: string): number => lines(log, /Client <unknown>/);
  return startProgram(['mosquitto', '-c', 'mosquitto.conf'], place, { folder, accepted });
}

/** @param more lines of its configuration */
export function natsServer(place: Place, more = ''): Promise<Server> {
  const monitor = place.port + BESIDE;
  const folder = folderWith({
    'nats.conf': `host: ${place.host}\nport: ${monitor + 1}\nhttp: "${place.host}:${monitor}"
websocket { host: ${place.host}, port: ${place.port}, no_tls: true, allowed_origins: ["${APP}"] }\n${more}\n`,
  });
  const accepted = async (): Promise<number> => {
    const answer = await fetch(`http://${place.host}:${monitor}/varz`);
    return ((await answer.json()) as { total_connections: number }).total_connections;
  };
  return startProgram(['nats-server', '-c', 'nats.conf'], place, { folder, accepted });
}

function janus(place: Place): Promise<Server> {
  const folder = newFolder();
  const configs = {
    'janus.jcfg': `general: { configs_folder = "${folder}" plugins_folder = "${folder}" debug_level = 5 debug_colors = false }
transports: { disable = "libjanus_http.so,libjanus_pfunix.so,libjanus_mqtt.so,libjanus_rabbitmq.so,libjanus_nanomsg.so" }\n`,
    'janus.transport.websockets.jcfg': `general: { ws = true ws_port = ${place.port} ws_ip = "${place.host}" wss = false }
admin: { admin_ws = false }\n`,
  };
  for (const [name, text] of Object.entries(configs)) writeFileSync(join(folder, name), text);
  const accepted = (log: string): number => lines(log, /WebSocket connection accepted/);
  return startProgram(['janus', '-C', `${folder}/janus.jcfg`, '-F', folder], place, { folder, accepted });
}

function libwebsockets(place: Place): Promise<Server> {
  const command = ['libwebsockets-test-server', `--port=${place.port}`, '-i', place.host] as const;
  return startProgram(command, place, { folder: newFolder(), accepted: () => 0 });
}

async function websockify(place: Place): Promise<Server> {
  const [backend, closed] = [place.port + BESIDE, place.port + BESIDE + 1];
  const echo = createServer((socket) => socket.on('error', () => {}).pipe(socket));
  await once(echo.listen(backend, place.host), 'listening');
  const folder = folderWith({ tokens: `good-token: ${place.host}:${backend}\ndown: ${place.host}:${closed}\n` });
  const tokens = ['--token-plugin', 'TokenFile', '--token-source', 'tokens'];
  const accepted = (log: string): number => lines(log, /connecting to: /);
  const command = ['websockify', ...tokens, `${place.host}:${place.port}`] as const;
  const server = await startProgram(command, place, { folder, accepted });
  return {
    ...server,
    async stop() {
      await server.stop();
      echo.close();
    },
  };
}

function websocketd(place: Place): Promise<Server> {
  const flags = [`--port=${place.port}`, `--address=${place.host}`, `--origin=${APP}`, '--loglevel=access'];
  const accepted = (log: string): number => lines(log, /\| CONNECT$/);
  return startProgram(['websocketd', ...flags, 'cat'], place, { folder: newFolder(), accepted });
}

function prosody(place: Place): Promise<Server> {
  const folder = newFolder();
  mkdirSync(join(folder, 'data'));
  writeFileSync(
    join(folder, 'prosody.cfg.lua'),
    `daemonize = false; run_as_root = true; pidfile = "${folder}/pid"; data_path = "${folder}/data"
modules_enabled = { "websocket" }; modules_disabled = { "s2s" }; c2s_ports = {}; s2s_ports = {}; https_ports = {}; network_settings = { tcp_backlog = 511 }
http_interfaces = { "${place.host}" }; http_ports = { ${place.port} }; consider_websocket_secure = true
log = { { levels = { min = "debug" }, to = "console" } }
VirtualHost "${place.host}"\n`,
  );
  const accepted = (log: string): number => lines(log, /Sending WebSocket handshake/);
  return startProgram(['prosody', '-F', '--config', `${folder}/prosody.cfg.lua`], place, { folder, accepted });
}

function chromium(place: Place): Promise<Server> {
  const folder = newFolder();
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${folder}/profile`];
  const debug = [`--remote-debugging-port=${place.port}`, `--remote-allow-origins=${APP}`];
  const secret = async (): Promise<string> => {
    const version = await fetch(`http://${place.host}:${place.port}/json/version`);
    const { webSocketDebuggerUrl } = (await version.json()) as { webSocketDebuggerUrl: string };
    return new URL(webSocketDebuggerUrl).pathname;
  };
  return startProgram(['chromium', ...flags, ...debug, 'about:blank'], place, { folder, accepted: () => 0, secret });
}

export const PROGRAM_ROWS: readonly Row[] = [
  {
    id: 'mosquitto',
    source: { program: 'mosquitto', debian: 'mosquitto' },
    port: 61_145,
    start: mosquitto,
    counts: 'its log, when they end',
    right: MQTT,
    mistakes: [endsFor('unknown subprotocol', { ...MQTT, subprotocol: 'mqtt5' }, 'probes'), overTls(MQTT)],
    note: 'ends the connection without a word',
  },
  {
    id: 'nats-server',
    source: { program: 'nats-server', debian: 'nats-server' },
    port: 61_146,
    start: natsServer,
    counts: 'its monitor: total_connections',
    right: { path: '/', origin: APP },
    mistakes: [wrongOrigin({ path: '/' }, '403'), overTls({ path: '/', origin: APP })],
    isLong: true,
  },
  {
    id: 'janus',
    source: { program: 'janus', debian: 'janus' },
    port: 61_148,
    start: janus,
    counts: 'its log',
    right: JANUS,
    mistakes: [
      endsFor('no subprotocol', { path: '/' }, 'nothing'),
      endsFor('unknown subprotocol', { path: '/', subprotocol: 'janus' }, 'nothing'),
    ],
    note: 'ends the connection without a word',
  },
  {
    id: 'libwebsockets',
    source: { program: 'libwebsockets-test-server', debian: 'libwebsockets-test-server' },
    port: 61_149,
    start: libwebsockets,
    counts: null,
    right: MIRROR,
    mistakes: [endsFor('unknown subprotocol', { ...MIRROR, subprotocol: 'chat' }, 'probes'), overTls(MIRROR)],
    isLong: true,
    note: 'ends the connection without a word',
  },
  {
    id: 'websockify',
    source: { program: 'websockify', debian: 'websockify' },
    port: 61_150,
    start: websockify,
    counts: 'its log: connections to its backend',
    size: 60,
    right: { path: '/?token=good-token' },
    mistakes: [
      {
        what: 'expired token',
        asked: { path: '/?token=old-token' },
        ends: NO_ANSWER,
        causes: ['auth-refused', 'closed-without-answer'],
        toldBy: 'nothing',
      },
      {
        what: 'a backend that is down',
        asked: { path: '/?token=down' },
        ends: ['101'],
        causes: ['cut-after-upgrade', 'backend-down'],
      },
    ],
    note: 'ends the connection without a word for a token; closes with 1011 "Failed to connect to downstream server"; its listen queue holds 100',
  },
  {
    id: 'websocketd',
    source: { program: 'websocketd', debian: 'websocketd' },
    port: 61_152,
    start: websocketd,
    counts: 'its log',
    right: { path: '/', origin: APP },
    mistakes: [
      // It wants an Origin, so that the probe without one is refused as well.
      { ...wrongOrigin({ path: '/' }, '403'), toldBy: 'nothing' },
      { what: 'no Origin', asked: { path: '/' }, ends: ['403'], causes: ['origin-refused', 'forbidden'] },
    ],
    isLong: true,
  },
  {
    id: 'prosody',
    source: { program: 'prosody', debian: 'prosody' },
    port: 61_153,
    start: prosody,
    counts: 'its log',
    right: XMPP,
    mistakes: [
      {
        what: 'no subprotocol',
        asked: { path: XMPP.path },
        ends: ['501'],
        causes: ['subprotocol-required'],
        toldBy: 'probes',
      },
      wrongPath('/websocket', '404', { subprotocol: 'xmpp' }),
    ],
    isLong: true,
  },
  {
    id: 'chromium',
    source: { program: 'chromium', debian: 'chromium' },
    port: 61_154,
    host: '127.0.0.1',
    start: chromium,
    counts: null,
    size: 10,
    right: { path: 'SECRET' },
    mistakes: [wrongOrigin({ path: 'SECRET' }, '403'), wrongPath('/devtools/browser/of-an-earlier-start', '404')],
    note: 'its DevTools; its listen queue holds 10; no page of a browser may use them unless its Origin is allowed',
  },
];
