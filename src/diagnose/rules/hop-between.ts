/**
 * The handshake works past the gateway but not through it: what does the hop between change? Read together with the
 * other probes: whether Upgrade arrives, whether an ordinary GET is answered, and whose page came.
 */
import type { CauseId } from '../causes.js';
import type { Evidence } from '../evidence.js';
import { type Finding, offersLarge } from '../finding.js';
import { isWsAnswer } from '../hops.js';
import { isStatus, OF_GATEWAYS, TO_TLS_PORT } from '../observations.js';
import { isLoginPage } from './wording.js';

const APART =
  'The log of the gateway says which address and path it dialled and what came back; log in the backend with which path, Host, Upgrade and Connection the request arrives.';

interface HopReading {
  readonly cause: CauseId;
  readonly confidence: number;
  readonly because: string;
}

/** nginx reads the head of a response into one buffer: 4 KiB or 8 KiB by default. */
const USUAL_BUFFER_BYTES = 4096;

export function hopBetween(evidence: Evidence): Finding[] {
  const { check, seen } = evidence;
  if (check === null || !seen.worksDirect) return [];
  const { outcome } = check;
  if (evidence.failures.some(isLoginPage)) return [];
  return readings(evidence, outcome).map(({ cause, confidence, because }) => ({
    cause,
    confidence,
    evidence: `Past the gateway (${seen.direct?.url}) the same handshake gets a 101, through it ${outcome}: ${because}`,
    outcomes: [outcome],
    apart: APART,
    isDecided: true,
  }));
}

function readings(evidence: Evidence, outcome: string): HopReading[] {
  const { seen, check } = evidence;
  if (TO_TLS_PORT.test(check?.answer?.body ?? '')) {
    return [
      {
        cause: 'gateway-misconfigured',
        confidence: 0.9,
        because:
          'the page says that plain HTTP was sent to a TLS port, and it was the gateway that sent it to its backend.',
      },
    ];
  }
  if (outcome === '426') {
    return [{ cause: 'upgrade-not-forwarded', confidence: 0.95, because: 'the hop between strips Upgrade.' }];
  }
  if (outcome === '502' || outcome === '503') return badGateway(evidence, outcome);
  if (seen.upgradeArrives === true) return arrivesOtherwise(evidence, outcome);
  if (seen.hop?.own === true && seen.hop.id !== 'express') {
    const own = ownPage(evidence, outcome, seen.hop.id, seen.hop.name);
    if (own.length > 0) return own;
  }
  return stripped(evidence, outcome);
}

/** The hop wrote the page: it did not reach its backend, or got no answer. */
function ownPage({ seen }: Evidence, outcome: string, id: string, name: string): HopReading[] {
  const page = `the page is ${name}'s own`;
  const all = seen.isOwnForAll ? ', for an ordinary GET as well' : '';
  switch (outcome) {
    case '404':
      return [{ cause: 'wrong-path', confidence: 0.82, because: `${page}: no route of it has this path.` }];
    case '403':
      return [{ cause: 'forbidden', confidence: 0.78, because: `${page}: a rule of it forbids the request.` }];
    case '401':
    case '407':
      return [{ cause: 'auth-refused', confidence: 0.82, because: `${page}: the hop itself asks for credentials.` }];
    case '400':
      return [
        {
          cause: 'proxy-protocol-mismatch',
          confidence: seen.isOwnForAll ? 0.65 : 0.4,
          because: `${page}${all}: something before it sends the PROXY protocol, which it does not expect.`,
        },
        { cause: 'bad-request', confidence: 0.45, because: `${page}: or it dislikes the Host or another header.` },
      ];
    case '500':
      return id === 'nginx'
        ? [
            {
              cause: 'auth-subrequest-failed',
              confidence: 0.72,
              because: `${page}${all}: auth_request got an answer other than 2xx, 401 and 403, or another part of the configuration fails.`,
            },
            { cause: 'gateway-misconfigured', confidence: 0.5, because: `${page}: its error log has the reason.` },
          ]
        : [
            {
              cause: 'gateway-misconfigured',
              confidence: 0.78,
              because: `${page}${all}, and the backend is well: ${
                id === 'apache'
                  ? 'as when no module handles the scheme of the backend (AH01144: proxy_http, proxy_wstunnel).'
                  : 'its configuration fails.'
              }`,
            },
          ];
    default:
      return [];
  }
}

/**
 * 502 or 503 of a gateway whose backend answers 101: the answer to an ordinary GET shows whether the two are connected.
 */
function badGateway(evidence: Evidence, outcome: string): HopReading[] {
  const { seen, check } = evidence;
  if (seen.backendAnswers === true) return onlyUpgradesFail(evidence);
  const atOnce = (check?.answer?.atMs ?? 0) <= 1000;
  const id = seen.hop?.id ?? null;
  if (outcome === '503' && atOnce && id !== 'nginx' && id !== 'apache' && id !== 'lighttpd') {
    return [
      {
        cause: 'health-check-fails',
        confidence: 0.85,
        because: 'the load balancer holds its servers for down without asking them, and the backend is well.',
      },
      { cause: 'gateway-misconfigured', confidence: 0.4, because: 'or it dials another address or port.' },
    ];
  }
  const get = seen.plainGet === null ? '' : `an ordinary GET gets ${seen.plainGet} too, so `;
  return [
    {
      cause: 'gateway-misconfigured',
      confidence: 0.7,
      because: `${get}the hop does not come through to the backend that answers directly: another address or port, a name that it cannot look up, https:// to a port that speaks none.`,
    },
    {
      cause: 'backend-down',
      confidence: 0.45,
      because: 'or the hop dials another backend, where nothing listens.',
    },
  ];
}

