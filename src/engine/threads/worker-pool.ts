/**
 * The worker threads of a run: started through piscina with one long job each, given orders through shared memory, heard
 * through ports. A worker that dies is a fact to be accounted for, not an error: gathering goes on with the others.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { type Plan, peakOpen } from '../../plan/plan.js';
import { now } from '../machine/clock.js';
import { exposeCollector, trimHeap } from '../machine/garbage.js';
import { connectionsByFds, type Machine } from '../machine/limits.js';
import type { Aim, NewAim, WorkerMessage, WorkerPost, WorkerTask } from './messages.js';
import { Control, ORDER, type Order } from './shared-memory.js';

/** Attempts that one worker can release close together; more workers than this needs only add skew. */
const ATTEMPTS_PER_WORKER = 250;

/** Old-space limit of a worker: room for a million columns, and an end to a leak. */
const WORKER_HEAP_MB = 1024;
/** A thread that can't start in this time will not start at all. */
const START_MS = 20_000;

/**
 * The nursery of a worker's heap (the young generation), MiB. Node's default of 48, and more so a larger one, fills with
 * garbage long before it is needed: 40 MiB more while 15,000 connections are held, and a churn whose memory grows for
 * tens of thousands of handshakes. CPU a handshake was the same at 12, 24, 48 and 96, so more buys nothing; at 24 a churn
 * took its last 10 MiB only after half a million of them. A large burst keeps its sockets and needs the memory for them.
 */
const NURSERY_MB = { usual: 12, largeBurst: 6, largeBurstOfColumns: 3 };
const LARGE_BURST = 5000;

/** Threads that a plan wants. */
export function workersFor(plan: Plan, { cpus }: Machine): number {
  return plan.workers ?? Math.max(1, Math.min(cpus, Math.ceil(peakOpen(plan) / ATTEMPTS_PER_WORKER)));
}

function youngMb(plan: Plan, ofColumns: boolean): number {
  const churns = plan.stages.some(({ kind }) => kind === 'churn');
  if (churns || peakOpen(plan) <= LARGE_BURST) return NURSERY_MB.usual;
  return ofColumns ? NURSERY_MB.largeBurstOfColumns : NURSERY_MB.largeBurst;
}

type Kind = WorkerMessage['kind'];

interface Member {
  readonly port: MessagePort;
  /** Messages not yet gathered. */
  readonly inbox: WorkerMessage[];
  /** Why it is gone, one sentence; null while it lives. */
  death: string | null;
}

export class Crew {
  readonly control: Control;
  onRows: (rows: string) => void = () => {};
  /** Called when a worker dies. */
  onDeath: () => void = () => {};
  readonly #pool: Piscina;
  readonly #members: Member[] = [];
  #changed: () => void = () => {};
  #isUp = false;
  #isDismissed = false;

