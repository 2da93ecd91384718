/**
 * What closes, deadlines, credentials and queues leave behind: causes that need more than a status and a time, and what only
 * looks like them.
 */
import type { CauseId } from '#dist/diagnose/causes.js';
import { burst, by, type Case, haproxy, type NearMiss, nginx, page, quick, refusedAtOnce } from './diagnose-answers.js';
import {
  always,
  around,
  failed,
  ok,
  oneByOne,
  serially,
  summaryOf,
  type Told,
  unconnected,
} from './diagnose-results.js';

/** A burst of 101s whose connections ended so. */
export function ended(
  size: number,
  cut: Readonly<Record<string, number>>,
  heldMs: readonly number[],
  more: object = {},
): Told['bursts'][0] {
  const count = Object.values(cut).reduce((sum, n) => sum + n, 0);
  return {
    groups: [quick(size)],
    lost: count,
    sessions: {
      ready: size,
      notReady: {},
      cut,
      closed: { 1000: size - count },
      aborted: 0,
      messages: { sent: 0, received: 0, skipped: 0 },
      readyMs: null,
      heldMs: summaryOf(heldMs),
      ...more,
    },
  };
}

const held = (n: number, ms: number, within = 20): number[] => around(n, ms, within);
const withRows: Partial<Told> = { rows: true, target: { headers: [['Authorization', 'Bearer {{ row.token }}']] } };

const CLOSES: readonly Case[] = [
  ['4401 at once', 'rejected-after-accept', { bursts: [ended(200, { 4401: 200 }, held(200, 2))] }],
  [
    '4401 "auth timeout" after 2 s',
    'rejected-after-accept',
    { holdMs: 5000, bursts: [ended(200, { 4401: 200 }, held(200, 2004))] },
  ],
  ['1008 at once', 'rejected-after-accept', { bursts: [ended(50, { 1008: 50 }, held(50, 2))] }],
  [
    'a message of the protocol that rejects',
    'rejected-after-accept',
    { bursts: [ended(50, {}, held(50, 2), { ready: 0, notReady: { rejected: 50 }, closed: {} })] },
  ],
  [
    '4401 in a churn',
    'rejected-after-accept',
    { bursts: [{ ...ended(5000, { 4401: 5000 }, held(500, 2)), kind: 'churn' }] },
  ],
  ['1001 after 3 s', 'server-restart', { holdMs: 10_000, bursts: [ended(200, { 1001: 200 }, held(200, 3003))] }],
  ['1012', 'server-restart', { holdMs: 10_000, bursts: [ended(200, { 1012: 200 }, held(200, 1200))] }],
  [
    'a second of silence by a clock that was behind when the burst came',
    'idle-cut',
    { holdMs: 2000, bursts: [ended(200, { fin: 200 }, held(200, 960, 10))] },
  ],
  ['FIN after 60 s of silence', 'idle-cut', { holdMs: 90_000, bursts: [ended(100, { fin: 100 }, held(100, 60_010))] }],
  [
    'the same of nine',
    'idle-cut',
    { holdMs: 90_000, bursts: [ended(100, { fin: 9 }, [...held(9, 60_010), ...held(91, 90_000)])] },
  ],
  ['1011', 'cut-after-upgrade', { bursts: [ended(100, { 1011: 100 }, held(100, 5))] }],
  ['RST at once', 'cut-after-upgrade', { bursts: [ended(100, { rst: 100 }, held(100, 5))] }],
  [
    'a limit enforced after the 101, two sizes',
    'connection-limit',
    { bursts: [ended(200, { 1008: 100 }, held(100, 3)), ended(400, { 1008: 300 }, held(300, 3))] },
  ],
  ['the same, one size', 'connection-limit', { bursts: [ended(200, { fin: 100 }, held(100, 3))] }],
  ['bytes that are no frames', 'two-servers-answered', { bursts: [ended(50, { protocol: 50 }, held(50, 1))] }],
];

const DEADLINES: readonly Case[] = [
  [
    'a deadline below a second, no SYN answered',
    'client-deadline',
    { alone: null, timeoutMs: 150, bursts: [{ groups: [unconnected('timeout-connect', around(20, 150, 1))] }] },
  ],
  [
    'a deadline below two round trips',
    'client-deadline',
    {
      alone: null,
      timeoutMs: 300,
      bursts: [{ groups: [{ ...failed('timeout-upgrade', around(20, 300, 1)), connectMs: () => 201 }] }],
    },
  ],
  [
    'a deadline of 1 ms',
    'client-deadline',
    { alone: null, timeoutMs: 1, bursts: [{ groups: [unconnected('timeout-connect', around(20, 0.6, 0.1))] }] },
  ],
  [
    'a gateway that waits longer than this client',
    'client-deadline',
    { ...burst(ok(serially(362, 207)), failed('timeout-upgrade', around(138, 75_001, 20))), timeoutMs: 75_000 },
  ],
];

const CREDENTIALS: readonly Case[] = [
  [
    'expired rows beside good ones',
    'credentials-partly-refused',
    { ...burst(quick(150), failed('401', around(50, 5, 30), page(''))), ...withRows },
  ],
  ['a token in the query', 'auth-refused', { ...always('401', 2, page('')), target: { path: '/ws?token=***' } }],
];

