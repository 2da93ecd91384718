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
    ...(direct?.outcome === '101' && throughHop ? hopBetween(direct, outcome) : []),
  ];
}

/** What a hop does to a handshake that its backend would answer. */
function hopBetween({ url }: CheckProbe, outcome: string): Finding[] {
  const found = (cause: CauseId, confidence: number, because: string): Finding => ({
    cause,
    confidence,
    evidence: `Past the gateway (${url}) the same handshake gets a 101, through it ${outcome}: ${because}`,
    outcomes: [outcome],
    apart:
      'The log of the gateway says which address it dialled and what came back; the backend logs whether it saw Upgrade.',
  });
  if (['404', '426', '200', '400', '403'].includes(outcome)) {
    const confidence = ['404', '426'].includes(outcome) ? 0.95 : 0.78;
    return [found('upgrade-not-forwarded', confidence, 'the hop between strips Upgrade, or answers itself.')];
  }
  if (outcome === '504') {
    return [
      found(
        'upgrade-not-forwarded',
        0.75,
        'the backend answers handshakes, and never answers what the hop makes of this one.',
      ),
      found('backend-unreachable', 0.45, 'or the hop dials another address, and nobody answers there.'),
    ];
  }
  return [
    found('backend-down', 0.7, 'the hop dials another address or port, where nothing listens.'),
    found('upgrade-not-forwarded', 0.4, 'or the backend ends what the hop makes of this handshake.'),
  ];
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
