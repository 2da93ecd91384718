/**
 * Mirror calibration: the same burst against a target on this machine that answers at once. Its latencies and spread are
 * the generator's own floor; they are printed beside the result and subtracted from nothing.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { ChurnStage, Plan, Stage } from '../../plan/plan.js';
import { peakOpen, stageOpen } from '../../plan/plan.js';
import type { Calibration } from '../../result/result.js';
import { toMicros } from '../machine/clock.js';
import type { Aim } from '../threads/messages.js';
import { AIM } from '../threads/shared-memory.js';
import type { Crew } from '../threads/worker-pool.js';
import type { Destination } from '../transport/transport.js';
import { fireVolley, type VolleyOrder } from './stage-run.js';

/** Attempts a port: well under the shortest accept queue in use (somaxconn 4,096; 128 on old kernels is not covered). */
const ATTEMPTS_PER_PORT = 1000;
/** A churn's floor is known after this many rounds of those in flight. */
const CHURN_ROUNDS = 4;
/**
 * Before the floor is measured the crew runs handshakes this long, because code that is still being compiled releases a
 * burst two to three times as slowly, and its compilers compete for the cores.
 */
const WARM_UP = { forMs: 700, inFlight: 256 };
const TIMEOUT_MS = 20_000;
const START_MS = 10_000;

export interface Mirror {
  readonly aim: Aim;
  stop(): Promise<void>;
}

/**
 * @param open attempts that it must take at once
 * @throws Error when the process does not start
 */
export async function startMirror(plan: Plan, open: number): Promise<Mirror> {
  const ports = Math.max(1, Math.ceil(open / ATTEMPTS_PER_PORT));
  const child = fork(fileURLToPath(new URL('../mirror/mirror.js', import.meta.url)), [plan.target.scheme, `${ports}`], {
    stdio: ['pipe', 'pipe', 'ignore', 'ipc'],
    // A small nursery: its sockets live as long as the burst, so a large one would only fill with garbage.
    execArgv: ['--max-semi-space-size=1'],
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
  const inputs = { rows: [], env: {}, tls: { ca: null, cert: null, key: null } };
  return {
    aim: { plan: mirrorPlan(plan), inputs, destinations, tlsSession: null, wantRows: false },
    async stop() {
      child.stdin?.end();
      await exited;
    },
  };
}

/** The plan with the mirror in the target's place: same sizes, same gate, same TLS cost, nothing of the user's sent. */
function mirrorPlan(plan: Plan): Plan {
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
    stages: [...plan.stages.map(bounded), warmUpStage(plan)],
    session: { holdMs: null },
    timeoutMs: Math.min(plan.timeoutMs, TIMEOUT_MS),
    close: 'reset',
  };
}

function warmUpStage(plan: Plan): ChurnStage {
  const inFlight = Math.min(WARM_UP.inFlight, peakOpen(plan));
  return { kind: 'churn', total: null, inFlight, forMs: WARM_UP.forMs, restMs: 0 };
}

/** Runs the crew's code until it is compiled; what it measures is thrown away. */
export async function warmUp(crew: Crew, mirror: Mirror, stopped: () => boolean): Promise<void> {
  const { plan } = mirror.aim;
  const stage = plan.stages.length - 1;
  await fireVolley(crew, mirrorOrder(plan, stage, null, plan.stages[stage] as ChurnStage, stopped));
}

function mirrorOrder(
  plan: Plan,
  stage: number,
  size: number | null,
  churn: ChurnStage | null,
  stopped: () => boolean,
): VolleyOrder {
  return { aim: AIM.mirror, stage, index: 0, size, base: 0, plan, churn, onPhase: () => {}, stopped };
}

/** A stage as far as its floor needs it: one burst of its largest size, or a few rounds of a churn. */
function bounded(stage: Stage): Stage {
  const open = stageOpen(stage);
  if (stage.kind !== 'churn') return { kind: 'burst', size: open, times: 1, restMs: 0 };
  const rounds = open * CHURN_ROUNDS;
  return { ...stage, inFlight: open, total: Math.min(stage.total ?? rounds, rounds), forMs: null };
}

/**
 * The floor of one stage, at its largest burst unless a size is given: that of smaller ones is below it. The crew must
 * have the mirror as its second aim.
 * @returns null when stopped before it was done
 */
export async function calibrate(
  crew: Crew,
  mirror: Mirror,
  stage: number,
  stopped: () => boolean,
  atSize: number | null = null,
): Promise<Calibration | null> {
  const { plan } = mirror.aim;
  const own: Stage = plan.stages[stage];
  const churn = own.kind === 'churn' ? own : null;
  const size = atSize ?? churn?.total ?? stageOpen(own);
  const volley = await fireVolley(crew, mirrorOrder(plan, stage, size, churn, stopped));
  if (stopped()) return null;
  const { tally } = volley;
  const counted = tally.counted();
  const seconds = (volley.lastEndMs ?? 0) / 1000;
  return {
    size,
    share101: tally.attempted === 0 ? 0 : tally.count('101') / tally.attempted,
    spreadMs: toMicros((volley.lastReleaseMs ?? 0) - (volley.firstReleaseMs ?? 0)),
    handshakeMs: counted.latencyMs.handshake,
    upgradeMs: counted.latencyMs.upgrade,
    rate: churn === null || seconds === 0 ? null : tally.count('101') / seconds,
  };
}
