/**
 * What a probe's answer means compared with the handshake itself, one sentence each. Pure; it says only what follows
 * from these two answers. The diagnosis names the cause.
 */

import { blameOf, isOpen, type OutcomeId } from '../../names/outcomes.js';
import type { SentProbeId } from '../../result/check-facts.js';

/** Outcomes of the handshake itself and of the probe. */
interface Both {
  readonly main: OutcomeId;
  readonly probe: OutcomeId;
  /** How the target ended the tunnel of each; null: it did not. */
  readonly mainEnd: string | null;
  readonly probeEnd: string | null;
  /** Sec-WebSocket-Version of the probe's answer. */
  readonly versions: string | null;
  /** Whether the handshake itself used TLS. */
  readonly isSecure: boolean;
  /** The handshake itself carried an Origin. */
  readonly sentOrigin: boolean;
  /** The port has spoken TLS. */
  readonly speaksTls: boolean;
  /** Of still-served: the probe after which it was asked. */
  readonly after: string | null;
}

const isStatus = (id: OutcomeId) => /^\d+$/.test(id);
const isSilent = (id: OutcomeId) => id.startsWith('timeout-');

/** `a 404`, `no answer`. */
function named(id: OutcomeId): string {
  if (isStatus(id)) return /^(8|11|18)/.test(id) ? `an ${id}` : `a ${id}`;
  return isSilent(id) ? 'no answer' : `"${id}"`;
}

const WORDS: Readonly<Record<SentProbeId, (both: Both) => string>> = {
  'firefox-connection': firefoxConnection,
  'without-upgrade': withoutUpgrade,
  'version-8': otherVersion,
  'own-origin': (both) =>
    origin(both, 'with this Origin', both.sentOrigin ? 'with the one that was sent' : 'without one'),
  'without-origin': (both) => origin(both, 'without an Origin', 'with the one that was sent'),
  'without-subprotocol': withoutSubprotocol,
  'other-scheme': otherScheme,
  'other-slash': otherSlash,
  'open-close-open': openAgain,
  'still-served': stillServed,
  direct,
};

export function probeSays(id: SentProbeId, both: Both): string {
  if (blameOf(both.probe) === 'local') return 'This machine could not ask.';
  return WORDS[id](both);
}

function withoutUpgrade({ main, probe }: Both): string {
  if (isOpen(probe) || probe === 'invalid-101')
    return 'Whatever is asked is answered with a 101: nothing there reads the request.';
  if (main === probe && isStatus(main)) {
    if (/^(5..|401|403|407|429)$/.test(main))
      return 'The same answer as to the handshake: it is given whatever is asked.';
    return 'The same answer as to the handshake: a hop strips Upgrade on the way, or what answers knows no WebSocket.';
  }
  if (isSilent(main) && isStatus(probe))
    return `An ordinary request is answered, with ${named(probe)}; only the upgrade is not.`;
  if (isSilent(main) && isSilent(probe))
    return 'Not even an ordinary request is answered: this is not about WebSocket.';
  if (main === probe) return 'The same end: what is wrong has nothing to do with the upgrade.';
  return `Another answer than to the handshake (${named(probe)}, not ${named(main)}): something there does see the upgrade.`;
}

function otherVersion({ main, probe, versions }: Both): string {
  const spoken = versions === null ? '' : `; it names what it speaks: ${versions}`;
  if (isOpen(probe)) return 'Version 8 is served and 13 is not: the server is older than RFC 6455.';
  if (main === probe && !isStatus(main)) return 'The same end: nothing is learnt about the version.';
  if (main === probe) return `The version makes no difference${spoken}: the answer was given before anything read it.`;
  return `The version makes a difference (${named(probe)}, not ${named(main)})${spoken}: a WebSocket server did read the request.`;
}

/** No answer at all proves nothing about the change. */
const NO_ANSWER = (end: string) =>
  `No answer this time (${end}), which says nothing of what was changed: the target may have gone.`;

