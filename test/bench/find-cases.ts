/**
 * The cases of the benchmark of searches: targets of the lab and real nginx, each with a drop-off that is known or with
 * none to be found. Waits are as short as a target's memory allows: most have none.
 */
import { spawnLab } from '#dist/lab/spawn.js';
import { startStack } from '../gateways/stack.js';
import { nextHost } from '../searched.js';
import { type Door, type FindCase, largestGood, largestWithin } from './find-case.js';

/** For targets that a break leaves as they were. */
const SHORT_WAITS = ['--fresh-wait', '1s', '--max-wait', '5s', '--rest', '200ms'];
const PATIENT = ['-t', '20s'];
/** How long a place of `tired` outlives its connection. */
const TIRED_S = 6;
/** Silence costs as long as the search waits for an answer; the release of a large burst must be a small part of that. */
const IMPATIENT = { few: ['-t', '2s'], many: ['-t', '4s'] };
const MANY = 1000;

const NGINX_READ_MS = 1500;
const NGINX_SERVICE_MS = 10;
const NGINX_CONNECTIONS = 512;
const NGINX_PLACES = 200;
const LONG_MS = 30_000;

type LabOptions = Readonly<Record<string, string | number | boolean>>;

async function lab(name: string, options: LabOptions, truth: { size: number; by: string } | null): Promise<Door> {
  const { url, stop } = await spawnLab(name, { ...options, host: nextHost() });
  return { url, truth: async () => truth, stop: async () => void (await stop()) };
}

type Slots = Readonly<Record<string, string>>;

/** nginx before a healthy backend, with a limit of its own that does not move. */
async function limitedNginx(slots: Slots, size: number, by: string): Promise<Door> {
  const stack = await startStack({
    gateway: 'nginx',
    settings: { readMs: LONG_MS, connectMs: LONG_MS, slots },
    backend: { kind: 'ws', built: 'port' },
  });
  return { url: stack.url, truth: async () => ({ size, by }), stop: () => stack.stop() };
}

/**
 * O12 of docs/method.md, "Predictions": nginx keeps a sixteenth of its connections free for as long as a client has
 * been accepted and not yet read (ngx_drain_connections), by closing one of those. One tunnel more is what its own
 * sockets take. 64, 256, 512 and 1,024 carried just that many of every larger burst.
 */
function tunnels(connections: number): number {
  return (connections - Math.floor(connections / 16)) / 2 - 1;
}

/** nginx with a read timeout before a backend that serves one by one, and tells how long it really needed for each. */
async function slowNginx(): Promise<Door> {
  const stack = await startStack({
    gateway: 'nginx',
    settings: { readMs: NGINX_READ_MS, connectMs: LONG_MS },
    backend: { kind: 'serial', serviceMs: NGINX_SERVICE_MS },
  });
  return {
    url: stack.url,
    async truth() {
      const [{ serviceMs }] = await stack.reports();
      if (serviceMs === null) return null;
      return { size: NGINX_READ_MS / serviceMs, by: `O1: T/S' = ${NGINX_READ_MS} ms/${serviceMs.toFixed(2)} ms` };
    },
    stop: () => stack.stop(),
  };
}

function hardLimit(max: number, answer: '503' | 'reset' | 'silent', maximum: number): FindCase {
  const size = largestGood(max);
  const waits = answer === 'silent' ? IMPATIENT[max < MANY ? 'few' : 'many'] : PATIENT;
  return {
    name: `limit-${max}-${answer}`,
    story: `carries ${max}; the others ${answer === '503' ? 'get 503' : answer === 'reset' ? 'get a RST' : 'hear nothing'}`,
    start: () =>
      lab('limit', { max, answer }, { size, by: `K = ${max}${size > max ? ` and ${size - max} in 0.1 %` : ''}` }),
    flags: ['--max', `${maximum}`, ...SHORT_WAITS, ...waits],
    verdicts: ['FOUND'],
    within: 0.03,
  };
}

function serial(timeoutMs: number, serviceMs: number): FindCase {
  const size = timeoutMs / serviceMs;
  return {
    name: `t-over-s-${size}`,
    story: `simultaneous-504: a gateway that waits ${timeoutMs} ms before a backend that needs ${serviceMs} ms for each`,
    start: () =>
      lab(
        'simultaneous-504',
        { timeout: `${timeoutMs}ms`, service: `${serviceMs}ms` },
        { size, by: `T/S = ${timeoutMs} ms/${serviceMs} ms` },
      ),
    flags: ['--max', `${6 * size}`, ...SHORT_WAITS, ...PATIENT],
    verdicts: ['FOUND'],
    within: 0.05,
  };
}

