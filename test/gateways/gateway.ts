/**
 * Real gateways in front of a backend that serves one upgrade after another: nginx and HAProxy as Debian has them, each
 * with a configuration, a log and a folder of its own, on free ports. A gateway's own access log is what the program under
 * test is held against.
 */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LAB_CERTIFICATE, LAB_PRIVATE_KEY } from '#dist/lab/certificate.js';
import { type Daemon, eventually, freePorts, startDaemon, startScript } from './child.js';

/** Read timeout of the gateways (T): what takes the backend longer is a 504. */
export const TIMEOUT_MS = 1000;
/** What the backend needs for one upgrade (S). */
export const SERVICE_MS = 5;

export interface LogLine {
  readonly port: number;
  readonly status: string;
}

export interface Gateway {
  /** Ends in `/`. */
  readonly url: string;
  readonly secureUrl: string;
  /** PEM file that a client must trust. */
  readonly ca: string;
  /**
   * What the log says of the path `/NAME` once it has `expected` lines of it: a tunnel is logged when it has ended. When
   * they do not come, what there is.
   */
  log(name: string, expected: number): Promise<LogLine[]>;
  /** From now on nothing listens behind the gateway. */
  stopBackend(): Promise<void>;
  stop(): Promise<void>;
}

export interface GatewayOptions {
  /** A backend that serves clients that are gone: what a burst leaves behind spoils the next. */
  readonly servesDead?: boolean;
}

/** One line a request: port, status, path; the path without its query. */
const LINE = /^(\d+) (-?\d+) \/(\S*)$/;

function nginxConfig(folder: string, [plain, secure, backend]: readonly number[]): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 2;
worker_rlimit_nofile 16384;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { worker_connections 8192; }
http {
  log_format attempts '$remote_port $status $uri';
  access_log ${folder}/access.log attempts;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  # Upgrades that nginx gives up leave TIME_WAIT pairs towards the backend: one source address would run out of ports.
  split_clients $remote_port $source {
${sources(4)}
  }
  ssl_certificate ${folder}/lab.pem;
  ssl_certificate_key ${folder}/lab.pem;
  server {
    listen 127.0.0.1:${plain} backlog=4096;
    listen 127.0.0.1:${secure} ssl backlog=4096;
    location / {
      proxy_pass http://127.0.0.1:${backend};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header Host $host;
      proxy_bind $source;
      proxy_connect_timeout 5s;
      proxy_read_timeout ${TIMEOUT_MS}ms;
    }
  }
}
`;
}

function sources(count: number): string {
  const lines = Array.from(
    { length: count },
    (_, i) => `${i === count - 1 ? '*' : `${100 / count}%`} 127.0.1.${i + 1};`,
  );
  return lines.map((line) => `    ${line}`).join('\n');
}

function haproxyConfig(folder: string, [plain, secure, backend]: readonly number[]): string {
  return `
global
  maxconn 8000
  # Threads that log at the same moment would drop a line rather than wait for each other.
  nbthread 1
  log stdout format raw local0 info
defaults
  mode http
  log global
  log-format "%cp %ST %HPO"
  timeout http-request 60s
  timeout client 60s
  timeout connect 5s
  timeout server ${TIMEOUT_MS}ms
  timeout tunnel 1h
frontend door
  bind 127.0.0.1:${plain} backlog 4096
  bind 127.0.0.1:${secure} ssl crt ${folder}/lab.pem backlog 4096
  default_backend app
backend app
  server one 127.0.0.1:${backend}
`;
}

/** nginx logs by itself; `-e` is for what it has to say before it has read its configuration. */
export function startNginx(options: GatewayOptions = {}): Promise<Gateway> {
  return startGateway('nginx', nginxConfig, options, (folder, ports) =>
    startDaemon(
      ['nginx', '-p', folder, '-c', `${folder}/config`, '-e', `${folder}/error.log`],
      ['ignore', 'ignore', 'ignore'],
      ports,
      () => read(`${folder}/error.log`),
    ),
  );
}

/** HAProxy logs to its stdout, which is a file and so takes every line. */
export function startHaproxy(options: GatewayOptions = {}): Promise<Gateway> {
  return startGateway('haproxy', haproxyConfig, options, async (folder, ports) => {
    const log = openSync(`${folder}/access.log`, 'a');
    const errors = openSync(`${folder}/error.log`, 'a');
    try {
      return await startDaemon(['haproxy', '-db', '-f', `${folder}/config`], ['ignore', log, errors], ports, () =>
        read(`${folder}/error.log`),
      );
    } finally {
      closeSync(log);
      closeSync(errors);
    }
  });
}

async function startGateway(
  name: string,
  config: (folder: string, ports: readonly number[]) => string,
  { servesDead = false }: GatewayOptions,
  start: (folder: string, ports: readonly number[]) => Promise<Daemon>,
): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), `wst-${name}-`));
  const [plain, secure, behind] = await freePorts(3);
  const backend = startScript('backend', [`${SERVICE_MS}`, servesDead ? 'serve' : 'skip', `${behind}`]);
  const remove = async () => {
    await backend.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    writeFileSync(`${folder}/lab.pem`, LAB_CERTIFICATE + LAB_PRIVATE_KEY);
    writeFileSync(`${folder}/config`, config(folder, [plain, secure, behind]));
    await backend.line();
    const daemon = await start(folder, [plain, secure]);
    return {
      url: `ws://127.0.0.1:${plain}/`,
      secureUrl: `wss://127.0.0.1:${secure}/`,
      ca: `${folder}/lab.pem`,
      async log(path, expected) {
        const lines = () => linesOf(read(`${folder}/access.log`), path);
        await eventually(() => (lines().length >= expected ? true : null), 10_000);
        return lines();
      },
      stopBackend: () => backend.stop(),
      async stop() {
        await daemon.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

function linesOf(text: string, path: string): LogLine[] {
  // The last line may still be on its way.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole.split('\n').flatMap((line) => {
    const [, port, status, name] = LINE.exec(line) ?? [];
    return name === path ? [{ port: Number(port), status }] : [];
  });
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
