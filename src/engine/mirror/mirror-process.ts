/**
 * Starts the local test server beside a run: a process that answers at once, in place of the target. Owns what is sent
 * to it: the same sizes, gate and TLS cost as the target's, but none of the user's data.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { EXIT, UserError } from '../../errors.js';
import { type ChurnStage, type Plan, peakOpen, type Stage, stageOpen } from '../../plan/plan.js';
import { driverOf } from '../load/load-kinds.js';
import type { LoadTarget } from '../load/load-target.js';
import type { Destination } from '../transport/transport.js';

/**
 * Attempts per port: well below the usual limit of a listen queue (somaxconn 4,096; the 128 of old kernels is not
 * covered).
 */
const ATTEMPTS_PER_PORT = 1000;
/**
 * The generators run handshakes for this long before their own cost is measured: code that is still being compiled
 * releases a burst two to three times more slowly, and the compiler threads compete for the cores.
 */
const WARM_UP = { forMs: 700, inFlight: 256 };
const TIMEOUT_MS = 20_000;
const START_MS = 10_000;

export interface Mirror {
  readonly target: LoadTarget;
  /** Index in its plan of the warm-up stage. */
  readonly warmUpStage: number;
  stop(): Promise<void>;
}

/**
 * @param open attempts that it must take at once
 * @param leastPorts as many as the target has addresses: towards each of them this side has its local ports anew
 * @throws UserError `limits` when the process does not start
 */
export async function startMirror(plan: Plan, open: number, leastPorts: number): Promise<Mirror> {
  const ports = Math.max(leastPorts, Math.ceil(open / ATTEMPTS_PER_PORT));
  const child = fork(fileURLToPath(new URL('./mirror.js', import.meta.url)), [plan.target.scheme, `${ports}`], {
    stdio: ['pipe', 'pipe', 'ignore', 'ipc'],
    // A small young generation: its sockets live as long as the burst, so a large one would only fill with garbage.
    execArgv: ['--max-semi-space-size=1'],
  });
  child.channel?.unref();
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout as Readable });
  const first = await Promise.race([
    once(lines, 'line', { signal: AbortSignal.timeout(START_MS) }),
    exited.then(() => null),
  ]).catch(() => null);
  if (first === null) {
    // A process that gets no thread of its own may neither answer nor end.
    child.kill('SIGKILL');
    throw new UserError('the local test server could not start: too few processes, threads or memory', {
      code: 'limits',
      hint: 'raise the limit (ulimit -u 4096), or skip the calibration: --no-calibrate',
      exitCode: EXIT.invalid,
    });
  }
  const destinations = (JSON.parse(String(first[0])) as number[]).map(
    (port): Destination => ({ address: '127.0.0.1', port, family: 4 }),
  );
  const inputs = { rows: [], env: {}, tls: { ca: null, cert: null, key: null } };
  return {
    target: { plan: mirrorPlan(plan), inputs, destinations, tlsSession: null, wantRows: false },
    warmUpStage: plan.stages.length,
    async stop() {
      child.stdin?.end();
      await exited;
    },
  };
}

/** The plan with the local test server as its target, plus a warm-up stage. */
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
      sourceIps: loopbackSources(plan.target.sourceIps.length),
    },
    data: null,
    stages: [...plan.stages.map(floorStage), warmUpStage(plan)],
    session: { holdMs: null, script: null },
    timeoutMs: Math.min(plan.timeoutMs, TIMEOUT_MS),
    close: 'reset',
  };
}

/** As many sources as the target's, so that local ports are as short here as there. Elsewhere loopback is one address. */
function loopbackSources(count: number): string[] {
  if (os.platform() !== 'linux') return [];
  return Array.from({ length: count }, (_, i) => `127.77.${Math.floor(i / 250)}.${1 + (i % 250)}`);
}

/** The stage in the form that measures the generator's own cost. */
function floorStage(stage: Stage): Stage {
  return driverOf(stage).floor(stage, stageOpen(stage));
}

function warmUpStage(plan: Plan): ChurnStage {
  const inFlight = Math.min(WARM_UP.inFlight, peakOpen(plan));
  return { kind: 'churn', total: null, inFlight, forMs: WARM_UP.forMs, restMs: 0 };
}
