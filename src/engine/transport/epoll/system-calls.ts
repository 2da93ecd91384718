/**
 * The system calls of one thread, with numbers in and numbers out. Owns the native memory that they read and write, and
 * is the only reader of native structures; does not know attempts, phases or outcomes. Calls that can fail return a
 * negative errno, as the kernel does. Nothing is allocated after the start, and addresses are used only inside calls.
 */
import { constants } from 'node:os';
import {
  C,
  CMSG,
  IOVEC,
  LINGER,
  MSGHDR,
  type NativeLayout,
  SOCKADDR,
  TCP_ESTABLISHED,
  TCP_INFO,
  TIMESPEC,
} from '../../../native/layouts.js';
import type { Libc } from '../../../native/libc.js';
import type { NativeBlock, NativeMemory } from '../../../native/native-memory.js';
import { now } from '../../machine/clock.js';
import { KEY_LENGTH } from '../../protocol/key-column.js';
import type { RequestFrame } from '../../protocol/request.js';
import type { Destination } from '../transport.js';

const READ_BYTES = 64 * 1024;
const WRITE_BYTES = 64 * 1024;
/** Room for a timestamp and an error queue entry (ip(7), IP_RECVERR). */
const CONTROL_BYTES = 192;
/** Longer requests are rare; they are sent as text, one by one. */
const REQUEST_BYTES = 8 * 1024;
/** Maximum number of events per poll. */
export const EVENTS = 512;
/** INET6_ADDRSTRLEN (inet_ntop(3)). */
const ADDRESS_TEXT_BYTES = 46;
const MEMORY_BYTES = 192 * 1024;
/** Source addresses may be whole networks. */
const MOST_ADDRESSES = 4096;
const CLOCK_READINGS = 16;

const { EINTR, EAGAIN } = constants.errno;

/** Software timestamps of arriving bytes, and of sends that ask for one, without the bytes (timestamping.rst). */
const STAMPING = C.SOF_TIMESTAMPING_RX_SOFTWARE | C.SOF_TIMESTAMPING_SOFTWARE | C.SOF_TIMESTAMPING_OPT_TSONLY;

/** The argument of recvmsg and sendmsg: one buffer, and room for control data. */
interface Message {
  readonly header: NativeBlock;
  readonly vector: NativeBlock;
}

/** The parts of TCP_INFO that concern latency. */
export interface TcpInfo {
  readonly isEstablished: boolean;
  /** Retransmissions of the segment that is not acknowledged yet; of the SYN while connecting. */
  readonly retransmitting: number;
  /** All retransmitted segments of the connection, SYNs included. */
  readonly retransmits: number;
  /** Smoothed round trip time, µs; right after the connect it is that of the SYN. 0: not measured. */
  readonly rttUs: number;
}

export class Kernel {
  /** The buffer that `receive` fills; valid until its next call. */
  readonly received: Buffer;
  /** Kernel timestamp of the last byte from `receive`, ms on the clock of `now()`; NaN without one. */
  arrivedAt = Number.NaN;
  readonly #libc: Libc;
  readonly #memory: NativeMemory;
  readonly #view: DataView;
  readonly #layout: NativeLayout;
  readonly #address: NativeBlock;
  readonly #text: NativeBlock;
  readonly #event: NativeBlock;
  readonly #events: NativeBlock;
  readonly #write: NativeBlock;
  readonly #request: NativeBlock;
  /** The framed request as last sent; valid until the next one. */
  framed: Buffer;
  /** Offset of its key. */
  #keyAt = 0;
  readonly #incoming: Message;
  readonly #control: NativeBlock;
  /** The text of `#write` and `#request`. */
  readonly #outgoingText: Message;
  readonly #outgoingFrame: Message;
  readonly #value: NativeBlock;
  readonly #length: NativeBlock;
  readonly #linger: NativeBlock;
  readonly #one: NativeBlock;
  readonly #stamping: NativeBlock;
  readonly #info: NativeBlock;
  readonly #time: NativeBlock;
  readonly #addresses = new Map<string, Uint8Array>();
  /** Keeps kernel timestamping active: it starts a little after the first socket asks for it (net_enable_timestamp). */
  #stampingSocket = -1;
  /** Base of timestamps, whole seconds of the wall clock: a double holds the difference to the nanosecond. */
  #wallBaseS = 0;
  #wallOffsetMs = 0;
  readonly #tcpInfo = { isEstablished: false, retransmitting: 0, retransmits: 0, rttUs: 0 };