  private constructor(workers: number, heapMb: number, nurseryMb: number) {
    exposeCollector();
    this.control = new Control(workers);
    this.#pool = new Piscina({
      filename: new URL('./worker.js', import.meta.url).href,
      minThreads: workers,
      maxThreads: workers,
      concurrentTasksPerWorker: 1,
      // 'sync' would block the thread, and every held socket with it, between tasks.
      atomics: 'disabled',
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: nurseryMb },
    });
    for (let worker = 0; worker < workers; worker++) this.#enlist(worker);
  }

  /**
   * Starts the threads for a plan while the caller still does something else: they take as long to start as a command
   * takes to load. Null where that would be wrong: a large burst's are started when nothing of this thread's start is
   * left in memory (`hire`), more than there are cores would hold this thread up, and who is short of descriptors is told
   * so before they are used up.
   */
  static early(plan: Plan, machine: Machine, heapMb: number = WORKER_HEAP_MB): Crew | null {
    const workers = workersFor(plan, machine);
    const fit = connectionsByFds(machine, workers) ?? LARGE_BURST;
    if (fit < LARGE_BURST || peakOpen(plan) > LARGE_BURST || workers > machine.cpus) return null;
    return new Crew(workers, heapMb, NURSERY_MB.usual);
  }

  /** Starts the threads for a plan. @param ofColumns its connections are no JavaScript objects */
  static async hire(plan: Plan, machine: Machine, ofColumns: boolean, heapMb: number = WORKER_HEAP_MB): Promise<Crew> {
    if (peakOpen(plan) > LARGE_BURST) await trimHeap();
    return new Crew(workersFor(plan, machine), heapMb, youngMb(plan, ofColumns));
  }

  /** Resolves when all threads run. @throws Error when one can't start */
  async up(): Promise<void> {
    if (!this.#isUp) await this.#all('up');
  }

  /** Tells them what they are there for; resolves when all are ready for orders. @throws Error when one can't be */
  async brief(task: WorkerTask): Promise<void> {
    await this.up();
    for (const { port } of this.#members) port.postMessage(task);
    await this.#all('ready');
  }

  async #all(kind: Kind): Promise<void> {
    const said = await this.gather(kind, now() + START_MS);
    this.#isUp = true;
    if (said.size === this.size) return;
    const why = this.deaths().join('; ');
    await this.dismiss();
    throw new Error(`worker threads could not start: ${why}`);
  }

  get size(): number {
    return this.#members.length;
  }

  /** Workers that still answer. */
  get alive(): number[] {
    return this.#members.flatMap((member, worker) => (member.death === null ? [worker] : []));
  }

  /** One sentence for each worker that is gone. */
  deaths(): string[] {
    return this.#members.flatMap(({ death }) => (death === null ? [] : [death]));
  }

  /** Stops launching in all living workers. A dead one is not woken: what waited there is being taken down. */
  stop(): void {
    this.control.stop(this.alive);
  }

  order(worker: number, kind: Order): void {
    if (this.#members[worker].death === null) this.control.order(worker, kind);
  }

  /** Gives the living another aim at that place of their task; resolves when all have it. */
  async aimAt(place: number, aim: Aim): Promise<void> {
    const news: NewAim = { place, aim };
    for (const { port, death } of this.#members) if (death === null) port.postMessage(news);
    await this.gather('aimed', now() + START_MS);
  }

  /**
   * One message of `kind` from each living worker, by worker. Resolves early for workers that die, and gives those up
   * that have not answered at `until` (ms on the clock of `now()`): they count as dead.
   */
  async gather<K extends Kind>(kind: K, until: number): Promise<Map<number, Extract<WorkerMessage, { kind: K }>>> {
    const got = new Map<number, Extract<WorkerMessage, { kind: K }>>();
    for (;;) {
      let missing = 0;
      this.#members.forEach(({ inbox, death }, worker) => {
        if (got.has(worker)) return;
        const at = inbox.findIndex((message) => message.kind === kind);
        if (at >= 0) got.set(worker, inbox.splice(at, 1)[0] as Extract<WorkerMessage, { kind: K }>);
        else if (death === null) missing++;
      });
      if (missing === 0) return got;
      const left = until - now();
      if (left <= 0) {
        this.#members.forEach((member, worker) => {
          if (!got.has(worker)) member.death ??= `worker ${worker} did not answer`;
        });
        return got;
      }
      await this.#nextChange(left);
    }
  }

  /** Lets the living finish their job, ends the rest. Once: later calls do nothing. */
  async dismiss(): Promise<void> {
    if (this.#isDismissed) return;
    this.#isDismissed = true;
    // A thread that is ended while it loads its modules takes the process with it ("must be used on an instantiated module").
    if (!this.#isUp) await this.gather('up', now() + START_MS);
    for (const worker of this.alive) this.control.order(worker, ORDER.quit);
    for (const { port } of this.#members) port.close();
    await this.#pool.destroy();
  }

  #enlist(worker: number): void {
    const { port1, port2 } = new MessageChannel();
    const member: Member = { port: port1, inbox: [], death: null };
    this.#members.push(member);
    port1.on('message', (message: WorkerMessage) => {
      if (message.kind === 'rows') this.onRows(message.rows);
      else {
        member.inbox.push(message);
        this.#changed();
      }
    });
    const post: WorkerPost = { worker, workers: this.control.workers, control: this.control.memory, port: port2 };
    this.#pool.run(post, { transferList: [port2] }).then(
      () => this.#gone(member, `worker ${worker} ended`),
      (error: Error) => this.#gone(member, `worker ${worker} died: ${error.message}`),
    );
  }

  /** What it sent before it died may still be on its way. */
  #gone(member: Member, why: string): void {
    setTimeout(() => {
      member.death ??= why;
      this.#changed();
      this.onDeath();
    }, 20);
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
