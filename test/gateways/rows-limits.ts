/**
 * Rows in which a limit of the gateway's own decides, or of its backend (3e). Builders: every number is a parameter.
 */

import type { GatewayName } from './configs.js';
import { all, at, type Expectation, exactly, PATIENT, REFUSED, type Row, type Shot, soon, type Where } from './row.js';

interface Limited {
  /** N. */
  readonly size: number;
  readonly where: Where;
}

/** Deadline where nobody needs one. */
const LONG_MS = 20_000;
/** No row here is about this one: "at once" is less than half of it. */
const READ_MS = 2000;

/** Who waited in vain is let in when the tunnels end, and is gone by then: the log counts him as served. */
const LATE = { 'timeout-upgrade': '101', 'timeout-connect': null };

const HEALTHY = { kind: 'ws', built: 'port' } as const;

function row(
  of: Limited,
  more: Pick<Row, 'kind' | 'id' | 'gateway' | 'cause' | 'story'> & Partial<Row>,
  slots: Readonly<Record<string, string>>,
  shot: Pick<Shot, 'expects'> & Partial<Shot>,
): Row {
  return {
    settings: { ...PATIENT, readMs: READ_MS, slots },
    backend: HEALTHY,
    shots: [{ size: of.size, timeoutMs: LONG_MS, log: {}, ...shot }],
    where: of.where,
    ...more,
  };
}

function upTo(limit: number, size: number, oracle: string, why: string): Expectation {
  return { outcome: '101', oracle, why, count: exactly(Math.min(limit, size)), ms: null };
}

function beyond(
  limit: number,
  size: number,
  outcome: string,
  oracle: string,
  why: string,
  ms: Expectation['ms'],
): Expectation {
  return { outcome, oracle, why, count: exactly(Math.max(0, size - limit)), ms };
}

/** O12. */
export function workerConnections(of: Limited & { readonly connections: number }): Row {
  const { size, connections: limit } = of;
  const most = (limit - 4) / 2;
  // Who has been accepted and not yet passed on holds a slot that another one's tunnel then lacks.
  const least = limit > 100 ? Math.floor(most * 0.9) : most - 1;
  return row(
    of,
    {
      kind: 'worker-connections',
      id: `nginx/worker-connections/W=${limit},N=${size}`,
      gateway: 'nginx',
      cause: 'connection-limit',
      story: `worker_connections ${limit}, one worker: a tunnel takes two`,
      note: limit > 100 ? '±1 was measured with 64; at 512 some 5 % fewer' : undefined,
    },
    { main: 'worker_processes 1;\nworker_rlimit_nofile 16384;', events: `worker_connections ${limit};` },
    {
      expects: [
        {
          outcome: '101',
          oracle: 'O12',
          why: `(W − 4)/2 = ${most} tunnels, at least ${least}`,
          count: [least, most + 1],
          ms: null,
        },
        { outcome: 'closed', oracle: '3e', why: 'the others FIN or RST at once', count: [0, size], ms: soon(READ_MS) },
        { outcome: 'reset', oracle: '3e', why: 'the others FIN or RST at once', count: [0, size], ms: soon(READ_MS) },
      ],
      log: { closed: null, reset: null },
    },
  );
}

/** O13. */
export function limitConn(of: Limited & { readonly limit: number; readonly status: '503' | '429' }): Row {
  const { size, limit, status } = of;
  return row(
    of,
    {
      kind: 'limit-conn',
      id: `nginx/limit-conn/K=${limit},${status},N=${size}`,
      gateway: 'nginx',
      cause: 'connection-limit',
      story: `limit_conn ${limit}, limit_conn_status ${status}`,
    },
    {
      http: 'limit_conn_zone $binary_remote_addr zone=all:1m;',
      location: `limit_conn all ${limit}; limit_conn_status ${status};`,
    },
    {
      expects: [
        upTo(limit, size, 'O13', 'K'),
        beyond(limit, size, status, 'O13', `the rest ${status} at once`, soon(READ_MS)),
      ],
    },
  );
}

