/**
 * The two halves of the cases, by a seed: the open one, which the rules of the diagnosis may be written by, and the blind
 * one, of other numbers and partly of other kinds, by which they are judged. Each half draws from a stream of its own.
 */
import { type Case, Draw, type Maker, oneOf } from './diagnose-case.js';
import * as healthy from './diagnose-cases-healthy.js';
import * as limits from './diagnose-cases-limits.js';
import { BLIND_RAW, OPEN_RAW } from './diagnose-cases-raw.js';
import * as setup from './diagnose-cases-setup.js';
import * as slow from './diagnose-cases-slow.js';

export const HALVES = ['open', 'blind'] as const;
export type Half = (typeof HALVES)[number];
export const DEFAULT_SEED = 4;

const OPEN: readonly Maker[] = [
  // T and S stated.
  slow.timed('lab', 1000, 5),
  slow.timed('client', 3000, 10),
  slow.timed('nginx', 2000, 20),
  slow.timed('haproxy', 1000, 5),
  slow.timed('client', 1000, 5),
  slow.timed('nginx', 3000, 10),
  // Healthy.
  healthy.plain,
  healthy.large,
  healthy.overTls,
  healthy.held,
  healthy.checked,
  healthy.through('nginx', true),
  healthy.slowButFine('haproxy'),
  healthy.pacedNginx,
  // Slow.
  slow.serialLab,
  slow.serialThrough('nginx'),
  slow.serialThrough('haproxy'),
  slow.serialThrough('caddy'),
  slow.concurrentLab,
  slow.concurrentThrough('nginx'),
  slow.deadWorkLab,
  oneOf(slow.negativeCacheLab, limits.remembered('nginx')),
  slow.cpuLab,
  slow.slowAccept,
  slow.queueBehind('haproxy'),
  // Limits.
  limits.limitSeveral('503', '503'),
  limits.limitTwoSizes('reset', 'reset'),
  limits.limitQueue,
  limits.limitConnNginx('503'),
  oneOf(limits.workerConnectionsNginx, limits.maxConnectionsBehind('haproxy')),
  oneOf(limits.globalMaxconnHaproxy, limits.frontendMaxconnHaproxy),
  limits.limitReqNginx,
  limits.rateChurn,
  limits.rateRetryAfter,
  oneOf(limits.descriptorsLab, limits.sourcePortsHaproxy),
  // Set up, away, dead.
  setup.down('nginx'),
  oneOf(setup.down('haproxy'), setup.unreachable, setup.unreachableThrough('haproxy')),
  setup.died('nginx'),
  setup.hangs('nginx'),
  setup.closed('nginx', 'port'),
  oneOf(setup.closed('haproxy', 'express'), setup.closed('haproxy', 'bare'), setup.closedLab('port', '502')),
  setup.strippedBurst('nginx'),
  setup.stripped('haproxy', 'express'),
  setup.stripped('nginx', 'bare'),
  oneOf(
    setup.labAll('wrong-path', '400', { answer: '400' }),
    setup.labAll('version-mismatch', '400', { answer: '400' }),
  ),
  oneOf(setup.labAll('auth-refused', '401'), setup.labAll('forbidden', '403'), setup.deniedHaproxy),
  oneOf(setup.labAll('redirect', '301', { answer: '301' }), setup.labAll('redirect', '307', { answer: '307' })),
  oneOf(
    setup.tlsWrong('expired'),
    setup.tlsWrong('unknown-ca'),
    setup.tlsWrong('old-version'),
    setup.labAll('tls-self-signed', 'tls'),
  ),
  oneOf(setup.labChecked('tls-port', 'closed', { answer: 'closed' }), setup.labAll('tls-port', '400')),
  oneOf(setup.cut('idle-cut', 'fin'), setup.idleChecked),
];

const OPEN_UNDECIDABLE: readonly Maker[] = [
  limits.undecidedLimit,
  limits.undecidedRate,
  setup.hangsUndecided('nginx'),
  oneOf(setup.strippedUndecided('nginx', 'express'), setup.labAll('wrong-path', '404', {}, { group: 'undecidable' })),
  setup.labAll('plain-site', '200', {}, { group: 'undecidable' }),
];

