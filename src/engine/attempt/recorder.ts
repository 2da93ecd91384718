/**
 * Adds an ended attempt's columns to a tally, and writes its CSV row if rows are wanted.
 */

import { outcomeId } from '../../names/outcomes.js';
import { type AttemptRow, attemptRow } from '../../tally/attempt-row.js';
import { type Ended, Tally, untimed } from '../../tally/tally.js';
import type { Destination } from '../transport/transport.js';
import type { Columns } from './columns.js';
import { routeOf } from './route.js';

const SWITCHED = 101;

export interface RecorderOptions {
  readonly columns: Columns;
  readonly details: Map<number, string>;
  readonly burst: number;
  readonly worker: number;
  readonly destinations: readonly Destination[];
  readonly sourceIps: readonly string[];
  readonly wantRows: boolean;
  /** Kernel timestamps are exact, so there are no lower bounds. */
  readonly hasKernelStamps: boolean;
  /** The data row of a client; null without data. */
  readonly rowOf: (client: number) => number | null;
  /** Wall clock minus the clock of `now()`, ms. */
  readonly wallOffset: () => number;
}

export class Recorder {
  readonly tally = new Tally();
  readonly #options: RecorderOptions;
  #rows: string[] = [];
  readonly #ended: Ended = untimed();
  readonly #times = { readyMs: 0, heldMs: 0, silentMs: 0, livedMs: 0 };

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /**
   * Counts an attempt whose connection, if it had one, is gone.
   * @param due the instant at which the attempt was due: T0 of its burst, its planned start, or its own start in churn.
   * An attempt that ended before T0 (it failed while arming) is counted from its own start.
   */
  record(slot: number, due: number): void {
    this.countOutcome(slot, due);
    this.countEnd(slot, due);
    if (this.#options.wantRows) this.writeRow(slot, due);
  }

  /** Its outcome and times: all that is counted of an attempt without a 101. */
  countOutcome(slot: number, due: number): void {
    const { columns } = this.#options;
    const ended = this.#ended;
    const from = columns.done[slot] < due ? columns.opened[slot] : due;
    ended.outcome = columns.outcome[slot];
    ended.connectMs = columns.connected[slot] - columns.opened[slot];
    ended.connectLowerMs = columns.connectedLower[slot] - columns.opened[slot];
    ended.tlsMs = columns.secured[slot] - columns.tlsStart[slot];
    ended.tlsLowerMs = columns.securedLower[slot] - columns.tlsStart[slot];
    // A target may reply before the end of the request has been sent.
    ended.upgradeMs = Math.max(0, columns.done[slot] - columns.sent[slot]);
    ended.upgradeLowerMs = Math.max(0, columns.doneLower[slot] - columns.sent[slot]);
    ended.handshakeMs = Math.max(0, columns.done[slot] - from);
    ended.handshakeLowerMs = Math.max(0, columns.doneLower[slot] - from);
    ended.synRetransmits = asked(columns.synRetransmits[slot]);
    ended.retransmits = asked(columns.retransmits[slot]);
    ended.rttMs = columns.rttMs[slot];
    if (this.#options.hasKernelStamps)
      ended.connectLowerMs = ended.upgradeLowerMs = ended.handshakeLowerMs = Number.NaN;
    this.tally.add(ended);
    const detail = this.#options.details.get(slot);
    if (detail !== undefined) this.tally.addDetail(ended.outcome, detail);
  }

  /** How its connection ended after its 101, if it had one. */
  countEnd(slot: number, due: number): void {
    const { outcome, opened, end, endAt, heardAt, readyAt, messageAt, done } = this.#options.columns;
    if (outcome[slot] !== SWITCHED) return;
    const times = this.#times;
    times.readyMs = Math.max(0, readyAt[slot] - (done[slot] < due ? opened[slot] : due));
    times.heldMs = Math.max(0, endAt[slot] - readyAt[slot]);
    times.silentMs = Number.isNaN(heardAt[slot]) ? times.heldMs : Math.max(0, endAt[slot] - heardAt[slot]);
    times.livedMs = endAt[slot] - done[slot];
    this.tally.addSession(end[slot], times);
    this.tally.addMessage(Math.max(0, messageAt[slot] - done[slot]));
  }

  /** Adds its CSV row to those that `takeRows` gives. */
  writeRow(slot: number, due: number): void {
    this.#rows.push(this.rowText(slot, due));
  }

  /** Its CSV row as it is now. */
  rowText(slot: number, due: number): string {
    return attemptRow(this.#row(slot, due, this.#options.details.get(slot) ?? null));
  }

  /** The rows since the last call, or null. */
  takeRows(): string | null {
    if (this.#rows.length === 0) return null;
    const text = this.#rows.join('');
    this.#rows = [];
    return text;
  }

  #row(slot: number, due: number, detail: string | null): AttemptRow {
    const { columns, destinations, sourceIps, burst, worker, wallOffset, rowOf } = this.#options;
    const attempt = columns.attempt[slot];
    const client = columns.client[slot];
    // Of an attempt with a planned start of its own: when it really started.
    const planned = columns.planned[slot];
    const released = columns.opened[slot] >= planned ? columns.opened[slot] : due;
    const after = (at: number) => (at - released) * 1000;
    return {
      burst,
      attempt,
      worker,
      localAddress: columns.localAddress[slot] ?? null,
      localPort: columns.localPort[slot] || null,
      remoteAddress: destinations.length === 0 ? null : routeOf(client, sourceIps, destinations).to.address,
      outcome: outcomeId(columns.outcome[slot]),
      releasedUs: (released + wallOffset()) * 1000,
      connectUs: after(columns.connected[slot]),
      tlsUs: after(columns.secured[slot]),
      sentUs: after(columns.sent[slot]),
      firstByteUs: after(columns.first[slot]),
      doneUs: after(columns.done[slot]),
      doneLowerUs: after(columns.doneLower[slot]),
      detail,
      synRetransmits: asked(columns.synRetransmits[slot]),
      rttUs: columns.rttMs[slot] * 1000,
      retransmits: asked(columns.retransmits[slot]),
      row: rowOf(client),
      lateUs: (released - planned) * 1000,
      readyUs: after(columns.readyAt[slot]),
      end: columns.end[slot],
      endUs: after(columns.endAt[slot]),
    };
  }
}

/** Columns of counts hold -1 if the kernel was not asked. */
function asked(count: number): number {
  return count < 0 ? Number.NaN : count;
}
