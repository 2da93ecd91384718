/**
 * No answer, half an answer, or an answer that is not HTTP, even for a single handshake. If it happens only under load,
 * it is a limit or a queue (limits.ts, queues.ts).
 */
import type { Evidence } from '../evidence.js';
import {
  bodyOf,
  counted,
  detailsOf,
  type Finding,
  failureOf,
  neverWorks,
  quoteOf,
  type Rule,
  spoken,
  unlessUnseen,
} from '../finding.js';
import { roundMs } from '../shape.js';
import { hadWorked } from './closed-server.js';
import { SYN_RETRY_MS } from './deadline.js';

export const closedRule: Rule = (evidence) => {
  if (!neverWorks(evidence)) return [];
  return evidence.failures
    .filter(({ outcome }) => ['closed', 'reset', 'reset-connect'].includes(outcome))
    .flatMap((failure): Finding[] => {
      const said = counted(failure.count, failure.outcome);
      const outcomes = [failure.outcome];
      if (failure.sample?.body != null || failure.sample?.statusLine != null) {
        return [
          {
            cause: 'backend-died',
            confidence: unlessUnseen(evidence, 0.7),
            evidence: `${said} in the middle of an answer: its sender ended while it answered.`,
            outcomes,
          },
        ];
      }
      const [first] = failure.timesMs;
      const timer = first === undefined ? null : roundMs(first);
      if (!failure.isAtOnce && timer !== null) {
        return [
          {
            cause: 'backend-hangs',
            confidence: unlessUnseen(evidence, 0.6),
            evidence: `${said} without a byte after ${spoken(first)}, a configured time: a hop gave up waiting for its backend and hung up.`,
            outcomes,
            figures: { timeoutMs: timer },
          },
        ];
      }
      const apart =
        'A server that wants a subprotocol (--subprotocol), a load balancer of layer 4 before a dead backend, return 444 of nginx, a port that expects the PROXY protocol and a TLS port all look so; wstampede check asks the other scheme, --direct asks the backend.';
      const finding: Finding = {
        cause: 'closed-without-answer',
        confidence: unlessUnseen(evidence, 0.72),
        evidence: `${said} without a byte${first === undefined ? '' : ` after ${spoken(first)}`}: the connection is accepted and ended.`,
        outcomes,
        apart,
      };
      const other: Finding = {
        cause: 'tls-port',
        confidence: unlessUnseen(evidence, 0.35),
        evidence: `${said}: some servers hang up on a plaintext request to their TLS port.`,
        outcomes,
        apart,
      };
      const proxied = proxyProtocol(evidence, said, outcomes);
      return evidence.scheme === 'ws' ? [finding, other, ...proxied] : [finding, ...proxied];
    });
};

/** Even an ordinary GET gets no byte: the port may wait for the PROXY protocol. */
function proxyProtocol({ check, seen }: Evidence, said: string, outcomes: readonly string[]): Finding[] {
  if (check === null || !/^(closed|reset)$/.test(seen.plainGet ?? '')) return [];
  const evidence = `${said} without a byte, to an ordinary GET as well: a port that expects the PROXY protocol ends whoever does not send it.`;
  return [{ cause: 'proxy-protocol-mismatch', confidence: 0.42, evidence, outcomes }];
}

export const silentRule: Rule = (evidence) => {
  const failure = failureOf(evidence, 'timeout-upgrade');
  if (failure === null || !neverWorks(evidence) || hadWorked(evidence)) return [];
  const said = counted(failure.count, 'timeout-upgrade');
  const begun = failure.sample?.statusLine != null || failure.sample?.body != null;
  return [
    {
      cause: 'silent-server',
      confidence: unlessUnseen(evidence, (begun ? 0.7 : 0.75) * (evidence.timeoutMs < SYN_RETRY_MS ? 0.6 : 1)),
      evidence: begun
        ? `${said}: an answer began and did not end before the deadline.`
        : `${said}: the request was taken and not one byte came back before the deadline of ${spoken(evidence.timeoutMs)}.`,
      outcomes: ['timeout-upgrade'],
      apart:
        'With -t above the read timeout of a gateway (often 60 s) a backend that hangs behind it shows as 504; a server whose upgrade handler returned early, and one whose HTTP handler never answers, stay silent for ever.',
    },
  ];
};

/** A SETTINGS or GOAWAY frame of stream 0 (RFC 9113 section 4.1); unprintable bytes are escaped in samples. */
const HTTP2_FRAME = /^(?:\\x00|\0)(?:\\x00|\0)(?:\\x[0-9a-f]{2}|[\s\S])(?:\\x0[47]|[\u0004\u0007])(?:\\x00|\0)/i;

export const notHttpRule: Rule = (evidence) => {
  const failure = failureOf(evidence, 'malformed');
  if (failure === null) return [];
  const details = detailsOf(failure);
  const said = counted(failure.count, 'malformed');
  if (/64 KiB/.test(details) && /^HTTP\/1\.\d 1(?!01)\d\d /.test(bodyOf(failure))) {
    return [
      {
        cause: 'silent-server',
        confidence: 0.7,
        evidence: `${said}: interim answers (1xx) without end, and no final one.`,
        outcomes: ['malformed'],
      },
    ];
  }
  if (/64 KiB/.test(details)) {
    return [
      {
        cause: 'response-too-large',
        confidence: 0.85,
        evidence: `${said}: the head of the answer is over 64 KiB.`,
        outcomes: ['malformed'],
      },
    ];
  }
  const begins = quoteOf(failure);
  if (HTTP2_FRAME.test(bodyOf(failure))) {
    return [
      {
        cause: 'http2-only',
        confidence: 0.92,
        evidence: `${said}: the answer is an HTTP/2 frame (SETTINGS), so the port speaks HTTP/2 from the first byte.`,
        outcomes: ['malformed'],
      },
    ];
  }
  if (/^HTTP\//.test(begins)) {
    return [
      {
        cause: 'malformed-answer',
        confidence: unlessUnseen(evidence, 0.85),
        evidence: `${said}: the answer begins with "${begins}", and its head is broken (${details.split('\n')[0]}).`,
        outcomes: ['malformed'],
      },
    ];
  }
  return [
    {
      cause: 'not-http',
      confidence: unlessUnseen(evidence, 0.85),
      evidence: `${said}: ${begins === '' ? 'the answer' : `the answer begins with "${begins}" and`} is no HTTP/1.1.`,
      outcomes: ['malformed'],
    },
  ];
};

export const invalidUpgradeRule: Rule = (evidence) => {
  const failure = failureOf(evidence, 'invalid-101');
  if (failure === null) return [];
  const [detail] = Object.entries(failure.details).sort(([, a], [, b]) => b - a)[0] ?? [failure.sample?.detail ?? ''];
  return [
    {
      cause: 'invalid-upgrade-answer',
      confidence: 0.95,
      evidence: `${counted(failure.count, 'invalid-101')}: ${detail}.`,
      outcomes: ['invalid-101'],
    },
  ];
};
