/** What `check` tried besides the handshake: one change at a time, so that the difference shows the cause. */

import { isOpen } from '../../names/outcomes.js';
import type { Check, CheckProbe } from '../../result/check-facts.js';
import { browsersRefused, endText, firefoxTurnedAway, harmOf, LEAST_WATCH_MS } from '../../tally/check-health.js';
import type { CauseId } from '../causes.js';
import type { Evidence } from '../evidence.js';
import { counted, type Finding, offersLarge, type Rule } from '../finding.js';
import { recogniseHop } from '../hops.js';
import { isStatus, OF_GATEWAYS, TO_TLS_PORT } from '../observations.js';
import { hopBetween } from './hop-between.js';
import { isWorded } from './wording.js';

export const probesRule: Rule = (evidence) => {
  const { check } = evidence;
  if (check === null) return [];
  const findings = isOpen(check.outcome) ? opened(evidence, check) : failing(evidence, check);
  return findings.filter((finding) => finding !== null);
};

/** The handshake works; the next one, or those of other clients, may not. */
function opened(evidence: Evidence, check: Check): (Finding | null)[] {
  const again = evidence.seen.probe('still-served') ?? evidence.seen.probe('open-close-open');
  return [
    again === null || isOpen(again.outcome) ? null : noSecond(again, check),
    rejectedOrigin(evidence, check),
    noBrowsers(check, evidence.origin !== null),
    firefoxRefused(check),
  ];
}

/**
 * The tunnel of one Origin is ended and that of another lives: the server looks at it after the handshake. An end that comes
 * later than a probe is watched may have come to that one too.
 */
function rejectedOrigin({ seen, origin }: Evidence, { ended = null, idle }: Check): Finding | null {
  if (ended === null || ended.afterMs > LEAST_WATCH_MS || (idle?.cutBy ?? null) !== null) return null;
  const probe = ['own-origin', 'with-origin', 'without-origin']
    .map((id) => seen.probe(id))
    .find((one) => one !== null && isOpen(one.outcome) && one.ended === null);
  if (probe == null) return null;
  const here = probe.id === 'without-origin' ? 'Without an Origin' : 'With the Origin of its own host';
  const there = origin === null ? 'without one' : `with the one that was sent (${origin})`;
  return {
    cause: 'origin-refused',
    confidence: 0.93,
    evidence: `${here} the connection stays open after its 101, ${there} the target ends it: ${endText(ended)}.`,
    outcomes: [],
    lead: 'Try --origin with the Origin of your site.',
  };
}

/**
 * Answers of a server that has closed, directly or through its gateway. Other outcomes are rules about who may connect
 * again.
 */
const CLOSED = new Set(['502', '503', '504', '404', '426', 'refused', 'closed', 'reset', 'timeout-upgrade']);

/** The first handshake got its 101, a later one did not. */
function noSecond(again: CheckProbe, check: Check): Finding | null {
  const { outcome, sample } = again;
  const outcomes = [outcome];
  const asks = sample?.headers.some(([name]) => /^retry-after$|ratelimit/i.test(name)) === true;
  const isOwn503 = outcome === '503' && sample !== null && recogniseHop(sample)?.id === 'nginx';
  const before = check.probes.filter(
    (probe) => probe !== again && UNCHANGED.has(probe.id) && probe.outcome === outcome,
  );
  const failedBefore =
    before.length === 0 ? '' : ` So did ${before.map(({ id }) => id).join(', ')} before any client had left.`;
  const said = `The first handshake got its 101, and one after it got ${outcome}.${failedBefore}`;
  if (outcome === '429' || asks || isOwn503) {
    const evidence = `${said} That is how a limit on how often one client may come answers; the probes of this check count as well.`;
    return { cause: 'rate-limit', confidence: isOwn503 && !asks ? 0.6 : 0.78, evidence, outcomes, apart: ONE_BY_ONE };
  }
  if (outcome === '401' || outcome === '403') {
    const evidence = `${said} The same request was accepted before: a ticket that is good for once, or a limit for one client.`;
    return { cause: 'auth-refused', confidence: 0.55, evidence, outcomes, apart: ONE_BY_ONE };
  }
  if (again.id === 'still-served') return diedOfProbes(check);
  if (before.length > 0 || !CLOSED.has(outcome)) {
    const cause: CauseId = outcome === '500' ? 'application-error' : CLOSED.has(outcome) ? 'backend-died' : 'unknown';
    const evidence = `${said} It did not begin when a client left.`;
    return { cause, confidence: cause === 'unknown' ? 0.1 : 0.55, evidence, outcomes, apart: ONE_BY_ONE };
  }
  if (outcome === 'refused' && /already ended/.test(check.close?.found ?? '')) {
    const evidence = `${said} Nothing listens there any more, and the open connection was ended with it, before a client had left.`;
    return { cause: 'backend-died', confidence: 0.72, evidence, outcomes, apart: ONE_BY_ONE };
  }
  return {
    cause: 'server-closed-itself',
    confidence: 0.9,
    evidence: `The first handshake got its 101; once it had been closed, the next one got ${outcome}.`,
    outcomes,
    apart: 'In the code of the server look for wss.close() or server.close() in a handler of close.',
  };
}

