/**
 * The worker threads of this machine as generators: started with piscina, with one long job each, ordered through
 * shared memory, reporting through message ports. The pool owns them from start to end. A dead worker is counted, not
 * thrown as an error: gathering goes on with the others.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { EXIT, UserError } from '../../errors.js';
import type { Machine } from '../../plan/machine-facts.js';
import { type Plan, peakOpen } from '../../plan/plan.js';
import { connectionsByFds, workersOf } from '../../plan/resources.js';
import { loadOf } from '../../plan/stages/kinds.js';
import { splitShares } from '../../tally/split.js';
import { LIVE } from '../attempt/live-counts.js';
import type { Gathered, Generators, GeneratorTask, LoadOrder, Released } from '../load/generators.js';
import type { LoadTarget } from '../load/load-target.js';
import type { ShardReport } from '../load/shard.js';
import { now, wallOffset } from '../machine/clock.js';
import { trimHeap } from '../machine/garbage.js';
import { waitFor } from '../machine/wait.js';
import { newThreads, takeEarly, USUAL_NURSERY_MB, WORKER_HEAP_MB } from './early-threads.js';
import type { NewTarget, Peek, WorkerMessage, WorkerPost } from './messages.js';
import { PeekUnderWay } from './peek-under-way.js';
import { Control, ORDER } from './shared-memory.js';

/** From the last worker's "armed" to T0: long enough for the order to reach every thread. */
const RELEASE_AHEAD_MS = 50;

/** A thread that has not started by then never will. */
const START_MS = 20_000;
/** A thread whose job does not end in this time is terminated. */
const END_MS = 2000;
/** A worker that does not report in this time is busy with the load. */
const PEEK_MS = 2000;
/** Messages that a worker sent before it died may still be arriving. */
const LAST_WORDS_MS = 20;

/**
 * The size of a worker's nursery (V8's young generation), MiB. Node's default of 48, or more, fills with garbage before
 * it is needed: 40 MiB more while 15,000 connections are held, and a churn whose memory grows for tens of thousands of
 * handshakes. CPU per handshake was the same at 12, 24, 48 and 96, so more brings nothing; at 24 a churn reached its
 * last 10 MiB only after half a million handshakes. A large burst keeps its sockets and needs the memory for them.
 */
const NURSERY_MB = { usual: USUAL_NURSERY_MB, largeBurst: 6, largeBurstOfColumns: 3 };
const LARGE_BURST = 5000;

/** Starts this machine's threads for a plan, passes them to `use`, and always ends them afterwards. */
export async function withWorkers<T>(
  plan: Plan,
  machine: Machine,
  use: (workers: WorkerPool) => Promise<T>,
  heapMb: number = WORKER_HEAP_MB,
): Promise<T> {
  const workers = new WorkerPool(plan, machine, heapMb);
  try {
    return await use(workers);
  } finally {
    await workers.end();
  }
}

type Kind = WorkerMessage['kind'];

interface PoolWorker {
  readonly port: MessagePort;
  /** Messages not yet gathered. */
  readonly inbox: WorkerMessage[];
  /** Why it died, one sentence; null while it runs. */
  death: string | null;
  /** Resolves when its job has ended, in any way. */
  job: Promise<void>;
}

/** The current load. */
interface Dealt {
  readonly order: LoadOrder;
  /** Attempts of each worker. */
  readonly shares: readonly number[];
  readonly endsWithAWorker: boolean;
}

export class WorkerPool implements Generators {
  readonly parts: number;
  readonly counts: Control;
  onRows: (rows: string) => void = () => {};
  readonly #plan: Plan;
  readonly #machine: Machine;
  readonly #heapMb: number;
  readonly #workers: PoolWorker[] = [];
  #threads: Piscina | null = null;
  #task: GeneratorTask | null = null;
  #dealt: Dealt | null = null;
  #changed: () => void = () => {};
  #peek: PeekUnderWay | null = null;
  #peeks = 0;
  #isUp = false;
  #isEnded = false;

  /** Does not start anything yet. */
  constructor(plan: Plan, machine: Machine, heapMb: number) {
    this.#plan = plan;
    this.#machine = machine;
    this.#heapMb = heapMb;
    this.parts = workersOf(plan, machine);
    this.counts = new Control(this.parts);
  }

