/**
 * The targets for which one handshake works and many at once do not: too slow, too few connections, too short a queue.
 */

import { capacity } from '../server/schedule.js';
import {
  type Expected,
  type LabTarget,
  option,
  outcomeOfAnswer,
  split,
  withDefaults,
  withOptions,
} from '../server/target.js';
import { type LabSettings, numberOf, textOf } from '../server/target-options.js';
import {
  leastOf,
  startDescriptorLimit,
  startDrifting,
  startLimit,
  startPhantomConnections,
  startPortsExhausted,
  startRateLimit,
  startSlowAccept,
  startTired,
} from '../targets/places.js';
import { startCpuBound, startNegativeCache, startSimultaneous504, startSlowConcurrent } from '../targets/slow.js';
import { leftOf, startFlaky, startHysteretic } from '../targets/unsteady.js';

/** How many upgrades a target's backend completes within the gateway's timeout. */
function room(settings: LabSettings, width = 1): number {
  return capacity(numberOf(settings, 'service'), numberOf(settings, 'timeout'), width);
}

/** If even a single handshake is not served in time, the cause is not a lack of capacity. */
function unlessHopeless(cause: string, settings: LabSettings): string {
  return numberOf(settings, 'service') > numberOf(settings, 'timeout') ? 'backend-hangs' : cause;
}

/** The kernel queues backlog + 1 connections; what happens beyond that depends on its retries and SYN cookies. */
function queued(n: number, settings: LabSettings): Expected | null {
  return n <= numberOf(settings, 'backlog') + 1 ? split(n, n, '101') : null;
}

const SLOW: readonly LabTarget[] = [
  withDefaults({
    name: 'simultaneous-504',
    story:
      'A gateway gives its backend T to answer; the backend serves upgrades one by one, S each. Of clients that come ' +
      'at once T/S get their 101 and the rest 504, however fast each alone would be.',
    options: withOptions(
      option('timeout', 'duration', '1s', 'read timeout of the gateway (T)'),
      option('service', 'duration', '5ms', 'time that the backend needs for one upgrade (S)'),
      option(
        'dead-work',
        'switch',
        false,
        'the backend serves those too that the gateway has given up, and all others wait',
      ),
    ),
    cause: (settings) =>
      unlessHopeless(settings['dead-work'] === true ? 'work-for-the-dead' : 'slow-serial-upgrade', settings),
    expects: (n, settings) => split(n, room(settings), '504'),
    // How much of the abandoned work is left depends on when the next burst comes.
    expectsLater: (n, settings) =>
      settings['dead-work'] === true && n > room(settings) ? null : split(n, room(settings), '504'),
    start: startSimultaneous504,
  }),
  withDefaults({
    name: 'slow-concurrent',
    story:
      'A gateway gives its backend T; the backend serves C upgrades at a time, D each (a pool of database connections). ' +
      'Successes come in steps of D with C each, C times the whole number of D in T of them, and the rest are 504.',
    options: withOptions(
      option('timeout', 'duration', '1s', 'read timeout of the gateway (T)'),
      option('service', 'duration', '100ms', 'time that the backend needs for one upgrade (D)'),
      option('width', 'count', 16, 'upgrades that it serves at a time (C); 0 for all at once'),
    ),
    cause: (settings) =>
      numberOf(settings, 'width') === 0 && room(settings) > 0
        ? null
        : unlessHopeless('slow-concurrent-upgrade', settings),
    expects: (n, settings) => split(n, room(settings, numberOf(settings, 'width')), '504'),
    start: startSlowConcurrent,
  }),
  withDefaults({
    name: 'cpu-bound',
    story:
      'The handshakes are computed side by side (TLS, password hashes on a pool of threads), S of CPU each, so all of a ' +
      'burst end together; where that is later than the timeout T of the gateway, none of them is in time.',
    options: withOptions(
      option('timeout', 'duration', '1s', 'read timeout of the gateway (T)'),
      option('service', 'duration', '4ms', 'CPU that one handshake takes (S)'),
    ),
    cause: (settings) => unlessHopeless('cpu-bound', settings),
    // Beyond T/S, the first handshakes may be done before the others have arrived.
    expects: (n, settings) => (n <= room(settings) ? split(n, n, '101') : null),
    start: startCpuBound,
  }),
  withDefaults({
    name: 'negative-cache',
    story:
      'nginx before a slow backend of several servers: those whom it serves too late are 502, and since every server has ' +
      'failed once now, whoever comes within fail_timeout is refused at once ("no live upstreams").',
    options: withOptions(
      option('timeout', 'duration', '1s', 'read timeout of the gateway (T)'),
      option('service', 'duration', '5ms', 'time that the backend needs for one upgrade (S)'),
      option('memory', 'duration', '10s', 'how long a failure is remembered (fail_timeout)'),
    ),
    cause: () => 'negative-cache',
    expects: (n, settings) => split(n, room(settings), '502'),
    expectsLater: (n, settings) => split(n, n > room(settings) ? 0 : n, '502'),
    start: startNegativeCache,
  }),
];

