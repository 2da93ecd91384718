/**
 * One accepted connection, from its first byte to its end: reads the request, gives the one answer that a target decides
 * on, and after a 101 keeps the manners of RFC 6455. Whatever a client does (vanish, reset, send nothing or too much)
 * ends here and is no error of the target. Knows no target.
 */
import type { Socket } from 'node:net';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import type { OutcomeId } from '../../names/outcomes.js';
import type { Ledger, Receipt } from './ledger.js';
import { nginxPage } from './pages.js';
import {
  HEAD_LIMIT_BYTES,
  HeadReader,
  parseRequest,
  type Request,
  switchingProtocols,
  upgradeProblem,
} from './request-head.js';
import { FrameReader } from './tunnel.js';

/** What a target does with its connections. */
export interface Behaviour {
  /** A whole request head has been read. Not called for a connection taken by `onConnection`. */
  onRequest(connection: Connection, request: Request): void;
  /** Takes a connection as it is, before a byte of it is read. */
  readonly onConnection?: (connection: Connection) => void;
  /** A connection that had its 101 is gone. */
  readonly onLeave?: (connection: Connection) => void;
  /** Called once when the target stops, before the connections are cut. */
  readonly onStop?: () => void;
  /** Longest queue of connections that wait to be accepted; the kernel's longest when absent. */
  readonly backlog?: number;
  /** Some connection is cut by an RST. */
  readonly resets?: boolean;
  /** What a client that hangs up after TLS, without a request, has suffered; nothing is counted when absent. */
  readonly leftAfterTls?: OutcomeId;
  /** Over plain TCP a client begins a TLS handshake; `hello` is what came of it. Else that is read as a request. */
  readonly onTlsHello?: (connection: Connection, hello: Buffer) => void;
  /** The scheme of the URL when it is not that which the port speaks. */
  readonly scheme?: 'ws' | 'wss';
  /** Beside certificate and key of the lab, or instead of them. */
  readonly tls?: SecureContextOptions;
  /** Over TLS the client must show a certificate. */
  readonly wantsCertificate?: boolean;
}

/** First byte of a TLS record that holds a ClientHello (RFC 8446 section 5.1). */
const TLS_HANDSHAKE = 0x16;

const NOTHING = Buffer.alloc(0);

export class Connection {
  /** What the client's bytes come from: the TLS layer over wss, TCP itself over ws. */
  readonly stream: Socket;
  readonly remotePort: number;
  readonly #tcp: Socket;
  readonly #tls: TLSSocket | null;
  readonly #ledger: Ledger;
  readonly #behaviour: Behaviour;
  readonly #onData: (chunk: Buffer) => void;
  #head: HeadReader | null = new HeadReader();
  /** Bytes after the head: frames of a client that does not wait for its 101. */
  #rest: Buffer = NOTHING;
  #frames: FrameReader | null = null;
  #receipt: Receipt | null = null;
  /** A request waits for its outcome. */
  #owed = false;
  #upgraded = false;
  #secure = false;
  /** Something has been read. */
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
    // Clients that reset or vanish are what a lab is for: the 'close' that follows says all.
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

  /** False once the client is gone or the answer has ended the connection. */
  get open(): boolean {
    return !this.#ended && this.stream.writable;
  }

  /** It has had its 101. */
  get upgraded(): boolean {
    return this.#upgraded;
  }

  /** For targets that read requests by themselves: a request is whole now. */
  requestReceived(): void {
    this.#receipt = this.#ledger.requestReceived();
    this.#owed = true;
  }

  /** Counts what the client is told. Every request gets one; a second one is a bug of the target and not counted. */
  count(outcome: OutcomeId): void {
    if (!this.#owed) return;
    this.#owed = false;
    this.#upgraded = outcome === '101';
    this.#ledger.outcomeGiven(outcome, this.remotePort, this.#receipt);
  }

  /** Counts what a client has suffered that did not get as far as a request. */
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
    this.#frames = new FrameReader(
      (frame) => this.open && this.stream.write(frame),
      (frame) => this.open && this.stream.end(frame),
    );
    const early = this.#rest;
    this.#rest = NOTHING;
    if (early.length > 0) this.#frames.push(early);
  }

  /** Writes bytes that are no valid 101 and keeps the connection open. */
  say(outcome: OutcomeId, text: string): void {
    this.count(outcome);
    this.stream.write(text, 'latin1');
  }

  /** Writes the answer and closes TCP behind it. */
  finish(outcome: OutcomeId, text: string): void {
    this.count(outcome);
    this.stream.end(text, 'latin1');
  }

  /** Cuts TCP with an RST. */
  reset(outcome: OutcomeId): void {
    this.count(outcome);
    // Below TLS, because a TLS socket has no handle that can reset.
    this.#tcp.resetAndDestroy();
  }

  /** Hands the stream over, paused, with what has been read of it beyond the head. */
  take(): { readonly stream: Socket; readonly rest: Buffer } {
    this.stream.pause();
    this.stream.off('data', this.#onData);
    const rest = this.#rest;
    this.#rest = NOTHING;
    return { stream: this.stream, rest };
  }

  /** Ends the connection without manners. */
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

  #readHead(reader: HeadReader, chunk: Buffer): void {
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
    // The client gave up, or the target stopped, before there was an answer.
    this.count('timeout-upgrade');
    this.#ledger.connectionClosed(this.#upgraded);
    if (this.#upgraded) this.#behaviour.onLeave?.(this);
  }
}

function ignore(): void {}
