/** What a connect that failed counts as. */
import { platform } from 'node:os';
import type { NamedOutcomeId } from '../../names/outcomes.js';

/**
 * errno while connecting → outcome. Linux says ECONNREFUSED of an RST in answer to a SYN
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

/**
 * What an errno while connecting counts as. One that is not in the table is this machine's doing where the call itself
 * returned it (a filter of its own: EPERM), and the network's where it was reported later: ICMP speaks in more errnos than
 * there are names for here (icmp_err_convert in net/ipv4/icmp.c, tab_unreach in net/ipv6/icmp.c: EACCES, EPROTO, ENONET).
 */
export function connectOutcome(errno: string, atOnce: boolean): NamedOutcomeId {
  return CONNECT_ERRORS[errno] ?? (atOnce ? 'local-other' : 'unreachable');
}
