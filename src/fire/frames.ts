/**
 * What happens on a connection after its 101: close frames out, and the frames that a server sends to held connections.
 * Framing is ws's (Sender, Receiver). A Receiver is made only for a connection on which something arrives, so that idle
 * held connections cost nothing.
 */
import * as ws from 'ws';

/** ws's own classes; its type package does not name them. */
interface FrameReceiver {
  on(event: 'ping', listener: (data: Buffer) => void): this;
  on(event: 'conclude', listener: (code: number, reason: Buffer) => void): this;
  on(event: 'message', listener: () => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
  write(chunk: Buffer): boolean;
  removeAllListeners(): this;
}
interface Framing {
  readonly Receiver: new (options: Record<string, unknown>) => FrameReceiver;
  readonly Sender: { frame(data: Buffer, options: Record<string, unknown>): Buffer[] };
}
const { Receiver, Sender } = ws as unknown as Framing;

const OPCODE_CLOSE = 8;
const OPCODE_PONG = 10;
/** Messages are read only to be thrown away; a longer one ends the connection (RFC 6455 section 10.4). */
const MAX_MESSAGE_BYTES = 1024 * 1024;

function frame(opcode: number, data: Buffer): Buffer {
  return Buffer.concat(Sender.frame(data, { fin: true, rsv1: false, opcode, mask: true, readOnly: true }));
}

/** A masked close frame (RFC 6455 section 5.5.1); every call has a masking key of its own. */
export function closeFrame(code: number): Buffer {
  const body = Buffer.alloc(2);
  body.writeUInt16BE(code);
  return frame(OPCODE_CLOSE, body);
}

/**
 * Stands in for permessage-deflate: a compressed message is thrown away like any other, so nothing is inflated. The
 * Receiver goes on in the callback and may be called back only once it has returned.
 */
const UNREAD = {
  'permessage-deflate': {
    decompress: (_data: Buffer, _fin: boolean, done: (error: null, message: Buffer) => void) =>
      queueMicrotask(() => done(null, Buffer.alloc(0))),
  },
};

export interface FrameEvents {
  /** Bytes to answer with: a pong. */
  reply(bytes: Buffer): void;
  /** The server closed (1005: without a code) or broke the framing (1002). */
  concluded(code: number): void;
}

/** Reads the frames of one held connection. */
export class FrameReader {
  readonly #receiver: FrameReceiver;

  /** @param deflate compression was offered: RSV1 marks a compressed message (RFC 7692 section 6) and breaks nothing */
  constructor(deflate: boolean, events: FrameEvents) {
    this.#receiver = new Receiver({
      isServer: false,
      maxPayload: MAX_MESSAGE_BYTES,
      skipUTF8Validation: true,
      extensions: deflate ? UNREAD : {},
    });
    this.#receiver
      .on('ping', (data) => events.reply(frame(OPCODE_PONG, data)))
      .on('conclude', (code) => events.concluded(code))
      .on('message', () => {})
      .on('error', () => events.concluded(1002));
  }

  /** `bytes` is copied: the transport reuses its buffer. */
  read(bytes: Uint8Array): void {
    this.#receiver.write(Buffer.from(bytes));
  }
}
