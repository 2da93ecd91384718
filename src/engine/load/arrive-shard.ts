/**
 * One worker's part of an arrive stage: an open loop. Each attempt starts at its planned instant, whatever became of the
 * others, and is timed from that instant; a start for which there is no room is skipped and counted, never put off.
 * Slots are used again, so that memory does not grow with the number of attempts.
 */
import { outcomeCode } from '../../names/outcomes.js';
import { Starts } from '../../plan/arrivals.js';
import { heldMs } from '../../plan/session/session-script.js';
import { type ArriveStage, scheduleOf } from '../../plan/stages/arrive.js';
import { ArrivalsTally } from '../../tally/arrivals-tally.js';
import { LatencyHistogram } from '../../tally/histogram.js';
import { splitShares } from '../../tally/split.js';
import { NEVER_STALLED, type Stalled } from '../../tally/validity.js';
import { LIVE } from '../attempt/live-counts.js';
import { now } from '../machine/clock.js';
import { wait, waitUntil } from '../machine/wait.js';
import { AttemptSet, type GeneratorFacts } from './attempt-set.js';
import { Holding } from './holding.js';
import { Parting } from './parting.js';
import type { Armed, Shard, ShardContext, ShardReport } from './shard.js';
import { SteadyCounts } from './steady-counts.js';

/** A timer may be late by this much; the rest of the time to a start is waited for turn by turn of the event loop. */
const TIMER_LATE_MS = 0.2;
/** At most half of the time is spent like that: starts that are closer together may be this late. */
const SHORTEST_TIMER_MS = 1;
/** Time to the first start in which everything is got ready for it. */
const READY_MS = 3;
const STATUS_101 = 101;
const ABORTED = outcomeCode('aborted');

export class ArriveShard implements Shard {
  readonly #context: ShardContext;
  readonly #stage: ArriveStage;
  readonly #set: AttemptSet;
  readonly #steady: SteadyCounts;
  readonly #arrivals = new ArrivalsTally();
  readonly #starts: Starts;
  readonly #parting: Parting;
  /** Connections that are held from their own ready, which a session with a hold does itself; null: none are. */
  readonly #holding: Holding | null;
  readonly #isClean: boolean;
  /** A session ends each connection, after a hold of its own. */
  readonly #sessionsEnd: boolean;
  readonly #chunk: number;
  /** Handshakes of this worker that may be in flight. */
  readonly #limit: number;
  readonly #free: Uint32Array;
  #freeCount: number;
  /** Slots with an attempt that has ended and a connection that has not. */
  readonly #isOpen: Uint8Array;
  #openCount = 0;
  /** CSV rows of connections that are held, as they are now. */
  readonly #heldRows: string[] = [];
  #releaseAt = Number.NaN;
  /** The next planned instant; Infinity: there is none. */
  #nextAt = Number.POSITIVE_INFINITY;
  /** Number of the next start among this worker's. */
  #next = 0;
  #startedAt = Number.NEGATIVE_INFINITY;
  #launched = 0;
  #inFlight = 0;
  #stalled: Stalled = NEVER_STALLED;
  #stalledHolding: Stalled = NEVER_STALLED;
  readonly #stopped = new AbortController();
  #isClosing = false;
  #timer: NodeJS.Timeout | null = null;
  #resolveEnded: (() => void) | null = null;
  #onAllGone: (() => void) | null = null;

