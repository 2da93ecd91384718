/**
 * What a gateway says about its backend: 502, 503, 504 and the like. The same status means different things from
 * different gateways, so it is read together with the hop that answered and the time: at once, after a connect timeout,
 * after a read timeout, or after retries. Causes that appear only under load are in capacity.ts, limits.ts and
 * queues.ts.
 */
import type { CauseId } from '../causes.js';
import { isCounted } from '../ceiling.js';
import type { Evidence, Failure } from '../evidence.js';
import {
  bodyOf,
  counted,
  earlyMs,
  type Finding,
  neverWorks,
  offersLarge,
  type Rule,
  spoken,
  unlessUnseen,
  whoSaid,
  worksAlone,
} from '../finding.js';
import { isWsAnswer } from '../hops.js';
import { roundMs } from '../shape.js';
import { hadWorked } from './closed-server.js';

interface BackendReading {
  readonly cause: CauseId;
  readonly confidence: number;
  readonly because: string;
  readonly apart?: string;
}

const LOGS =
  'The log of the gateway has the reason: connection refused, timed out while connecting, timed out while reading, or ended too early.';
const CLOSED =
  'A server that closed itself when its first client left looks the same from then on: start it again and try wstampede check, which opens, closes and opens again.';
const PAST =
  'Ask the backend itself: wstampede check URL --direct ws://BACKEND. A 101 there means that it lives and its health check fails.';
const HANDLER =
  'A single handshake that times out is either a backend that hangs, or an HTTP server without a handler that never saw Upgrade: ask the backend itself (wstampede check URL --direct ws://BACKEND).';

export const backendRule: Rule = (evidence) => {
  // If the backend answers past the gateway, the cause is between them (hop-between.ts).
  if (!neverWorks(evidence) || hadWorked(evidence) || evidence.seen.worksDirect) return [];
  return evidence.failures.flatMap((failure) =>
    readingsOf(failure, evidence).map(({ cause, confidence, because, apart }): Finding => {
      const [first] = failure.timesMs;
      const timer = first === undefined || failure.isAtOnce ? null : roundMs(first);
      return {
        cause,
        confidence: unlessUnseen(evidence, confidence),
        evidence: `${whoSaid(failure)} ${first === undefined ? '' : `after ${spoken(first)} `}(${failure.count} of ${evidence.worst.attempted}): ${because}`,
        outcomes: [failure.outcome],
        ...(timer !== null && { figures: { timeoutMs: timer } }),
        apart: apart ?? (cause === 'backend-down' ? `${LOGS} ${CLOSED}` : LOGS),
      };
    }),
  );
};

function readingsOf(failure: Failure, evidence: Evidence): readonly BackendReading[] {
  switch (failure.outcome) {
    case '502':
      return badGateway(failure, evidence);
    case '503':
      return unavailable(failure);
    case '504':
      return timedOut(failure);
    case '500':
      return failure.hop?.id === 'lighttpd'
        ? [
            {
              cause: 'backend-died',
              confidence: 0.7,
              because: 'lighttpd says so when its backend ends in the middle of an answer.',
            },
          ]
        : [];
    default:
      return CLOUDFLARE[failure.outcome] ?? [];
  }
}

/** From Cloudflare's public documentation (error-520.mdx and related pages), not measured. */
const CLOUDFLARE: Readonly<Record<string, readonly BackendReading[]>> = {
  '520': [{ cause: 'backend-died', confidence: 0.6, because: 'the origin gave an empty or unknown answer.' }],
  '521': [{ cause: 'backend-down', confidence: 0.9, because: 'the origin refused the connection.' }],
  '522': [
    { cause: 'backend-unreachable', confidence: 0.7, because: 'the origin did not answer a SYN within 19 s.' },
    { cause: 'listen-queue-full', confidence: 0.5, because: 'a full listen queue of the origin drops SYNs as well.' },
  ],
  '523': [{ cause: 'backend-unreachable', confidence: 0.85, because: 'there is no route to the origin.' }],
  '524': [
    {
      cause: 'backend-hangs',
      confidence: 0.85,
      because: 'the origin took the request and did not answer for 100 s or more.',
    },
  ],
  '525': [{ cause: 'tls-protocol', confidence: 0.85, because: 'the TLS handshake with the origin failed.' }],
  '526': [{ cause: 'tls-untrusted', confidence: 0.85, because: 'the certificate of the origin is not valid.' }],
};

