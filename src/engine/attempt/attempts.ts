/**
 * The life of an attempt, from its first system call to its one outcome, for any transport. Owns the state machine, the
 * times of the phases, the deadline, and the classification by raw event and phase. An attempt ends at its 101 and
 * hands its connection to a session. The shard that drives it decides when it starts, waits at the gate, and what
 * follows its outcome.
 */

import { NAMED_BASE, type NamedOutcomeId, outcomeCode } from '../../names/outcomes.js';
import type { Gate } from '../../plan/plan.js';
import { now } from '../machine/clock.js';
import { Body } from '../protocol/body.js';
import { agreedDeflate } from '../protocol/deflate.js';
import { HeadReader, readWhole } from '../protocol/head-reader.js';
import { KeyColumn } from '../protocol/key-column.js';
import { acceptFor, newKey } from '../protocol/request.js';
import { type Head, judgeUpgrade, KnownUpgrade } from '../protocol/response.js';
import type {
  ConnectionFacts,
  Destination,
  Stamping,
  Transport,
  TransportError,
  TransportEvents,
  Wire,
} from '../transport/transport.js';
import { type Columns, STATE } from './columns.js';
import { connectOutcome } from './connect-outcome.js';
import type { Deadlines } from './deadlines.js';
import type { Handover } from './handover.js';
import { LIVE, liveOutcome } from './live-counts.js';
import type { RequestSource } from './request-source.js';
import { routeOf } from './route.js';
import type { Samples } from './samples.js';
import { whereItEnded } from './where-it-ended.js';

const STATUS_101 = 101;
const CODE = (id: NamedOutcomeId): number => outcomeCode(id);

/**
 * If an event is seen this long after the attempt's deadline, it may have arrived before it: the generator was late.
 */
const LATE_MS = 50;

/** TCP_RTO_MIN: a reply that comes sooner cannot follow a retransmission. */
const FASTEST_RETRANSMIT_MS = 200;

/** Kernel timestamps are on another clock, whose offset is known to a few µs. */
const CLOCKS_DIFFER_MS = 0.05;

const NOTHING = Buffer.alloc(0);
const TOO_EARLY = 'answered before the request was sent';
const LOCAL_MEMORY: NamedOutcomeId = 'local-memory';

/** Calls to the shard that drives the attempts. */
export interface AttemptEvents {
  /** The attempt has reached the gate and waits. */
  armed(slot: number): void;
  /** The attempt has its outcome (columns `outcome`, `done`, `doneLower`). Called once. */
  ended(slot: number): void;
  /** After `ended`: the client is ready (column `readyAt`); without a session at once. This call may close it. */
  ready(slot: number): void;
  /** After `ended`: the far side has begun to end the connection (columns `end`, `endAt`); `freed` follows. */
  cut(slot: number): void;
  /**
   * The attempt's connection is finished: this call may reuse the slot at once. Not called while a connection is open.
   */
  freed(slot: number): void;
}

export interface AttemptsOptions {
  readonly columns: Columns;
  readonly requests: RequestSource;
  readonly destinations: readonly Destination[];
  readonly sourceIps: readonly string[];
  readonly secure: boolean;
  /** Where attempts wait until `released` is set. */
  readonly gate: Gate;
  readonly deadlines: Deadlines;
  readonly samples: Samples;
  readonly live: Int32Array;
  /** Look up each connection's local address and port: a system call that only the attempts' CSV needs. */
  readonly wantLocal: boolean;
  /** The user asked for resets: failed connections are closed with RST too, not as an ordinary client closes them. */
  readonly resetsAll: boolean;
  readonly events: AttemptEvents;
}

export class Attempts implements TransportEvents {
  /** The gate is open: attempts that reach it go through. */
  released = false;
  resumed = 0;
  /** Replies read so late that it is unknown whether they arrived within the deadline. */
  overdue = 0;
  readonly details = new Map<number, string>();
  readonly #options: AttemptsOptions;
  readonly #columns: Columns;
  /** Heads that arrived in several pieces; at most 64 KiB each. */
  readonly #partial = new Map<number, HeadReader>();
  readonly #requests: string[];
  readonly #accepts: string[];
  /** Replaces both when requests differ only by their key and the transport supports that. */
  readonly #keys: KeyColumn;
  readonly #known = new KnownUpgrade();
  #wire!: Wire;
  #stamping!: Stamping;
  #facts!: ConnectionFacts;
  #session!: Handover;

