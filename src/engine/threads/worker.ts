/**
 * A worker thread's one long job: waits for orders in shared memory, runs the shards of bursts and churn stages, and
 * sends numbers back as data. It never throws on purpose: whatever leaves here as an error means a dead worker, and the
 * coordinator accounts for its attempts.
 */
import tls from 'node:tls';
import type { MessagePort } from 'node:worker_threads';
import type { ChurnStage } from '../../plan/plan.js';
import { pause, type ShardContext } from '../load/attempt-set.js';
import { BurstShard } from '../load/burst-shard.js';
import { ChurnShard } from '../load/churn-shard.js';
import { now } from '../machine/clock.js';
import { loadSender } from '../protocol/frames.js';
import { openKernel } from '../transport/choose-transport.js';
import type { Kernel } from '../transport/epoll/system-calls.js';
import type { TlsOptions } from '../transport/node-transport.js';
import { PortChooser } from '../transport/ports.js';
import type { Aim, Fault, NewAim, WorkerMessage, WorkerPost, WorkerTask } from './messages.js';
import { AIM, Control, ORDER } from './shared-memory.js';

type Shard = BurstShard | ChurnShard;

/** Piscina's entry. Resolves when the coordinator says `quit`. */
export default async function work(post: WorkerPost): Promise<void> {
  const { worker, port } = post;
  const control = new Control(post.workers, post.control);
  const say = (message: WorkerMessage) => port.postMessage(message);
  const told = taskFrom(port);
  say({ kind: 'up' });
  const task = await told;
  if (task === null) return;
  const aims = new Aims(task.aims);
  const kernel = task.platform === null ? null : await openKernel(task.platform);
  if (typeof kernel === 'string') throw new Error(`the transport epoll, found to work, does not: ${kernel}`);
  if (task.aims.some(({ plan }) => plan.close === 'clean' && plan.stages.some(({ kind }) => kind === 'churn')))
    loadSender();
  const contextOf = shardContexts(post, task, aims, kernel, control, say);
  let shard: Shard | null = null;
  let seq = 0;
  // The thread lives by its port even while it waits for memory to change.
  port.on('message', ({ place, aim }: NewAim) => {
    aims.set(place, aim);
    say({ kind: 'aimed' });
  });
  port.ref();
  say({ kind: 'ready' });
  for (;;) {
    const woken = await control.next(worker, seq);
    seq = woken.seq;
    if (control.stopped) shard?.stop();
    switch (woken.order) {
      case ORDER.arm:
        shard = await armed(new BurstShard(contextOf()), control, say);
        break;
      case ORDER.release:
        playFault(task.fault, worker, control);
        void (shard as BurstShard).release(control.releaseAt).then(() => say({ kind: 'ended' }));
        break;
      case ORDER.churn: {
        const context = contextOf();
        const stage = context.plan.stages[context.order.stage] as ChurnStage;
        playFault(task.fault, worker, control);
        const churn = new ChurnShard(context, stage, control.releaseAt);
        shard = churn;
        if (control.stopped) churn.stop();
        void startAt(control.releaseAt, churn).then(() => say({ kind: 'ended' }));
        break;
      }
      case ORDER.close:
        say({ kind: 'closed', report: await (shard as Shard).close() });
        shard = null;
        break;
      case ORDER.quit:
        kernel?.close();
        port.close();
        return;
    }
  }
}

/** Null where the run has ended before it came to this. */
function taskFrom(port: MessagePort): Promise<WorkerTask | null> {
  return new Promise((resolve) => {
    port.once('message', resolve);
    port.once('close', () => resolve(null));
  });
}

/** Arms while listening for a stop, so that Ctrl-C does not wait for connections that never open. */
async function armed(shard: BurstShard, control: Control, say: (message: WorkerMessage) => void): Promise<BurstShard> {
  const watch = setInterval(() => {
    if (control.stopped) shard.stop();
  }, 20);
  const { armed, failed } = await shard.arm();
  clearInterval(watch);
  if (control.stopped) shard.stop();
  say({ kind: 'armed', armed, failed });
  return shard;
}

async function startAt(at: number, churn: ChurnShard): Promise<void> {
  await pause(Math.max(0, at - now()));
  await churn.run();
}

/** What orders may aim at, each with its TLS context. */
class Aims {
  readonly #aims: Aim[] = [];
  readonly #secure: (TlsOptions | null)[] = [];

  constructor(aims: readonly Aim[]) {
    aims.forEach((aim, place) => {
      this.set(place, aim);
    });
  }

  set(place: number, aim: Aim): void {
    this.#aims[place] = aim;
    this.#secure[place] = aim.plan.target.scheme === 'wss' ? tlsOptions(aim) : null;
  }

  at(place: number): { readonly aim: Aim; readonly tls: TlsOptions | null } {
    return { aim: this.#aims[place], tls: this.#secure[place] };
  }
}

function shardContexts(
  { worker, workers }: WorkerPost,
  task: WorkerTask,
  aims: Aims,
  kernel: Kernel | null,
  control: Control,
  say: (message: WorkerMessage) => void,
): () => ShardContext {
  const [low, high] = task.portRange;
  const start = Math.floor(Math.random() * (high - low));
  const ports = new PortChooser(low, high, worker, workers, start);
  return () => {
    const order = control.shardOf(worker);
    const { aim, tls } = aims.at(order.aim);
    const { plan, inputs, destinations, wantRows } = aim;
    return {
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
    };
  };
}

/** One SecureContext for all connections: building one costs more than a handshake. */
export function tlsOptions({ plan, inputs, tlsSession }: Pick<Aim, 'plan' | 'inputs' | 'tlsSession'>): TlsOptions {
  const { ca, cert, key } = inputs.tls;
  return {
    context: tls.createSecureContext({ ca: ca ?? undefined, cert: cert ?? undefined, key: key ?? undefined }),
    servername: plan.target.tls.servername ?? plan.target.host,
    rejectUnauthorized: !plan.target.tls.insecure,
    session: tlsSession === null ? null : Buffer.from(tlsSession),
  };
}

/** Only where the target itself is aimed at: a worker that dies while it calibrates proves nothing. */
function playFault(fault: Fault | null, worker: number, control: Control): void {
  if (fault === null || fault.worker !== worker || control.shardOf(worker).aim !== AIM.target) return;
  setTimeout(() => {
    if (fault.kind === 'throw') throw new Error('fault played on purpose');
    const hoard: unknown[] = [];
    for (;;) hoard.push(new Array(100_000).fill(hoard.length).map((n) => ({ n })));
  }, fault.afterMs);
}
