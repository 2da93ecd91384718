/**
 * The probes of a checkup, as data: the same handshake with one thing changed, after which ends of the handshake a rule of
 * the diagnosis reads the answer (no other is sent), and the request that it comes to. What an answer means is in
 * probe-words.ts, in which order and how long they are asked in probing.ts.
 */

import { isOpen, type OutcomeId } from '../../names/outcomes.js';
import type { Plan, Target } from '../../plan/plan.js';
import type { SentProbeId } from '../../result/check-facts.js';

export interface ProbePlan {
  readonly id: SentProbeId;
  /** One sentence. */
  readonly asks: string;
  readonly plan: Plan;
  /** Changes the request's bytes in ways that a plan cannot express. */
  readonly rewrite?: (request: string) => string;
  /** Shorter limit for probes where silence is an answer too, so that the usual deadline would be wasted. */
  readonly mostMs?: number | undefined;
  /** No client of the field sends it: what a server does then has never been tried. */
  readonly isRisky?: true | undefined;
}

/** How the handshake itself ended, as far as probes differ by it. */
export type ProbeEnd = 'nowhere' | 'in-tls' | 'opened' | 'answered' | 'unanswered';

/** After silence: what works where the handshake does not works at once. */
const QUICK_MS = 3000;

interface ProbeRow {
  readonly id: SentProbeId;
  readonly after: readonly ProbeEnd[];
  /** null: it would change nothing. */
  readonly of: (plan: Plan, outcome: OutcomeId) => Change | null;
  /** Silence of the same length as the handshake's is what it is asked for. */
  readonly isPatient?: true;
  readonly isRisky?: true;
}

type Change = Omit<ProbePlan, 'id'>;

const FAILED = ['answered', 'unanswered'] as const;

/**
 * In the order of sending. First what every server gets from browsers and other clients anyway; last what is most likely to
 * fail there, so that what it may do to the service can't spoil the others.
 */
const ROWS: readonly ProbeRow[] = [
  { id: 'firefox-connection', after: ['opened', ...FAILED], of: firefoxConnection },
  { id: 'own-origin', after: ['opened', ...FAILED], of: withOwnOrigin },
  { id: 'without-origin', after: FAILED, of: withoutOrigin },
  { id: 'without-subprotocol', after: FAILED, of: withoutSubprotocol },
  { id: 'without-upgrade', after: FAILED, of: withoutUpgrade, isPatient: true },
  { id: 'version-8', after: FAILED, of: otherVersion, isRisky: true },
  { id: 'other-scheme', after: ['in-tls', ...FAILED], of: otherScheme, isRisky: true },
  { id: 'other-slash', after: FAILED, of: otherSlash, isRisky: true },
];

/** How a handshake ended that came so far. */
export function endedAs(outcome: OutcomeId, isConnected: boolean, hasSent: boolean): ProbeEnd {
  if (!isConnected) return 'nowhere';
  if (!hasSent) return 'in-tls';
  if (isOpen(outcome)) return 'opened';
  return /^\d+$/.test(outcome) && outcome !== '504' ? 'answered' : 'unanswered';
}

/** Those whose answer a rule reads, in the order of sending. */
export function probesFor(plan: Plan, outcome: OutcomeId, ended: ProbeEnd): ProbePlan[] {
  return ROWS.flatMap(({ id, after, of, isPatient, isRisky }): ProbePlan[] => {
    const probe = after.includes(ended) ? of(plan, outcome) : null;
    if (probe === null) return [];
    const mostMs = ended === 'unanswered' && isPatient !== true ? QUICK_MS : undefined;
    return [{ id, mostMs, isRisky, ...probe }];
  });
}

export function directProbe(direct: Plan): ProbePlan {
  return { id: 'direct', asks: 'The same handshake past the gateway: it tells which hop fails.', plan: direct };
}

/** The plan for the target of `--direct`; everything else is as in the handshake itself. */
export function directPlan(plan: Plan, direct: Pick<Target, 'scheme' | 'host' | 'port' | 'path'>): Plan {
  const { scheme, host, port } = direct;
  const { tls } = plan.target;
  // An address without a path means: the same path there.
  const path = direct.path === '/' ? plan.target.path : direct.path;
  return {
    ...plan,
    target: {
      ...plan.target,
      url: urlOf({ scheme, host, port, path }),
      scheme,
      host,
      port,
      path,
      connectTo: null,
      tls: { ...tls, servername: null },
      headers: plan.target.headers.filter(([name]) => name.toLowerCase() !== 'host'),
    },
  };
}

function firefoxConnection(plan: Plan): Change {
  return {
    asks: 'Connection: keep-alive, Upgrade, as Firefox sends it.',
    plan,
    rewrite: (request) => request.replace(/^(Connection): .*\r$/im, '$1: keep-alive, Upgrade\r'),
  };
}

/** What these say does not hang on whether an ordinary GET is answered otherwise. */
const CLEAR_WITHOUT_A_GET: ReadonlySet<string> = new Set(['426', 'invalid-101', 'malformed']);

