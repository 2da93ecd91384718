/**
 * What each cause that only a crowd meets leaves behind, as results built from its formula, with the figures that must be
 * found: queues, limits, rates, slow upgrades, and what outlives a burst.
 */
import {
  apache,
  burst,
  by,
  type Case,
  haproxy,
  nginx,
  page,
  probes,
  quick,
  refusedAtOnce,
  serialBehind,
  serialDirect,
  times,
} from './diagnose-answers.js';
import {
  always,
  around,
  type BurstOf,
  failed,
  inSteps,
  ok,
  serially,
  type Told,
  unconnected,
} from './diagnose-results.js';

const CAPACITY: readonly Case[] = [
  [
    'serial behind nginx',
    'slow-serial-upgrade',
    serialBehind(nginx(504), '504', 1000, 5),
    { timeoutMs: 1000, serviceMs: 5, limit: 200 },
  ],
  [
    'serial behind a busy nginx that answers late',
    'slow-serial-upgrade',
    burst(ok(serially(199, 5, 0.1, 12)), failed('504', around(300, 1085, 40), nginx(504))),
    { timeoutMs: 1000, serviceMs: 5, limit: 200 },
  ],
  [
    'serial behind HAProxy',
    'slow-serial-upgrade',
    serialBehind(haproxy(504), '504', 3000, 10),
    { timeoutMs: 3000, serviceMs: 10, limit: 300 },
  ],
  [
    'serial behind Apache',
    'slow-serial-upgrade',
    serialBehind(apache(502), '502', 2000, 20),
    { timeoutMs: 2000, serviceMs: 20, limit: 100 },
  ],
  [
    'serial behind Apache, in bursts of two sizes and at an odd timeout',
    'slow-serial-upgrade',
    {
      bursts: [300, 100].map((late) => ({
        groups: [ok(serially(349, 20)), failed('502', around(late, 7002, 20), apache(502))],
      })),
    },
    { timeoutMs: 7000, serviceMs: 20, limit: 350 },
  ],
  ['serial, direct', 'slow-serial-upgrade', serialDirect(4000, 10), { timeoutMs: 4000, serviceMs: 10, limit: 400 }],
  [
    'serial and very slow',
    'slow-serial-upgrade',
    burst(ok(serially(4, 220, 0.05)), failed('504', around(60, 1001, 5), nginx(504))),
    { serviceMs: 220 },
  ],
  [
    'five at a time',
    'slow-concurrent-upgrade',
    burst(ok(inSteps(145, 5, 101)), failed('504', around(855, 3001, 30), nginx(504))),
    { timeoutMs: 3000, stepMs: 101, concurrency: 5, limit: 145 },
  ],
  [
    'sixteen at a time, direct',
    'slow-concurrent-upgrade',
    { ...burst(ok(inSteps(464, 16, 101)), failed('timeout-upgrade', around(500, 3000, 5))), timeoutMs: 3000 },
    { concurrency: 16 },
  ],
  [
    'a common end',
    'cpu-bound',
    burst(ok(around(300, 1880, 100)), failed('504', around(200, 2001, 20), nginx(504))),
    { timeoutMs: 2000 },
  ],
  ['none of a crowd in time', 'cpu-bound', burst(failed('504', around(500, 60_010, 30), nginx(504)))],
  [
    'TLS handshakes that wait for a CPU',
    'cpu-bound',
    {
      ...burst(ok(around(50, 900, 200)), failed('timeout-tls', around(200, 2000, 5))),
      timeoutMs: 2000,
      target: { scheme: 'wss' },
    },
  ],
];

/** B + 1 a wave, direct. */
function waves(backlog: number, waveMs: readonly number[]): Told {
  const atMs = waveMs.flatMap((ms) => around(backlog + 1, ms, 8));
  return burst(ok(atMs, { connectMs: (i) => atMs[i], upgradeMs: () => 1 }));
}