  constructor(libc: Libc, layout: NativeLayout) {
    this.#libc = libc;
    this.#layout = layout;
    const memory = libc.memory(MEMORY_BYTES);
    this.#memory = memory;
    this.#view = memory.view;
    this.#address = memory.block('address', SOCKADDR.sizeOf6);
    this.#text = memory.block('address text', ADDRESS_TEXT_BYTES);
    this.#event = memory.block('event', layout.epollEvent.size);
    this.#events = memory.block('events', EVENTS * layout.epollEvent.size);
    this.#write = memory.block('write buffer', WRITE_BYTES);
    this.#request = memory.block('request', REQUEST_BYTES);
    this.framed = this.#request.bytes;
    const read = memory.block('read buffer', READ_BYTES);
    this.received = read.bytes;
    this.#control = memory.block('control', CONTROL_BYTES);
    this.#incoming = this.#messageFor(read, this.#control);
    const asking = this.#stampRequest();
    this.#outgoingText = this.#messageFor(this.#write, asking);
    this.#outgoingFrame = this.#messageFor(this.#request, asking);
    this.#value = memory.block('option value', 8);
    this.#length = memory.block('length', 4);
    this.#linger = memory.block('linger', LINGER.size);
    this.#view.setInt32(this.#linger.offset + LINGER.onOff, 1, true);
    this.#one = memory.block('one', 4);
    this.#view.setInt32(this.#one.offset, 1, true);
    this.#stamping = memory.block('stamping', 4);
    this.#view.setInt32(this.#stamping.offset, STAMPING, true);
    this.#info = memory.block('tcp_info', TCP_INFO.size);
    this.#time = memory.block('timespec', TIMESPEC.size);
    this.#stampingSocket = this.#newSocket(C.AF_INET);
    this.setClock();
  }

  /** Closes the thread's own descriptors; sockets must be closed before. */
  close(): void {
    if (this.#stampingSocket >= 0) this.#libc.close(this.#stampingSocket);
    this.#stampingSocket = -1;
  }

  /** Name of a native block beside which something was overwritten, or null. */
  damaged(): string | null {
    return this.#memory.damaged();
  }

  errorName(errno: number): string {
    return this.#libc.errorName(errno);
  }

  // -- clocks ------------------------------------------------------------------------------------------------------

  /**
   * Measures the offset of the wall clock, which stamps arrivals, to `now()`. Adjustments of the rate affect both
   * clocks alike (clock_gettime(2)), so only a step changes it.
   * @returns the step since the last call, ms, to some µs; negative: back
   */
  setClock(): number {
    let narrowest = Number.POSITIVE_INFINITY;
    let baseS = 0;
    let offsetMs = 0;
    for (let i = 0; i < CLOCK_READINGS; i++) {
      const from = now();
      this.#libc.clockGettime(C.CLOCK_REALTIME, this.#time.address);
      const to = now();
      if (to - from >= narrowest) continue;
      narrowest = to - from;
      baseS = this.#seconds(this.#time.offset);
      offsetMs = this.#nanoseconds(this.#time.offset) / 1e6 - (from + to) / 2;
    }
    const stepMs = (baseS - this.#wallBaseS) * 1000 + offsetMs - this.#wallOffsetMs;
    this.#wallBaseS = baseS;
    this.#wallOffsetMs = offsetMs;
    return stepMs;
  }

  /** Without a BigInt, because it is read for every timestamp. */
  #seconds(timespec: number): number {
    const at = timespec + TIMESPEC.seconds;
    return this.#view.getInt32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true);
  }

  #nanoseconds(timespec: number): number {
    return this.#view.getInt32(timespec + TIMESPEC.nanoseconds, true);
  }

  // -- sockets -----------------------------------------------------------------------------------------------------

  /** A non-blocking TCP socket with kernel timestamps. @returns descriptor or -errno */
  socket(family: 4 | 6): number {
    const fd = this.#newSocket(family === 4 ? C.AF_INET : C.AF_INET6);
    if (fd >= 0) this.#libc.setsockopt(fd, C.IPPROTO_TCP, C.TCP_NODELAY, this.#one.address, 4);
    return fd;
  }