function origin({ main, probe, mainEnd, probeEnd }: Both, here: string, there: string): string {
  if (isOpen(main) && isOpen(probe) && (mainEnd === null) !== (probeEnd === null)) {
    return probeEnd === null
      ? `Its connection stays open ${here}, and is ended ${there} (${mainEnd}): the server checks Origin after the handshake, and that is why it fails.`
      : `Its connection is ended ${here} (${probeEnd}), and stays open ${there}: the server checks Origin after the handshake.`;
  }
  if (main === probe) return isOpen(main) || isStatus(main) ? 'Origin makes no difference.' : 'The same end.';
  if (isOpen(probe))
    return `It is accepted ${here}, and refused ${there}: the server checks Origin, and that is why it fails.`;
  if (!isStatus(probe)) return NO_ANSWER(named(probe));
  if (isOpen(main)) return `It is refused ${here} (${named(probe)}) and accepted ${there}: the server checks Origin.`;
  return `Another answer ${here}: ${named(probe)}, not ${named(main)}; something there reads Origin.`;
}

function firefoxConnection({ main, probe }: Both): string {
  if (main === probe) return isStatus(main) ? "Firefox's list makes no difference." : 'The same end.';
  if (isOpen(probe)) return 'It is accepted as Firefox sends it, and not as a single word.';
  if (!isStatus(probe) && !isOpen(main)) return NO_ANSWER(named(probe));
  if (isOpen(main)) return `It is refused as Firefox sends it (${named(probe)}): the list is compared as one word.`;
  return `Another answer: ${named(probe)}, not ${named(main)}; something there reads Connection.`;
}

function withoutSubprotocol({ main, probe }: Both): string {
  if (main === probe) return isStatus(main) ? 'The subprotocol makes no difference.' : 'The same end.';
  if (isOpen(probe)) return 'It is accepted without a subprotocol: the server does not know the one that was offered.';
  if (!isStatus(probe)) return NO_ANSWER(named(probe));
  return `Another answer: ${named(probe)}, not ${named(main)}; something there reads the subprotocol.`;
}

function otherScheme({ probe, isSecure, speaksTls }: Both): string {
  const [asked, other] = isSecure ? ['wss://', 'ws://'] : ['ws://', 'wss://'];
  if (isOpen(probe)) {
    return `${other} works where ${asked} does not: the scheme of the URL is wrong, or a hop was set up for the other one.`;
  }
  if (isStatus(probe) && isSecure && speaksTls) {
    return `The port speaks TLS, and answers plain HTTP with ${named(probe)} all the same: the scheme is not what is wrong.`;
  }
  if (isStatus(probe)) {
    return isSecure
      ? `Plain HTTP is answered there (${named(probe)}): the port may speak no TLS at all, or says so.`
      : `TLS is spoken there (${named(probe)} over it): the port wants wss://.`;
  }
  return `${other} does not work either (${named(probe)}): the scheme is not what is wrong.`;
}

function otherSlash({ main, probe }: Both): string {
  if (main === probe) return isStatus(main) ? 'The slash makes no difference.' : 'The same end.';
  if (isOpen(probe)) return 'It works there: the path of the URL is wrong by a slash.';
  if (!isStatus(probe)) return NO_ANSWER(named(probe));
  return `Another answer: ${named(probe)}, not ${named(main)}; something there looks at the path.`;
}

/** The same request was accepted before; null: what came is no answer about the client. */
function refusedLater({ main, probe }: Both): string | null {
  if (probe === '429') return 'Refused with a 429: a limit on how often one client may come.';
  if (isOpen(main) && (probe === '401' || probe === '403'))
    return `Refused (${named(probe)}) although the same request was accepted before: a ticket that is good for once, or a limit for one client.`;
  return null;
}

function stillServed(both: Both): string {
  const { probe, after } = both;
  const last = after === null ? 'the handshake itself' : `the probe ${after}`;
  return (
    refusedLater(both) ??
    `It stopped answering after ${last} (${named(probe)}): nothing more is asked. --no-probes sends the handshake alone.`
  );
}

function openAgain(both: Both): string {
  const { probe } = both;
  if (isOpen(probe)) return 'It opens again after a client has left, as it should.';
  const refused = refusedLater(both);
  if (refused !== null) return refused;
  return `It opened until a client left, and no more (${named(probe)}): as when the server closes itself with a connection, by wss.close() in a handler of close.`;
}

function direct({ main, probe }: Both): string {
  if (main === probe)
    return isOpen(main) ? 'Both ways work.' : 'The same past the gateway: what is wrong lies behind it.';
  if (isOpen(probe))
    return 'It works past the gateway: what is wrong lies in the gateway, or between it and the server.';
  if (isOpen(main)) return `It works through the gateway only; direct it is ${named(probe)}.`;
  return `Past the gateway it is ${named(probe)} and not ${named(main)}: the gateway puts an answer of its own in its place.`;
}
