/**
 * Cases in which a backend is too slow for those who come at once, or its accept queue too short. The sizes are drawn so
 * that a burst goes well beyond what is served in time: a case must fail before it can be diagnosed.
 */
import type { CauseId } from '#dist/diagnose/causes.js';
import type { GatewayName } from '../gateways/configs.js';
import type { Row, Span } from '../gateways/row.js';
import {
  listenQueue,
  listenQueueDirect,
  poisoned,
  slowConcurrent,
  slowSerial,
  workForTheDead,
} from '../gateways/rows-capacity.js';
import {
  ALONE,
  any,
  burst,
  bursts,
  type Case,
  type Draw,
  exactly,
  labCase,
  type Maker,
  rowCase,
  some,
  twoSizes,
} from './diagnose-case.js';

const BENCH = { where: 'bench' } as const;

interface Times {
  readonly readMs: number;
  readonly serviceMs: number;
}

/** T and S with a burst of at most 600 that goes over T/S. */
function times(draw: Draw): Times & { size: number } {
  const serviceMs = draw.int(2, 25);
  const readMs = draw.step(600, Math.min(3000, 300 * serviceMs), 50);
  return { readMs, serviceMs, size: beyond(draw, { readMs, serviceMs }) };
}

function beyond(draw: Draw, { readMs, serviceMs }: Times): number {
  const most = readMs / serviceMs;
  return Math.min(600, Math.max(30, Math.ceil((most * draw.int(150, 250)) / 100)));
}

/** How a user asks for a burst: with the few single handshakes before it, or without; at either gate. */
function asked(draw: Draw, size: number): readonly string[] {
  const gate = draw.pick([[], ['--gate', 'upgrade']]);
  return burst(size, ...gate, ...draw.pick([[], [ALONE]]));
}

/**
 * Of a serial backend: T/S of them, by the lab on its own schedule, by real parts with what each service costs beside S and
 * with those that came late. A machine too busy for that makes another case than is meant.
 */
function split(size: number, failure: string, { readMs, serviceMs }: Times, share: Span = REAL): Case['outcomes'] {
  const most = readMs / serviceMs;
  const [low, high] = [Math.max(3, share[0] * most - 2), Math.min(size - 3, share[1] * most + 2)];
  return { 101: [low, high], [failure]: [size - high, size - low] };
}

const REAL: Span = [0.85, 1.1];
const ON_SCHEDULE: Span = [0.95, 1.05];
/** Each costs more than S where it is computed, and T begins before the backend has read the request. */
const COMPUTED: Span = [0.4, 1.2];

/** The target of the lab, its own gateway before its own backend. */
export const serialLab: Maker = (draw) => {
  const { readMs, serviceMs, size } = times(draw);
  return labCase(
    'simultaneous-504',
    { timeout: `${readMs}ms`, service: `${serviceMs}ms` },
    { args: asked(draw, size), outcomes: split(size, '504', { readMs, serviceMs }, ON_SCHEDULE) },
  );
};

/** @param burns by computing, as a password hash does */
export function serialThrough(gateway: GatewayName, burns = false): Maker {
  return (draw) => {
    // Apache counts whole seconds.
    const whole = gateway === 'apache2';
    const serviceMs = draw.int(whole ? 4 : 3, 25);
    const readMs = whole ? draw.step(1000, 2000, 1000) : draw.step(600, Math.min(3000, 250 * serviceMs), 50);
    const size = beyond(draw, { readMs, serviceMs });
    return serialRow(gateway, { readMs, serviceMs }, size, asked(draw, size), burns);
  };
}

function serialRow(gateway: GatewayName, times: Times, size: number, args: readonly string[], burns = false): Case {
  const row = slowSerial({ ...BENCH, gateway, size, ...times, burns });
  return rowCase(row, {
    args,
    outcomes: split(size, gateway === 'apache2' ? '502' : '504', times, burns ? COMPUTED : REAL),
  });
}

