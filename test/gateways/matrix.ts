/**
 * The matrix: every failure that loopback can make, through every gateway that can show it, with the numbers at which it
 * is run. Small ones with timeouts of a second are for every test run; the larger are for the benchmark, which also says
 * what is not covered here and why.
 */
import { GATEWAYS, type GatewayName } from './configs.js';
import { type Row, secured, type Where } from './row.js';
import * as backend from './rows-backend.js';
import * as capacity from './rows-capacity.js';
import * as limits from './rows-limits.js';
import * as wire from './rows-wire.js';

/** N where no limit is looked for. */
const SOME = 25;
/** T, in the small. */
const SECOND_MS = 1000;

/** How long a gateway remembers: longer than the program needs to start on a busy machine. */
const FORGET_MS = 8000;

/** Of a kind of row the gateway that shows it in every test run; at all others it is one of the longer runs. */
const IN_TEST: Readonly<Record<string, GatewayName>> = {
  'upgrade-not-forwarded-port': 'haproxy',
  'upgrade-not-forwarded-express': 'nginx',
  'upgrade-not-forwarded-bare': 'apache2',
  'upgrade-not-forwarded-site': 'nginx',
  'backend-down': 'apache2',
  'backend-died': 'caddy',
  'backend-hangs': 'haproxy',
  'closed-in-flight': 'nginx',
  'closed-itself-port': 'nginx',
  'closed-itself-express': 'haproxy',
  'closed-itself-bare': 'caddy',
  'closed-itself-watched': 'haproxy',
  'closed-itself-noServer': 'caddy',
  'slow-serial': 'nginx',
  'slow-concurrent': 'haproxy',
  'work-for-the-dead': 'haproxy',
  'listen-queue': 'nginx',
  'negative-cache': 'caddy',
  'max-connections': 'apache2',
  'tls-untrusted': 'nginx',
  'tls-expired': 'haproxy',
  'tls-wrong-name': 'apache2',
  'tls-old-version': 'nginx',
  'tls-unknown-name': 'haproxy',
  'tls-client-certificate': 'nginx',
  'wss-to-plain': 'haproxy',
  'ws-to-tls': 'nginx',
  'backend-without-tls': 'apache2',
  'proxy-protocol': 'haproxy',
  'head-too-large': 'nginx',
  'answer-no-accept': 'haproxy',
  'answer-no-upgrade': 'caddy',
  'answer-answer-too-large': 'nginx',
  'answer-not-http': 'apache2',
};

function where(row: Row): Row {
  return IN_TEST[row.kind] === row.gateway ? { ...row, where: 'test' } : row;
}

function* behind(gateway: GatewayName): Generator<Row> {
  const of = { gateway, size: SOME, readMs: SECOND_MS, retries: 1, where: 'long' as Where };
  for (const kind of backend.STRIPPED_BACKENDS) yield backend.upgradeNotForwarded({ ...of, backend: kind });
  yield backend.backendDown(of);
  yield backend.backendDied({ ...of, afterMs: 300 });
  yield backend.backendHangs(of);
  for (const built of backend.BUILT) yield backend.closedItself({ ...of, built });
  yield backend.closedInFlight({ ...of, readMs: 4000, delayMs: 1500 });
}

function* overloaded(gateway: GatewayName): Generator<Row> {
  const of = { gateway, size: 250, readMs: SECOND_MS, where: 'long' as Where };
  yield capacity.slowSerial({ ...of, serviceMs: 10 });
  yield capacity.slowConcurrent({ ...of, size: 60, delayMs: 145, atOnce: 5 });
  yield capacity.slowConcurrent({ ...of, size: 60, delayMs: 400, atOnce: null });
  yield capacity.workForTheDead({ ...of, size: 800, serviceMs: 20, late: 10 });
  const queue = { ...of, size: 100, backlog: 16 };
  yield capacity.listenQueue({ ...queue, connectMs: 500, retries: 1, blockMs: 2500 });
  // No SYN is sent again between 1.9 and 2.0 s: who was dropped, and was not a second late, finds the backend never.
  yield capacity.listenQueue({ ...queue, readMs: 4000, connectMs: 2000, retries: 3, blockMs: 1900 });
  yield limits.maxConnections({ ...of, size: 60, limit: 20 });
  if (gateway !== 'apache2') yield capacity.negativeCache({ ...of, size: 20, failMs: FORGET_MS });
}

