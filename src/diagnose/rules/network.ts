/** The network path to the target: names, routes, ports on which nothing listens. */

import type { Evidence } from '../evidence.js';
import { counted, type Finding, failureOf, neverWorks, type Rule, unlessUnseen } from '../finding.js';
import { hadWorked } from './closed-server.js';
import { SYN_RETRY_MS } from './deadline.js';

export const dnsRule: Rule = (evidence) => {
  const failure = failureOf(evidence, 'dns');
  if (failure === null) return [];
  const code = Object.keys(failure.details)[0] ?? failure.sample?.detail ?? null;
  return [
    {
      cause: 'dns-failure',
      confidence: 0.95,
      evidence: `The look-up of the name failed${code === null ? '' : ` (${code})`}: ${meaningOfCode(code)}no packet was sent to the target.`,
      outcomes: ['dns'],
    },
  ];
};

/** What getaddrinfo(3) and c-ares mean by it: nobody answered is not the same as there is no such name. */
function meaningOfCode(code: string | null): string {
  if (code !== null && /EAI_AGAIN|ETIMEOUT|ETIMEDOUT/.test(code)) return 'the resolver did not answer; ';
  if (code !== null && /SERVFAIL|EREFUSED|ECONNREFUSED|EAI_FAIL/.test(code)) return 'the resolver failed; ';
  if (code !== null && /ENOTFOUND|ENODATA|EAI_NONAME|EAI_NODATA/.test(code)) return 'the name has no address; ';
  return '';
}

export const refusedRule: Rule = (evidence) => {
  const failure = failureOf(evidence, 'refused');
  if (failure === null || hadWorked(evidence)) return [];
  if (evidence.worst.ok > 0) {
    if (isOneAddressDead(evidence)) {
      return [
        {
          cause: 'target-refused',
          confidence: unlessUnseen(evidence, 0.85),
          evidence: `${counted(failure.count, 'refused')} beside ${counted(evidence.worst.ok, '101')}, and single handshakes before were refused as well: nothing listens at some of the addresses ${evidence.addresses.join(', ')}.`,
          outcomes: ['refused'],
        },
      ];
    }
    return [
      {
        cause: 'backend-died',
        confidence: 0.6,
        evidence: `${counted(failure.count, 'refused')} beside ${counted(evidence.worst.ok, '101')} in one burst: the port was closed in the middle of it.`,
        outcomes: ['refused'],
        apart:
          'A process manager that starts it again makes the next burst work; the exit status of the process says why it ended.',
      },
    ];
  }
  return [
    {
      cause: 'target-refused',
      confidence: unlessUnseen(evidence, 0.95),
      evidence: `${counted(failure.count, 'refused')}: the machine answers, and says that nothing listens on that port (or a firewall rejects).${otherAddresses(evidence)}`,
      outcomes: ['refused'],
    },
  ];
};

/** Attempts are spread over several addresses, and some were refused without load, too. */
function isOneAddressDead({ usesAllAddresses, addresses, alone }: Evidence): boolean {
  return usesAllAddresses && addresses.length > 1 && (alone?.outcomes.refused ?? 0) > 0 && alone?.ok !== 0;
}

/** A name may have several addresses, and a server may listen at one of them only. */
function otherAddresses({ addresses, usesAllAddresses, wasEachTried, check }: Evidence): string {
  const [dialled, ...others] = addresses;
  if (others.length === 0) return '';
  const open = (check?.tcp ?? []).filter(({ failure }) => failure === null).map(({ address }) => address);
  if (open.length > 0) {
    return ` The address dialled was ${dialled}; ${open.join(', ')} of the same name accepts connections: is the server meant to listen at both? --connect-to ADDRESS:PORT dials one of them, and burst --resolve all dials them all.`;
  }
  return usesAllAddresses || wasEachTried
    ? ''
    : ` The address dialled was ${dialled}; the name also has ${others.join(', ')}: --resolve all dials them all.`;
}

export const unreachableRule: Rule = (evidence) => {
  const failure = failureOf(evidence, 'unreachable');
  if (failure === null) return [];
  return [
    {
      cause: 'target-unreachable',
      confidence: 0.9,
      evidence: `${counted(failure.count, 'unreachable')}: a router or this machine says that there is no way to the address.`,
      outcomes: ['unreachable'],
    },
  ];
};

/** No SYN was answered, in a burst or alone. If it happens only under load, it is a listen queue (queues.ts). */
export const synDroppedRule: Rule = (evidence) => {
  const failure = failureOf(evidence, 'timeout-connect');
  if (failure === null || !neverWorks(evidence) || evidence.worst.connectMs.length > 0) return [];
  // No SYN was retransmitted before the deadline, so nothing is known about dropped ones (deadline.ts).
  if (evidence.timeoutMs < SYN_RETRY_MS) return [];
  const finding: Finding = {
    cause: 'syn-dropped',
    confidence: unlessUnseen(evidence, 0.85),
    evidence: `${counted(failure.count, 'timeout-connect')} and not one connection: no SYN was answered before the deadline.`,
    outcomes: ['timeout-connect'],
    apart:
      'A listen queue that is full for good looks the same; on the server `ss -ltn` shows Recv-Q above Send-Q then.',
  };
  return [finding];
};
