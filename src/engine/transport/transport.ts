/**
 * The one interface between the engine and sockets, in three parts: the wire that moves bytes, the stamping that says when
 * they arrived, and the facts that are known of a connection. None of them knows an outcome, a gate or a deadline.
 * Connections are named by a slot number, so that their state can live in columns on either side. After `reset(slot)` or
 * `leave(slot)` a transport says nothing more about that slot, and the slot may be used again.
 */
import type { Stalls } from '../machine/stalls.js';

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

/** Opens connections, sends and ends them. What arrives is told through `TransportEvents`. */
export interface Wire {
  /** Requests are put together as they are sent, out of the frame that was given and a key, at no cost to the release. */
  readonly framesRequests: boolean;
  /** Sockets that still hold a descriptor, closing ones included. */
  readonly open: number;
  /** Called each time when the last of them has given its descriptor back. */
  onAllClosed: (() => void) | null;
  /** Does everything for a later `connect` that needs no system call. */
  prepare(slot: number): void;
  /** Makes the first system call of the attempt. `localAddress` null: the kernel chooses. */
  connect(slot: number, to: Destination, localAddress: string | null): void;
  /** Starts TLS on an open connection. */
  secure(slot: number): void;
  /** Latin-1 text, one character a byte. */
  send(slot: number, text: string): void;
  /** Sends the frame with the slot's key out of the column `keys`. For transports that frame requests. */
  sendFramed(slot: number, keys: Buffer): void;
  sendBytes(slot: number, bytes: Uint8Array): void;
  /** Closes by RST where the connection is open, forgets the slot. */
  reset(slot: number): void;
  /**
   * Forgets the slot; its connection then ends by itself, as an ordinary client ends one: it reads what is left of the answer,
   * sends FIN, reads until the far side's, and is reset only when that does not come (leaving.ts).
   */
  leave(slot: number, remainder?: Remainder | null): void;
  /** Gives back what the transport itself holds, resets what is still leaving; every slot must be forgotten. */
  end(): void;
}

/** What still comes of an answer. */
export interface Remainder {
  /** Nothing more of it comes. */
  readonly isOver: boolean;
  read(bytes: Uint8Array): void;
}

/** Says when what arrived has arrived, and how well that is known. */
export interface Stamping {
  /** Arrivals are stamped by the kernel, so a moment is one number and no interval. */
  readonly hasKernelStamps: boolean;
  /** Releases in a slice before arrivals have to be stamped. */
  readonly releaseChunk: number;
  /** Longest time since `start()` in which this thread did not look at what had arrived, ms. */
  readonly longestGapMs: number;
  /** When this thread stood still since `start()`. */
  readonly stalls: Stalls;
  /** Largest step of the wall clock since `start()` where arrivals are stamped by it, ms, negative: back; else 0. */
  readonly clockStepMs: number;
  /**
   * Asks for the kernel's stamp of every request from the next `start()` on, where the transport has such stamps: exact for
   * each attempt, at a twentieth of what a handshake costs.
   */
  stampRequests(): void;
  /** Begins to measure; connections may be opened before. `since`: T0, where the measuring should have begun then. */
  start(since?: number): void;
  /** Stops measuring; connections stay. */
  stop(): void;
  /** Tells of everything that has arrived by now. */
  catchUp(): void;
  /**
   * Targets speak right after their head, and its length is known: reading no more than that at first gives the head's own
   * stamp, and not that of what follows. For transports with kernel stamps.
   */
  limitFirstRead(bytes: number): void;
}

/** What is known of a connection beside its bytes. */
export interface ConnectionFacts {
  /** Local port and address of an open connection; 0 and null when unknown. */
  localPort(slot: number): number;
  localAddress(slot: number): string | null;
  /** Whether the TLS session was resumed. */
  resumed(slot: number): boolean;
  /** TLS as negotiated on an open connection; null over ws. */
  tlsFacts(slot: number): TlsFacts | null;
  /** What the kernel knows of a connection; null where it is not asked. Valid until the next call. */
  tcpFacts(slot: number): TcpFacts | null;
}

export type TransportName = 'node' | 'epoll';

export interface TlsFacts {
  readonly protocol: string;
  readonly cipher: string;
  /** To be resumed by later connections. */
  readonly session: Buffer | null;
}

/** tcp(7), TCP_INFO. */
export interface TcpFacts {
  /** SYNs sent again. */
  readonly synRetransmits: number;
  /** Segments sent again after the connection was open. */
  readonly retransmits: number;
  /** Round trip of the SYN, ms; NaN when the connection is not open, or was opened by a repeated SYN. */
  readonly rttMs: number;
}

/**
 * What a transport tells. `at` and `lower` bound the moment in the kernel, ms on the clock of `now()`: equal where the
 * transport has the kernel's own stamp.
 */
export interface TransportEvents {
  /** Called just before the first system call of the attempt. */
  onOpening(slot: number, at: number): void;
  /** Called just after it, before anything else is told of the slot. */
  onOpened(slot: number, at: number): void;
  onConnect(slot: number, at: number, lower: number): void;
  onSecure(slot: number, at: number, lower: number): void;
  /**
   * The kernel's own stamp of when the last byte that a `send` or `sendFramed` took was given to the network, where there is
   * one, and one more when it was sent again.
   */
  onSent(slot: number, at: number): void;
  /** `bytes[0..length)` is valid during the call only. */
  onData(slot: number, bytes: Buffer, length: number, at: number, lower: number): void;
  /** FIN. */
  onEnd(slot: number, at: number, lower: number): void;
  /** `code` is an errno name or a TLS code; `fin`: the far side closed in an orderly way, RST otherwise. */
  onError(slot: number, error: TransportError, at: number, lower: number): void;
}

export interface TransportError {
  readonly code: string;
  /** From TLS itself and not from the system. */
  readonly tls: boolean;
  /** A system error that reports an orderly close by the far side. */
  readonly fin: boolean;
  /** Returned by the call that was to begin the connection: this machine said so, and no network. */
  readonly atOnce: boolean;
}