function* limited(): Generator<Row> {
  const of = { where: 'test' as Where };
  yield capacity.listenQueueDirect({ ...of, size: 100, backlog: 16, blockMs: 500 });
  yield capacity.poisoned({ ...of, size: 400, readMs: SECOND_MS, serviceMs: 10, failMs: FORGET_MS, late: 20 });
  yield limits.workerConnections({ ...of, size: 60, connections: 64 });
  yield limits.limitConn({ ...of, size: 40, limit: 10, status: '503' });
  yield limits.limitConn({ size: 40, limit: 10, status: '429', where: 'long' });
  yield limits.limitReq({ ...of, size: 100, rate: 10, burst: 20, delays: false });
  yield limits.limitReq({ size: 30, rate: 20, burst: 20, delays: true, where: 'long' });
  yield limits.workerDescriptors({ ...of, size: 60, descriptors: 64 });
  yield limits.return444({ ...of, size: 1 });
  yield limits.return444({ size: SOME, where: 'long' });
  yield limits.serverMaxconn({ ...of, size: 60, limit: 20, queueMs: 1000 });
  yield limits.frontendMaxconn({ ...of, size: 60, limit: 20, timeoutMs: 1500 });
  yield limits.globalMaxconn({ size: 60, limit: 20, timeoutMs: 1500, where: 'long' });
  yield limits.tarpit({ ...of, size: SOME, tarpitMs: 1000 });
  yield limits.denied({ ...of, size: SOME });
  yield limits.rejected({ ...of, size: SOME });
  yield limits.rateLimitSessions({ ...of, size: 60, rate: 30 });
  yield limits.stickTable({ ...of, size: 60, limit: 20 });
  yield limits.sourcePorts({ ...of, size: 60, firstPort: 21_000, ports: 20 });
  yield limits.requestWorkers({ ...of, size: 80, limit: 64, timeoutMs: 1500 });
  yield limits.caddyDescriptors({ ...of, size: 60, descriptors: 60 });
}

function* worded(gateway: GatewayName): Generator<Row> {
  const of = { gateway, size: 10, retries: 1, where: 'long' as Where };
  yield wire.untrusted(of);
  for (const fault of wire.CERTIFICATE_FAULTS) yield wire.wrongCertificate({ ...of, fault });
  if (wire.OLD_TLS_GATEWAYS.includes(gateway)) yield wire.oldTls(of);
  if (wire.UNKNOWN_NAME_GATEWAYS.includes(gateway)) yield wire.unknownName(of);
  yield wire.clientCertificate(of);
  yield wire.plaintextPort(of);
  yield wire.tlsPort(of);
  yield wire.backendWithoutTls(of);
  if (wire.PROXY_PROTOCOL_GATEWAYS.includes(gateway)) yield wire.proxyProtocol(of);
  yield wire.headTooLarge({ ...of, bytes: 20_000 });
  for (const answer of wire.ANSWER_NAMES) yield wire.wrongAnswer({ ...of, answer });
}

/** Nearer to what is met in the wild. */
function* large(gateway: GatewayName): Generator<Row> {
  const of = { gateway, size: 600, readMs: 3000, where: 'bench' as Where };
  yield capacity.slowSerial({ ...of, serviceMs: 10 });
  yield capacity.slowSerial({ ...of, serviceMs: 20 });
  yield capacity.slowSerial({ ...of, serviceMs: 10, burns: true });
  yield capacity.slowConcurrent({ ...of, delayMs: 140, atOnce: 16 });
  yield capacity.listenQueue({ ...of, size: 100, connectMs: 2000, retries: 3, backlog: 16, blockMs: 9000 });
  yield backend.backendDown({ gateway, size: 200, readMs: 3000, retries: 3, where: 'bench' });
  yield backend.backendHangs({ gateway, size: 200, readMs: 3000, where: 'bench' });
}

