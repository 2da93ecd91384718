/**
 * The causes that a diagnosis can name, as data with stable ids: what each is in one sentence. Rules, the lab's catalogue
 * and the documentation refer to them by id.
 */

export interface Cause {
  readonly id: string;
  /** What happens, in one sentence. */
  readonly title: string;
}

export const CAUSES = [
  // Capacity: alone a handshake works, many at once do not.
  {
    id: 'slow-serial-upgrade',
    title: 'The backend serves handshakes one after another, and the gateway gives up after T: T/S fit.',
  },
  {
    id: 'slow-concurrent-upgrade',
    title: 'The backend serves C handshakes at a time, D each, and the gateway gives up after T.',
  },
  { id: 'cpu-bound', title: 'The handshakes are computed side by side and end together: the CPU is the limit.' },
  { id: 'listen-queue-full', title: 'The listen queue was full: SYNs were dropped and sent again by the kernel.' },
  {
    id: 'phantom-connections',
    title: 'The listen queue overflowed behind SYN cookies: connections that the server does not know.',
  },
  {
    id: 'connection-limit',
    title: 'Something carries a fixed number of connections and turns the others away or lets them wait.',
  },
  { id: 'rate-limit', title: 'Something admits a burst b and then r a second.' },
  { id: 'descriptor-limit', title: 'A hop ran out of file descriptors.' },
  { id: 'ports-exhausted', title: 'A hop ran out of local ports towards its backend.' },
  {
    id: 'negative-cache',
    title: 'A gateway remembers that its backends failed and refuses at once until that memory ends.',
  },
  {
    id: 'work-for-the-dead',
    title: 'The backend goes on working for clients that have long gone, and the living wait for it.',
  },
  // The backend.
  { id: 'backend-down', title: 'Nothing listens behind the gateway.' },
  { id: 'backend-unreachable', title: 'Packets to the backend are not answered: the gateway gives up connecting.' },
  { id: 'backend-died', title: 'The backend ended connections in the middle of the handshake.' },
  { id: 'backend-hangs', title: 'The backend takes the handshake and never answers, even a single one.' },
  { id: 'server-closed-itself', title: 'The first handshake works; since a client has left, no other does.' },
  { id: 'application-error', title: 'The application answered with an error of its own.' },
  // Configuration: a single handshake fails in the same way.
  { id: 'upgrade-not-forwarded', title: 'A hop strips Upgrade and Connection: the backend sees an ordinary GET.' },
  { id: 'wrong-path', title: 'There is no WebSocket endpoint at this path.' },
  { id: 'not-a-websocket-endpoint', title: 'An ordinary web server answers at this address.' },
  { id: 'version-mismatch', title: 'The server does not speak version 13 of the protocol.' },
  { id: 'origin-refused', title: 'The server refuses this Origin.' },
  { id: 'auth-refused', title: 'The server asks for credentials.' },
  { id: 'forbidden', title: 'A rule of the server or of a hop forbids the request.' },
  { id: 'redirected', title: 'The server sends clients elsewhere; WebSocket clients do not follow.' },
  { id: 'bad-request', title: 'The server or a hop takes the request to be malformed.' },
  { id: 'header-too-large', title: 'The head of the request is larger than a hop allows.' },
  { id: 'invalid-upgrade-answer', title: 'The answer is a 101 that breaks RFC 6455.' },
  { id: 'response-too-large', title: 'The head of the answer is larger than a hop allows.' },
  { id: 'malformed-answer', title: 'The answer is HTTP whose head breaks RFC 9112.' },
  { id: 'not-http', title: 'Something that speaks no HTTP listens there.' },
  { id: 'closed-without-answer', title: 'Connections are accepted and closed without a byte, even a single one.' },
  { id: 'silent-server', title: 'The request is accepted and nothing is ever answered, even to a single one.' },
  // TLS.
  { id: 'tls-untrusted', title: 'The certificate is signed by nobody whom this client trusts.' },
  { id: 'tls-expired', title: 'The certificate is out of date, or not valid yet.' },
  { id: 'tls-wrong-name', title: 'The certificate is for another name.' },
  {
    id: 'tls-protocol',
    title: 'Client and server have no TLS version or cipher in common, or the name is unknown there.',
  },
  { id: 'tls-client-certificate', title: 'The server wants a client certificate.' },
  { id: 'plaintext-port', title: 'wss:// was asked of a port that speaks no TLS.' },
  { id: 'tls-port', title: 'ws:// was asked of a port that speaks TLS.' },
  // The way there.
  { id: 'dns-failure', title: 'The name has no address.' },
  { id: 'target-refused', title: 'Nothing listens at the address.' },
  { id: 'target-unreachable', title: 'There is no route to the address.' },
  { id: 'syn-dropped', title: 'Not one SYN is answered: a firewall, or no such machine.' },
  // After the handshake.
  { id: 'idle-cut', title: 'Open connections are cut when nothing is said for a while.' },
  { id: 'cut-after-upgrade', title: 'Connections are ended by the target after their 101.' },
  // Ourselves.
  { id: 'generator-limit', title: 'This machine was the limit, not the target.' },
  { id: 'unknown', title: 'The evidence fits no cause that is known here.' },
] as const satisfies readonly Cause[];

export type CauseId = (typeof CAUSES)[number]['id'];
