/**
 * Rows in which one handshake works and many at once do not: a backend that is slow, stands still or is poisoned by those
 * that have left (3c, 3d, 3f). Builders: every number is a parameter.
 */

import type { GatewayName } from './configs.js';
import {
  all,
  at,
  CONNECT_FAILURE,
  type Expectation,
  exactly,
  PATIENT,
  READ_FAILURE,
  type Row,
  type Seen,
  type Shot,
  type Span,
  soon,
  type Where,
} from './row.js';

interface Loaded {
  readonly gateway: GatewayName;
  /** N. */
  readonly size: number;
  /** T. */
  readonly readMs: number;
  readonly where: Where;
}

/** A client's deadline that no row reaches. */
const LONG_MS = 30_000;

/**
 * O1 with the backend's own S': a request that came late has its T from then on, so up to (T + spread)/S' are served. The
 * first is served S' after it came, and the gateway's timers are none too exact: 8 % and three. While the backend is kept
 * from running it serves nobody; it makes up for that later, which makes S' shorter than S, but not for those who have left.
 */
function servedWithin({ readMs }: Loaded, serviceMs: number, burns = false): (seen: Seen) => Span {
  return ({ size, spreadMs, reports }) => {
    let [low, high] = [0, 0];
    for (const report of reports) {
      const own = report.serviceMs ?? serviceMs;
      // Computing is no stall.
      const stalledMs = burns ? 0 : report.stalledMs;
      low += Math.max(0, readMs - stalledMs) / Math.max(own, serviceMs);
      high += (readMs + spreadMs) / Math.min(own, serviceMs);
    }
    return [Math.min(size, Math.max(0, Math.floor(low * 0.92) - 3)), Math.min(size, Math.ceil(high * 1.08) + 3)];
  };
}

function others(count: (seen: Seen) => Span): (seen: Seen) => Span {
  return (seen) => {
    const [low, high] = count(seen);
    return [Math.max(0, seen.size - high), Math.max(0, seen.size - low)];
  };
}

/** O1. @param of.burns by computing; the gateway's T then starts before the backend has read the request */
export function slowSerial(of: Loaded & { readonly serviceMs: number; readonly burns?: boolean }): Row {
  const { gateway, size, readMs, serviceMs, burns = false, where } = of;
  const served = servedWithin(of, serviceMs, burns);
  const why = `min(N, T/S') with T = ${readMs} ms and S' as the backend measured it (S = ${serviceMs} ms)`;
  const expects: Expectation[] = [
    {
      outcome: '101',
      oracle: 'O1',
      why,
      count: served,
      ms: (seen) => [0, at(readMs)(seen)[1]],
      // A uniform ramp: its median is half of its end.
      p50Ms: ({ counts, reports, spreadMs, writtenMs }) => {
        const half = ((counts['101'] ?? 0) * (reports[0]?.serviceMs ?? serviceMs)) / 2;
        const stalled = reports[0]?.stalledMs ?? 0;
        return [half * 0.8 - 20, half * 1.2 + Math.max(spreadMs, writtenMs) + (burns ? 0 : stalled) + 100];
      },
    },
    {
      outcome: READ_FAILURE[gateway],
      oracle: 'O1',
      why: `the rest, at T`,
      count: others(served),
      ms: at(readMs),
    },
  ];
  return {
    kind: burns ? 'slow-serial-cpu' : 'slow-serial',
    id: `${gateway}/${burns ? 'slow-serial-cpu' : 'slow-serial'}/T=${readMs},S=${serviceMs},N=${size}`,
    gateway,
    cause: size * serviceMs > readMs ? 'slow-serial-upgrade' : null,
    story: `one upgrade after another, ${serviceMs} ms each, before a gateway that waits ${readMs} ms`,
    settings: { ...PATIENT, readMs },
    backend: { kind: 'serial', serviceMs, burns },
    shots: [{ size, timeoutMs: LONG_MS, expects, log: {} }],
    where,
  };
}

