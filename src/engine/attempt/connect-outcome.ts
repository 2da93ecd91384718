/** What a connect that failed counts as. */
import { platform } from 'node:os';
import type { NamedOutcomeId } from '../../names/outcomes.js';

/**
 * errno while connecting → outcome; anything else is `local-other`. Linux says ECONNREFUSED of an RST in answer to a SYN
 * (tcp_reset in net/ipv4/tcp_input.c): ECONNRESET is there a connection that was over before anybody saw it open.
 */
const CONNECT_ERRORS: Readonly<Record<string, NamedOutcomeId>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: platform() === 'linux' ? 'reset' : 'reset-connect',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETDOWN: 'unreachable',
  ETIMEDOUT: 'timeout-connect',
  EMFILE: 'local-fds',
  ENFILE: 'local-fds',
  EADDRNOTAVAIL: 'local-ports',
  EADDRINUSE: 'local-ports',
  ENOBUFS: 'local-memory',
  ENOMEM: 'local-memory',
};

/** What an errno while connecting counts as. */
export function connectOutcome(errno: string): NamedOutcomeId {
  return CONNECT_ERRORS[errno] ?? 'local-other';
}
