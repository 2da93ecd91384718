/**
 * The opening handshake's request: its bytes, its key and the Accept that belongs to it (RFC 6455 section 4.1). The same
 * bytes from every transport. It knows nothing of sockets, nor of what comes back.
 */
import { hash, randomFillSync } from 'node:crypto';
import type { Target } from '../../plan/plan.js';

/** RFC 6455 section 1.3. */
const ACCEPT_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const KEY_BYTES = 16;
const KEYS_PER_FILL = 512;
const DEFLATE_OFFER = 'permessage-deflate; client_max_window_bits';

/** What was offered, as far as judging the answer needs it. */
export interface Offer {
  readonly subprotocols: readonly string[];
  readonly deflate: boolean;
}

/** A rendered attempt: no template left. */
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

/** Host header: the default port is left out (RFC 6455 section 4.1 point 4), IPv6 literals are bracketed. */
function hostHeader(target: Target): string {
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  const standard = target.scheme === 'wss' ? 443 : 80;
  return target.port === standard ? host : `${host}:${target.port}`;
}

/** A request with a hole for the key: built once where nothing in the plan varies, once an attempt otherwise. */
export interface RequestFrame {
  readonly head: string;
  readonly tail: string;
}

/**
 * Header order is part of the contract: Host, Upgrade, Connection, key, version, origin, subprotocols, extensions,
 * User-Agent, then the user's own in order. A Host or User-Agent of the user's replaces ours in place.
 * The text is Latin-1: one character, one byte.
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

/** Header values beyond ASCII go out as UTF-8 octets (obs-text, RFC 9110 section 5.5), one character each from here on. */
function toLatin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