/** O2; O3 with `atOnce` null. Choose T/D well away from a whole number: the last round is then nobody's chance. */
export function slowConcurrent(of: Loaded & { readonly delayMs: number; readonly atOnce: number | null }): Row {
  const { gateway, size, readMs, delayMs, atOnce, where } = of;
  const served = ({ reports, spreadMs }: Seen): Span => {
    if (atOnce === null) return exactly(delayMs < readMs ? size : 0);
    const own = reports[0]?.serviceMs ?? delayMs;
    const rounds = (ms: number) => atOnce * Math.floor(ms / own);
    // The last round is in time if no other was late.
    const stalled = reports[0]?.stalledMs ?? 0;
    return [Math.min(size, Math.max(0, rounds(0.9 * readMs - stalled))), Math.min(size, rounds(readMs + spreadMs))];
  };
  const isEnough = atOnce === null ? delayMs < readMs : atOnce * Math.floor(readMs / delayMs) >= size;
  const oracle = atOnce === null ? 'O3' : 'O2';
  const formula = atOnce === null ? 'all, after D' : `C·floor(T/D') with C = ${atOnce}, D' as measured by the backend`;
  const expects: Expectation[] = [
    {
      outcome: '101',
      oracle,
      why: formula,
      count: served,
      ms: (seen) => [delayMs - 5, at(readMs)(seen)[1]],
    },
  ];
  if (!isEnough) {
    expects.push({
      outcome: READ_FAILURE[gateway],
      oracle,
      why: 'the rest, at T',
      count: others(served),
      ms: at(readMs),
    });
  }
  return {
    kind: atOnce === null ? 'slow-unlimited' : 'slow-concurrent',
    id: `${gateway}/slow-concurrent/T=${readMs},D=${delayMs},C=${atOnce ?? 'all'},N=${size}`,
    gateway,
    cause: isEnough ? null : 'slow-concurrent-upgrade',
    story: `${atOnce ?? 'all'} at a time, ${delayMs} ms each, before a gateway that waits ${readMs} ms`,
    settings: { ...PATIENT, readMs },
    backend: { kind: 'concurrent', delayMs, atOnce },
    shots: [{ size, timeoutMs: LONG_MS, expects, log: {} }],
    where,
  };
}

/** O4: work for those who have left; who comes right after the burst waits behind them. N·S must be well over 2 T. */
export function workForTheDead(of: Loaded & { readonly serviceMs: number; readonly late: number }): Row {
  const { gateway, readMs, serviceMs, size, late, where } = of;
  const first = slowSerial({ ...of });
  const status = READ_FAILURE[gateway];
  const [shot] = first.shots;
  // How many are served is O1's, and there the backend has less to do than to wake up for the dead as well.
  const some: Span = [1, Math.ceil((2 * readMs) / serviceMs)];
  const expects = shot.expects.map((one): Expectation => {
    const count = one.outcome === '101' ? some : others(() => some);
    return { ...one, count, p50Ms: undefined, why: one.outcome === '101' ? 'some' : one.why };
  });
  const why = `until N·S − T = ${size * serviceMs - readMs} ms after the burst began all newcomers wait T in vain`;
  return {
    ...first,
    kind: 'work-for-the-dead',
    id: `${gateway}/work-for-the-dead/T=${readMs},S=${serviceMs},N=${size}`,
    cause: 'work-for-the-dead',
    story: 'the backend serves clients that have left, and the next burst waits behind them',
    backend: { kind: 'serial', serviceMs, servesDead: true },
    shots: [
      { ...shot, expects },
      { size: late, timeoutMs: LONG_MS, expects: [all(status, late, 'O4', why, at(readMs))], log: {} },
    ],
    where,
  };
}

/**
 * O9 and O10: an accept queue of B, and a loop that stands still for `blockMs` from the first connection on. B + 1 come
 * through the queue; the rest meet the gateway's connect timeout. The kernel looks for room when it answers a SYN and
 * fills it with the ACK: SYNs that two cores answer at the same moment both find the last place free, and the gateway
 * takes both for connected (in one HAProxy run 18 and 82, for B = 16). So B + 1 or, now and then, B + 2.
 */
