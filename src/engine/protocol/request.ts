/**
 * The request of the opening handshake: its bytes, its key, and the Accept value for that key (RFC 6455 section 4.1).
 * Every transport sends the same bytes. Does not know sockets or responses.
 */
import { hash, randomFillSync } from 'node:crypto';
import type { Target } from '../../plan/plan.js';

/** RFC 6455 section 1.3. */
const ACCEPT_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const KEY_BYTES = 16;
const KEYS_PER_FILL = 512;
const DEFLATE_OFFER = 'permessage-deflate; client_max_window_bits';

/** What was offered, as needed to check the response. */
export interface Offer {
  readonly subprotocols: readonly string[];
  readonly deflate: boolean;
}

/** A rendered attempt: all templates are filled in. */
export interface RequestParts {
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly origin: string | null;
  readonly subprotocols: readonly string[];
}

const keyPool = Buffer.alloc(KEY_BYTES * KEYS_PER_FILL);
let keysLeft = 0;

/** A fresh random key, base64. RFC 6455 section 4.1 point 7 asks for a new nonce for each connection. */
export function newKey(): string {
  if (keysLeft === 0) {
    randomFillSync(keyPool);
    keysLeft = KEYS_PER_FILL;
  }
  keysLeft--;
  return keyPool.toString('base64', keysLeft * KEY_BYTES, (keysLeft + 1) * KEY_BYTES);
}

/** The Sec-WebSocket-Accept that proves that a server understood `key` (RFC 6455 section 4.2.2 point 5.4). */
export function acceptFor(key: string): string {
  return hash('sha1', key + ACCEPT_GUID, 'base64');
}

/** Host header: without the default port (RFC 6455 section 4.1 point 4), with brackets around IPv6 addresses. */
function hostHeader(target: Target): string {
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  const standard = target.scheme === 'wss' ? 443 : 80;
  return target.port === standard ? host : `${host}:${target.port}`;
}

/** A request without its key: built once if nothing in the plan varies, otherwise once per attempt. */
export interface RequestFrame {
  readonly head: string;
  readonly tail: string;
}

/**
 * The order of headers is part of the contract: Host, Upgrade, Connection, key, version, origin, subprotocols,
 * extensions, User-Agent, then the user's own in order. A Host or User-Agent from the user replaces ours in place. The
 * text is Latin-1: one character is one byte.
 */
export function requestFrame(target: Target, parts: RequestParts, userAgent: string): RequestFrame {
  const own = (name: string) => parts.headers.find(([n]) => n.toLowerCase() === name)?.[1];
  const rest = parts.headers.filter(([n]) => n.toLowerCase() !== 'host' && n.toLowerCase() !== 'user-agent');
  const head =
    `GET ${parts.path} HTTP/1.1\r\nHost: ${own('host') ?? hostHeader(target)}\r\n` +
    'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ';
  let tail = '\r\nSec-WebSocket-Version: 13\r\n';
  if (parts.origin !== null) tail += `Origin: ${parts.origin}\r\n`;
  if (parts.subprotocols.length > 0) tail += `Sec-WebSocket-Protocol: ${parts.subprotocols.join(', ')}\r\n`;
  if (target.compression) tail += `Sec-WebSocket-Extensions: ${DEFLATE_OFFER}\r\n`;
  tail += `User-Agent: ${own('user-agent') ?? userAgent}\r\n`;
  for (const [name, value] of rest) tail += `${name}: ${value}\r\n`;
  return { head: toLatin1(head), tail: toLatin1(`${tail}\r\n`) };
}

/**
 * Non-ASCII header values are sent as UTF-8 octets (obs-text, RFC 9110 section 5.5), each as one character of the
 * result.
 */
function toLatin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
