/**
 * The life of an attempt, from its first system call to its one outcome, for any transport. It owns the state machine,
 * the phases' times, the deadline and the classification by raw event and phase. When an attempt may start, what waits
 * at the gate and what follows an outcome is decided by whoever drives it (burst-shard.ts, churn-shard.ts).
 */

import { NAMED_BASE, type NamedOutcomeId, outcomeCode } from '../../names/outcomes.js';
import type { Gate } from '../../plan/plan.js';
import { now } from '../machine/clock.js';
import { closeFrame, FrameReader } from '../protocol/frames.js';
import { HeadReader, readWhole } from '../protocol/head-reader.js';
import { KeyColumn } from '../protocol/key-column.js';
import { acceptFor, newKey } from '../protocol/request.js';
import { type Head, judgeUpgrade, KnownUpgrade } from '../protocol/response.js';
import { LIVE, liveOutcome } from '../threads/shared-memory.js';
import type { Destination, Transport, TransportError, TransportEvents } from '../transport/transport.js';
import { type Columns, STATE } from './columns.js';
import { connectOutcome } from './connect-outcome.js';
import type { Deadlines } from './deadlines.js';
import type { RequestSource } from './request-source.js';
import type { Samples } from './samples.js';

const STATUS_101 = 101;
const CODE = (id: NamedOutcomeId): number => outcomeCode(id);

/** What is still open this long after its close frame is reset. */
export const CLOSE_GRACE_MS = 2000;

/** An event seen this long after its attempt's deadline, which may have come before it, is the generator's doing. */
const LATE_MS = 50;

/** TCP_RTO_MIN: nothing that is answered sooner can have been sent twice. */
const FASTEST_RETRANSMIT_MS = 200;

/** Stamps of the kernel are read on another clock, whose offset is known to some µs. */
const CLOCKS_DIFFER_MS = 0.05;

const LOCAL_MEMORY: NamedOutcomeId = 'local-memory';

/** What the driver of a shard is told. */
export interface AttemptEvents {
  /** The attempt has reached the gate and waits. */
  armed(slot: number): void;
  /** The attempt has its outcome (columns `outcome`, `done`, `doneLower`). Called once. */
  ended(slot: number): void;
  /** The attempt's connection is of no more use: its slot may be reused. Not called for attempts that are held. */
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
  /** Look up each connection's local address and port: a system call that only the attempts' CSV is worth. */
  readonly wantLocal: boolean;
  readonly events: AttemptEvents;
}

export class Attempts implements TransportEvents {
  transport!: Transport;
  /** The gate is open: what reaches it goes through. */
  released = false;
  lostWhileHeld = 0;
  resumed = 0;
  /** Answers read so late that nobody can tell whether they came within the deadline. */
  overdue = 0;
  readonly details = new Map<number, string>();
  readonly #options: AttemptsOptions;
  readonly #columns: Columns;
  /** Heads that did not come in one piece; at most 64 KiB each. */
  readonly #partial = new Map<number, HeadReader>();
  readonly #readers = new Map<number, FrameReader>();
  readonly #requests: string[];
  readonly #accepts: string[];
  /** In place of both where requests differ by their key alone and the transport can make use of that. */
  readonly #keys: KeyColumn;
  readonly #known = new KnownUpgrade();
  #isClosing = false;

  constructor(options: AttemptsOptions) {
    this.#options = options;
    this.#columns = options.columns;
    this.#requests = new Array(options.columns.size).fill('');
    this.#accepts = new Array(options.columns.size).fill('');
    this.#keys = new KeyColumn(options.columns.size);
  }

  /**
   * Builds what the attempt will send, so that the release only sends.
   * @param inOnePiece copies the text: one put together from parts would be flattened by the write, in the release loop
   */
  prepare(slot: number, attempt: number, inOnePiece: boolean): void {
    this.#columns.attempt[slot] = attempt;
    const key = newKey();
    if (this.transport.framesRequests) {
      this.#keys.put(slot, key);
      return;
    }
    const text = this.#options.requests.text(attempt, key);
    this.#requests[slot] = inOnePiece ? Buffer.from(text, 'latin1').toString('latin1') : text;
    this.#accepts[slot] = acceptFor(key);
  }

