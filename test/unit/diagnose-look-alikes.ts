/** What looks nearly like a cause and is none of it, and what is healthy however it looks. */
import type { CauseId } from '#dist/diagnose/causes.js';
import {
  burst,
  haproxy,
  type NearMiss,
  nginx,
  page,
  probes,
  quick,
  refusedAtOnce,
  serialBehind,
  times,
} from './diagnose-answers.js';
import { always, around, failed, inSteps, ok, seeded, serially, type Told, unconnected } from './diagnose-results.js';

const random = seeded(7);
const scattered = Array.from({ length: 200 }, () => 20 + 900 * random()).sort((a, b) => a - b);

export const NEAR_MISSES: readonly NearMiss[] = [
  [
    'a churn with a few accidents meets no rate',
    ['rate-limit', 'connection-limit'],
    {
      bursts: [
        {
          kind: 'churn',
          perSecond: [980, 1000, 1010, 990, 400],
          groups: [quick(4380), failed('closed', around(5, 4, 40))],
        },
      ],
    },
  ],
  [
    'a stripped Upgrade is not told by 504s of a crowd',
    ['upgrade-not-forwarded'],
    burst(quick(250), failed('504', around(250, 60_010, 20), nginx(504))),
  ],
  [
    'a ramp that ends long before the cliff',
    ['slow-serial-upgrade', 'slow-concurrent-upgrade'],
    burst(ok(serially(100, 1)), failed('504', around(400, 60_010, 30), nginx(504))),
  ],
  [
    'a limit that several bursts came to late is no death and no timeout',
    ['backend-died', 'slow-serial-upgrade', 'cpu-bound'],
    {
      bursts: [150, 90].map((late, i) => {
        const endMs = [386, 297][i];
        return {
          groups: [ok(serially(1900, endMs / 1901)), failed('503', around(late, endMs + 2, 20), nginx(503))],
        };
      }),
    },
  ],
  [
    'a share of each burst that fails late is no limit',
    ['connection-limit'],
    {
      bursts: [2048, 1993].map((size, i) => {
        const good = Math.round(0.95 * size);
        const endMs = [386, 297][i];
        return {
          groups: [ok(serially(good, endMs / good)), failed('503', around(size - good, endMs + 2, 20), nginx(503))],
        };
      }),
    },
  ],
  [
    'a ramp, and refusals at once',
    ['slow-serial-upgrade', 'slow-concurrent-upgrade'],
    burst(ok(serially(200, 5)), refusedAtOnce(300, '503', nginx(503))),
  ],
  [
    'a ramp is no stairs',
    ['slow-concurrent-upgrade', 'listen-queue-full', 'cpu-bound'],
    serialBehind(nginx(504), '504', 1000, 5),
  ],
  [
    'stairs are no ramp',
    ['slow-serial-upgrade', 'listen-queue-full'],
    burst(ok(inSteps(145, 5, 101)), failed('504', around(855, 3001, 30), nginx(504))),
  ],
  [
    'stairs at 1, 2, 3 s are no queue',
    ['listen-queue-full', 'phantom-connections'],
    { ...burst(ok(inSteps(40, 8, 1000)), failed('timeout-upgrade', around(60, 6000, 3))), timeoutMs: 6000 },
  ],
  [
    'a lost SYN of a thousand',
    ['listen-queue-full'],
    burst(ok(around(1000, 1030, 30), { connectMs: (i) => (i < 2 ? 1022 : 0.4) })),
  ],
  [
    'slow connects that are on no schedule',
    ['listen-queue-full', 'phantom-connections'],
    burst(ok(scattered, { connectMs: (i) => scattered[i] })),
  ],
  [
    'refusals that come late and anywhere',
    ['connection-limit', 'rate-limit', 'descriptor-limit'],
    burst(
      ok(scattered),
      failed(
        '500',
        scattered.map((ms) => ms + 400),
        page('oops'),
      ),
    ),
  ],
  [
    'a limit is no dead backend',
    ['backend-down', 'backend-died', 'server-closed-itself'],
    burst(quick(400), refusedAtOnce(100, '503', nginx(503))),
  ],
  [
    'an upgrade that works alone was forwarded',
    ['upgrade-not-forwarded', 'wrong-path'],
    burst(quick(400), failed('404', around(100, 4, 20), page('<pre>Cannot GET /ws</pre>'))),
  ],
  [
    'a single handshake that never worked did not close the server',
    ['server-closed-itself'],
    always('502', 1, nginx(502)),
  ],
  [
    'a burst that recovers did not close the server',
    ['server-closed-itself'],
    {
      bursts: [
        { groups: [quick(50)] },
        { groups: [failed('502', around(50, 2, 5), nginx(502))] },
        { groups: [quick(50)] },
      ],
    },
  ],
  [
    'probes that all went well',
    ['negative-cache', 'work-for-the-dead'],
    { bursts: [{ groups: [quick(100)], after: probes(500, times(20, ['101', 4] as const)) }] },
  ],
  [
    'probes that failed on this machine',
    ['negative-cache', 'work-for-the-dead'],
    { bursts: [{ groups: [quick(100)], after: probes(500, times(20, ['local-ports', 1] as const)) }] },
  ],
  [
    'a limit of connections that are served one after another is no rate',
    ['rate-limit'],
    burst(ok(serially(200, 5, 0.05)), refusedAtOnce(300, '500', nginx(500))),
  ],
  [
    'some SYNs were answered',
    ['syn-dropped'],
    {
      alone: null,
      timeoutMs: 5000,
      bursts: [
        { groups: [failed('timeout-upgrade', around(10, 5000)), unconnected('timeout-connect', around(50, 5000))] },
      ],
    },
  ],
  ['connections lost at once are not idle', ['idle-cut'], { bursts: [{ groups: [quick(100)], lost: 3 }] }],
  ['503 of a gateway is no closed ws server', ['server-closed-itself'], always('503', 3005, haproxy(503))],
  ['502 at a timeout, alone too, remembers nothing', ['negative-cache'], always('502', 60_050, nginx(502))],
];

