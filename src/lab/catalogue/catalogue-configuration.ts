/**
 * The targets with a wrong configuration, for which a single handshake fails just as many do: a header, a path, a rule.
 */

import { always, type LabTarget, option, outcomeOfAnswer, split, withDefaults, withOptions } from '../server/target.js';
import { numberOf, textOf } from '../server/target-options.js';
import {
  startAuthRefused,
  startBadRequest,
  startForbidden,
  startHeaderTooLarge,
  startOriginRefused,
  startPlainSite,
  startRedirect,
  startUpgradeNotForwarded,
  startVersionMismatch,
  startWrongPath,
} from '../targets/refusals.js';

/** As `always`, with the outcome that the word of `--answer` stands for. */
function answering(cause: string, target: Parameters<typeof always>[2]): LabTarget {
  return withDefaults({
    cause: () => cause,
    expects: (n, settings) => split(n, 0, outcomeOfAnswer(textOf(settings, 'answer'))),
    ...target,
  });
}

/** No handshake of RFC 6455 is smaller; this separates one without extra headers from a larger one. */
const SMALLEST_HEAD_BYTES = 140;
const USUAL_HEAD_BYTES = 4096;

export const CONFIGURATION_TARGETS: readonly LabTarget[] = [
  answering('upgrade-not-forwarded', {
    name: 'upgrade-not-forwarded',
    story: 'A proxy that drops Upgrade and Connection, so the backend answers an ordinary GET.',
    options: withOptions(
      option(
        'answer',
        'choice',
        '426',
        'the answer of Express, ws, a site, a server without a handler, or Envoy where upgrades are not enabled',
        ['404', '426', '200', '504', '403'],
      ),
      option('timeout', 'duration', '1s', 'read timeout of the gateway, for 504'),
    ),
    start: startUpgradeNotForwarded,
  }),
  answering('wrong-path', {
    name: 'wrong-path',
    story: 'A server whose WebSocket endpoint is at another path.',
    options: withOptions(
      option('path', 'text', '/ws', 'the path that works'),
      option('answer', 'choice', '404', 'what any other gets: from Express, or from ws itself', ['404', '400']),
    ),
    start: startWrongPath,
  }),
  always('200', 'not-a-websocket-endpoint', {
    name: 'plain-site',
    story: 'An ordinary web site that knows no WebSocket and serves its start page.',
    start: startPlainSite,
  }),
  answering('version-mismatch', {
    name: 'version-mismatch',
    story: 'An old server that speaks version 8 of the protocol only, and says so in Sec-WebSocket-Version.',
    options: withOptions(option('answer', 'choice', '426', 'the status of its refusal', ['426', '400'])),
    start: startVersionMismatch,
  }),
  always('403', 'origin-refused', {
    name: 'origin-refused',
    story: 'A server that serves pages of one Origin only, as protection against cross-site hijacking.',
    options: withOptions(option('origin', 'text', 'https://app.example.com', 'the Origin that works')),
    start: startOriginRefused,
  }),
  always('401', 'auth-refused', {
    name: 'auth-refused',
    story: 'A gateway that asks for credentials before it lets a handshake through.',
    options: withOptions(option('authorization', 'text', 'Bearer let-me-in', 'the Authorization that works')),
    start: startAuthRefused,
  }),
  always('403', 'forbidden', {
    name: 'forbidden',
    story: 'A gateway with a rule that forbids the request: deny all, a list of addresses, a firewall for the web.',
    start: startForbidden,
  }),
  answering('redirected', {
    name: 'redirect',
    story: 'A gateway that sends every client to https://, where browsers go and WebSocket clients do not.',
    options: withOptions(option('answer', 'choice', '301', 'the status', ['301', '302', '307', '308'])),
    start: startRedirect,
  }),
  always('400', 'bad-request', {
    name: 'bad-request',
    story: 'A hop that takes the request to be malformed.',
    start: startBadRequest,
  }),
  answering('header-too-large', {
    name: 'header-too-large',
    story:
      'A hop that reads no head of a request beyond its limit; cookies and tokens are what grows. The default is less ' +
      'than any handshake has; nginx has 8192, Node 16384.',
    options: withOptions(
      option('bytes', 'count', 128, 'the largest head that is read'),
      option('answer', 'choice', '400', 'the refusal of nginx, or of Node', ['400', '431']),
    ),
    expects: (n, settings) => {
      const bytes = numberOf(settings, 'bytes');
      if (bytes < SMALLEST_HEAD_BYTES) return split(n, 0, outcomeOfAnswer(textOf(settings, 'answer')));
      return bytes < USUAL_HEAD_BYTES ? null : split(n, n, '101');
    },
    start: startHeaderTooLarge,
  }),
];
