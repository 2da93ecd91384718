/**
 * Mirror calibration: the same burst against a target on this machine that answers at once. Its latencies and spread are
 * the generator's own floor; they are printed beside the result and subtracted from nothing.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Plan, Stage } from '../plan/plan.js';
import type { Calibration } from '../tally/result.js';
import { Crew, type CrewTask } from './crew.js';
import type { Destination } from './transport.js';
import { fireVolley, type VolleyOrder } from './volley.js';

/** Attempts a port: well under the shortest accept queue in use (somaxconn 4,096; 128 on old kernels is not covered). */
const ATTEMPTS_PER_PORT = 1000;
/** A churn's floor is known after this many rounds of those in flight. */
const CHURN_ROUNDS = 4;
const TIMEOUT_MS = 20_000;
const START_MS = 10_000;

interface Mirror {
  readonly destinations: readonly Destination[];
  stop(): Promise<void>;
}

async function startMirror(plan: Plan, open: number): Promise<Mirror> {
  const ports = Math.ceil(open / ATTEMPTS_PER_PORT);
  const child = fork(fileURLToPath(new URL('./mirror.js', import.meta.url)), [plan.target.scheme, `${ports}`], {
    stdio: ['pipe', 'pipe', 'ignore', 'ipc'],
    execArgv: [],
  });
  child.channel?.unref();
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout as Readable });
  const first = await Promise.race([
    once(lines, 'line', { signal: AbortSignal.timeout(START_MS) }),
    exited.then(() => {
      throw new Error('the mirror process ended before it listened');
    }),
  ]);
  const destinations = (JSON.parse(String(first[0])) as number[]).map(
    (port): Destination => ({ address: '127.0.0.1', port, family: 4 }),
  );
  return {
    destinations,
    async stop() {
      child.stdin?.end();
      await exited;
    },
  };
}

/** The plan with the mirror in the target's place: same size, same gate, same TLS cost, nothing of the user's sent. */
function mirrorPlan(plan: Plan, stage: Stage): Plan {
  const { scheme } = plan.target;
  return {
    ...plan,
    target: {
      ...plan.target,
      url: `${scheme}://127.0.0.1/`,
      host: '127.0.0.1',
      path: '/',
      headers: [],
      origin: null,
      subprotocols: [],
      compression: false,
      tls: { ...plan.target.tls, insecure: true, servername: null, resume: false },
      connectTo: null,
      sourceIps: [],
    },
    data: null,
    stages: [stage],
    session: { holdMs: null },
    timeoutMs: Math.min(plan.timeoutMs, TIMEOUT_MS),
    close: 'reset',
  };
}

/**
 * @param stage a burst stage of one burst, or a churn stage
 * @returns null when stopped before it was done
 */
export async function calibrate(
  plan: Plan,
  stage: Stage,
  task: CrewTask,
  workers: number,
  stopped: () => boolean,
): Promise<Calibration | null> {
  const churn = stage.kind === 'churn' ? shortened(stage) : null;
  const open = churn !== null ? churn.inFlight : stage.kind === 'burst' ? stage.size : Math.max(...(stage as { sizes: readonly number[] }).sizes);
  const size = churn?.total ?? open;
  const own = mirrorPlan(plan, churn ?? stage);
  const mirror = await startMirror(plan, open);
  try {
    const crew = await Crew.start(
      { ...task, plan: own, inputs: { rows: [], env: {}, tls: { ca: null, cert: null, key: null } }, destinations: mirror.destinations, wantRows: false, tlsSession: null, fault: null },
      workers,
    );
    const order: VolleyOrder = { stage: 0, index: 0, size, base: 0, plan: own, churn, onPhase: () => {}, stopped };
    const volley = await fireVolley(crew, order);
    await crew.dismiss();
    if (stopped()) return null;
    const { tally } = volley;
    const counted = tally.counted();
    const seconds = (volley.lastEndMs ?? 0) / 1000;
    return {
      size,
      share101: tally.attempted === 0 ? 0 : tally.count('101') / tally.attempted,
      spreadMs: (volley.lastReleaseMs ?? 0) - (volley.firstReleaseMs ?? 0),
      handshakeMs: counted.latencyMs.handshake,
      upgradeMs: counted.latencyMs.upgrade,
      rate: churn === null || seconds === 0 ? null : tally.count('101') / seconds,
    };
  } finally {
    await mirror.stop();
  }
}

function shortened(stage: Extract<Stage, { kind: 'churn' }>): Extract<Stage, { kind: 'churn' }> {
  const inFlight = Math.min(stage.inFlight, stage.total ?? stage.inFlight);
  return { ...stage, inFlight, total: Math.min(stage.total ?? Number.POSITIVE_INFINITY, inFlight * CHURN_ROUNDS), forMs: null };
}
