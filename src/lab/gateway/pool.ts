/**
 * A backend behind a real gateway that serves a number of upgrades at a time, D each. Nothing is decided in advance,
 * because the gateway decides when a client times out. Every end is on an absolute schedule, so late timers do not add
 * up. A client that has disconnected before its turn is skipped, or served anyway.
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

/** @param width number served at a time; 0: all */
export function startPool(name: string, width: number, settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const serviceUs = numberOf(settings, 'service') * 1000;
  const worksForDead = settings['dead-work'] === true;
  const agenda = new Agenda<'served'>();
  const queue: Waiting[] = [];
  let served = 0;

  /** @param fromUs when a place became free: its scheduled time, not the time at which the timer fired */
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