/** The same backend without a gateway: T is the client's own patience. */
function serialDirect(times: Times, size: number, args: readonly string[]): Case {
  const row: Row = { ...slowSerial({ ...BENCH, gateway: 'nginx', size, ...times }), gateway: 'direct' };
  return rowCase(row, {
    name: 'slow-serial, no gateway',
    setting: `one upgrade after another, ${times.serviceMs} ms each, and clients that wait ${times.readMs} ms`,
    args: [...args, '-t', `${times.readMs}ms`],
    outcomes: split(size, 'timeout-upgrade', times),
  });
}

/** The rows whose T and S the diagnosis must state: by the lab, by the client's own patience, and through gateways. */
export function timed(by: 'lab' | 'client' | 'nginx' | 'haproxy', readMs: number, serviceMs: number): Maker {
  return (draw) => {
    const size = beyond(draw, { readMs, serviceMs });
    const stated = { timeoutMs: readMs, serviceMs };
    const args = asked(draw, size);
    if (by === 'client') return { ...serialDirect({ readMs, serviceMs }, size, args), times: stated };
    if (by !== 'lab') return { ...serialRow(by, { readMs, serviceMs }, size, args), times: stated };
    const options = { timeout: `${readMs}ms`, service: `${serviceMs}ms` };
    return labCase('simultaneous-504', options, {
      args,
      outcomes: split(size, '504', { readMs, serviceMs }, ON_SCHEDULE),
      times: stated,
    });
  };
}

/** D and C with T between two steps, so that no chance decides the last. */
function steps(draw: Draw): { delayMs: number; atOnce: number; readMs: number; size: number } {
  const delayMs = draw.step(100, 300, 10);
  const atOnce = draw.int(5, 30);
  const rounds = draw.int(3, 6);
  const readMs = Math.round(delayMs * (rounds + 0.5));
  return { delayMs, atOnce, readMs, size: Math.min(600, Math.ceil((atOnce * rounds * draw.int(130, 220)) / 100)) };
}

export const concurrentLab: Maker = (draw) => {
  const { delayMs, atOnce, readMs, size } = steps(draw);
  const options = { timeout: `${readMs}ms`, service: `${delayMs}ms`, width: atOnce };
  return labCase('slow-concurrent', options, {
    args: asked(draw, size),
    outcomes: { 101: some(size), 504: some(size) },
  });
};

export function concurrentThrough(gateway: GatewayName): Maker {
  return (draw) => {
    const { delayMs, atOnce, readMs, size } = steps(draw);
    const row = slowConcurrent({ ...BENCH, gateway, size, readMs, delayMs, atOnce });
    return rowCase(row, { args: asked(draw, size), outcomes: { 101: some(size), 504: some(size) } });
  };
}

/** What fails in the burst, and what whoever comes after it meets: both are true. */
const AND_THE_LIVING: readonly CauseId[] = ['work-for-the-dead', 'slow-serial-upgrade'];
const AND_REMEMBERED: readonly CauseId[] = ['negative-cache', 'slow-serial-upgrade'];

/** N·S well over 2 T, so that newcomers go on failing for as long again as the burst took. */
function dead(draw: Draw): Times & { size: number } {
  const serviceMs = draw.int(8, 20);
  const readMs = draw.step(800, 1200, 100);
  return { readMs, serviceMs, size: Math.min(600, Math.ceil((readMs * draw.int(400, 500)) / 100 / serviceMs)) };
}

export const deadWorkLab: Maker = (draw) => {
  const { readMs, serviceMs, size } = dead(draw);
  return labCase(
    'simultaneous-504',
    { timeout: `${readMs}ms`, service: `${serviceMs}ms`, 'dead-work': true },
    {
      name: 'work for the dead',
      args: burst(size, '--after', '8s'),
      outcomes: split(size, '504', { readMs, serviceMs }),
      truth: AND_THE_LIVING,
    },
  );
};

export const deadWorkNginx: Maker = (draw) => {
  const { readMs, serviceMs, size } = dead(draw);
  const row = workForTheDead({ ...BENCH, gateway: 'nginx', size, readMs, serviceMs, late: 1 });
  return rowCase(row, {
    args: burst(size, '--after', '8s'),
    outcomes: split(size, '504', { readMs, serviceMs }),
    truth: AND_THE_LIVING,
  });
};

