/**
 * A run: the stages of a plan, one burst after another, from the look-up of the name to the last socket's end. It decides
 * what is fired next and whether the run goes on; how a burst is fired is volley.ts, what it means is the tally's.
 */
import os from 'node:os';
import type { Host } from '../host.js';
import { PREFLIGHT_ATTEMPTS, probesPerBurst } from '../plan/needs.js';
import { burstSizes, type Inputs, type Plan, peakOpen, type Stage } from '../plan/plan.js';
import type { RunRecord, Stopped } from '../tally/assemble.js';
import { isoMicros } from '../tally/document.js';
import type { Burst, Calibration, Generator, Preflight, Release } from '../tally/result.js';
import { Tally } from '../tally/tally.js';
import {
  type AbortState,
  abortStep,
  parseAbort,
  parseThreshold,
  startAbort,
  tightestLatencyMs,
} from '../tally/thresholds.js';
import type { Part } from '../tally/totals.js';
import { judgeBurst } from '../tally/validity.js';
import { probeAfter } from './after.js';
import { pause } from './attempt-set.js';
import { calibrate, type Mirror, startMirror, warmUp } from './calibrate.js';
import { now, toMicros, wallOffset } from './clock.js';
import { AIM } from './control.js';
import { Crew, type CrewTask } from './crew.js';
import { type Disturbance, watchMachine } from './evidence.js';
import { portsPerSource, readMachine, unmetNeeds } from './limits.js';
import { Live, type Progress } from './live.js';
import type { Aim, Fault } from './messages.js';
import { preflight } from './preflight.js';
import { guard, type Resolution, resolveTarget } from './resolve.js';
import { addUntimed, fireVolley, type Volley } from './volley.js';
import { tlsOptions } from './worker.js';

/** Attempts that one worker can release close together; more workers than this needs only add skew. */
const ATTEMPTS_PER_WORKER = 250;

/** Told as things happen; what it returns is awaited, so that a slow disk delays the next burst and not this one. */
export interface RunObserver {
  preflight?(preflight: Preflight): void;
  progress?(progress: Progress): void;
  /** CSV rows of attempts, whole lines. */
  rows?(rows: string): void;
  /** After each burst, with everything so far. */
  burst?(burst: Burst, record: RunRecord): void;
}

export interface RunOptions {
  readonly host: Host;
  readonly version: string;
  readonly observer: RunObserver;
  /** Aborted by the first Ctrl-C, with the signal's name as its reason. */
  readonly signal: AbortSignal;
  readonly wantRows: boolean;
  /** For tests. */
  readonly fault?: Fault | null;
  readonly workerHeapMb?: number;
}

/** Runs a plan. @throws UserError when the guard refuses the target; everything else is in the record. */
export async function runPlan(plan: Plan, inputs: Inputs, options: RunOptions): Promise<RunRecord> {
  const run = new Run(plan, inputs, options);
  return run.run();
}

class Run {
  readonly #plan: Plan;
  readonly #inputs: Inputs;
  readonly #o: RunOptions;
  readonly #startedAt = isoMicros(now() + wallOffset());
  readonly #machine = readMachine();
  readonly #workers: number;
  readonly #bursts: Burst[] = [];
  readonly #parts: Part[] = [];
  readonly #userAgent: string;
  readonly #latencyLimitMs: number | null;
  #abort: AbortState | null;
  #addresses: readonly string[] = [];
  #preflight: Preflight | null = null;
  #stopped: Stopped | null = null;
  /** Of the preflight's, where sessions are to be resumed. */
  #tlsSession: Buffer | null = null;
  #nextAttempt: number;

