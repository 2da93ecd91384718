/**
 * The kernel's counters of connections (TCP_INFO), summed: how many attempts were asked about, and how many of them had
 * to retransmit their SYN or their data. A SYN is retransmitted when nothing answered it: a full listen queue, a
 * firewall or a lossy network. The diagnosis interprets them; this file only sums.
 */
import type { KernelCounts } from '../result/result.js';

/** One ended attempt, as far as the kernel was asked about it. */
export interface KernelSaid {
  /** SYN retransmissions until it connected or failed; NaN: the kernel was not asked. */
  synRetransmits: number;
  /** Segments retransmitted after it had connected. */
  retransmits: number;
  /**
   * Round trip time of the SYN; NaN when not measured: not connected, or the SYN was retransmitted. Written to rows
   * only.
   */
  rttMs: number;
}

export class KernelTally {
  #asked = 0;
  #synRetransmitted = 0;
  #synRetransmits = 0;
  #retransmitted = 0;
  #retransmits = 0;

  add({ synRetransmits, retransmits }: KernelSaid): void {
    if (Number.isNaN(synRetransmits)) return;
    this.#asked++;
    if (synRetransmits > 0) {
      this.#synRetransmitted++;
      this.#synRetransmits += synRetransmits;
    }
    if (retransmits > 0) {
      this.#retransmitted++;
      this.#retransmits += retransmits;
    }
  }

  merge(other: KernelTally): void {
    this.#asked += other.#asked;
    this.#synRetransmitted += other.#synRetransmitted;
    this.#synRetransmits += other.#synRetransmits;
    this.#retransmitted += other.#retransmitted;
    this.#retransmits += other.#retransmits;
  }

  /** null: the kernel was asked about no attempt. */
  counts(): KernelCounts | null {
    if (this.#asked === 0) return null;
    return {
      asked: this.#asked,
      synRetransmitted: this.#synRetransmitted,
      synRetransmits: this.#synRetransmits,
      retransmitted: this.#retransmitted,
      retransmits: this.#retransmits,
    };
  }

  /** From counts that passed `assertKernel` (result/adds-up.ts). */
  static of(counts: KernelCounts | null): KernelTally {
    const tally = new KernelTally();
    if (counts === null) return tally;
    tally.#asked = counts.asked;
    tally.#synRetransmitted = counts.synRetransmitted;
    tally.#synRetransmits = counts.synRetransmits;
    tally.#retransmitted = counts.retransmitted;
    tally.#retransmits = counts.retransmits;
    return tally;
  }
}