/** The first burst takes the servers out of service, the second is refused at once. */
export const negativeCacheLab: Maker = (draw) => {
  const { readMs, serviceMs, size } = times(draw);
  const options = { timeout: `${readMs}ms`, service: `${serviceMs}ms` };
  return labCase('negative-cache', options, {
    args: bursts(size, 2, draw.step(300, 900, 100), ALONE),
    outcomes: { 101: some(size), 502: [size, 2 * size] },
    truth: AND_REMEMBERED,
  });
};

export const poisonedNginx: Maker = (draw) => {
  const serviceMs = draw.int(8, 20);
  const readMs = draw.step(600, 1000, 100);
  const size = Math.ceil((2 * readMs * draw.int(150, 220)) / 100 / serviceMs);
  const row = poisoned({ ...BENCH, size, readMs, serviceMs, failMs: 10_000, late: 1 });
  return rowCase(row, {
    args: bursts(size, 2, draw.step(300, 900, 100), ALONE),
    outcomes: { 101: some(size), 502: [size, 2 * size], 504: [0, 12] },
    truth: AND_REMEMBERED,
  });
};

/** All are worked on at once: of the smaller burst all end together in time, of the larger one none does. */
export const cpuLab: Maker = (draw) => {
  const serviceMs = draw.int(4, 9);
  const timeout = draw.step(1200, 2000, 100);
  const [first, second] = [60, draw.int(150, 190)].map((share) => Math.floor((timeout * share) / 100 / serviceMs));
  return labCase(
    'cpu-bound',
    { timeout: `${timeout}ms`, service: `${serviceMs}ms` },
    {
      ...twoSizes(first, second, 500),
      outcomes: { 101: [first * 0.9, first + second * 0.5], 504: [second * 0.5, second] },
    },
  );
};

/** A loop that stands still once; who finds the queue full comes again with the kernel's next SYN. */
export const slowAccept: Maker = (draw) => {
  const size = draw.int(120, 400);
  const options = { backlog: draw.int(16, 60), block: `${draw.step(300, 700, 50)}ms` };
  return labCase('slow-accept', options, {
    args: burst(size, ALONE, '-t', '12s'),
    outcomes: {
      101: [17, size],
      'timeout-upgrade': any(size),
      'timeout-connect': any(size),
      closed: any(size),
      reset: any(size),
    },
    also: ['phantom-connections'],
  });
};

export const queueDirect: Maker = (draw) => {
  const backlog = draw.pick([16, 32, 64]);
  const size = draw.int(3, 5) * backlog;
  const row = listenQueueDirect({ ...BENCH, size, backlog, blockMs: draw.step(1200, 1800, 100) });
  return rowCase(row, {
    args: burst(size, ALONE, '-t', '9s'),
    outcomes: { 101: [backlog + 1, size], 'timeout-upgrade': any(size), 'timeout-connect': any(size) },
    also: ['phantom-connections'],
  });
};

/**
 * O9 of docs/method.md, "Predictions": the loop stands still for longer than either timeout of the gateway; the probes
 * afterwards find it well again.
 */
export function queueBehind(gateway: 'nginx' | 'haproxy'): Maker {
  return (draw) => {
    const backlog = draw.pick([8, 16, 24]);
    const size = draw.int(4, 8) * backlog;
    const connectMs = draw.step(700, 900, 100);
    const times = { connectMs, readMs: draw.step(1500, 2000, 100), blockMs: 4000, retries: 1 };
    const row = listenQueue({ ...BENCH, gateway, size, backlog, ...times });
    const outcomes: Case['outcomes'] =
      gateway === 'nginx' ? { 504: exactly(size) } : { 503: some(size), 504: some(size) };
    return rowCase(row, { args: burst(size, ALONE, '--after', '8s'), outcomes });
  };
}

export const phantoms: Maker = (draw) => {
  const size = draw.int(150, 250);
  const options = { backlog: draw.int(3, 6), block: `${draw.step(400, 600, 50)}ms` };
  return labCase('phantom-connections', options, {
    args: burst(size, ALONE, '-t', '10s'),
    outcomes: {
      101: [4, size],
      'timeout-upgrade': any(size),
      'timeout-connect': any(size),
      closed: any(size),
      reset: any(size),
    },
    also: ['listen-queue-full'],
  });
};