  /** First system call; the attempt must be prepared. */
  launch(slot: number): void {
    const { destinations, sourceIps } = this.#options;
    const attempt = this.#columns.attempt[slot];
    this.#columns.state[slot] = STATE.connecting;
    const source = sourceIps.length === 0 ? null : sourceIps[attempt % sourceIps.length];
    this.transport.connect(slot, destinations[attempt % destinations.length], source);
  }

  /** Lets an attempt through the gate at which it waits. */
  pass(slot: number): void {
    const state = this.#columns.state[slot];
    if (state === STATE.connected) this.#startTls(slot, now());
    else if (state === STATE.ready) this.#send(slot);
  }

  /** Ends an attempt that this machine could not begin, or go on with, in time. */
  giveUp(slot: number, at: number, detail: string): void {
    this.#fail(slot, CODE('local-other'), detail, at, at);
  }

  /** Ends an attempt from outside: `timeout-…` by its phase when `code` is null. */
  expire(slot: number, at: number, code: number | null = null): void {
    const state = this.#columns.state[slot];
    // What is told of a slot that is freed may put the next attempt into it: nothing more is done for the one before.
    if (state === STATE.sampling) {
      this.#sampled(slot);
      return;
    }
    if (state === STATE.closing) {
      this.#free(slot);
      return;
    }
    if (this.#columns.outcome[slot] !== 0) return;
    const id =
      state <= STATE.connecting ? 'timeout-connect' : state <= STATE.securing ? 'timeout-tls' : 'timeout-upgrade';
    this.#fail(slot, code ?? CODE(id), null, at, at);
  }

  /** Sends a close frame on a held connection, or resets it. */
  close(slot: number, isClean: boolean): void {
    this.#isClosing = true;
    const state = this.#columns.state[slot];
    if (state === STATE.closing && !isClean) this.#drop(slot);
    if (state !== STATE.held) return;
    if (isClean) {
      this.#columns.state[slot] = STATE.closing;
      this.#options.deadlines.set(slot, now() + CLOSE_GRACE_MS);
      this.transport.sendBytes(slot, closeFrame(1000));
    } else this.#drop(slot);
  }

  /** Resets whatever the slot still has open. */
  discard(slot: number): void {
    if (this.#columns.state[slot] === STATE.sampling) this.#sampled(slot);
    if (this.#columns.state[slot] !== STATE.done) this.#drop(slot);
  }

  // -- what the transport tells ------------------------------------------------------------------------------------

  onOpening(slot: number, at: number): void {
    // A second system call for the same attempt (another local port) is still the same launch.
    if (!Number.isNaN(this.#columns.opened[slot])) return;
    this.#columns.opened[slot] = at;
    this.#options.live[LIVE.opened]++;
    if (!this.released) this.#options.deadlines.set(slot, at + this.#options.deadlines.timeoutMs);
  }

  onOpened(slot: number, at: number): void {
    this.#columns.callMs[slot] = at - this.#columns.opened[slot];
  }

  onConnect(slot: number, at: number, lower: number): void {
    const c = this.#columns;
    if (c.state[slot] !== STATE.connecting || this.#isTooLate(slot, at, lower)) return;
    c.connected[slot] = at;
    c.connectedLower[slot] = this.#after(slot, c.opened[slot], at, lower);
    this.#askKernel(slot);
    if (this.#options.wantLocal) {
      c.localPort[slot] = this.transport.localPort(slot);
      c.localAddress[slot] = this.transport.localAddress(slot) ?? '';
    }
    if (!this.#options.secure) this.#atUpgradeGate(slot);
    else if (this.#options.gate === 'tls' && !this.released) this.#waitAtGate(slot, STATE.connected);
    else this.#startTls(slot, at);
  }

  onSecure(slot: number, at: number, lower: number): void {
    const c = this.#columns;
    if (c.state[slot] !== STATE.securing || this.#isTooLate(slot, at, lower)) return;
    c.secured[slot] = at;
    c.securedLower[slot] = this.#after(slot, c.tlsStart[slot], at, lower);
    if (this.transport.resumed(slot)) this.resumed++;
    this.#atUpgradeGate(slot);
  }

  onSent(slot: number, at: number): void {
    const c = this.#columns;
    if (c.state[slot] !== STATE.waiting) return;
    // What left later was held up by the network (a shaper, a full window, a lost packet), and that counts for the target.
    if (at > c.sent[slot] && at <= c.sent[slot] + c.callMs[slot] + CLOCKS_DIFFER_MS) c.sent[slot] = at;
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
      case STATE.held:
        this.#readFrames(slot, bytes.subarray(0, length));
        break;
      case STATE.sampling:
        if (this.#options.samples.body(slot, bytes.subarray(0, length))) this.#sampled(slot);
        break;
      case STATE.connected:
      case STATE.ready:
        this.#fail(slot, CODE('malformed'), 'bytes before the request was sent', at, lower);
        break;
    }
  }

  onEnd(slot: number, at: number, lower: number): void {
    switch (this.#columns.state[slot]) {
      case STATE.held:
        this.#lose(slot);
        this.#leave(slot);
        break;
      case STATE.closing:
        this.#leave(slot);
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
    if (state === STATE.held) this.#lose(slot);
    if (state >= STATE.held) {
      if (state === STATE.sampling) this.#sampled(slot);
      else if (state !== STATE.done) this.#free(slot);
      return;
    }
    if (Number.isNaN(this.#columns.opened[slot])) this.onOpening(slot, at);
    if (state <= STATE.connecting) {
      this.#fail(slot, CODE(connectOutcome(error.code)), error.code, at, lower);
    } else if (error.tls) this.#fail(slot, CODE('tls'), error.code, at, lower);
    else if (error.code === 'ETIMEDOUT') this.#fail(slot, CODE('timeout-upgrade'), 'ETIMEDOUT', at, lower);
    // Short of memory is this machine, not the far side, however far the attempt has come.
    else if (connectOutcome(error.code) === LOCAL_MEMORY) this.#fail(slot, CODE(LOCAL_MEMORY), error.code, at, lower);
    else this.#fail(slot, CODE(error.fin ? 'closed' : 'reset'), this.#whereItEnded(slot), at, lower);
  }

  // -- steps -------------------------------------------------------------------------------------------------------

  /**
   * The earliest end of a phase that began at `start`. The thread may have been held up between the stamp and the packet,
   * so the whole duration of the call is taken off: `end - start` is then no more than what passed on the wire. Where the
   * end is the kernel's own stamp there is one time and no bound.
   */
  #after(slot: number, start: number, at: number, lower: number): number {
    if (at === lower) return Math.max(start, lower);
    return Math.max(start, lower - this.#columns.callMs[slot]);
  }

  /** A step that came after the deadline ends the attempt; one that was merely seen too late is not the target's doing. */
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
    this.transport.secure(slot);
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
    if (this.#keys.has(slot)) this.transport.sendFramed(slot, this.#keys.bytes);
    else this.transport.send(slot, text);
    this.#columns.callMs[slot] = now() - at;
  }

  #readAnswer(slot: number, bytes: Buffer, length: number, at: number, lower: number): void {
    const partial = this.#partial.get(slot);
    if (partial === undefined && this.#known.matches(bytes, length, this.#acceptOf(slot))) {
      this.#accept(slot, null, at, lower);
      return;
    }
    const { reading, all } = partial === undefined ? readWhole(bytes, length) : partial.read(bytes, length);
    if (reading.kind === 'more') {
      if (partial === undefined) this.#partial.set(slot, new HeadReader(all, reading.progress));
    } else if (reading.kind === 'malformed') {
      this.#fail(slot, CODE('malformed'), reading.detail, at, lower, null, all);
    } else this.#judge(slot, reading.head, all, at, lower);
  }

  #judge(slot: number, head: Head, bytes: Buffer, at: number, lower: number): void {
    const note = head.bareLf ? 'bare LF as line end' : null;
    const rest = bytes.subarray(head.bodyAt);
    if (head.status !== STATUS_101) {
      this.#fail(slot, head.status, note, at, lower, head, rest);
      return;
    }
    const wrong = judgeUpgrade(head, this.#acceptOf(slot), this.#options.requests.offer(this.#columns.attempt[slot]));
    if (wrong !== null) {
      this.#fail(slot, CODE('invalid-101'), wrong, at, lower, head, rest);
      return;
    }
    if (this.#options.requests.isConstant && note === null && rest.length === 0) {
      this.#known.remember(bytes.toString('latin1'), this.#acceptOf(slot));
    }
    if (rest.length > 0) this.transport.limitFirstRead(head.bodyAt);
    this.#accept(slot, note, at, lower);
    if (rest.length > 0 && this.#columns.state[slot] === STATE.held) this.#readFrames(slot, rest);
  }

  #accept(slot: number, note: string | null, at: number, lower: number): void {
    this.#finish(slot, STATUS_101, note, at, lower);
    this.#columns.state[slot] = STATE.held;
    this.#partial.delete(slot);
    this.#options.events.ended(slot);
  }

  #acceptOf(slot: number): string {
    if (this.#keys.has(slot)) this.#accepts[slot] = acceptFor(this.#keys.take(slot));
    return this.#accepts[slot];
  }

  #finish(slot: number, code: number, detail: string | null, at: number, lower: number): void {
    const c = this.#columns;
    if (code < NAMED_BASE && at - c.deadline[slot] > LATE_MS) this.overdue++;
    c.outcome[slot] = code;
    c.done[slot] = at;
    c.doneLower[slot] = Math.min(at, Number.isNaN(c.sent[slot]) ? lower : this.#after(slot, c.sent[slot], at, lower));
    if (code !== STATUS_101 || at - c.sent[slot] > FASTEST_RETRANSMIT_MS) this.#askKernel(slot);
    this.#requests[slot] = '';
    this.#accepts[slot] = '';
    this.#keys.forget(slot);
    if (detail !== null) this.details.set(slot, detail);
    this.#options.deadlines.clear(slot);
    // In this order: whoever reads `ended` first finds an outcome for each of them (live.ts).
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
    // Half an answer says more about who died than none.
    const bytes = rest ?? this.#partial.get(slot)?.bytes ?? null;
    this.#partial.delete(slot);
    if (this.#options.samples.take(slot, code, detail, head, bytes)) {
      this.#columns.state[slot] = STATE.sampling;
      this.#options.deadlines.set(slot, at + this.#options.samples.patienceMs);
      this.#options.events.ended(slot);
      return;
    }
    this.#columns.state[slot] = STATE.done;
    this.transport.reset(slot);
    this.#options.events.ended(slot);
    this.#options.events.freed(slot);
  }

  #sampled(slot: number): void {
    this.#options.samples.finish(slot);
    this.#free(slot);
  }

  #readFrames(slot: number, bytes: Uint8Array): void {
    let reader = this.#readers.get(slot);
    if (reader === undefined) {
      const { deflate } = this.#options.requests.offer(this.#columns.attempt[slot]);
      reader = new FrameReader(deflate, {
        reply: (pong) => {
          if (this.#columns.state[slot] === STATE.held) this.transport.sendBytes(slot, pong);
        },
        concluded: (code) => {
          if (this.#columns.state[slot] !== STATE.held) return;
          this.#lose(slot);
          this.#columns.state[slot] = STATE.closing;
          this.transport.sendBytes(slot, closeFrame(code === 1005 ? 1000 : code));
        },
      });
      this.#readers.set(slot, reader);
    }
    reader.read(bytes);
  }

  /** A 101 stays a 101; that the far side let go of it is counted beside. */
  #lose(slot: number): void {
    if (!this.#isClosing) this.lostWhileHeld++;
    this.#readers.delete(slot);
  }

  #leave(slot: number): void {
    this.#columns.state[slot] = STATE.done;
    this.#options.deadlines.clear(slot);
    this.#readers.delete(slot);
    this.transport.leave(slot);
    this.#options.events.freed(slot);
  }

  /** As `#drop`, and says that the slot may be used again. */
  #free(slot: number): void {
    this.#drop(slot);
    this.#options.events.freed(slot);
  }

  #drop(slot: number): void {
    this.#columns.state[slot] = STATE.done;
    this.#readers.delete(slot);
    this.#options.deadlines.clear(slot);
    this.transport.reset(slot);
  }

  #askKernel(slot: number): void {
    const facts = this.transport.tcpFacts(slot);
    if (facts === null) return;
    this.#columns.synRetransmits[slot] = facts.synRetransmits;
    this.#columns.retransmits[slot] = facts.retransmits;
    this.#columns.rttMs[slot] = facts.rttMs;
  }

  #whereItEnded(slot: number): string | null {
    const state = this.#columns.state[slot];
    if (state === STATE.securing) return 'during the TLS handshake';
    if (state === STATE.connected || state === STATE.ready) return 'before the release';
    const partial = this.#partial.get(slot);
    return partial === undefined ? null : `after ${partial.length} bytes of an incomplete head`;
  }
}
