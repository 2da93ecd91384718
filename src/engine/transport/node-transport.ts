/**
 * The transport for every platform: node:net and node:tls. All connections of a thread read into one buffer (`onread`)
 * and share the listener functions below, so a connection costs one socket object and no closure. Arrivals are stamped
 * in user space, so they have two bounds (stamps.ts).
 */
import net from 'node:net';
import tls from 'node:tls';
import { nextTick } from '../../host.js';
import { now } from '../machine/clock.js';
import type { Stalls } from '../machine/stalls.js';
import { Leaving } from './leaving.js';
import type { PortChooser } from './ports.js';
import { Stamps } from './stamps.js';
import type { TlsOptions } from './tls-options.js';
import type {
  ConnectionFacts,
  Destination,
  Remainder,
  Stamping,
  TcpFacts,
  TlsFacts,
  Transport,
  TransportEvents,
  Wire,
} from './transport.js';

const READ_BUFFER_BYTES = 64 * 1024;
/** If a bound local port is already in use, this many others are tried before the attempt ends as `local-ports`. */
const PORT_TRIES = 16;
/** Slot number of a socket that the engine has released. */
const FORGOTTEN = -1;

/**
 * Every option that the constructors of net.Socket and its streams read: a missing one makes V8 leave compiled code
 * each time, so that a socket cost 6 µs instead of 0.4 (Node 20.20). The values are the constructors' own defaults.
 */
const SOCKET_DEFAULTS = {
  allowHalfOpen: false,
  emitClose: false,
  autoDestroy: true,
  decodeStrings: false,
  ...Object.fromEntries(
    [
      ...[
        'objectMode',
        'readableObjectMode',
        'writableObjectMode',
        'keepAliveInitialDelay',
        'handle',
        'fd',
        'readable',
      ],
      ...[
        'writable',
        'read',
        'write',
        'writev',
        'destroy',
        'final',
        'construct',
        'signal',
        'highWaterMark',
        'encoding',
      ],
      ...['readableHighWaterMark', 'writableHighWaterMark', 'defaultEncoding', 'noDelay', 'keepAlive', 'pauseOnCreate'],
      'manualStart',
    ].map((name) => [name, undefined]),
  ),
};

const SLOT = Symbol('slot');
const OWNER = Symbol('owner');
const RAW = Symbol('raw');
const SECURED = Symbol('secured');
const AT_ONCE = Symbol('at once');
const TO = Symbol('to');
const FROM = Symbol('from');

interface Owned {
  [SLOT]: number;
  [OWNER]: NodeTransport;
}
/** `SECURED`: the TLS socket on top. `AT_ONCE`: the connect call itself failed. */
type RawSocket = net.Socket &
  Owned & { [SECURED]?: SecureSocket; [AT_ONCE]?: boolean; [TO]: Destination; [FROM]: string | null };
type SecureSocket = tls.TLSSocket & Owned & { [RAW]: RawSocket };

export interface NodeTransportOptions {
  readonly slots: number;
  readonly tls: TlsOptions | null;
  readonly ports: PortChooser;
  readonly events: TransportEvents;
}

function onConnectionAttempt(this: RawSocket): void {
  if (this[SLOT] !== FORGOTTEN) this[OWNER].events.onOpening(this[SLOT], now());
}

function onConnectCalled(socket: RawSocket): void {
  if (socket[SLOT] === FORGOTTEN) return;
  // The error event follows in a later tick.
  socket[AT_ONCE] = socket.errored !== null;
  const { events, stamps } = socket[OWNER];
  const at = now();
  stamps.stalls.beat(at);
  events.onOpened(socket[SLOT], at);
}

function onConnect(this: RawSocket): void {
  if (this[SLOT] === FORGOTTEN) return;
  const { events, stamps } = this[OWNER];
  const at = now();
  stamps.touch(at);
  events.onConnect(this[SLOT], at, stamps.lower);
}

function onSecureConnect(this: SecureSocket): void {
  if (this[SLOT] === FORGOTTEN) return;
  const { events, stamps } = this[OWNER];
  const at = now();
  stamps.touch(at);
  events.onSecure(this[SLOT], at, stamps.lower);
}

/** node:net calls it as a method of the socket. Returning true keeps the socket reading. */
function onRead(this: RawSocket | SecureSocket, length: number, bytes: Uint8Array): boolean {
  if (this[SLOT] === FORGOTTEN) {
    this[OWNER].leaving.read(RAW in this ? this[RAW] : this, bytes.subarray(0, length));
    return true;
  }
  const { events, stamps } = this[OWNER];
  const at = now();
  stamps.touch(at);
  events.onData(this[SLOT], bytes as Buffer, length, at, stamps.lower);
  return true;
}