export function listenQueue(of: Loaded & ListenQueue): Row {
  const { gateway, size, readMs, connectMs, retries, backlog, blockMs, where } = of;
  const isOutlived = blockMs < readMs;
  const tries = gateway === 'haproxy' ? retries + 1 : 1;
  const recovers = gateway === 'haproxy' && tries * connectMs > blockMs;
  const queued: Span = [Math.min(size, backlog + 1), Math.min(size, backlog + 2)];
  const inQueue: Expectation = isOutlived
    ? {
        outcome: '101',
        oracle: 'O10',
        why: `B + 1 = ${backlog + 1} are in the queue when the block ends`,
        count: queued,
        ms: at(0),
      }
    : {
        outcome: READ_FAILURE[gateway],
        oracle: 'O9',
        why: `B + 1 = ${backlog + 1} at T`,
        count: queued,
        ms: at(readMs),
      };
  const rest: Expectation = {
    outcome: CONNECT_FAILURE[gateway],
    oracle: isOutlived ? 'O10' : 'O9',
    why: `the others after ${tries} × the connect timeout`,
    count: [size - queued[1], size - queued[0]],
    ms: at(tries * connectMs),
  };
  return {
    kind: isOutlived ? 'listen-queue-recovers' : 'listen-queue',
    id: `${gateway}/listen-queue/B=${backlog},block=${blockMs},connect=${connectMs},T=${readMs},N=${size}`,
    gateway,
    cause: 'listen-queue-full',
    story: `an accept queue of ${backlog} and a loop that stands still for ${blockMs} ms`,
    settings: { readMs, connectMs, retries },
    backend: { kind: 'blocks', backlog, blockMs },
    shots: [
      {
        size,
        timeoutMs: LONG_MS,
        before: ['block'],
        expects: together(inQueue, rest, recovers, of),
        log: {},
      },
    ],
    where,
  };
}

export interface ListenQueue {
  readonly connectMs: number;
  /** HAProxy's. */
  readonly retries: number;
  /** B. */
  readonly backlog: number;
  readonly blockMs: number;
}

/** nginx calls both failures 504: they are one line then, from the earlier time to the later. */
function together(
  inQueue: Expectation,
  rest: Expectation,
  recovers: boolean,
  { size, backlog, blockMs }: Loaded & ListenQueue,
): Expectation[] {
  if (recovers && inQueue.outcome === '101') {
    return [
      all('101', size, 'O10', 'HAProxy tries again, and the block has ended', (seen) => [
        0,
        at(blockMs + 8000)(seen)[1],
      ]),
    ];
  }
  if (inQueue.outcome === '101') {
    // Where there is one too many, its ACK found no room: it gets in with the request, sent again when as long has passed.
    const until = (seen: Seen) => ((seen.counts['101'] ?? 0) > backlog + 1 ? 2 * blockMs : blockMs);
    return [{ ...inQueue, ms: (seen) => [0, at(until(seen))(seen)[1]] }, rest];
  }
  if (inQueue.outcome !== rest.outcome) return [inQueue, rest];
  return [
    {
      ...rest,
      why: `${inQueue.why}; ${rest.why}`,
      count: exactly(size),
      ms: (seen) => {
        const spans = [inQueue.ms, rest.ms].map((ms) => (typeof ms === 'function' ? ms(seen) : (ms ?? [0, 0])));
        return [Math.min(...spans.map(([low]) => low)), Math.max(...spans.map(([, high]) => high))];
      },
    },
  ];
}

/** O6 and O7, without a gateway: B + 1 connect at once, the others with the first SYN that is sent again after the block. */
export function listenQueueDirect(of: {
  readonly size: number;
  readonly backlog: number;
  readonly blockMs: number;
  readonly where: Where;
}): Row {
  const { size, backlog, blockMs, where } = of;
  return {
    kind: 'listen-queue-direct',
    id: `direct/listen-queue/B=${backlog},block=${blockMs},N=${size}`,
    gateway: 'direct',
    cause: 'listen-queue-full',
    story: `the same without a gateway: an accept queue of ${backlog}, a block of ${blockMs} ms`,
    settings: PATIENT,
    backend: { kind: 'blocks', backlog, blockMs },
    shots: [
      {
        size,
        timeoutMs: 8000,
        before: ['block'],
        expects: [
          {
            outcome: '101',
            oracle: 'O6',
            why: `B + 1 = ${backlog + 1} when the block ends; who comes again later may find the queue full, or be a phantom of a SYN cookie (3c)`,
            count: [backlog + 1, size],
            ms: null,
          },
          { outcome: 'timeout-upgrade', oracle: '3c', why: 'phantoms', count: [0, size - backlog - 1], ms: null },
          { outcome: 'timeout-connect', oracle: 'O7', why: 'never let in', count: [0, size - backlog - 1], ms: null },
        ],
        log: 'no gateway',
      },
    ],
    where,
  };
}

/** What became of its peers each worker of nginx knows by itself. */
const ONE_WORKER = { main: 'worker_processes 1;\nworker_rlimit_nofile 16384;' };

/**
 * 3f: nginx with two upstreams. The first to time out takes its peer out of service; when both are out, everybody
 * gets a 502 at once until `failMs` have passed.
 */