  constructor(context: ShardContext, stage: ArriveStage) {
    const { order, plan } = context;
    this.#context = context;
    this.#stage = stage;
    this.#starts = new Starts(scheduleOf(stage, plan.seed, order.burst), order);
    this.#arrivals.plan(order.count);
    this.#isClean = plan.close === 'clean';
    this.#sessionsEnd = plan.session.script !== null && heldMs(plan.session) !== null;
    this.#limit =
      stage.maxOpen === null ? Number.POSITIVE_INFINITY : splitShares(stage.maxOpen, order.stride)[order.first];
    const events = {
      armed: () => {},
      ended: (slot: number) => this.#ended(slot),
      ready: (slot: number) => this.#ready(slot),
      cut: () => {},
      freed: (slot: number) => this.#freed(slot),
    };
    this.#set = new AttemptSet(context, order.open, events, (slot) => this.#set.columns.planned[slot]);
    this.#set.attempts.released = true;
    const { columns, attempts, recorder, stamping } = this.#set;
    this.#chunk = plan.releaseChunk ?? stamping.releaseChunk;
    this.#steady = new SteadyCounts(context, recorder);
    this.#parting = new Parting(columns, (slot) => attempts.close(slot, this.#isClean));
    this.#holding =
      stage.rate === null || stage.holdMs === null || this.#sessionsEnd
        ? null
        : new Holding(stage.holdMs, columns.attempt, (slot) => this.#parting.add(slot));
    this.#isOpen = new Uint8Array(order.open);
    this.#free = Uint32Array.from({ length: order.open }, (_, i) => order.open - 1 - i);
    this.#freeCount = order.open;
  }

  /** There is no gate: attempts start one by one. */
  async arm(): Promise<Armed> {
    // What is told while it goes on must not hold it up.
    LatencyHistogram.loadEncoding();
    return { armed: 0, failed: 0 };
  }

  async run(releaseAt: number): Promise<void> {
    this.#steady.begin(releaseAt);
    await wait(Math.max(0, releaseAt - now() - READY_MS));
    if (this.#stopped.signal.aborted) return;
    this.#releaseAt = releaseAt;
    this.#set.stamping.start(releaseAt);
    this.#set.observeGc();
    const ended = new Promise<void>((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.#nextAt = releaseAt + this.#starts.next();
    this.#step();
    await ended;
    this.#stalled = this.#set.stamping.stalls.take();
  }

  stop(): void {
    if (this.#stopped.signal.aborted) return;
    this.#stopped.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#nextAt = this.#set.stamping.dueAt = Number.POSITIVE_INFINITY;
    this.#holding?.stop();
    if (this.#isClosing) return;
    const { columns, attempts } = this.#set;
    const at = now();
    for (let slot = 0; slot < columns.size; slot++) {
      if (!Number.isNaN(columns.planned[slot])) attempts.expire(slot, at, ABORTED);
    }
    this.#parting.hurry();
    this.#endIfOver();
  }

  /** Attempts in flight are not included; of connections that are held it is not known yet how they end. */
  peek(): ShardReport | null {
    if (this.#isClosing || this.#stopped.signal.aborted || Number.isNaN(this.#releaseAt)) return null;
    this.#steady.sendRows();
    const { recorder, columns } = this.#set;
    const looked = this.#set.newRecorder();
    looked.tally.merge(recorder.tally);
    const rows: string[] = [];
    for (let slot = 0; slot < columns.size; slot++) {
      if (this.#isOpen[slot] === 0) continue;
      looked.countEnd(slot, columns.planned[slot]);
      if (this.#context.wantRows) rows.push(this.#heldRows[slot] || recorder.rowText(slot, columns.planned[slot]));
    }
    this.#set.copySamples(looked.tally);
    return {
      ...this.#set.generatorSoFar(),
      ...this.#soFar(),
      tally: looked.tally.encode(),
      launched: looked.tally.attempted,
      rows: rows.length === 0 ? null : rows.join(''),
    };
  }

  hurry(): void {
    this.#set.hurry();
  }

  async close(holdUntil: number): Promise<ShardReport> {
    const { attempts, columns, recorder, stamping } = this.#set;
    await this.#held(holdUntil);
    this.#stalledHolding = stamping.stalls.take();
    await this.#set.readWhatCame();
    this.#isClosing = true;
    this.#holding?.stop();
    this.#parting.hurry();
    for (let slot = 0; slot < columns.size; slot++) attempts.close(slot, this.#isClean);
    const generator = await this.#set.drain();
    this.#set.keepSamples();
    return {
      ...generator,
      ...this.#soFar(),
      tally: recorder.tally.encode(),
      launched: this.#launched,
      rows: recorder.takeRows(),
    };
  }

  /** Until the end of the hold; connections that end one by one may all be gone earlier. */
  async #held(until: number): Promise<void> {
    const isOver = new AbortController();
    this.#onAllGone = () => isOver.abort();
    const together = this.#stage.rate === null && this.#context.plan.session.script === null;
    if (!together && this.#openCount === 0) return;
    await waitUntil(until, together ? this.#stopped.signal : AbortSignal.any([isOver.signal, this.#stopped.signal]));
  }

  /** Without what differs between a look and the end. */
  #soFar(): Omit<ShardReport, keyof GeneratorFacts | 'tally' | 'launched' | 'rows'> {
    return {
      ...this.#steady.report(),
      overdue: this.#set.attempts.overdue,
      stalled: this.#stalled,
      stalledHolding: this.#stalledHolding,
      arrivals: this.#arrivals.encode(),
    };
  }

  /** Starts what is due, a slice of it at a time, because answers must be read in between. */
  readonly #step = (): void => {
    this.#timer = null;
    if (this.#stopped.signal.aborted) return;
    let at = now();
    for (let left = this.#chunk; left > 0 && this.#nextAt <= at; left--) {
      this.#start(this.#nextAt, at);
      this.#nextAt = this.#releaseAt + this.#starts.next();
      at = now();
    }
    this.#set.stamping.dueAt = this.#nextAt;
    if (this.#nextAt === Number.POSITIVE_INFINITY) this.#endIfOver();
    else this.#stepAt(this.#nextAt, at);
  };

  #stepAt(due: number, at: number): void {
    const sleepMs = Math.floor(due - at - TIMER_LATE_MS);
    const isClose = at - this.#startedAt < SHORTEST_TIMER_MS;
    if (sleepMs < SHORTEST_TIMER_MS && (due <= at || !isClose)) setImmediate(this.#step);
    else this.#timer = setTimeout(this.#step, Math.max(SHORTEST_TIMER_MS, sleepMs));
  }

  #start(planned: number, at: number): void {
    const { order, plan, live } = this.#context;
    const attempt = order.first + this.#next++ * order.stride;
    this.#startedAt = at;
    if (this.#freeCount === 0 || this.#inFlight >= this.#limit) {
      this.#arrivals.skip();
      live[LIVE.skipped]++;
      return;
    }
    const { attempts, columns, deadlines } = this.#set;
    const slot = this.#free[--this.#freeCount];
    columns.clear(slot);
    columns.planned[slot] = planned;
    attempts.prepare(slot, attempt, false);
    this.#launched++;
    this.#inFlight++;
    this.#steady.released(at);
    live[LIVE.released]++;
    const deadline = planned + plan.timeoutMs;
    if (at >= deadline) attempts.giveUp(slot, at, 'not started before its deadline');
    else {
      deadlines.set(slot, deadline);
      attempts.launch(slot);
    }
  }

  /** Counted at once: how its connection ends may be known only minutes later. */
  #ended(slot: number): void {
    const { columns, recorder } = this.#set;
    this.#inFlight--;
    // A transport may make the first system call later than it is told to.
    this.#arrivals.start((columns.opened[slot] || columns.done[slot]) - columns.planned[slot]);
    this.#isOpen[slot] = 1;
    this.#openCount++;
    this.#steady.ended(columns.done[slot], columns.outcome[slot] === STATUS_101);
    recorder.countOutcome(slot, columns.planned[slot]);
    this.#endIfOver();
  }

  #ready(slot: number): void {
    if (this.#stage.holdMs === null && !this.#sessionsEnd) {
      this.#parting.add(slot);
      return;
    }
    // Now, and not when all of them are asked for at once, which would hold up the starts.
    if (this.#context.wantRows) {
      this.#heldRows[slot] = this.#set.recorder.rowText(slot, this.#set.columns.planned[slot]);
    }
    this.#holding?.add(slot);
  }

  /** Called once the connection is gone, because how it ended is part of the count. */
  #freed(slot: number): void {
    const { columns, attempts, recorder } = this.#set;
    const planned = columns.planned[slot];
    recorder.countEnd(slot, planned);
    if (this.#context.wantRows) {
      recorder.writeRow(slot, planned);
      this.#heldRows[slot] = '';
    }
    if (this.#stage.holdMs === null) this.#parting.ended(slot);
    attempts.details.delete(slot);
    this.#isOpen[slot] = 0;
    if (--this.#openCount === 0) this.#onAllGone?.();
    this.#steady.rowKept();
    this.#free[this.#freeCount++] = slot;
  }

  #endIfOver(): void {
    if (this.#nextAt === Number.POSITIVE_INFINITY && this.#inFlight === 0) this.#resolveEnded?.();
  }
}
