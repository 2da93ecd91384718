/**
 * The C library as functions. Owns how it is loaded (koffi, an optional dependency with prebuilt binaries) and the
 * names of errors; does not know what the calls are for. Pointers are numbers here: addresses inside one
 * `NativeMemory`, which the caller must keep alive.
 */
import { getSystemErrorName } from 'node:util';
import { NativeMemory } from './native-memory.js';

type Call = (...args: readonly (number | string)[]) => number;

/** No call here takes a callback or a structure by value, so koffi needs little stack of its own. */
const STACK_BYTES = 128 * 1024;
const HEAP_BYTES = 64 * 1024;

const DECLARATIONS = {
  socket: 'int socket(int, int, int)',
  connect: 'int connect(int, uintptr_t, uint32_t)',
  bind: 'int bind(int, uintptr_t, uint32_t)',
  listen: 'int listen(int, int)',
  accept: 'int accept(int, uintptr_t, uintptr_t)',
  setsockopt: 'int setsockopt(int, int, int, uintptr_t, uint32_t)',
  getsockopt: 'int getsockopt(int, int, int, uintptr_t, uintptr_t)',
  getsockname: 'int getsockname(int, uintptr_t, uintptr_t)',
  send: 'intptr_t send(int, uintptr_t, size_t, int)',
  sendmsg: 'intptr_t sendmsg(int, uintptr_t, int)',
  recvmsg: 'intptr_t recvmsg(int, uintptr_t, int)',
  shutdown: 'int shutdown(int, int)',
  close: 'int close(int)',
  epollCreate: 'int epoll_create1(int)',
  epollControl: 'int epoll_ctl(int, int, int, uintptr_t)',
  epollWait: 'int epoll_wait(int, uintptr_t, int, int)',
  clockGettime: 'int clock_gettime(int, uintptr_t)',
  textToAddress: 'int inet_pton(int, const char *, uintptr_t)',
  addressToText: 'uintptr_t inet_ntop(int, uintptr_t, uintptr_t, uint32_t)',
  interfaceIndex: 'uint32_t if_nametoindex(const char *)',
} as const;

export type Libc = Readonly<Record<keyof typeof DECLARATIONS, Call>> & {
  /** errno of the last failed call in this thread. */
  errno(): number;
  /** `ECONNRESET` and the like, as node:net names them. */
  errorName(errno: number): string;
  memory(bytes: number): NativeMemory;
};

/** @throws Error when the package or one of the functions is missing */
export async function loadLibc(): Promise<Libc> {
  const { default: koffi } = await import('koffi');
  try {
    koffi.config({ sync_stack_size: STACK_BYTES, sync_heap_size: HEAP_BYTES });
  } catch {
    // koffi can be configured only once per thread, before its first call: an earlier configuration stays.
  }
  // The process itself is linked to its C library, so its file name, which differs between glibc and musl, is not
  // needed.
  const library = koffi.load(null);
  const calls = Object.fromEntries(
    Object.entries(DECLARATIONS).map(([name, declaration]) => [name, library.func(declaration)]),
  ) as Record<keyof typeof DECLARATIONS, Call>;
  return {
    ...calls,
    errno: koffi.errno,
    errorName: (errno) => getSystemErrorName(-errno),
    memory: (bytes) => new NativeMemory(bytes, koffi.address),
  };
}

/** Returns freed memory of all threads to the system, which glibc's allocator would keep (malloc_trim(3)). */
export async function returnFreedMemory(): Promise<void> {
  try {
    const { default: koffi } = await import('koffi');
    koffi.load(null).func('int malloc_trim(size_t)')(0);
  } catch {
    // The package or the function may be missing: musl's allocator keeps almost nothing.
  }
}
