/**
 * What the probes of `check` showed, as answers to the questions that causes depend on: does Upgrade arrive, does the
 * backend answer, does the port speak TLS, what happens past the gateway. Computed once, so that no rule can overlook
 * it. null: no probe asked, or its answer says nothing.
 */
import { isOpen } from '../names/outcomes.js';
import type { Check, CheckProbe, ProbeId } from '../result/check-facts.js';
import { type Hop, recogniseHop } from './hops.js';

export interface Seen {
  /** Something behind the port treats an upgrade differently from an ordinary GET. false: both get the same answer. */
  readonly upgradeArrives: boolean | null;
  /** The sentence that explains it. */
  readonly upgradeBecause: string;
  /** An ordinary GET to the same port got an answer that is not a gateway's. */
  readonly backendAnswers: boolean | null;
  /** The answer to an ordinary GET. */
  readonly plainGet: string | null;
  /** The hop's own page came for an ordinary GET too. */
  readonly isOwnForAll: boolean;
  /** The port proved that it speaks TLS; false: it proved that it does not. */
  readonly speaksTls: boolean | null;
  /** The same handshake past the gateway. */
  readonly direct: CheckProbe | null;
  /** It got its 101 there: the backend itself works. */
  readonly worksDirect: boolean;
  readonly hop: Hop | null;
  readonly probe: (id: string) => CheckProbe | null;
}

/** Statuses with which gateways report a problem of their backend. */
export const OF_GATEWAYS: ReadonlySet<string> = new Set([
  '502',
  '503',
  '504',
  '520',
  '521',
  '522',
  '523',
  '524',
  '530',
]);
/** Sent to clients that come too often, whatever they request. */
const BY_CHANCE = new Set(['429', '503']);
const NO_TLS = /WRONG_VERSION|PACKET_LENGTH|HTTP_REQUEST/i;
/** Alerts are TLS records (RFC 8446 section 6), and a server that sends a certificate speaks TLS. */
const PROVES_TLS =
  /ALERT|UNRECOGNIZED_NAME|HANDSHAKE_FAILURE|PROTOCOL_VERSION|CERT|SELF_SIGNED|ALTNAME|UNABLE_TO|NO_APPLICATION_PROTOCOL|INTERNAL_ERROR/i;
/** What servers answer when a plaintext request reaches their TLS port. */
export const TO_TLS_PORT =
  /plain HTTP request was sent to HTTPS port|speaking plain HTTP to an SSL-enabled|HTTP request to an HTTPS server/i;

export function isStatus(outcome: string): boolean {
  return /^\d+$/.test(outcome);
}

/** What the code of a TLS failure proves about the port. */
function tlsShownBy(detail: string | null): boolean | null {
  if (detail === null) return null;
  if (PROVES_TLS.test(detail) && !/WRONG_VERSION/i.test(detail)) return true;
  return NO_TLS.test(detail) ? false : null;
}

const NOTHING_SEEN: Seen = {
  upgradeArrives: null,
  upgradeBecause: '',
  backendAnswers: null,
  plainGet: null,
  isOwnForAll: false,
  speaksTls: null,
  direct: null,
  worksDirect: false,
  hop: null,
  probe: () => null,
};

export function seenBy(check: Check | null, scheme: 'ws' | 'wss'): Seen {
  if (check === null) return NOTHING_SEEN;
  const probe = (id: string): CheckProbe | null => check.probes.find((one) => one.id === (id as ProbeId)) ?? null;
  const get = probe('without-upgrade');
  const getHop = get?.sample == null ? null : recogniseHop(get.sample);
  const hop = check.answer === null ? null : recogniseHop(check.answer);
  const [upgradeArrives, upgradeBecause] = arrives(check, get, probe('version-8'));
  return {
    upgradeArrives,
    upgradeBecause,
    backendAnswers: answers(get, getHop),
    plainGet: get?.outcome ?? null,
    isOwnForAll: hop?.own === true && getHop?.own === true && getHop.id === hop.id && get?.outcome === check.outcome,
    speaksTls: askedOver(probe('other-scheme'), scheme) === 'wss' ? ownTls(check) : otherTls(probe('other-scheme')),
    direct: probe('direct'),
    worksDirect: isOpen(probe('direct')?.outcome ?? ''),
    hop,
    probe,
  };
}

function arrives(
  { outcome }: Check,
  get: CheckProbe | null,
  old: CheckProbe | null,
): readonly [boolean | null, string] {
  if (isOpen(outcome)) return [true, 'the handshake got its 101'];
  const isAnswered = isStatus(outcome) || /^(closed|reset|timeout-upgrade)$/.test(outcome);
  if (get !== null && isAnswered && isStatus(get.outcome) && !BY_CHANCE.has(get.outcome) && !BY_CHANCE.has(outcome)) {
    if (get.outcome !== outcome) {
      return [true, `an ordinary GET got ${get.outcome} there, and the handshake ${outcome}, so Upgrade does arrive`];
    }
    if (!OF_GATEWAYS.has(outcome) && !/^(401|403|407)$/.test(outcome) && !differs(old, outcome)) {
      return [false, `an ordinary GET gets ${get.outcome} as well`];
    }
  }
  if (differs(old, outcome)) {
    return [
      true,
      `version 8 of the protocol got ${old?.outcome} there and 13 got ${outcome}, so the handshake is read`,
    ];
  }
  return [null, ''];
}

function differs(old: CheckProbe | null, outcome: string): boolean {
  return (
    old !== null && isStatus(old.outcome) && isStatus(outcome) && old.outcome !== outcome && !isByChance(old, outcome)
  );
}

function isByChance({ outcome: one }: CheckProbe, other: string): boolean {
  return BY_CHANCE.has(one) || BY_CHANCE.has(other) || OF_GATEWAYS.has(one);
}

function answers(get: CheckProbe | null, hop: Hop | null): boolean | null {
  if (get === null || !isStatus(get.outcome)) return null;
  if (OF_GATEWAYS.has(get.outcome)) return false;
  return hop?.own === true && hop.id !== 'express' ? null : true;
}

/** The scheme of the probe with the other scheme. */
function askedOver(other: CheckProbe | null, scheme: 'ws' | 'wss'): 'ws' | 'wss' {
  if (other === null) return scheme;
  return other.url.startsWith('wss:') ? 'ws' : 'wss';
}

/** For a port that was asked with wss. */
function ownTls({ tls, outcome, detail, firstByteMs }: Check): boolean | null {
  if (tls !== null && tls.protocol !== null) return true;
  if (firstByteMs !== null && isStatus(outcome)) return true;
  return tlsShownBy(`${tls?.failure ?? ''} ${outcome === 'tls' ? (detail ?? '') : ''}`.trim() || null);
}

/** For a port that was asked with ws: from the probe with wss. */
function otherTls(probe: CheckProbe | null): boolean | null {
  if (probe === null) return null;
  if (isStatus(probe.outcome) || probe.outcome === 'invalid-101') return true;
  return probe.outcome === 'tls' ? tlsShownBy(probe.detail ?? probe.sample?.detail ?? null) : null;
}