const QUEUES: readonly Case[] = [
  [
    'a Unix socket behind nginx',
    'socket-queue-full',
    burst(ok(serially(129, 20, 0.1, 500)), failed('502', around(171, 4, 60), nginx(502))),
    { backlog: 128 },
  ],
  [
    'the same, the backend stands still',
    'socket-queue-full',
    burst(ok(around(17, 505, 20)), failed('502', around(183, 4, 60), nginx(502))),
    { backlog: 16 },
  ],
];

const ARMING: readonly Case[] = [
  [
    'HAProxy no longer waits for the request',
    'answered-before-request',
    {
      ...burst(
        quick(300),
        failed(
          '408',
          around(700, 0.5, 1),
          { ...haproxy(503), statusLine: 'HTTP/1.1 408 Request Time-out' },
          'answered before the request was sent',
        ),
      ),
      gate: 'upgrade',
    },
  ],
];

/** `[what, a cause beside the first, what was seen]` */
export const BESIDE_OTHERS: readonly (readonly [what: string, cause: CauseId, told: Told])[] = [
  [
    'ended while they waited for the release',
    'answered-before-request',
    { ...burst(quick(300), failed('closed', around(700, 0.2, 0.1), undefined, 'before the release')), gate: 'upgrade' },
  ],
  [
    '502 at once of a count may be the queue of a Unix socket',
    'socket-queue-full',
    burst(quick(400), refusedAtOnce(100, '502', nginx(502))),
  ],
  ['503 at once of HAProxy may be a health check', 'health-check-fails', always('503', 1, haproxy(503))],
  [
    '400 of nginx itself to a header of the user may be the PROXY protocol',
    'proxy-protocol-mismatch',
    { ...always('400', 1, nginx(400)), target: { headers: [['Host', 'a_b']] } },
  ],
  [
    '502 at once of HAProxy may be HTTP/2 before a server that knows no WebSocket over it',
    'http2-only',
    always('502', 3, haproxy(502)),
  ],
  [
    '502 at once of nginx to a large subprotocol may be the head of the 101',
    'head-over-proxy-buffer',
    { ...always('502', 1, nginx(502)), target: { subprotocols: ['***'] } },
  ],
  ['a 400 without a word behind nginx may be the case of a header', 'header-case', always('400', 1, by('nginx', ''))],
];

export const SHARPENED: readonly Case[] = [...CLOSES, ...DEADLINES, ...CREDENTIALS, ...QUEUES, ...ARMING];

export const BLUNT: readonly NearMiss[] = [
  [
    'a close frame is no idle cut',
    ['idle-cut', 'cut-after-upgrade'],
    { holdMs: 10_000, bursts: [ended(200, { 4401: 200 }, held(200, 3000))] },
  ],
  ['a restart is no idle cut', ['idle-cut'], { holdMs: 10_000, bursts: [ended(200, { 1001: 200 }, held(200, 3000))] }],
  [
    'a clock is behind by no more than the burst took',
    ['idle-cut'],
    { holdMs: 2000, bursts: [ended(200, { fin: 200 }, held(200, 905, 10))] },
  ],
  [
    'an end after 1.37 s is no configured time',
    ['idle-cut'],
    { holdMs: 10_000, bursts: [ended(200, { fin: 200 }, held(200, 1370))] },
  ],
  [
    'messages came: the tunnel was not idle',
    ['idle-cut'],
    {
      holdMs: 90_000,
      bursts: [ended(100, { fin: 100 }, held(100, 60_010), { messages: { sent: 0, received: 700, skipped: 0 } })],
    },
  ],
  ['a restart leaves no fixed number', ['connection-limit'], { bursts: [ended(200, { 1001: 100 }, held(100, 3))] }],
  [
    'a deadline below a second says nothing of SYNs',
    ['syn-dropped'],
    { alone: null, timeoutMs: 500, bursts: [{ groups: [unconnected('timeout-connect', around(20, 500, 1))] }] },
  ],
  [
    'nothing is silent within two round trips',
    ['silent-server'],
    {
      alone: null,
      timeoutMs: 300,
      bursts: [{ groups: [{ ...failed('timeout-upgrade', around(20, 300, 1)), connectMs: () => 201 }] }],
    },
  ],
  [
    '5 s are enough for a SYN to be sent again',
    ['client-deadline'],
    { alone: null, timeoutMs: 5000, bursts: [{ groups: [unconnected('timeout-connect', around(20, 5000, 1))] }] },
  ],
  [
    'a gateway that timed out before this client',
    ['client-deadline'],
    { ...burst(ok(serially(290, 207)), failed('504', around(210, 60_001, 20), nginx(504))), timeoutMs: 75_000 },
  ],
  [
    'all are refused: not some of the rows',
    ['credentials-partly-refused'],
    { ...always('401', 2, page('')), ...withRows },
  ],
  [
    'a count of open connections refuses beside quick 101s',
    ['answered-before-request'],
    burst(quick(129), failed('502', around(71, 4, 60), nginx(502))),
  ],
  [
    '408 to a single handshake as well',
    ['answered-before-request'],
    { ...always('408', 900, haproxy(503)), gate: 'upgrade' },
  ],
  [
    'some single handshakes failed before',
    ['credentials-partly-refused'],
    { ...burst(quick(100)), alone: oneByOne(['101', '401', '101', '101', '101']) },
  ],
];