function onlyUpgradesFail(evidence: Evidence): HopReading[] {
  const { seen } = evidence;
  const get = `an ordinary GET is answered through it (${seen.plainGet}), so only upgrades fail on that hop; `;
  const bytes = seen.direct?.headBytes ?? null;
  if (bytes !== null && bytes > 0.95 * USUAL_BUFFER_BYTES) {
    return [
      {
        cause: 'head-over-proxy-buffer',
        confidence: 0.88,
        because: `${get}the head of the 101 has ${bytes} bytes, more than its buffer for it (4 KiB or 8 KiB by default).`,
      },
    ];
  }
  const died: HopReading = {
    cause: 'backend-died',
    confidence: 0.4,
    because: `${get}the backend ends the connection over what the hop makes of this handshake.`,
  };
  const case_: HopReading = {
    cause: 'header-case',
    confidence: 0.35,
    because: `${get}or a header of it arrives otherwise.`,
  };
  if (seen.hop?.id === 'haproxy' || seen.hop?.id === 'envoy') {
    return [
      {
        cause: 'http2-only',
        confidence: 0.65,
        because: `${get}as when the hop speaks HTTP/2 to a server that knows no WebSocket over it (RFC 8441).`,
      },
      died,
    ];
  }
  const isLarge = bytes === null && offersLarge(evidence);
  const buffer: HopReading = {
    cause: 'head-over-proxy-buffer',
    confidence: isLarge ? 0.62 : 0.35,
    because: `${get}the head of the 101 may be larger than its buffer.`,
  };
  return isLarge ? [buffer, died] : [{ ...died, confidence: 0.5 }, case_, ...(bytes === null ? [buffer] : [])];
}

/** Upgrade reaches a server that refuses it, and the same server accepts it from here. */
function arrivesOtherwise({ seen, origin }: Evidence, outcome: string): HopReading[] {
  const arrives = `${seen.upgradeBecause}; `;
  const differs: HopReading = {
    cause: 'header-case',
    confidence: 0.72,
    because: `${arrives}the hop changes a header: Connection: upgrade in lower case, the order of a list, Host.`,
  };
  const path: HopReading = {
    cause: 'wrong-path',
    confidence: 0.4,
    because: `${arrives}or it asks the backend for another path or Host.`,
  };
  if (outcome === '404' || outcome === '410')
    return [
      { ...path, confidence: 0.65 },
      { ...differs, confidence: 0.35 },
    ];
  if (outcome === '403' || outcome === '401') {
    const refused: HopReading =
      origin === null
        ? {
            cause: outcome === '401' ? 'auth-refused' : 'forbidden',
            confidence: 0.6,
            because: `${arrives}a rule of the hop, or of the backend for clients that come through it.`,
          }
        : {
            cause: 'origin-refused',
            confidence: 0.6,
            because: `${arrives}a backend that compares Origin with Host refuses it when the hop changes Host.`,
          };
    return [refused, { ...differs, confidence: 0.4 }];
  }
  if (seen.hop?.own === true && isStatus(outcome) && outcome !== '504') {
    return [
      { cause: 'gateway-misconfigured', confidence: 0.65, because: `${arrives}the page is ${seen.hop.name}'s own.` },
    ];
  }
  if (!isStatus(outcome) || outcome === '504') {
    return [
      { ...differs, confidence: 0.5, because: `${arrives}what the hop makes of the handshake is never answered.` },
      path,
    ];
  }
  return [differs, path];
}

/** The backend's ordinary page came in response to a handshake. */
function stripped({ seen, check }: Evidence, outcome: string): HopReading[] {
  const alike = seen.upgradeArrives === false;
  const get = alike ? `${seen.upgradeBecause}: ` : '';
  if (check?.answer != null && outcome === '400' && isWsAnswer(check.answer) && !alike) {
    return [{ cause: 'wrong-path', confidence: 0.6, because: 'a ws server answers so to a path that is not its own.' }];
  }
  if (outcome === '504') {
    return [
      {
        cause: 'upgrade-not-forwarded',
        confidence: 0.75,
        because: 'the backend answers handshakes, and never answers what the hop makes of this one.',
      },
      {
        cause: 'backend-unreachable',
        confidence: 0.45,
        because: 'or the hop dials another address, and nothing answers there.',
      },
    ];
  }
  if (OF_GATEWAYS.has(outcome) || !isStatus(outcome)) {
    return [
      {
        cause: 'gateway-misconfigured',
        confidence: 0.55,
        because: `${get}what the hop does with the handshake ends before it is answered.`,
      },
    ];
  }
  if (/^(401|407)$/.test(outcome)) {
    return [{ cause: 'auth-refused', confidence: 0.7, because: 'the hop, or what it asks, wants credentials.' }];
  }
  if (!/^(200|204|400|403|404|405|406|410|415|500|501|505)$/.test(outcome)) return [];
  return [
    {
      cause: 'upgrade-not-forwarded',
      confidence: alike ? 0.85 : 0.75,
      because: `${get}the hop between strips Upgrade.`,
    },
    { cause: 'wrong-path', confidence: 0.45, because: `${get}or it asks the backend for another path or Host.` },
  ];
}
