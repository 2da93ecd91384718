/**
 * Configurations of the four gateways, each a function of where it runs and of what a row of the matrix wants otherwise.
 * What a row changes it puts into a named slot; an unnamed slot has the text given here. Knows no process.
 */

export const GATEWAYS = ['nginx', 'haproxy', 'apache2', 'caddy'] as const;
export type GatewayName = (typeof GATEWAYS)[number];

export interface GatewaySettings {
  /** How long the gateway waits for the backend's answer (T). */
  readonly readMs: number;
  /** How long it waits for the backend's TCP. */
  readonly connectMs: number;
  /** HAProxy only: how many times it tries again to connect. */
  readonly retries?: number;
  /** false: what asks for the upgrade is not passed on. */
  readonly forwardsUpgrade?: boolean;
  /** Texts in place of the configuration's own, by slot; FOLDER in them is where the gateway runs. */
  readonly slots?: Readonly<Record<string, string>>;
}

/** Where a gateway runs. */
export interface Place {
  readonly folder: string;
  readonly plainPort: number;
  readonly securePort: number;
  /** One per upstream. */
  readonly backendPorts: readonly number[];
  /** PEM files in the folder: whom to trust, the certificate, its key, and both in one. */
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  readonly both: string;
}

/** In a slot: the folder of `Place`. */
const FOLDER = /\bFOLDER\b/g;

export type Config = (place: Place, settings: GatewaySettings) => string;

function slotsOf(
  settings: GatewaySettings,
  { folder }: Place,
  own: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const slots = { ...own };
  for (const [slot, text] of Object.entries(settings.slots ?? {})) {
    if (!(slot in own)) throw new Error(`no such slot: ${slot}`);
    slots[slot] = text.replace(FOLDER, folder);
  }
  return slots;
}

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
const NGINX_FORWARDS =
  'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;';

function nginx(place: Place, settings: GatewaySettings): string {
  const { folder, plainPort, securePort, certificate, key } = place;
  const slot = slotsOf(settings, place, {
    main: 'worker_processes 2;\nworker_rlimit_nofile 16384;',
    events: 'worker_connections 8192;',
    http: '',
    bind: ' backlog=4096',
    server: '',
    location: '',
    scheme: 'http',
    peer: '',
  });
  const peers = place.backendPorts.map((port) => `server 127.0.0.1:${port}${slot.peer};`);
  return `
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
${slot.main}
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { ${slot.events} }
http {
  log_format attempts '$remote_port $status $uri';
  access_log ${folder}/access.log attempts;
  ${TEMPORARY.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  ${slot.http}
  ssl_certificate ${certificate};
  ssl_certificate_key ${key};
  upstream app { ${peers.join(' ')} }
  server {
    listen 127.0.0.1:${plainPort}${slot.bind};
    listen 127.0.0.1:${securePort} ssl${slot.bind};
    ${slot.server}
    location / {
      proxy_pass ${slot.scheme}://app;
      ${settings.forwardsUpgrade === false ? '' : NGINX_FORWARDS}
      proxy_set_header Host $host;
      proxy_connect_timeout ${settings.connectMs}ms;
      proxy_read_timeout ${settings.readMs}ms;
      ${slot.location}
    }
  }
}
`;
}

function haproxy(place: Place, settings: GatewaySettings): string {
  const { plainPort, securePort, both } = place;
  const slot = slotsOf(settings, place, {
    global: 'maxconn 8000',
    // Fractions of a request would count as one.
    frontend: '',
    bind: ' backlog 4096',
    tls: '',
    backend: '',
    server: '',
  });
  const stripped = settings.forwardsUpgrade === false ? 'http-request del-header Upgrade' : '';
  const servers = place.backendPorts.map((port, i) => `server s${i} 127.0.0.1:${port}${slot.server}`);
  return `
global
  # Threads that log at the same moment would drop a line rather than wait for each other.
  nbthread 1
  log stdout format raw local0 info
  ${slot.global}
defaults
  mode http
  log global
  log-format "%cp %ST %HPO"
  retries ${settings.retries ?? 3}
  timeout http-request 60s
  timeout client 60s
  timeout connect ${settings.connectMs}ms
  timeout server ${settings.readMs}ms
  timeout tunnel 1h
frontend door
  bind 127.0.0.1:${plainPort}${slot.bind}
  bind 127.0.0.1:${securePort} ssl crt ${both}${slot.tls}${slot.bind}
  ${slot.frontend}
  default_backend app
backend app
  ${stripped}
  ${slot.backend}
  ${servers.join('\n  ')}
`;
}

const APACHE_FOLDER = '/usr/lib/apache2/modules';
const APACHE_MODULES = ['mpm_event', 'authz_core', 'proxy', 'proxy_http', 'socache_shmcb', 'ssl'];

