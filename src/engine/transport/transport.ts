/**
 * The interface between the engine and sockets, in three parts: the wire moves bytes, the stamping tells when they
 * arrived, and the facts describe a connection. None of them knows an outcome, a gate or a deadline. Connections are
 * named by a slot number, so that their state can be kept in columns on both sides. After `reset(slot)` or
 * `leave(slot)` a transport reports nothing more about that slot, and the slot may be reused.
 */
import type { Stalls } from '../machine/stalls.js';

/** For a far side that does not read. */
export const MOST_UNSENT_BYTES = 64 * 1024;

/** Where a connection goes, and from where. */
export interface Destination {
  readonly address: string;
  readonly port: number;
  readonly family: 4 | 6;
}

export interface Transport {
  readonly name: TransportName;
  readonly wire: Wire;
  readonly stamping: Stamping;
  readonly facts: ConnectionFacts;
}

/** Opens connections, sends, and closes them. Events are reported through `TransportEvents`. */
export interface Wire {
  /** Requests are built while sending, from a given frame and a key, without cost to the release. */
  readonly framesRequests: boolean;
  /** Sockets that still hold a descriptor, closing ones included. */
  readonly open: number;
  /** Called each time the last of them has been closed. */
  onAllClosed: (() => void) | null;
  /** Does all work for a later `connect` that needs no system call. */
  prepare(slot: number): void;
  /** Makes the first system call of the attempt. `localAddress` null: the kernel chooses. */
  connect(slot: number, to: Destination, localAddress: string | null): void;
  /** Starts TLS on an open connection. */
  secure(slot: number): void;
  /** Latin-1 text, one character per byte. */
  send(slot: number, text: string): void;
  /** Sends the frame with the slot's key from the column `keys`. Only for transports with `framesRequests`. */
  sendFramed(slot: number, keys: Buffer): void;
  sendBytes(slot: number, bytes: Uint8Array): void;
  /**
   * Bytes that the kernel has not taken yet. Over `MOST_UNSENT_BYTES` nothing more should be sent: the far side does not
   * read.
   */
  unsent(slot: number): number;
  /** Resets the connection if it is open, and forgets the slot. */
  reset(slot: number): void;
  /**
   * Forgets the slot; its connection is then closed in the background as an ordinary client does: it reads the rest of
   * the response, sends FIN, reads until the far side's FIN, and is reset only when that does not come (leaving.ts).
   */
  leave(slot: number, remainder?: Remainder | null): void;
  /** Releases the transport's own resources and resets leaving connections; every slot must be forgotten before. */
  end(): void;
}

/** The rest of a response. */
export interface Remainder {
  /** The response is complete. */
  readonly isOver: boolean;
  read(bytes: Uint8Array): void;
}

/** Tells when bytes arrived, and how exactly that is known. */
export interface Stamping {
  /** Arrivals are stamped by the kernel, so a time is exact and has no bounds. */
  readonly hasKernelStamps: boolean;
  /** Attempts released in a slice before arrivals must be stamped. */
  readonly releaseChunk: number;
  /** Longest time since `start()` in which this thread did not check for arrivals, ms. */
  readonly longestGapMs: number;
  /**
   * When this thread has something to do (ms on the clock of `now()`) that must not be late: no wait for events lasts
   * beyond it. Infinity: nothing.
   */
  dueAt: number;
  /** Stalls of this thread since `start()`. */
  readonly stalls: Stalls;
  /** Largest step of the wall clock since `start()` if it stamps arrivals, ms, negative: back; otherwise 0. */
  readonly clockStepMs: number;
  /**
   * Requests a kernel timestamp for every request from the next `start()` on, if the transport has them: exact for each
   * attempt, at one twentieth of a handshake's cost.
   */
  stampRequests(): void;
  /**
   * Starts to measure; connections may be opened before. `since`: T0, the time at which the measurement should have
   * started.
   */
  start(since?: number): void;
  /** Stops measuring; connections stay open. */
  stop(): void;
  /** Reports everything that has arrived so far. */
  catchUp(): void;
  /**
   * Limits a connection's first read to the known length of a response head: a target may send more right after it, and
   * this read then gives the head's own timestamp. For transports with kernel timestamps.
   */
  limitFirstRead(bytes: number): void;
}

/** Facts about a connection besides its bytes. */
export interface ConnectionFacts {
  /** Local port and address of an open connection; 0 and null when unknown. */
  localPort(slot: number): number;
  localAddress(slot: number): string | null;
  /** Whether the TLS session was resumed. */
  resumed(slot: number): boolean;
  /** TLS as negotiated on an open connection; null over ws. */
  tlsFacts(slot: number): TlsFacts | null;
  /** What the kernel knows about a connection; null if it is not asked. Valid until the next call. */
  tcpFacts(slot: number): TcpFacts | null;
}

export type TransportName = 'node' | 'epoll';

export interface TlsFacts {
  readonly protocol: string;
  readonly cipher: string;
  /** For later connections to resume. */
  readonly session: Buffer | null;
}

/** tcp(7), TCP_INFO. */
export interface TcpFacts {
  /** SYNs retransmitted. */
  readonly synRetransmits: number;
  /** Segments retransmitted after the connection was open. */
  readonly retransmits: number;
  /** Round trip time of the SYN, ms; NaN when the connection is not open, or was opened by a retransmitted SYN. */
  readonly rttMs: number;
}

/**
 * Events of a transport. `at` and `lower` are bounds of the event's time in the kernel, ms on the clock of `now()`;
 * they are equal for a kernel timestamp.
 */
export interface TransportEvents {
  /** Called just before the attempt's first system call. */
  onOpening(slot: number, at: number): void;
  /** Called just after it, before any other event of the slot. */
  onOpened(slot: number, at: number): void;
  onConnect(slot: number, at: number, lower: number): void;
  onSecure(slot: number, at: number, lower: number): void;
  /**
   * Kernel timestamp of when the last byte of a `send` or `sendFramed` was passed to the network, if there is one;
   * reported again after a retransmission.
   */
  onSent(slot: number, at: number): void;
  /** `bytes[0..length)` is valid during the call only. */
  onData(slot: number, bytes: Buffer, length: number, at: number, lower: number): void;
  /** FIN. */
  onEnd(slot: number, at: number, lower: number): void;
  /** `code` is an errno name or a TLS code; `fin`: the far side closed with FIN; otherwise with RST. */
  onError(slot: number, error: TransportError, at: number, lower: number): void;
}

export interface TransportError {
  readonly code: string;
  /** The error came from TLS, not from the system. */
  readonly tls: boolean;
  /** A system error that reports a FIN of the far side. */
  readonly fin: boolean;
  /** Returned by the connect call itself: the cause is this machine, not the network. */
  readonly atOnce: boolean;
}
