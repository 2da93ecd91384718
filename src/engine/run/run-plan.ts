/**
 * A run: the stages of a plan, one load after another, from the DNS lookup to the end of the last socket. Decides what
 * is fired next and whether the run goes on. stage-run.ts fires a load; the tally interprets it.
 */
import { isSignalName } from '../../errors.js';
import type { Threshold } from '../../plan/expressions/rules.js';
import { PREFLIGHT_ATTEMPTS, probesPerBurst } from '../../plan/needs.js';
import { burstSizes, fixedOpen, type Inputs, type Plan } from '../../plan/plan.js';
import { isSearch, loadOf } from '../../plan/stages/kinds.js';
import { isoMicros } from '../../result/iso-time.js';
import type { Burst, Calibration } from '../../result/result.js';
import type { Director, SearchNews } from '../../search/engine-interface.js';
import type { Found, RunRecord, Stopped } from '../../tally/assemble.js';
import { limitsOf } from '../../tally/floor.js';
import { Tally } from '../../tally/tally.js';
import { type AbortState, abortStep, startAbort } from '../../tally/thresholds.js';
import { RunningSums } from '../../tally/totals.js';
import { TARGET } from '../load/generators.js';
import type { LoadTarget } from '../load/load-target.js';
import { handshakeOnce } from '../load/single-handshake.js';
import { now, wallOffset } from '../machine/clock.js';
import { watchMachine } from '../machine/disturbance.js';
import { readMachine } from '../machine/machine.js';
import { wait } from '../machine/wait.js';
import { type Mirror, startMirror } from '../mirror/mirror-process.js';
import { tlsOptions } from '../transport/tls-options.js';
import type { Destination } from '../transport/transport.js';
import { burstOf, limitsOfSearch, nothingFired, type RecordedBurst } from './burst-record.js';
import { CalibrationOnDemand, calibrateStages, NO_FLOORS, type StageFloors } from './calibrate.js';
import { type Choice, chooseTransport } from './choose-transport.js';
import { Live } from './live.js';
import { localGenerator } from './local-generator.js';
import { shortageOf, unmetNeeds } from './machine-needs.js';
import { deadInWords, type PreflightOutcome, preflight } from './preflight.js';
import { probeAfter } from './probe-after.js';
import { guard, lookUpFailed, oneAddressOf, type Resolution, resolveTarget } from './resolve.js';
import type { RunObserver, RunSetup } from './run-setup.js';
import { runSearch, type SearchGround } from './search-hands.js';
import { firstPhaseOf, runStage, type StageRun } from './stage-run.js';
import { Storms } from './storms.js';

/** Rest after a search that has no cool-down of its own (docs/method.md, "Defaults"). */
const REST_AFTER_SEARCH_MS = 10_000;
const STOPPED = 'stopped by the user';
/** Time after the second signal for the workers to send their counts. */
const HURRY_MS = 600;

/** One burst, or one churn stage, about to be fired. */
interface OneBurst {
  readonly stageIndex: number;
  /** Index within its stage. */
  readonly place: number;
  readonly index: number;
  readonly size: number | null;
  readonly floor: Calibration | null;
  readonly resolution: Resolution;
  /** Number of its first attempt; without it, the next free number is used. */
  readonly base?: number;
  readonly search?: SearchNews;
}

/** The place of a burst in the run. */
type OfStage = Pick<OneBurst, 'stageIndex' | 'place' | 'index' | 'size' | 'floor'>;

/** Runs a plan. @throws UserError when the guard refuses the target; everything else is in the record. */
export async function runPlan(plan: Plan, inputs: Inputs, options: RunSetup): Promise<RunRecord> {
  return new Run(plan, inputs, options).run();
}

/** The observer, as long as it is to be told. */
function whileTold(observer: RunObserver, isTold: () => boolean): RunObserver {
  const tellers = Object.entries(observer).map(([name, tell]) => [
    name,
    (...news: unknown[]) => (isTold() ? tell(...news) : undefined),
  ]);
  return Object.fromEntries(tellers);
}

