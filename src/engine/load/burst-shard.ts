/**
 * One worker's part of a burst: arm, wait at the gate, release in slices, hold until told to close, close, report.
 * Drives `Attempts` and owns the order of these steps; knows no socket and judges nothing.
 */
import { outcomeCode } from '../../names/outcomes.js';
import { NOT_RELEASED } from '../../names/reasons.js';
import { NEVER_STALLED, type Stalled } from '../../tally/validity.js';
import { LIVE } from '../attempt/live-counts.js';
import type { Recorder } from '../attempt/recorder.js';
import { now } from '../machine/clock.js';
import { collectGarbage } from '../machine/garbage.js';
import { Stalls } from '../machine/stalls.js';
import { wait, waitUntil } from '../machine/wait.js';
import { AttemptSet, type GeneratorFacts } from './attempt-set.js';
import type { Armed, Shard, ShardContext, ShardReport } from './shard.js';

/**
 * TCP connections opening at once per worker while a burst is armed, because the listen queue is not what is measured.
 */
export const ARMING_IN_FLIGHT = 256;
/** After each pause in a release, releasing goes on for this multiple of the pause's length before the next one. */
const RELEASING_PER_PAUSE = 3;
/** During the release the deadline is checked every this many attempts: they take under 1 ms. */
const RELEASED_A_LOOK = 32;
const ABORTED = outcomeCode('aborted');

export class BurstShard implements Shard {
  readonly #context: ShardContext;
  readonly #set: AttemptSet;
  readonly #count: number;
  #launched = 0;
  #settledBeforeRelease = 0;
  #ended = 0;
  #failedToArm = 0;
  #releaseAt = Number.NaN;
  /** Until T0: connections that wait at the gate are the target's to end. */
  readonly #arming = new Stalls();
  #stalledArming: Stalled = NEVER_STALLED;
  #stalled: Stalled = NEVER_STALLED;
  readonly #stopped = new AbortController();
  #isClosing = false;
  #resolveArmed: (() => void) | null = null;
  #resolveEnded: (() => void) | null = null;

  constructor(context: ShardContext) {
    this.#context = context;
    this.#count = context.order.count;
    const events = {
      armed: () => this.#settle(),
      ended: () => this.#oneEnded(),
      ready: () => {},
      cut: () => {},
      freed: () => {},
    };
    this.#set = new AttemptSet(context, this.#count, events, (slot) => this.#dueOf(slot));
    this.#set.stamping.stampRequests();
  }

