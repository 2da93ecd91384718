/**
 * Targets that drop clients which were connected, as deploys and crashes do: a server that is away and then slow, parts
 * of a service one after another, a server that accepts and closes again, one that is ruined by those who come back.
 */
import type { Connection, Door } from '../server/connection.js';
import { Drops } from '../server/drops.js';
import { Agenda, nowUs } from '../server/due.js';
import { type LabEnv, openLab, type RunningLab } from '../server/listener.js';
import { haproxyUnavailable } from '../server/pages.js';
import type { Request } from '../server/request-head.js';
import { ServiceLine } from '../server/service-line.js';
import { type LabSettings, numberOf } from '../server/target-options.js';
import { closeFrame } from '../server/tunnel.js';

/** More would wait for hours; a real service has long run out of memory. */
const LONGEST_LINE = 200_000;

/** Serves handshakes at a rate, each at its time. */
class SteadyRate {
  readonly #line: ServiceLine;
  readonly #agenda = new Agenda<'turn'>();
  readonly #give: (connection: Connection, request: Request) => void;

  constructor(perSecond: number, worksForGone: boolean, give: (connection: Connection, request: Request) => void) {
    this.#line = new ServiceLine(perSecond, worksForGone, LONGEST_LINE);
    this.#give = give;
  }

  take(connection: Connection, request: Request): void {
    const isFirst = this.#line.size === 0;
    const one = { isThere: () => connection.open, serve: () => this.#give(connection, request) };
    if (!this.#line.join(one, nowUs())) connection.finish('503', haproxyUnavailable());
    else if (isFirst) this.#turn();
  }

  #turn(): void {
    const dueUs = this.#line.serveUntil(nowUs());
    if (dueUs !== null) this.#agenda.at('turn', dueUs, () => this.#turn());
  }

  stop(): void {
    this.#agenda.stop();
  }
}

/** The 101, after which the connection is one of those that can be dropped. */
function admitTo(drops: Drops): (connection: Connection, request: Request) => void {
  return (connection, request) => {
    connection.upgrade(request);
    if (connection.upgraded) drops.joined(connection);
  };
}

/** Nobody listens while it is away, so that clients are refused by the kernel as they are by a process that is gone. */
export function startRestarts(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const outageMs = numberOf(settings, 'outage');
  let door: Door | null = null;
  let hasRestarted = false;
  const drops = new Drops(settings, () => {
    drops.drop();
    door?.shutFor(outageMs);
    hasRestarted = true;
  });
  const admit = admitTo(drops);
  const service = new SteadyRate(numberOf(settings, 'rate'), false, admit);
  return openLab('restarts', settings, env, {
    onListening: (opened) => {
      door = opened;
    },
    onRequest(connection, request) {
      if (drops.obeys(connection, request)) return;
      // Its caches are warm until then.
      if (hasRestarted) service.take(connection, request);
      else admit(connection, request);
    },
    onLeave: (connection) => drops.left(connection),
    onStop: () => {
      drops.stop();
      service.stop();
    },
  });
}

export function startHerdFragile(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const drops = new Drops(settings, () => drops.drop());
  const service = new SteadyRate(numberOf(settings, 'rate'), true, admitTo(drops));
  return openLab('herd-fragile', settings, env, {
    onRequest: (connection, request) => {
      if (!drops.obeys(connection, request)) service.take(connection, request);
    },
    onLeave: (connection) => drops.left(connection),
    onStop: () => {
      drops.stop();
      service.stop();
    },
  });
}

export function startAcceptThenKick(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const outageUs = numberOf(settings, 'outage') * 1000;
  const afterMs = numberOf(settings, 'after');
  const frame = closeFrame(numberOf(settings, 'code'), 'not ready');
  let kicksUntilUs = 0;
  const drops = new Drops(settings, () => {
    drops.drop();
    kicksUntilUs = nowUs() + outageUs;
  });
  const admit = admitTo(drops);
  return openLab('accept-then-kick', settings, env, {
    onRequest(connection, request) {
      if (drops.obeys(connection, request)) return;
      if (nowUs() >= kicksUntilUs) {
        admit(connection, request);
        return;
      }
      connection.upgrade(request);
      setTimeout(() => connection.open && connection.stream.end(frame), afterMs).unref();
    },
    onLeave: (connection) => drops.left(connection),
    onStop: () => drops.stop(),
  });
}

/** A balancer gives each client to the next part that is up; when none is, it answers 503 itself. */
export function startRolling(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const parts = Math.max(1, numberOf(settings, 'parts'));
  const outageMs = numberOf(settings, 'outage');
  const partOf = new WeakMap<Connection, number>();
  let turn = 0;
  /** The part that is away; null: none. */
  let away: number | null = null;
  let timer: NodeJS.Timeout | null = null;
  const restart = (part: number): void => {
    away = part < parts ? part : null;
    if (away === null) return;
    drops.drop((connection) => partOf.get(connection) === away);
    timer = setTimeout(() => restart(part + 1), outageMs);
  };
  const drops = new Drops(settings, () => {
    // A second deploy waits for the first.
    if (away === null) restart(0);
  });
  const admit = admitTo(drops);
  const nextPart = (): number | null => {
    for (let tried = 0; tried < parts; tried += 1) {
      const part = turn % parts;
      turn += 1;
      if (part !== away) return part;
    }
    return null;
  };
  return openLab('rolling', settings, env, {
    onRequest(connection, request) {
      if (drops.obeys(connection, request)) return;
      const part = nextPart();
      if (part === null) {
        connection.finish('503', haproxyUnavailable());
        return;
      }
      partOf.set(connection, part);
      admit(connection, request);
    },
    onLeave: (connection) => drops.left(connection),
    onStop: () => {
      if (timer !== null) clearTimeout(timer);
      drops.stop();
    },
  });
}
