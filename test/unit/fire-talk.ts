/** Servers that speak after their 101, in raw frames: what they send, and what their clients sent them. */
import assert from 'node:assert/strict';
import type net from 'node:net';
import type { Match, Payload, Script, ScriptStep, StandingRule } from '#dist/plan/session/session-script.js';
import { onRequest, switching } from './fire-raw.js';

export interface ClientFrame {
  readonly opcode: number;
  readonly text: string;
}

/** One connection, as its server sees it. */
export interface Client {
  readonly socket: net.Socket;
  /** Number of this connection at its server. */
  readonly place: number;
  /** Everything that the client sent, in whole frames. */
  readonly frames: ClientFrame[];
  isEnded: boolean;
  isReset: boolean;
  send(message: string | Buffer): void;
  ping(body: string): void;
  close(code: number, reason?: string): void;
}

export interface Talk {
  /** Right after the 101, in the same segment: what is sent here comes glued to it. */
  readonly greet?: (client: Client) => void;
  /** For each message of the client. */
  readonly hear?: (client: Client, message: string) => void;
  /** A further line of the 101. */
  readonly head?: string;
  /** Answers a close frame and ends TCP, as a server must; true unless said otherwise. */
  readonly answersClose?: boolean;
}

/** A server of that talk; every client is kept in `clients`. */
export function talking(talk: Talk, clients: Client[] = []): (socket: net.Socket) => void {
  return onRequest((socket, request) => {
    let early: Buffer[] | null = [Buffer.from(switching(request, ...(talk.head === undefined ? [] : [talk.head])))];
    const write = (bytes: Buffer) => {
      if (early === null) socket.write(bytes);
      else early.push(bytes);
    };
    const client: Client = {
      socket,
      place: clients.length,
      frames: [],
      isEnded: false,
      isReset: false,
      send: (message) => write(serverFrame(typeof message === 'string' ? 0x81 : 0x82, Buffer.from(message))),
      ping: (body) => write(serverFrame(0x89, Buffer.from(body))),
      close: (code, reason = '') => write(serverFrame(0x88, Buffer.concat([codeBytes(code), Buffer.from(reason)]))),
    };
    clients.push(client);
    let rest = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      const read = clientFrames(Buffer.concat([rest, chunk]));
      rest = Buffer.from(read.rest);
      for (const frame of read.frames) {
        client.frames.push(frame);
        if (frame.opcode === 1 || frame.opcode === 2) talk.hear?.(client, frame.text);
        if (frame.opcode === 9) write(serverFrame(0x8a, Buffer.from(frame.text, 'latin1')));
        if (frame.opcode === 8 && (talk.answersClose ?? true)) {
          socket.end(serverFrame(0x88, Buffer.from(frame.text.slice(0, 2), 'latin1')));
        }
      }
    });
    socket.on('end', () => {
      client.isEnded = true;
      if (talk.answersClose ?? true) socket.end();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      client.isReset ||= error.code === 'ECONNRESET';
    });
    talk.greet?.(client);
    const first = Buffer.concat(early);
    early = null;
    socket.write(first);
  });
}

export function serverFrame(first: number, body: Buffer): Buffer {
  const head =
    body.length < 126 ? Buffer.of(first, body.length) : Buffer.of(first, 126, body.length >> 8, body.length & 0xff);
  assert.ok(body.length < 65_536);
  return Buffer.concat([head, body]);
}

function codeBytes(code: number): Buffer {
  return Buffer.of(code >> 8, code & 0xff);
}

/** Frames of a client; they must be masked (RFC 6455 section 5.1). */
function clientFrames(bytes: Buffer): { frames: ClientFrame[]; rest: Buffer } {
  const frames: ClientFrame[] = [];
  let at = 0;
  while (bytes.length - at >= 6) {
    const short = (bytes[at + 1] ?? 0) & 0x7f;
    assert.ok(((bytes[at + 1] ?? 0) & 0x80) !== 0, 'masked');
    assert.ok(short < 127);
    const head = short === 126 ? 4 : 2;
    const length = short === 126 ? bytes.readUInt16BE(at + 2) : short;
    if (bytes.length < at + head + 4 + length) break;
    const mask = bytes.subarray(at + head, at + head + 4);
    const body = bytes.subarray(at + head + 4, at + head + 4 + length).map((byte, i) => byte ^ (mask[i % 4] ?? 0));
    const opcode = (bytes[at] ?? 0) & 0x0f;
    frames.push({ opcode, text: Buffer.from(body).toString(opcode === 1 ? 'utf8' : 'latin1') });
    at += head + 4 + length;
  }
  return { frames, rest: bytes.subarray(at) };
}

export const send = (payload: Payload | string): ScriptStep => ({
  send: typeof payload === 'string' ? { text: payload } : payload,
});
export const expecting = (expect: Match | string, capture: Record<string, string> | null = null): ScriptStep => ({
  expect: typeof expect === 'string' ? { equal: expect } : expect,
  capture,
});
export const hold = (holdMs: number): ScriptStep => ({ holdMs });

export function scriptOf(
  steps: readonly ScriptStep[],
  standing: readonly StandingRule[] = [],
  messageTimeoutMs = 20_000,
): Script {
  return { name: null, variables: {}, standing, steps, messageTimeoutMs };
}