/** The plain handshake was served before the probes, and is not any more. */
function diedOfProbes(check: Check): Finding | null {
  const harm = harmOf(check.probes);
  if (harm === null) return null;
  const probe = check.probes.find(({ id }) => id === harm.after);
  const its = probe === undefined ? '' : `, which got ${probe.outcome}`;
  return {
    cause: 'backend-died',
    confidence: isOpen(check.outcome) ? 0.78 : 0.55,
    evidence: `It died during the probes of this check: the plain handshake got ${check.outcome} at first, and gets ${harm.outcome} after ${harm.after === null ? 'it' : `the probe ${harm.after}`}${its}. What ends a server so can come from any client.`,
    outcomes: [harm.outcome],
    apart:
      '--no-probes sends the handshake alone; the log of the server says what it died of, the error log of a gateway for how long it takes a server for down.',
  };
}

/** Probes that a healthy server answers like the handshake itself. */
const UNCHANGED: ReadonlySet<string> = new Set(['firefox-connection', 'own-origin', 'with-origin']);
const ONE_BY_ONE = 'Start the server anew and try with --no-probes twice, a minute apart.';

/** It works without an Origin, but a page of the target's own host is refused: no browser can connect. */
function noBrowsers(check: Check, sentOrigin: boolean): Finding | null {
  const probe = browsersRefused(check, sentOrigin);
  if (probe === null) return null;
  return {
    cause: 'origin-refused',
    confidence: 0.6,
    evidence: `Without an Origin the handshake gets its 101; with the Origin of a page on the target's own host ${gotBy(probe)}. Browsers always send one.`,
    outcomes: [probe.outcome],
    lead: 'Browsers are refused unless the Origin of their page is allowed: try --origin https://your.site.',
    apart:
      'If your pages come from another host, --origin with it tells; behind a proxy the server may compare Origin with a Host that the proxy has changed.',
  };
}

/** What a probe got that was turned away. */
function gotBy({ outcome, ended = null }: CheckProbe): string {
  if (!isOpen(outcome)) return `it gets ${outcome}`;
  return `its connection is ended after the 101${ended === null ? '' : `: ${endText(ended)}`}`;
}

/** `Connection: keep-alive, Upgrade` is a list; a server that compares it as one word refuses every Firefox. */
function firefoxRefused(check: Check): Finding | null {
  const probe = firefoxTurnedAway(check);
  if (probe === null) return null;
  return {
    cause: 'header-case',
    confidence: 0.85,
    evidence: `With "Connection: Upgrade" the handshake gets its 101; with Firefox's "Connection: keep-alive, Upgrade" ${gotBy(probe)}: something compares the header as one word and not as a list (RFC 6455 section 4.2.1).`,
    outcomes: [probe.outcome],
  };
}

/** Probes that change nothing but the Origin. */
const ORIGINS = ['own-origin', 'with-origin', 'without-origin'];

