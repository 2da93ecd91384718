/**
 * One worker's part of a storm. Each slot is a client: it is opened at its own start time, held, dropped, and comes back
 * by the stage's policy, attempt after attempt, each from its own planned instant and within the policy's own time. The
 * shard does what is due; storm-fleet.ts counts clients, and the policy's waits are pure (plan/policy/fleet-waits.ts).
 */
import { closedWord, cutWord, END } from '../../names/ends.js';
import { NAMED_BASE, outcomeCode } from '../../names/outcomes.js';
import { spreadOver, startTimes } from '../../plan/arrivals.js';
import { FleetWaits } from '../../plan/policy/fleet-waits.js';
import type { Policy } from '../../plan/policy/policy.js';
import { withinRange } from '../../plan/policy/time-range.js';
import { randomAt } from '../../plan/random.js';
import type { StormStage } from '../../plan/stages/storm.js';
import { ArrivalsTally } from '../../tally/arrivals-tally.js';
import { LatencyHistogram } from '../../tally/histogram.js';
import { splitShares } from '../../tally/split.js';
import type { Tally } from '../../tally/tally.js';
import { NEVER_STALLED, type Stalled } from '../../tally/validity.js';
import { LIVE } from '../attempt/live-counts.js';
import type { Recorder } from '../attempt/recorder.js';
import { now } from '../machine/clock.js';
import { wait } from '../machine/wait.js';
import { AttemptSet } from './attempt-set.js';
import type { Armed, Shard, ShardContext, ShardReport } from './shard.js';
import { CLIENT, StormFleet } from './storm-fleet.js';
import { TimerHeap } from './timer-heap.js';

const STATUS_101 = 101;
const ABORTED = outcomeCode('aborted');
const TIMEOUTS: readonly number[] = [
  outcomeCode('timeout-connect'),
  outcomeCode('timeout-tls'),
  outcomeCode('timeout-upgrade'),
];
/** What a client library sees where no close frame came (RFC 6455 section 7.1.5). */
const NO_FRAME = 1006;
/** A deadline may be seen this much early. */
const EARLY_MS = 1;
/** A timer of Node may fire up to 1 ms early, so the last moments are spent in turns of the event loop. */
const LAST_MOMENTS_MS = 1;
/** Keeps the random numbers of the notice apart from others of the same seed (plan/random.ts). */
const NOTICE_LANE = 91;
/** Number of attempts whose CSV rows are collected before they are sent on. */
const ROWS_PER_MESSAGE = 2000;

export class StormShard implements Shard {
  readonly #context: ShardContext;
  readonly #stage: StormStage;
  readonly #policy: Policy;
  readonly #set: AttemptSet;
  readonly #count: number;
  readonly #fleet: StormFleet;
  readonly #waits: FleetWaits;
  readonly #heap: TimerHeap;
  /** Number in the fleet of this shard's first client, where each shard has a row of consecutive ones. */
  readonly #firstClient: number;
  /** When the client gives up the attempt in its slot. */
  readonly #giveUpAt: Float64Array;
  /** The slot's attempt has not been recorded yet; it is one after the drop. */
  readonly #isOpen: Uint8Array;
  readonly #isComeback: Uint8Array;
  /** Of the last loss or failure: an HTTP status, a close code; 0: no answer. */
  readonly #code: Uint16Array;
  readonly #afterDrop: Recorder;
  readonly #arrivals = new ArrivalsTally();
  #releaseAt = Number.NaN;
  #launched = 0;
  #openingLaunched = 0;
  #unsettled: number;
  readonly #isSettled: Uint8Array;
  #times = { lastRelease: Number.NaN, lastEnd: Number.NaN, wokenAt: Number.NaN, timerAt: Number.POSITIVE_INFINITY };
  #timer: NodeJS.Timeout | null = null;
  #immediate: NodeJS.Immediate | null = null;
  #isDraining = false;
  #stalled: Stalled = NEVER_STALLED;
  /** From then until the end of the watch. */
  #stalledWatching: Stalled = NEVER_STALLED;
  #rowsKept = 0;
  #isStopped = false;
  #isClosing = false;
  #resolveOpened: () => void = () => {};

