/**
 * Tests whether the `epoll` transport works here by doing once what it will do: a connection over loopback whose bytes
 * the kernel stamps, read through every native structure that a burst uses. A layout that is wrong on this system gives
 * impossible values; then the transport is not used, and the reason is returned as a sentence.
 */
import { now } from '../../machine/clock.js';
import type { Destination } from '../transport.js';
import { type Kernel, WOULD_BLOCK } from './system-calls.js';

const LOOPBACK: Destination = { address: '127.0.0.1', port: 0, family: 4 };
/** Time for a byte over loopback, or for the kernel's first timestamp after it was requested, on a busy machine. */
const PATIENCE_MS = 250;
const SLOT = 0x01020304;
const GENERATION = 0x7a6b5c4d;
const QUESTION = 'ping';
const MOST_STAMP_ERROR_MS = 1000;

/** @returns why it does not work, or null */
export function selfTest(kernel: Kernel): string | null {
  const open: number[] = [];
  const got = (fd: number, what: string): number => {
    if (fd < 0) throw new Error(`${what}: ${kernel.errorName(-fd)}`);
    open.push(fd);
    return fd;
  };
  try {
    const listener = got(kernel.socket(4), 'socket');
    fine(kernel, kernel.listen(listener, LOOPBACK), 'listen');
    const name = kernel.localName(listener);
    if (name === null || name.address !== LOOPBACK.address || name.port === 0) return 'getsockname tells no address';
    const client = got(kernel.socket(4), 'socket');
    const poll = got(kernel.newPoll(), 'epoll_create1');
    fine(kernel, kernel.connect(client, { ...LOOPBACK, port: name.port }), 'connect');
    fine(kernel, kernel.watch(poll, client, SLOT, GENERATION), 'epoll_ctl');
    const server = got(
      patiently(() => kernel.accept(listener)),
      'accept',
    );
    return (
      eventsAreRead(kernel, poll) ??
      tcpInfoIsRead(kernel, client) ??
      stampsAreRead(kernel, client, server) ??
      errorsAreRead(kernel, client) ??
      memoryIsWhole(kernel)
    );
  } catch (error) {
    return (error as Error).message;
  } finally {
    for (const fd of open) kernel.reset(fd);
  }
}

function eventsAreRead(kernel: Kernel, poll: number): string | null {
  const count = patiently(() => kernel.take(poll, 0) || WOULD_BLOCK);
  if (count !== 1) return 'epoll_wait tells nothing of an open connection';
  const isRight = kernel.slotOf(0) === SLOT && kernel.generationOf(0) === GENERATION;
  return isRight ? null : 'epoll_event has another layout here';
}

function tcpInfoIsRead(kernel: Kernel, client: number): string | null {
  const { isEstablished, rttUs, retransmits } = kernel.tcpInfo(client);
  const isPlausible = isEstablished && rttUs > 0 && rttUs < 1e6 && retransmits < 10;
  return isPlausible ? null : 'tcp_info has another layout here';
}

/**
 * The kernel starts to stamp a little after the first socket asks for it, so the first bytes may have no timestamp.
 * Timestamps of sends depend on the network device: they may be missing, but must not be wrong.
 */
function stampsAreRead(kernel: Kernel, client: number, server: number): string | null {
  kernel.stampRequests(true);
  const until = now() + PATIENCE_MS;
  do {
    const sentAt = now();
    if (kernel.sendText(server, QUESTION) !== QUESTION.length) return 'send takes nothing';
    const length = patiently(() => kernel.receive(client));
    if (length !== QUESTION.length) return 'recvmsg brings nothing';
    if (kernel.received.toString('latin1', 0, length) !== QUESTION) return 'recvmsg brings other bytes than were sent';
    const { arrivedAt } = kernel;
    if (Number.isNaN(arrivedAt)) continue;
    if (Math.abs(arrivedAt - sentAt) > MOST_STAMP_ERROR_MS) return 'the kernel’s receive stamps are of another clock';
    const isOfAnotherClock = Math.abs(kernel.sentAt(server) - sentAt) > MOST_STAMP_ERROR_MS;
    return isOfAnotherClock ? 'the kernel’s transmit stamps are of another clock' : null;
  } while (now() < until);
  return 'the kernel does not stamp what it receives';
}

function errorsAreRead(kernel: Kernel, client: number): string | null {
  return kernel.takeError(client) === 0 ? null : 'SO_ERROR tells an error of a sound connection';
}

function memoryIsWhole(kernel: Kernel): string | null {
  const damaged = kernel.damaged();
  return damaged === null ? null : `memory next to ${damaged} was overwritten`;
}

function fine(kernel: Kernel, result: number, what: string): void {
  if (result < 0) throw new Error(`${what}: ${kernel.errorName(-result)}`);
}

/** Tries again while there is nothing yet: loopback delivers during the sending call, or very soon after. */
function patiently(call: () => number): number {
  const until = now() + PATIENCE_MS;
  let result = call();
  while (result === WOULD_BLOCK && now() < until) result = call();
  return result;
}