function apache2(place: Place, settings: GatewaySettings): string {
  const { folder, plainPort, securePort, certificate, key } = place;
  const slot = slotsOf(settings, place, {
    workers: 'ServerLimit 2\nStartServers 2\nThreadLimit 512\nThreadsPerChild 512\nMaxRequestWorkers 1024',
    server: '',
    scheme: 'http',
    proxy: '',
    tls: '',
  });
  const upgrade = settings.forwardsUpgrade === false ? '' : ' upgrade=websocket';
  // `timeout` takes whole seconds, and reads 1500ms as 1500 of them.
  if (settings.readMs % 1000 !== 0) throw new Error(`no whole seconds: ${settings.readMs}`);
  const times = `connectiontimeout=${settings.connectMs}ms timeout=${settings.readMs / 1000}`;
  const modules = APACHE_MODULES.map((name) => `LoadModule ${name}_module ${APACHE_FOLDER}/mod_${name}.so`);
  const site = (port: number, more: string) => `
<VirtualHost 127.0.0.1:${port}>
  ProxyPass / ${slot.scheme}://127.0.0.1:${place.backendPorts[0]}/ ${times}${upgrade} ${slot.proxy}
  ${slot.server}
  ${more}
</VirtualHost>`;
  return `
ServerRoot ${folder}
DefaultRuntimeDir ${folder}
PidFile ${folder}/apache2.pid
ServerName localhost
${modules.join('\n')}
# Of a process of root's the children must be somebody else's.
${process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
${slot.workers}
Listen 127.0.0.1:${plainPort}
Listen 127.0.0.1:${securePort}
ListenBacklog 4096
ErrorLog ${folder}/error.log
LogFormat "%{remote}p %>s %U" attempts
CustomLog ${folder}/access.log attempts
${site(plainPort, '')}
${site(securePort, `SSLEngine on\n  SSLCertificateFile ${certificate}\n  SSLCertificateKeyFile ${key}\n  ${slot.tls}`)}
`;
}

function caddy(place: Place, settings: GatewaySettings): string {
  const { folder, plainPort, securePort, certificate, key } = place;
  const slot = slotsOf(settings, place, { global: '', tls: '', scheme: 'http://', proxy: '', transport: '' });
  const stripped = settings.forwardsUpgrade === false ? 'header_up -Upgrade\n      header_up -Connection' : '';
  const backends = place.backendPorts.map((port) => `${slot.scheme}127.0.0.1:${port}`);
  const site = (address: string, tls: string) => `
${address} {
  bind 127.0.0.1
  ${tls}
  log {
    output file ${folder}/access.log {
      roll_disabled
    }
    format json
  }
  reverse_proxy ${backends.join(' ')} {
    ${stripped}
    ${slot.proxy}
    transport http {
      dial_timeout ${settings.connectMs}ms
      response_header_timeout ${settings.readMs}ms
      ${slot.transport}
    }
  }
}`;
  return `
{
  admin off
  auto_https off
  grace_period 1s
  default_sni localhost
  storage file_system ${folder}/store
  ${slot.global}
}
${site(`http://:${plainPort}`, '')}
${site(`https://:${securePort}`, `tls ${certificate} ${key}${slot.tls === '' ? '' : ` {\n    ${slot.tls}\n  }`}`)}
`;
}

export const CONFIGS: Readonly<Record<GatewayName, Config>> = { nginx, haproxy, apache2, caddy };

/** How each is started in the foreground on its configuration, `FOLDER/config`. */
export const COMMANDS: Readonly<Record<GatewayName, (folder: string) => readonly [string, ...string[]]>> = {
  // `-e` is for what it has to say before it has read its configuration.
  nginx: (folder) => ['nginx', '-p', folder, '-c', `${folder}/config`, '-e', `${folder}/error.log`],
  haproxy: (folder) => ['haproxy', '-db', '-f', `${folder}/config`],
  apache2: (folder) => ['apache2', '-f', `${folder}/config`, '-D', 'FOREGROUND'],
  caddy: (folder) => ['caddy', 'run', '--adapter', 'caddyfile', '--config', `${folder}/config`],
};

/** What a gateway's log calls an outcome by another name: Caddy 2.6 gives connections that it has handed over no status. */
export const LOG_WORDING: Readonly<Record<GatewayName, Readonly<Record<string, string>>>> = {
  nginx: { 'invalid-101': '101' },
  haproxy: { 'invalid-101': '101' },
  apache2: { 'invalid-101': '101' },
  caddy: { '101': '0', 'invalid-101': '0' },
};

export interface LogLine {
  readonly port: number;
  readonly status: string;
  /** Without its query; null where no request was read. */
  readonly path: string | null;
}

/** One line a request: port, status, path. */
const LINE = /^(\d+) (-?\d+) (\S*)$/;

/** HAProxy's and nginx's word for none, and what Apache has of a request that it did not read. */
const NO_PATH = /^(?!\/)|^\/$/;

/** Lines of the access log; the last one may still be on its way. */
export function logLines(gateway: GatewayName, text: string): LogLine[] {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return whole.flatMap((line) => {
    if (gateway === 'caddy') return caddyLine(line);
    const [, port, status, path] = LINE.exec(line) ?? [];
    return port === undefined ? [] : [{ port: Number(port), status, path: NO_PATH.test(path) ? null : path }];
  });
}

interface CaddyEntry {
  readonly status?: number;
  readonly request?: { readonly remote_port?: string; readonly uri?: string };
}

function caddyLine(line: string): LogLine[] {
  if (line === '') return [];
  const { status, request } = JSON.parse(line) as CaddyEntry;
  if (request?.remote_port === undefined) return [];
  return [{ port: Number(request.remote_port), status: `${status}`, path: request.uri?.split('?')[0] ?? null }];
}
