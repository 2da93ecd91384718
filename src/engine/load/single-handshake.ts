/**
 * One handshake by itself, on the calling thread, by the same engine as a burst's: for the preflight, which wants to know
 * whether the target answers at all and how fast it does when nothing else happens; for the probes after a burst; and for a
 * check, which listens in on it and has things to do on the connection before it is closed.
 */

import { type OutcomeId, outcomeCode, outcomeId } from '../../names/outcomes.js';
import type { Inputs, Plan } from '../../plan/plan.js';
import type { Sample } from '../../result/result.js';
import type { EncodedTally } from '../../tally/tally.js';
import { now } from '../machine/clock.js';
import { Control } from '../threads/shared-memory.js';
import type { TlsOptions } from '../transport/node-transport.js';
import { PortChooser } from '../transport/ports.js';
import type { Tap } from '../transport/tap.js';
import type { Destination, TlsFacts } from '../transport/transport.js';
import { AttemptSet } from './attempt-set.js';

const STOP_POLL_MS = 20;

export interface SoloOptions {
  readonly plan: Plan;
  readonly inputs: Inputs;
  readonly destinations: readonly Destination[];
  readonly tls: TlsOptions | null;
  readonly userAgent: string;
  readonly timeoutMs: number;
  /** `{{ index }}` of this attempt. */
  readonly index: number;
  readonly portRange: readonly [low: number, high: number];
  /** Looked at now and then: true ends the attempt as `aborted`. */
  readonly stopped: () => boolean;
  readonly tap?: Tap;
  /** Called once the outcome is known; the connection, if there is one, is closed when it resolves. */
  readonly held?: (held: Held) => Promise<void>;
}

/** An attempt that has ended and is not closed yet. Times in ms after its start; NaN where it did not come so far. */
export interface Held {
  readonly outcome: OutcomeId;
  readonly detail: string | null;
  readonly connectMs: number;
  readonly secureMs: number;
  readonly sentMs: number;
  readonly firstByteMs: number;
  readonly doneMs: number;
  send(bytes: Uint8Array): void;
}

export interface Solo {
  readonly outcome: OutcomeId;
  /** Its first system call, ms on the clock of `now()`. */
  readonly startedAt: number;
  /** From there to its end. */
  readonly tookMs: number;
  readonly tally: EncodedTally;
  readonly sample: Sample | null;
  readonly tls: TlsFacts | null;
}

export async function handshakeOnce(options: SoloOptions): Promise<Solo> {
  const { plan, timeoutMs, index, portRange } = options;
  const control = new Control(1);
  const start = Math.floor(Math.random() * (portRange[1] - portRange[0]));
  let resolve: () => void = () => {};
  const ended = new Promise<void>((done) => {
    resolve = done;
  });
  let facts: TlsFacts | null = null;
  const set: AttemptSet = new AttemptSet(
    {
      plan: { ...plan, timeoutMs },
      inputs: options.inputs,
      order: { aim: 0, stage: 0, burst: 0, count: 1, open: 1, first: 0, stride: 1, base: index },
      worker: 0,
      destinations: options.destinations,
      tls: options.tls,
      kernel: null,
      ports: new PortChooser(portRange[0], portRange[1], 0, 1, start),
      live: control.live(0),
      userAgent: options.userAgent,
      wantRows: false,
      wallOffset: () => 0,
      sleep: () => {},
      sendRows: () => {},
      tap: options.tap,
    },
    1,
    {
      armed: () => {},
      ended: () => {
        facts = set.transport.tlsFacts(0);
        resolve();
      },
      freed: () => {},
    },
    () => set.columns.opened[0],
  );
  set.attempts.released = true;
  set.attempts.prepare(0, 0, false);
  set.transport.start();
  const launchedAt = now();
  set.deadlines.set(0, launchedAt + timeoutMs);
  set.attempts.launch(0);
  const watch = setInterval(() => {
    if (options.stopped()) set.attempts.expire(0, now(), outcomeCode('aborted'));
  }, STOP_POLL_MS);
  await ended;
  clearInterval(watch);
  await options.held?.(heldOf(set));
  set.attempts.close(0, true);
  await set.drain();
  set.recorder.record(0, set.columns.opened[0]);
  set.keepSamples();
  const tally = set.recorder.tally.encode();
  const outcome = outcomeId(set.columns.outcome[0]);
  // A system call that could not even be made has no time of its own.
  const startedAt = Number.isNaN(set.columns.opened[0]) ? launchedAt : set.columns.opened[0];
  const tookMs = Math.max(0, set.columns.done[0] - startedAt);
  return { outcome, startedAt, tookMs, tally, sample: tally.samples[outcome] ?? null, tls: facts };
}

function heldOf({ columns, attempts, transport }: AttemptSet): Held {
  const after = (column: Float64Array) => column[0] - columns.opened[0];
  return {
    outcome: outcomeId(columns.outcome[0]),
    detail: attempts.details.get(0) ?? null,
    connectMs: after(columns.connected),
    secureMs: after(columns.secured),
    sentMs: after(columns.sent),
    firstByteMs: after(columns.first),
    doneMs: after(columns.done),
    send: (bytes) => transport.sendBytes(0, bytes),
  };
}
