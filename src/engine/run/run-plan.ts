/**
 * A run: the stages of a plan, one burst after another, from the look-up of the name to the last socket's end. It decides
 * what is fired next and whether the run goes on; how a burst is fired is volley.ts, what it means is the tally's.
 */
import os from 'node:os';
import type { Host } from '../../host.js';
import { PREFLIGHT_ATTEMPTS, probesPerBurst } from '../../plan/needs.js';
import { burstSizes, fixedOpen, type Inputs, type Plan } from '../../plan/plan.js';
import { isoMicros } from '../../result/document.js';
import type { Burst, Calibration, Generator, Preflight } from '../../result/result.js';
import type { Found, RunRecord, Stopped } from '../../tally/assemble.js';
import { Tally } from '../../tally/tally.js';
import {
  type AbortState,
  abortStep,
  parseAbort,
  parseThreshold,
  startAbort,
  tightestLatencyMs,
} from '../../tally/thresholds.js';
import { type Part, RunningSums } from '../../tally/totals.js';
import { pause } from '../load/attempt-set.js';
import { now, wallOffset } from '../machine/clock.js';
import { watchMachine } from '../machine/disturbance.js';
import { type Machine, portsPerSource, readMachine, shortageOf, unmetNeeds } from '../machine/limits.js';
import type { Aim, Fault } from '../threads/messages.js';
import { AIM } from '../threads/shared-memory.js';
import { tlsOptions } from '../threads/worker.js';
import { Crew, workersFor } from '../threads/worker-pool.js';
import { type Choice, chooseTransport } from '../transport/choose-transport.js';
import { burstOf, latencyLimitOf, nothingFired } from './burst-record.js';
import { calibrate, type Mirror, startMirror, warmUp } from './calibrate.js';
import { Live, type Progress } from './live.js';
import { preflight } from './preflight.js';
import { probeAfter } from './probe-after.js';
import { guard, type Resolution, resolveTarget } from './resolve.js';
import { type Director, runSearch, type SearchGround, type SearchNews } from './search-hands.js';
import { addUntimed, fireVolley, type Volley } from './stage-run.js';

/** Before what follows a search that was given no cool-down of its own (METHOD A.4.1). */
const REST_AFTER_SEARCH_MS = 10_000;

/** One burst, or one churn stage, about to be fired. */
interface OneBurst {
  readonly stageIndex: number;
  readonly index: number;
  readonly size: number | null;
  readonly floor: Calibration | null;
  readonly resolution: Resolution;
  /** Number of its first attempt; the next free one where it has not been given yet. */
  readonly base?: number;
  readonly search?: SearchNews;
}

/** Told as things happen; what it returns is awaited, so that a slow disk delays the next burst and not this one. */
export interface RunObserver {
  preflight?(preflight: Preflight): void;
  progress?(progress: Progress): void;
  /** CSV rows of attempts, whole lines. */
  rows?(rows: string): void;
  /** After each burst, with everything so far. */
  burst?(burst: Burst, record: RunRecord): void | Promise<void>;
  /** A search is about to fire: what there is must be safe before that. */
  save?(record: RunRecord): void | Promise<void>;
  /** A line for a person. */
  note?(text: string): void;
  /** Why sockets are not driven as fast as they could be, as the end of a sentence: before anything is sent. */
  transport?(text: string): void;
}

/** What an earlier process measured of the same plan. */
export interface Earlier {
  readonly startedAt: string;
  readonly bursts: readonly Burst[];
  readonly parts: readonly Part[];
  /** Index of the first burst of the search. */
  readonly firstIndex: number;
  /** Handshakes that had a number. */
  readonly attempts: number;
}

export interface RunOptions {
  readonly host: Host;
  readonly version: string;
  readonly observer: RunObserver;
  /** Aborted by the first Ctrl-C, with the signal's name as its reason. */
  readonly signal: AbortSignal;
  readonly wantRows: boolean;
  /** Of the search, where the plan has one. */
  readonly director?: Director | null;
  /** The run goes on with its search; stages before that are over. */
  readonly earlier?: Earlier | null;
  /** As it was before anything was started. */
  readonly machine?: Machine;
  /** Threads that are starting already (`Crew.early`). */
  readonly crew?: Crew | null;
  /** For tests. */
  readonly fault?: Fault | null;
  readonly workerHeapMb?: number;
}