const LIMITS: readonly LabTarget[] = [
  withDefaults({
    name: 'limit',
    story: 'A server or gateway that carries at most so many open connections and turns the others away.',
    options: withOptions(
      option('max', 'count', 50, 'upgraded connections that may be open at once'),
      option('answer', 'choice', '503', 'what the others get (queue: wait for a place, then 503 of HAProxy)', [
        '503',
        '429',
        'reset',
        'closed',
        'silent',
        'queue',
      ]),
      option('queue', 'duration', '1s', 'how long they wait for a place with --answer queue'),
    ),
    cause: () => 'connection-limit',
    expects: (n, settings) => split(n, numberOf(settings, 'max'), outcomeOfAnswer(textOf(settings, 'answer'))),
    start: startLimit,
  }),
  withDefaults({
    name: 'descriptor-limit',
    story: 'nginx out of file descriptors (worker_rlimit_nofile): clients are accepted and get 500.',
    options: withOptions(option('max', 'count', 50, 'tunnels for which the descriptors last')),
    cause: () => 'descriptor-limit',
    expects: (n, settings) => split(n, numberOf(settings, 'max'), '500'),
    start: startDescriptorLimit,
  }),
  withDefaults({
    name: 'ports-exhausted',
    story:
      'nginx out of local ports towards its one backend: what is open stays, every other handshake is 502 at once.',
    options: withOptions(option('max', 'count', 50, 'local ports that there are (28,232 by the defaults of Linux)')),
    cause: () => 'ports-exhausted',
    expects: (n, settings) => split(n, numberOf(settings, 'max'), '502'),
    start: startPortsExhausted,
  }),
  withDefaults({
    name: 'rate-limit',
    story: 'A gateway that admits so many handshakes a second, and a burst beyond that (limit_req of nginx, nodelay).',
    options: withOptions(
      option('rate', 'count', 10, 'handshakes a second (r)'),
      option('burst', 'count', 20, 'how many may come beyond that (b); of a burst b + 1 are let in'),
      option('answer', 'choice', '503', 'what the others get (429 with Retry-After)', ['503', '429']),
    ),
    cause: () => 'rate-limit',
    expects: (n, settings) => split(n, numberOf(settings, 'burst') + 1, outcomeOfAnswer(textOf(settings, 'answer'))),
    // How much has leaked from the bucket depends on the time between bursts.
    expectsLater: () => null,
    start: startRateLimit,
  }),
  withDefaults({
    name: 'slow-accept',
    story:
      'A short listen queue and an event loop that stands still from the first request on, once: who finds the queue ' +
      'full must retry after 1 s or more, or holds a connection that the server does not know.',
    options: withOptions(
      option('backlog', 'count', 16, 'length of the listen queue'),
      option('block', 'duration', '500ms', 'how long the event loop stands still (Ctrl-C has to wait as well)'),
    ),
    // With the other gates the connections are open before the event loop is blocked.
    gates: ['connect'],
    cause: () => 'listen-queue-full',
    expects: queued,
    start: startSlowAccept,
  }),
  withDefaults({
    name: 'phantom-connections',
    story:
      'The same with a queue so short that the SYNs which the kernel sends again overflow it too: with SYN cookies they ' +
      'are answered, so clients hold open connections that the server has never heard of. Try it with 200 and -t 10s.',
    options: withOptions(
      option('backlog', 'count', 4, 'length of the listen queue'),
      option('block', 'duration', '500ms', 'how long the event loop stands still (Ctrl-C has to wait as well)'),
    ),
    gates: ['connect'],
    cause: () => 'phantom-connections',
    expects: queued,
    start: startPhantomConnections,
  }),
];

