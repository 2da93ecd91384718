/**
 * The catalogue of targets that fail as real stacks do, as data: what each is, what may be set on it, and the outcomes
 * that a burst against it must produce. Tests, `lab --list` and the documentation read it, so none of them can promise
 * something else. How a target does what it does is in the files beside this one.
 */
import type { OutcomeId } from '../tally/outcomes.js';
import { startBackendRefused, startCloseKillsServer } from './gateway.js';
import { startHealthy, startTlsSelfSigned } from './healthy.js';
import type { LabEnv, RunningLab } from './listener.js';
import { COMMON_OPTIONS, type LabOption, type LabSettings, numberOf, textOf } from './options.js';
import { capacity } from './schedule.js';
import { startSimultaneous504 } from './simultaneous.js';
import {
  FAULT_NAMES,
  startBadAccept,
  startDrip,
  startHalfHead,
  startLimit,
  startNotHttp,
  startReset,
  startSilent,
  startSlowAccept,
  startUpgradeNotForwarded,
} from './stacks.js';

type Expected = Readonly<Partial<Record<OutcomeId, number>>>;

export interface LabTarget {
  readonly name: string;
  /** What happens in the real stack that this stands for; one or two sentences. */
  readonly story: string;
  /** The common options included. */
  readonly options: readonly LabOption[];
  /** Gates at which a burst shows the expected outcomes; `tls` over wss only. */
  readonly gates: readonly ('connect' | 'tls' | 'upgrade')[];
  /**
   * The outcomes of a burst of `n` simultaneous handshakes without preflight against a fresh target, by clients that
   * trust the certificate of the lab and stay until the last of them has its answer. Exact, zeros left out; null where
   * chance has a part.
   */
  readonly expects: (n: number, settings: LabSettings) => Expected | null;
  /** The same for every burst after the first one has been closed; null when it is as the first. */
  readonly expectsLater: ((n: number, settings: LabSettings) => Expected) | null;
  readonly start: (settings: LabSettings, env: LabEnv) => Promise<RunningLab>;
}

const ALL_GATES = ['connect', 'tls', 'upgrade'] as const;

function option(
  name: string,
  type: LabOption['type'],
  value: LabOption['default'],
  help: string,
  choices: readonly string[] = [],
): LabOption {
  return { name, type, choices, default: value, help };
}

/** All of `n` end as `outcome`, save the first `good`, which get their 101. */
function split(n: number, good: number, outcome: OutcomeId): Expected {
  const upgraded = Math.min(n, good);
  return { ...(upgraded > 0 && { 101: upgraded }), ...(n > upgraded && { [outcome]: n - upgraded }) };
}

/** `limit --answer silent` and the like: the word of an option as the outcome that it leads to. */
function outcomeOfAnswer(answer: string): OutcomeId {
  if (answer === 'silent' || answer === 'hold') return 'timeout-upgrade';
  if (answer === 'fin') return 'closed';
  return answer === 'reset' ? 'reset' : `${Number(answer)}`;
}

