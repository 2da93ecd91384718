/**
 * Reads and checks the response to an opening handshake: RFC 9112 for the head, RFC 6455 section 4.1 for the upgrade.
 * Works on the bytes received so far and returns "more", "done" or "not HTTP"; stores nothing, so that the caller
 * limits the memory of an attempt. Bare LF as line end is accepted and noted (RFC 9112 section 2.2).
 */
import type { Offer } from './request.js';

/** Limit for all heads of one response together, interim responses included. */
export const MAX_HEAD_BYTES = 64 * 1024;

const CR = 13;
const LF = 10;
const PREFIX = Buffer.from('HTTP/1.');
/** The end of a head is at most LF CR LF, and its last byte may not have arrived yet. */
const END_OVERLAP = 2;

export interface Head {
  readonly status: number;
  readonly statusLine: string;
  /** Names as received. Folded lines are joined with a space (RFC 9112 section 5.2). */
  readonly headers: readonly (readonly [string, string])[];
  /** First byte after the head. */
  readonly bodyAt: number;
  readonly bareLf: boolean;
  readonly minor: string;
}

/** How far an incomplete response was read, so that no byte is scanned twice. */
export interface HeadProgress {
  /** Start of the current head; interim responses are before it. */
  readonly head: number;
  /** The current head does not end before this index. */
  readonly scanned: number;
}

const START: HeadProgress = { head: 0, scanned: 0 };

export type Reading =
  | { readonly kind: 'more'; readonly progress: HeadProgress }
  | { readonly kind: 'malformed'; readonly detail: string }
  | { readonly kind: 'head'; readonly head: Head };

function malformed(detail: string): Reading {
  return { kind: 'malformed', detail };
}