const LAB: readonly FindCase[] = [
  ...(['503', 'reset', 'silent'] as const).flatMap((answer) => [
    hardLimit(137, answer, 1000),
    hardLimit(1900, answer, 8000),
  ]),
  serial(600, 4),
  serial(1200, 3),
  {
    name: 'hysteretic',
    story: 'carries 137, and 35 % of that for 20 s after every break',
    start: () => lab('hysteretic', { capacity: 137, share: 35, for: '20s' }, { size: largestGood(137), by: 'K = 137' }),
    flags: ['--max', '1000', '--fresh-wait', '22s', '--max-wait', '70s', '--rest', '7s', ...PATIENT],
    verdicts: ['FOUND'],
    flag: 'HYSTERESIS',
    within: 0.05,
    waits: true,
  },
  {
    name: 'p99-500ms',
    story: 'serves one by one, 5 ms each, and all in the end; asked for p99 of at most 500 ms',
    start: () =>
      lab(
        'simultaneous-504',
        { timeout: '10s', service: '5ms' },
        { size: largestWithin(500, 5), by: '500 ms/5 ms, and one later in 1 %' },
      ),
    flags: ['--max', '600', '--p99', '500ms', ...SHORT_WAITS, ...PATIENT],
    verdicts: ['FOUND'],
    within: 0.1,
  },
  {
    name: 'flaky',
    story: 'carries 1,000, and fails 0.05 % whatever comes, by chance',
    start: (run) =>
      lab(
        'flaky',
        { failures: 500, capacity: 1000, seed: run },
        { size: largestGood(1000), by: 'K = 1000 and 1 in 0.1 %' },
      ),
    flags: ['--max', '6000', ...SHORT_WAITS, ...PATIENT],
    verdicts: ['FOUND'],
    within: 0.05,
  },
];

/** Bursts that pass tire it, too: a search that rests after breaks alone measures half of it. */
function tired(max: number): FindCase {
  return {
    name: `tired-${max}`,
    story: `carries ${max}, and a place is free only ${TIRED_S} s after its connection has ended`,
    start: () => lab('tired', { max, free: `${TIRED_S}s` }, { size: largestGood(max), by: `K = ${max}` }),
    flags: ['--max', '2000', '--rest', '1s', '--fresh-wait', `${TIRED_S + 2}s`, ...PATIENT],
    verdicts: ['FOUND'],
    within: 0.05,
    waits: true,
  };
}

const TIRED: readonly FindCase[] = [tired(320), tired(500)];

const EDGES: readonly FindCase[] = [
  {
    name: 'healthy',
    story: 'takes all that comes',
    start: () => lab('healthy', {}, null),
    flags: ['--max', '1000', ...SHORT_WAITS, ...PATIENT],
    verdicts: ['AT_LEAST_MAX'],
    exitCode: 0,
  },
  {
    name: 'broken-at-min',
    story: 'carries 5, and 10 is the least that is asked',
    start: () => lab('limit', { max: 5 }, null),
    flags: ['--max', '1000', ...SHORT_WAITS, ...PATIENT],
    verdicts: ['BELOW_MIN'],
    exitCode: 3,
  },
  {
    name: 'never-recovers',
    story: 'carries 100, and after a break 35 for an hour',
    start: () => lab('hysteretic', { capacity: 100, share: 35, for: '60m' }, null),
    flags: ['--max', '1000', ...SHORT_WAITS, ...PATIENT],
    verdicts: ['DID_NOT_RECOVER'],
    exitCode: 3,
    waits: true,
  },
];

const NGINX: readonly FindCase[] = [
  {
    name: 'nginx-limit-conn',
    story: `nginx with limit_conn ${NGINX_PLACES}`,
    program: 'nginx',
    start: () =>
      limitedNginx(
        {
          http: 'limit_conn_zone $binary_remote_addr zone=all:1m;',
          location: `limit_conn all ${NGINX_PLACES}; limit_conn_status 503;`,
        },
        NGINX_PLACES,
        `O13: K = ${NGINX_PLACES}`,
      ),
    flags: ['--max', '1200', ...SHORT_WAITS, ...PATIENT],
    verdicts: ['FOUND'],
    within: 0.05,
  },
  {
    name: 'nginx-worker-connections',
    story: `nginx with one worker and worker_connections ${NGINX_CONNECTIONS}: a tunnel takes two`,
    program: 'nginx',
    start: () =>
      limitedNginx(
        {
          main: 'worker_processes 1;\nworker_rlimit_nofile 16384;',
          events: `worker_connections ${NGINX_CONNECTIONS};`,
        },
        tunnels(NGINX_CONNECTIONS),
        `O12: (W − W/16)/2 − 1 with W = ${NGINX_CONNECTIONS}`,
      ),
    flags: ['--max', '1500', ...SHORT_WAITS, ...PATIENT],
    verdicts: ['FOUND'],
    within: 0.05,
  },
  {
    name: 'nginx-slow-backend',
    story: `nginx with proxy_read_timeout ${NGINX_READ_MS} ms before a backend that needs ${NGINX_SERVICE_MS} ms for each`,
    program: 'nginx',
    start: slowNginx,
    flags: ['--max', '900', ...SHORT_WAITS, ...PATIENT],
    verdicts: ['FOUND'],
    within: 0.05,
  },
];

const GENERATOR: readonly FindCase[] = [
  {
    name: 'few-descriptors',
    story: 'takes all that comes, and the search has 600 descriptors for up to 5,000',
    start: () => lab('healthy', {}, null),
    flags: ['--max', '5000', ...SHORT_WAITS, ...PATIENT],
    descriptors: 600,
    verdicts: ['GENERATOR_LIMITED'],
    exitCode: 4,
  },
  {
    name: 'hogs',
    story: 'takes all that comes, and another process computes on every core',
    start: () => lab('healthy', {}, null),
    flags: ['--max', '500', ...SHORT_WAITS, ...PATIENT],
    hogs: true,
    verdicts: ['AT_LEAST_MAX', 'GENERATOR_LIMITED'],
    runs: 4,
  },
];

export const FIND_CASES: readonly FindCase[] = [...LAB, ...TIRED, ...EDGES, ...NGINX, ...GENERATOR];
