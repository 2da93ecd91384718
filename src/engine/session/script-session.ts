/**
 * A session with steps (plan/session): what each client sends, waits for and answers after its 101, and when it is
 * ready. Every message goes to the step that waits; `when` rules answer and `every` timers go on meanwhile. The state of
 * a connection is a row of numbers, and one timer (the shard's deadlines) serves all of them.
 */
import { closedWith, END } from '../../names/ends.js';
import type { Inputs, Plan } from '../../plan/plan.js';
import { randomAt } from '../../plan/random.js';
import {
  type CompiledScript,
  type CompiledStanding,
  type CompiledStep,
  compileScript,
} from '../../plan/session/compiled-script.js';
import { ReceivedMessage } from '../../plan/session/received-message.js';
import type { SessionClose } from '../../plan/session/session-script.js';
import { now } from '../machine/clock.js';
import { messageFrame, pingFrame } from '../protocol/frames.js';
import type { TransportError } from '../transport/transport.js';
import { MOST_SAID_BYTES, type SaidOfEnd, type Session, type SessionGround } from './session.js';
import { NORMAL_CLOSURE, Tunnels } from './tunnels.js';

type When = Extract<CompiledStanding, { kind: 'when' }>;
type Every = Extract<CompiledStanding, { kind: 'every' }>;
type Expect = Extract<CompiledStep, { kind: 'expect' }>;

type Captured = Readonly<Record<string, string>>;

/** What a connection waits for. */
const WAIT = { none: 0, message: 1, hold: 2 } as const;
/** Separates the phases of timers from other random values of the same attempt. */
const PHASE_LANE = 3000;
/** Connections whose last unwanted message is kept, so that a time-out can tell what came in place of the expected one. */
const MOST_LAST = 64;
const NOTHING_CAPTURED: Captured = Object.freeze({});

export class ScriptSession implements Session {
  sent = 0;
  skipped = 0;
  busy = 0;
  onQuiet: (() => void) | null = null;
  readonly #ground: SessionGround;
  readonly #script: CompiledScript;
  readonly #whens: readonly When[];
  readonly #timers: readonly Every[];
  readonly #seed: number;
  readonly #tunnels: Tunnels;
  /** Index of the current step: that many are done. */
  readonly #step: Uint16Array;
  readonly #waits: Uint8Array;
  /** The end of what the current step waits for, ms on the clock of `now()`. */
  readonly #dueAt: Float64Array;
  /** Next beat of each timer of each slot. */
  readonly #beatAt: Float64Array;
  readonly #captured = new Map<number, Captured>();
  readonly #last = new Map<number, Buffer>();
  /** Binary messages that are the beginning of what is waited for. */
  readonly #begun = new Map<number, Buffer>();
  /** One object for all calls: who sends or waits. */
  readonly #context = { index: 0, client: 0, captured: NOTHING_CAPTURED };
  readonly #told: (message: Uint8Array | null) => void;
  /** When the bytes that are being read came. */
  #at = Number.NaN;

