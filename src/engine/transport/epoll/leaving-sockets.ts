/**
 * Sockets of the transport `epoll` that have left their slots: they are watched on under their descriptor, and read until
 * the far side's FIN. Nothing is told of them.
 */
import { Leaving } from '../leaving.js';
import type { Remainder } from '../transport.js';
import { INTERRUPTED, type Kernel, WOULD_BLOCK } from './system-calls.js';

/** In an event's place of a slot; its generation is then the descriptor. */
export const LEAVING = 0xffffffff;
/** Reads of one connection before the others get their turn. */
const READS_PER_TURN = 16;

export class LeavingSockets {
  readonly #kernel: Kernel;
  readonly #poll: number;
  readonly #closed: () => void;
  readonly #leaving: Leaving<number>;

  /**
   * @param most more than so many are not kept
   * @param closed called when a descriptor was given back
   */
  constructor(kernel: Kernel, poll: number, most: number, closed: () => void) {
    this.#kernel = kernel;
    this.#poll = poll;
    this.#closed = closed;
    this.#leaving = new Leaving(most, {
      finish: (fd) => kernel.finish(fd),
      reset: (fd) => {
        kernel.reset(fd);
        closed();
      },
    });
  }

  add(fd: number, remainder: Remainder | null): void {
    this.#leaving.add(fd, remainder);
    this.#watch(fd);
  }

  /** Reads what nobody wants. */
  happened(fd: number): void {
    for (let reads = 0; this.#leaving.has(fd); reads++) {
      if (reads === READS_PER_TURN) {
        this.#watch(fd);
        return;
      }
      const length = this.#kernel.receive(fd);
      if (length === WOULD_BLOCK) return;
      if (length > 0) this.#leaving.read(fd, this.#kernel.received.subarray(0, length));
      else if (length !== INTERRUPTED) this.#gone(fd);
    }
  }

  /** Gives back one descriptor; false: there is none to give. */
  dropOldest(): boolean {
    return this.#leaving.dropOldest();
  }

  dropAll(): void {
    this.#leaving.dropAll();
  }

  /** What has arrived by now is told in the next look. */
  #watch(fd: number): void {
    if (this.#kernel.watchAs(this.#poll, fd, LEAVING, fd) < 0) this.#gone(fd);
  }

  /** The far side has ended it too, or it is broken: closing sends nothing but a FIN that is still due. */
  #gone(fd: number): void {
    this.#leaving.forget(fd);
    this.#kernel.closeSocket(fd);
    this.#closed();
  }
}