const UNSTEADY: readonly LabTarget[] = [
  withDefaults({
    name: 'hysteretic',
    story:
      'A stack that a break leaves with less for a while, because caches are cold or half of it restarts: turned away ' +
      'once, it serves a share of its capacity for some time after the last one that it turned away.',
    options: withOptions(
      option('capacity', 'count', 100, 'upgraded connections that may be open at once'),
      option('share', 'count', 35, 'percent of them that it serves after a break'),
      option('for', 'duration', '20s', 'how long (60m: for a search, it never recovers)'),
    ),
    cause: () => 'connection-limit',
    expects: (n, settings) => split(n, numberOf(settings, 'capacity'), '503'),
    expectsLater: (n, settings) =>
      split(n, n > numberOf(settings, 'capacity') ? leftOf(settings) : numberOf(settings, 'capacity'), '503'),
    start: startHysteretic,
  }),
  withDefaults({
    name: 'tired',
    story:
      'A stack that gives its places back late (TIME_WAIT, conntrack, a pool that reaps): bursts that pass leave it with ' +
      'less for the next one as well, until some time after their connections have ended.',
    options: withOptions(
      option('max', 'count', 50, 'upgraded connections that there are places for'),
      option('free', 'duration', '6s', 'how long after its end a connection still takes its place'),
    ),
    cause: () => 'connection-limit',
    expects: (n, settings) => split(n, numberOf(settings, 'max'), '503'),
    expectsLater: (n, settings) => {
      const max = numberOf(settings, 'max');
      return split(n, numberOf(settings, 'free') === 0 ? max : Math.max(0, max - n), '503');
    },
    start: startTired,
  }),
  withDefaults({
    name: 'drifting',
    story:
      'A stack whose capacity falls while it is measured, by so much a second from its first handshake on, down to a ' +
      'quarter: a search that takes minutes must not call the value of one moment the truth.',
    options: withOptions(
      option('max', 'count', 400, 'upgraded connections that may be open at once, at first'),
      option('fall', 'count', 1, 'how many fewer each second'),
    ),
    cause: () => 'connection-limit',
    // Beyond the places that remain in the end, the result depends on how long the target has been running.
    expects: (n, settings) => {
      const max = numberOf(settings, 'max');
      return n <= leastOf(max) || numberOf(settings, 'fall') === 0 ? split(n, max, '503') : null;
    },
    start: startDrifting,
  }),
  withDefaults({
    name: 'flaky',
    story:
      'A stack that fails now and then, whatever the load: of a million handshakes some hundreds are 500, by chance.',
    options: withOptions(
      option('failures', 'count', 500, 'of a million handshakes that fail'),
      option('seed', 'count', 1, 'rules which'),
      option(
        'capacity',
        'count',
        0,
        'upgraded connections that may be open at once, the others get 503; 0: any number',
      ),
    ),
    // It does not depend on load, so there is no cause to name.
    cause: () => null,
    expects: (n, settings) => {
      const failures = numberOf(settings, 'failures');
      if (failures >= 1_000_000) return split(n, 0, '500');
      return failures > 0 ? null : split(n, numberOf(settings, 'capacity') || n, '503');
    },
    start: startFlaky,
  }),
];

export const CAPACITY_TARGETS: readonly LabTarget[] = [...SLOW, ...LIMITS, ...UNSTEADY];