  constructor(context: ShardContext, stage: StormStage) {
    const { order, plan, live } = context;
    this.#context = context;
    this.#stage = stage;
    this.#policy = stage.policies[order.place];
    this.#count = order.count;
    this.#unsettled = order.count;
    const shares = splitShares(stage.clients, order.stride);
    this.#firstClient = shares.slice(0, order.first).reduce((sum, share) => sum + share, 0);
    this.#fleet = new StormFleet(this.#count, live);
    this.#waits = new FleetWaits(this.#policy, plan.seed, this.#count, this.#firstClient);
    this.#heap = new TimerHeap(this.#count);
    this.#giveUpAt = new Float64Array(this.#count);
    this.#isOpen = new Uint8Array(this.#count);
    this.#isComeback = new Uint8Array(this.#count);
    this.#isSettled = new Uint8Array(this.#count);
    this.#code = new Uint16Array(this.#count);
    const events = {
      armed: () => {},
      ended: (slot: number) => this.#ended(slot),
      ready: (slot: number) => this.#ready(slot),
      cut: (slot: number) => this.#cut(slot),
      freed: (slot: number) => this.#freed(slot),
    };
    this.#set = new AttemptSet(context, this.#count, events, (slot) => this.#set.columns.planned[slot]);
    this.#arrivals.plan(this.#count);
    this.#set.attempts.released = true;
    this.#afterDrop = this.#set.newRecorder();
  }

  /** There is no gate: each client starts at a time of its own. */
  async arm(): Promise<Armed> {
    // What is told while it goes on must not hold it up.
    LatencyHistogram.loadEncoding();
    return { armed: 0, failed: 0 };
  }

