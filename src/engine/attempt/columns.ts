/**
 * The state of a shard's attempts in columns: one number per attempt and field, no objects. Times are ms on the clock
 * of `now()`, NaN if the attempt did not reach that phase; `…Lower` is the earliest time at which the event can have
 * happened.
 */

export const STATE = {
  /** Nothing sent. */
  idle: 0,
  connecting: 1,
  /** TCP is open and waits at the gate `tls`. */
  connected: 2,
  securing: 3,
  /** TCP and TLS are open and wait at the gate `upgrade`. */
  ready: 4,
  waiting: 5,
  /** Has its outcome; stays open a moment to read the body of the first sample. */
  sampling: 6,
  /** Got its 101; the connection belongs to the session. */
  inSession: 7,
  done: 8,
} as const;

export class Columns {
  readonly size: number;
  readonly state: Uint8Array;
  /** Outcome code; 0 while it has not ended. */
  readonly outcome: Uint16Array;
  /** Index of the attempt in its burst. */
  readonly attempt: Uint32Array;
  /** Index of the client that makes it: its data row and route go by it. The attempt's own, where none comes back. */
  readonly client: Uint32Array;
  readonly localPort: Uint16Array;
  /** Filled for the attempts' CSV only. */
  readonly localAddress: string[] = [];
  readonly deadline: Float64Array;
  /** When it was to start, where that was fixed beforehand. */
  readonly planned: Float64Array;
  readonly opened: Float64Array;
  readonly connected: Float64Array;
  readonly connectedLower: Float64Array;
  readonly tlsStart: Float64Array;
  readonly secured: Float64Array;
  readonly securedLower: Float64Array;
  readonly sent: Float64Array;
  readonly first: Float64Array;
  readonly done: Float64Array;
  readonly doneLower: Float64Array;
  /** Duration of the call that began the current phase (connect, start of TLS, send), ms: the packet left during it. */
  readonly callMs: Float64Array;
  /** Retransmissions of the SYN and of later segments, as the kernel counts them; -1 if it was not asked. */
  readonly synRetransmits: Int16Array;
  readonly retransmits: Int16Array;
  /** Round trip time of the SYN, ms; NaN if not measured. */
  readonly rttMs: Float64Array;
  /** What its server agreed to on compression (engine/protocol/deflate.ts). */
  readonly agreed: Uint8Array;
  /** When the client was ready, after its 101 (engine/session/session.ts); NaN: it was not. */
  readonly readyAt: Float64Array;
  /** When the first expected message came. */
  readonly messageAt: Float64Array;
  /** How its connection ended after the 101 (names/ends.ts), and when that was seen. */
  readonly end: Uint16Array;
  readonly endAt: Float64Array;
  /** When something last came after the 101. */
  readonly heardAt: Float64Array;
  readonly #times: readonly Float64Array[];

  constructor(size: number) {
    this.size = size;
    this.state = new Uint8Array(size);
    this.outcome = new Uint16Array(size);
    this.attempt = new Uint32Array(size);
    this.client = new Uint32Array(size);
    this.localPort = new Uint16Array(size);
    this.deadline = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
    const time = () => new Float64Array(size).fill(Number.NaN);
    this.planned = time();
    this.opened = time();
    this.connected = time();
    this.connectedLower = time();
    this.tlsStart = time();
    this.secured = time();
    this.securedLower = time();
    this.sent = time();
    this.first = time();
    this.done = time();
    this.doneLower = time();
    this.callMs = new Float64Array(size);
    this.synRetransmits = new Int16Array(size).fill(-1);
    this.retransmits = new Int16Array(size).fill(-1);
    this.rttMs = time();
    this.agreed = new Uint8Array(size);
    this.readyAt = time();
    this.messageAt = time();
    this.end = new Uint16Array(size);
    this.endAt = time();
    this.heardAt = time();
    this.#times = [
      this.planned,
      this.opened,
      this.connected,
      this.connectedLower,
      this.tlsStart,
      this.secured,
      this.securedLower,
      this.sent,
      this.first,
      this.done,
      this.doneLower,
      this.rttMs,
      this.readyAt,
      this.messageAt,
      this.endAt,
      this.heardAt,
    ];
  }

  /** Makes a slot ready for another attempt. */
  clear(slot: number): void {
    this.state[slot] = STATE.idle;
    this.outcome[slot] = 0;
    this.localPort[slot] = 0;
    if (this.localAddress.length > 0) this.localAddress[slot] = '';
    this.deadline[slot] = Number.POSITIVE_INFINITY;
    this.callMs[slot] = 0;
    this.synRetransmits[slot] = -1;
    this.retransmits[slot] = -1;
    this.agreed[slot] = 0;
    this.end[slot] = 0;
    for (const column of this.#times) column[slot] = Number.NaN;
  }
}