function failing(evidence: Evidence, check: Check): (Finding | null)[] {
  const { outcome } = check;
  const { seen, origin } = evidence;
  const worked = (
    id: string,
    cause: CauseId,
    confidence: number,
    says: (probe: CheckProbe) => string,
  ): Finding | null => {
    const probe = seen.probe(id);
    if (probe === null || !isOpen(probe.outcome)) return null;
    return { cause, confidence, evidence: says(probe), outcomes: [outcome], isDecided: true };
  };
  const originDecides = ORIGINS.some((id) => isOpen(seen.probe(id)?.outcome ?? ''));
  const sent = origin === null ? `without one ${outcome}` : `with the one that was sent (${origin}) ${outcome}`;
  return [
    worked(
      'other-slash',
      'wrong-path',
      0.94,
      ({ url }) => `${url} gets a 101, this path ${outcome}: the slash at its end decides.`,
    ),
    worked('own-origin', 'origin-refused', 0.93, () => `With the Origin of its own host it gets a 101, ${sent}.`),
    worked('with-origin', 'origin-refused', 0.93, () => `With the Origin of its own host it gets a 101, ${sent}.`),
    worked('without-origin', 'origin-refused', 0.93, () => `Without an Origin it gets a 101, ${sent}.`),
    // Version 8 calls it Sec-WebSocket-Origin: where the Origin is what is refused, it gets past.
    originDecides
      ? null
      : worked(
          'version-8',
          'version-mismatch',
          0.93,
          () => `Version 8 of the protocol gets a 101, version 13 gets ${outcome}.`,
        ),
    worked(
      'firefox-connection',
      'header-case',
      0.9,
      () => `With "Connection: keep-alive, Upgrade" it gets a 101, with "Connection: Upgrade" ${outcome}.`,
    ),
    // Where the same subprotocol gets its 101 past the gateway, the server knows it.
    seen.worksDirect
      ? null
      : worked(
          'without-subprotocol',
          'subprotocol-required',
          mayOverflow(evidence, outcome) ? 0.5 : 0.92,
          () =>
            `Without a subprotocol it gets a 101, with ${evidence.subprotocols.join(', ') || 'the one that was offered'} ${outcome}: the server does not know that one.`,
        ),
    diedOfProbes(check),
    otherScheme(evidence, outcome),
    ...hopBetween(evidence),
    sameDirect(evidence, outcome),
    ...withoutDirect(evidence, outcome),
  ];
}

const DIRECT = 'Ask the backend itself: wstampede check URL --direct ws://BACKEND.';

/** No probe went past the gateway: what the other probes make likely. */
function withoutDirect(evidence: Evidence, outcome: string): Finding[] {
  const { seen, check, failures } = evidence;
  if (seen.direct !== null || failures.some(isWorded)) return [];
  const outcomes = [outcome];
  const found = (cause: CauseId, confidence: number, evidence: string): Finding => ({
    cause,
    confidence,
    evidence,
    outcomes,
    apart: DIRECT,
  });
  const body = check?.answer?.body ?? '';
  if (
    seen.isOwnForAll &&
    seen.hop !== null &&
    outcome === '400' &&
    !TO_TLS_PORT.test(body) &&
    !/Large|Host/i.test(body)
  ) {
    const because = `${seen.hop.name} answers 400 with its own page to every request, an ordinary GET as well: something before it may send the PROXY protocol.`;
    return [found('proxy-protocol-mismatch', 0.62, because)];
  }
  if (seen.isOwnForAll && seen.hop !== null && outcome === '500') {
    const isNginx = seen.hop.id === 'nginx';
    const because = `${seen.hop.name} answers 500 with its own page to every request, an ordinary GET as well: `;
    const misconfigured = found('gateway-misconfigured', isNginx ? 0.5 : 0.65, `${because}its configuration fails.`);
    return isNginx
      ? [
          found(
            'auth-subrequest-failed',
            0.62,
            `${because}as when auth_request gets an answer other than 2xx, 401 and 403.`,
          ),
          misconfigured,
        ]
      : [misconfigured];
  }
  if (outcome === '502' && seen.backendAnswers === true) return onlyUpgrades(evidence, found);
  if (outcome === '400' && seen.upgradeArrives === true && body.trim() === '') {
    const because = `${seen.upgradeBecause}; it is refused without a word, as by a backend that compares Connection or Upgrade by their case, which a hop has changed.`;
    return [found('header-case', 0.62, because)];
  }
  return [];
}

