/**
 * Targets with a limited number: of connections open at once, of requests per second, or of a listen queue. Beyond the
 * limit they answer at once, let the client wait, or never see it. A place is one of the connections that a target may
 * have open.
 */
import type { Connection } from '../server/connection.js';
import { Agenda, nowUs } from '../server/due.js';
import { type LabEnv, openLab, type RunningLab } from '../server/listener.js';
import { haproxyUnavailable, nginxPage } from '../server/pages.js';
import type { Request } from '../server/request-head.js';
import { RateLimit } from '../server/schedule.js';
import { type LabSettings, numberOf, textOf } from '../server/target-options.js';

interface Places {
  /** How long a place stays taken after its connection has ended, ms. */
  readonly lingerMs?: number;
  /** Current number of places; default: that of the settings. */
  max?(): number;
  readonly resets?: boolean;
  readonly onStop?: () => void;
  /** All places are taken. */
  full(connection: Connection, request: Request): void;
  /** The next waiting request; null if there is none. */
  next?(): { readonly connection: Connection; readonly request: Request } | null;
}

/** At most `max` connections upgraded at once. */
function startPlaces(name: string, settings: LabSettings, env: LabEnv, places: Places): Promise<RunningLab> {
  const most = numberOf(settings, 'max');
  const max = places.max ?? (() => most);
  let taken = 0;
  const take = (connection: Connection, request: Request): void => {
    connection.upgrade(request);
    if (connection.upgraded) taken += 1;
  };
  const free = (): void => {
    taken -= 1;
    const waiting = places.next?.() ?? null;
    if (waiting !== null) take(waiting.connection, waiting.request);
  };
  return openLab(name, settings, env, {
    resets: places.resets,
    onRequest: (connection, request) => (taken < max() ? take(connection, request) : places.full(connection, request)),
    onLeave() {
      if (places.lingerMs === undefined) free();
      else setTimeout(free, places.lingerMs).unref();
    },
    onStop: places.onStop,
  });
}

export function startLimit(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const answer = textOf(settings, 'answer');
  if (answer === 'queue') return startQueueLimit(settings, env);
  return startPlaces('limit', settings, env, {
    resets: answer === 'reset',
    full(connection) {
      if (answer === '503' || answer === '429') connection.finish(answer, nginxPage(answer));
      else if (answer === 'reset') connection.reset('reset');
      else if (answer === 'closed') connection.finish('closed', '');
    },
  });
}

/**
 * HAProxy's `maxconn` of a server and `timeout queue`: a request that finds all places taken waits for one, up to that
 * timeout.
 */
function startQueueLimit(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const queueUs = numberOf(settings, 'queue') * 1000;
  const agenda = new Agenda<'503'>();
  const waiting = new Map<Connection, Request>();
  return startPlaces('limit', settings, env, {
    full(connection, request) {
      waiting.set(connection, request);
      agenda.at('503', nowUs() + queueUs, () => {
        if (waiting.delete(connection) && connection.open) connection.finish('503', haproxyUnavailable());
      });
    },
    next() {
      for (const [connection, request] of waiting) {
        waiting.delete(connection);
        if (connection.open) return { connection, request };
      }
      return null;
    },
    onStop: () => agenda.stop(),
  });
}

/** nginx beyond worker_rlimit_nofile: it accepts the client but cannot open a socket to the backend. */
export function startDescriptorLimit(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return startPlaces('descriptor-limit', settings, env, {
    full: (connection) => connection.finish('500', nginxPage('500')),
  });
}

/** nginx with every local port to the backend in use: connect fails with EADDRNOTAVAIL. */
export function startPortsExhausted(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return startPlaces('ports-exhausted', settings, env, {
    full: (connection) => connection.finish('502', nginxPage('502')),
  });
}

/** Arrivals this close to the first count as simultaneous, but never so long that the rate itself would matter. */
const TOGETHER_MS = 500;

export function startRateLimit(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const answer = textOf(settings, 'answer') === '429' ? '429' : '503';
  const rate = numberOf(settings, 'rate');
  const waitSeconds = Math.max(1, Math.ceil(1 / Math.max(rate, 1e-3)));
  const limit = new RateLimit(rate, numberOf(settings, 'burst'), Math.min(TOGETHER_MS, rate > 0 ? 1000 / rate : 0));
  return openLab('rate-limit', settings, env, {
    onRequest(connection, request) {
      if (limit.admits(nowUs())) connection.upgrade(request);
      // limit_req sends only its status; servers that send 429 usually add Retry-After.
      else connection.finish(answer, nginxPage(answer, answer === '429' ? [`Retry-After: ${waitSeconds}`] : []));
    },
    onLeave: () => limit.clientLeft(),
  });
}

export function startSlowAccept(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return startListenQueue('slow-accept', settings, env);
}

export function startPhantomConnections(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return startListenQueue('phantom-connections', settings, env);
}

function startListenQueue(name: string, settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const blockMs = numberOf(settings, 'block');
  let blocked = false;
  return openLab(name, settings, env, {
    backlog: numberOf(settings, 'backlog'),
    onRequest(connection, request) {
      if (!blocked) {
        blocked = true;
        // Blocks the whole process, and so the listen queue, as a synchronous password hash does.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMs);
      }
      connection.upgrade(request);
    },
  });
}

/** Places that are freed late: a socket in TIME_WAIT, a conntrack entry, a session that a cleanup job ends. */
export function startTired(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return startPlaces('tired', settings, env, {
    lingerMs: numberOf(settings, 'free'),
    full: (connection) => connection.finish('503', nginxPage('503')),
  });
}

/** Number of places left at the end of a drift. */
const LEAST_LEFT = 4;

/** Places that decrease from the first handshake on: a memory leak, a growing neighbour. */
export function startDrifting(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const most = numberOf(settings, 'max');
  const fall = numberOf(settings, 'fall');
  let firstUs: number | null = null;
  return startPlaces('drifting', settings, env, {
    max() {
      firstUs ??= nowUs();
      return Math.max(leastOf(most), most - Math.floor((fall * (nowUs() - firstUs)) / 1e6));
    },
    full: (connection) => connection.finish('503', nginxPage('503')),
  });
}

/** Number of places that a drift leaves. */
export function leastOf(max: number): number {
  return Math.ceil(max / LEAST_LEFT);
}
