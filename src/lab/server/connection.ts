/**
 * One accepted connection, from its first byte to its end: reads the request, sends the response that the target
 * chooses, and after a 101 follows RFC 6455. Whatever a client does (disappear, reset, send nothing or too much) is
 * handled here and is not an error of the target. Knows no target.
 */
import type { Socket } from 'node:net';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import type { OutcomeId } from '../../names/outcomes.js';
import type { Ledger, Receipt } from './ledger.js';
import { nginxPage } from './pages.js';
import {
  HEAD_LIMIT_BYTES,
  parseRequest,
  type Request,
  RequestHeadReader,
  switchingProtocols,
  upgradeProblem,
} from './request-head.js';
import { TunnelReader } from './tunnel.js';

/** The port of a running target. */
export interface Door {
  /** Nobody listens for so long: clients that connect are refused. Open connections stay. */
  shutFor(ms: number): void;
}

/** How a target treats its connections. */
export interface Behaviour {
  /** A whole request head has been read. Not called for a connection taken by `onConnection`. */
  onRequest(connection: Connection, request: Request): void;
  /** Takes a new connection before any byte of it is read. */
  readonly onConnection?: (connection: Connection) => void;
  /** A connection that had its 101 has ended. */
  readonly onLeave?: (connection: Connection) => void;
  /** A message of a client has begun to arrive. */
  readonly onMessage?: (connection: Connection) => void;
  /** The target listens. */
  readonly onListening?: (door: Door) => void;
  /** Called once when the target stops, before the connections are cut. */
  readonly onStop?: () => void;
  /** Listen queue length (backlog); the kernel's maximum if absent. */
  readonly backlog?: number;
  /** Whether some connections are ended with an RST. */
  readonly resets?: boolean;
  /** The outcome of a client that disconnects after TLS without a request; not counted if absent. */
  readonly leftAfterTls?: OutcomeId;
  /**
   * Over plain TCP a client starts a TLS handshake; `hello` is what arrived of it. If absent, the bytes are read as a
   * request.
   */
  readonly onTlsHello?: (connection: Connection, hello: Buffer) => void;
  /** The scheme of the URL, if it is not the one that the port speaks. */
  readonly scheme?: 'ws' | 'wss';
  /** Options added to the lab's certificate and key, or replacing them. */
  readonly tls?: SecureContextOptions;
  /** Over TLS the client must send a certificate. */
  readonly wantsCertificate?: boolean;
}

/** First byte of a TLS record that holds a ClientHello (RFC 8446 section 5.1). */
const TLS_HANDSHAKE = 0x16;

const NOTHING = Buffer.alloc(0);

export class Connection {
  /** The source of the client's bytes: the TLS layer over wss, TCP itself over ws. */
  readonly stream: Socket;
  readonly remotePort: number;
  readonly #tcp: Socket;
  readonly #tls: TLSSocket | null;
  readonly #ledger: Ledger;
  readonly #behaviour: Behaviour;
  readonly #onData: (chunk: Buffer) => void;
  #head: RequestHeadReader | null = new RequestHeadReader();
  /** Bytes after the head: frames of a client that did not wait for its 101. */
  #rest: Buffer = NOTHING;
  #frames: TunnelReader | null = null;
  #receipt: Receipt | null = null;
  /** A request has no outcome yet. */
  #owed = false;
  #upgraded = false;
  #secure = false;
  /** Some bytes have been read. */
  #begun = false;
  #ended = false;

