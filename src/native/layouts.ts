/**
 * Sizes and offsets, in bytes, of every C structure that the `epoll` transport exchanges with the kernel, for 64-bit
 * little-endian Linux with glibc or musl, and the constants that go with them. They appear nowhere else. The self-test
 * (self-test.ts) compares them with what the kernel really writes before they are used.
 */

export interface NativeLayout {
  /** `struct epoll_event`: packed on x86-64 only (epoll_ctl(2), linux/eventpoll.h). */
  readonly epollEvent: { readonly size: number; readonly data: number };
}

/** Node's name of an architecture → the layouts that differ there. */
export const LAYOUTS: Readonly<Record<string, NativeLayout>> = {
  x64: { epollEvent: { size: 12, data: 4 } },
  arm64: { epollEvent: { size: 16, data: 8 } },
};

/** ip(7), ipv6(7): family in host byte order, port and address in network byte order. */
export const SOCKADDR = { family: 0, port: 2, address: 4, sizeOf4: 16, address6: 8, scope6: 24, sizeOf6: 28 };

/** recvmsg(2). musl declares the two lengths as 32 bits with padding: the same place while the upper half is zero. */
export const MSGHDR = {
  size: 56,
  name: 0,
  nameLength: 8,
  iov: 16,
  iovLength: 24,
  control: 32,
  controlLength: 40,
  flags: 48,
};
export const IOVEC = { size: 16, base: 0, length: 8 };

/** cmsg(3): header, then the data, aligned to 8. `sizeOf4`: with four bytes of data. */
export const CMSG = { length: 0, level: 8, type: 12, data: 16, sizeOf4: 24 };
/**
 * The first of the three `struct timespec` in `struct scm_timestamping` is the software timestamp (linux/errqueue.h).
 */
export const TIMESPEC = { size: 16, seconds: 0, nanoseconds: 8 };
export const LINGER = { size: 8, onOff: 0, seconds: 4 };

/** tcp(7), linux/tcp.h `struct tcp_info`: new kernels only append fields. rtt in µs. */
export const TCP_INFO = { size: 104, state: 0, retransmits: 2, rtt: 68, totalRetransmits: 100 };
export const TCP_ESTABLISHED = 1;

/** The same on x86-64 and arm64 (asm-generic). */
export const C = {
  AF_INET: 2,
  AF_INET6: 10,
  SOCK_STREAM_NONBLOCK_CLOEXEC: 1 | 0o4000 | 0o2000000,
  SOL_SOCKET: 1,
  SO_ERROR: 4,
  SO_LINGER: 13,
  SO_TIMESTAMPING: 37,
  SOF_TIMESTAMPING_TX_SOFTWARE: 0x2,
  SOF_TIMESTAMPING_RX_SOFTWARE: 0x8,
  SOF_TIMESTAMPING_SOFTWARE: 0x10,
  SOF_TIMESTAMPING_OPT_TSONLY: 0x800,
  IPPROTO_IP: 0,
  IP_BIND_ADDRESS_NO_PORT: 24,
  IPPROTO_TCP: 6,
  TCP_NODELAY: 1,
  TCP_INFO: 11,
  SHUT_WR: 1,
  MSG_NOSIGNAL: 0x4000,
  MSG_ERRQUEUE: 0x2000,
  CLOCK_REALTIME: 0,
  EPOLL_CLOEXEC: 0o2000000,
  EPOLL_CTL_ADD: 1,
  EPOLL_CTL_MOD: 3,
  EPOLLIN: 0x001,
  EPOLLOUT: 0x004,
  EPOLLERR: 0x008,
  EPOLLHUP: 0x010,
  EPOLLRDHUP: 0x2000,
  EPOLLET: 0x80000000,
} as const;
