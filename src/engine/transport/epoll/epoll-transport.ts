/**
 * The transport for Linux over `ws://`: direct system calls, state in columns, no object and no Buffer per connection.
 * The kernel stamps arriving bytes, so it does not matter how long this thread was busy sending; the end of a connect
 * is computed from the round trip that TCP measured. Events without a kernel timestamp (FIN, RST, errors) lie between
 * two polls. It polls once in each turn of the event loop, and waits there for a moment when there is nothing to do. It
 * does not use callbacks from native code: a thread that is terminated during one crashes the process.
 */
import { constants } from 'node:os';
import { onThreadExit } from '../../../host.js';
import { C } from '../../../native/layouts.js';
import { largestStep, now } from '../../machine/clock.js';
import { Stalls } from '../../machine/stalls.js';
import { linearRetries, synSchedule } from '../../machine/syn-schedule.js';
import type { RequestFrame } from '../../protocol/request.js';
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
} from '../transport.js';
import { LEAVING, LeavingSockets } from './leaving-sockets.js';
import { EVENTS, INTERRUPTED, type Kernel, WOULD_BLOCK } from './system-calls.js';
import { Unsent } from './unsent.js';

const PHASE = { none: 0, connecting: 1, open: 2 } as const;
const NO_SOCKET = -1;
const GONE = C.EPOLLERR | C.EPOLLHUP;
const FAR_SIDE_ENDED = GONE | C.EPOLLRDHUP;
/** Reads of one connection before the others are served. */
const READS_PER_TURN = 16;
/** Polls without waiting before the first that waits, so that other work of the thread is not delayed. */
const PATIENT_LOOKS = 3;
/** The longest delay of orders and timers. An event ends the wait. */
const WAIT_MS = 1;
/** After this long without a pause, orders and timers are served. */
const TURN_MS = 20;
/** How often the two clocks are compared while timestamps are converted from one to the other. */
const CLOCK_PERIOD_MS = 1000;

export interface EpollTransportOptions {
  readonly slots: number;
  readonly kernel: Kernel;
  /** Destinations of the connections. */
  readonly destinations: readonly Destination[];
  /** The request around the key; null when requests differ in more than the key. */
  readonly frame: RequestFrame | null;
  readonly events: TransportEvents;
}

export class EpollTransport implements Transport, Wire, Stamping, ConnectionFacts {
  readonly name = 'epoll';
  readonly wire: Wire = this;
  readonly stamping: Stamping = this;
  readonly facts: ConnectionFacts = this;
  readonly hasKernelStamps = true;
  dueAt = Number.POSITIVE_INFINITY;
  readonly framesRequests: boolean;
  /** The kernel stamps what arrives meanwhile, so the release needs no pauses. */
  readonly releaseChunk = Number.POSITIVE_INFINITY;
  open = 0;
  onAllClosed: (() => void) | null = null;
  longestGapMs = 0;
  readonly stalls = new Stalls();
  readonly #events: TransportEvents;
  readonly #kernel: Kernel;
  readonly #destinations: readonly Destination[];
  readonly #frame: RequestFrame | null;
  readonly #fds: Int32Array;
  readonly #phases: Uint8Array;
  /** Distinguishes events of a slot's current connection from those of an earlier one. */
  readonly #generations: Uint32Array;
  readonly #synRetransmits: Uint8Array;
  readonly #openedAt: Float64Array;
  readonly #hasRead: Uint8Array;
  readonly #leaving: LeavingSockets;
  #stampsRequests = false;
  /** Maximum bytes of a connection's first read; 0: no limit. */
  #firstRead = 0;
  readonly #unsent: Unsent;
  /** Slots that need more reads, or more events to report, than one turn allows. */
  #again: { slot: number; generation: number; errno: number }[] = [];
  #immediate: NodeJS.Immediate | null = null;
  readonly #poll: number;
  readonly #forgetExit: () => void;
  /** Consecutive polls without events. */
  #emptyLooks = 0;
  /** Lower bound for events taken now: they had not happened at this time. */
  #lower = 0;
  /** The thread was busy with other work until then: sending, or handling earlier arrivals. */
  #busyUntil = 0;
  #hasSent = false;
  #clockTimer: NodeJS.Timeout | null = null;
  /** A separate object: V8 deoptimises code when a field that held integers gets its first fraction. */
  readonly #clock = { stepMs: 0 };
  /** When Linux retransmits a SYN, ms after the first. */
  readonly #synSchedule = synSchedule(linearRetries());
  /** Slot for which `#tcpFacts` was read last, or -1. */
  #factsOf = -1;
  readonly #tcpFacts = { synRetransmits: 0, retransmits: 0, rttMs: Number.NaN };

