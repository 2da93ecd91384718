/**
 * Turns the columns of an ended attempt into numbers of a tally, and into its CSV row where one is wanted.
 */

import { outcomeId } from '../../names/outcomes.js';
import { type AttemptRow, attemptRow } from '../../tally/attempt-row.js';
import { type Ended, Tally } from '../../tally/tally.js';
import type { Destination } from '../transport/transport.js';
import type { Columns } from './columns.js';

export interface RecorderOptions {
  readonly columns: Columns;
  readonly details: Map<number, string>;
  readonly burst: number;
  readonly worker: number;
  readonly destinations: readonly Destination[];
  readonly wantRows: boolean;
  /** A time is one number then, without a lower bound. */
  readonly hasKernelStamps: boolean;
  /** Wall clock minus the clock of `now()`, ms. */
  readonly wallOffset: () => number;
}

export class Recorder {
  readonly tally = new Tally();
  readonly #options: RecorderOptions;
  #rows: string[] = [];
  readonly #ended: Ended = {
    outcome: 0,
    connectMs: Number.NaN,
    connectLowerMs: Number.NaN,
    tlsMs: Number.NaN,
    tlsLowerMs: Number.NaN,
    upgradeMs: Number.NaN,
    upgradeLowerMs: Number.NaN,
    handshakeMs: Number.NaN,
    handshakeLowerMs: Number.NaN,
    synRetransmits: Number.NaN,
    retransmits: Number.NaN,
    rttMs: Number.NaN,
  };

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /**
   * @param due the instant at which the attempt was due: T0 of its burst, or its own start in churn. An attempt that
   * ended before that (it failed while it was armed) is counted from its own start.
   */
  record(slot: number, due: number): void {
    const c = this.#options.columns;
    const e = this.#ended;
    const from = c.done[slot] < due ? c.opened[slot] : due;
    e.outcome = c.outcome[slot];
    e.connectMs = c.connected[slot] - c.opened[slot];
    e.connectLowerMs = c.connectedLower[slot] - c.opened[slot];
    e.tlsMs = c.secured[slot] - c.tlsStart[slot];
    e.tlsLowerMs = c.securedLower[slot] - c.tlsStart[slot];
    // A target may answer before the last of a request has left.
    e.upgradeMs = Math.max(0, c.done[slot] - c.sent[slot]);
    e.upgradeLowerMs = Math.max(0, c.doneLower[slot] - c.sent[slot]);
    e.handshakeMs = Math.max(0, c.done[slot] - from);
    e.handshakeLowerMs = Math.max(0, c.doneLower[slot] - from);
    e.synRetransmits = asked(c.synRetransmits[slot]);
    e.retransmits = asked(c.retransmits[slot]);
    e.rttMs = c.rttMs[slot];
    if (this.#options.hasKernelStamps) e.connectLowerMs = e.upgradeLowerMs = e.handshakeLowerMs = Number.NaN;
    this.tally.add(e);
    const detail = this.#options.details.get(slot);
    if (detail !== undefined) this.tally.addDetail(e.outcome, detail);
    if (this.#options.wantRows) this.#rows.push(attemptRow(this.#row(slot, due, detail ?? null)));
  }

  /** The rows since the last call, or null. */
  takeRows(): string | null {
    if (this.#rows.length === 0) return null;
    const text = this.#rows.join('');
    this.#rows = [];
    return text;
  }

  #row(slot: number, due: number, detail: string | null): AttemptRow {
    const { columns: c, destinations, burst, worker, wallOffset } = this.#options;
    const attempt = c.attempt[slot];
    const after = (at: number) => (at - due) * 1000;
    return {
      burst,
      attempt,
      worker,
      localAddress: c.localAddress[slot] ?? null,
      localPort: c.localPort[slot] || null,
      remoteAddress: destinations.length === 0 ? null : destinations[attempt % destinations.length].address,
      outcome: outcomeId(c.outcome[slot]),
      releasedUs: (due + wallOffset()) * 1000,
      connectUs: after(c.connected[slot]),
      tlsUs: after(c.secured[slot]),
      sentUs: after(c.sent[slot]),
      firstByteUs: after(c.first[slot]),
      doneUs: after(c.done[slot]),
      doneLowerUs: after(c.doneLower[slot]),
      detail,
      synRetransmits: asked(c.synRetransmits[slot]),
      rttUs: c.rttMs[slot] * 1000,
      retransmits: asked(c.retransmits[slot]),
    };
  }
}

/** Columns of counts hold -1 where the kernel was not asked. */
function asked(count: number): number {
  return count < 0 ? Number.NaN : count;
}
