/**
 * The targets for what happens after the 101: clients that were connected are dropped and come back, or wait for slow
 * replies. Nothing is wrong with them until they drop, so a plain burst finds them healthy.
 */

import { DROP_OPTIONS } from '../server/drops.js';
import { type LabTarget, option, split, withDefaults, withOptions } from '../server/target.js';
import { textOf } from '../server/target-options.js';
import { IDLE_DROP_ENDS, startIdleDrop } from '../targets/cuts.js';
import { startEcho } from '../targets/healthy.js';
import { startAcceptThenKick, startHerdFragile, startRestarts, startRolling } from '../targets/restarts.js';

/** Well until it drops its clients. */
function dropping(target: Pick<LabTarget, 'name' | 'story' | 'options' | 'start'>): LabTarget {
  return withDefaults({ cause: () => null, expects: (n) => split(n, n, '101'), ...target });
}

/** What its close code says, which is not that the client was idle. */
const IDLE_CAUSES: Readonly<Record<string, string>> = { 1000: 'cut-after-upgrade', 1001: 'server-restart' };

const rate = option('rate', 'count', 250, 'handshakes that it completes in a second');

export const STORM_TARGETS: readonly LabTarget[] = [
  dropping({
    name: 'restarts',
    story:
      'A server that is deployed anew. On GET /drop it drops all clients, refuses connections while it is away, and then ' +
      'completes handshakes at a fixed rate; those whose client has left cost it nothing.',
    options: withOptions(
      ...DROP_OPTIONS,
      option('outage', 'duration', '10s', 'how long it is away'),
      option('rate', 'count', 250, 'handshakes that it completes in a second once it is back'),
    ),
    start: startRestarts,
  }),
  dropping({
    name: 'rolling',
    story:
      'A service of several parts behind a balancer, restarted one after another on GET /drop: clients that came back to ' +
      'a part whose turn was still to come are dropped once more.',
    options: withOptions(
      ...DROP_OPTIONS,
      option('parts', 'count', 4, 'parts of the service'),
      option('outage', 'duration', '2s', 'how long each part is away'),
    ),
    start: startRolling,
  }),
  dropping({
    name: 'accept-then-kick',
    story:
      'A server that drops its clients on GET /drop and for a while accepts all that come back, only to close them: a ' +
      'policy that forgets failures at the 101 comes back as fast as at first.',
    options: withOptions(
      ...DROP_OPTIONS,
      option('outage', 'duration', '10s', 'how long it goes on after the drop'),
      option('after', 'duration', '100ms', 'how long after the 101 it closes'),
      option('code', 'count', 1013, 'the close code'),
    ),
    start: startAcceptThenKick,
  }),
  dropping({
    name: 'herd-fragile',
    story:
      'A server that completes handshakes at a fixed rate, in order, also those whose client has left. After GET /drop ' +
      'patient clients all come back; impatient ones leave and try again, and it never catches up.',
    options: withOptions(...DROP_OPTIONS, rate),
    start: startHerdFragile,
  }),
  withDefaults({
    name: 'idle-drop',
    story:
      'An application that closes connections on which it got no message for a while. A ping of the protocol is answered, ' +
      'but is no message.',
    options: withOptions(
      option('after', 'duration', '1s', 'how long a client may send no message (API Gateway: 10m)'),
      option('end', 'choice', 'fin', 'how it closes: TCP, or with a close code', IDLE_DROP_ENDS),
    ),
    cause: (settings) => IDLE_CAUSES[textOf(settings, 'end')] ?? 'idle-cut',
    expects: (n) => split(n, n, '101'),
    start: startIdleDrop,
  }),
  withDefaults({
    name: 'echo',
    story: 'A ws server that works, and is as slow as it is told to be: before the 101, and before each echo.',
    options: withOptions(
      option('handshake', 'duration', null, 'time before each 101'),
      option('reply', 'duration', null, 'time before each echo'),
    ),
    cause: () => null,
    expects: (n) => split(n, n, '101'),
    start: startEcho,
  }),
];