/** Runs a plan. @throws UserError when the guard refuses the target; everything else is in the record. */
export async function runPlan(plan: Plan, inputs: Inputs, options: RunOptions): Promise<RunRecord> {
  return new Run(plan, inputs, options).run();
}

class Run {
  readonly #plan: Plan;
  readonly #inputs: Inputs;
  readonly #options: RunOptions;
  readonly #startedAt: string;
  readonly #machine: Machine;
  readonly #workers: number;
  readonly #bursts: Burst[] = [];
  readonly #sums = new RunningSums();
  readonly #userAgent: string;
  readonly #latencyLimitMs: number | null;
  #abort: AbortState | null;
  #addresses: readonly string[] = [];
  #transport: Choice = { name: 'node', note: null };
  #preflight: Preflight | null = null;
  #stopped: Stopped | null = null;
  /** Of the preflight's, where sessions are to be resumed. */
  #tlsSession: Buffer | null = null;
  #nextAttempt: number;
  #nextIndex = 0;
  #found: Found | null = null;
  /** For the calibrations of a search: there only while it is needed. */
  #mirror: Mirror | null = null;

  constructor(plan: Plan, inputs: Inputs, options: RunOptions) {
    this.#plan = plan;
    this.#inputs = inputs;
    this.#options = options;
    this.#userAgent = `wstampede/${options.version}`;
    this.#machine = options.machine ?? readMachine();
    this.#workers = workersFor(plan, this.#machine);
    this.#latencyLimitMs = tightestLatencyMs(plan.thresholds.map(parseThreshold));
    this.#abort = plan.abort === null ? null : startAbort(parseAbort(plan.abort));
    const { earlier = null } = options;
    this.#startedAt = earlier?.startedAt ?? isoMicros(now() + wallOffset());
    this.#nextAttempt = earlier?.attempts ?? (plan.preflight ? PREFLIGHT_ATTEMPTS : 0);
    this.#bursts.push(...(earlier?.bursts ?? []));
    this.#nextIndex = (this.#bursts.at(-1)?.index ?? -1) + 1;
    for (const part of earlier?.parts ?? []) this.#sums.add(part);
  }

