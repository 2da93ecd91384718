/** Four gateways as Debian has them, each with one thing wrong, for what a check says of it. One process and folder each. */
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Daemon, freePorts, startDaemon } from './gateways/child.js';

interface Recipe {
  readonly program: string;
  readonly config: (folder: string, port: number, backend: number) => string;
  readonly command: (folder: string) => readonly [program: string, ...args: string[]];
}

const MODULES = '/usr/lib/apache2/modules';

export const GATEWAYS = {
  /** Headers of the upgrade are not forwarded: nginx by default. */
  nginx: {
    program: 'nginx',
    config: (folder, port, backend) => `
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${folder}/pid;
error_log ${folder}/error.log;
events { worker_connections 256; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://127.0.0.1:${backend}; } }
}`,
    command: (folder) => ['nginx', '-p', folder, '-c', `${folder}/config`, '-e', `${folder}/error.log`],
  },
  /** Nothing listens behind it. */
  haproxy: {
    program: 'haproxy',
    config: (_folder, port, backend) => `
defaults
  mode http
  timeout connect 1s
  timeout client 20s
  timeout server 20s
frontend door
  bind 127.0.0.1:${port}
  default_backend app
backend app
  server one 127.0.0.1:${backend}
`,
    command: (folder) => ['haproxy', '-db', '-f', `${folder}/config`],
  },
  /** No upgrade=websocket. */
  apache2: {
    program: 'apache2',
    config: (folder, port, backend) => `
ServerRoot ${folder}
PidFile ${folder}/pid
ErrorLog ${folder}/error.log
ServerName localhost
Listen 127.0.0.1:${port}
DefaultRuntimeDir ${folder}
${['mpm_event', 'authz_core', 'proxy', 'proxy_http'].map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
${process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
ProxyPass / http://127.0.0.1:${backend}/
`,
    command: (folder) => ['apache2', '-d', folder, '-f', `${folder}/config`, '-DFOREGROUND'],
  },
  /** Nothing listens behind it. */
  caddy: {
    program: 'caddy',
    config: (folder, port, backend) => `
{
  admin off
  auto_https off
  storage file_system ${folder}/store
}
http://127.0.0.1:${port} {
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:${backend}
}
`,
    command: (folder) => ['caddy', 'run', '--config', `${folder}/config`, '--adapter', 'caddyfile'],
  },
} as const satisfies Readonly<Record<string, Recipe>>;

export type GatewayName = keyof typeof GATEWAYS;

export interface Door {
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts it before the backend on that port. */
export async function startDoor(name: GatewayName, backend: number): Promise<Door> {
  const { config, command }: Recipe = GATEWAYS[name];
  const folder = mkdtempSync(join(tmpdir(), `wst-door-${name}-`));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  let daemon: Daemon;
  const [port] = await freePorts(1);
  try {
    mkdirSync(`${folder}/store`);
    writeFileSync(`${folder}/config`, config(folder, port, backend));
    const log = openSync(`${folder}/out.log`, 'a');
    try {
      const stdio = ['ignore', log, log] as const;
      daemon = await startDaemon(command(folder), stdio, [port], {
        complaints: () => readFileSync(`${folder}/out.log`, 'utf8'),
        env: { HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder },
      });
    } finally {
      closeSync(log);
    }
  } catch (error) {
    remove();
    throw error;
  }
  return {
    port,
    stop: async () => {
      await daemon.stop();
      remove();
    },
  };
}
