/** What `check` tried beside the handshake: one thing changed at a time, so that the difference is the cause. */

import { isOpen } from '../../names/outcomes.js';
import type { Check, CheckProbe, ProbeId } from '../../result/check-facts.js';
import type { Sample } from '../../result/result.js';
import type { CauseId } from '../causes.js';
import { counted, type Finding, type Rule, spoken } from '../finding.js';
import { recogniseHop } from '../hops.js';

export const probesRule: Rule = (evidence) => {
  const { check } = evidence;
  if (check === null) return [];
  const find = (id: ProbeId) => check.probes.find((probe) => probe.id === id) ?? null;
  const findings = isOpen(check.outcome) ? opened(check, find) : failing(check, find);
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

/** The handshake works: what came after it, or came to the next one, may not. */
function opened(check: Check, find: Find): (Finding | null)[] {
  const again = find('open-close-open');
  return [again === null || isOpen(again.outcome) ? null : noSecond(again, check), cutEarly(check)];
}

/** What a server that is closed gives, itself or by the gateway before it. Others are rules about who may come again. */
const CLOSED = new Set(['502', '503', '504', '404', '426', 'refused', 'closed', 'reset', 'timeout-upgrade']);

/** The first got its 101, a later one did not. */
function noSecond(again: CheckProbe, check: Check): Finding {
  const { outcome, sample } = again;
  const outcomes = [outcome];
  const asks = sample?.headers.some(([name]) => /^retry-after$|ratelimit/i.test(name)) === true;
  const isOwn503 = outcome === '503' && sample !== null && recogniseHop(sample)?.id === 'nginx';
  const while_ = check.probes.filter(
    (probe) => probe !== again && UNCHANGED.has(probe.id) && probe.outcome === outcome,
  );
  const before = while_.length === 0 ? '' : ` So did ${while_.map(({ id }) => id).join(', ')} before anybody had left.`;
  const said = `The first handshake got its 101, and one after it got ${outcome}.${before}`;
  if (outcome === '429' || asks || isOwn503) {
    const evidence = `${said} That is how a limit on how often one client may come answers; the probes of this check count as well.`;
    return { cause: 'rate-limit', confidence: isOwn503 && !asks ? 0.6 : 0.78, evidence, outcomes, apart: ONE_BY_ONE };
  }
  if (outcome === '401' || outcome === '403') {
    const evidence = `${said} The same request was accepted before: a ticket that is good for once, or a limit for one client.`;
    return { cause: 'auth-refused', confidence: 0.55, evidence, outcomes, apart: ONE_BY_ONE };
  }
  if (while_.length > 0 || !CLOSED.has(outcome)) {
    const cause: CauseId = outcome === '500' ? 'application-error' : CLOSED.has(outcome) ? 'backend-died' : 'unknown';
    const evidence = `${said} It did not begin when a client left.`;
    return { cause, confidence: cause === 'unknown' ? 0.1 : 0.55, evidence, outcomes, apart: ONE_BY_ONE };
  }
  return {
    cause: 'server-closed-itself',
    confidence: 0.9,
    evidence: `The first handshake got its 101; once it had been closed, the next one got ${outcome}.`,
    outcomes,
    apart: 'In the code of the server look for wss.close() or server.close() in a handler of close.',
  };
}

/** Probes that a healthy server answers as the handshake itself. */
const UNCHANGED: ReadonlySet<ProbeId> = new Set(['version-8', 'with-origin', 'without-origin', 'other-slash']);
const ONE_BY_ONE = 'Start the server anew and try with --no-probes twice, a minute apart.';

/** A tunnel that ended by itself while it was looked at. */
function cutEarly({ ping, close, idle }: Check): Finding | null {
  if (idle?.livedMs != null || ping === null) return null;
  const failed = !ping.ok ? ping : close !== null && !close.ok ? close : null;
  if (failed === null) return null;
  if (!/ended|closed|reset|close frame|close [0-9]/.test(failed.found)) {
    const evidence = `The handshake works, and then: ${failed.found}.`;
    return { cause: 'unknown', confidence: 0.1, evidence, outcomes: [] };
  }
  const evidence = ping.ok
    ? `The tunnel worked (a pong came), and was ended before it was closed from here: ${failed.found}.`
    : `The tunnel was ended by the target as soon as it was open: ${failed.found}.`;
  return {
    cause: 'cut-after-upgrade',
    confidence: ping.ok ? 0.6 : 0.75,
    evidence,
    outcomes: [],
    apart:
      'wstampede check --idle 2m says how long a tunnel lives in which nothing is said: a timeout is a round time.',
  };
}

function failing({ outcome, answer }: Check, find: Find): (Finding | null)[] {
  const outcomes = [outcome];
  const worked = (
    id: ProbeId,
    cause: CauseId,
    confidence: number,
    evidence: (probe: CheckProbe) => string,
  ): Finding | null => {
    const probe = find(id);
    return probe !== null && isOpen(probe.outcome) ? { cause, confidence, evidence: evidence(probe), outcomes } : null;
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
    ...(direct !== null && isOpen(direct.outcome) && throughHop ? hopBetween(direct, outcome, answer) : []),
    direct === null || isOpen(direct.outcome) ? null : sameDirect(direct, outcome),
  ];
}

/** What a hop does to a handshake that its backend would answer. */
function hopBetween({ url }: CheckProbe, outcome: string, answer: Sample | null): Finding[] {
  const found = (cause: CauseId, confidence: number, because: string): Finding => ({
    cause,
    confidence,
    evidence: `Past the gateway (${url}) the same handshake gets a 101, through it ${outcome}: ${because}`,
    outcomes: [outcome],
    apart:
      'The log of the gateway says which address and path it dialled and what came back; the backend logs whether it saw Upgrade, and with which path and Host.',
  });
  const hop = answer === null ? null : recogniseHop(answer);
  const isOwn = hop?.own === true && hop.id !== 'express';
  if (outcome === '426') return [found('upgrade-not-forwarded', 0.95, 'the hop between strips Upgrade.')];
  if (isOwn && outcome === '404') {
    return [found('wrong-path', 0.82, `the page is ${hop.name}'s own: no route of it has this path.`)];
  }
  if (isOwn && outcome === '403') {
    return [found('forbidden', 0.78, `the page is ${hop.name}'s own: a rule of it forbids the request.`)];
  }
  if (['404', '200', '400', '403'].includes(outcome)) {
    return [
      found('upgrade-not-forwarded', 0.75, 'the hop between strips Upgrade.'),
      found('wrong-path', 0.45, 'or it asks the backend for another path or Host.'),
    ];
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

const NOBODY = new Set(['refused', 'timeout-connect', 'unreachable', 'reset-connect']);

/** Past the gateway it fails as well: what lies behind the gateway is the cause. */
function sameDirect({ url, outcome: there }: CheckProbe, outcome: string): Finding | null {
  const outcomes = [outcome];
  const said = `Past the gateway (${url}) the same handshake gets ${there}, through it ${outcome}`;
  if (NOBODY.has(there) && ['502', '503', '504'].includes(outcome)) {
    const cause: CauseId = there === 'refused' ? 'backend-down' : 'backend-unreachable';
    return { cause, confidence: 0.92, evidence: `${said}: the backend does not take connections.`, outcomes };
  }
  if (there !== outcome) return null;
  const evidence = `${said}: the gateway passes on what its backend says.`;
  if (there === '404') return { cause: 'wrong-path', confidence: 0.78, evidence, outcomes };
  if (there === '200') return { cause: 'not-a-websocket-endpoint', confidence: 0.82, evidence, outcomes };
  return null;
}

function otherScheme(probe: CheckProbe | null, outcome: string): Finding | null {
  if (probe === null || !/^\d+$/.test(probe.outcome) || /^\d+$/.test(outcome)) return null;
  const asked = probe.url.startsWith('wss:') ? 'ws://' : 'wss://';
  const other = asked === 'ws://' ? 'wss://' : 'ws://';
  return {
    cause: asked === 'ws://' ? 'tls-port' : 'plaintext-port',
    confidence: isOpen(probe.outcome) ? 0.95 : 0.82,
    evidence: `By ${other} the same port answers ${counted(1, probe.outcome)}, by ${asked} ${outcome}.`,
    outcomes: [outcome],
  };
}
