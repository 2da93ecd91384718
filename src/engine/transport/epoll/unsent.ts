/**
 * Bytes that the kernel did not accept yet, by slot, and failed sends. The bytes wait here until the socket is writable
 * again; at most 64 KiB for a far side that does not read.
 */
import { constants } from 'node:os';
import { MOST_UNSENT_BYTES } from '../transport.js';
import { INTERRUPTED, type Kernel, WOULD_BLOCK } from './system-calls.js';

export class Unsent {
  readonly #kernel: Kernel;
  readonly #fds: Int32Array;
  readonly #failed: (slot: number, errno: number) => void;
  readonly #waiting = new Map<number, Uint8Array>();
  /** Slots with a send that failed because of an RST. */
  readonly #resets = new Set<number>();

  /**
   * @param fds descriptor of each slot
   * @param failed called with the errno of a failed send; must not call the engine at once
   */
  constructor(kernel: Kernel, fds: Int32Array, failed: (slot: number, errno: number) => void) {
    this.#kernel = kernel;
    this.#fds = fds;
    this.#failed = failed;
  }

  /** Number of slots with waiting bytes. */
  get size(): number {
    return this.#waiting.size;
  }

  has(slot: number): boolean {
    return this.#waiting.has(slot);
  }

  bytesOf(slot: number): number {
    return this.#waiting.size === 0 ? 0 : (this.#waiting.get(slot)?.length ?? 0);
  }

  /**
   * Whether a send in this slot failed because of an RST: such a send clears the socket's error, so it is stored here.
   */
  wasReset(slot: number): boolean {
    return this.#resets.has(slot);
  }

  forget(slot: number): void {
    if (this.#resets.size > 0) this.#resets.delete(slot);
    if (this.#waiting.size > 0) this.#waiting.delete(slot);
  }

  /** @param sent bytes that the kernel accepted, or -errno */
  keep(slot: number, bytes: Uint8Array, sent: number): void {
    if (sent < 0 && sent !== WOULD_BLOCK && sent !== INTERRUPTED) {
      this.#fail(slot, -sent);
      return;
    }
    const before = this.#waiting.get(slot);
    // A far side that does not read needs no further pongs.
    if (before !== undefined && before.length > MOST_UNSENT_BYTES) return;
    const rest = bytes.subarray(Math.max(0, sent));
    this.#waiting.set(slot, before === undefined ? Uint8Array.from(rest) : Buffer.concat([before, rest]));
    if (before === undefined && sent !== WOULD_BLOCK) this.send(slot);
  }

  /** Sends waiting bytes, as far as the kernel accepts them. */
  send(slot: number): void {
    let rest = this.#waiting.get(slot);
    while (rest !== undefined && rest.length > 0) {
      const sent = this.#kernel.sendBytes(this.#fds[slot], rest);
      if (sent === INTERRUPTED) continue;
      if (sent < 0) {
        if (sent === WOULD_BLOCK) {
          this.#waiting.set(slot, rest);
          return;
        }
        this.#fail(slot, -sent);
        break;
      }
      rest = rest.subarray(sent);
    }
    this.#waiting.delete(slot);
  }

  /** Bytes that arrived before the far side closed still count, and only reading tells how it closed. */
  #fail(slot: number, errno: number): void {
    if (errno === constants.errno.ECONNRESET) this.#resets.add(slot);
    this.#failed(slot, errno);
  }
}