const QUEUES: readonly Case[] = [
  ['waves of SYNs', 'listen-queue-full', waves(16, [0.5, 1022, 2034, 3060, 4080]), { backlog: 16, retried: 68 }],
  ['waves of an older Linux', 'listen-queue-full', waves(128, [0.5, 1010, 3025, 7090]), { backlog: 128 }],
  [
    'some never got in',
    'listen-queue-full',
    {
      ...burst(
        ok(around(17, 3000, 5), { connectMs: () => 0.3 }),
        unconnected('timeout-connect', around(83, 3500, 2)),
        ok(around(17, 3200, 5), { connectMs: () => 1020 }),
      ),
      timeoutMs: 3500,
    },
    { backlog: 16 },
  ],
  [
    'behind nginx',
    'listen-queue-full',
    burst(failed('504', [...around(83, 2002, 5), ...around(17, 3003, 5)], nginx(504))),
    { backlog: 16, readTimeoutMs: 3003, connectTimeoutMs: 2002 },
  ],
  [
    'behind HAProxy',
    'listen-queue-full',
    burst(failed('504', around(17, 3003, 5), haproxy(504)), failed('503', around(83, 8010, 5), haproxy(503))),
    { backlog: 16 },
  ],
  [
    'behind Apache',
    'listen-queue-full',
    burst(failed('502', around(17, 3003, 5), apache(502)), failed('503', around(83, 2005, 5), apache(503))),
    { backlog: 16 },
  ],
  [
    'behind nginx, for less than its read timeout',
    'listen-queue-full',
    burst(ok(around(17, 1502, 20)), failed('504', around(83, 2003, 5), nginx(504))),
    { backlog: 16, connectTimeoutMs: 2000 },
  ],
  [
    'connections that the server does not know',
    'phantom-connections',
    {
      ...burst(
        ok(around(17, 500, 10), { connectMs: () => 0.3, upgradeMs: () => 500 }),
        ok([1215, 1216, 1620, 1622, 2420, 2422, 4030], {
          connectMs: () => 1012,
          upgradeMs: (i) => [203, 204, 608, 610, 1408, 1410, 3018][i],
        }),
        failed('timeout-upgrade', around(42, 20_000, 3)),
      ),
      timeoutMs: 20_000,
    },
    { silent: 42 },
  ],
];

/** A crowd that a busy server works through at `paceMs` each: the last place is taken late, and no sooner is one refused. */
function crowded(limit: number, size: number, paceMs: number, outcome: '503' | 'reset', floorMs?: number): BurstOf {
  const others = around(size - limit, limit * paceMs + 2, 40);
  const groups = [ok(serially(limit, paceMs)), failed(outcome, others, outcome === '503' ? nginx(503) : undefined)];
  return { groups, ...(floorMs !== undefined && { floorMs }) };
}