/** Index of the first byte after the empty line that ends the head which starts at `from`, or -1. */
function endOfHead(bytes: Buffer, from: number, to: number): number {
  for (let at = bytes.indexOf(LF, from); at >= 0 && at < to; at = bytes.indexOf(LF, at + 1)) {
    if (at + 1 < to && bytes[at + 1] === LF) return at + 2;
    if (at + 2 < to && bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return -1;
}

/**
 * Reads the final head from bytes[0..length). Interim responses (1xx except 101) are skipped (RFC 9110 section 15.2).
 * `length` must cover everything received so far; `progress` comes from the previous reading.
 */
export function readHead(bytes: Buffer, length: number, progress: HeadProgress = START): Reading {
  let { head: from, scanned } = progress;
  for (;;) {
    const known = Math.min(length - from, PREFIX.length);
    if (bytes.compare(PREFIX, 0, known, from, from + known) !== 0) return malformed('does not begin with HTTP/1.');
    const end = endOfHead(bytes, Math.max(from, scanned), Math.min(length, MAX_HEAD_BYTES));
    if (end < 0) {
      if (length >= MAX_HEAD_BYTES) return malformed('head over 64 KiB');
      return { kind: 'more', progress: { head: from, scanned: Math.max(from, length - END_OVERLAP) } };
    }
    const reading = parseHead(bytes.toString('latin1', from, end), end);
    if (reading.kind !== 'head' || reading.head.status >= 200 || reading.head.status === 101) return reading;
    from = end;
    if (from === length) return { kind: 'more', progress: { head: from, scanned: from } };
  }
}

const STATUS_LINE = /^HTTP\/1\.(\d) (\d{3})(?: ([^\r\n]*))?$/;
/** A field's name (RFC 9110 section 5.6.2) and value; white space is trimmed separately, in linear time. */
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):(.*)$/;

function parseHead(text: string, bodyAt: number): Reading {
  const lines = text.split('\n');
  let bareLf = false;
  const strip = (line: string) => {
    if (line.endsWith('\r')) return line.slice(0, -1);
    bareLf = true;
    return line;
  };
  const statusLine = strip(lines[0]);
  const match = STATUS_LINE.exec(statusLine);
  if (match === null) return malformed('status line is not HTTP/1.x with a three-digit status');
  const status = Number(match[2]);
  if (status < 100) return malformed(`status ${match[2]} is below 100`);
  const headers: [string, string][] = [];
  for (let i = 1; i < lines.length - 2; i++) {
    const line = strip(lines[i]);
    if ((line[0] === ' ' || line[0] === '\t') && headers.length > 0) {
      const last = headers[headers.length - 1];
      last[1] = trimmed(`${last[1]} ${trimmed(line)}`);
      continue;
    }
    const field = FIELD.exec(line);
    if (field === null) return malformed(`header line ${i} is not "name: value"`);
    headers.push([field[1], trimmed(field[2])]);
  }
  strip(lines[lines.length - 2]);
  return { kind: 'head', head: { status, statusLine, headers, bodyAt, bareLf, minor: match[1] } };
}

/** Without the optional white space around it: spaces and tabs only (RFC 9110 section 5.6.3). */
function trimmed(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** All values of one header, in order, joined as one list (RFC 9110 section 5.3); null when absent. */
export function headerValue(head: Head, name: string): string | null {
  let value: string | null = null;
  for (const [n, v] of head.headers) {
    if (n.length === name.length && n.toLowerCase() === name) value = value === null ? v : `${value}, ${v}`;
  }
  return value;
}

function countHeader(head: Head, name: string): number {
  return head.headers.filter(([n]) => n.toLowerCase() === name).length;
}

/** null: a valid upgrade; otherwise the broken clause of RFC 6455 section 4.1, in words. */
export function judgeUpgrade(head: Head, accept: string, offer: Offer): string | null {
  if (head.minor === '0') return '101 over HTTP/1.0';
  const upgrade = headerValue(head, 'upgrade');
  if (upgrade === null) return 'no Upgrade header (section 4.1 point 2)';
  if (upgrade.toLowerCase() !== 'websocket') return 'Upgrade is not "websocket" (section 4.1 point 2)';
  const connection = headerValue(head, 'connection');
  if (connection === null) return 'no Connection header (section 4.1 point 3)';
  const tokens = connection.toLowerCase().split(',');
  if (!tokens.some((token) => token.trim() === 'upgrade')) return 'Connection lacks "Upgrade" (section 4.1 point 3)';
  const given = headerValue(head, 'sec-websocket-accept');
  if (given === null) return 'no Sec-WebSocket-Accept (section 4.1 point 4)';
  if (given !== accept) {
    return countHeader(head, 'sec-websocket-accept') > 1
      ? 'Sec-WebSocket-Accept sent more than once (section 11.3.3)'
      : 'wrong Sec-WebSocket-Accept (section 4.1 point 4)';
  }
  // RFC 9110 allows to reject NUL or to replace it by a space; this tool rejects it, as the clients that it stands for
  // do.
  if (head.headers.some(([, v]) => v.includes('\0'))) return 'NUL in the value of a header (RFC 9110 section 5.5)';
  return judgeExtensions(headerValue(head, 'sec-websocket-extensions'), offer) ?? judgeProtocol(head, offer);
}

/**
 * What a response may say about permessage-deflate (RFC 7692 section 7.1); values may be quoted (RFC 6455 section 9.1).
 */
const DEFLATE_PARAMETER =
  /^(?:((?:server|client)_no_context_takeover)|((?:server|client)_max_window_bits)[ \t]*=[ \t]*("?)(?:8|9|1[0-5])\3)$/;

function judgeExtensions(value: string | null, offer: Offer): string | null {
  if (value === null) return null;
  // A list has at least one element (section 9.1 rejects what does not conform); empty elements beside it are allowed.
  const extensions = value.split(',').map(trimmed).filter(Boolean);
  if (extensions.length === 0) return 'an empty list of extensions (section 9.1)';
  const named = extensions.map((extension) => extension.split(';').map(trimmed));
  if (!offer.deflate || named.some(([name]) => name.toLowerCase() !== 'permessage-deflate')) {
    return 'an extension that was not asked for (section 4.1 point 5)';
  }
  if (named.length > 1) return 'permessage-deflate accepted more than once (RFC 7692 section 5)';
  const parameters = named[0].slice(1).map((parameter) => DEFLATE_PARAMETER.exec(parameter));
  const names = new Set(parameters.map((match) => match?.[1] ?? match?.[2]));
  const isSound = parameters.every((match) => match !== null) && names.size === parameters.length;
  return isSound ? null : 'permessage-deflate with parameters that are wrong (RFC 7692 section 7.1)';
}

function judgeProtocol(head: Head, offer: Offer): string | null {
  const value = headerValue(head, 'sec-websocket-protocol');
  // Section 4.1 point 6 forbids a subprotocol that was not requested; the server may choose none (section 4.2.2).
  if (value === null) return null;
  if (countHeader(head, 'sec-websocket-protocol') > 1)
    return 'Sec-WebSocket-Protocol sent more than once (section 11.3.4)';
  if (value === '') return 'an empty subprotocol (section 4.2.2 point 5)';
  return offer.subprotocols.includes(value) ? null : 'a subprotocol that was not asked for (section 4.1 point 6)';
}

/**
 * The last response found valid, without its Accept value. A server usually answers all handshakes with the same text
 * except for that value, so the next response can be accepted by comparison: same text, and the right Accept for its
 * own key. A response that differs, in a Date header for example, is read in full. Use only for attempts with the same
 * offer.
 */
export class KnownUpgrade {
  /** What it agreed to on compression (deflate.ts). */
  agreed = 0;
  #before = '';
  #after = '';
  #length = -1;

  /** @param text a whole response that `judgeUpgrade` found valid for `accept` */
  remember(text: string, accept: string, agreed: number): void {
    this.agreed = agreed;
    const at = text.indexOf(accept);
    this.#before = text.slice(0, at);
    this.#after = text.slice(at + accept.length);
    this.#length = text.length;
  }

  matches(bytes: Buffer, length: number, accept: string): boolean {
    return length === this.#length && bytes.toString('latin1', 0, length) === this.#before + accept + this.#after;
  }
}
