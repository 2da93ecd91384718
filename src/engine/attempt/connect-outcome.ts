/** The outcome of a failed connect. */
import { platform } from 'node:os';
import type { NamedOutcomeId } from '../../names/outcomes.js';

/**
 * errno while connecting → outcome. For an RST in reply to a SYN, Linux reports ECONNREFUSED (tcp_reset in
 * net/ipv4/tcp_input.c); ECONNRESET then means that the connection was reset before the program saw it open.
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
 * The outcome for an errno while connecting. One that is not in the table is local when the call itself returned it (a
 * local filter: EPERM), and the network's when it was reported later: ICMP maps to more errnos than are listed here
 * (icmp_err_convert in net/ipv4/icmp.c, tab_unreach in net/ipv6/icmp.c: EACCES, EPROTO, ENONET).
 */
export function connectOutcome(errno: string, atOnce: boolean): NamedOutcomeId {
  return CONNECT_ERRORS[errno] ?? (atOnce ? 'local-other' : 'unreachable');
}