/** O14. @param of.delays without `nodelay`: who is within the burst waits for his turn instead */
export function limitReq(
  of: Limited & { readonly rate: number; readonly burst: number; readonly delays: boolean },
): Row {
  const { size, rate, burst, delays } = of;
  const admitted: Expectation = {
    outcome: '101',
    oracle: 'O14',
    why: `b + 1 = ${burst + 1} of a burst, and r = ${rate} a second while it lasts`,
    count: ({ spreadMs, writtenMs }) => [
      Math.min(size, burst + 1),
      Math.min(size, burst + 1 + Math.ceil((rate * Math.max(spreadMs, writtenMs)) / 1000)),
    ],
    // The last of those that wait: burst/rate after the first.
    ms: delays ? (seen) => [0, at((burst * 1000) / rate)(seen)[1]] : null,
  };
  return row(
    of,
    {
      kind: delays ? 'limit-req-delay' : 'limit-req',
      id: `nginx/limit-req${delays ? '-delay' : ''}/r=${rate},b=${burst},N=${size}`,
      gateway: 'nginx',
      cause: 'rate-limit',
      story: `limit_req ${rate} r/s, burst ${burst}${delays ? '' : ' nodelay'}`,
    },
    {
      http: `limit_req_zone $binary_remote_addr zone=all:1m rate=${rate}r/s;`,
      location: `limit_req zone=all burst=${burst}${delays ? '' : ' nodelay'};`,
    },
    {
      expects: [
        admitted,
        {
          outcome: '503',
          oracle: 'O14',
          why: 'the rest at once',
          count: (seen) => exactly(size - (seen.counts['101'] ?? 0)),
          ms: soon(READ_MS),
        },
      ],
    },
  );
}

/** @param of.descriptors nginx's worker_rlimit_nofile; a tunnel takes two */
export function workerDescriptors(of: Limited & { readonly descriptors: number }): Row {
  const { size, descriptors } = of;
  return row(
    of,
    {
      kind: 'worker-descriptors',
      id: `nginx/worker-descriptors/F=${descriptors},N=${size}`,
      gateway: 'nginx',
      cause: 'descriptor-limit',
      story: `worker_rlimit_nofile ${descriptors}`,
      // A tunnel that is cut would make room.
      settings: { ...PATIENT, slots: { main: `worker_processes 1;\nworker_rlimit_nofile ${descriptors};` } },
    },
    {},
    {
      timeoutMs: 5000,
      expects: [
        {
          outcome: '101',
          oracle: '3e',
          why: 'two descriptors each, some for itself',
          count: [1, descriptors / 2],
          ms: null,
        },
        {
          outcome: '500',
          oracle: '3e',
          why: 'no descriptor for the backend: 500, at once or when one more can be accepted',
          count: [1, size],
          ms: null,
        },
        { outcome: 'timeout-upgrade', oracle: '3e', why: 'never accepted', count: [0, size], ms: null },
      ],
      log: { 'timeout-upgrade': ['499', '500'] },
    },
  );
}

export function return444(of: Limited): Row {
  const { size } = of;
  return row(
    of,
    {
      kind: 'return-444',
      id: `nginx/return-444/N=${size}`,
      gateway: 'nginx',
      cause: 'closed-without-answer',
      story: 'return 444',
    },
    { server: 'return 444;' },
    { expects: [all('closed', size, '3e', 'FIN and no byte, at once', soon(READ_MS))], log: { closed: '444' } },
  );
}

/** O15. */
export function serverMaxconn(of: Limited & { readonly limit: number; readonly queueMs: number }): Row {
  const { size, limit, queueMs } = of;
  return row(
    of,
    {
      kind: 'server-maxconn',
      id: `haproxy/server-maxconn/M=${limit},Q=${queueMs},N=${size}`,
      gateway: 'haproxy',
      cause: 'connection-limit',
      story: `server maxconn ${limit}, timeout queue ${queueMs} ms`,
    },
    { server: ` maxconn ${limit}`, backend: `timeout queue ${queueMs}ms` },
    { expects: [upTo(limit, size, 'O15', 'M'), beyond(limit, size, '503', 'O15', 'the rest at Q', at(queueMs))] },
  );
}