  constructor(options: AttemptsOptions) {
    this.#options = options;
    this.#columns = options.columns;
    this.#requests = new Array(options.columns.size).fill('');
    this.#accepts = new Array(options.columns.size).fill('');
    this.#keys = new KeyColumn(options.columns.size);
  }

  /**
   * Call before the first attempt, with the transport that carries connections and the session that takes them over at
   * their 101.
   */
  use({ wire, stamping, facts }: Transport, session: Handover): void {
    this.#wire = wire;
    this.#stamping = stamping;
    this.#facts = facts;
    this.#session = session;
  }

  /**
   * Builds the request of the client's attempt, so that the release only sends.
   * @param inOnePiece copies the text: a string made of parts would be flattened by the write, inside the release loop
   */
  prepare(slot: number, attempt: number, inOnePiece: boolean, client: number = attempt): void {
    this.#columns.attempt[slot] = attempt;
    this.#columns.client[slot] = client;
    const key = newKey();
    if (this.#wire.framesRequests) {
      this.#keys.put(slot, key);
      return;
    }
    const text = this.#options.requests.text(attempt, client, key);
    this.#requests[slot] = inOnePiece ? Buffer.from(text, 'latin1').toString('latin1') : text;
    this.#accepts[slot] = acceptFor(key);
  }

