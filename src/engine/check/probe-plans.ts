/**
 * The probes of a checkup, as data: the same handshake with one change each, when that can tell something, and the plan
 * and request for it. probe-words.ts interprets the answers.
 */
import type { Plan, Target } from '../../plan/plan.js';
import type { ProbeId } from '../../result/check-facts.js';

export interface ProbePlan {
  readonly id: ProbeId;
  /** One sentence. */
  readonly asks: string;
  readonly plan: Plan;
  /** Changes the request's bytes in ways that a plan cannot express. */
  readonly rewrite?: (request: string) => string;
  /** Shorter limit for probes where silence is an answer too, so that the usual deadline would be wasted. */
  readonly mostMs?: number;
}

/** A port that does not speak the scheme may wait for the rest of what looks like a request to it. */
const OTHER_SCHEME_MS = 3000;

/** How far the handshake itself came. */
export type Reached = 'nowhere' | 'tcp' | 'request';

/** The probes that can tell something after a handshake that got this far. */
export function probesFor(plan: Plan, reached: Reached): ProbePlan[] {
  if (reached === 'nowhere') return [];
  if (reached === 'tcp') return [otherScheme(plan)];
  return [
    {
      id: 'without-upgrade',
      asks: 'An ordinary GET, without Upgrade and Connection: what a hop that strips them makes of the handshake.',
      plan,
      rewrite: withoutUpgrade,
    },
    {
      id: 'version-8',
      asks: 'Sec-WebSocket-Version: 8 in place of 13: only what reads the handshake can tell them apart.',
      plan,
      rewrite: (request) => request.replace(/^Sec-WebSocket-Version: 13\r$/m, 'Sec-WebSocket-Version: 8\r'),
    },
    ...originProbes(plan),
    otherScheme(plan),
    ...slashProbe(plan),
  ];
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

function withoutUpgrade(request: string): string {
  return request.replace(/^(?:Upgrade|Connection|Sec-WebSocket-[A-Za-z]+): .*\r\n/gim, '');
}

/** The Origin that a browser would send from a page of the same site. */
function ownOrigin({ scheme, host, port }: Target): string {
  const name = host.includes(':') ? `[${host}]` : host;
  const standard = scheme === 'wss' ? 443 : 80;
  return `${scheme === 'wss' ? 'https' : 'http'}://${name}${port === standard ? '' : `:${port}`}`;
}

function originProbes(plan: Plan): ProbePlan[] {
  const { target } = plan;
  const own = ownOrigin(target);
  const headers = target.headers.filter(([name]) => name.toLowerCase() !== 'origin');
  const given = target.origin ?? target.headers.find(([name]) => name.toLowerCase() === 'origin')?.[1] ?? null;
  const withOwn: ProbePlan = {
    id: 'with-origin',
    asks: `With Origin: ${own}, as a browser on a page of the same site.`,
    plan: { ...plan, target: { ...target, headers, origin: own } },
  };
  if (given === null) return [withOwn];
  const without: ProbePlan = {
    id: 'without-origin',
    asks: 'Without Origin, as a client that is no browser.',
    plan: { ...plan, target: { ...target, headers, origin: null } },
  };
  return given === own ? [without] : [withOwn, without];
}

/**
 * The same port with the other scheme. It carries none of the user's headers, subprotocols or query: they would cross
 * the network in clear text, or reach a server whose certificate was not verified.
 */
function otherScheme(plan: Plan): ProbePlan {
  const { target } = plan;
  const scheme = target.scheme === 'wss' ? 'ws' : 'wss';
  const path = pathOf(target.path);
  return {
    id: 'other-scheme',
    asks: `${scheme}:// on the same port, without your headers and query, any certificate accepted.`,
    mostMs: OTHER_SCHEME_MS,
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

function slashProbe(plan: Plan): ProbePlan[] {
  const { target } = plan;
  const path = pathOf(target.path);
  if (path === '/') return [];
  const other = (path.endsWith('/') ? path.slice(0, -1) : `${path}/`) + target.path.slice(path.length);
  const asks = path.endsWith('/') ? 'The path without its slash at the end.' : 'The path with a slash at its end.';
  return [
    {
      id: 'other-slash',
      asks,
      plan: { ...plan, target: { ...target, path: other, url: urlOf({ ...target, path: other }) } },
    },
  ];
}

/** Without the query; a `?` inside a template does not start one. */
function pathOf(path: string): string {
  return /^(?:\{\{.*?\}\}|[^?])*/s.exec(path)?.[0] ?? path;
}

function urlOf({ scheme, host, port, path }: Pick<Target, 'scheme' | 'host' | 'port' | 'path'>): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `${scheme}://${name}${port === (scheme === 'wss' ? 443 : 80) ? '' : `:${port}`}${path}`;
}
