/** Writes the frames of a client, with ws's Sender: messages, pings, pongs and close frames. */
import { createRequire } from 'node:module';
import { compressed } from './deflate.js';

/** ws's own class, which its type package does not declare. */
interface Sender {
  frame(data: Buffer, options: Record<string, unknown>): Buffer[];
}

const require = createRequire(import.meta.url);
let sender: Sender | null = null;

/**
 * Loads the frame writer. Not when this file loads, because that takes a third of a worker thread's start; and not at
 * the first frame of a churn, because that takes as long as many handshakes.
 */
export function loadSender(): Sender {
  sender ??= (require('ws') as { Sender: Sender }).Sender;
  return sender;
}

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
/** RFC 6455 section 5.5. */
export const MAX_CONTROL_BYTES = 125;
/** RFC 6455 section 7.4.1: a client's close codes for broken framing, and for a message that is not what it says. */
export const PROTOCOL_ERROR = 1002;
export const INVALID_DATA = 1007;

function frame(opcode: number, data: Buffer, rsv1 = false): Buffer {
  return Buffer.concat(loadSender().frame(data, { fin: true, rsv1, opcode, mask: true, readOnly: true }));
}

/** A masked close frame (RFC 6455 section 5.5.1), with a new masking key each time. */
export function closeFrame(code: number): Buffer {
  const body = Buffer.alloc(2);
  body.writeUInt16BE(code);
  return frame(OPCODE.close, body);
}

/** A masked ping (RFC 6455 section 5.5.2). @param body at most 125 bytes */
export function pingFrame(body: Buffer): Buffer {
  return frame(OPCODE.ping, body);
}

/** The answer to a ping. */
export function pongFrame(body: Buffer): Buffer {
  return frame(OPCODE.pong, body);
}

/** A whole message. @param agreed what was agreed on compression (deflate.ts) */
export function messageFrame(bytes: Buffer, isText: boolean, agreed: number): Buffer {
  const opcode = isText ? OPCODE.text : OPCODE.binary;
  const small = compressed(bytes, agreed);
  return small === null ? frame(opcode, bytes) : frame(opcode, small, true);
}
