/**
 * A worker thread's one long job: waits for orders in shared memory, runs the shards of loads, and sends numbers back
 * as data. It never throws on purpose: an error that leaves here means a dead worker, whose attempts the main thread
 * accounts for.
 */
import type { MessagePort } from 'node:worker_threads';
import { loadOf } from '../../plan/stages/kinds.js';
import { type Fault, type GeneratorTask, TARGET } from '../load/generators.js';
import { driverOf } from '../load/load-kinds.js';
import type { LoadTarget } from '../load/load-target.js';
import type { NewSession, Shard, ShardContext } from '../load/shard.js';
import { loadSender } from '../protocol/frames.js';
import { openKernel } from '../transport/epoll/open-kernel.js';
import type { Kernel } from '../transport/epoll/system-calls.js';
import { PortChooser } from '../transport/ports.js';
import { type TlsOptions, tlsOptions } from '../transport/tls-options.js';
import type { NewTarget, Peek, WorkerMessage, WorkerPost } from './messages.js';
import { Control, ORDER } from './shared-memory.js';

type Say = (message: WorkerMessage) => void;

/** Piscina's entry point. Resolves at the order `quit`. @param post null: only the modules were to be loaded */
export default async function work(post: WorkerPost | null): Promise<void> {
  if (post === null) return;
  const { worker, port } = post;
  const control = new Control(post.workers, post.control);
  const say: Say = (message) => port.postMessage(message);
  const told = taskFrom(port);
  say({ kind: 'up' });
  const task = await told;
  if (task === null) return;
  const targets = new Targets(task.targets);
  const kernel = task.platform === null ? null : await openKernel(task.platform);
  if (typeof kernel === 'string') throw new Error(`the transport epoll, found to work, does not: ${kernel}`);
  if (task.targets.some(({ plan }) => closesEach(plan) || plan.session.script !== null)) loadSender();
  const newSession = await sessionsOf(task);
  const newShard = shardsOf(post, task, targets, { kernel, newSession }, control, say);
  let shard: Shard | null = null;
  // The open port keeps the thread alive while it waits for shared memory to change.
  port.on('message', (message: NewTarget | Peek) => {
    if ('peek' in message) {
      say({ kind: 'peeked', peek: message.peek, report: shard?.peek() ?? null });
      return;
    }
    targets.set(message.place, message.target);
    say({ kind: 'retargeted' });
  });
  port.ref();
  say({ kind: 'ready' });
  let seq = 0;
  for (;;) {
    const woken = await control.next(worker, seq);
    seq = woken.seq;
    switch (woken.order) {
      case ORDER.arm:
        shard = newShard();
        void shard.arm().then((armed) => say({ kind: 'armed', ...armed }));
        break;
      case ORDER.release:
        playFault(task.fault, worker, control);
        void shard?.run(control.releaseAt).then(() => say({ kind: 'ended' }));
        break;
      case ORDER.drop:
        shard?.drop?.(control.dropAt);
        break;
      case ORDER.close:
        void shard?.close(control.holdUntil).then((report) => {
          shard = null;
          say({ kind: 'closed', report });
        });
        break;
      case ORDER.quit:
        kernel?.close();
        port.close();
        return;
    }
    if (control.stopped) shard?.stop();
    if (control.hurried) shard?.hurry();
  }
}

/** Null if the run ended before the task arrived. */
function taskFrom(port: MessagePort): Promise<GeneratorTask | null> {
  return new Promise((resolve) => {
    port.once('message', resolve);
    port.once('close', () => resolve(null));
  });
}

/** Whether close frames are sent while handshakes are measured. */
function closesEach({ close, stages }: LoadTarget['plan']): boolean {
  return close === 'clean' && stages.some((stage) => loadOf(stage).closesEach);
}

/** The targets of loads, each with its TLS context. */
class Targets {
  readonly #targets: LoadTarget[] = [];
  readonly #tls: (TlsOptions | null)[] = [];

  constructor(targets: readonly LoadTarget[]) {
    targets.forEach((target, place) => {
      this.set(place, target);
    });
  }

  set(place: number, target: LoadTarget): void {
    this.#targets[place] = target;
    this.#tls[place] = tlsOptions(target.plan, target.inputs, target.tlsSession);
  }

  at(place: number): LoadTarget & { readonly tls: TlsOptions | null } {
    return { ...this.#targets[place], tls: this.#tls[place] };
  }
}

/** Makes sessions with a script; loaded only when a plan has one. */
async function sessionsOf({ targets }: GeneratorTask): Promise<NewSession | undefined> {
  if (targets.every(({ plan }) => plan.session.script === null)) return undefined;
  const { ScriptSession } = await import('../session/script-session.js');
  return (ground, plan, inputs) => new ScriptSession(ground, plan, inputs);
}

/** What this thread has loaded for its shards. */
interface Loaded {
  readonly kernel: Kernel | null;
  readonly newSession: NewSession | undefined;
}

function shardsOf(
  { worker, workers }: WorkerPost,
  task: GeneratorTask,
  targets: Targets,
  { kernel, newSession }: Loaded,
  control: Control,
  say: Say,
): () => Shard {
  const [low, high] = task.portRange;
  const start = Math.floor(Math.random() * (high - low));
  const ports = new PortChooser(low, high, worker, workers, start);
  return () => {
    const order = control.shardOf(worker);
    const { plan, inputs, destinations, wantRows, tls } = targets.at(order.target);
    const context: ShardContext = {
      plan,
      inputs,
      order,
      worker,
      destinations,
      tls,
      kernel,
      ports,
      live: control.live(worker),
      userAgent: task.userAgent,
      wantRows,
      wallOffset: () => control.wallOffset,
      sleep: (ms) => control.sleep(worker, ms),
      sendRows: (rows) => say({ kind: 'rows', rows }),
      ...(plan.session.script !== null && { newSession }),
    };
    const stage = plan.stages[order.stage];
    return driverOf(stage).shard(context, stage);
  };
}

/** Only in loads against the target: a worker that dies during calibration proves nothing. */
function playFault(fault: Fault | null, worker: number, control: Control): void {
  if (fault === null || fault.worker !== worker || control.shardOf(worker).target !== TARGET.real) return;
  setTimeout(() => {
    if (fault.kind === 'throw') throw new Error('fault played on purpose');
    const hoard: unknown[] = [];
    for (;;) hoard.push(new Array(100_000).fill(hoard.length).map((n) => ({ n })));
  }, fault.afterMs);
}
