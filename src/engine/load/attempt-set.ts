/**
 * The parts that every kind of shard needs, put together once: columns, transport, deadlines, samples, recorder
 * and the watch on garbage collection.
 */
import { type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import type { Inputs, Plan } from '../../plan/plan.js';
import { type AttemptEvents, Attempts, CLOSE_GRACE_MS } from '../attempt/attempts.js';
import { Columns } from '../attempt/columns.js';
import { Deadlines } from '../attempt/deadlines.js';
import { Recorder } from '../attempt/recorder.js';
import { RequestSource } from '../attempt/request-source.js';
import { Samples } from '../attempt/samples.js';
import { now } from '../machine/clock.js';
import type { RequestFrame } from '../protocol/request.js';
import type { ShardReport } from '../threads/messages.js';
import type { ShardOrder } from '../threads/shared-memory.js';
import { EpollTransport } from '../transport/epoll/epoll-transport.js';
import type { Kernel } from '../transport/epoll/system-calls.js';
import { NodeTransport, type TlsOptions } from '../transport/node-transport.js';
import type { PortChooser } from '../transport/ports.js';
import type { Tap } from '../transport/tap.js';
import type { Destination, Transport, TransportEvents } from '../transport/transport.js';

const DRAIN_POLL_MS = 2;

/** What a shard is given: the plan, its order and what its worker holds for all shards. */
export interface ShardContext {
  readonly plan: Plan;
  readonly inputs: Inputs;
  readonly order: ShardOrder;
  readonly worker: number;
  readonly destinations: readonly Destination[];
  readonly tls: TlsOptions | null;
  /** This thread's way to the kernel; null: the transport for every platform. */
  readonly kernel: Kernel | null;
  readonly ports: PortChooser;
  readonly live: Int32Array;
  readonly userAgent: string;
  readonly wantRows: boolean;
  /** Wall clock minus the clock of `now()`, ms; known from the release on. */
  readonly wallOffset: () => number;
  /** Blocks the thread, ms; for the last moments before T0. */
  readonly sleep: (ms: number) => void;
  /** Sends CSV rows before the shard is over. */
  readonly sendRows: (rows: string) => void;
  readonly tap?: Tap;
}

export class AttemptSet {
  readonly columns: Columns;
  readonly attempts: Attempts;
  readonly transport: Transport;
  readonly deadlines: Deadlines;
  readonly recorder: Recorder;
  readonly #samples: Samples;
  #gcObserver: PerformanceObserver | null = null;
  /** Apart: the first fraction in a field that held whole numbers undoes the code compiled for its object. */
  readonly #gc = { pauses: 0, maxMs: 0 };

  /** @param due T0 of the attempt in a slot, ms on the clock of `now()` */
  constructor(context: ShardContext, slots: number, events: AttemptEvents, due: (slot: number) => number) {
    const { plan, order, destinations, live, tap } = context;
    this.columns = new Columns(slots);
    this.deadlines = new Deadlines(
      this.columns,
      plan.timeoutMs,
      (slot, at) => this.attempts.expire(slot, at),
      () => this.transport.catchUp(),
    );
    const requests = new RequestSource(plan, context.inputs, order.base, context.userAgent, tap);
    this.#samples = new Samples(
      (slot) => requests.secrets(this.columns.attempt[slot]),
      // Stopped before the release it was never due.
      (slot) => this.columns.done[slot] - due(slot) || 0,
    );
    this.attempts = new Attempts({
      columns: this.columns,
      requests,
      destinations,
      sourceIps: plan.target.sourceIps,
      secure: plan.target.scheme === 'wss',
      gate: plan.gate,
      deadlines: this.deadlines,
      samples: this.#samples,
      live,
      wantLocal: context.wantRows,
      events,
    });
    this.transport = transportFor(context, slots, requests.frame, tap?.between(this.attempts) ?? this.attempts);
    this.attempts.transport = this.transport;
    this.recorder = new Recorder({
      columns: this.columns,
      details: this.attempts.details,
      burst: order.burst,
      worker: context.worker,
      destinations,
      wantRows: context.wantRows,
      hasKernelStamps: this.transport.hasKernelStamps,
      wallOffset: context.wallOffset,
    });
  }

  /** Counts garbage collections from now until `drain()`. */
  observeGc(): void {
    this.#gcObserver = new PerformanceObserver((list) => this.#countGc(list.getEntries()));
    this.#gcObserver.observe({ entryTypes: ['gc'] });
  }

  /** Stops measuring, waits until every socket is gone (what will not go is reset) and says how the generator did. */
  async drain(): Promise<Pick<ShardReport, 'longestGapMs' | 'clockStepMs' | 'gcPauses' | 'gcMaxMs' | 'tlsResumed'>> {
    this.transport.stop();
    const { longestGapMs, clockStepMs } = this.transport;
    if (this.#gcObserver !== null) {
      this.#countGc(this.#gcObserver.takeRecords());
      this.#gcObserver.disconnect();
    }
    const until = now() + CLOSE_GRACE_MS;
    while (this.transport.open > 0 && now() < until) await pause(DRAIN_POLL_MS);
    for (let slot = 0; slot < this.columns.size; slot++) this.attempts.discard(slot);
    while (this.transport.open > 0 && now() < until + CLOSE_GRACE_MS) await pause(DRAIN_POLL_MS);
    this.deadlines.stop();
    this.transport.end();
    const { pauses: gcPauses, maxMs: gcMaxMs } = this.#gc;
    return { longestGapMs, clockStepMs, gcPauses, gcMaxMs, tlsResumed: this.attempts.resumed };
  }

  /** Moves the samples into the tally. */
  keepSamples(): void {
    for (const [code, sample] of this.#samples.drain()) this.recorder.tally.addSample(code, sample);
  }

  #countGc(entries: readonly PerformanceEntry[]): void {
    for (const entry of entries) {
      this.#gc.pauses++;
      this.#gc.maxMs = Math.max(this.#gc.maxMs, entry.duration);
    }
  }
}

function transportFor(
  { kernel, tls, ports, destinations }: ShardContext,
  slots: number,
  frame: RequestFrame | null,
  events: TransportEvents,
): Transport {
  return kernel === null || tls !== null
    ? new NodeTransport({ slots, tls, ports, events })
    : new EpollTransport({ slots, kernel, destinations, frame, events });
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