  /** Opens the clients; resolves when each of them is ready or has failed. */
  async run(releaseAt: number): Promise<void> {
    const { order, plan } = this.#context;
    this.#releaseAt = releaseAt;
    if (this.#count === 0) return;
    const schedule = spreadOver(this.#stage.clients, Math.max(1, this.#stage.openMs), 'even', plan.seed);
    const starts = startTimes(schedule, { first: order.first, stride: order.stride });
    const opened = new Promise<void>((resolve) => {
      this.#resolveOpened = resolve;
    });
    await wait(Math.max(0, releaseAt - now() - LAST_MOMENTS_MS));
    this.#set.stamping.start(releaseAt);
    this.#set.observeGc();
    for (let slot = 0; slot < this.#count; slot++) this.#heap.set(slot, releaseAt + starts[slot]);
    if (this.#isStopped) this.#settleAll();
    else this.#arm();
    await opened;
    this.#stalled = this.#set.stamping.stalls.take();
  }

  drop(at: number): void {
    setTimeout(() => this.#beginWatch(at), Math.max(0, Math.ceil(at - now())));
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#heap.clearAll();
    this.#arm();
    this.#abortUnderWay();
    this.#settleAll();
  }

  /** Attempts under way are not included. */
  peek(): ShardReport | null {
    if (this.#isClosing || Number.isNaN(this.#releaseAt)) return null;
    const [opening, comebacks] = [this.#set.newRecorder(), this.#set.newRecorder()];
    for (let slot = 0; slot < this.#count; slot++) {
      if (this.#isOpen[slot] === 0 || this.#set.columns.outcome[slot] === 0) continue;
      (this.#isComeback[slot] === 1 ? comebacks : opening).record(slot, this.#set.columns.planned[slot]);
    }
    opening.tally.merge(this.#set.recorder.tally);
    comebacks.tally.merge(this.#afterDrop.tally);
    this.#set.copySamples(this.#fleet.hasBegun ? comebacks.tally : opening.tally);
    this.#sendRows();
    return {
      ...this.#set.generatorSoFar(),
      ...this.#soFar(opening.tally, comebacks.tally),
      launched: opening.tally.attempted,
      rows: null,
    };
  }

  hurry(): void {
    this.#set.hurry();
  }

  /** The watch is over: what the clients are now is what they came to. */
  async close(): Promise<ShardReport> {
    this.#stalledWatching = this.#set.stamping.stalls.take();
    this.#heap.clearAll();
    this.#arm();
    await this.#set.readWhatCame();
    this.#isClosing = true;
    this.#heap.clearAll();
    this.#arm();
    this.#abortUnderWay();
    const { attempts, recorder } = this.#set;
    const isClean = this.#context.plan.close !== 'reset';
    for (let slot = 0; slot < this.#count; slot++) attempts.close(slot, isClean);
    const generator = await this.#set.drain();
    for (let slot = 0; slot < this.#count; slot++) this.#record(slot);
    if (this.#fleet.hasBegun) this.#set.moveSamples(this.#afterDrop.tally);
    this.#set.keepSamples();
    return {
      ...generator,
      ...this.#soFar(recorder.tally, this.#afterDrop.tally),
      launched: this.#openingLaunched,
      rows: this.#takeRows(),
    };
  }

  #soFar(opening: Tally, comebacks: Tally) {
    const after = (at: number) => (Number.isNaN(at) ? null : at - this.#releaseAt);
    return {
      tally: opening.encode(),
      storm: this.#fleet.hasBegun ? this.#fleet.encode(comebacks.encode()) : null,
      failedToArm: 0,
      overdue: this.#set.attempts.overdue,
      stalled: this.#stalled,
      stalledArming: NEVER_STALLED,
      stalledHolding: this.#stalledWatching,
      lastSentMs: null,
      firstReleaseMs: this.#openingLaunched > 0 ? 0 : null,
      lastReleaseMs: after(this.#times.lastRelease),
      lastEndMs: after(this.#times.lastEnd),
      perSecond: null,
      arrivals: this.#arrivals.encode(),
    };
  }

  // -- the drop ------------------------------------------------------------------------------------------------------

  #beginWatch(at: number): void {
    if (this.#isStopped || this.#isClosing) return;
    this.#set.moveSamples(this.#set.recorder.tally);
    this.#fleet.begin(at);
    if (this.#stage.drop.by !== 'client') return;
    const isClean = this.#context.plan.close !== 'reset';
    for (let slot = 0; slot < this.#count; slot++) {
      if (this.#fleet.isMember[slot] === 0) continue;
      this.#lose(slot, now(), END.closedByReset, NO_FRAME);
      this.#set.attempts.close(slot, isClean);
    }
  }

  /** A client that was ready has lost its connection, and learns of it now or later. */
  #lose(slot: number, at: number, end: number, code: number): void {
    const { reset } = this.#policy;
    const isFirst = this.#fleet.dropped(slot, at, end);
    if (typeof reset === 'object' && this.#set.columns.readyAt[slot] <= at - reset.upMs) this.#waits.reset(slot);
    this.#code[slot] = code;
    const noticeMs = isFirst ? this.#noticeMs(slot) : 0;
    this.#fleet.state[slot] = CLIENT.unaware;
    if (noticeMs > 0) this.#schedule(slot, at + noticeMs);
    else this.#planNext(slot, at);
  }

  #noticeMs(slot: number): number {
    const share = randomAt(this.#context.plan.seed, this.#firstClient + slot, NOTICE_LANE);
    return withinRange(this.#stage.notice, share);
  }

  /** The client knows that it has no connection: when does it try next? */
  #planNext(slot: number, at: number): void {
    const code = this.#code[slot];
    const next = this.#waits.next(slot, at - this.#fleet.lostAt[slot], code === 0 ? null : code);
    if (typeof next === 'string') {
      this.#fleet.ended(slot, next);
      return;
    }
    this.#fleet.state[slot] = CLIENT.waiting;
    this.#schedule(slot, at + next);
  }

  #failed(slot: number, at: number, code: number): void {
    this.#code[slot] = code;
    this.#planNext(slot, at);
  }

  // -- what happens to an attempt ------------------------------------------------------------------------------------

  #ended(slot: number): void {
    const { columns } = this.#set;
    const outcome = columns.outcome[slot];
    if (this.#isComeback[slot] === 0) {
      this.#times.lastEnd = columns.done[slot];
      if (outcome !== STATUS_101) this.#settle(slot);
      return;
    }
    if (outcome === STATUS_101) {
      this.#fleet.opened(columns.done[slot]);
      if (this.#isOver) return;
      if (this.#policy.reset === 'open') this.#waits.reset(slot);
      this.#schedule(slot, this.#giveUpAt[slot]);
      return;
    }
    if (this.#isOver) return;
    const at = columns.done[slot];
    if (TIMEOUTS.includes(outcome) && at >= this.#giveUpAt[slot] - EARLY_MS) this.#fleet.abandoned();
    this.#failed(slot, at, outcome < NAMED_BASE ? outcome : 0);
  }

  #ready(slot: number): void {
    if (this.#isOver) return;
    this.#heap.clear(slot);
    if (this.#policy.reset === 'ready' && this.#isComeback[slot] === 1) this.#waits.reset(slot);
    this.#fleet.ready(slot, this.#set.columns.readyAt[slot]);
    this.#settle(slot);
  }

  #cut(slot: number): void {
    if (this.#isOver) return;
    const { end, endAt } = this.#set.columns;
    const state = this.#fleet.state[slot];
    const code = closeCodeOf(end[slot]);
    if (this.#fleet.isMember[slot] === 0) {
      this.#fleet.state[slot] = CLIENT.outside;
      this.#settle(slot);
    } else if (state === CLIENT.ready) this.#lose(slot, endAt[slot], end[slot], code);
    else if (state === CLIENT.trying) {
      this.#heap.clear(slot);
      this.#failed(slot, endAt[slot], code);
    }
  }

  #freed(slot: number): void {
    this.#record(slot);
    if (this.#isOver) return;
    const state = this.#fleet.state[slot];
    // Its own session has closed it: it left, and was not dropped.
    if (closedWord(this.#set.columns.end[slot]) === null || (state !== CLIENT.ready && state !== CLIENT.trying)) return;
    if (this.#fleet.isMember[slot] === 1) this.#fleet.ended(slot, 'stopped');
    else this.#fleet.state[slot] = CLIENT.outside;
    this.#settle(slot);
  }

  get #isOver(): boolean {
    return this.#isStopped || this.#isClosing;
  }

  #record(slot: number): void {
    if (this.#isOpen[slot] === 0) return;
    this.#isOpen[slot] = 0;
    const recorder = this.#isComeback[slot] === 1 ? this.#afterDrop : this.#set.recorder;
    recorder.record(slot, this.#set.columns.planned[slot]);
    this.#set.attempts.details.delete(slot);
    if (this.#context.wantRows && ++this.#rowsKept >= ROWS_PER_MESSAGE) this.#sendRows();
  }

  /** Of the opening: the client is ready, or will not be. */
  #settle(slot: number): void {
    if (this.#isSettled[slot] === 1) return;
    this.#isSettled[slot] = 1;
    if (--this.#unsettled === 0) this.#resolveOpened();
  }

  #settleAll(): void {
    for (let slot = 0; slot < this.#count; slot++) this.#settle(slot);
  }

  #abortUnderWay(): void {
    const at = now();
    for (let slot = 0; slot < this.#count; slot++) {
      if (this.#isOpen[slot] === 1) this.#set.attempts.expire(slot, at, ABORTED);
    }
  }

  // -- what is due ---------------------------------------------------------------------------------------------------

  #schedule(slot: number, at: number): void {
    this.#heap.set(slot, at);
    this.#arm();
  }

  /** Wakes this thread for the earliest timer. */
  #arm(): void {
    if (this.#isDraining) return;
    const at = this.#heap.nextAt;
    this.#set.stamping.dueAt = at;
    if (at === this.#times.timerAt) return;
    this.#times.timerAt = at;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#timer = this.#immediate = null;
    if (!Number.isFinite(at)) return;
    const leftMs = at - now();
    if (leftMs < LAST_MOMENTS_MS) this.#immediate = setImmediate(this.#drain);
    else this.#timer = setTimeout(this.#drain, Math.floor(leftMs));
  }

  /** Starts what is due, in slices between which answers are read. */
  readonly #drain = (): void => {
    this.#timer = this.#immediate = null;
    this.#times.timerAt = Number.POSITIVE_INFINITY;
    if (this.#isOver) return;
    this.#isDraining = true;
    let at = now();
    if (Number.isNaN(this.#times.wokenAt) && this.#heap.nextAt <= at) this.#times.wokenAt = at;
    const most = this.#context.plan.releaseChunk ?? this.#set.stamping.releaseChunk;
    for (let taken = 0; taken < most; taken++) {
      const slot = this.#heap.take(at);
      if (slot < 0) break;
      this.#take(slot, at);
      at = now();
    }
    this.#isDraining = false;
    if (this.#heap.nextAt > at) this.#times.wokenAt = Number.NaN;
    this.#arm();
  };

  #take(slot: number, at: number): void {
    const state = this.#fleet.state[slot];
    if (state === CLIENT.unaware) this.#planNext(slot, this.#heap.atOf(slot));
    else if (state === CLIENT.trying) this.#abandon(slot, at);
    else this.#start(slot, at);
  }

  /** It has its 101, and is not ready in its client's time. */
  #abandon(slot: number, at: number): void {
    this.#fleet.abandoned();
    this.#fleet.state[slot] = CLIENT.waiting;
    this.#set.attempts.close(slot, false);
    this.#failed(slot, at, 0);
  }

  #start(slot: number, at: number): void {
    const { attempts, columns, deadlines } = this.#set;
    const { order, plan, live } = this.#context;
    const isComeback = this.#fleet.isMember[slot] === 1;
    // The rest of its last connection: a close that was not answered, the body of a refusal.
    if (this.#isOpen[slot] === 1) attempts.discard(slot);
    this.#record(slot);
    columns.clear(slot);
    const due = this.#heap.atOf(slot);
    const limitMs = isComeback ? (this.#waits.limitMs(slot) ?? plan.timeoutMs) : plan.timeoutMs;
    columns.planned[slot] = due;
    this.#giveUpAt[slot] = due + limitMs;
    this.#isOpen[slot] = 1;
    this.#isComeback[slot] = isComeback ? 1 : 0;
    if (isComeback) this.#fleet.started(slot, at, due, this.#times.wokenAt);
    else this.#openingStarts(slot, at);
    attempts.prepare(slot, order.first + this.#launched * order.stride, false, order.first + slot * order.stride);
    this.#launched++;
    live[LIVE.released]++;
    deadlines.set(slot, this.#giveUpAt[slot]);
    attempts.launch(slot);
  }

  #openingStarts(slot: number, at: number): void {
    this.#fleet.state[slot] = CLIENT.trying;
    this.#openingLaunched++;
    this.#times.lastRelease = at;
    this.#arrivals.start(at - this.#set.columns.planned[slot]);
  }

  // -- rows ----------------------------------------------------------------------------------------------------------

  #takeRows(): string | null {
    const parts = [this.#set.recorder.takeRows(), this.#afterDrop.takeRows()].filter((part) => part !== null);
    this.#rowsKept = 0;
    return parts.length === 0 ? null : parts.join('');
  }

  #sendRows(): void {
    const rows = this.#takeRows();
    if (rows !== null) this.#context.sendRows(rows);
  }
}

/** The close code that a client library sees: 1006 where no close frame came, 1005 for one without a code. */
function closeCodeOf(end: number): number {
  const word = cutWord(end);
  return word !== null && /^\d+$/.test(word) ? Number(word) : NO_FRAME;
}
