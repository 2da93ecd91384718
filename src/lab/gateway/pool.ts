/**
 * A backend that serves upgrades some at a time, D each, for a real gateway to wait for: nothing is decided beforehand here,
 * because when a client is given up is the gateway's affair. Each end is on an absolute schedule, so a late timer costs
 * nothing. Who is gone when his turn comes is skipped, or served all the same.
 */
import type { Connection } from '../server/connection.js';
import { Agenda, nowUs } from '../server/due.js';
import { type LabEnv, openLab, type RunningLab } from '../server/listener.js';
import type { Request } from '../server/request-head.js';
import { type LabSettings, numberOf } from '../server/target-options.js';

interface Waiting {
  readonly connection: Connection;
  readonly request: Request;
}

/** @param width how many are served at a time; 0: all of them */
export function startPool(name: string, width: number, settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const serviceUs = numberOf(settings, 'service') * 1000;
  const worksForDead = settings['dead-work'] === true;
  const agenda = new Agenda<'served'>();
  const queue: Waiting[] = [];
  let served = 0;

  /** @param fromUs when a place became free: the instant of its end and not that of its timer */
  const serveNext = (fromUs: number): void => {
    while (queue.length > 0 && (width === 0 || served < width)) {
      const one = queue.shift() as Waiting;
      if (!worksForDead && !one.connection.open) continue;
      served += 1;
      const dueUs = fromUs + serviceUs;
      agenda.at('served', dueUs, () => {
        served -= 1;
        if (one.connection.open) one.connection.upgrade(one.request);
        serveNext(dueUs);
      });
    }
  };
  return openLab(name, settings, env, {
    onRequest(connection, request) {
      queue.push({ connection, request });
      serveNext(nowUs());
    },
    onStop: () => agenda.stop(),
  });
}