  /** Builds all requests and brings every attempt to the gate; resolves when each one waits there or has failed. */
  async arm(): Promise<Armed> {
    const { order, plan } = this.#context;
    collectGarbage('major');
    for (let slot = 0; slot < this.#count; slot++) {
      this.#set.attempts.prepare(slot, order.first + slot * order.stride, true);
    }
    if (plan.gate === 'connect') {
      for (let slot = 0; slot < this.#count; slot++) this.#set.wire.prepare(slot);
    } else if (this.#count > 0) {
      this.#set.stamping.start();
      this.#arming.start(now());
      const armed = new Promise<void>((resolve) => {
        this.#resolveArmed = resolve;
      });
      this.#launchMore();
      if (this.#settledBeforeRelease < this.#count) await armed;
      this.#failedToArm = this.#ended;
      this.#set.stamping.stop();
    }
    collectGarbage('minor');
    return { armed: this.#count - this.#failedToArm, failed: this.#failedToArm };
  }

  /** Releases all waiting attempts at T0. */
  async run(releaseAt: number): Promise<void> {
    this.#releaseAt = releaseAt;
    this.#stalledArming = this.#arming.take();
    this.#arming.stop();
    const ended = new Promise<void>((resolve) => {
      this.#resolveEnded = resolve;
    });
    if (this.#ended < this.#count) {
      await this.#waitForRelease(releaseAt);
      this.#set.stamping.start(releaseAt);
      this.#set.observeGc();
      this.#set.attempts.released = true;
      this.#releaseSlices();
      await ended;
      this.#stalled = this.#set.stamping.stalls.take();
    }
  }

  stop(): void {
    if (this.#stopped.signal.aborted) return;
    this.#stopped.abort();
    if (this.#isClosing) return;
    const at = now();
    for (let slot = 0; slot < this.#count; slot++) this.#set.attempts.expire(slot, at, ABORTED);
  }

  /** Once all attempts have ended. Recounted each time, because a held connection may still be lost. */
  peek(): ShardReport | null {
    if (this.#isClosing || this.#ended < this.#count) return null;
    const recorder = this.#set.newRecorder();
    for (let slot = 0; slot < this.#count; slot++) recorder.record(slot, this.#releaseAt);
    this.#set.copySamples(recorder.tally);
    // The hold is not over: its stalls are reported at the end.
    return this.#report(recorder, this.#set.generatorSoFar(), NEVER_STALLED);
  }

  hurry(): void {
    this.#set.hurry();
  }

  async close(holdUntil: number): Promise<ShardReport> {
    await this.#held(holdUntil);
    const { attempts, recorder, stamping } = this.#set;
    const stalledHolding = stamping.stalls.take();
    await this.#set.readWhatCame();
    this.#isClosing = true;
    const isClean = (this.#context.plan.close ?? 'clean') === 'clean';
    for (let slot = 0; slot < this.#count; slot++) attempts.close(slot, isClean);
    const generator = await this.#set.drain();
    for (let slot = 0; slot < this.#count; slot++) recorder.record(slot, this.#releaseAt);
    this.#set.keepSamples();
    return this.#report(recorder, generator, stalledHolding);
  }

  /** Until the end of the hold; with sessions until none of them waits for anything, which may be earlier. */
  async #held(until: number): Promise<void> {
    const { session } = this.#set;
    if (this.#context.plan.session.script === null) {
      await waitUntil(until, this.#stopped.signal);
      return;
    }
    const isQuiet = new AbortController();
    const end = AbortSignal.any([isQuiet.signal, this.#stopped.signal]);
    // Between two steps of one connection nothing waits: what is quiet after this turn is quiet.
    session.onQuiet = () => setImmediate(() => session.busy === 0 && isQuiet.abort());
    if (session.busy > 0) await waitUntil(until, end);
    session.onQuiet = null;
  }

  #report(recorder: Recorder, generator: GeneratorFacts, stalledHolding: Stalled): ShardReport {
    return {
      ...generator,
      ...this.#releaseTimes(),
      tally: recorder.tally.encode(),
      launched: this.#context.live[LIVE.opened],
      failedToArm: this.#failedBeforeGate(),
      overdue: this.#set.attempts.overdue,
      stalledArming: this.#stalledArming,
      stalled: this.#stalled,
      stalledHolding,
      perSecond: null,
      arrivals: null,
      rows: recorder.takeRows(),
    };
  }

  /** When the attempts passed the gate, by their own timestamps, and when the last one ended; ms after T0. */
  #releaseTimes(): Pick<ShardReport, 'firstReleaseMs' | 'lastReleaseMs' | 'lastSentMs' | 'lastEndMs'> {
    const { opened, tlsStart, sent, done } = this.#set.columns;
    const passed = { connect: opened, tls: tlsStart, upgrade: sent }[this.#context.plan.gate];
    let first = Number.POSITIVE_INFINITY;
    let last = Number.NEGATIVE_INFINITY;
    let lastSent = Number.NEGATIVE_INFINITY;
    let end = Number.NEGATIVE_INFINITY;
    for (let slot = 0; slot < this.#count; slot++) {
      if (done[slot] > end) end = done[slot];
      if (sent[slot] > lastSent) lastSent = sent[slot];
      // An attempt that failed while arming never passed the gate.
      if (!(passed[slot] >= this.#releaseAt)) continue;
      if (passed[slot] < first) first = passed[slot];
      if (passed[slot] > last) last = passed[slot];
    }
    const after = (at: number) => (Number.isFinite(at) ? at - this.#releaseAt : null);
    return {
      firstReleaseMs: after(first),
      lastReleaseMs: after(last),
      lastSentMs: after(lastSent),
      lastEndMs: after(end),
    };
  }

  /** Attempts that ended by themselves before the release. */
  #failedBeforeGate(): number {
    const { gate } = this.#context.plan;
    if (gate === 'connect') return 0;
    const { outcome, tlsStart, sent } = this.#set.columns;
    const passed = gate === 'tls' ? tlsStart : sent;
    let failed = 0;
    for (let slot = 0; slot < this.#count; slot++) {
      if (Number.isNaN(passed[slot]) && outcome[slot] !== ABORTED) failed++;
    }
    return failed;
  }

  /** An attempt that fails while arming is counted from its own start. */
  #dueOf(slot: number): number {
    return this.#set.attempts.released ? this.#releaseAt : this.#set.columns.opened[slot];
  }

  #launchMore(): void {
    while (
      !this.#stopped.signal.aborted &&
      this.#launched < this.#count &&
      this.#launched - this.#settledBeforeRelease < ARMING_IN_FLIGHT
    ) {
      this.#set.attempts.launch(this.#launched++);
    }
  }

  #settle(): void {
    this.#settledBeforeRelease++;
    if (this.#settledBeforeRelease >= this.#count) this.#resolveArmed?.();
    else this.#launchMore();
  }

  #oneEnded(): void {
    this.#ended++;
    if (!this.#set.attempts.released && this.#context.plan.gate !== 'connect') this.#settle();
    if (this.#ended === this.#count) this.#resolveEnded?.();
  }

  /** A timer is too coarse for the last moments, and spinning for long would take a core from the target. */
  async #waitForRelease(at: number): Promise<void> {
    const early = at - now() - 3;
    if (early > 0) await wait(early);
    const left = at - now() - 0.5;
    if (left > 0) this.#context.sleep(left);
    while (now() < at);
  }

  /**
   * Releases slices with pauses in which replies are read and stamped. A target that replies at once could make the
   * pauses longer than the release, so after each pause releasing goes on for a multiple of its length.
   */
  #releaseSlices(): void {
    const { gate, target, releaseChunk } = this.#context.plan;
    // A TLS handshake costs 1 ms of CPU, so a pause between slices would be used up by the first slice's handshakes.
    const size =
      target.scheme === 'wss' && gate !== 'upgrade' ? this.#count : (releaseChunk ?? this.#set.stamping.releaseChunk);
    // node:net does part of a connect after the slice; that must not be counted as the pause.
    const worth = gate === 'connect' ? 0 : RELEASING_PER_PAUSE;
    let slot = 0;
    let resumedAt = now();
    let pausedMs = 0;
    const slices = () => {
      do slot = this.#releaseFrom(slot, size);
      while (slot < this.#count && now() - resumedAt < worth * pausedMs);
      if (slot >= this.#count) return;
      const pausedAt = now();
      setImmediate(() => {
        resumedAt = now();
        pausedMs = resumedAt - pausedAt;
        slices();
      });
    };
    slices();
  }

  /** Releases the next `size` attempts that still wait; returns the slot after the last. */
  #releaseFrom(first: number, size: number): number {
    const { columns, attempts, deadlines, stamping } = this.#set;
    const deadline = this.#releaseAt + this.#context.plan.timeoutMs;
    const connects = this.#context.plan.gate === 'connect';
    let slot = first;
    let at = now();
    for (let left = size; slot < this.#count && left > 0; slot++) {
      if (columns.outcome[slot] !== 0) continue;
      left--;
      if (slot % RELEASED_A_LOOK === 0) {
        at = now();
        stamping.stalls.beat(at);
      }
      if (at >= deadline) {
        attempts.giveUp(slot, at, NOT_RELEASED);
        continue;
      }
      deadlines.set(slot, deadline);
      if (connects) attempts.launch(slot);
      else attempts.pass(slot);
      this.#context.live[LIVE.released]++;
    }
    return slot;
  }
}
