/**
 * What the kernel says of connections (TCP_INFO), counted: how many attempts were asked about, and how many of these had
 * to send their SYN or their data again. A SYN that was sent again found nobody who took it: a full listen queue, a
 * firewall or a lossy way. What it means is the diagnosis's business; this holds the sums.
 */
import type { KernelCounts } from '../result/result.js';

/** One ended attempt, as far as the kernel was asked. */
export interface KernelSaid {
  /** SYNs sent again before it connected, or gave up; NaN: the kernel was not asked. */
  synRetransmits: number;
  /** Segments sent again after it had connected. */
  retransmits: number;
  /** Round trip of the SYN; NaN where that was not measured: not connected, or by a later SYN. Told in rows, not counted. */
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

  /** Of counts that have been through `assertKernel` (result/adds-up.ts). */
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
