/**
 * What every kind of shard needs, built in one place: columns, transport, deadlines, the attempts and their session,
 * samples, recorder, and the observer of garbage collections.
 */
import { type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { rowNumber } from '../../plan/attempt-texts.js';
import { type Masking, maskingOf } from '../../plan/masking.js';
import { loadOf } from '../../plan/stages/kinds.js';
import type { Tally } from '../../tally/tally.js';
import { type AttemptEvents, Attempts } from '../attempt/attempts.js';
import { Columns } from '../attempt/columns.js';
import { Deadlines } from '../attempt/deadlines.js';
import { Recorder, type RecorderOptions } from '../attempt/recorder.js';
import { RequestSource } from '../attempt/request-source.js';
import { Samples } from '../attempt/samples.js';
import { now, toMicros } from '../machine/clock.js';
import { waitFor } from '../machine/wait.js';
import type { RequestFrame } from '../protocol/request.js';
import { HoldSession } from '../session/hold-session.js';
import { CLOSE_GRACE_MS, type SaidOfEnd, type Session, type SessionGround } from '../session/session.js';
import { EpollTransport } from '../transport/epoll/epoll-transport.js';
import { NodeTransport } from '../transport/node-transport.js';
import type { Stamping, Transport, TransportEvents, Wire } from '../transport/transport.js';
import { EndReasons } from './end-reasons.js';
import type { ShardContext, ShardReport } from './shard.js';

/** Turns of the event loop in which what has arrived is read: an end may stand behind data, and both behind others. */
const LEAST_TURNS = 3;
const MOST_TURNS = 1000;

export type GeneratorFacts = Pick<ShardReport, 'longestGapMs' | 'clockStepMs' | 'gcPauses' | 'gcMaxMs' | 'tlsResumed'>;

export class AttemptSet {
  readonly columns: Columns;
  readonly attempts: Attempts;
  readonly transport: Transport;
  readonly wire: Wire;
  readonly stamping: Stamping;
  readonly session: Session;
  readonly deadlines: Deadlines;
  readonly recorder: Recorder;
  readonly #samples: Samples;
  readonly #recording: RecorderOptions;
  readonly #reasons = new EndReasons();
  readonly #due: (slot: number) => number;
  readonly #masking: (slot: number) => Masking;
  #gcObserver: PerformanceObserver | null = null;
  #isHurried = false;
  #endGrace: () => void = () => {};
  /** A separate object: V8 deoptimises code when a field that held integers gets its first fraction. */
  readonly #gc = { pauses: 0, maxMs: 0 };

  /** @param due T0 of the attempt in a slot, ms on the clock of `now()` */
  constructor(context: ShardContext, slots: number, events: AttemptEvents, due: (slot: number) => number) {
    const { plan, order, destinations, live, rewrite, listen } = context;
    this.columns = new Columns(slots);
    this.deadlines = new Deadlines(
      this.columns,
      plan.timeoutMs,
      (slot, at) => this.attempts.expire(slot, at),
      () => this.stamping.catchUp(),
    );
    const requests = new RequestSource(plan, context.inputs, order.base, order.clientBase, context.userAgent, rewrite);
    const numbersOf = (slot: number) => [this.columns.attempt[slot], this.columns.client[slot]] as const;
    this.#due = due;
    this.#masking = (slot) =>
      maskingOf([...requests.secrets(...numbersOf(slot)), ...this.session.secrets(slot)], requests.others);
    this.#samples = new Samples(
      this.#masking,
      // An attempt that was stopped before the release was never due.
      (slot) => this.columns.done[slot] - due(slot) || 0,
    );
    this.attempts = new Attempts({
      columns: this.columns,
      requests,
      destinations,
      sourceIps: plan.target.sourceIps,
      secure: plan.target.scheme === 'wss',
      gate: plan.gate,
      deadlines: this.deadlines,
      samples: this.#samples,
      live,
      wantLocal: context.wantRows,
      resetsAll: plan.close === 'reset',
      events,
    });
    this.transport = transportFor(context, slots, requests.frame, listen?.(this.attempts) ?? this.attempts);
    this.wire = this.transport.wire;
    this.stamping = this.transport.stamping;
    const ground: SessionGround = {
      slots,
      wire: this.wire,
      deadlines: this.deadlines,
      ends: this.columns,
      resets: (plan.close ?? loadOf(plan.stages[order.stage]).close) === 'reset',
      indexOf: (slot) => order.base + this.columns.attempt[slot],
      clientOf: (slot) => order.clientBase + this.columns.client[slot],
      said: (slot, end, said) => this.#keepReason(slot, end, said),
      ready: (slot) => events.ready(slot),
      cut: (slot) => events.cut(slot),
      freed: (slot) => this.attempts.freed(slot),
    };
    this.session = context.newSession?.(ground, plan, context.inputs) ?? new HoldSession(ground);
    this.attempts.use(this.transport, this.session);
    this.#recording = {
      columns: this.columns,
      details: this.attempts.details,
      burst: order.burst,
      worker: context.worker,
      destinations,
      sourceIps: plan.target.sourceIps,
      rowOf: (client) => rowNumber(plan.data, plan.seed, context.inputs.rows.length, order.clientBase + client),
      wantRows: context.wantRows,
      hasKernelStamps: this.stamping.hasKernelStamps,
      wallOffset: context.wallOffset,
    };
    this.recorder = this.newRecorder();
  }

  /** A new recorder that counts the same attempts again. */
  newRecorder(): Recorder {
    return new Recorder(this.#recording);
  }

  /** Counts garbage collections from now until `drain()`. */
  observeGc(): void {
    this.#gcObserver = new PerformanceObserver((list) => this.#countGc(list.getEntries()));
    this.#gcObserver.observe({ entryTypes: ['gc'] });
  }

  /** What `drain` would report about the generator now. */
  generatorSoFar(): GeneratorFacts {
    const { longestGapMs, clockStepMs } = this.stamping;
    const { pauses: gcPauses, maxMs: gcMaxMs } = this.#gc;
    return { longestGapMs, clockStepMs, gcPauses, gcMaxMs, tlsResumed: this.attempts.resumed };
  }

  /**
   * Stops measuring, waits until every socket is closed (resetting those that do not close), and reports on the
   * generator.
   */
  async drain(): Promise<GeneratorFacts> {
    this.stamping.stop();
    const { longestGapMs, clockStepMs } = this.stamping;
    if (this.#gcObserver !== null) {
      this.#countGc(this.#gcObserver.takeRecords());
      this.#gcObserver.disconnect();
    }
    await this.#allClosed();
    for (let slot = 0; slot < this.columns.size; slot++) this.attempts.discard(slot);
    await this.#allClosed();
    this.deadlines.stop();
    this.wire.end();
    return { ...this.generatorSoFar(), longestGapMs, clockStepMs };
  }

  /**
   * After a stall at the end of a hold, this thread would close connections that the far side closed first, and count
   * them as kept.
   */
  async readWhatCame(): Promise<void> {
    const { session, stamping } = this;
    for (
      let [turn, before] = [0, -1];
      turn < MOST_TURNS && (turn < LEAST_TURNS || session.lost + session.received > before);
      turn++
    ) {
      before = session.lost + session.received;
      stamping.catchUp();
      // The event loop reads between its timers and its immediates, of each connection a piece at a time.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /** Stops waiting for connections that have not closed yet. */
  hurry(): void {
    this.#isHurried = true;
    this.#endGrace();
  }

  /** Resolves when every socket is gone, or after the grace. */
  async #allClosed(): Promise<void> {
    if (this.wire.open === 0) return;
    const closed = new Promise<void>((resolve) => {
      this.wire.onAllClosed = resolve;
      this.#endGrace = resolve;
    });
    if (!this.#isHurried) await waitFor(closed, CLOSE_GRACE_MS);
    this.wire.onAllClosed = null;
  }

  /** Moves the samples, and the session's additional counts, into the tally. */
  keepSamples(): void {
    this.#tellSessions(this.recorder.tally);
    this.moveSamples(this.recorder.tally);
  }

  /** Moves the samples so far into `tally`. */
  moveSamples(tally: Tally): void {
    for (const [code, sample] of this.#samples.drain()) tally.addSample(code, sample);
  }

  /** Copies the samples so far, and the session's additional counts; they stay here. */
  copySamples(tally: Tally): void {
    this.#tellSessions(tally);
    for (const [code, sample] of this.#samples.kept) tally.addSample(code, sample);
  }

  #tellSessions(tally: Tally): void {
    tally.sessions.addMessages(this.session);
    this.#reasons.tell(tally);
  }

  #keepReason(slot: number, end: number, said: () => SaidOfEnd): void {
    const isReady = !Number.isNaN(this.columns.readyAt[slot]);
    const atMs = toMicros(Math.max(0, now() - this.#due(slot)));
    this.#reasons.keep(end, isReady, atMs, said, () => this.#masking(slot));
  }

  #countGc(entries: readonly PerformanceEntry[]): void {
    for (const entry of entries) {
      this.#gc.pauses++;
      this.#gc.maxMs = Math.max(this.#gc.maxMs, entry.duration);
    }
  }
}

function transportFor(
  { kernel, tls, ports, destinations }: ShardContext,
  slots: number,
  frame: RequestFrame | null,
  events: TransportEvents,
): Transport {
  return kernel === null || tls !== null
    ? new NodeTransport({ slots, tls, ports, events })
    : new EpollTransport({ slots, kernel, destinations, frame, events });
}