function onSecureData(this: SecureSocket, bytes: Buffer): void {
  onRead.call(this, bytes.length, bytes);
}

function onEnd(this: RawSocket | SecureSocket): void {
  if (this[SLOT] === FORGOTTEN) return;
  const { events, stamps } = this[OWNER];
  const at = now();
  stamps.touch(at);
  events.onEnd(this[SLOT], at, stamps.lower);
}

function onError(this: RawSocket | SecureSocket, error: NodeJS.ErrnoException): void {
  if (this[SLOT] !== FORGOTTEN) this[OWNER].failed(this, error);
}

function onClose(this: RawSocket): void {
  const owner = this[OWNER];
  owner.leaving.forget(this);
  if (--owner.open === 0) owner.onAllClosed?.();
}

/** Sends FIN, over TLS after its close_notify; node:net then reads until the far side's FIN, and closes. */
function finish(raw: RawSocket): void {
  const secured = raw[SECURED];
  if (secured === undefined) raw.end().resume();
  else if (secured.destroyed) raw.destroy();
  else secured.end();
}

function reset(raw: RawSocket): void {
  // A connection that is still opening cannot be reset: closing its descriptor stops its SYNs.
  if (raw.pending || raw.destroyed) raw.destroy();
  else raw.resetAndDestroy();
  raw[SECURED]?.destroy();
}

export class NodeTransport implements Transport, Wire, Stamping, ConnectionFacts {
  readonly name = 'node';
  readonly wire: Wire = this;
  readonly stamping: Stamping = this;
  readonly facts: ConnectionFacts = this;
  readonly hasKernelStamps = false;
  /** The event loop waits, and no longer than its timers let it. */
  dueAt = Number.POSITIVE_INFINITY;
  /** A string made of parts would be flattened by the write, inside the release loop. */
  readonly framesRequests = false;
  /**
   * With pauses between slices, user-space timestamps are about ten times more precise (docs/method.md, "Release in
   * slices").
   */
  readonly releaseChunk = 64;
  open = 0;
  onAllClosed: (() => void) | null = null;
  readonly events: TransportEvents;
  readonly stamps = new Stamps();
  readonly leaving: Leaving<RawSocket>;
  readonly #tls: TlsOptions | null;
  readonly #ports: PortChooser;
  readonly #sockets: (RawSocket | null)[];
  readonly #secured: (SecureSocket | null)[];
  readonly #socketOptions: net.SocketConstructorOpts;
  /** Number of ports tried for each connection with a bound source. */
  readonly #portsTried = new Map<number, number>();

  constructor(options: NodeTransportOptions) {
    this.events = options.events;
    this.#tls = options.tls;
    this.#ports = options.ports;
    this.leaving = new Leaving(options.slots, { finish, reset });
    this.#sockets = new Array(options.slots).fill(null);
    this.#secured = this.#tls === null ? [] : new Array(options.slots).fill(null);
    // With TLS the bytes go to the TLS socket on top, which has its own reader.
    const onread = this.#tls === null ? { buffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES), callback: onRead } : null;
    this.#socketOptions = { ...SOCKET_DEFAULTS, onread } as unknown as net.SocketConstructorOpts;
  }

  /** The wall clock stamps nothing here. */
  readonly clockStepMs = 0;

  get longestGapMs(): number {
    return this.stamps.longestGapMs;
  }

  get stalls(): Stalls {
    return this.stamps.stalls;
  }

  stampRequests(): void {}

  start(since?: number): void {
    this.stamps.start(since);
  }

  stop(): void {
    this.stamps.stop();
  }

  /** Nothing to do: the event loop has reported everything before this is called. */
  catchUp(): void {}

  limitFirstRead(): void {}

  end(): void {
    this.stamps.stop();
    this.leaving.dropAll();
  }