const BLIND: readonly Maker[] = [
  // T and S stated.
  slow.timed('lab', 3000, 10),
  slow.timed('client', 2000, 20),
  slow.timed('nginx', 1000, 5),
  slow.timed('haproxy', 3000, 10),
  slow.timed('lab', 2000, 20),
  slow.timed('haproxy', 2000, 20),
  // Healthy.
  healthy.streamed,
  healthy.through('haproxy'),
  healthy.through('caddy', true),
  healthy.slowButFineLab,
  healthy.slowTogether,
  healthy.pacedHaproxy,
  healthy.withinLimit,
  // Slow.
  slow.serialLab,
  slow.serialThrough('nginx', true),
  slow.serialThrough('haproxy'),
  slow.serialThrough('apache2'),
  slow.concurrentLab,
  slow.concurrentThrough('haproxy'),
  slow.deadWorkNginx,
  oneOf(slow.poisonedNginx, limits.remembered('haproxy')),
  slow.queueDirect,
  slow.queueBehind('nginx'),
  slow.phantoms,
  // Limits.
  limits.limitTwoSizes('503', '503'),
  limits.limitSeveral('closed', 'closed'),
  limits.limitSilent,
  limits.limitConnNginx('429'),
  limits.serverMaxconnHaproxy,
  limits.maxConnectionsBehind('nginx'),
  limits.requestWorkersApache,
  limits.rateSeveral,
  limits.rateRetryAfter,
  oneOf(limits.stickTableHaproxy, setup.tarpitHaproxy),
  oneOf(limits.descriptorsNginx, limits.descriptorsCaddy),
  // Set up, away, dead.
  setup.down('caddy', true),
  setup.down('apache2'),
  oneOf(setup.diedLab, setup.died('haproxy')),
  setup.hangs('haproxy'),
  setup.closedLab('noserver', '503'),
  oneOf(setup.closedChecked('nginx', 'handler'), setup.closedChecked('haproxy', 'port')),
  setup.strippedBurst('caddy', true),
  setup.stripped('nginx', 'handler'),
  setup.stripped('haproxy', 'site'),
  oneOf(
    setup.labAll('version-mismatch', '426'),
    setup.labAll('application-error', '500'),
    setup.labChecked('origin-refused', '403', {}, { args: ['--origin', 'https://elsewhere.example'] }),
    setup.labAll('header-too-large', '431', { answer: '431' }),
  ),
  oneOf(
    setup.labAll('not-http', 'malformed'),
    setup.labAll('response-too-large', 'malformed'),
    setup.labAll('bad-accept', 'invalid-101', { fault: 'no-upgrade' }),
    setup.labAll('bad-accept', 'invalid-101', { fault: 'accept' }),
  ),
  oneOf(
    setup.tlsWrong('wrong-name', 'tls', 'check'),
    setup.tlsWrong('not-yet-valid'),
    setup.tlsWrong('no-common-cipher'),
  ),
  oneOf(
    setup.tlsWrong('plaintext'),
    setup.tlsWrong('client-certificate'),
    setup.tlsWrong('client-certificate-400', '400'),
  ),
  oneOf(
    setup.silence('silent', 'timeout-upgrade'),
    setup.silence('drip', 'timeout-upgrade'),
    setup.silence('syn-dropped', 'timeout-connect'),
    setup.labAll('nothing-listens', 'refused'),
  ),
  oneOf(
    setup.cut('cut-after-upgrade', 'reset'),
    setup.cut('cut-after-upgrade', 'close-frame'),
    setup.return444Nginx,
    setup.rejectedHaproxy,
    setup.labAll('reset', 'reset'),
  ),
];

const BLIND_UNDECIDABLE: readonly Maker[] = [
  limits.undecidedLimitConn,
  limits.undecidedRate,
  setup.hangsUndecided('haproxy'),
  setup.strippedUndecided('haproxy', 'bare'),
  setup.labAll('tls-port', 'closed', { answer: 'closed' }, { group: 'undecidable' }),
];

const MAKERS: Readonly<Record<Half, readonly Maker[]>> = {
  open: [...OPEN, ...OPEN_UNDECIDABLE, ...OPEN_RAW],
  blind: [...BLIND, ...BLIND_UNDECIDABLE, ...BLIND_RAW],
};

export interface Numbered extends Case {
  /** `o7`, `b12`: the half and the place in it. */
  readonly id: string;
  readonly half: Half;
}

/** The cases of a half; the same for the same seed. */
export function casesOf(half: Half, seed: number): Numbered[] {
  const stream = HALVES.length * seed + HALVES.indexOf(half);
  return MAKERS[half].map((make, i) => ({ ...make(new Draw(stream, i)), id: `${half[0]}${i + 1}`, half }));
}
