/**
 * Configurations of real gateways as texts: what a person would write, with the one line in it that causes the problem.
 * Pure; behind.ts has the lines for each target, and real-gateway.ts starts the gateway.
 */

export const GATEWAYS = ['nginx', 'haproxy'] as const;
export type GatewayName = (typeof GATEWAYS)[number];

/** A target's requirements for its gateway. */
export interface GatewayNeeds {
  /** Timeouts for connecting to the backend, and for its response; ms. */
  readonly connectMs: number;
  readonly readMs: number;
  /** Whether Upgrade and Connection reach the backend. */
  readonly forwardsUpgrade: boolean;
  /** nginx: extra lines beside `server {}` (`http`) and in `location / {}`; upstream servers, if not the usual one. */
  readonly http: readonly string[];
  readonly location: readonly string[];
  readonly servers: ((address: string) => readonly string[]) | null;
  /** HAProxy: extra lines of the frontend and of the backend, and options after its server's address. */
  readonly frontend: readonly string[];
  readonly backend: readonly string[];
  readonly server: string;
}

export const PLAIN_NEEDS: GatewayNeeds = {
  connectMs: 2000,
  readMs: 60_000,
  forwardsUpgrade: true,
  http: [],
  location: [],
  servers: null,
  frontend: [],
  backend: [],
  server: '',
};

/** Paths and addresses; every path is absolute. */
export interface GatewayPlace {
  readonly folder: string;
  readonly accessLog: string;
  readonly errorLog: string;
  /** PEM file with certificate and key; null over ws. */
  readonly certificate: string | null;
  /** Where clients connect, as `address:port`. */
  readonly listen: string;
  readonly backend: string;
  /** nginx drops its rights when started by root, and could then not write its logs. */
  readonly isRoot: boolean;
  /** Maximum number of clients at once; each needs two descriptors. */
  readonly connections: number;
}

const BACKLOG = 4096;
/** For logs, listeners, and what a gateway opens for itself. */
export const SPARE_DESCRIPTORS = 100;

export function nginxConfig(place: GatewayPlace, needs: GatewayNeeds): string {
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const upgrade = [
    'proxy_http_version 1.1;',
    'proxy_set_header Upgrade $http_upgrade;',
    'proxy_set_header Connection $connection_upgrade;',
  ];
  const location = [
    'proxy_pass http://backend;',
    ...(needs.forwardsUpgrade
      ? upgrade
      : ['# Missing here, so that the backend sees an ordinary GET:', ...upgrade.map((line) => `#   ${line}`)]),
    'proxy_set_header Host $http_host;',
    `proxy_connect_timeout ${needs.connectMs}ms;`,
    `proxy_read_timeout ${needs.readMs}ms;`,
    ...needs.location,
  ];
  const servers = needs.servers?.(place.backend) ?? [`server ${place.backend};`];
  return `daemon off;
${place.isRoot ? 'user root;\n' : ''}worker_processes 1;
worker_rlimit_nofile ${2 * place.connections + SPARE_DESCRIPTORS};
pid ${place.folder}/nginx.pid;
error_log ${place.errorLog} warn;
events {
  worker_connections ${2 * place.connections};
}
http {
  log_format handshakes '$remote_addr:$remote_port "$request" $status $request_time upstream $upstream_status '
                        'connect $upstream_connect_time header $upstream_header_time';
  access_log ${place.accessLog} handshakes;
${lines(
  scratch.map((name) => `${name}_temp_path ${place.folder}/${name};`),
  2,
)}
  map $http_upgrade $connection_upgrade {
    default upgrade;
    ''      close;
  }
  upstream backend {
${lines(servers, 4)}
  }
${lines(needs.http, 2)}  server {
    listen ${place.listen}${place.certificate === null ? '' : ' ssl'} backlog=${BACKLOG};
${place.certificate === null ? '' : `    ssl_certificate ${place.certificate};\n    ssl_certificate_key ${place.certificate};\n`}    location / {
${lines(location, 6)}
    }
  }
}
`.replace(/\n\n+/g, '\n');
}

export function haproxyConfig(place: GatewayPlace, needs: GatewayNeeds): string {
  const stripped = ['# The backend sees an ordinary GET:', 'http-request del-header Upgrade'];
  return `global
  maxconn ${place.connections}
  # More would count and log at the same moment.
  nbthread 1
  log stdout format raw local0 info
defaults
  mode http
  log global
  option dontlognull
  log-format "%ci:%cp \\"%HM %HU\\" %ST %Ta %ts connect %Tc header %Tr queue %Tw"
  timeout http-request 60s
  timeout client 60s
  timeout connect ${needs.connectMs}ms
  timeout server ${needs.readMs}ms
  # Without it open tunnels are cut after timeout client or timeout server.
  timeout tunnel 1h
frontend door
  bind ${place.listen}${place.certificate === null ? '' : ` ssl crt ${place.certificate}`} backlog ${BACKLOG}
${lines(needs.frontend, 2)}
  default_backend app
backend app
${lines([...(needs.forwardsUpgrade ? [] : stripped), ...needs.backend, `server one ${place.backend} ${needs.server}`.trimEnd()], 2)}
`.replace(/\n\n+/g, '\n');
}

function lines(texts: readonly string[], indent: number): string {
  return texts.map((text) => `${' '.repeat(indent)}${text}\n`).join('');
}
