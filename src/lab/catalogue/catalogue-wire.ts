/**
 * The targets with a problem in the protocol or the network: invalid responses or none, TLS, the network path, and
 * after the 101.
 */

import {
  always,
  type LabTarget,
  option,
  outcomeOfAnswer,
  SECURE_OPTIONS,
  split,
  withDefaults,
  withOptions,
} from '../server/target.js';
import { numberOf, textOf } from '../server/target-options.js';
import { ENDS, IDLE_ENDS, startAcceptThenFin, startCutAfterUpgrade, startIdleCut } from '../targets/cuts.js';
import { startTlsSelfSigned } from '../targets/healthy.js';
import {
  FAULT_NAMES,
  startBadAccept,
  startDrip,
  startHalfHead,
  startMalformedAnswer,
  startNotHttp,
  startReset,
  startResponseTooLarge,
  startSilent,
} from '../targets/stacks.js';
import { causeOfTlsFault, startTlsPort, startTlsWrong, TLS_FAULT_NAMES } from '../targets/tls-failures.js';
import { startNothingListens, startSynDropped } from '../targets/vacant.js';

const ANSWERS: readonly LabTarget[] = [
  always('timeout-upgrade', 'silent-server', {
    name: 'silent',
    story: 'Accepts, reads the request, and never says a word: a hung process, or an upgrade handler that returned.',
    start: startSilent,
  }),
  always('timeout-upgrade', 'silent-server', {
    name: 'drip',
    story: 'Answers one byte after another and never comes to the end: what fools a timeout that watches for idleness.',
    options: withOptions(option('interval', 'duration', '100ms', 'time from one byte to the next')),
    start: startDrip,
  }),
  always('reset', 'closed-without-answer', {
    name: 'reset',
    story: 'Answers the request with an RST: a load balancer whose target is gone, a server that was killed.',
    start: startReset,
  }),
  withDefaults({
    name: 'accept-then-fin',
    story: 'A layer-4 balancer before a dead backend: TCP opens, and is closed without a byte.',
    options: withOptions(option('after', 'duration', '1ms', 'how long it looks for a backend (HAProxy: 3s)')),
    // With the gate `tls`, the TLS handshake fails instead.
    gates: ['connect', 'upgrade'],
    cause: () => 'closed-without-answer',
    expects: (n, settings) => split(n, 0, settings.tls === true ? 'tls' : 'closed'),
    start: startAcceptThenFin,
  }),
  withDefaults({
    name: 'half-head',
    story: 'Begins a proper 101 and ends in the middle of its head: a backend that died while it answered.',
    options: withOptions(option('end', 'choice', 'fin', 'whether a FIN follows', ['fin', 'hold'])),
    cause: (settings) => (textOf(settings, 'end') === 'fin' ? 'backend-died' : 'silent-server'),
    expects: (n, settings) => split(n, 0, outcomeOfAnswer(textOf(settings, 'end'))),
    start: startHalfHead,
  }),
  always('invalid-101', 'invalid-upgrade-answer', {
    name: 'bad-accept',
    story: 'A 101 that is none by RFC 6455: a cache, a hand-made server, or a middlebox that changed the answer.',
    options: withOptions(option('fault', 'choice', 'accept', 'what is wrong with the 101', FAULT_NAMES)),
    start: startBadAccept,
  }),
  withDefaults({
    name: 'response-too-large',
    story: 'A 101 whose head is larger than clients and hops read; cookies set on every answer are what grows.',
    options: withOptions(option('bytes', 'count', 70_000, 'size of the head; over 65536 it is refused here')),
    cause: () => 'response-too-large',
    expects: (n, settings) => (numberOf(settings, 'bytes') > 65_536 ? split(n, 0, 'malformed') : null),
    start: startResponseTooLarge,
  }),
  always('malformed', 'not-http', {
    name: 'not-http',
    story: 'Something else listens on that port and answers in its own tongue (memcached here).',
    start: startNotHttp,
  }),
  always('malformed', 'malformed-answer', {
    name: 'malformed-answer',
    story:
      'An answer that begins as HTTP and has a broken head: a hand-made server, a script that writes its own status line.',
    start: startMalformedAnswer,
  }),
];

const TLS: readonly LabTarget[] = [
  // The only target whose clients should not trust the lab's certificate.
  always('tls', 'tls-untrusted', {
    name: 'tls-self-signed',
    story: 'A healthy ws server over TLS whose certificate nobody has signed: clients that verify leave after TLS.',
    options: SECURE_OPTIONS,
    start: startTlsSelfSigned,
  }),
  withDefaults({
    name: 'tls-wrong',
    story:
      'A ws server over TLS with one thing wrong: a certificate out of date, for another name or by an unknown CA, old ' +
      'versions only, no cipher in common, a client certificate that is wanted, or no TLS at all on that port. Write the ' +
      "lab's own CA with --write-ca and trust it with --ca, or it is unknown as well.",
    options: [...SECURE_OPTIONS, option('fault', 'choice', 'expired', 'what is wrong', TLS_FAULT_NAMES)],
    cause: (settings) => causeOfTlsFault(textOf(settings, 'fault')),
    expects: (n, settings) => split(n, 0, textOf(settings, 'fault') === 'client-certificate-400' ? '400' : 'tls'),
    start: startTlsWrong,
  }),
  withDefaults({
    name: 'tls-port',
    story: 'ws:// is asked of a port that speaks TLS: the refusal of nginx, or a FIN as from HAProxy and Node.',
    options: withOptions(option('answer', 'choice', '400', 'what plaintext gets', ['400', 'closed'])),
    gates: ['connect', 'upgrade'],
    cause: () => 'tls-port',
    expects: (n, settings) => split(n, 0, outcomeOfAnswer(textOf(settings, 'answer'))),
    start: startTlsPort,
  }),
];

const WAY_AND_AFTER: readonly LabTarget[] = [
  always('refused', 'target-refused', {
    name: 'nothing-listens',
    story: 'A port on which nothing listens: the service is down, or at another port.',
    start: startNothingListens,
  }),
  always('timeout-connect', 'syn-dropped', {
    name: 'syn-dropped',
    story:
      'A port that answers no SYN: a firewall that drops, a machine that is gone (here a listen queue, full for good).',
    // With the other gates no attempt reaches the gate.
    gates: ['connect'],
    start: startSynDropped,
  }),
  withDefaults({
    name: 'idle-cut',
    story: 'A gateway whose read timeout counts for open tunnels as well: who says nothing for so long is cut off.',
    options: withOptions(
      option('after', 'duration', '1s', 'how long a tunnel may be silent (nginx: 60s)'),
      option('end', 'choice', 'fin', 'how it is cut', IDLE_ENDS),
    ),
    cause: () => 'idle-cut',
    expects: (n) => split(n, n, '101'),
    start: startIdleCut,
  }),
  withDefaults({
    name: 'cut-after-upgrade',
    story: 'A server that ends connections soon after their 101: an error in the handler of a new connection.',
    options: withOptions(
      option('after', 'duration', '1ms', 'how long after the 101'),
      option('end', 'choice', 'fin', 'how it is cut', ENDS),
    ),
    cause: () => 'cut-after-upgrade',
    expects: (n) => split(n, n, '101'),
    start: startCutAfterUpgrade,
  }),
];

export const WIRE_TARGETS: readonly LabTarget[] = [...ANSWERS, ...TLS, ...WAY_AND_AFTER];