function withoutUpgrade(plan: Plan, outcome: OutcomeId): Change | null {
  // That a 401 is given for an upgrade alone speaks for the Origin, where one was sent.
  if (CLEAR_WITHOUT_A_GET.has(outcome) || (outcome === '401' && givenOrigin(plan.target) === null)) return null;
  return {
    asks: 'An ordinary GET, without Upgrade and Connection: what a hop that strips them makes of the handshake.',
    plan,
    rewrite: (request) => request.replace(/^(?:Upgrade|Connection|Sec-WebSocket-[A-Za-z]+): .*\r\n/gim, ''),
  };
}

function otherVersion(plan: Plan): Change {
  return {
    asks: 'Sec-WebSocket-Version: 8 in place of 13: only what reads the handshake can tell them apart.',
    plan,
    rewrite: (request) => request.replace(/^Sec-WebSocket-Version: 13\r$/m, 'Sec-WebSocket-Version: 8\r'),
  };
}

/** Where the handshake carried an Origin and got its 101, others may well be refused. */
function withOwnOrigin(plan: Plan, outcome: OutcomeId): Change | null {
  const own = ownOrigin(plan.target);
  const given = givenOrigin(plan.target);
  if (given === own || (given !== null && isOpen(outcome))) return null;
  return {
    asks: `With Origin: ${own}, as a browser on a page of the same site.`,
    plan: { ...plan, target: { ...plan.target, headers: headersWithout(plan.target, 'origin'), origin: own } },
  };
}

function withoutOrigin(plan: Plan): Change | null {
  if (givenOrigin(plan.target) === null) return null;
  return {
    asks: 'Without Origin, as a client that is no browser.',
    plan: { ...plan, target: { ...plan.target, headers: headersWithout(plan.target, 'origin'), origin: null } },
  };
}

function withoutSubprotocol(plan: Plan): Change | null {
  const headers = headersWithout(plan.target, SUBPROTOCOL);
  if (plan.target.subprotocols.length === 0 && headers.length === plan.target.headers.length) return null;
  return {
    asks: 'Without a subprotocol.',
    plan: { ...plan, target: { ...plan.target, headers, subprotocols: [] } },
  };
}

const SUBPROTOCOL = 'sec-websocket-protocol';

function headersWithout({ headers }: Target, name: string): Target['headers'] {
  return headers.filter(([one]) => one.toLowerCase() !== name);
}

function header({ headers }: Target, name: string): string | null {
  return headers.find(([one]) => one.toLowerCase() === name)?.[1] ?? null;
}

function givenOrigin(target: Target): string | null {
  return target.origin ?? header(target, 'origin');
}

/** The Origin that a browser would send from a page of the same site. */
function ownOrigin(target: Target): string {
  const { scheme, host, port } = target;
  const page = scheme === 'wss' ? 'https' : 'http';
  const given = header(target, 'host');
  if (given !== null) return `${page}://${given}`;
  const name = host.includes(':') ? `[${host}]` : host;
  const standard = scheme === 'wss' ? 443 : 80;
  return `${page}://${name}${port === standard ? '' : `:${port}`}`;
}

/**
 * The same port with the other scheme. It carries none of the user's headers, subprotocols or query: they would cross
 * the network in clear text, or reach a server whose certificate was not verified.
 */
function otherScheme(plan: Plan, outcome: OutcomeId): Change | null {
  // Of an HTTP answer only a 400 may be a TLS port's word about plain HTTP.
  if (/^(?:\d+|invalid-101)$/.test(outcome) && outcome !== '400') return null;
  const { target } = plan;
  const scheme = target.scheme === 'wss' ? 'ws' : 'wss';
  const path = pathOf(target.path);
  return {
    asks: `${scheme}:// on the same port, without your headers and query, any certificate accepted.`,
    // A port that does not speak a scheme may wait for the rest of what it takes to be a request.
    mostMs: QUICK_MS,
    plan: {
      ...plan,
      target: {
        ...target,
        scheme,
        path,
        url: urlOf({ ...target, scheme, path }),
        headers: [],
        subprotocols: [],
        tls: { ...target.tls, insecure: true },
      },
    },
  };
}

function otherSlash(plan: Plan): Change | null {
  const { target } = plan;
  const path = pathOf(target.path);
  if (path === '/') return null;
  const other = (path.endsWith('/') ? path.slice(0, -1) : `${path}/`) + target.path.slice(path.length);
  const asks = path.endsWith('/') ? 'The path without its slash at the end.' : 'The path with a slash at its end.';
  return { asks, plan: { ...plan, target: { ...target, path: other, url: urlOf({ ...target, path: other }) } } };
}

/** Without the query; a `?` inside a template does not start one. */
function pathOf(path: string): string {
  return /^(?:\{\{.*?\}\}|[^?])*/s.exec(path)?.[0] ?? path;
}

function urlOf({ scheme, host, port, path }: Pick<Target, 'scheme' | 'host' | 'port' | 'path'>): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `${scheme}://${name}${port === (scheme === 'wss' ? 443 : 80) ? '' : `:${port}`}${path}`;
}
