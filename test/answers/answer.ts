/**
 * One raw answer to one handshake, as data: the bytes and how they are sent, and the outcome that the RFCs' words make of
 * it. The rows themselves are in status-lines.ts, fields.ts, upgrades.ts, extensions.ts and endings.ts; who sends them and
 * who receives them is not known here.
 */

/** What was asked for beside the upgrade itself. */
export type Asked = 'nothing' | 'chat' | 'deflate';

/** The subprotocols that are offered where `chat` is asked for. */
export const CHAT = ['chat.v1', 'chat.v2'];

export type Step =
  /** Written at once. Latin-1: one character, one byte. */
  | { readonly write: string }
  /** Written one byte a segment. */
  | { readonly drip: string }
  /** Waits until the client has taken what it was sent: its next reading then holds nothing but what comes next. */
  | { readonly taken: true }
  | { readonly end: 'FIN' | 'RST' };

export interface Answer {
  /** Also the path that is asked for. */
  readonly name: string;
  /** What is done with the Accept that belongs to the request's key. */
  readonly steps: (accept: string) => readonly Step[];
  /** Section and the words that decide. */
  readonly by: string;
  readonly outcome: string;
  /** null: none. */
  readonly detail: string | null;
  /** The 101 counts, and then the target lets go of it before the burst is over. */
  readonly isLost?: true;
  /** Why ws or Chromium sees something else, in one clause. Stated exactly where one of them does. */
  readonly why?: string;
  readonly asked?: Asked;
  /** The bytes answer a TLS ClientHello, on a port of their own. */
  readonly isSecure?: true;
}

export const write = (text: string): Step => ({ write: text });
export const drip = (text: string): Step => ({ drip: text });
export const TAKEN: Step = { taken: true };
export const FIN: Step = { end: 'FIN' };
export const RST: Step = { end: 'RST' };

export const UPGRADE = 'Upgrade: websocket';
export const CONNECTION = 'Connection: Upgrade';
export const accepted = (accept: string) => `Sec-WebSocket-Accept: ${accept}`;

/** A head of these lines. */
export function head(...lines: readonly string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** A 101 with these fields, whatever they are. */
export function switching(...fields: readonly string[]): string {
  return head('HTTP/1.1 101 Switching Protocols', ...fields);
}

/** A 101 that a client must take, with more fields where wanted. */
export function good(accept: string, ...more: readonly string[]): string {
  return switching(UPGRADE, CONNECTION, accepted(accept), ...more);
}

/** Sent at once; the connection stays open. */
export function whole(text: (accept: string) => string): Answer['steps'] {
  return (accept) => [write(text(accept))];
}

/** An unmasked text frame of up to 64 KiB - 1 bytes (RFC 6455 section 5.2). */
export function textFrame(length: number): string {
  const size = length < 126 ? [length] : [126, length >> 8, length & 0xff];
  return String.fromCharCode(0x81, ...size) + 'x'.repeat(length);
}