const LIMITS: readonly Case[] = [
  [
    'a limit that says 503',
    'connection-limit',
    burst(quick(400), refusedAtOnce(100, '503', page('busy'))),
    { limit: 400 },
  ],
  [
    'a limit in bursts of two sizes',
    'connection-limit',
    {
      bursts: [
        { groups: [quick(400), refusedAtOnce(100, '503', nginx(503))] },
        { groups: [quick(400), refusedAtOnce(600, '503', nginx(503))] },
      ],
    },
    { limit: 400 },
  ],
  [
    'a limit that a slow crowd comes to late, at two sizes',
    'connection-limit',
    { bursts: [crowded(1900, 2048, 0.2, '503'), crowded(1900, 1993, 0.16, '503')] },
    { limit: 1900 },
  ],
  [
    'the same, and slower',
    'connection-limit',
    { bursts: [crowded(1900, 2048, 0.5, '503'), crowded(1900, 1993, 0.33, '503')] },
    { limit: 1900 },
  ],
  [
    'the same with resets',
    'connection-limit',
    { bursts: [crowded(1900, 2048, 0.27, 'reset'), crowded(1900, 1993, 0.25, 'reset')] },
    { limit: 1900 },
  ],
  [
    'a limit at which the generator itself is slow',
    'connection-limit',
    { bursts: [crowded(1900, 2500, 0.2, '503', 480)] },
    { limit: 1900 },
  ],
  ['a limit that hangs up', 'connection-limit', burst(quick(29), failed('closed', around(71, 1, 3))), { limit: 29 }],
  ['a limit that resets', 'connection-limit', burst(quick(20), failed('reset', around(40, 1, 3))), { limit: 20 }],
  [
    'a limit at which the others wait',
    'connection-limit',
    {
      ...burst(
        quick(20),
        failed('timeout-upgrade', around(21, 5000, 2)),
        unconnected('timeout-connect', around(19, 5000, 2)),
      ),
      timeoutMs: 5000,
    },
    { limit: 20 },
  ],
  [
    'a limit with a queue',
    'connection-limit',
    burst(quick(20), failed('503', around(20, 2003, 6), haproxy(503))),
    { limit: 20, queueMs: 2003 },
  ],
  ['a rate that says 429', 'rate-limit', burst(quick(21), refusedAtOnce(79, '429', nginx(429))), { burst: 21 }],
  [
    'a rate that says 503, in bursts',
    'rate-limit',
    {
      bursts: [
        { groups: [quick(100), refusedAtOnce(200, '503', nginx(503))], atS: 0 },
        { groups: [quick(40), refusedAtOnce(260, '503', nginx(503))], atS: 2 },
      ],
    },
    { ratePerS: 20 },
  ],
  [
    'a rate with a queue',
    'rate-limit',
    burst(ok(serially(100, 20, 0.05)), refusedAtOnce(200, '503', nginx(503))),
    { ratePerS: 50, burst: 100 },
  ],
  [
    'a rate met by a churn',
    'rate-limit',
    {
      bursts: [
        {
          kind: 'churn',
          perSecond: [70, 50, 51, 49, 50, 50, 12],
          groups: [quick(332), refusedAtOnce(4000, '429', nginx(429))],
        },
      ],
    },
    { ratePerS: 50 },
  ],
  ['429 for a single one', 'rate-limit', always('429', 2, page('slow down', ['Retry-After', '30']))],
  [
    'nginx without descriptors',
    'descriptor-limit',
    burst(quick(30), refusedAtOnce(70, '500', nginx(500))),
    { limit: 30 },
  ],
  [
    'nginx without ports',
    'ports-exhausted',
    burst(ok(around(28_230, 4, 900)), refusedAtOnce(400, '502', nginx(502))),
    { limit: 28_230 },
  ],
  [
    'the circuit breaker of Envoy',
    'connection-limit',
    always('503', 2, by('envoy', 'upstream connect error or disconnect/reset before headers. reset reason: overflow')),
  ],
];

const AFTERMATH: readonly Case[] = [
  [
    'nginx without a live upstream, later',
    'negative-cache',
    {
      bursts: [
        {
          groups: [quick(200)],
          after: probes(1000, [...times(18, ['502', 1] as const), ...times(6, ['101', 4] as const)]),
        },
      ],
    },
  ],
  [
    'nginx gave up each of two peers',
    'negative-cache',
    burst(quick(568), failed('502', around(432, 3021, 15), nginx(502))),
    { timeoutMs: 3021 },
  ],
  ['Caddy remembers', 'negative-cache', always('503', 1, by('Caddy'))],
  [
    'probes after a burst wait for the dead',
    'work-for-the-dead',
    {
      bursts: [
        {
          groups: [quick(100)],
          after: probes(3000, [
            ...times(8, ['504', 3000] as const),
            ['101', 2700],
            ['101', 1600],
            ['101', 500],
            ['101', 5],
          ]),
        },
      ],
    },
  ],
  ['connections held and cut', 'idle-cut', { holdMs: 90_000, bursts: [{ groups: [quick(100)], lost: 100 }] }],
  ['connections cut after their 101', 'cut-after-upgrade', { bursts: [{ groups: [quick(100)], lost: 40 }] }],
];

const MIXED: readonly Case[] = [
  [
    'some at once, the others a timeout of nginx',
    'connection-limit',
    burst(quick(250), failed('504', around(250, 60_010, 20), nginx(504))),
    { limit: 250, timeoutMs: 60_000 },
  ],
  [
    'HAProxy is refused once a crowd has come',
    'backend-died',
    burst(failed('503', around(200, 3010, 20), haproxy(503))),
  ],
  [
    'an application whose pool is used up',
    'application-error',
    burst(ok(around(300, 50, 2000)), failed('500', around(200, 100, 2100), page('no connection left'))),
  ],
  [
    'a rule against crowds',
    'rate-limit',
    burst(quick(50), failed('403', around(450, 5, 50), by('cloudflare', 'cloudflare'))),
  ],
];

export const CROWDS: readonly Case[] = [...MIXED, ...CAPACITY, ...QUEUES, ...LIMITS, ...AFTERMATH];
