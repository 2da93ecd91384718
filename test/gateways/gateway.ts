/**
 * nginx and HAProxy in front of a backend that serves one upgrade after another, ready for bursts of thousands: what the
 * program under test is held against, count by count.
 */
import type { GatewayName, GatewaySettings } from './configs.js';
import { type Stack, startStack } from './stack.js';

/** Read timeout of the gateways (T): what takes the backend longer is a 504. */
export const TIMEOUT_MS = 1000;
/** What the backend needs for one upgrade (S). */
export const SERVICE_MS = 5;

export type Gateway = Pick<Stack, 'url' | 'secureUrl' | 'ca' | 'log' | 'stopBackends' | 'stop'>;

export interface GatewayOptions {
  /** A backend that serves clients that are gone: what a burst leaves behind spoils the next. */
  readonly servesDead?: boolean;
}

/** Upgrades that nginx gives up leave TIME_WAIT pairs towards the backend: one source address would run out of ports. */
const NGINX_SLOTS = {
  http: `split_clients $remote_port $source {\n${sources(4)}\n  }`,
  location: 'proxy_bind $source;',
};

function sources(count: number): string {
  const lines = Array.from(
    { length: count },
    (_, i) => `${i === count - 1 ? '*' : `${100 / count}%`} 127.0.1.${i + 1};`,
  );
  return lines.map((line) => `    ${line}`).join('\n');
}

export function startNginx(options: GatewayOptions = {}): Promise<Gateway> {
  return start('nginx', { slots: NGINX_SLOTS }, options);
}

export function startHaproxy(options: GatewayOptions = {}): Promise<Gateway> {
  return start('haproxy', {}, options);
}

function start(gateway: GatewayName, more: Partial<GatewaySettings>, { servesDead }: GatewayOptions): Promise<Gateway> {
  return startStack({
    gateway,
    settings: { readMs: TIMEOUT_MS, connectMs: 5000, ...more },
    backend: { kind: 'serial', serviceMs: SERVICE_MS, servesDead },
  });
}
