/**
 * Sockets of the `epoll` transport that have left their slots: they are watched by descriptor, and read until the far
 * side's FIN. Nothing about them is reported.
 */
import { Leaving } from '../leaving.js';
import type { Remainder } from '../transport.js';
import { INTERRUPTED, type Kernel, WOULD_BLOCK } from './system-calls.js';

/** Stands for the slot in an event; its generation is then the descriptor. */
export const LEAVING = 0xffffffff;
/** Reads of one connection before the others are served. */
const READS_PER_TURN = 16;

export class LeavingSockets {
  readonly #kernel: Kernel;
  readonly #poll: number;
  readonly #closed: () => void;
  readonly #leaving: Leaving<number>;

  /**
   * @param most maximum number of sockets kept
   * @param closed called when a descriptor has been closed
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

  /** Reads and discards. */
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

  /** Closes one descriptor; false: there is none. */
  dropOldest(): boolean {
    return this.#leaving.dropOldest();
  }

  dropAll(): void {
    this.#leaving.dropAll();
  }

  /** What has arrived so far is reported by the next poll. */
  #watch(fd: number): void {
    if (this.#kernel.watchAs(this.#poll, fd, LEAVING, fd) < 0) this.#gone(fd);
  }

  /** The far side has closed too, or the connection broke: closing now sends at most a FIN. */
  #gone(fd: number): void {
    this.#leaving.forget(fd);
    this.#kernel.closeSocket(fd);
    this.#closed();
  }
}