/** h2o's page contains its reason. */
const H2O_SAYS: Readonly<Record<string, BackendReading>> = {
  'connection failed': { cause: 'backend-down', confidence: 0.82, because: 'its page says "connection failed".' },
  'I/O error (head)': { cause: 'backend-died', confidence: 0.82, because: 'its page says "I/O error (head)".' },
};

const OVER_HTTP2: BackendReading = {
  cause: 'http2-only',
  confidence: 0.4,
  because: 'or it speaks HTTP/2 to a server that knows no WebSocket over it; an ordinary GET is answered then.',
  apart: 'wstampede check URL tries an ordinary GET: if it is answered, only upgrades fail on that hop.',
};
const OVER_ITS_BUFFER: BackendReading = {
  cause: 'head-over-proxy-buffer',
  confidence: 0.5,
  because: 'or the head of the 101, which repeats the large subprotocol that was offered, is larger than its buffer.',
  apart: 'wstampede check URL tries without the subprotocol: with a 101 then, it is about the subprotocol.',
};

function badGateway(failure: Failure, evidence: Evidence): readonly BackendReading[] {
  const id = failure.hop?.id;
  const said = id === 'h2o' ? H2O_SAYS[bodyOf(failure).trim()] : undefined;
  if (said !== undefined) return [said];
  if (failure.isAtOnce && (id === 'haproxy' || id === 'apache')) {
    return [
      {
        cause: 'backend-died',
        confidence: 0.7,
        because: 'a refused connection would have been a 503; the backend took it and closed it without an answer.',
      },
      ...(id === 'haproxy' && evidence.seen.backendAnswers !== false ? [OVER_HTTP2] : []),
    ];
  }
  if (failure.isAtOnce) {
    return [
      { cause: 'backend-down', confidence: 0.68, because: 'so early, the connection to the backend was refused.' },
      {
        cause: 'backend-died',
        confidence: 0.3,
        because: 'or the backend took the connection and closed it without an answer.',
      },
      {
        cause: 'gateway-misconfigured',
        confidence: 0.29,
        because: 'or the hop does not get as far: a name that it cannot look up, https:// to a port that speaks none.',
      },
      ...(offersLarge(evidence) ? [OVER_ITS_BUFFER] : []),
    ];
  }
  if (id === 'caddy' && isRound(failure))
    return [{ cause: 'backend-unreachable', confidence: 0.65, because: 'Caddy gives up dialling after 3 s.' }];
  if (isRound(failure) && (id === 'apache' || id === 'h2o' || id === undefined)) {
    return [
      {
        cause: 'backend-hangs',
        confidence: id === undefined ? 0.5 : 0.7,
        because: 'a configured time: the backend took the request and gave no answer.',
        apart: HANDLER,
      },
      {
        cause: 'upgrade-not-forwarded',
        confidence: 0.4,
        because: 'or an HTTP server without a handler never saw the Upgrade.',
        apart: HANDLER,
      },
    ];
  }
  if (isRound(failure))
    return [
      {
        cause: 'backend-hangs',
        confidence: 0.5,
        because: 'a configured time: the gateway gave up waiting for the last of its backends.',
      },
    ];
  return [
    {
      cause: 'backend-died',
      confidence: 0.65,
      because: 'too late for a refusal and at no configured time: the backend took the connection and ended it.',
    },
  ];
}