  #newSocket(family: number): number {
    const fd = this.#libc.socket(family, C.SOCK_STREAM_NONBLOCK_CLOEXEC, 0);
    if (fd < 0) return -this.#libc.errno();
    this.#libc.setsockopt(fd, C.SOL_SOCKET, C.SO_TIMESTAMPING, this.#stamping.address, 4);
    return fd;
  }

  /** Binds to an address; `connect` chooses the port, which it can share between destinations. @returns 0 or -errno */
  bindAddress(fd: number, address: string, family: 4 | 6): number {
    this.#libc.setsockopt(fd, C.IPPROTO_IP, C.IP_BIND_ADDRESS_NO_PORT, this.#one.address, 4);
    const length = this.#putAddress({ address, port: 0, family });
    return this.#result(this.#libc.bind(fd, this.#address.address, length));
  }

  /** @returns 0 when the connection is open or opening, or -errno */
  connect(fd: number, to: Destination): number {
    const length = this.#putAddress(to);
    if (this.#libc.connect(fd, this.#address.address, length) === 0) return 0;
    const errno = this.#libc.errno();
    // An interrupted connect continues in the background too (connect(2)).
    return errno === constants.errno.EINPROGRESS || errno === EINTR ? 0 : -errno;
  }

  /** Listens on a port of the kernel's choice. For the self-test. @returns 0 or -errno */
  listen(fd: number, at: Destination): number {
    const length = this.#putAddress(at);
    const bound = this.#result(this.#libc.bind(fd, this.#address.address, length));
    return bound < 0 ? bound : this.#result(this.#libc.listen(fd, 1));
  }

  /** @returns descriptor or -errno */
  accept(fd: number): number {
    return this.#result(this.#libc.accept(fd, 0, 0));
  }

  /** Reads and clears the socket's pending error. @returns errno; 0: none */
  takeError(fd: number): number {
    this.#view.setUint32(this.#length.offset, 4, true);
    this.#libc.getsockopt(fd, C.SOL_SOCKET, C.SO_ERROR, this.#value.address, this.#length.address);
    return this.#view.getInt32(this.#value.offset, true);
  }

  /** Returns the same object each time. */
  tcpInfo(fd: number): TcpInfo {
    const view = this.#view;
    const { offset, address } = this.#info;
    view.setUint32(this.#length.offset, TCP_INFO.size, true);
    this.#libc.getsockopt(fd, C.IPPROTO_TCP, C.TCP_INFO, address, this.#length.address);
    const info = this.#tcpInfo;
    info.isEstablished = view.getUint8(offset + TCP_INFO.state) === TCP_ESTABLISHED;
    info.retransmitting = view.getUint8(offset + TCP_INFO.retransmits);
    info.retransmits = view.getUint32(offset + TCP_INFO.totalRetransmits, true);
    info.rttUs = view.getUint32(offset + TCP_INFO.rtt, true);
    return info;
  }

  localName(fd: number): { readonly address: string; readonly port: number } | null {
    const { offset, address } = this.#address;
    this.#view.setUint32(this.#length.offset, SOCKADDR.sizeOf6, true);
    if (this.#libc.getsockname(fd, address, this.#length.address) < 0) return null;
    return {
      address: this.#addressText(offset),
      port: this.#view.getUint16(offset + SOCKADDR.port, false),
    };
  }

  /** Closes with RST: unsent data is discarded, and no TIME_WAIT remains (socket(7), SO_LINGER). */
  reset(fd: number): void {
    this.#libc.setsockopt(fd, C.SOL_SOCKET, C.SO_LINGER, this.#linger.address, LINGER.size);
    this.#libc.close(fd);
  }

  /** Sends FIN after all accepted data; reading continues (shutdown(2)). No effect on a connection that has ended. */
  finish(fd: number): void {
    this.#libc.shutdown(fd, C.SHUT_WR);
  }

  /** Never repeated: Linux has closed the descriptor even when it returns EINTR (close(2)). */
  closeSocket(fd: number): void {
    this.#libc.close(fd);
  }

  // -- bytes -------------------------------------------------------------------------------------------------------

  /** Whether `sendText` and `sendFramed` ask for a timestamp (`sentAt`); off until the first call. */
  stampRequests(isOn: boolean): void {
    const length = isOn ? CMSG.sizeOf4 : 0;
    for (const { header } of [this.#outgoingText, this.#outgoingFrame]) {
      this.#view.setUint32(header.offset + MSGHDR.controlLength, length, true);
    }
  }

  /** Latin-1. @returns bytes accepted by the kernel (of the first 64 KiB), or -errno */
  sendText(fd: number, text: string): number {
    this.#setLength(this.#outgoingText, this.#write.bytes.write(text, 'latin1'));
    return this.#sendMessage(fd, this.#outgoingText);
  }

  canFrame({ head, tail }: RequestFrame): boolean {
    return head.length + KEY_LENGTH + tail.length <= REQUEST_BYTES;
  }

  /** Sets the request that `sendFramed` sends, without its key. */
  useFrame({ head, tail }: RequestFrame): void {
    const { bytes } = this.#request;
    this.#keyAt = head.length;
    const tailAt = head.length + KEY_LENGTH;
    bytes.write(head, 'latin1');
    bytes.write(tail, tailAt, 'latin1');
    this.framed = bytes.subarray(0, tailAt + tail.length);
    this.#setLength(this.#outgoingFrame, this.framed.length);
  }

  /** As `sendText`, with the frame: copies only the key. */
  sendFramed(fd: number, keys: Buffer, slot: number): number {
    const { bytes } = this.#request;
    const from = slot * KEY_LENGTH;
    const to = this.#keyAt;
    for (let i = 0; i < KEY_LENGTH; i++) bytes[to + i] = keys[from + i];
    return this.#sendMessage(fd, this.#outgoingFrame);
  }

  #sendMessage(fd: number, message: Message): number {
    return this.#result(this.#libc.sendmsg(fd, message.header.address, C.MSG_NOSIGNAL));
  }

  /**
   * Kernel timestamp of when the last byte of a stamped request was passed to the network: a thread may lose its core
   * between reading a clock and sending. Each timestamp is returned once.
   * @returns ms on the clock of `now()`; NaN: none available
   */
  sentAt(fd: number): number {
    return this.#receive(fd, C.MSG_ERRQUEUE) < 0 ? Number.NaN : this.#stamp();
  }

  /** @returns bytes accepted by the kernel (of the first 64 KiB), or -errno */
  sendBytes(fd: number, bytes: Uint8Array): number {
    const length = Math.min(bytes.length, WRITE_BYTES);
    this.#write.bytes.set(length === bytes.length ? bytes : bytes.subarray(0, length));
    return this.#result(this.#libc.send(fd, this.#write.address, length, C.MSG_NOSIGNAL));
  }

  /** Reads up to `room` bytes into `received`, stores when the last one arrived. @returns bytes; 0: FIN; or -errno */
  receive(fd: number, room: number = READ_BYTES): number {
    this.#setLength(this.#incoming, room);
    const length = this.#receive(fd, 0);
    if (length >= 0) this.arrivedAt = this.#stamp();
    return length;
  }

  #receive(fd: number, flags: number): number {
    const { offset, address } = this.#incoming.header;
    this.#view.setUint32(offset + MSGHDR.controlLength, CONTROL_BYTES, true);
    return this.#result(this.#libc.recvmsg(fd, address, flags));
  }

  /** The timestamp of the bytes just received. */
  #stamp(): number {
    const view = this.#view;
    const { offset } = this.#control;
    const length = view.getUint32(this.#incoming.header.offset + MSGHDR.controlLength, true);
    if (length < CMSG.data + TIMESPEC.size) return Number.NaN;
    if (view.getInt32(offset + CMSG.level, true) !== C.SOL_SOCKET) return Number.NaN;
    if (view.getInt32(offset + CMSG.type, true) !== C.SO_TIMESTAMPING) return Number.NaN;
    const time = offset + CMSG.data;
    return (this.#seconds(time) - this.#wallBaseS) * 1000 + this.#nanoseconds(time) / 1e6 - this.#wallOffsetMs;
  }

  // -- events ------------------------------------------------------------------------------------------------------

  /** @returns descriptor or -errno */
  newPoll(): number {
    return this.#result(this.#libc.epollCreate(C.EPOLL_CLOEXEC));
  }

  /** Reports every change of a socket from now on, once each. @returns 0 or -errno */
  watch(poll: number, fd: number, slot: number, generation: number): number {
    return this.#watched(C.EPOLL_CTL_ADD, poll, fd, slot, generation);
  }

  /** As `watch`, for a watched socket: its current state is reported again, with this slot. @returns 0 or -errno */
  watchAs(poll: number, fd: number, slot: number, generation: number): number {
    return this.#watched(C.EPOLL_CTL_MOD, poll, fd, slot, generation);
  }

  #watched(operation: number, poll: number, fd: number, slot: number, generation: number): number {
    const { offset, address } = this.#event;
    const data = offset + this.#layout.epollEvent.data;
    this.#view.setUint32(offset, C.EPOLLIN | C.EPOLLOUT | C.EPOLLRDHUP | C.EPOLLET, true);
    this.#view.setUint32(data, slot, true);
    this.#view.setUint32(data + 4, generation, true);
    return this.#result(this.#libc.epollControl(poll, operation, fd, address));
  }

  /** Takes events of now, or of the next `waitMs`. @returns their number, for `eventOf`; at most `EVENTS` */
  take(poll: number, waitMs: number): number {
    return Math.max(0, this.#libc.epollWait(poll, this.#events.address, EVENTS, waitMs));
  }

  eventOf(i: number): number {
    return this.#view.getUint32(this.#events.offset + i * this.#layout.epollEvent.size, true);
  }

  slotOf(i: number): number {
    return this.#view.getUint32(this.#dataOf(i), true);
  }

  generationOf(i: number): number {
    return this.#view.getUint32(this.#dataOf(i) + 4, true);
  }

  #dataOf(i: number): number {
    return this.#events.offset + i * this.#layout.epollEvent.size + this.#layout.epollEvent.data;
  }

  // -- structures --------------------------------------------------------------------------------------------------

  #messageFor({ address, bytes }: NativeBlock, control: NativeBlock): Message {
    const view = this.#view;
    const vector = this.#memory.block('iovec', IOVEC.size);
    view.setBigUint64(vector.offset + IOVEC.base, BigInt(address), true);
    view.setBigUint64(vector.offset + IOVEC.length, BigInt(bytes.length), true);
    const header = this.#memory.block('msghdr', MSGHDR.size);
    view.setBigUint64(header.offset + MSGHDR.iov, BigInt(vector.address), true);
    view.setBigUint64(header.offset + MSGHDR.iovLength, 1n, true);
    view.setBigUint64(header.offset + MSGHDR.control, BigInt(control.address), true);
    return { header, vector };
  }

  /** The upper half stays 0. Always written: code compiled for a constant is discarded at the first change. */
  #setLength(message: Message, length: number): void {
    this.#view.setUint32(message.vector.offset + IOVEC.length, length, true);
  }

  /** Control data that asks for a timestamp of this send only, when its last byte leaves (timestamping.rst, 1.3.4). */
  #stampRequest(): NativeBlock {
    const view = this.#view;
    const block = this.#memory.block('stamp request', CMSG.sizeOf4);
    const { offset } = block;
    view.setUint32(offset + CMSG.length, CMSG.data + 4, true);
    view.setInt32(offset + CMSG.level, C.SOL_SOCKET, true);
    view.setInt32(offset + CMSG.type, C.SO_TIMESTAMPING, true);
    view.setUint32(offset + CMSG.data, C.SOF_TIMESTAMPING_TX_SOFTWARE, true);
    return block;
  }

  /** Prepares an address that will be a destination. */
  learn(address: string, family: 4 | 6): void {
    if (!this.#addresses.has(address)) this.#parsed(address, family);
  }

  /** @returns the length of the address, bytes */
  #putAddress({ address, port, family }: Destination): number {
    const { offset, bytes } = this.#address;
    const known = this.#addresses.get(address) ?? this.#parsed(address, family);
    bytes.set(known);
    this.#view.setUint16(offset + SOCKADDR.port, port, false);
    return known.length;
  }

  /** A socket address with port 0. @throws Error for text that is not an address: names are resolved elsewhere */
  #parsed(address: string, family: 4 | 6): Uint8Array {
    const { offset, bytes, address: at } = this.#address;
    const [text, zone] = address.split('%');
    bytes.fill(0);
    const domain = family === 4 ? C.AF_INET : C.AF_INET6;
    const place = at + (family === 4 ? SOCKADDR.address : SOCKADDR.address6);
    if (this.#libc.textToAddress(domain, text, place) !== 1) throw new Error(`no address: ${address}`);
    this.#view.setUint16(offset + SOCKADDR.family, domain, true);
    if (zone !== undefined) {
      const index = Number(zone) || this.#libc.interfaceIndex(zone);
      this.#view.setUint32(offset + SOCKADDR.scope6, index, true);
    }
    const parsed = Uint8Array.from(bytes.subarray(0, family === 4 ? SOCKADDR.sizeOf4 : SOCKADDR.sizeOf6));
    if (this.#addresses.size < MOST_ADDRESSES) this.#addresses.set(address, parsed);
    return parsed;
  }

  #addressText(sockaddr: number): string {
    const domain = this.#view.getUint16(sockaddr + SOCKADDR.family, true);
    const place = domain === C.AF_INET ? SOCKADDR.address : SOCKADDR.address6;
    const { address, bytes } = this.#text;
    this.#libc.addressToText(domain, this.#address.address + place, address, ADDRESS_TEXT_BYTES);
    return bytes.toString('latin1', 0, bytes.indexOf(0));
  }

  #result(value: number): number {
    return value < 0 ? -this.#libc.errno() : value;
  }
}

export const WOULD_BLOCK = -EAGAIN;
export const INTERRUPTED = -EINTR;