class Run {
  readonly #plan: Plan;
  readonly #inputs: Inputs;
  readonly #options: RunSetup;
  readonly #startedAt: string;
  readonly #bursts: Burst[] = [];
  readonly #storms: Storms;
  readonly #sums = new RunningSums();
  readonly #userAgent: string;
  /** Of thresholds and the abort rule. */
  readonly #limits: readonly Threshold[];
  #abort: AbortState | null;
  #addresses: readonly string[] = [];
  #transport: Choice = { name: 'node', note: null };
  #preflight: PreflightOutcome | null = null;
  #stopped: Stopped | null = null;
  readonly #stop = new AbortController();
  /** The record has been taken: what still runs reports nothing more. */
  #isLeft = false;
  /** TLS session from the preflight, if sessions are to be resumed. */
  #tlsSession: Buffer | null = null;
  #nextAttempt: number;
  #nextIndex = 0;
  #found: Found | null = null;

  constructor(plan: Plan, inputs: Inputs, options: RunSetup) {
    this.#plan = plan;
    this.#inputs = inputs;
    this.#options = { ...options, observer: whileTold(options.observer, () => !this.#isLeft) };
    this.#storms = new Storms(plan, options.generators, options.dropBy ?? null, this.#stop.signal);
    this.#userAgent = `wstampede/${options.version}`;
    this.#limits = limitsOf(plan.thresholds, plan.abort);
    this.#abort = plan.abort === null ? null : startAbort(plan.abort);
    const { earlier = null } = options;
    this.#startedAt = earlier?.startedAt ?? isoMicros(now() + wallOffset());
    this.#nextAttempt = earlier?.attempts ?? (plan.preflight ? PREFLIGHT_ATTEMPTS : 0);
    this.#bursts.push(...(earlier?.bursts ?? []));
    this.#nextIndex = (this.#bursts.at(-1)?.index ?? -1) + 1;
    for (const part of earlier?.parts ?? []) this.#sums.add(part);
  }

  async run(): Promise<RunRecord> {
    const { signal, hurry, generators } = this.#options;
    const onSignal = (): void =>
      this.#end({ by: isSignalName(signal.reason) ? signal.reason : 'SIGINT', reason: STOPPED });
    this.#stop.signal.addEventListener('abort', () => generators.stop());
    signal.addEventListener('abort', onSignal);
    if (signal.aborted) onSignal();
    const hurried = new Promise<void>((resolve) => {
      hurry?.addEventListener('abort', () => {
        generators.hurry();
        setTimeout(resolve, HURRY_MS);
      });
    });
    const running = this.#run();
    // Nobody awaits it any more, but it may still fail.
    running.catch(() => {});
    try {
      await Promise.race([running, hurried]);
    } finally {
      signal.removeEventListener('abort', onSignal);
      this.#isLeft = true;
    }
    return this.#record();
  }