function unavailable(failure: Failure): readonly BackendReading[] {
  const { hop, sample, timesMs } = failure;
  const body = bodyOf(failure);
  if (sample !== null && isWsAnswer(sample)) return [];
  if (hop?.id === 'haproxy') return haproxy503(failure);
  if (hop?.id === 'envoy') return envoy503(body);
  if (hop?.id === 'alb')
    return [{ cause: 'backend-down', confidence: 0.8, because: 'the target group has no registered target.' }];
  if (hop?.id === 'heroku')
    return [
      {
        cause: 'application-error',
        confidence: 0.5,
        because:
          'the router log has the code: H10 crashed, H12 no answer in 30 s, H13 closed, H19 connect timeout, H21 refused.',
      },
    ];
  if (hop?.id === 'caddy' && failure.isAtOnce)
    return [
      {
        cause: 'negative-cache',
        confidence: 0.6,
        because: 'Caddy remembers for fail_duration that its backend failed.',
      },
    ];
  if (hop?.id === 'varnish') return varnish503(failure);
  if (hop?.id === 'apache' || hop?.id === 'lighttpd') {
    return failure.isAtOnce
      ? [{ cause: 'backend-down', confidence: 0.8, because: 'so early, the connection to the backend was refused.' }]
      : [
          {
            cause: 'backend-unreachable',
            confidence: 0.7,
            because: 'the backend did not take the connection in time.',
          },
        ];
  }
  if (hop?.id === 'nginx' && hop.own) {
    return [
      {
        cause: 'rate-limit',
        confidence: 0.4,
        because: 'nginx itself refuses so by limit_req, limit_conn or return 503.',
      },
      {
        cause: 'connection-limit',
        confidence: 0.35,
        because: 'nginx itself refuses so by limit_req, limit_conn or return 503.',
      },
    ];
  }
  return [
    {
      cause: 'backend-down',
      confidence: 0.5,
      because: timesMs.length > 0 && !failure.isAtOnce ? 'nobody took it in time.' : 'nobody is there to take it.',
    },
    { cause: 'application-error', confidence: 0.4, because: 'or the application says so itself.' },
  ];
}

/** "Backend fetch failed" whatever happened to it: connect_timeout is 3.5 s by default, first_byte_timeout 60 s. */
function varnish503(failure: Failure): readonly BackendReading[] {
  if (failure.isAtOnce) {
    return [
      { cause: 'backend-down', confidence: 0.62, because: 'so early, the connection to the backend was refused.' },
      { cause: 'backend-died', confidence: 0.3, because: 'or the backend closed it without an answer.' },
    ];
  }
  const hangs: BackendReading = {
    cause: 'backend-hangs',
    confidence: isRound(failure) ? 0.65 : 0.4,
    because: 'the backend took the request and gave no answer within first_byte_timeout.',
    apart: HANDLER,
  };
  const unreachable: BackendReading = {
    cause: 'backend-unreachable',
    confidence: isRound(failure) ? 0.35 : 0.6,
    because: 'the backend did not take the connection within connect_timeout.',
  };
  return [hangs, unreachable];
}

/** HAProxy retries a refused connection three times, 1 s apart, or by timeout connect if that is shorter. */
const REFUSED_MS = [1500, 3000];
const NEAR_MS = 250;

/**
 * At once: no server is available. After three pauses: refused. After (retries + 1) x timeout connect: no answer to the
 * SYN.
 */
function haproxy503(failure: Failure): readonly BackendReading[] {
  const early = failure.timesMs.length === 0 ? 0 : earlyMs(failure.timesMs);
  if (failure.isAtOnce) {
    return [
      {
        cause: 'backend-down',
        confidence: 0.75,
        because: 'at once means that every server is marked DOWN or none is configured.',
      },
      {
        cause: 'health-check-fails',
        confidence: 0.5,
        because: 'a server is marked DOWN although it lives when its check gets what it does not expect (426).',
        apart: PAST,
      },
      {
        cause: 'negative-cache',
        confidence: 0.45,
        because: 'a server that is marked DOWN stays so until its checks succeed again (rise x inter).',
      },
    ];
  }
  const isRefused = isAfterRetries(failure);
  const refused =
    'three retries of a connection that is refused each time, 1 s apart or timeout connect if that is less.';
  const silent = 'retries + 1 times timeout connect, or timeout queue: nobody took the connection.';
  return isRefused
    ? [
        { cause: 'backend-down', confidence: Math.abs(early - 3000) < NEAR_MS ? 0.85 : 0.6, because: refused },
        { cause: 'backend-unreachable', confidence: 0.35, because: silent },
      ]
    : [
        { cause: 'backend-unreachable', confidence: 0.65, because: silent },
        { cause: 'backend-down', confidence: 0.35, because: refused },
      ];
}

function isAfterRetries({ timesMs }: Failure): boolean {
  return timesMs.length > 0 && REFUSED_MS.some((ms) => Math.abs(earlyMs(timesMs) - ms) < NEAR_MS);
}