  /** Makes the first system call; the attempt must be prepared. */
  launch(slot: number): void {
    const { destinations, sourceIps } = this.#options;
    this.#columns.state[slot] = STATE.connecting;
    const { from, to } = routeOf(this.#columns.client[slot], sourceIps, destinations);
    this.#wire.connect(slot, to, from);
  }

  /** Lets a waiting attempt through the gate. */
  pass(slot: number): void {
    const state = this.#columns.state[slot];
    if (state === STATE.connected) this.#startTls(slot, now());
    else if (state === STATE.ready) this.#send(slot);
  }

  /** Ends an attempt that this machine could not start, or continue, in time. */
  giveUp(slot: number, at: number, detail: string): void {
    this.#fail(slot, CODE('local-other'), detail, at, at);
  }

  /** Ends an attempt from outside; with `code` null as the `timeout-…` of its phase. */
  expire(slot: number, at: number, code: number | null = null): void {
    const state = this.#columns.state[slot];
    // `freed` may start the next attempt in this slot: do nothing more for the old one.
    if (state === STATE.sampling) {
      this.#sampled(slot);
      return;
    }
    if (state === STATE.inSession) {
      if (code === null) this.#session.tick(slot);
      else this.#session.stop(slot);
      return;
    }
    if (this.#columns.outcome[slot] !== 0) return;
    const id =
      state <= STATE.connecting ? 'timeout-connect' : state <= STATE.securing ? 'timeout-tls' : 'timeout-upgrade';
    this.#fail(slot, code ?? CODE(id), null, at, at);
  }

  /** Ends an open connection: by a close frame, or by an RST. */
  close(slot: number, isClean: boolean): void {
    if (this.#columns.state[slot] === STATE.inSession) this.#session.close(slot, isClean);
  }

  /** The session reports that a connection is gone. */
  freed(slot: number): void {
    this.#columns.state[slot] = STATE.done;
    this.#options.events.freed(slot);
  }

  /** Resets what is still open in the slot. */
  discard(slot: number): void {
    if (this.#columns.state[slot] === STATE.sampling) this.#sampled(slot);
    this.close(slot, false);
    if (this.#columns.state[slot] === STATE.done) return;
    this.#columns.state[slot] = STATE.done;
    this.#options.deadlines.clear(slot);
    this.#wire.reset(slot);
  }

  // -- what the transport tells ------------------------------------------------------------------------------------

  onOpening(slot: number, at: number): void {
    // A second system call for the same attempt (with another local port) is still the same launch.
    if (!Number.isNaN(this.#columns.opened[slot])) return;
    this.#columns.opened[slot] = at;
    this.#options.live[LIVE.opened]++;
    if (!this.released) this.#options.deadlines.set(slot, at + this.#options.deadlines.timeoutMs);
  }

  onOpened(slot: number, at: number): void {
    this.#columns.callMs[slot] = at - this.#columns.opened[slot];
  }

  onConnect(slot: number, at: number, lower: number): void {
    const columns = this.#columns;
    if (columns.state[slot] !== STATE.connecting || this.#isTooLate(slot, at, lower)) return;
    columns.connected[slot] = at;
    columns.connectedLower[slot] = this.#after(slot, columns.opened[slot], at, lower);
    this.#askKernel(slot);
    if (this.#options.wantLocal) {
      columns.localPort[slot] = this.#facts.localPort(slot);
      columns.localAddress[slot] = this.#facts.localAddress(slot) ?? '';
    }
    if (!this.#options.secure) this.#atUpgradeGate(slot);
    else if (this.#options.gate === 'tls' && !this.released) this.#waitAtGate(slot, STATE.connected);
    else this.#startTls(slot, at);
  }

  onSecure(slot: number, at: number, lower: number): void {
    const columns = this.#columns;
    if (columns.state[slot] !== STATE.securing || this.#isTooLate(slot, at, lower)) return;
    columns.secured[slot] = at;
    columns.securedLower[slot] = this.#after(slot, columns.tlsStart[slot], at, lower);
    if (this.#facts.resumed(slot)) this.resumed++;
    this.#atUpgradeGate(slot);
  }

  onSent(slot: number, at: number): void {
    const columns = this.#columns;
    if (columns.state[slot] !== STATE.waiting) return;
    // If the packet left after the call, the network held it up (a shaper, a full window, a lost packet): that time
    // counts for the target.
    if (at > columns.sent[slot] && at <= columns.sent[slot] + columns.callMs[slot] + CLOCKS_DIFFER_MS)
      columns.sent[slot] = at;
  }

  onData(slot: number, bytes: Buffer, length: number, at: number, lower: number): void {
    switch (this.#columns.state[slot]) {
      case STATE.waiting:
        if (lower > this.#columns.deadline[slot]) {
          this.expire(slot, at);
          break;
        }
        if (Number.isNaN(this.#columns.first[slot])) this.#columns.first[slot] = at;
        this.#readAnswer(slot, bytes, length, at, lower);
        break;
      case STATE.inSession:
        this.#session.data(slot, bytes.subarray(0, length), at);
        break;
      case STATE.sampling:
        if (this.#options.samples.body(slot, bytes.subarray(0, length))) this.#sampled(slot);
        break;
      case STATE.ready:
        // A hop that stops waiting for a request says so (HAProxy's 408), so no reply is expected at the gate.
        if (Number.isNaN(this.#columns.first[slot])) this.#columns.first[slot] = at;
        this.#readAnswer(slot, bytes, length, at, lower);
        break;
      case STATE.connected:
        this.#fail(slot, CODE('malformed'), TOO_EARLY, at, lower);
        break;
    }
  }

  onEnd(slot: number, at: number, lower: number): void {
    switch (this.#columns.state[slot]) {
      case STATE.inSession:
        this.#session.ended(slot);
        break;
      case STATE.sampling:
        this.#sampled(slot);
        break;
      case STATE.done:
        break;
      default:
        if (lower > this.#columns.deadline[slot]) this.expire(slot, at);
        else this.#fail(slot, CODE('closed'), this.#whereItEnded(slot), at, lower);
    }
  }

  onError(slot: number, error: TransportError, at: number, lower: number): void {
    const state = this.#columns.state[slot];
    if (state >= STATE.sampling) {
      if (state === STATE.sampling) this.#sampled(slot);
      else if (state === STATE.inSession) this.#session.broke(slot, error);
      return;
    }
    if (Number.isNaN(this.#columns.opened[slot])) this.onOpening(slot, at);
    if (state <= STATE.connecting) {
      this.#fail(slot, CODE(connectOutcome(error.code, error.atOnce)), error.code, at, lower);
    } else if (error.tls) this.#fail(slot, CODE('tls'), error.code, at, lower);
    else if (error.code === 'ETIMEDOUT') this.#fail(slot, CODE('timeout-upgrade'), 'ETIMEDOUT', at, lower);
    // Out of memory means this machine, not the target, in any phase.
    else if (connectOutcome(error.code, false) === LOCAL_MEMORY)
      this.#fail(slot, CODE(LOCAL_MEMORY), error.code, at, lower);
    else this.#fail(slot, CODE(error.fin ? 'closed' : 'reset'), this.#whereItEnded(slot, error.code), at, lower);
  }

  // -- steps -------------------------------------------------------------------------------------------------------

  /**
   * The earliest possible end of a phase that began at `start`. The thread may have been delayed between the timestamp
   * and the packet, so the whole duration of the call is subtracted: `end - start` is then no longer than the time on
   * the wire. If the end is a kernel timestamp, it is exact and there is no lower bound.
   */
  #after(slot: number, start: number, at: number, lower: number): number {
    if (at === lower) return Math.max(start, lower);
    return Math.max(start, lower - this.#columns.callMs[slot]);
  }

  /** A step after the deadline ends the attempt; if it was only seen too late, that is not the target's fault. */
  #isTooLate(slot: number, at: number, lower: number): boolean {
    const late = at - this.#columns.deadline[slot];
    if (!(late > 0)) return false;
    if (lower > this.#columns.deadline[slot] || late <= LATE_MS) this.expire(slot, at);
    else this.giveUp(slot, at, 'this machine was held up past the deadline');
    return true;
  }

  #startTls(slot: number, at: number): void {
    this.#columns.state[slot] = STATE.securing;
    this.#columns.tlsStart[slot] = at;
    this.#wire.secure(slot);
    this.#columns.callMs[slot] = now() - at;
  }

  #atUpgradeGate(slot: number): void {
    if (this.#options.gate === 'upgrade' && !this.released) this.#waitAtGate(slot, STATE.ready);
    else this.#send(slot);
  }

  #waitAtGate(slot: number, state: number): void {
    this.#columns.state[slot] = state;
    this.#options.deadlines.clear(slot);
    this.#options.live[LIVE.armed]++;
    this.#options.events.armed(slot);
  }

  #send(slot: number): void {
    this.#columns.state[slot] = STATE.waiting;
    const text = this.#requests[slot];
    this.#requests[slot] = '';
    const at = now();
    this.#columns.sent[slot] = at;
    if (this.#keys.has(slot)) this.#wire.sendFramed(slot, this.#keys.bytes);
    else this.#wire.send(slot, text);
    this.#columns.callMs[slot] = now() - at;
  }

  #readAnswer(slot: number, bytes: Buffer, length: number, at: number, lower: number): void {
    const partial = this.#partial.get(slot);
    const isEarly = Number.isNaN(this.#columns.sent[slot]);
    if (partial === undefined && !isEarly && this.#known.matches(bytes, length, this.#acceptOf(slot))) {
      this.#columns.agreed[slot] = this.#known.agreed;
      this.#accept(slot, null, at, lower, NOTHING);
      return;
    }
    const { reading, all } = partial === undefined ? readWhole(bytes, length) : partial.read(bytes, length);
    if (reading.kind === 'more') {
      if (partial === undefined) this.#partial.set(slot, new HeadReader(all, reading.progress));
    } else if (reading.kind === 'malformed') {
      const detail = isEarly ? `${reading.detail}; ${TOO_EARLY}` : reading.detail;
      this.#fail(slot, CODE('malformed'), detail, at, lower, null, all);
    } else this.#judge(slot, reading.head, all, at, lower);
  }

  #judge(slot: number, head: Head, bytes: Buffer, at: number, lower: number): void {
    const isEarly = Number.isNaN(this.#columns.sent[slot]);
    const note = isEarly ? TOO_EARLY : head.bareLf ? 'bare LF as line end' : null;
    const rest = bytes.subarray(head.bodyAt);
    if (head.status !== STATUS_101) {
      this.#fail(slot, head.status, note, at, lower, head, rest);
      return;
    }
    const wrong = judgeUpgrade(
      head,
      this.#acceptOf(slot),
      this.#options.requests.offer(this.#columns.attempt[slot], this.#columns.client[slot]),
    );
    if (wrong !== null) {
      this.#fail(slot, CODE('invalid-101'), isEarly ? TOO_EARLY : wrong, at, lower, head, rest);
      return;
    }
    const agreed = agreedDeflate(head);
    this.#columns.agreed[slot] = agreed;
    if (this.#options.requests.isConstant && note === null && rest.length === 0) {
      this.#known.remember(bytes.toString('latin1'), this.#acceptOf(slot), agreed);
    }
    if (rest.length > 0) this.#stamping.limitFirstRead(head.bodyAt);
    this.#accept(slot, note, at, lower, rest);
  }

  #accept(slot: number, note: string | null, at: number, lower: number, rest: Buffer): void {
    this.#finish(slot, STATUS_101, note, at, lower);
    this.#columns.state[slot] = STATE.inSession;
    this.#partial.delete(slot);
    this.#options.events.ended(slot);
    this.#session.opened(slot, at);
    // `ready` may have closed the connection; only one that is still open can be in a session again.
    if (rest.length > 0 && this.#columns.state[slot] === STATE.inSession) this.#session.data(slot, rest, at);
  }

  #acceptOf(slot: number): string {
    if (this.#keys.has(slot)) this.#accepts[slot] = acceptFor(this.#keys.take(slot));
    return this.#accepts[slot];
  }

  #finish(slot: number, code: number, detail: string | null, at: number, lower: number): void {
    const columns = this.#columns;
    if (code < NAMED_BASE && at - columns.deadline[slot] > LATE_MS) this.overdue++;
    columns.outcome[slot] = code;
    columns.done[slot] = at;
    columns.doneLower[slot] = Math.min(
      at,
      Number.isNaN(columns.sent[slot]) ? lower : this.#after(slot, columns.sent[slot], at, lower),
    );
    if (code !== STATUS_101 || at - columns.sent[slot] > FASTEST_RETRANSMIT_MS) this.#askKernel(slot);
    this.#requests[slot] = '';
    this.#accepts[slot] = '';
    this.#keys.forget(slot);
    if (detail !== null) this.details.set(slot, detail);
    this.#options.deadlines.clear(slot);
    // The order matters: a reader that sees `ended` must find an outcome for each of them (live.ts).
    this.#options.live[liveOutcome(code)]++;
    this.#options.live[LIVE.ended]++;
  }

  #fail(
    slot: number,
    code: number,
    detail: string | null,
    at: number,
    lower: number,
    head: Head | null = null,
    rest: Buffer | null = null,
  ): void {
    this.#finish(slot, code, detail, at, lower);
    // Half a response tells more about what failed than none.
    const bytes = rest ?? this.#partial.get(slot)?.bytes ?? null;
    this.#partial.delete(slot);
    const answer = head === null ? null : { head, body: new Body(head) };
    if (this.#options.samples.take(slot, code, detail, answer, bytes)) {
      this.#columns.state[slot] = STATE.sampling;
      this.#options.deadlines.set(slot, at + this.#options.samples.patienceMs);
      this.#options.events.ended(slot);
      return;
    }
    this.#letGo(slot, answer?.body ?? null);
    this.#options.events.ended(slot);
    this.#options.events.freed(slot);
  }

  #sampled(slot: number): void {
    this.#letGo(slot, this.#options.samples.finish(slot));
    this.#options.events.freed(slot);
  }

  /**
   * Some servers crash when an RST answers their refusal, so a failed connection is closed as an ordinary client closes
   * it. The transport finishes that on its own: the slot is free.
   */
  #letGo(slot: number, body: Body | null): void {
    this.#columns.state[slot] = STATE.done;
    this.#options.deadlines.clear(slot);
    if (this.#options.resetsAll) this.#wire.reset(slot);
    else this.#wire.leave(slot, body);
  }

  #askKernel(slot: number): void {
    const facts = this.#facts.tcpFacts(slot);
    if (facts === null) return;
    this.#columns.synRetransmits[slot] = facts.synRetransmits;
    this.#columns.retransmits[slot] = facts.retransmits;
    this.#columns.rttMs[slot] = facts.rttMs;
  }

  #whereItEnded(slot: number, errno = 'ECONNRESET'): string | null {
    return whereItEnded(this.#columns.state[slot], this.#partial.get(slot)?.length ?? null, errno);
  }
}