  /**
   * Starts the threads while the caller does other work: they take as long to start as a command takes to load. Does
   * nothing when an early start would harm: for a large burst (the threads should start when this thread's start-up
   * memory has been freed), with more threads than cores (they would delay this thread), and when descriptors are short
   * (the user must be told before they are used up).
   */
  startEarly(): void {
    const fit = connectionsByFds(this.#machine, this.parts) ?? LARGE_BURST;
    if (fit < LARGE_BURST || peakOpen(this.#plan) > LARGE_BURST || this.parts > this.#machine.cpus) return;
    this.#start(NURSERY_MB.usual);
  }

  async up(): Promise<void> {
    if (this.#threads !== null && !this.#isUp) await this.#all('up');
  }

  async brief(task: GeneratorTask): Promise<void> {
    if (this.#threads === null) {
      if (peakOpen(this.#plan) > LARGE_BURST) await trimHeap();
      this.#start(this.#nurseryMb(task.platform !== null));
    }
    await this.up();
    this.#task = task;
    for (const { port } of this.#workers) port.postMessage(task);
    await this.#all('ready');
  }

  async retarget(place: number, target: LoadTarget): Promise<void> {
    const news: NewTarget = { place, target };
    for (const { port, death } of this.#workers) if (death === null) port.postMessage(news);
    await this.#gather('retargeted', now() + START_MS);
  }

  /** Attempts are dealt out in turns, so that every worker's share is spread over the whole load. */
  async arm(order: LoadOrder, until: number): Promise<void> {
    const stage = this.#task?.targets[order.target].plan.stages[order.stage];
    if (stage === undefined) throw new Error('a load before its target was told');
    const shares = splitShares(order.size ?? 0, this.parts);
    const open = splitShares(order.open, this.parts);
    this.#dealt = { order, shares, endsWithAWorker: loadOf(stage).endsWithAWorker };
    this.counts.resetLive();
    for (let worker = 0; worker < this.parts; worker++) {
      this.counts.brief(worker, {
        target: order.target,
        stage: order.stage,
        place: order.place,
        burst: order.index,
        count: shares[worker],
        open: open[worker],
        first: worker,
        stride: this.parts,
        base: order.base,
        clientBase: order.clientBase,
      });
    }
    for (const worker of this.#alive) this.counts.order(worker, ORDER.arm);
    await this.#gather('armed', until);
  }

  release(orAtOnce = false): Released {
    const offset = wallOffset();
    const at = now() + (orAtOnce ? 0 : RELEASE_AHEAD_MS);
    this.counts.release(this.#alive, at, offset);
    return { at, wallOffset: offset };
  }

  async ended(until: number): Promise<void> {
    await this.#gather('ended', until);
  }

  drop(at: number): void {
    this.counts.drop(this.#alive, at);
  }

  async gather(holdUntil: number, until: number): Promise<Gathered> {
    const { order, shares } = this.#dealt as Dealt;
    this.counts.close(this.#alive, holdUntil);
    const closed = await this.#gather('closed', until);
    this.#dealt = null;
    const lost = shares.flatMap((share, worker) => {
      if (closed.has(worker)) return [];
      const live = this.counts.live(worker);
      // A load without a total has no share: the attempts that the worker had started are unaccounted for.
      const attempts = order.size === null ? live[LIVE.released] : share;
      return [{ what: `worker ${worker} died before it reported`, launched: live[LIVE.opened], attempts }];
    });
    return { reports: [...closed.values()].map(({ report }) => report), lost };
  }

  async peek(use: (reports: readonly ShardReport[]) => Promise<void>): Promise<void> {
    const peek = new PeekUnderWay(++this.#peeks, this.#alive.length);
    this.#peek = peek;
    try {
      for (const worker of this.#alive) this.#workers[worker].port.postMessage({ peek: peek.number } satisfies Peek);
      await waitFor(peek.all, PEEK_MS);
      const { reports } = peek;
      if (reports !== null) await use(reports);
    } finally {
      this.#peek = null;
      for (const rows of peek.later) this.onRows(rows);
    }
  }

  #rows(worker: number, rows: string): void {
    if (this.#peek?.hasTold(worker) === true) this.#peek.later.push(rows);
    else this.onRows(rows);
  }

  deaths(): string[] {
    return this.#workers.flatMap(({ death }) => (death === null ? [] : [death]));
  }

  /** A dead worker is not woken: its shared memory may be in release. */
  stop(): void {
    this.counts.stop(this.#alive);
  }

  hurry(): void {
    this.counts.hurry(this.#alive);
  }

  async end(): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (this.#threads === null) return;
    // Terminating a thread while it loads modules crashes the process ("must be used on an instantiated module").
    if (!this.#isUp) await this.#gather('up', now() + START_MS);
    // The process ends, and they with it.
    if (this.counts.hurried) return;
    for (const worker of this.#alive) this.counts.order(worker, ORDER.quit);
    for (const { port } of this.#workers) port.close();
    // Terminating a thread before its job has ended leaks descriptors that only the job knows.
    await waitFor(Promise.all(this.#workers.map(({ job }) => job)), END_MS);
    await this.#threads.destroy();
  }

  /** Workers that are not dead. */
  get #alive(): number[] {
    return this.#workers.flatMap(({ death }, worker) => (death === null ? [worker] : []));
  }

  /** @param ofColumns connections are kept in columns, not as JavaScript objects */
  #nurseryMb(ofColumns: boolean): number {
    const grows = this.#plan.stages.some((stage) => loadOf(stage).closesEach);
    if (grows || peakOpen(this.#plan) <= LARGE_BURST) return NURSERY_MB.usual;
    return ofColumns ? NURSERY_MB.largeBurstOfColumns : NURSERY_MB.largeBurst;
  }

  #start(nurseryMb: number): void {
    const isUsual = this.#heapMb === WORKER_HEAP_MB && nurseryMb === USUAL_NURSERY_MB;
    this.#threads = (isUsual ? takeEarly(this.parts) : null) ?? newThreads(this.parts, this.#heapMb, nurseryMb);
    // A thread that cannot be started has no job yet whose promise could reject.
    this.#threads.on('error', (error: Error) => {
      if (!this.#isUp) for (const entry of this.#workers) this.#gone(entry, error.message);
    });
    for (let worker = 0; worker < this.parts; worker++) this.#startWorker(this.#threads, worker);
  }

  #startWorker(threads: Piscina, worker: number): void {
    const { port1, port2 } = new MessageChannel();
    const entry: PoolWorker = { port: port1, inbox: [], death: null, job: Promise.resolve() };
    this.#workers.push(entry);
    port1.on('message', (message: WorkerMessage) => {
      if (message.kind === 'rows') this.#rows(worker, message.rows);
      else if (message.kind === 'peeked') this.#peek?.told(worker, message.peek, message.report);
      else {
        entry.inbox.push(message);
        this.#changed();
      }
    });
    const post: WorkerPost = { worker, workers: this.parts, control: this.counts.memory, port: port2 };
    entry.job = threads.run(post, { transferList: [port2] }).then(
      () => this.#gone(entry, `worker ${worker} ended`),
      (error: Error) => this.#gone(entry, `worker ${worker} died: ${error.message}`),
    );
  }

  #gone(entry: PoolWorker, why: string): void {
    setTimeout(() => {
      entry.death ??= why;
      this.#changed();
      if (this.#dealt?.endsWithAWorker === true) this.stop();
    }, LAST_WORDS_MS);
  }

  async #all(kind: Kind): Promise<void> {
    const said = await this.#gather(kind, now() + START_MS);
    this.#isUp = true;
    if (said.size === this.parts) return;
    const why = [...new Set(this.deaths())].join('; ');
    // A limit of this machine (threads or memory): nothing was sent, so it says nothing about the target.
    throw new UserError(`the worker threads could not start: ${why}`, {
      code: 'limits',
      hint: 'use fewer workers (-w 1), or raise the limit of processes (ulimit -u) or of memory',
      exitCode: EXIT.invalid,
    });
  }

  /**
   * One message of `kind` from each living worker. Does not wait for workers that die; a worker that has not answered
   * at `until` (ms on the clock of `now()`) counts as dead.
   */
  async #gather<K extends Kind>(kind: K, until: number): Promise<Map<number, Extract<WorkerMessage, { kind: K }>>> {
    const got = new Map<number, Extract<WorkerMessage, { kind: K }>>();
    for (;;) {
      let missing = 0;
      this.#workers.forEach(({ inbox, death }, worker) => {
        if (got.has(worker)) return;
        const at = inbox.findIndex((message) => message.kind === kind);
        if (at >= 0) got.set(worker, inbox.splice(at, 1)[0] as Extract<WorkerMessage, { kind: K }>);
        else if (death === null) missing++;
      });
      if (missing === 0) return got;
      const left = until - now();
      if (left <= 0) {
        this.#workers.forEach((entry, worker) => {
          if (!got.has(worker)) entry.death ??= `worker ${worker} did not answer`;
        });
        return got;
      }
      await this.#nextChange(left);
    }
  }

  #nextChange(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(withinMs, 2 ** 31 - 1));
      this.#changed = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
