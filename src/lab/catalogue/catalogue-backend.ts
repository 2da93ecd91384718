/**
 * The targets with a problem behind the gateway: no backend, or one that is dead, unresponsive, closed, or failing by
 * itself.
 */

import { always, type LabTarget, option, split, withDefaults, withOptions } from '../server/target.js';
import { textOf } from '../server/target-options.js';
import {
  startBackendDied,
  startBackendRefused,
  startBackendUnreachable,
  startCloseKillsServer,
} from '../targets/gateway-failures.js';
import { startApplicationError } from '../targets/refusals.js';
import { startBackendHangs } from '../targets/slow.js';

/** The answer to a handshake once the server has closed itself, by how the server was made. */
const CLOSED_ANSWERS = { port: '502', express: '404', bare: '504', noserver: '503' } as const;
type Made = keyof typeof CLOSED_ANSWERS;

export const BACKEND_TARGETS: readonly LabTarget[] = [
  always('502', 'backend-down', {
    name: 'backend-refused',
    story: 'A gateway in front of a port on which nothing listens: the backend is down or not started yet.',
    start: startBackendRefused,
  }),
  always('503', 'backend-unreachable', {
    name: 'backend-unreachable',
    story:
      'HAProxy before a backend whose machine drops every packet: four times the time of a connect passes, then each ' +
      'handshake is 503.',
    options: withOptions(option('connect', 'duration', '500ms', 'timeout of one connect (timeout connect)')),
    start: startBackendUnreachable,
  }),
  always('502', 'backend-died', {
    name: 'backend-died',
    story: 'A gateway before a process that crashes over each handshake, in the middle of it, and is started again.',
    options: withOptions(option('after', 'duration', '300ms', 'how long it works before it dies')),
    start: startBackendDied,
  }),
  always('504', 'backend-hangs', {
    name: 'backend-hangs',
    story: 'A gateway before a backend that takes the handshake and never answers: 504 after T, even for a single one.',
    options: withOptions(option('timeout', 'duration', '1s', 'read timeout of the gateway (T)')),
    start: startBackendHangs,
  }),
  withDefaults({
    name: 'close-kills-server',
    story:
      "A ws server whose handler of a socket's close calls wss.close(), behind a gateway: all is well until the first " +
      'client leaves, then no handshake works any more while the process looks alive. How the server was made decides ' +
      'what becomes of them.',
    options: withOptions(
      option(
        'server',
        'choice',
        'port',
        'on a port of its own (then: 502), on the server of Express (404), on one without a handler (504 after ' +
          '--timeout), or handed its upgrades (503)',
        Object.keys(CLOSED_ANSWERS),
      ),
      option('timeout', 'duration', '1s', 'read timeout of the gateway'),
    ),
    cause: () => 'server-closed-itself',
    expects: (n) => split(n, n, '101'),
    expectsLater: (n, settings) => split(n, 0, CLOSED_ANSWERS[textOf(settings, 'server') as Made]),
    start: startCloseKillsServer,
  }),
  always('500', 'application-error', {
    name: 'application-error',
    story: 'An application that throws while it handles the upgrade: 500 with the page of its framework.',
    start: startApplicationError,
  }),
];