  async run(): Promise<RunRecord> {
    const resolution = await resolveTarget(this.#plan);
    this.#addresses = resolution.addresses;
    guard(this.#plan, resolution.destinations);
    this.#transport = await chooseTransport(this.#plan, this.#options.host.platform);
    if (this.#transport.note !== null) this.#options.observer.transport?.(this.#transport.note);
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
    this.#options.observer.progress?.({ phase: 'preflight', ...Live.nothing });
    // A handshake beside threads that are starting would not be an unloaded one.
    await this.#options.crew?.up();
    const { preflight: found, answered, session } = await preflight({ resolution, ...this.#alone() });
    this.#preflight = found;
    if (this.#plan.target.tls.resume) this.#tlsSession = session;
    this.#options.observer.preflight?.(found);
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
      wantRows: this.#options.wantRows,
    };
    const mirror = this.#plan.calibrate ? await startMirror(this.#plan, fixedOpen(this.#plan)) : null;
    try {
      const crew = await this.#briefed(mirror === null ? [target] : [target, mirror.aim]);
      const onStop = () => crew.stop();
      this.#options.signal.addEventListener('abort', onStop);
      if (this.#options.signal.aborted) crew.stop();
      try {
        const floors = mirror === null ? [] : await this.#calibrations(crew, mirror);
        await mirror?.stop();
        const first = this.#options.earlier == null ? 0 : this.#plan.stages.findIndex(({ kind }) => kind === 'find');
        for (let stage = first; stage < this.#plan.stages.length && !this.#isStopped(); stage++) {
          if (this.#plan.stages[stage].kind === 'find') await this.#runSearch(crew, stage, resolution);
          else await this.#runStage(crew, stage, resolution, floors[stage] ?? null);
        }
      } finally {
        this.#options.signal.removeEventListener('abort', onStop);
        await crew.dismiss();
      }
    } finally {
      await mirror?.stop();
      await this.#mirror?.stop();
    }
  }

  async #briefed(aims: readonly Aim[]): Promise<Crew> {
    const { host, observer, workerHeapMb, fault = null } = this.#options;
    const platform = this.#transport.name === 'epoll' ? host.platform : null;
    const crew = this.#options.crew ?? (await Crew.hire(this.#plan, this.#machine, platform !== null, workerHeapMb));
    crew.onRows = (rows) => observer.rows?.(rows);
    const { portRange } = this.#machine;
    await crew.brief({ aims, userAgent: this.#userAgent, portRange, platform, fault });
    return crew;
  }

  async #calibrations(crew: Crew, mirror: Mirror): Promise<(Calibration | null)[]> {
    const floors: (Calibration | null)[] = [];
    this.#options.observer.progress?.({ phase: 'calibrating', ...Live.nothing });
    await warmUp(crew, mirror, () => this.#isStopped());
    for (let stage = 0; stage < this.#plan.stages.length && !this.#isStopped(); stage++) {
      this.#options.observer.progress?.({ phase: 'calibrating', ...Live.nothing });
      // A search measures its floors as it goes, at the sizes that it comes to.
      const isSearch = this.#plan.stages[stage].kind === 'find';
      floors.push(isSearch ? null : await calibrate(crew, mirror, stage, () => this.#isStopped()));
    }
    return floors;
  }

  async #runStage(crew: Crew, index: number, resolution: Resolution, floor: Calibration | null): Promise<void> {
    const stage = this.#plan.stages[index];
    const sizes = burstSizes(stage);
    for (const [place, size] of sizes.entries()) {
      if (this.#isStopped()) return;
      const isLast = index === this.#plan.stages.length - 1 && place === sizes.length - 1;
      await this.#runBurst(crew, index, size, resolution, floor);
      if (!isLast && !this.#isStopped()) await this.#rest(stage.restMs ?? 0);
    }
  }

  async #runSearch(crew: Crew, stage: number, resolution: Resolution): Promise<void> {
    const { director = null, earlier = null } = this.#options;
    if (director === null) throw new Error('a plan with a search needs a director');
    const firstIndex = earlier?.firstIndex ?? this.#nextIndex;
    await runSearch(this.#ground(crew, stage, resolution, director, firstIndex), director);
    const isLast = stage === this.#plan.stages.length - 1;
    if (!isLast && !this.#isStopped()) await this.#rest(this.#plan.stages[stage].restMs ?? REST_AFTER_SEARCH_MS);
  }

  /** What a search can have done here. */
  #ground(crew: Crew, stage: number, resolution: Resolution, director: Director, firstIndex: number): SearchGround {
    const plan = this.#plan;
    const { destinations } = resolution;
    const found = (): void => {
      const search = { stage, firstIndex, attempts: this.#nextAttempt, state: director.state };
      this.#found = { dropOff: director.dropOff, search };
    };
    const news = () => director.news(now() + wallOffset());
    return {
      stopped: () => this.#isStopped(),
      fire: async (size, index, floor, base) => {
        const one = { stageIndex: stage, index: firstIndex + index, size, floor, resolution, base, search: news() };
        await this.#fire(crew, one);
        return this.#bursts[this.#bursts.length - 1];
      },
      calibrate: async (size) => {
        if (!plan.calibrate) return null;
        if (this.#mirror === null) {
          this.#mirror = await startMirror(plan, size);
          await crew.aimAt(AIM.mirror, this.#mirror.aim);
        }
        return calibrate(crew, this.#mirror, stage, () => this.#isStopped(), size);
      },
      endCalibration: async () => {
        await this.#mirror?.stop();
        this.#mirror = null;
      },
      shortage: (size) => shortageOf(size, plan, readMachine(), this.#workers, destinations),
      alone: () => ({ ...this.#alone(), destinations }),
      number: (handshakes) => {
        this.#nextAttempt += handshakes;
        return this.#nextAttempt - handshakes;
      },
      save: async (burst) => {
        found();
        if (burst === null) await this.#options.observer.save?.(this.#record());
        else await this.#options.observer.burst?.(burst, this.#record());
      },
      note: (text) => this.#options.observer.note?.(text),
      show: (phase) => this.#options.observer.progress?.({ phase, ...Live.nothing, search: news() }),
      refuse: (reason) => {
        this.#stopped ??= { by: 'limits', reason };
      },
    };
  }

  async #runBurst(
    crew: Crew,
    stageIndex: number,
    size: number | null,
    resolution: Resolution,
    floor: Calibration | null,
  ): Promise<void> {
    const volley = await this.#fire(crew, { stageIndex, index: this.#nextIndex, size, floor, resolution });
    if (volley.releasedAt !== null && !this.#isStopped()) await this.#probe(crew.control.releaseAt, resolution);
    await this.#options.observer.burst?.(this.#bursts[this.#bursts.length - 1], this.#record());
  }

  async #fire(crew: Crew, one: OneBurst): Promise<Volley> {
    const { stageIndex, index, size, floor, resolution, search, base = this.#nextAttempt } = one;
    const stage = this.#plan.stages[stageIndex];
    const churn = stage.kind === 'churn' ? stage : null;
    const live = new Live(crew.control, { index, size, of: this.#planned(), search }, (p) =>
      this.#options.observer.progress?.(p),
    );
    live.onOutcomes = churn === null || this.#abort === null ? null : (tally) => this.#watchChurn(tally, crew);
    live.start();
    const volley = await fireVolley(crew, {
      aim: AIM.target,
      stage: stageIndex,
      index,
      size,
      base,
      plan: this.#plan,
      churn,
      onPhase: (phase) => live.enter(phase),
      stopped: () => this.#isStopped(),
    });
    live.stop();
    for (const rows of volley.rows) this.#options.observer.rows?.(rows);
    if (resolution.dnsMs !== null && this.#bursts.length === 0) volley.tally.addDns(resolution.dnsMs);
    this.#nextAttempt = Math.max(this.#nextAttempt, base + (size ?? crew.size * (volley.launched + 1)));
    this.#keep(stageIndex, index, size, volley, floor);
    this.#mayStop(volley);
    return volley;
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
        this.#options.observer.progress?.({
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

  #keep(stageIndex: number, index: number, size: number | null, volley: Volley, floor: Calibration | null): void {
    const stage = this.#plan.stages[stageIndex];
    const { burst, part } = burstOf({
      plan: this.#plan,
      stageIndex,
      stage,
      index,
      size,
      volley,
      floor,
      latencyLimitMs: latencyLimitOf(stage) ?? this.#latencyLimitMs,
      isStopped: this.#isStopped(),
    });
    this.#bursts.push(burst);
    this.#sums.add(part);
    this.#nextIndex = index + 1;
  }

  /** The name has no address: every attempt of every burst ends before its first packet, as `dns`. */
  async #withoutAddress(resolution: Resolution, failure: string): Promise<void> {
    for (const [index, stage] of this.#plan.stages.entries()) {
      for (const size of burstSizes(stage)) {
        const tally = new Tally();
        addUntimed(tally, 'dns', failure, size ?? 1);
        if (this.#bursts.length === 0 && resolution.dnsMs !== null) tally.addDns(resolution.dnsMs);
        this.#keep(index, this.#nextIndex, size, nothingFired(tally, size ?? 1, watchMachine()()), null);
      }
    }
    const last = this.#bursts[this.#bursts.length - 1];
    if (last !== undefined) await this.#options.observer.burst?.(last, this.#record());
  }

  async #rest(ms: number): Promise<void> {
    const until = now() + ms;
    if (ms > 0) this.#options.observer.progress?.({ phase: 'resting', ...Live.nothing });
    while (now() < until && !this.#isStopped()) await pause(Math.min(50, Math.max(1, until - now())));
  }

  #planned(): number {
    return this.#plan.stages.reduce((sum, stage) => sum + burstSizes(stage).length, 0);
  }

  #isStopped(): boolean {
    if (this.#stopped === null && this.#options.signal.aborted) {
      const by = this.#options.signal.reason === 'SIGTERM' ? 'SIGTERM' : 'SIGINT';
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
      sums: this.#sums.sums(),
      stopped: this.#stopped,
      found: this.#found,
    };
  }

  #generator(): Generator {
    const { host } = this.#options;
    return {
      id: 'local',
      host: os.hostname(),
      cpus: this.#machine.cpus,
      node: host.nodeVersion,
      platform: host.platform,
      transport: this.#transport.name,
      transportNote: this.#transport.note,
      workers: this.#workers,
      limits: {
        fds: this.#machine.fds,
        ports: portsPerSource(this.#machine) * Math.max(1, this.#plan.target.sourceIps.length),
      },
    };
  }
}