function* largeLimits(): Generator<Row> {
  const where = 'bench';
  yield capacity.poisoned({ size: 1000, readMs: 3000, serviceMs: 10, failMs: 10_000, late: 50, where });
  yield capacity.listenQueueDirect({ size: 1000, backlog: 511, blockMs: 500, where });
  yield limits.workerConnections({ size: 600, connections: 512, where });
  yield limits.limitReq({ size: 500, rate: 50, burst: 100, delays: false, where });
  yield limits.serverMaxconn({ size: 500, limit: 200, queueMs: 3000, where });
  yield limits.requestWorkers({ size: 400, limit: 256, timeoutMs: 3000, where });
}

/** Where a gateway turns clients away before it has read a word, TLS changes what the client can see of it. */
const BEFORE_TLS = new Set([
  'worker-connections',
  'worker-descriptors',
  'caddy-descriptors',
  'frontend-maxconn',
  'global-maxconn',
  'request-workers',
  'rejected',
  'listen-queue-direct',
]);
/** Over wss too in the long run; all others in the benchmark. */
const LONG_SECURE = new Set(['slow-serial', 'backend-hangs', 'upgrade-not-forwarded-express', 'closed-itself-port']);

const PLAIN: readonly Row[] = [
  ...GATEWAYS.flatMap((gateway) => [...behind(gateway), ...overloaded(gateway)]),
  ...limited(),
].map(where);

export const MATRIX: readonly Row[] = [
  ...PLAIN,
  ...GATEWAYS.flatMap((gateway) => [...worded(gateway)]).map(where),
  ...PLAIN.filter(({ kind }) => !BEFORE_TLS.has(kind)).map((row) =>
    secured(row, LONG_SECURE.has(row.kind) ? 'long' : 'bench'),
  ),
  ...GATEWAYS.flatMap((gateway) => [...large(gateway)]),
  ...largeLimits(),
];

/** Rules and gateways that the matrix does not run (docs/method.md, "What real gateways do"). */
export const NOT_COVERED: readonly (readonly [what: string, why: string])[] = [
  [
    'Varnish, Squid, lighttpd, h2o, node http-proxy, hitch; Envoy, Traefik and the clouds',
    'four gateways are enough to hold the counts against',
  ],
  ["nginx's own listen queue of 8 (O8)", 'how many it takes before it is full depends on when nginx wakes up'],
  [
    'waves of the SYN schedule without SYN cookies (O8), phantoms by their number',
    'a setting of the machine (tcp_syncookies); the direct row allows for both',
  ],
  [
    'ACK-side overflow (O20), a SYN rate limit (O21), packets to the backend that nobody answers',
    'rules in the firewall of the machine',
  ],
  [
    'nginx, Apache and Caddy out of ports to the backend',
    'a setting of the machine (ip_local_port_range); HAProxy has a range of its own, and its row is here',
  ],
  ['an arrival rate instead of a burst (O5)', 'the matrix fires bursts'],
  ['HAProxy with too few descriptors', 'it does not start'],
  ['Caddy with TLS 1.1 at most', 'it speaks nothing older than TLS 1.2'],
  ['an unknown server name at Apache and Caddy', 'Apache answers 403, Caddy its default certificate: no TLS failure'],
  [
    'limits at the gateway’s door over wss',
    'clients are turned away before TLS, so that they see tls or timeout-tls and never the limit',
  ],
  ['limits of the client itself (O18, O19)', 'they are the generator’s: tested beside its own limits'],
];