function envoy503(body: string): readonly BackendReading[] {
  if (/overflow/i.test(body))
    return [
      {
        cause: 'connection-limit',
        confidence: 0.85,
        because: 'its circuit breaker is open (overflow; 1,024 by default).',
      },
    ];
  if (/connection timeout/i.test(body))
    return [{ cause: 'backend-unreachable', confidence: 0.82, because: 'the connection to the backend timed out.' }];
  if (/termination/i.test(body))
    return [
      { cause: 'backend-died', confidence: 0.8, because: 'the backend ended the connection before it answered.' },
    ];
  return [
    { cause: 'backend-down', confidence: 0.78, because: 'no backend is healthy, or none took the connection.' },
    ...(/no healthy/i.test(body)
      ? [
          {
            cause: 'health-check-fails' as const,
            confidence: 0.45,
            because: 'or a health check fails of backends that live.',
            apart: PAST,
          },
        ]
      : []),
  ];
}

function timedOut(failure: Failure): readonly BackendReading[] {
  if (failure.hop?.id === 'cloudflare')
    return [{ cause: 'backend-hangs', confidence: 0.6, because: 'the origin did not answer in time.' }];
  return [
    {
      cause: 'backend-hangs',
      confidence: 0.65,
      because: 'the gateway waited for its backend in vain, for a single handshake as well.',
      apart: HANDLER,
    },
    {
      cause: 'upgrade-not-forwarded',
      confidence: 0.42,
      because: 'or an HTTP server without a handler never saw the Upgrade.',
      apart: HANDLER,
    },
    {
      cause: 'backend-unreachable',
      confidence: 0.3,
      because: 'or packets to the backend are dropped, and the gateway waited for the connection.',
      apart: LOGS,
    },
  ];
}

function isRound({ timesMs }: Failure): boolean {
  return timesMs.length > 0 && roundMs(earlyMs(timesMs)) !== null;
}

/** Single handshakes work, and then a whole burst fails at one moment that no timer explains. */
export const diedRule: Rule = (evidence) => {
  const { worst, failures } = evidence;
  if (!worksAlone(evidence) || hadWorked(evidence)) return [];
  const [failure] = failures;
  if (failure === undefined || !['502', '503', '500', 'closed', 'reset', 'refused'].includes(failure.outcome))
    return [];
  const { timesMs, clusters } = failure;
  if (timesMs.length < 3) return [];
  const early = earlyMs(timesMs);
  const together = Math.max(...clusters.map(({ count }) => count));
  const isOneMoment = together >= 0.7 * failure.count;
  if (!isOneMoment || failure.isAtOnce || roundMs(early) !== null || !servedAll(evidence, early)) return [];
  // A crash does not happen at the same count again and again.
  if (isCounted(evidence, failure)) return [];
  return [
    {
      cause: 'backend-died',
      confidence: 0.6,
      evidence: `${whoSaid(failure)} to ${failure.count} of ${worst.attempted} in one moment, ${spoken(early)} after the release, which is no configured time: the backend ended with the handshakes in its hands.`,
      outcomes: failures.map(({ outcome }) => outcome),
      figures: { diedAtMs: early },
      apart:
        'The log of the backend or of its process manager, and the gateway saying refused from then on; a limit would have turned clients away from the first moment.',
    },
  ];
};

/** No 101 came after that moment. */
function servedAll({ worst }: Evidence, moment: number): boolean {
  return worst.okMs.every((ms) => ms <= moment * 1.1 + 20);
}

/**
 * Every handshake of a burst is refused at once, and single ones work: the backend crashed at the start of the burst,
 * or refuses many at once.
 */
export const fellRule: Rule = (evidence) => {
  const { worst, failures, alone } = evidence;
  const [failure] = failures;
  if (failure === undefined || worst.ok > 0 || alone === null || alone.ok === 0 || hadWorked(evidence)) return [];
  if (!['502', '503', '500', 'closed', 'reset', 'refused'].includes(failure.outcome)) return [];
  // HAProxy retries a refused connection before it reports it.
  const isRefused = failure.outcome === '503' && failure.hop?.id === 'haproxy' && isAfterRetries(failure);
  if (!failure.isAtOnce && !isRefused) return [];
  return [
    {
      cause: 'backend-died',
      confidence: 0.5,
      evidence: `Alone ${alone.ok} of ${alone.attempted} got a 101, of the burst none: ${counted(failure.count, failure.outcome)}, the first after ${spoken(failure.timesMs[0])}.`,
      outcomes: failures.map(({ outcome }) => outcome),
      apart: 'A single handshake now tells: if it works, a limit refused the crowd; if not, the backend is gone.',
    },
  ];
};