function onlyUpgrades(
  evidence: Evidence,
  found: (cause: CauseId, confidence: number, evidence: string) => Finding,
): Finding[] {
  const { seen } = evidence;
  const get = `An ordinary GET is answered through it (${seen.plainGet}), and the handshake gets 502: only upgrades fail on that hop`;
  if (seen.hop?.id === 'haproxy' || seen.hop?.id === 'envoy') {
    return [found('http2-only', 0.6, `${get}, as when it speaks HTTP/2 to a server that knows no WebSocket over it.`)];
  }
  if (!offersLarge(evidence)) {
    return [found('head-over-proxy-buffer', 0.35, `${get}; the head of the 101 may be larger than its buffer.`)];
  }
  const isOpenWithout = isOpen(seen.probe('without-subprotocol')?.outcome ?? '');
  const without = isOpenWithout ? ', and without one the handshake gets its 101' : '';
  const because = `${get}${without}; a large subprotocol was offered, and a 101 that repeats it may be larger than its buffer.`;
  return [found('head-over-proxy-buffer', isOpenWithout ? 0.72 : 0.62, because)];
}

/** nginx says 502 itself where the head of the 101, which repeats the subprotocol, does not fit into its buffer. */
function mayOverflow(evidence: Evidence, outcome: string): boolean {
  return outcome === '502' && evidence.seen.hop?.own === true && offersLarge(evidence);
}

const NOBODY = new Set(['refused', 'timeout-connect', 'unreachable', 'reset-connect']);

/** It fails past the gateway too: the cause is behind the gateway. */
function sameDirect({ seen }: Evidence, outcome: string): Finding | null {
  if (seen.direct === null || isOpen(seen.direct.outcome)) return null;
  const { url, outcome: there } = seen.direct;
  const outcomes = [outcome];
  const said = `Past the gateway (${url}) the same handshake gets ${there}, through it ${outcome}`;
  if (NOBODY.has(there) && OF_GATEWAYS.has(outcome)) {
    const cause: CauseId = there === 'refused' ? 'backend-down' : 'backend-unreachable';
    return { cause, confidence: 0.92, evidence: `${said}: the backend does not take connections.`, outcomes };
  }
  if (there !== outcome) return null;
  const evidence = `${said}: the gateway passes on what its backend says.`;
  if (there === '404') return { cause: 'wrong-path', confidence: 0.78, evidence, outcomes };
  if (there === '200') return { cause: 'not-a-websocket-endpoint', confidence: 0.82, evidence, outcomes };
  return null;
}

/** Failures that do not show whether the port speaks the requested scheme. */
const MAY_BE_THE_SCHEME = new Set(['tls', 'timeout-tls', 'closed', 'reset', 'malformed', 'timeout-upgrade']);

function otherScheme({ seen }: Evidence, outcome: string): Finding | null {
  const probe = seen.probe('other-scheme');
  if (probe === null || !isStatus(probe.outcome) || !MAY_BE_THE_SCHEME.has(outcome)) return null;
  const scheme = probe.url.startsWith('wss:') ? 'ws' : 'wss';
  // Such a page comes from a TLS port; it does not show that the port speaks plain HTTP.
  if (scheme === 'wss' && TO_TLS_PORT.test(probe.sample?.body ?? '')) return null;
  const [asked, other] = scheme === 'wss' ? ['wss://', 'ws://'] : ['ws://', 'wss://'];
  return {
    cause: scheme === 'ws' ? 'tls-port' : 'plaintext-port',
    confidence: isOpen(probe.outcome) ? 0.95 : 0.82,
    evidence: `By ${other} the same port answers ${counted(1, probe.outcome)}, by ${asked} ${outcome}.`,
    outcomes: [outcome],
  };
}