  constructor({ slots, kernel, destinations, frame, events }: EpollTransportOptions) {
    this.#events = events;
    this.#kernel = kernel;
    this.#destinations = destinations;
    this.#frame = frame;
    this.framesRequests = frame !== null && kernel.canFrame(frame);
    this.#fds = new Int32Array(slots).fill(NO_SOCKET);
    this.#unsent = new Unsent(kernel, this.#fds, (slot, errno) => this.#later(slot, errno));
    this.#phases = new Uint8Array(slots);
    this.#generations = new Uint32Array(slots);
    this.#synRetransmits = new Uint8Array(slots);
    this.#openedAt = new Float64Array(slots);
    this.#hasRead = new Uint8Array(slots);
    this.#poll = kernel.newPoll();
    this.#leaving = new LeavingSockets(kernel, this.#poll, slots, () => this.#closed());
    this.#forgetExit = onThreadExit(this.#closeAll);
  }

  stampRequests(): void {
    this.#stampsRequests = true;
  }

  /** Does work that is the same for a whole burst: code that first runs during the release would be deoptimised. */
  start(since: number = now()): void {
    for (const { address, family } of this.#destinations) this.#kernel.learn(address, family);
    if (this.#frame !== null && this.framesRequests) this.#kernel.useFrame(this.#frame);
    this.#kernel.stampRequests(this.#stampsRequests);
    this.#kernel.setClock();
    // Not in `#turn`: a branch taken there for the first time after a second would deoptimise its compiled code.
    this.#clockTimer ??= setInterval(this.#compareClocks, CLOCK_PERIOD_MS).unref();
    this.longestGapMs = 0;
    this.#clock.stepMs = 0;
    this.#busyUntil = now();
    this.stalls.start(since);
  }

  stop(): void {
    this.stalls.stop();
    this.#compareClocks();
  }

  get clockStepMs(): number {
    return this.#clock.stepMs;
  }

  readonly #compareClocks = (): void => {
    this.#clock.stepMs = largestStep(this.#clock.stepMs, this.#kernel.setClock());
  };

  end(): void {
    this.stalls.stop();
    if (this.#clockTimer !== null) clearInterval(this.#clockTimer);
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#immediate = null;
    this.#leaving.dropAll();
    this.#forgetExit();
    if (this.#poll >= 0) this.#kernel.closeSocket(this.#poll);
  }

  prepare(): void {}

  connect(slot: number, to: Destination, localAddress: string | null): void {
    const kernel = this.#kernel;
    let fd = kernel.socket(to.family);
    while (isOutOfDescriptors(-fd) && this.#leaving.dropOldest()) fd = kernel.socket(to.family);
    if (fd < 0) {
      this.#later(slot, -fd);
      return;
    }
    this.open++;
    this.#fds[slot] = fd;
    this.#phases[slot] = PHASE.connecting;
    this.#synRetransmits[slot] = 0;
    const bound = localAddress === null ? 0 : kernel.bindAddress(fd, localAddress, to.family);
    const at = now();
    this.#openedAt[slot] = at;
    this.#events.onOpening(slot, at);
    const called = bound < 0 ? bound : kernel.connect(fd, to);
    this.#hasSent = true;
    this.#events.onOpened(slot, now());
    const watched = called < 0 ? called : this.#watchSocket(fd, slot);
    if (watched < 0) this.#later(slot, -watched);
    else this.#lookNext();
  }

  /** @returns 0 or -errno; if there is no epoll instance, the error of its creation */
  #watchSocket(fd: number, slot: number): number {
    return this.#poll < 0 ? this.#poll : this.#kernel.watch(this.#poll, fd, slot, this.#generations[slot]);
  }

  /** This transport has no TLS. */
  secure(): void {
    throw new Error('the epoll transport knows no TLS');
  }

  send(slot: number, text: string): void {
    const fd = this.#fds[slot];
    if (fd === NO_SOCKET) return;
    const sent = this.#unsent.has(slot) ? 0 : this.#kernel.sendText(fd, text);
    this.#hasSent = true;
    if (sent !== text.length) this.#unsent.keep(slot, Buffer.from(text, 'latin1'), sent);
  }

  sendFramed(slot: number, keys: Buffer): void {
    const fd = this.#fds[slot];
    if (fd === NO_SOCKET) return;
    const kernel = this.#kernel;
    const sent = kernel.sendFramed(fd, keys, slot);
    this.#hasSent = true;
    if (sent !== kernel.framed.length) this.#unsent.keep(slot, kernel.framed, sent);
  }

  sendBytes(slot: number, bytes: Uint8Array): void {
    const fd = this.#fds[slot];
    if (fd === NO_SOCKET) return;
    const sent = this.#unsent.has(slot) ? 0 : this.#kernel.sendBytes(fd, bytes);
    if (sent !== bytes.length) this.#unsent.keep(slot, bytes, sent);
  }

  unsent(slot: number): number {
    return this.#unsent.bytesOf(slot);
  }

  reset(slot: number): void {
    const fd = this.#forget(slot);
    if (fd === NO_SOCKET) return;
    // A connection that is still opening cannot be reset: closing its descriptor stops its SYNs.
    if (this.#phases[slot] === PHASE.open) this.#kernel.reset(fd);
    else this.#kernel.closeSocket(fd);
    this.#phases[slot] = PHASE.none;
    this.#closed();
  }

  leave(slot: number, remainder: Remainder | null = null): void {
    if (this.#phases[slot] !== PHASE.open) {
      this.reset(slot);
      return;
    }
    this.#leaving.add(this.#forget(slot), remainder);
    this.#phases[slot] = PHASE.none;
    this.#lookNext();
  }

  #closed(): void {
    if (--this.open === 0) this.onAllClosed?.();
  }

  localPort(slot: number): number {
    return this.#kernel.localName(this.#fds[slot])?.port ?? 0;
  }

  localAddress(slot: number): string | null {
    return this.#kernel.localName(this.#fds[slot])?.address ?? null;
  }

  resumed(): boolean {
    return false;
  }

  tlsFacts(): TlsFacts | null {
    return null;
  }

  tcpFacts(slot: number): TcpFacts | null {
    const fd = this.#fds[slot];
    if (fd === NO_SOCKET) return null;
    return this.#factsOf === slot ? this.#tcpFacts : this.#readFacts(slot, fd);
  }

  #readFacts(slot: number, fd: number): TcpFacts {
    const { retransmits, rttUs } = this.#kernel.tcpInfo(fd);
    const facts = this.#tcpFacts;
    facts.synRetransmits = this.#phases[slot] === PHASE.open ? this.#synRetransmits[slot] : retransmits;
    facts.retransmits = retransmits - facts.synRetransmits;
    facts.rttMs = facts.synRetransmits === 0 && rttUs > 0 ? rttUs / 1000 : Number.NaN;
    return facts;
  }

  /** Takes enough event batches for all that has arrived, and no more: a peer that sends endlessly must not block it. */
  catchUp(): void {
    this.#turn(Number.POSITIVE_INFINITY, 0, Math.ceil(this.open / EVENTS) + 1);
  }

  limitFirstRead(bytes: number): void {
    this.#firstRead = Math.min(bytes, this.#kernel.received.length);
  }

  // -- events ------------------------------------------------------------------------------------------------------

  #lookNext(): void {
    this.#immediate ??= setImmediate(this.#look);
  }

  readonly #look = (): void => {
    this.#immediate = null;
    this.#tellAgain();
    const mayWait = this.#emptyLooks >= PATIENT_LOOKS && this.dueAt - now() >= WAIT_MS;
    this.#turn(TURN_MS, mayWait ? WAIT_MS : 0);
    if (this.open > 0 || this.#again.length > 0) this.#lookNext();
  };

  /** Polls and handles events for at most about `ms` and `hands` batches; waits up to `waitMs` for the first one. */
  #turn(ms: number, waitMs: number, hands: number = Number.POSITIVE_INFINITY): void {
    const kernel = this.#kernel;
    const startedAt = now();
    if (this.#hasSent) this.#busyUntil = startedAt;
    this.#hasSent = false;
    let lookedAt = startedAt;
    let wait = waitMs;
    let count = 0;
    let left = hands;
    this.#emptyLooks++;
    // While one batch of events is handled the next one arrives: polling again costs less than a turn of the event
    // loop.
    do {
      count = kernel.take(this.#poll, wait);
      wait = 0;
      if (count > 0) this.#emptyLooks = 0;
      for (let i = 0; i < count; i++) {
        const slot = kernel.slotOf(i);
        if (slot === LEAVING) this.#leaving.happened(kernel.generationOf(i));
        else if (kernel.generationOf(i) === this.#generations[slot]) this.#happened(slot, kernel.eventOf(i));
      }
      // If the batch was full, events from before this poll may still be waiting.
      if (count < EVENTS) this.#lower = lookedAt;
      lookedAt = now();
      this.stalls.beat(lookedAt);
    } while (count > 0 && --left > 0 && lookedAt - startedAt < ms);
    this.#busyUntil = now();
  }

  #happened(slot: number, event: number): void {
    const generation = this.#generations[slot];
    if (this.#phases[slot] === PHASE.connecting) {
      if ((event & GONE) !== 0) {
        this.#openedAndGone(slot);
        return;
      }
      if ((event & C.EPOLLOUT) === 0) return;
      this.#connected(slot);
      if (this.#generations[slot] !== generation) return;
    } else if ((event & C.EPOLLOUT) !== 0 && this.#unsent.size > 0) this.#unsent.send(slot);
    // A timestamp is in the error queue; a real error sets EPOLLHUP too (tcp_poll in net/ipv4/tcp.c).
    const isStamped = this.#stampsRequests && (event & C.EPOLLERR) !== 0;
    if (isStamped) this.#takeStamp(slot);
    const ended = event & (isStamped ? FAR_SIDE_ENDED & ~C.EPOLLERR : FAR_SIDE_ENDED);
    if (ended !== 0 || (event & C.EPOLLIN) !== 0) this.#read(slot, ended !== 0);
  }

  #takeStamp(slot: number): void {
    const at = this.#kernel.sentAt(this.#fds[slot]);
    if (!Number.isNaN(at)) this.#events.onSent(slot, at);
  }

  /**
   * A connect that failed, or a connection that ended before this thread saw it open. An RST in reply to a SYN is
   * ECONNREFUSED (tcp_reset in net/ipv4/tcp_input.c), so ECONNRESET means that the connection had been open, and so do
   * bytes.
   */
  #openedAndGone(slot: number): void {
    const fd = this.#fds[slot];
    const generation = this.#generations[slot];
    let length = INTERRUPTED;
    while (length === INTERRUPTED) length = this.#kernel.receive(fd, this.#kernel.received.length);
    const errno = length === WOULD_BLOCK ? this.#kernel.takeError(fd) : Math.max(0, -length);
    if (errno !== 0 && errno !== constants.errno.ECONNRESET) {
      this.#failed(slot, errno);
      return;
    }
    // The bytes read stay in the buffer until the next read; nothing that `onConnect` calls reads.
    this.#connected(slot);
    if (this.#generations[slot] !== generation) return;
    if (errno !== 0) this.#failed(slot, errno);
    else if (length === 0) this.#events.onEnd(slot, now(), this.#lower);
    else if (length > 0) {
      this.#arrived(slot, length);
      if (this.#generations[slot] === generation) this.#read(slot, true);
    }
  }

  /**
   * The kernel does not stamp the SYN-ACK, but TCP has measured its round trip. After retransmitted SYNs it has not,
   * and the time of the last retransmission is the bound.
   */
  #connected(slot: number): void {
    const at = now();
    const { synRetransmits, rttMs } = this.#readFacts(slot, this.#fds[slot]);
    this.#phases[slot] = PHASE.open;
    this.#synRetransmits[slot] = synRetransmits;
    const opened = this.#openedAt[slot];
    const isMeasured = !Number.isNaN(rttMs);
    const end = isMeasured ? Math.min(at, opened + rttMs) : at;
    const repeatedAt = opened + (this.#synSchedule[synRetransmits - 1] ?? 0);
    this.#factsOf = slot;
    this.#events.onConnect(slot, end, isMeasured ? end : Math.min(at, Math.max(repeatedAt, this.#lower)));
    this.#factsOf = -1;
  }

  /** Reads until nothing is left: an edge-triggered event is not repeated. */
  #read(slot: number, isEnded: boolean): void {
    const kernel = this.#kernel;
    const fd = this.#fds[slot];
    const generation = this.#generations[slot];
    if (fd === NO_SOCKET) return;
    for (let reads = 0; reads < READS_PER_TURN; reads++) {
      const room = this.#firstRead > 0 && this.#hasRead[slot] === 0 ? this.#firstRead : kernel.received.length;
      const length = kernel.receive(fd, room);
      if (length > 0) {
        this.#arrived(slot, length);
        if (this.#generations[slot] !== generation) return;
        // Fewer bytes than requested: nothing is left, and later bytes cause a new event. After a FIN there is no new
        // event, so read on.
        if (length < room && !isEnded) return;
      } else if (length === 0) {
        if (this.#unsent.wasReset(slot)) this.#failed(slot, constants.errno.ECONNRESET);
        else this.#events.onEnd(slot, now(), this.#lower);
        return;
      } else if (length === WOULD_BLOCK) return;
      else if (length !== INTERRUPTED) {
        this.#failed(slot, -length);
        return;
      }
    }
    this.#later(slot, 0);
  }

  #arrived(slot: number, length: number): void {
    const kernel = this.#kernel;
    this.#hasRead[slot] = 1;
    const at = now();
    const stamp = kernel.arrivedAt;
    // No timestamp, or one that is impossible because the wall clock was set.
    if (!(stamp >= this.#openedAt[slot])) {
      this.#events.onData(slot, kernel.received, length, at, this.#lower);
      return;
    }
    const gap = at - Math.max(stamp, this.#busyUntil);
    if (gap > this.longestGapMs) this.longestGapMs = gap;
    const exact = Math.min(at, stamp);
    this.#events.onData(slot, kernel.received, length, exact, exact);
  }

  #failed(slot: number, errno: number, atOnce = false): void {
    const code = this.#kernel.errorName(errno);
    this.#events.onError(slot, { code, tls: false, fin: false, atOnce }, now(), this.#lower);
  }

  // -- what has to wait for a turn ---------------------------------------------------------------------------------

  /** Never calls the engine from inside a call by the engine: that would recurse, as deep as there are attempts. */
  #later(slot: number, errno: number): void {
    this.#again.push({ slot, generation: this.#generations[slot], errno });
    this.#lookNext();
  }

  #tellAgain(): void {
    const again = this.#again;
    if (again.length === 0) return;
    this.#again = [];
    for (const { slot, generation, errno } of again) {
      if (this.#generations[slot] !== generation) continue;
      if (this.#phases[slot] !== PHASE.open) {
        this.#failed(slot, errno, true);
        continue;
      }
      this.#read(slot, true);
      if (errno !== 0 && this.#generations[slot] === generation) this.#failed(slot, errno);
    }
    this.#busyUntil = now();
  }

  /** Forgets a slot's connection. @returns its descriptor, still open */
  #forget(slot: number): number {
    const fd = this.#fds[slot];
    this.#generations[slot]++;
    if (fd === NO_SOCKET) return fd;
    this.#fds[slot] = NO_SOCKET;
    this.#hasRead[slot] = 0;
    this.#unsent.forget(slot);
    return fd;
  }

  /** Sockets of node:net are closed when their thread dies; plain descriptors would outlive it. */
  readonly #closeAll = (): void => {
    this.#leaving.dropAll();
    for (const fd of this.#fds) if (fd !== NO_SOCKET) this.#kernel.closeSocket(fd);
    if (this.#poll >= 0) this.#kernel.closeSocket(this.#poll);
    this.#kernel.close();
  };
}

function isOutOfDescriptors(errno: number): boolean {
  return errno === constants.errno.EMFILE || errno === constants.errno.ENFILE;
}