  async #run(): Promise<void> {
    const { machine, host, observer, generators, consent } = this.#options;
    const resolution = await resolveTarget(this.#plan, this.#stop.signal, consent);
    if (this.#isStopped) return;
    this.#addresses = resolution.addresses;
    guard(this.#plan, consent, resolution.destinations);
    this.#transport = await chooseTransport(this.#plan, host.platform);
    if (this.#transport.note !== null) observer.transport?.(this.#transport.note);
    const unmet = unmetNeeds(this.#plan, machine, generators.parts, resolution.destinations);
    if (unmet.length > 0) {
      this.#end({ by: 'limits', reason: unmet.join('; ') });
      return;
    }
    const destinations = await this.#runPreflight(resolution);
    if (this.#isStopped) return;
    if (resolution.failure !== null) await this.#withoutAddress(resolution, resolution.failure);
    else await this.#runStages({ ...resolution, destinations });
  }

  /** The first reason to stop is kept: nothing more is launched. */
  #end(stopped: Stopped): void {
    this.#stopped ??= stopped;
    this.#stop.abort();
  }

  get #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** @returns the destinations of the bursts */
  async #runPreflight(resolution: Resolution): Promise<readonly Destination[]> {
    if (!this.#plan.preflight) {
      const others = oneAddressOf(resolution);
      if (others !== null) this.#options.observer.note?.(others);
      return resolution.destinations;
    }
    const { observer, generators } = this.#options;
    observer.progress?.({ phase: 'preflight', ...Live.nothing });
    // Latency without load cannot be measured while threads are starting.
    await generators.up();
    const found = await preflight({ resolution, ...this.#single() });
    this.#preflight = found;
    if (this.#plan.target.tls.resume) this.#tlsSession = found.session;
    observer.preflight?.(found.outcomes);
    const { destinations, dead } = found;
    this.#addresses = [...new Set([...destinations.map(({ address }) => address), ...resolution.addresses])];
    if (found.answered) {
      const aims = destinations.map(({ address }) => address).join(', ');
      if (dead.length > 0) observer.note?.(`no answer from ${deadInWords(dead)}; the run goes to ${aims}`);
    } else if (!this.#isStopped) this.#noAnswer(found, resolution);
    return destinations;
  }

  #noAnswer({ outcomes, dead }: PreflightOutcome, resolution: Resolution): void {
    const { dnsMs, failure, addresses } = resolution;
    const ids = Object.keys(outcomes);
    const local = ids.find((id) => id.startsWith('local-'));
    // If the URL's host is not the dialled address, the message must name the address.
    const isLiteral = dnsMs === null && this.#plan.target.connectTo === null;
    const untried = addresses.filter((address) => !dead.some((one) => one.address === address));
    const others = untried.length === 0 ? '' : `; not tried: ${untried.join(', ')}`;
    const what = isLiteral ? ids.join(', ') : `${deadInWords(dead)}${others}`;
    const reason =
      failure === null ? `the target gave no answer at preflight (${what})` : lookUpFailed(this.#plan, failure);
    this.#end(
      local === undefined
        ? { by: 'no-answer', reason }
        : { by: 'limits', reason: `not one connection could be opened from this machine (${local})` },
    );
  }

  /** What every single handshake needs, before the bursts and after each of them. */
  #single() {
    const [plan, inputs] = [this.#plan, this.#inputs];
    return {
      plan,
      inputs,
      tls: tlsOptions(plan, inputs, this.#tlsSession),
      userAgent: this.#userAgent,
      portRange: this.#options.machine.portRange,
      signal: this.#stop.signal,
      comebacks: this.#storms.comebacks,
    };
  }

  async #runStages(resolution: Resolution): Promise<void> {
    const { destinations } = resolution;
    const { wantRows, earlier } = this.#options;
    const target = { plan: this.#plan, inputs: this.#inputs, destinations, tlsSession: this.#tlsSession, wantRows };
    const wantsMirror = this.#plan.calibrate && this.#plan.stages.some((stage) => loadOf(stage).hasFloor);
    const mirror = wantsMirror ? await startMirror(this.#plan, fixedOpen(this.#plan), destinations.length) : null;
    try {
      await this.#brief(mirror === null ? [target] : [target, mirror.target]);
      const floors = mirror === null ? [] : await this.#calibrations(mirror);
      await mirror?.stop();
      const first = earlier == null ? 0 : this.#plan.stages.findIndex(isSearch);
      for (let stage = first; stage < this.#plan.stages.length && !this.#isStopped; stage++) {
        if (isSearch(this.#plan.stages[stage])) await this.#runSearch(stage, resolution);
        else await this.#runStage(stage, resolution, floors[stage] ?? NO_FLOORS);
      }
    } finally {
      await mirror?.stop();
    }
  }

  async #brief(targets: readonly LoadTarget[]): Promise<void> {
    const { host, observer, machine, generators, fault = null } = this.#options;
    const platform = this.#transport.name === 'epoll' ? host.platform : null;
    generators.onRows = (rows) => observer.rows?.(rows);
    await generators.brief({ targets, userAgent: this.#userAgent, portRange: machine.portRange, platform, fault });
  }

  #calibrations(mirror: Mirror): Promise<StageFloors[]> {
    const { generators, observer } = this.#options;
    const show = () => observer.progress?.({ phase: 'calibrating', ...Live.nothing });
    return calibrateStages(generators, mirror, {
      plan: this.#plan,
      limits: this.#limits,
      signal: this.#stop.signal,
      show,
    });
  }

  async #runStage(index: number, resolution: Resolution, floors: StageFloors): Promise<void> {
    const stage = this.#plan.stages[index];
    const sizes = burstSizes(stage);
    for (const [place, size] of sizes.entries()) {
      if (this.#isStopped) return;
      const isLast = index === this.#plan.stages.length - 1 && place === sizes.length - 1;
      await this.#runBurst({
        ...{ stageIndex: index, place, index: this.#nextIndex, size, floor: floors(size), resolution },
      });
      if (!isLast && !this.#isStopped) await this.#rest(stage.restMs ?? 0);
    }
  }

  async #runSearch(stage: number, resolution: Resolution): Promise<void> {
    const { director = null, earlier = null } = this.#options;
    if (director === null) throw new Error('a plan with a search needs a director');
    const firstIndex = earlier?.firstIndex ?? this.#nextIndex;
    const ground = this.#ground(stage, resolution, director, firstIndex);
    try {
      await runSearch(ground, director);
    } finally {
      await ground.calibration.end();
    }
    const isLast = stage === this.#plan.stages.length - 1;
    if (!isLast && !this.#isStopped) await this.#rest(this.#plan.stages[stage].restMs ?? REST_AFTER_SEARCH_MS);
  }

  /** The services that a search can use. */
  #ground(stage: number, resolution: Resolution, director: Director, firstIndex: number): SearchGround {
    const plan = this.#plan;
    const { observer, generators } = this.#options;
    const { signal } = this.#stop;
    const { destinations } = resolution;
    const single = { ...this.#single(), destinations };
    const news = () => director.news(now() + wallOffset());
    return {
      signal,
      shortage: (size) => shortageOf(size, plan, readMachine(), generators.parts, destinations),
      calibration: new CalibrationOnDemand(generators, plan, stage, destinations.length, signal),
      single: async (ms) => {
        const timeoutMs = Math.min(ms, plan.timeoutMs);
        const one = await handshakeOnce({ ...single, timeoutMs, index: this.#nextAttempt++ });
        await one.gone;
        return one;
      },
      number: (handshakes) => {
        this.#nextAttempt += handshakes;
        return this.#nextAttempt - handshakes;
      },
      fire: async ({ index, ...burst }) => {
        await this.#fire({
          ...burst,
          stageIndex: stage,
          place: index,
          index: firstIndex + index,
          resolution,
          search: news(),
        });
        return this.#bursts[this.#bursts.length - 1];
      },
      save: async (burst) => {
        const search = { stage, firstIndex, attempts: this.#nextAttempt, state: director.state };
        this.#found = { dropOff: director.dropOff, search };
        if (burst === null) await observer.save?.(this.#record());
        else await observer.burst?.(burst, this.#record());
      },
      tell: {
        note: (text) => observer.note?.(text),
        phase: (phase) => observer.progress?.({ phase, ...Live.nothing, search: news() }),
      },
      refuse: (reason) => this.#end({ by: 'limits', reason }),
    };
  }

  async #runBurst(one: OneBurst): Promise<void> {
    const ran = await this.#fire(one);
    if (ran.releasedAt !== null && !this.#isStopped) await this.#probe(ran.t0, one.resolution);
    await this.#options.observer.burst?.(this.#bursts[this.#bursts.length - 1], this.#record());
  }

  async #fire(one: OneBurst): Promise<StageRun> {
    const { stageIndex, place, index, size, resolution, search, base = this.#nextAttempt } = one;
    const { generators, observer } = this.#options;
    const isWatched = loadOf(this.#plan.stages[stageIndex]).hasRate && this.#abort !== null;
    const live = new Live(generators.counts, { index, size, of: this.#planned(), search }, (p) =>
      observer.progress?.(p),
    );
    live.onOutcomes = isWatched ? (tally) => this.#watchRate(tally, one.floor) : null;
    live.start(firstPhaseOf(this.#plan.stages[stageIndex]));
    const ran = await runStage(generators, {
      target: TARGET.real,
      stage: stageIndex,
      place,
      index,
      size,
      base,
      clientBase: base - this.#storms.comebacks,
      plan: this.#plan,
      onPhase: (phase) => live.enter(phase),
      signal: this.#stop.signal,
      look: observer.during === undefined ? null : (soFar) => this.#tellDuring(one, soFar),
      room: (open) => this.#room(open, resolution),
      watch: this.#storms.watchOf(one),
    });
    live.stop();
    for (const rows of ran.rows) observer.rows?.(rows);
    if (resolution.dnsMs !== null && this.#bursts.length === 0) ran.tally.addDns(resolution.dnsMs);
    const comebacks = this.#storms.add(one, ran, this.#isStopped);
    this.#nextAttempt = Math.max(this.#nextAttempt, base + (size ?? generators.parts * (ran.launched + 1)) + comebacks);
    this.#keep(one, ran);
    this.#mayStop(ran);
    return ran;
  }

  /** Arrivals take what this machine has left; what other loads need was checked before. */
  #room(open: number, { destinations }: Resolution): number {
    const { machine, generators } = this.#options;
    return shortageOf(open, this.#plan, machine, generators.parts, destinations)?.fit ?? open;
  }

  /** How long other clients are affected after the burst that has just ended. @param releasedAt clock of `now()` */
  async #probe(releasedAt: number, { destinations }: Resolution): Promise<void> {
    const size = probesPerBurst(this.#plan);
    if (size === 0) return;
    // What the burst came to is safe before a long look at what follows it.
    await this.#options.observer.during?.(this.#record(), '');
    const index = this.#bursts.length - 1;
    const of = this.#planned();
    const after = await probeAfter({
      ...this.#single(),
      destinations,
      releasedAt,
      base: this.#nextAttempt,
      onProgress: ({ started, ...probed }) =>
        this.#options.observer.progress?.({
          phase: 'probing',
          index,
          of,
          size,
          armed: started,
          skipped: 0,
          released: started,
          ...probed,
        }),
    });
    this.#nextAttempt += size;
    this.#bursts[index] = { ...this.#bursts[index], after };
  }

  /** To an abort rule, a load with a rate is one burst, so a long one is checked every second while it runs. */
  #watchRate(tally: Tally, floor: Calibration | null): void {
    if (this.#abort === null || this.#isStopped) return;
    const step = abortStep(this.#abort, tally.counted(), null, floor);
    this.#abort = step.state;
    if (step.abort) this.#stopByRule();
  }

  #mayStop({ lostWorkers }: StageRun): void {
    if (lostWorkers.length > 0) this.#end({ by: 'worker', reason: lostWorkers.join('; ') });
    const burst = this.#bursts[this.#bursts.length - 1];
    if (this.#abort === null || this.#isStopped || burst.validity.verdict === 'invalid') return;
    const step = abortStep(this.#abort, burst, burst.rate, burst.calibration);
    this.#abort = step.state;
    if (step.abort) this.#stopByRule();
  }

  #stopByRule(): void {
    this.#end({ by: 'abort', reason: `stopped by the abort rule: ${this.#plan.abort?.expression}` });
  }

  #keep(one: OfStage, ran: StageRun): void {
    const { burst, part } = this.#burstOf(one, ran, this.#isStopped);
    this.#bursts.push(burst);
    this.#sums.add(part);
    this.#nextIndex = one.index + 1;
  }

  #burstOf({ stageIndex, index, size, floor }: OfStage, ran: StageRun, isStopped: boolean): RecordedBurst {
    const stage = this.#plan.stages[stageIndex];
    const limits = isSearch(stage) ? limitsOfSearch(stage, this.#plan.session.script !== null) : this.#limits;
    return burstOf({ plan: this.#plan, stageIndex, stage, index, size, ran, floor, limits, isStopped });
  }

  /** Reports the attempts that have ended so far, as if the load had been stopped now. */
  async #tellDuring(one: OfStage, soFar: StageRun): Promise<void> {
    const { burst, part } = this.#burstOf(one, soFar, true);
    const [sums, storms] = [this.#sums.with(part), this.#storms.with(one, soFar)];
    const record = { ...this.#record(), bursts: [...this.#bursts, burst], sums, storms };
    await this.#options.observer.during?.(record, soFar.rows.join(''));
  }

  /** The name could not be looked up: every attempt of every burst ends as `dns`, before its first packet. */
  async #withoutAddress(resolution: Resolution, failure: string): Promise<void> {
    for (const [index, stage] of this.#plan.stages.entries()) {
      for (const [place, size] of burstSizes(stage).entries()) {
        const tally = new Tally();
        tally.addUntimed('dns', failure, size ?? 1);
        if (this.#bursts.length === 0 && resolution.dnsMs !== null) tally.addDns(resolution.dnsMs);
        const one = { stageIndex: index, place, index: this.#nextIndex, size, floor: null };
        this.#keep(one, nothingFired(tally, size ?? 1, watchMachine()()));
      }
    }
    const last = this.#bursts[this.#bursts.length - 1];
    if (last !== undefined) await this.#options.observer.burst?.(last, this.#record());
  }

  async #rest(ms: number): Promise<void> {
    if (ms > 0) this.#options.observer.progress?.({ phase: 'resting', ...Live.nothing });
    await wait(ms, this.#stop.signal);
  }

  #planned(): number {
    return this.#plan.stages.reduce((sum, stage) => sum + burstSizes(stage).length, 0);
  }

  #record(): RunRecord {
    const { host, machine, generators } = this.#options;
    const sources = this.#plan.target.sourceIps;
    return {
      startedAt: this.#startedAt,
      endedAt: isoMicros(now() + wallOffset()),
      generators: [localGenerator(host, machine, this.#transport, generators.parts, sources.length)],
      addresses: this.#addresses,
      preflight: this.#preflight?.record() ?? null,
      bursts: [...this.#bursts],
      storms: [...this.#storms.all],
      sums: this.#sums.sums(),
      stopped: this.#stopped,
      found: this.#found,
    };
  }
}
