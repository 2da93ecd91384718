/**
 * Targets whose clients wait in a queue: a gateway with timeout T before a backend that serves upgrades one by one,
 * several at a time, or all in parallel. The first of them is the problem that this product was made for. schedule.ts
 * decides the outcomes; this file sends them when they are due.
 */
import type { Connection } from '../server/connection.js';
import { Agenda, nowUs } from '../server/due.js';
import { type LabEnv, openLab, type RunningLab } from '../server/listener.js';
import { nginxPage } from '../server/pages.js';
import type { Request } from '../server/request-head.js';
import { type BackendCapacity, SharedCpu, UpgradeQueue } from '../server/schedule.js';
import { type LabSettings, numberOf } from '../server/target-options.js';

/**
 * Arrivals this close to the first of a burst count as simultaneous: longer than any burst against the lab takes to
 * arrive.
 */
const TOGETHER_MS = 500;

/** `late` answers a client whose turn would come after T, once T has passed. */
function startQueue(
  name: string,
  backend: BackendCapacity,
  settings: LabSettings,
  env: LabEnv,
  late: (connection: Connection) => void,
  turnsAway: (connection: Connection) => boolean = () => false,
): Promise<RunningLab> {
  const queue = new UpgradeQueue(backend, numberOf(settings, 'timeout'), TOGETHER_MS);
  const agenda = new Agenda<'101' | '504'>();
  return openLab(name, settings, env, {
    onRequest(connection: Connection, request: Request) {
      if (turnsAway(connection)) return;
      const { status, dueUs } = queue.admit(nowUs());
      const give = status === '101' ? () => connection.upgrade(request) : () => late(connection);
      // The client may have disconnected.
      agenda.at(status, dueUs, () => connection.open && give());
    },
    onLeave: () => queue.clientLeft(),
    onStop: () => agenda.stop(),
  });
}

function give504(connection: Connection): void {
  connection.finish('504', nginxPage('504'));
}

export function startSimultaneous504(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const backend = {
    serviceMs: numberOf(settings, 'service'),
    width: 1,
    worksForDead: settings['dead-work'] === true,
  };
  return startQueue('simultaneous-504', backend, settings, env, give504);
}

/** The same queue, with the client's deadline shorter than the gateway's timeout. */
export function startClientDeadline(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const backend = { serviceMs: numberOf(settings, 'service'), width: 1, worksForDead: false };
  return startQueue('client-deadline', backend, settings, env, give504);
}

export function startSlowConcurrent(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const backend = {
    serviceMs: numberOf(settings, 'service'),
    width: numberOf(settings, 'width'),
    worksForDead: false,
  };
  return startQueue('slow-concurrent', backend, settings, env, give504);
}

/**
 * nginx before several servers, each of which has failed once (max_fails=1): the failed requests get 502, and until
 * fail_timeout is over there are no live upstreams, so every request gets 502 at once.
 */
export function startNegativeCache(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const memoryUs = numberOf(settings, 'memory') * 1000;
  let untilUs = Number.NEGATIVE_INFINITY;
  const give502 = (connection: Connection): void => connection.finish('502', nginxPage('502'));
  const backend = { serviceMs: numberOf(settings, 'service'), width: 1, worksForDead: false };
  return startQueue(
    'negative-cache',
    backend,
    settings,
    env,
    (connection) => {
      untilUs = nowUs() + memoryUs;
      give502(connection);
    },
    (connection) => {
      if (nowUs() >= untilUs) return false;
      give502(connection);
      return true;
    },
  );
}

/** Nothing is really computed: the lab would take the CPU away from the load generator. */
export function startCpuBound(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const cpu = new SharedCpu(numberOf(settings, 'service'));
  const timeoutUs = numberOf(settings, 'timeout') * 1000;
  const agenda = new Agenda<'101' | '504'>();
  let computing: { connection: Connection; request: Request }[] = [];
  const end = (dueUs: number): void => {
    // Another handshake has arrived since, and the end is later now.
    if (dueUs < cpu.dueUs) return;
    cpu.done();
    for (const { connection, request } of computing) if (connection.open) connection.upgrade(request);
    computing = [];
  };
  return openLab('cpu-bound', settings, env, {
    onRequest(connection, request) {
      const one = { connection, request };
      computing.push(one);
      const now = nowUs();
      const dueUs = cpu.arrive(now);
      agenda.at('101', dueUs, () => end(dueUs));
      agenda.at('504', now + timeoutUs, () => {
        if (!computing.includes(one) || !connection.open) return;
        computing = computing.filter((other) => other !== one);
        give504(connection);
      });
    },
    onStop: () => agenda.stop(),
  });
}

/** A single handshake fails just as many do: the backend has it and does not answer. */
export function startBackendHangs(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const timeoutUs = numberOf(settings, 'timeout') * 1000;
  const agenda = new Agenda<'504'>();
  return openLab('backend-hangs', settings, env, {
    onRequest: (connection) => agenda.at('504', nowUs() + timeoutUs, () => connection.open && give504(connection)),
    onStop: () => agenda.stop(),
  });
}
