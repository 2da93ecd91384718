/** What `check` tried beside the handshake: one thing changed at a time, so that the difference is the cause. */

import type { CheckProbe, ProbeId } from '../../tally/check.js';
import type { CauseId } from '../causes.js';
import { counted, type Finding, type Rule, spoken } from '../finding.js';

export const probesRule: Rule = (evidence) => {
  const { check } = evidence;
  if (check === null) return [];
  const find = (id: ProbeId) => check.probes.find((probe) => probe.id === id) ?? null;
  const healthy = check.outcome === '101';
  const findings = healthy ? [closedItself(find('open-close-open'))] : [...failing(check.outcome, find)];
  const { idle } = check;
  if (idle?.livedMs != null) {
    findings.push({
      cause: 'idle-cut',
      confidence: 0.93,
      evidence: `An open connection on which nothing was said lived for ${spoken(idle.livedMs)} and was ended by ${idle.cutBy ?? 'the target'}.`,
      outcomes: [],
      figures: { idleMs: idle.livedMs },
    });
  }
  return findings.filter((finding) => finding !== null);
};

type Find = (id: ProbeId) => CheckProbe | null;

function closedItself(probe: CheckProbe | null): Finding | null {
  if (probe === null || probe.outcome === '101') return null;
  return {
    cause: 'server-closed-itself',
    confidence: 0.9,
    evidence: `The first handshake got its 101; once it had been closed, the next one got ${probe.outcome}.`,
    outcomes: [probe.outcome],
    apart: 'In the code of the server look for wss.close() or server.close() in a handler of close.',
  };
}

function failing(outcome: string, find: Find): (Finding | null)[] {
  const outcomes = [outcome];
  const worked = (
    id: ProbeId,
    cause: CauseId,
    confidence: number,
    evidence: (probe: CheckProbe) => string,
  ): Finding | null => {
    const probe = find(id);
    return probe?.outcome === '101' ? { cause, confidence, evidence: evidence(probe), outcomes } : null;
  };
  const plain = find('without-upgrade');
  const direct = find('direct');
  const throughHop = ['404', '426', '200', '400', '403', '504', '502', '503'].includes(outcome);
  return [
    worked(
      'other-slash',
      'wrong-path',
      0.94,
      ({ url }) => `${url} gets a 101, this path ${outcome}: the slash at its end decides.`,
    ),
    worked('with-origin', 'origin-refused', 0.93, () => `With an Origin header it gets a 101, without one ${outcome}.`),
    worked(
      'without-origin',
      'origin-refused',
      0.93,
      () => `Without the Origin header it gets a 101, with it ${outcome}.`,
    ),
    worked(
      'version-8',
      'version-mismatch',
      0.93,
      () => `Version 8 of the protocol gets a 101, version 13 gets ${outcome}.`,
    ),
    otherScheme(find('other-scheme'), outcome),
    direct?.outcome === '101' && throughHop
      ? {
          // A stripped header makes the backend answer an ordinary GET; other statuses are the hop's own trouble with it.
          cause:
            ['404', '426', '200', '400', '403'].includes(outcome) || samePage(plain, outcome)
              ? 'upgrade-not-forwarded'
              : 'backend-unreachable',
          confidence: ['404', '426'].includes(outcome) ? 0.95 : 0.7,
          evidence: `Past the gateway (${direct.url}) the same handshake gets a 101, through it ${outcome}: the hop between is the cause.`,
          outcomes,
        }
      : null,
  ];
}

/** Without Upgrade the answer is the same, so with it the backend saw no Upgrade either. */
function samePage(plain: CheckProbe | null, outcome: string): boolean {
  return plain !== null && plain.outcome === outcome && ['404', '200', '426'].includes(outcome);
}

function otherScheme(probe: CheckProbe | null, outcome: string): Finding | null {
  if (probe === null || !/^\d+$/.test(probe.outcome) || /^\d+$/.test(outcome)) return null;
  const asked = probe.url.startsWith('wss:') ? 'ws://' : 'wss://';
  const other = asked === 'ws://' ? 'wss://' : 'ws://';
  return {
    cause: asked === 'ws://' ? 'tls-port' : 'plaintext-port',
    confidence: probe.outcome === '101' ? 0.95 : 0.82,
    evidence: `By ${other} the same port answers ${counted(1, probe.outcome)}, by ${asked} ${outcome}.`,
    outcomes: [outcome],
  };
}