  constructor(plan: Plan, inputs: Inputs, options: RunOptions) {
    this.#plan = plan;
    this.#inputs = inputs;
    this.#o = options;
    this.#userAgent = `wstampede/${options.version}`;
    this.#workers =
      plan.workers ?? Math.max(1, Math.min(this.#machine.cpus, Math.ceil(peakOpen(plan) / ATTEMPTS_PER_WORKER)));
    this.#latencyLimitMs = tightestLatencyMs(plan.thresholds.map(parseThreshold));
    this.#abort = plan.abort === null ? null : startAbort(parseAbort(plan.abort));
    this.#nextAttempt = plan.preflight ? PREFLIGHT_ATTEMPTS : 0;
  }

  async run(): Promise<RunRecord> {
    const resolution = await resolveTarget(this.#plan);
    this.#addresses = resolution.addresses;
    guard(this.#plan, resolution.destinations);
    const unmet = unmetNeeds(this.#plan, this.#machine, this.#workers, resolution.destinations);
    if (unmet.length > 0) {
      this.#stopped = { by: 'limits', reason: unmet.join('; ') };
      return this.#record();
    }
    await this.#runPreflight(resolution);
    if (this.#isStopped()) return this.#record();
    if (resolution.failure !== null) await this.#withoutAddress(resolution, resolution.failure);
    else await this.#runStages(resolution);
    return this.#record();
  }

  async #runPreflight(resolution: Resolution): Promise<void> {
    if (!this.#plan.preflight) return;
    this.#o.observer.progress?.({ phase: 'preflight', ...Live.nothing });
    const { preflight: found, answered, session } = await preflight({ resolution, ...this.#alone() });
    this.#preflight = found;
    if (this.#plan.target.tls.resume) this.#tlsSession = session;
    this.#o.observer.preflight?.(found);
    if (!answered && !this.#isStopped()) {
      const local = Object.keys(found.outcomes).find((id) => id.startsWith('local-'));
      this.#stopped =
        local === undefined
          ? {
              by: 'no-answer',
              reason: `the target gave no answer at preflight (${Object.keys(found.outcomes).join(', ')})`,
            }
          : { by: 'limits', reason: `not one connection could be opened from this machine (${local})` };
    }
  }

  /** What every single handshake needs, before the bursts and after each. */
  #alone() {
    const [plan, inputs] = [this.#plan, this.#inputs];
    return {
      plan,
      inputs,
      tls: plan.target.scheme === 'wss' ? tlsOptions({ plan, inputs, tlsSession: this.#tlsSession }) : null,
      userAgent: this.#userAgent,
      portRange: this.#machine.portRange,
      stopped: () => this.#isStopped(),
    };
  }

  async #runStages(resolution: Resolution): Promise<void> {
    const target: Aim = {
      plan: this.#plan,
      inputs: this.#inputs,
      destinations: resolution.destinations,
      tlsSession: this.#tlsSession,
      wantRows: this.#o.wantRows,
    };
    const mirror = this.#plan.calibrate ? await startMirror(this.#plan) : null;
    try {
      const crew = await this.#startCrew(mirror === null ? [target] : [target, mirror.aim]);
      const onStop = () => crew.stop();
      this.#o.signal.addEventListener('abort', onStop);
      if (this.#o.signal.aborted) crew.stop();
      try {
        const floors = mirror === null ? [] : await this.#calibrations(crew, mirror);
        await mirror?.stop();
        for (let stage = 0; stage < this.#plan.stages.length && !this.#isStopped(); stage++) {
          await this.#runStage(crew, stage, resolution, floors[stage] ?? null);
        }
      } finally {
        this.#o.signal.removeEventListener('abort', onStop);
        await crew.dismiss();
      }
    } finally {
      await mirror?.stop();
    }
  }

  async #startCrew(aims: readonly Aim[]): Promise<Crew> {
    const task: CrewTask = {
      aims,
      userAgent: this.#userAgent,
      portRange: this.#machine.portRange,
      fault: this.#o.fault ?? null,
    };
    const crew = await Crew.start(task, this.#workers, this.#o.workerHeapMb);
    crew.onRows = (rows) => this.#o.observer.rows?.(rows);
    return crew;
  }

  async #calibrations(crew: Crew, mirror: Mirror): Promise<(Calibration | null)[]> {
    const floors: (Calibration | null)[] = [];
    this.#o.observer.progress?.({ phase: 'calibrating', ...Live.nothing });
    await warmUp(crew, mirror, () => this.#isStopped());
    for (let stage = 0; stage < this.#plan.stages.length && !this.#isStopped(); stage++) {
      this.#o.observer.progress?.({ phase: 'calibrating', ...Live.nothing });
      floors.push(await calibrate(crew, mirror, stage, () => this.#isStopped()));
    }
    return floors;
  }

  async #runStage(crew: Crew, index: number, resolution: Resolution, floor: Calibration | null): Promise<void> {
    const stage = this.#plan.stages[index];
    const sizes = burstSizes(stage);
    for (const [place, size] of sizes.entries()) {
      if (this.#isStopped()) return;
      const isLast = index === this.#plan.stages.length - 1 && place === sizes.length - 1;
      await this.#runBurst(crew, index, stage, size, resolution, floor);
      if (!isLast && !this.#isStopped()) await this.#rest(stage.restMs);
    }
  }

  async #runBurst(
    crew: Crew,
    stageIndex: number,
    stage: Stage,
    size: number | null,
    resolution: Resolution,
    floor: Calibration | null,
  ): Promise<void> {
    const index = this.#bursts.length;
    const churn = stage.kind === 'churn' ? stage : null;
    const live = new Live(crew.control, { index, size, of: this.#planned() }, (p) => this.#o.observer.progress?.(p));
    live.onOutcomes = churn === null || this.#abort === null ? null : (tally) => this.#watchChurn(tally, crew);
    live.start();
    const volley = await fireVolley(crew, {
      aim: AIM.target,
      stage: stageIndex,
      index,
      size,
      base: this.#nextAttempt,
      plan: this.#plan,
      churn,
      onPhase: (phase) => live.enter(phase),
      stopped: () => this.#isStopped(),
    });
    live.stop();
    for (const rows of volley.rows) this.#o.observer.rows?.(rows);
    if (resolution.dnsMs !== null && index === 0) volley.tally.addDns(resolution.dnsMs);
    this.#nextAttempt += size ?? crew.size * (volley.launched + 1);
    this.#keep(stageIndex, stage, size, volley, floor);
    this.#mayStop(volley);
    if (volley.releasedAt !== null && !this.#isStopped()) await this.#probe(crew.control.releaseAt, resolution);
    this.#o.observer.burst?.(this.#bursts[index], this.#record());
  }

  /** How long others suffer after the burst that is just over. */
  async #probe(releasedAt: number, { destinations }: Resolution): Promise<void> {
    const size = probesPerBurst(this.#plan);
    if (size === 0) return;
    const index = this.#bursts.length - 1;
    const after = await probeAfter({
      ...this.#alone(),
      destinations,
      releasedAt,
      base: this.#nextAttempt,
      onProgress: ({ started, ...probed }) =>
        this.#o.observer.progress?.({
          phase: 'probing',
          index,
          of: this.#planned(),
          size,
          armed: started,
          released: started,
          ...probed,
        }),
    });
    this.#nextAttempt += size;
    this.#bursts[index] = { ...this.#bursts[index], after };
  }

  /** A churn stage is one burst to the abort rule, so a long one is looked at while it runs, a second at a time. */
  #watchChurn(tally: Tally, crew: Crew): void {
    if (this.#abort === null || this.#stopped !== null) return;
    const step = abortStep(this.#abort, tally.counted(), null);
    this.#abort = step.state;
    if (!step.abort) return;
    this.#stopByRule();
    crew.stop();
  }

  #mayStop(volley: Volley): void {
    if (volley.lostWorkers.length > 0 && this.#stopped === null) {
      this.#stopped = { by: 'worker', reason: volley.lostWorkers.join('; ') };
    }
    const burst = this.#bursts[this.#bursts.length - 1];
    if (this.#abort !== null && this.#stopped === null && burst.validity.verdict !== 'invalid') {
      const step = abortStep(this.#abort, burst, burst.rate);
      this.#abort = step.state;
      if (step.abort) this.#stopByRule();
    }
  }

  #stopByRule(): void {
    this.#stopped = { by: 'abort', reason: `stopped by the abort rule: ${this.#plan.abort}` };
  }

  #keep(stageIndex: number, stage: Stage, size: number | null, volley: Volley, floor: Calibration | null): void {
    const { tally, disturbance } = volley;
    const counted = tally.counted();
    const kind = stage.kind === 'churn' ? 'churn' : 'burst';
    const release = releaseOf(volley);
    const seconds = (volley.lastEndMs ?? 0) / 1000;
    const rate = kind === 'churn' ? (seconds > 0 ? tally.count('101') / seconds : 0) : null;
    const isSecure = this.#plan.target.scheme === 'wss';
    const validity = judgeBurst({
      kind,
      gate: this.#plan.gate,
      // A churn that was stopped has no size to fall short of.
      planned: kind === 'churn' && this.#isStopped() ? null : size,
      outcomes: counted.outcomes,
      release,
      makespanMs: volley.lastEndMs,
      calibration: floor,
      latencyLimitMs: this.#latencyLimitMs,
      launched: volley.launched,
      failedToArm: volley.failedToArm,
      overdue: volley.overdue,
      timeoutMs: this.#plan.timeoutMs,
      lostWorkers: volley.lostWorkers,
      longestGapMs: volley.longestGapMs,
      gcMaxMs: volley.gcMaxMs,
      ...disturbance,
    });
    this.#bursts.push({
      stage: stageIndex,
      index: this.#bursts.length,
      size: size ?? tally.attempted,
      kind,
      // A churn has no gate: its attempts begin one by one.
      gate: kind === 'churn' ? 'connect' : this.#plan.gate,
      releasedAt: volley.releasedAt === null ? null : isoMicros(volley.releasedAt),
      release,
      makespanMs: volley.lastEndMs,
      rate,
      perSecond: volley.perSecond,
      ...counted,
      validity,
      calibration: floor,
      generator: {
        launched: volley.launched,
        failedToArm: volley.failedToArm,
        longestGapMs: volley.longestGapMs,
        gcPauses: volley.gcPauses,
        gcMaxMs: volley.gcMaxMs,
        throttledMs: disturbance.throttledMs,
        stealShare: disturbance.stealShare,
        tlsResumed: isSecure ? volley.tlsResumed : null,
      },
      after: null,
      sessions: null,
      watch: null,
    });
    this.#parts.push({ tally, validity, launched: volley.launched, rate });
  }

  /** The name has no address: every attempt of every burst ends before its first packet, as `dns`. */
  async #withoutAddress(resolution: Resolution, failure: string): Promise<void> {
    for (const [index, stage] of this.#plan.stages.entries()) {
      for (const size of burstSizes(stage)) {
        const tally = new Tally();
        addUntimed(tally, 'dns', failure, size ?? 1);
        if (this.#bursts.length === 0 && resolution.dnsMs !== null) tally.addDns(resolution.dnsMs);
        this.#keep(index, stage, size, nothingFired(tally, size ?? 1, watchMachine()()), null);
      }
    }
    const last = this.#bursts[this.#bursts.length - 1];
    if (last !== undefined) this.#o.observer.burst?.(last, this.#record());
  }

  async #rest(ms: number): Promise<void> {
    const until = now() + ms;
    if (ms > 0) this.#o.observer.progress?.({ phase: 'resting', ...Live.nothing });
    while (now() < until && !this.#isStopped()) await pause(Math.min(50, Math.max(1, until - now())));
  }

  #planned(): number {
    return this.#plan.stages.reduce((sum, stage) => sum + burstSizes(stage).length, 0);
  }

  #isStopped(): boolean {
    if (this.#stopped === null && this.#o.signal.aborted) {
      const by = this.#o.signal.reason === 'SIGTERM' ? 'SIGTERM' : 'SIGINT';
      this.#stopped = { by, reason: 'stopped by the user' };
    }
    return this.#stopped !== null;
  }

  #record(): RunRecord {
    this.#isStopped();
    return {
      startedAt: this.#startedAt,
      endedAt: isoMicros(now() + wallOffset()),
      generators: [this.#generator()],
      addresses: this.#addresses,
      preflight: this.#preflight,
      bursts: [...this.#bursts],
      parts: [...this.#parts],
      stopped: this.#stopped,
    };
  }

  #generator(): Generator {
    const { host } = this.#o;
    return {
      id: 'local',
      host: os.hostname(),
      cpus: this.#machine.cpus,
      node: host.nodeVersion,
      platform: host.platform,
      transport: 'node',
      workers: this.#workers,
      limits: {
        fds: this.#machine.fds,
        ports: portsPerSource(this.#machine) * Math.max(1, this.#plan.target.sourceIps.length),
      },
    };
  }
}

function releaseOf(volley: Volley): Release | null {
  const { firstReleaseMs: first, lastReleaseMs: last } = volley;
  if (first === null || last === null) return null;
  return { spreadMs: toMicros(last - first), firstMs: first, lastMs: last, perWorkerMs: volley.perWorkerMs };
}

function nothingFired(tally: Tally, launched: number, disturbance: Disturbance): Volley {
  return {
    tally,
    launched,
    failedToArm: 0,
    overdue: 0,
    firstReleaseMs: null,
    lastReleaseMs: null,
    perWorkerMs: [],
    lastEndMs: null,
    releasedAt: null,
    longestGapMs: 0,
    gcPauses: 0,
    gcMaxMs: 0,
    tlsResumed: 0,
    perSecond: null,
    rows: [],
    lostWorkers: [],
    disturbance,
  };
}
