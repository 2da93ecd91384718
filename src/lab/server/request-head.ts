/**
 * The request as a server sees it: the head up to its empty line, whether it asks for a WebSocket, and the right 101
 * for it. Written from RFC 6455 section 4.2 alone, independent of any client, so that a client's mistake in the
 * handshake is not repeated here and confirmed.
 */
import { createHash } from 'node:crypto';

/** A head over this many bytes is refused with 431. */
export const HEAD_LIMIT_BYTES = 65_536;

export interface Request {
  /** As received, including the empty line. */
  readonly head: Buffer;
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** Names in lower case; several lines of the same name joined by `, ` (RFC 9110 section 5.3). */
  readonly headers: ReadonlyMap<string, string>;
}

/** Collects bytes until CRLF CRLF, in pieces of any size. */
export class RequestHeadReader {
  #chunks: Buffer[] = [];
  #size = 0;
  /** How much of CRLF CRLF the last bytes matched: 0-4. */
  #matched = 0;

  /** The head and what came after it; `too-long` beyond HEAD_LIMIT_BYTES; null while it is incomplete. */
  push(chunk: Buffer): { readonly head: Buffer; readonly rest: Buffer } | 'too-long' | null {
    for (let i = 0; i < chunk.length; i += 1) {
      const byte = chunk[i];
      if (byte === (this.#matched % 2 === 0 ? 0x0d : 0x0a)) this.#matched += 1;
      else this.#matched = byte === 0x0d ? 1 : 0;
      if (this.#matched < 4) continue;
      const last = chunk.subarray(0, i + 1);
      if (this.#size + last.length > HEAD_LIMIT_BYTES) return 'too-long';
      return { head: Buffer.concat([...this.#chunks, last]), rest: chunk.subarray(i + 1) };
    }
    this.#size += chunk.length;
    if (this.#size > HEAD_LIMIT_BYTES) return 'too-long';
    this.#chunks.push(chunk);
    return null;
  }
}

/** Lenient: a line that is not a header is skipped, because each target judges requests itself. */
export function parseRequest(head: Buffer): Request {
  const [first = '', ...lines] = head.toString('latin1').split('\r\n');
  const [method = '', target = '', version = ''] = first.split(' ');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return { head, method, target, version, headers };
}

/** What is wrong with an opening handshake by RFC 6455 section 4.2.1; null when a server must accept it. */
export function upgradeProblem(request: Request): string | null {
  const { headers } = request;
  if (request.method !== 'GET') return 'method is not GET';
  if (!/^HTTP\/1\.[1-9]$/.test(request.version)) return 'version is below HTTP/1.1';
  if (!headers.has('host')) return 'no Host';
  if (!hasToken(headers.get('upgrade'), 'websocket')) return 'Upgrade lacks websocket';
  if (!hasToken(headers.get('connection'), 'upgrade')) return 'Connection lacks Upgrade';
  if (headers.get('sec-websocket-version') !== '13') return 'Sec-WebSocket-Version is not 13';
  // 16 bytes in base64 are 22 characters and two signs of padding (RFC 6455 section 4.1, item 7).
  if (!/^[A-Za-z0-9+/]{22}==$/.test(headers.get('sec-websocket-key') ?? '')) return 'Sec-WebSocket-Key is not 16 bytes';
  return null;
}

/** Whether a comma-separated header value contains `token`, in any letter case. */
export function hasToken(value: string | undefined, token: string): boolean {
  return (value ?? '').split(',').some((word) => word.trim().toLowerCase() === token);
}

/** Sec-WebSocket-Accept for a key (RFC 6455 section 4.2.2, item 5.4). */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** The head of a valid 101; it accepts the first offered subprotocol, as ws does. */
export function switchingProtocols(request: Request): string {
  const offered = request.headers.get('sec-websocket-protocol')?.split(',')[0].trim() ?? '';
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptOf(request.headers.get('sec-websocket-key') ?? '')}`,
    ...(offered === '' ? [] : [`Sec-WebSocket-Protocol: ${offered}`]),
    '\r\n',
  ].join('\r\n');
}