  /** @param done told of each step that is done, in order, with the message that it waited for */
  constructor(
    ground: SessionGround,
    plan: Plan,
    inputs: Inputs,
    done: (message: Uint8Array | null) => void = () => {},
  ) {
    this.#told = done;
    const { script } = plan.session;
    if (script === null) throw new Error('a session without a script');
    this.#ground = ground;
    this.#seed = plan.seed;
    this.#script = compileScript(script, plan, inputs);
    const { standing } = this.#script;
    this.#whens = standing.filter((rule) => rule.kind === 'when');
    this.#timers = standing.filter((rule) => rule.kind === 'every');
    this.#step = new Uint16Array(ground.slots);
    this.#waits = new Uint8Array(ground.slots);
    this.#dueAt = new Float64Array(ground.slots).fill(Number.POSITIVE_INFINITY);
    this.#beatAt = new Float64Array(ground.slots * this.#timers.length).fill(Number.POSITIVE_INFINITY);
    const events = {
      message: (slot: number, bytes: Uint8Array, isText: boolean, isWhole: boolean) =>
        this.#message(slot, bytes, isText, isWhole),
      over: (slot: number) => this.#over(slot),
      cut: (slot: number, end: number, words: Uint8Array) => ground.said(slot, end, () => this.#said(slot, words)),
    };
    const readsContents = this.#whens.length > 0 || this.#script.steps.some(({ kind }) => kind === 'expect');
    this.#tunnels = new Tunnels(ground, events, { readsContents, hasGrace: true });
  }

  get lost(): number {
    return this.#tunnels.lost;
  }

  get received(): number {
    return this.#tunnels.received;
  }

  secrets(slot: number): readonly string[] {
    return this.#script.secrets(this.#contextOf(slot));
  }

  opened(slot: number, at: number): void {
    this.#tunnels.open(slot);
    this.#step[slot] = 0;
    this.#advance(slot, at);
  }

  data(slot: number, bytes: Uint8Array, at: number): void {
    this.#at = at;
    this.#tunnels.data(slot, bytes, at);
  }

  ended(slot: number): void {
    this.#tunnels.ended(slot);
  }

  broke(slot: number, error: TransportError): void {
    this.#tunnels.broke(slot, error);
  }

  stop(slot: number): void {
    this.#tunnels.stop(slot);
  }

  close(slot: number, isClean: boolean): void {
    // A client that is not ready is given up by this side: it was neither served nor refused.
    if (this.#tunnels.isOpen(slot) && !this.#isReady(slot)) this.#tunnels.note(slot, END.aborted);
    this.#tunnels.close(slot, isClean);
  }

  tick(slot: number): void {
    if (!this.#tunnels.isOpen(slot)) {
      this.#tunnels.tick(slot);
      return;
    }
    const at = now();
    this.#beat(slot, at);
    if (!this.#tunnels.isOpen(slot)) return;
    if (this.#dueAt[slot] > at) this.#arm(slot);
    else if (this.#waits[slot] === WAIT.message) this.#unanswered(slot);
    else {
      this.#done(slot);
      this.#advance(slot, at);
    }
  }

  /** Goes through the steps up to one that waits. `at`: the moment that led here. */
  #advance(slot: number, at: number): void {
    while (this.#tunnels.isOpen(slot)) {
      const step = this.#script.steps[this.#step[slot]];
      this.#startTimers(slot);
      switch (step?.kind) {
        case 'send':
          this.#send(slot, step.payload);
          this.#step[slot]++;
          this.#told(null);
          break;
        case 'expect':
          this.#wait(slot, WAIT.message, now() + this.#script.messageTimeoutMs);
          return;
        case 'hold':
          this.#wait(slot, WAIT.hold, at + step.holdMs);
          this.#ready(slot, at);
          return;
        case 'close':
          this.#ready(slot, at);
          if (this.#tunnels.isOpen(slot)) this.#close(slot, step.close);
          return;
        case undefined:
          // The steps end with a hold: it is over. Otherwise the connection stays open until the load is.
          if (this.#isReady(slot)) this.#close(slot, this.#ground.resets ? 'abort' : NORMAL_CLOSURE);
          else {
            this.#arm(slot);
            this.#ready(slot, at);
          }
          return;
      }
    }
  }

  #isReady(slot: number): boolean {
    return !Number.isNaN(this.#ground.ends.readyAt[slot]);
  }

  /** The call may close the connection. */
  #ready(slot: number, at: number): void {
    if (this.#isReady(slot)) return;
    this.#ground.ends.readyAt[slot] = at;
    this.#ground.ready(slot);
  }

  #wait(slot: number, kind: number, until: number): void {
    this.#waits[slot] = kind;
    this.#dueAt[slot] = until;
    this.busy++;
    this.#arm(slot);
  }

  /** The step that waited is over. */
  #done(slot: number): void {
    this.#notWaiting(slot);
    this.#last.delete(slot);
    this.#step[slot]++;
  }

  #notWaiting(slot: number): void {
    if (this.#waits[slot] === WAIT.none) return;
    this.#waits[slot] = WAIT.none;
    this.#dueAt[slot] = Number.POSITIVE_INFINITY;
    if (--this.busy === 0) this.onQuiet?.();
  }

  /** One deadline for what the step waits for and all timers. */
  #arm(slot: number): void {
    const timers = this.#timers.length;
    let next = this.#dueAt[slot];
    for (let i = slot * timers; i < (slot + 1) * timers; i++) if (this.#beatAt[i] < next) next = this.#beatAt[i];
    if (next < Number.POSITIVE_INFINITY) this.#ground.deadlines.set(slot, next);
    else this.#ground.deadlines.clear(slot);
  }

  /** Starts the timers that stand before the current step, each at a phase of its own. */
  #startTimers(slot: number): void {
    for (const [i, { from, everyMs }] of this.#timers.entries()) {
      if (from !== this.#step[slot]) continue;
      const phase = randomAt(this.#seed, this.#ground.indexOf(slot), PHASE_LANE + i);
      this.#beatAt[slot * this.#timers.length + i] = now() + phase * everyMs;
    }
  }

  /** Sends what is due. After a stall missed beats are left out: they would all come at once. */
  #beat(slot: number, at: number): void {
    for (const [i, { everyMs, send }] of this.#timers.entries()) {
      const place = slot * this.#timers.length + i;
      if (this.#beatAt[place] > at) continue;
      this.#beatAt[place] += everyMs * (1 + Math.floor((at - this.#beatAt[place]) / everyMs));
      this.#send(slot, send);
    }
  }

  #contextOf(slot: number) {
    this.#context.index = this.#ground.indexOf(slot);
    this.#context.client = this.#ground.clientOf(slot);
    this.#context.captured = this.#captured.get(slot) ?? NOTHING_CAPTURED;
    return this.#context;
  }

  #send(slot: number, payload: Every['send']): void {
    if (!this.#tunnels.isOpen(slot)) return;
    const bytes = payload.bytes(this.#contextOf(slot));
    const isPing = payload.kind === 'ping';
    const agreed = this.#ground.ends.agreed[slot];
    const frame = isPing ? pingFrame(bytes) : messageFrame(bytes, payload.kind === 'text', agreed);
    if (!this.#tunnels.send(slot, frame)) {
      const step = `send ${payload.words}: the target reads nothing`;
      this.#end(slot, END.timeoutMessage, 'abort', () => ({ words: null, step, message: null }));
    } else if (!isPing) this.sent++;
  }

  #message(slot: number, bytes: Uint8Array, isText: boolean, isWhole: boolean): void {
    const step = this.#waits[slot] === WAIT.message ? (this.#script.steps[this.#step[slot]] as Expect) : null;
    if (step === null && this.#whens.length === 0) return;
    const view = this.#joined(slot, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), isText);
    const message = new ReceivedMessage(view, isText, isWhole);
    const isAnswered = this.#answer(slot, message);
    if (!this.#tunnels.isOpen(slot)) return;
    const context = this.#contextOf(slot);
    if (step?.match.test(message, context) === true) {
      if (step.capture !== null) {
        this.#captured.set(slot, { ...context.captured, ...step.capture(message, context) });
      }
      const { messageAt } = this.#ground.ends;
      if (Number.isNaN(messageAt[slot])) messageAt[slot] = this.#at;
      this.#told(view);
      this.#done(slot);
      this.#advance(slot, this.#at);
    } else if (!isAnswered && !this.#keepsBeginning(slot, message, step) && step !== null) {
      this.skipped++;
      this.#keepLast(slot, view);
    }
  }

  /** Behind the beginning of a packet: MQTT's are a stream whose pieces are messages (MQTT 3.1.1 section 6). */
  #joined(slot: number, bytes: Buffer, isText: boolean): Buffer {
    const begun = this.#begun.get(slot);
    if (begun === undefined) return bytes;
    this.#begun.delete(slot);
    return isText ? bytes : Buffer.concat([begun, bytes]);
  }

  /** Whether the step or a rule may want it together with what comes next. It is shorter than what they want. */
  #keepsBeginning(slot: number, message: ReceivedMessage, step: Expect | null): boolean {
    const isBegun =
      step?.match.isBegunBy(message) === true ||
      this.#whens.some(({ from, match }) => from <= this.#step[slot] && match.isBegunBy(message));
    // A copy: the bytes are those of a buffer that is used again.
    if (isBegun) this.#begun.set(slot, Buffer.from(message.bytes));
    return isBegun;
  }

  /** By every rule that holds at this step; one of them may end the connection. @returns whether one wanted the message */
  #answer(slot: number, message: ReceivedMessage): boolean {
    let isAnswered = false;
    for (const rule of this.#whens) {
      if (rule.from > this.#step[slot] || !rule.match.test(message, this.#contextOf(slot))) continue;
      isAnswered = true;
      if (rule.send !== null) this.#send(slot, rule.send);
      if (rule.close === null) continue;
      const step = `when ${rule.match.words}`;
      this.#end(slot, END.rejected, rule.close, () => ({ words: null, step, message: message.bytes }));
      return true;
    }
    return isAnswered;
  }

  #keepLast(slot: number, bytes: Buffer): void {
    if (this.#last.size >= MOST_LAST && !this.#last.has(slot)) return;
    this.#last.set(slot, Buffer.from(bytes.subarray(0, MOST_SAID_BYTES)));
  }

  #unanswered(slot: number): void {
    const close = this.#ground.resets ? 'abort' : NORMAL_CLOSURE;
    this.#end(slot, END.timeoutMessage, close, () => this.#said(slot, null));
  }

  #said(slot: number, words: Uint8Array | null): SaidOfEnd {
    return { words, step: this.#stepWords(slot), message: this.#last.get(slot) ?? null };
  }

  /** `expect #2 {"type":"welcome"}`; null: the connection waits for no message. */
  #stepWords(slot: number): string | null {
    if (this.#waits[slot] !== WAIT.message) return null;
    const { steps } = this.#script;
    const step = steps[this.#step[slot]] as Expect;
    const place = steps.slice(0, this.#step[slot] + 1).filter(({ kind }) => kind === 'expect').length;
    return `expect #${place} ${step.match.words}`;
  }

  /** Ends a connection that this side can't go on with. */
  #end(slot: number, end: number, close: SessionClose, said: () => SaidOfEnd): void {
    this.#ground.said(slot, end, said);
    this.#tunnels.end(slot, end, close);
  }

  #close(slot: number, close: SessionClose): void {
    this.#tunnels.end(slot, close === 'abort' ? END.closedByReset : closedWith(close), close);
  }

  #over(slot: number): void {
    this.#notWaiting(slot);
    this.#captured.delete(slot);
    this.#last.delete(slot);
    this.#begun.delete(slot);
    const timers = this.#timers.length;
    if (timers > 0) this.#beatAt.fill(Number.POSITIVE_INFINITY, slot * timers, (slot + 1) * timers);
  }
}