/** O16: the frontend's listen backlog is its maxconn as well. */
export function frontendMaxconn(of: Limited & { readonly limit: number; readonly timeoutMs: number }): Row {
  const { size, limit, timeoutMs } = of;
  const left = Math.max(0, size - limit);
  return row(
    of,
    {
      kind: 'frontend-maxconn',
      id: `haproxy/frontend-maxconn/M=${limit},N=${size}`,
      gateway: 'haproxy',
      cause: 'connection-limit',
      story: `frontend maxconn ${limit}`,
    },
    { frontend: `maxconn ${limit}`, bind: '' },
    {
      timeoutMs,
      expects: [
        upTo(limit, size, 'O16', 'M'),
        ...['timeout-upgrade', 'timeout-connect'].map(
          (outcome): Expectation => ({
            outcome,
            oracle: 'O16',
            why: 'M + 1 wait in the listen queue and the rest outside, if HAProxy wakes up in time: else chance decides',
            count: [0, left],
            ms: at(timeoutMs),
          }),
        ),
      ],
      // A phantom is not in the log either.
      log: { ...LATE, 'timeout-upgrade': ['101', null] },
    },
  );
}

export function globalMaxconn(of: Limited & { readonly limit: number; readonly timeoutMs: number }): Row {
  const { size, limit, timeoutMs } = of;
  return row(
    of,
    {
      kind: 'global-maxconn',
      id: `haproxy/global-maxconn/M=${limit},N=${size}`,
      gateway: 'haproxy',
      cause: 'connection-limit',
      story: `global maxconn ${limit}`,
    },
    { global: `maxconn ${limit}` },
    {
      timeoutMs,
      expects: [
        upTo(limit, size, '3e', 'M'),
        beyond(limit, size, 'timeout-upgrade', '3e', 'TCP is open, and nothing comes', at(timeoutMs)),
      ],
      log: LATE,
    },
  );
}

export function tarpit(of: Limited & { readonly tarpitMs: number }): Row {
  const { size, tarpitMs } = of;
  return row(
    of,
    {
      kind: 'tarpit',
      id: `haproxy/tarpit/N=${size}`,
      gateway: 'haproxy',
      cause: 'rate-limit',
      story: `http-request tarpit deny_status 429, timeout tarpit ${tarpitMs} ms`,
    },
    { frontend: `timeout tarpit ${tarpitMs}ms\n  http-request tarpit deny_status 429` },
    { expects: [all('429', size, '3e', 'after timeout tarpit', at(tarpitMs))] },
  );
}

export function denied(of: Limited): Row {
  return row(
    of,
    {
      kind: 'denied',
      id: `haproxy/denied/N=${of.size}`,
      gateway: 'haproxy',
      cause: 'forbidden',
      story: 'http-request deny',
    },
    { frontend: 'http-request deny' },
    { expects: [all('403', of.size, '3e', '403 at once', soon(READ_MS))] },
  );
}

/** A SYN is answered before HAProxy can refuse: who is quick sees his connection close, who isn't sees the RST first. */
export function rejected(of: Limited): Row {
  const expects = ['reset', 'reset-connect', 'closed'].map(
    (outcome): Expectation => ({ outcome, oracle: '3e', why: 'RST at once', count: [0, of.size], ms: soon(READ_MS) }),
  );
  return row(
    of,
    {
      kind: 'rejected',
      id: `haproxy/rejected/N=${of.size}`,
      gateway: 'haproxy',
      cause: 'closed-without-answer',
      story: 'tcp-request connection reject',
    },
    { frontend: 'tcp-request connection reject' },
    { expects, log: { reset: null, 'reset-connect': null, closed: null } },
  );
}

/** @param of.rate sessions that HAProxy takes a second: the others wait, and all get in */
export function rateLimitSessions(of: Limited & { readonly rate: number }): Row {
  const { size, rate } = of;
  const lastMs = ((size - rate) * 1000) / rate;
  return row(
    of,
    {
      kind: 'rate-limit-sessions',
      id: `haproxy/rate-limit-sessions/r=${rate},N=${size}`,
      gateway: 'haproxy',
      cause: null,
      story: `rate-limit sessions ${rate}: paced, none refused`,
    },
    { frontend: `rate-limit sessions ${rate}` },
    { expects: [all('101', size, '3e', 'all, r a second', (seen) => [0, at(lastMs + 1000)(seen)[1]])] },
  );
}