export const CATALOGUE: readonly LabTarget[] = [
  {
    name: 'healthy',
    story: 'A ws server that works. Echoes messages.',
    options: COMMON_OPTIONS,
    gates: ALL_GATES,
    expects: (n) => split(n, n, '101'),
    expectsLater: null,
    start: startHealthy,
  },
  {
    name: 'simultaneous-504',
    story:
      'A gateway gives its backend T to answer; the backend serves upgrades one by one, S each. Of clients that come ' +
      'at once T/S get their 101 and the rest 504, however fast each alone would be.',
    options: [
      ...COMMON_OPTIONS,
      option('timeout', 'duration', '1s', 'read timeout of the gateway (T)'),
      option('service', 'duration', '5ms', 'time that the backend needs for one upgrade (S)'),
    ],
    gates: ALL_GATES,
    expects: (n, settings) => split(n, capacity(numberOf(settings, 'service'), numberOf(settings, 'timeout')), '504'),
    expectsLater: null,
    start: startSimultaneous504,
  },
  {
    name: 'backend-refused',
    story: 'A gateway in front of a port on which nothing listens: the backend is down or not started yet.',
    options: COMMON_OPTIONS,
    gates: ALL_GATES,
    expects: (n) => split(n, 0, '502'),
    expectsLater: null,
    start: startBackendRefused,
  },
  {
    name: 'close-kills-server',
    story:
      "A ws server whose handler of a socket's close calls wss.close(), behind a gateway: all is well until the first " +
      'client leaves, then every handshake is a 502 while the process looks alive.',
    options: COMMON_OPTIONS,
    gates: ALL_GATES,
    expects: (n) => split(n, n, '101'),
    expectsLater: (n) => split(n, 0, '502'),
    start: startCloseKillsServer,
  },
  {
    name: 'upgrade-not-forwarded',
    story: 'A proxy that drops Upgrade and Connection, so the backend answers an ordinary GET.',
    options: [
      ...COMMON_OPTIONS,
      option('answer', 'choice', '426', 'the answer of Express, ws or a site', ['404', '426', '200']),
    ],
    gates: ALL_GATES,
    expects: (n, settings) => split(n, 0, outcomeOfAnswer(textOf(settings, 'answer'))),
    expectsLater: null,
    start: startUpgradeNotForwarded,
  },
  {
    name: 'limit',
    story: 'A server or gateway that carries at most so many open connections and turns the others away.',
    options: [
      ...COMMON_OPTIONS,
      option('max', 'count', 50, 'upgraded connections that may be open at once'),
      option('answer', 'choice', '503', 'what the others get', ['503', '429', 'reset', 'silent']),
    ],
    gates: ALL_GATES,
    expects: (n, settings) => split(n, numberOf(settings, 'max'), outcomeOfAnswer(textOf(settings, 'answer'))),
    expectsLater: null,
    start: startLimit,
  },
  {
    name: 'silent',
    story: 'Accepts, reads the request, and never says a word: a hung process, or an upgrade handler that returned.',
    options: COMMON_OPTIONS,
    gates: ALL_GATES,
    expects: (n) => split(n, 0, 'timeout-upgrade'),
    expectsLater: null,
    start: startSilent,
  },
  {
    name: 'drip',
    story: 'Answers one byte after another and never comes to the end: what fools a timeout that watches for idleness.',
    options: [...COMMON_OPTIONS, option('interval', 'duration', '100ms', 'time from one byte to the next')],
    gates: ALL_GATES,
    expects: (n) => split(n, 0, 'timeout-upgrade'),
    expectsLater: null,
    start: startDrip,
  },
  {
    name: 'reset',
    story: 'Answers the request with an RST: a load balancer whose target is gone, a server that was killed.',
    options: COMMON_OPTIONS,
    gates: ALL_GATES,
    expects: (n) => split(n, 0, 'reset'),
    expectsLater: null,
    start: startReset,
  },
  {
    name: 'half-head',
    story: 'Begins a proper 101 and ends in the middle of its head: a backend that died while it answered.',
    options: [...COMMON_OPTIONS, option('end', 'choice', 'fin', 'whether a FIN follows', ['fin', 'hold'])],
    gates: ALL_GATES,
    expects: (n, settings) => split(n, 0, outcomeOfAnswer(textOf(settings, 'end'))),
    expectsLater: null,
    start: startHalfHead,
  },
  {
    name: 'bad-accept',
    story: 'A 101 that is none by RFC 6455: a cache, a hand-made server, or a middlebox that changed the answer.',
    options: [...COMMON_OPTIONS, option('fault', 'choice', 'accept', 'what is wrong with the 101', FAULT_NAMES)],
    gates: ALL_GATES,
    expects: (n) => split(n, 0, 'invalid-101'),
    expectsLater: null,
    start: startBadAccept,
  },
  {
    name: 'not-http',
    story: 'Something else listens on that port and answers in its own tongue (memcached here).',
    options: COMMON_OPTIONS,
    gates: ALL_GATES,
    expects: (n) => split(n, 0, 'malformed'),
    expectsLater: null,
    start: startNotHttp,
  },
  {
    name: 'tls-self-signed',
    story: 'A healthy ws server over TLS whose certificate nobody has signed: clients that verify leave after TLS.',
    options: COMMON_OPTIONS.map((common) => (common.name === 'tls' ? { ...common, default: true } : common)),
    gates: ALL_GATES,
    // The one target whose clients are meant not to trust the lab.
    expects: (n) => split(n, 0, 'tls'),
    expectsLater: null,
    start: startTlsSelfSigned,
  },
  {
    name: 'slow-accept',
    story:
      'A short listen queue and an event loop that stands still from the first request on, once: who finds the queue ' +
      'full must retry after 1 s or more, or holds a connection that the server does not know.',
    options: [
      ...COMMON_OPTIONS,
      option('backlog', 'count', 16, 'length of the listen queue'),
      option('block', 'duration', '500ms', 'how long the event loop stands still (Ctrl-C has to wait as well)'),
    ],
    // Over the other gates the connections are open before the loop is blocked.
    gates: ['connect'],
    // The kernel queues backlog + 1; beyond that, who gets in depends on its retries and on SYN cookies.
    expects: (n, settings) => (n <= numberOf(settings, 'backlog') + 1 ? split(n, n, '101') : null),
    expectsLater: null,
    start: startSlowAccept,
  },
];

/** null when there is no such target. */
export function findTarget(name: string): LabTarget | null {
  return CATALOGUE.find((target) => target.name === name) ?? null;
}