  prepare(slot: number): void {
    const socket = new net.Socket(this.#socketOptions) as RawSocket;
    socket[SLOT] = slot;
    socket[OWNER] = this;
    socket.on('connectionAttempt', onConnectionAttempt);
    socket.on('connect', onConnect);
    socket.on('error', onError);
    socket.on('end', onEnd);
    this.#sockets[slot] = socket;
  }

  connect(slot: number, to: Destination, localAddress: string | null): void {
    if (this.#sockets[slot] === null) this.prepare(slot);
    const socket = this.#sockets[slot] as RawSocket;
    socket[TO] = to;
    socket[FROM] = localAddress;
    this.open++;
    socket.on('close', onClose);
    const options: net.TcpSocketConnectOpts = {
      host: to.address,
      port: to.port,
      family: to.family,
      // One small write does not need NODELAY; a TLS handshake is several, and Nagle's algorithm would wait for an ACK
      // between them.
      noDelay: this.#tls !== null,
      autoSelectFamily: false,
    };
    if (localAddress !== null) {
      // If the kernel chose the port at bind, that port would be unusable for every other destination too.
      options.localAddress = localAddress;
      options.localPort = this.#ports.next(localAddress, to.address);
      this.#portsTried.set(slot, (this.#portsTried.get(slot) ?? 0) + 1);
    }
    socket.connect(options);
    // node:net makes the system call in the tick that it has just queued; this tick follows directly.
    nextTick(onConnectCalled, socket);
  }

  secure(slot: number): void {
    const raw = this.#sockets[slot] as RawSocket;
    const { context, servername, rejectUnauthorized, session } = this.#tls as TlsOptions;
    const secured = tls.connect({
      socket: raw,
      secureContext: context,
      host: servername,
      servername: net.isIP(servername) === 0 ? servername : undefined,
      rejectUnauthorized,
      session: session ?? undefined,
    }) as SecureSocket;
    secured[SLOT] = slot;
    secured[OWNER] = this;
    secured[RAW] = raw;
    raw[SECURED] = secured;
    // From here on the end is reported after the data that TLS still delivers.
    raw.off('end', onEnd);
    secured.on('secureConnect', onSecureConnect);
    secured.on('data', onSecureData);
    secured.on('end', onEnd);
    secured.on('error', onError);
    this.#secured[slot] = secured;
  }

  send(slot: number, text: string): void {
    this.#wire(slot)?.write(text, 'latin1');
  }

  sendFramed(): void {
    throw new Error('this transport frames no requests');
  }

  sendBytes(slot: number, bytes: Uint8Array): void {
    this.#wire(slot)?.write(bytes);
  }

  unsent(slot: number): number {
    return this.#wire(slot)?.writableLength ?? 0;
  }

  reset(slot: number): void {
    const raw = this.#forget(slot);
    if (raw !== null) reset(raw);
  }

  leave(slot: number, remainder: Remainder | null = null): void {
    const raw = this.#forget(slot);
    if (raw === null) return;
    if (raw.pending || raw.destroyed) reset(raw);
    else this.leaving.add(raw, remainder);
  }

  #forget(slot: number): RawSocket | null {
    const raw = this.#sockets[slot];
    if (raw === null) return null;
    raw[SLOT] = FORGOTTEN;
    this.#sockets[slot] = null;
    this.#portsTried.delete(slot);
    if (raw[SECURED] === undefined) return raw;
    raw[SECURED][SLOT] = FORGOTTEN;
    this.#secured[slot] = null;
    return raw;
  }

  localPort(slot: number): number {
    return this.#sockets[slot]?.localPort ?? 0;
  }

  localAddress(slot: number): string | null {
    return this.#sockets[slot]?.localAddress ?? null;
  }

  resumed(slot: number): boolean {
    return this.#secured[slot]?.isSessionReused() ?? false;
  }

  tcpFacts(): TcpFacts | null {
    return null;
  }

  tlsFacts(slot: number): TlsFacts | null {
    const socket = this.#secured[slot] ?? null;
    if (socket === null) return null;
    const protocol = socket.getProtocol();
    if (protocol === null) return null;
    return { protocol, cipher: socket.getCipher().name, session: socket.getSession() ?? null };
  }

  /** Called by the listeners above. */
  failed(socket: RawSocket | SecureSocket, error: NodeJS.ErrnoException): void {
    const slot = socket[SLOT];
    const code = error.code ?? 'UNKNOWN';
    const at = now();
    this.stamps.touch(at);
    const tried = this.#portsTried.get(slot) ?? PORT_TRIES;
    if (TO in socket && code === 'EADDRINUSE' && tried < PORT_TRIES) {
      socket[SLOT] = FORGOTTEN;
      this.#sockets[slot] = null;
      this.connect(slot, socket[TO], socket[FROM]);
      return;
    }
    // Node reports ECONNRESET for a FIN during the TLS handshake too; only a real RST has a system call.
    const fin = code === 'ECONNRESET' && error.syscall === undefined;
    const ofTls = error.syscall === undefined && !fin;
    const atOnce = AT_ONCE in socket && socket[AT_ONCE] === true;
    this.events.onError(slot, { code, tls: ofTls, fin, atOnce }, at, this.stamps.lower);
  }

  #wire(slot: number): net.Socket | null {
    return this.#tls === null ? this.#sockets[slot] : this.#secured[slot];
  }
}