/** A stick table that counts requests. */
export function stickTable(of: Limited & { readonly limit: number }): Row {
  const { size, limit } = of;
  return row(
    of,
    {
      kind: 'stick-table',
      id: `haproxy/stick-table/b=${limit},N=${size}`,
      gateway: 'haproxy',
      cause: 'rate-limit',
      story: `http-request deny deny_status 429 beyond ${limit} in a minute`,
    },
    {
      frontend: [
        'stick-table type ip size 1k expire 1m store http_req_rate(1m)',
        'http-request track-sc0 src',
        `http-request deny deny_status 429 if { sc_http_req_rate(0) gt ${limit} }`,
      ].join('\n  '),
    },
    {
      expects: [upTo(limit, size, 'O14', 'b'), beyond(limit, size, '429', 'O14', 'the rest at once', soon(READ_MS))],
    },
  );
}

/** 3e: HAProxy with a range of source ports of its own. */
export function sourcePorts(of: Limited & { readonly firstPort: number; readonly ports: number }): Row {
  const { size, firstPort, ports } = of;
  return row(
    of,
    {
      kind: 'source-ports',
      id: `haproxy/source-ports/P=${ports},N=${size}`,
      gateway: 'haproxy',
      cause: 'ports-exhausted',
      story: `source 127.0.0.1:${firstPort}-${firstPort + ports - 1}: ${ports} ports towards the backend`,
    },
    { server: ` source 127.0.0.1:${firstPort}-${firstPort + ports - 1}` },
    {
      expects: [upTo(ports, size, 'O19', 'P'), beyond(ports, size, '503', '3e', 'the rest: no free ports', null)],
    },
  );
}

/** @param of.limit MaxRequestWorkers: a tunnel holds one */
export function requestWorkers(of: Limited & { readonly limit: number; readonly timeoutMs: number }): Row {
  const { size, limit, timeoutMs } = of;
  return row(
    of,
    {
      kind: 'request-workers',
      id: `apache2/request-workers/M=${limit},N=${size}`,
      gateway: 'apache2',
      cause: 'connection-limit',
      story: `MaxRequestWorkers ${limit}`,
    },
    {
      workers: `ServerLimit 1\nStartServers 1\nThreadLimit ${limit}\nThreadsPerChild ${limit}\nMaxRequestWorkers ${limit}`,
    },
    {
      timeoutMs,
      expects: [
        upTo(limit, size, '3e', 'each tunnel holds a worker'),
        beyond(limit, size, 'timeout-upgrade', '3e', 'TCP is open, and nothing comes', at(timeoutMs)),
      ],
      log: LATE,
    },
  );
}

/** @param of.descriptors of Caddy's (`ulimit -n`); a tunnel takes two */
export function caddyDescriptors(of: Limited & { readonly descriptors: number }): Row {
  const { size, descriptors } = of;
  return row(
    of,
    {
      kind: 'caddy-descriptors',
      id: `caddy/descriptors/F=${descriptors},N=${size}`,
      gateway: 'caddy',
      cause: 'descriptor-limit',
      story: `ulimit -n ${descriptors}`,
      descriptors,
    },
    {},
    {
      timeoutMs: 5000,
      expects: [
        {
          outcome: '101',
          oracle: '3e',
          why: 'two descriptors each, some for itself',
          count: [1, descriptors / 2],
          ms: null,
        },
        { outcome: '502', oracle: '3e', why: 'no descriptor for the backend', count: [1, size], ms: null },
        { outcome: 'timeout-upgrade', oracle: '3e', why: 'never accepted', count: [0, size], ms: null },
      ],
      log: { 'timeout-upgrade': null },
    },
  );
}

/** O17: the backend turns away whom it has no place for; the gateway makes a failure of that. */
export function maxConnections(of: Limited & { readonly gateway: GatewayName; readonly limit: number }): Row {
  const { gateway, size, limit } = of;
  return row(
    of,
    {
      kind: 'max-connections',
      id: `${gateway}/max-connections/M=${limit},N=${size}`,
      gateway,
      cause: 'connection-limit',
      story: `server.maxConnections ${limit} of the backend`,
      backend: { kind: 'limited', max: limit },
    },
    {},
    {
      expects: [
        upTo(limit, size, 'O17', 'M'),
        beyond(
          limit,
          size,
          '502',
          'O17',
          `the rest 502, as any connection that ends (not ${REFUSED[gateway]})`,
          soon(READ_MS),
        ),
      ],
    },
  );
}
