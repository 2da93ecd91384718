/**
 * Compares findings with the probes: a finding that a probe contradicts becomes less likely, or is dropped. One table,
 * so that rules need not know every probe.
 */
import { isOpen } from '../names/outcomes.js';
import type { CauseId } from './causes.js';
import type { Evidence } from './evidence.js';
import { capital, type Finding } from './finding.js';

interface Contradiction {
  readonly causes: readonly CauseId[];
  /** The evidence against it, a sentence; null: none. */
  readonly against: (evidence: Evidence) => string | null;
  /** The remaining share of the confidence; 0: it cannot be true. */
  readonly keeps: number;
}

const CONTRADICTIONS: readonly Contradiction[] = [
  {
    causes: ['upgrade-not-forwarded'],
    against: ({ seen, check }) =>
      seen.upgradeArrives === true && check?.outcome !== '426' ? `${capital(seen.upgradeBecause)}.` : null,
    keeps: 0,
  },
  {
    causes: ['not-a-websocket-endpoint'],
    against: ({ seen }) => (seen.worksDirect ? 'Past the gateway the same handshake gets a 101.' : null),
    keeps: 0.5,
  },
  {
    causes: ['backend-down', 'backend-unreachable', 'health-check-fails', 'negative-cache'],
    against: ({ seen }) =>
      seen.backendAnswers === true ? `An ordinary GET through the same gateway is answered (${seen.plainGet}).` : null,
    keeps: 0.3,
  },
  {
    causes: ['backend-died'],
    against: ({ seen }) =>
      seen.backendAnswers === true ? `An ordinary GET through the same gateway is answered (${seen.plainGet}).` : null,
    keeps: 0.7,
  },
  {
    causes: ['not-a-websocket-endpoint'],
    against: ({ seen }) => (seen.upgradeArrives === true ? `${capital(seen.upgradeBecause)}.` : null),
    keeps: 0.6,
  },
  {
    causes: ['closed-without-answer', 'silent-server'],
    against: ({ seen }) =>
      seen.backendAnswers === true
        ? `An ordinary GET is answered there (${seen.plainGet}): only the upgrade is not.`
        : null,
    keeps: 0.6,
  },
  {
    causes: ['plaintext-port'],
    against: ({ seen }) => (seen.speaksTls === true ? 'The port answered in TLS.' : null),
    keeps: 0,
  },
  {
    causes: ['tls-port'],
    against: ({ seen, scheme }) =>
      scheme === 'wss' || seen.speaksTls === false ? 'It was asked in the scheme that the port speaks.' : null,
    keeps: 0,
  },
  {
    causes: ['origin-refused'],
    against: ({ check, seen }) => {
      const tried = [seen.probe('with-origin'), seen.probe('without-origin'), seen.probe('own-origin')];
      const answered = tried.filter((probe) => probe !== null);
      const isAlike = answered.length > 0 && answered.every((probe) => probe.outcome === check?.outcome);
      return isAlike && check !== null && !isOpen(check.outcome)
        ? 'With another Origin, or without one, the answer is the same.'
        : null;
    },
    keeps: 0.6,
  },
  {
    causes: ['application-error', 'backend-died'],
    against: ({ seen }) =>
      seen.worksDirect && seen.isOwnForAll ? 'Past the gateway the same handshake gets a 101.' : null,
    keeps: 0.3,
  },
  {
    causes: ['bad-request', 'version-mismatch'],
    against: ({ seen }) => (seen.worksDirect ? 'Past the gateway the same handshake gets a 101.' : null),
    keeps: 0.6,
  },
];

/** The findings, each with the evidence against it. */
export function weighed(findings: readonly Finding[], evidence: Evidence): Finding[] {
  return findings.flatMap((finding): Finding[] => {
    if (finding.isDecided === true) return [finding];
    let { confidence } = finding;
    const reasons: string[] = [];
    for (const { causes, against, keeps } of CONTRADICTIONS) {
      const reason = causes.includes(finding.cause) ? against(evidence) : null;
      if (reason === null) continue;
      confidence *= keeps;
      reasons.push(reason);
    }
    if (confidence === 0) return [];
    if (reasons.length === 0) return [finding];
    return [
      {
        ...finding,
        confidence: Number(confidence.toFixed(2)),
        evidence: `${finding.evidence} But: ${reasons.join(' ')}`,
      },
    ];
  });
}