  /** @param tls the TLS layer over `tcp`, null over ws. */
  constructor(tcp: Socket, tls: TLSSocket | null, ledger: Ledger, behaviour: Behaviour) {
    this.#tcp = tcp;
    this.#tls = tls;
    this.stream = tls ?? tcp;
    this.remotePort = tcp.remotePort ?? 0;
    this.#ledger = ledger;
    this.#behaviour = behaviour;
    this.#onData = (chunk) => this.#read(chunk);
    ledger.connectionOpened();
    // Clients that reset or disappear are normal for a lab; the 'close' event that follows is enough.
    tcp.on('error', ignore);
    this.stream.on('close', () => this.#closed());
    if (tls !== null) {
      tls.on('error', ignore);
      tls.once('secure', () => {
        this.#secure = true;
      });
    }
    if (behaviour.onConnection === undefined) this.stream.on('data', this.#onData);
    else behaviour.onConnection(this);
  }

  /** False once the client has disconnected or the response has ended the connection. */
  get open(): boolean {
    return !this.#ended && this.stream.writable;
  }

  /** It has had its 101. */
  get upgraded(): boolean {
    return this.#upgraded;
  }

  /** For targets that read requests themselves: a request is complete. */
  requestReceived(): void {
    this.#receipt = this.#ledger.requestReceived();
    this.#owed = true;
  }

  /**
   * Counts the outcome that the client gets. Every request gets one; a second one is a bug of the target and not
   * counted.
   */
  count(outcome: OutcomeId): void {
    if (!this.#owed) return;
    this.#owed = false;
    this.#upgraded = outcome === '101';
    this.#ledger.outcomeGiven(outcome, this.remotePort, this.#receipt);
  }

  /** Counts the outcome of a client that did not send a request. */
  countUnasked(outcome: OutcomeId): void {
    this.#ledger.outcomeGiven(outcome, this.remotePort, null);
  }

  /** A 101 if RFC 6455 allows it, else 400. */
  upgrade(request: Request): void {
    if (upgradeProblem(request) !== null) {
      this.finish('400', nginxPage('400'));
      return;
    }
    this.count('101');
    this.stream.write(switchingProtocols(request), 'latin1');
    this.#frames = new TunnelReader(
      (frame) => this.open && this.stream.write(frame),
      (frame) => this.open && this.stream.end(frame),
      () => this.#behaviour.onMessage?.(this),
    );
    const early = this.#rest;
    this.#rest = NOTHING;
    if (early.length > 0) this.#frames.push(early);
  }

  /** Writes bytes that are not a valid 101 and keeps the connection open. */
  say(outcome: OutcomeId, text: string): void {
    this.count(outcome);
    this.stream.write(text, 'latin1');
  }

  /** Writes the response and then closes TCP. */
  finish(outcome: OutcomeId, text: string): void {
    this.count(outcome);
    this.stream.end(text, 'latin1');
  }

  /** Ends TCP with an RST. */
  reset(outcome: OutcomeId): void {
    this.count(outcome);
    // Below TLS, because a TLS socket has no handle that can reset.
    this.#tcp.resetAndDestroy();
  }

  /** Passes the stream on, paused, with the bytes read after the head. */
  take(): { readonly stream: Socket; readonly rest: Buffer } {
    this.stream.pause();
    this.stream.off('data', this.#onData);
    const rest = this.#rest;
    this.#rest = NOTHING;
    return { stream: this.stream, rest };
  }

  /** Destroys the connection without a clean close. */
  destroy(): void {
    this.stream.destroy();
    this.#tcp.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#frames !== null) {
      this.#frames.push(chunk);
    } else if (this.#head !== null) {
      const isFirst = !this.#begun;
      this.#begun = true;
      const { onTlsHello } = this.#behaviour;
      if (isFirst && chunk[0] === TLS_HANDSHAKE && onTlsHello !== undefined) onTlsHello(this, chunk);
      else this.#readHead(this.#head, chunk);
    } else {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      if (this.#rest.length > HEAD_LIMIT_BYTES) this.destroy();
    }
  }

  #readHead(reader: RequestHeadReader, chunk: Buffer): void {
    const read = reader.push(chunk);
    if (read === null) return;
    this.#head = null;
    this.requestReceived();
    if (read === 'too-long') {
      this.finish('431', nginxPage('431'));
      return;
    }
    this.#rest = read.rest;
    this.#behaviour.onRequest(this, parseRequest(read.head));
  }

  #closed(): void {
    this.#ended = true;
    const failedTls = this.#tls !== null && !this.#secure && this.#tcp.bytesRead > 0;
    const unasked = this.#secure && this.#receipt === null;
    if (failedTls) this.countUnasked('tls');
    else if (unasked && this.#behaviour.leftAfterTls !== undefined) this.countUnasked(this.#behaviour.leftAfterTls);
    // The client disconnected, or the target stopped, before there was a response.
    this.count('timeout-upgrade');
    this.#ledger.connectionClosed(this.#upgraded);
    if (this.#upgraded) this.#behaviour.onLeave?.(this);
  }
}

function ignore(): void {}