export function poisoned(
  of: Omit<Loaded, 'gateway'> & { readonly serviceMs: number; readonly failMs: number; readonly late: number },
): Row {
  const { size, readMs, serviceMs, failMs, late, where } = of;
  const served = servedWithin({ ...of, gateway: 'nginx' }, serviceMs);
  const instant: Shot = {
    size: late,
    timeoutMs: LONG_MS,
    expects: [all('502', late, '3f', 'no live upstreams: 502 at once', soon(readMs))],
    log: {},
  };
  return {
    kind: 'poisoned',
    id: `nginx/poisoned/T=${readMs},S=${serviceMs},N=${size}`,
    gateway: 'nginx',
    cause: 'negative-cache',
    story: 'two slow upstreams: the burst takes both out of service',
    settings: { ...PATIENT, readMs, slots: { ...ONE_WORKER, peer: ` fail_timeout=${failMs / 1000}s` } },
    backend: { kind: 'serial', serviceMs },
    peers: 2,
    shots: [
      {
        size,
        timeoutMs: LONG_MS,
        expects: [
          { outcome: '101', oracle: '3f', why: "2·T/S', each peer by itself", count: served, ms: null },
          {
            outcome: '502',
            oracle: '3f',
            why: 'the rest at T, when both peers are out: 502 and not 504, save for the first of each peer',
            count: (seen) => [Math.max(0, others(served)(seen)[0] - 12), others(served)(seen)[1]],
            ms: (seen) => [readMs - 5, at(2 * readMs)(seen)[1]],
          },
          {
            outcome: '504',
            oracle: '3f',
            why: 'sent to the other peer when theirs timed out',
            count: [0, 12],
            ms: null,
          },
        ],
        log: {},
      },
      instant,
      ...triedAgain(instant, failMs),
    ],
    where,
  };
}

/** nginx sends a peer that has failed one request on trial, and everybody else only after that. */
function triedAgain(shot: Shot, failMs: number): Shot[] {
  const why = `after fail_timeout = ${failMs} ms: one on trial, then all`;
  const works = (size: number, pauseMs: number): Shot => ({
    ...shot,
    size,
    before: [{ pauseMs }],
    expects: [all('101', size, '3f', why, soon(LONG_MS))],
  });
  return [works(1, failMs + 500), works(shot.size, 0)];
}

/** 3f: what failed once is refused at once, while the backend is back. */
export function negativeCache(of: Loaded & { readonly failMs: number }): Row {
  const { gateway, size, readMs, failMs, where } = of;
  const refusedOnce = gateway === 'haproxy' ? '503' : '502';
  const slots: Readonly<Partial<Record<GatewayName, Record<string, string>>>> = {
    nginx: { ...ONE_WORKER, peer: ` fail_timeout=${failMs / 1000}s` },
    haproxy: { server: ` check inter 200ms downinter ${failMs}ms fall 1 rise 2` },
    caddy: { proxy: `fail_duration ${failMs}ms` },
  };
  const own = slots[gateway];
  if (own === undefined) throw new Error(`${gateway} remembers nothing`);
  const after = gateway === 'nginx' ? '502' : '503';
  const remembered: Shot = {
    size,
    timeoutMs: LONG_MS,
    before: ['start-backends'],
    expects: [all(after, size, '3f', `${after} at once: it is taken to be away still`, soon(readMs))],
    log: {},
  };
  const again: Shot = {
    ...remembered,
    // Two checks make a server of HAProxy's rise.
    before: [{ pauseMs: (gateway === 'haproxy' ? 2 : 1) * failMs + 500 }],
    expects: [all('101', size, '3f', `after ${failMs} ms it is tried again`, soon(LONG_MS))],
  };
  return {
    kind: 'negative-cache',
    id: `${gateway}/negative-cache`,
    gateway,
    cause: 'negative-cache',
    story: 'the backend was away for one handshake and is back; the gateway remembers',
    settings: { ...PATIENT, readMs, retries: 0, slots: own },
    backend: { kind: 'ws', built: 'port' },
    // One peer alone nginx never takes out of service.
    peers: gateway === 'nginx' ? 2 : 1,
    startsBackends: false,
    shots: [
      {
        size: 1,
        timeoutMs: LONG_MS,
        before: gateway === 'haproxy' ? [{ pauseMs: 500 }] : [],
        expects: [all(refusedOnce, 1, '3f', 'nobody listens', soon(readMs))],
        log: {},
      },
      remembered,
      ...(gateway === 'nginx' ? triedAgain(remembered, failMs) : [again]),
    ],
    where,
  };
}
