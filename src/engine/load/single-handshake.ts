/**
 * One single handshake, on the calling thread, with the same engine as a burst: for the preflight, which checks whether
 * the target answers and how fast it is without load; for the probes after a burst; and for a check, which observes it
 * and uses the connection before it is closed.
 */
import { type OutcomeId, outcomeCode, outcomeId } from '../../names/outcomes.js';
import type { Inputs, Plan } from '../../plan/plan.js';
import type { Sample } from '../../result/result.js';
import type { Tally } from '../../tally/tally.js';
import { ownLiveCounts } from '../attempt/live-counts.js';
import { routeOf } from '../attempt/route.js';
import { now } from '../machine/clock.js';
import { PortChooser } from '../transport/ports.js';
import type { TlsOptions } from '../transport/tls-options.js';
import type { Destination, TlsFacts, TransportEvents } from '../transport/transport.js';
import { AttemptSet } from './attempt-set.js';
import type { NewSession } from './shard.js';

const STATUS_101 = 101;

export interface SingleOptions {
  readonly plan: Plan;
  readonly inputs: Inputs;
  readonly destinations: readonly Destination[];
  readonly tls: TlsOptions | null;
  readonly userAgent: string;
  readonly timeoutMs: number;
  /** `{{ index }}` of this attempt; also selects its destination and source. */
  readonly index: number;
  /** Attempts of the run so far with which clients came back: its data row is that of the client `index` minus these. */
  readonly comebacks?: number;
  readonly portRange: readonly [low: number, high: number];
  /** Ends the attempt as `aborted`. */
  readonly signal: AbortSignal;
  /** Receives the request before it is stored, Latin-1, and returns what is sent. */
  readonly rewrite?: (request: string) => string;
  /** Observes the transport's events; must pass all of them on to the engine. */
  readonly listen?: (engine: TransportEvents) => TransportEvents;
  /** Makes what follows a 101; without it the connection is only held. */
  readonly newSession?: NewSession;
  /** Called once the outcome is known; when its promise resolves, the connection, if any, is closed. */
  readonly held?: (held: Held) => Promise<void>;
}

/** An attempt that has ended but is not closed yet. Times in ms after its start; NaN if it did not get that far. */
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

export interface SingleHandshake {
  readonly outcome: OutcomeId;
  /** Time of its first system call, ms on the clock of `now()`. */
  readonly startedAt: number;
  /** From its start to its outcome. */
  readonly tookMs: number;
  /** For how long this thread stood still meanwhile, at a time. */
  readonly stalledMs: number;
  readonly tally: Tally;
  readonly sample: Sample | null;
  readonly tls: TlsFacts | null;
  /** Resolves when its connection is gone: the far side has 2 s to close it too. */
  readonly gone: Promise<unknown>;
}

export async function handshakeOnce(options: SingleOptions): Promise<SingleHandshake> {
  const { timeoutMs, index, portRange } = options;
  const { sourceIps } = options.plan.target;
  const { from, to } = routeOf(index, sourceIps, options.destinations);
  const plan = { ...options.plan, target: { ...options.plan.target, sourceIps: from === null ? [] : [from] } };
  const start = Math.floor(Math.random() * (portRange[1] - portRange[0]));
  const [ended, end] = told();
  const [freed, free] = told();
  let facts: TlsFacts | null = null;
  const set: AttemptSet = new AttemptSet(
    {
      plan: { ...plan, timeoutMs },
      inputs: options.inputs,
      order: {
        target: 0,
        stage: 0,
        place: 0,
        burst: 0,
        count: 1,
        open: 1,
        first: 0,
        stride: 1,
        base: index,
        clientBase: index - (options.comebacks ?? 0),
      },
      worker: 0,
      destinations: [to],
      tls: options.tls,
      kernel: null,
      ports: new PortChooser(portRange[0], portRange[1], 0, 1, start),
      live: ownLiveCounts(),
      userAgent: options.userAgent,
      wantRows: false,
      wallOffset: () => 0,
      sleep: () => {},
      sendRows: () => {},
      rewrite: options.rewrite,
      newSession: options.newSession,
      listen: options.listen,
    },
    1,
    {
      armed: () => {},
      ended: () => {
        facts = set.transport.facts.tlsFacts(0);
        end();
      },
      ready: () => {},
      cut: () => {},
      freed: free,
    },
    () => set.columns.opened[0],
  );
  set.attempts.released = true;
  set.attempts.prepare(0, 0, false);
  set.stamping.start();
  const launchedAt = now();
  set.deadlines.set(0, launchedAt + timeoutMs);
  set.attempts.launch(0);
  const stop = (): void => set.attempts.expire(0, now(), outcomeCode('aborted'));
  options.signal.addEventListener('abort', stop);
  if (options.signal.aborted) stop();
  await ended;
  options.signal.removeEventListener('abort', stop);
  const { longestMs: stalledMs } = set.stamping.stalls.take();
  await options.held?.(heldOf(set));
  set.attempts.close(0, true);
  const gone = set.drain();
  // Until then more can be learned: the rest of a refusal, and for an observer how the tunnel is closed.
  if (options.held !== undefined || set.columns.outcome[0] !== STATUS_101) await Promise.race([freed, gone]);
  set.recorder.record(0, set.columns.opened[0]);
  set.keepSamples();
  const { tally } = set.recorder;
  const code = set.columns.outcome[0];
  const outcome = outcomeId(code);
  // If the system call could not be made, there is no time of it.
  const startedAt = Number.isNaN(set.columns.opened[0]) ? launchedAt : set.columns.opened[0];
  const tookMs = Math.max(0, set.columns.done[0] - startedAt);
  return { outcome, startedAt, tookMs, stalledMs, tally, sample: tally.sampleOf(code), tls: facts, gone };
}

/** A promise, and the function that resolves it. */
function told(): [promise: Promise<void>, tell: () => void] {
  let tell: () => void = () => {};
  const promise = new Promise<void>((resolve) => {
    tell = resolve;
  });
  return [promise, tell];
}

function heldOf({ columns, attempts, wire }: AttemptSet): Held {
  const after = (column: Float64Array) => column[0] - columns.opened[0];
  return {
    outcome: outcomeId(columns.outcome[0]),
    detail: attempts.details.get(0) ?? null,
    connectMs: after(columns.connected),
    secureMs: after(columns.secured),
    sentMs: after(columns.sent),
    firstByteMs: after(columns.first),
    doneMs: after(columns.done),
    send: (bytes) => wire.sendBytes(0, bytes),
  };
}