/** `[what, a cause beside the first, what was seen]` */
export const BESIDE: readonly (readonly [what: string, cause: CauseId, told: Told])[] = [
  [
    'a small burst fails after a large one',
    'work-for-the-dead',
    {
      bursts: [
        { groups: [ok(serially(199, 5)), failed('504', around(801, 1001, 20), nginx(504))] },
        { groups: [failed('504', around(50, 1001, 20), nginx(504))] },
      ],
    },
  ],
  ['a closed connection may be a TLS port', 'tls-port', always('closed', 1)],
  ['a limit may be a rate', 'rate-limit', burst(quick(400), refusedAtOnce(100, '503', nginx(503)))],
  ['a timeout may be an Upgrade that was stripped', 'upgrade-not-forwarded', always('504', 60_050, nginx(504))],
];

export const HEALTHY: readonly (readonly [what: string, told: Told])[] = [
  ['a quick crowd', burst(quick(2000))],
  ['one', burst(quick(1))],
  ['a crowd that is answered one after another', burst(ok(serially(500, 5)))],
  ['a crowd in steps', burst(ok(inSteps(200, 10, 100)))],
  ['a slow common end', burst(ok(around(500, 1980, 110)))],
  [
    'a burst paced by the generator',
    { bursts: [{ groups: [ok(serially(2000, 0.04))], validity: { verdict: 'suspect', reasons: ['paced'] } }] },
  ],
  ['a stopped one', burst(quick(120), failed('aborted', around(380, 80)))],
  ['stopped before any answer', burst(failed('aborted', around(380, 80)))],
  ['aborted without times', burst(quick(120), failed('aborted', times(20, Number.NaN)))],
  ['a churn', { bursts: [{ kind: 'churn', perSecond: [900, 1000, 950, 300], groups: [ok(around(3150, 5, 60))] }] }],
  [
    'several bursts with probes',
    { bursts: [1, 2, 3].map(() => ({ groups: [quick(300)], after: probes(400, times(10, ['101', 4] as const)) })) },
  ],
  ['no preflight', { ...burst(quick(100)), alone: null }],
  ['a preflight alone', { bursts: [] }],
  ['held and kept', { ...burst(quick(100)), holdMs: 90_000 }],
  ['answers that take long', burst(ok(around(100, 10_000, 800)))],
  ['two crowds', burst(ok([...around(100, 4, 10), ...around(100, 900, 10)]))],
];
