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
  // Capacity: a single handshake works, many at once do not.
  {
    id: 'slow-serial-upgrade',
    title: 'Handshakes are served one after another, S each: only T/S of them fit into the timeout T.',
  },
  {
    id: 'slow-concurrent-upgrade',
    title: 'Handshakes are served C at a time, D each: only C x floor(T/D) of them fit into the timeout T.',
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
  {
    id: 'socket-queue-full',
    title: 'The listen queue of a Unix socket behind the gateway was full: the others were refused at once.',
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
  { id: 'health-check-fails', title: 'The backend lives, and the load balancer takes it for dead.' },
  { id: 'application-error', title: 'The application answered with an error of its own.' },
  // Configuration: a single handshake fails in the same way.
  { id: 'gateway-misconfigured', title: 'A hop fails by itself: its configuration keeps it from its backend.' },
  { id: 'upgrade-not-forwarded', title: 'A hop strips Upgrade and Connection: the backend sees an ordinary GET.' },
  {
    id: 'header-case',
    title: 'Upgrade arrives, and a header of the handshake does not read as it was sent: its case, or its list.',
  },
  { id: 'head-over-proxy-buffer', title: 'The head of the 101 is larger than the buffer of the gateway.' },
  { id: 'http2-only', title: 'Only HTTP/2 is spoken there, and an HTTP/1.1 upgrade has no way through.' },
  {
    id: 'proxy-protocol-mismatch',
    title: 'One side speaks the PROXY protocol and the other does not.',
  },
  { id: 'wrong-path', title: 'There is no WebSocket endpoint at this path.' },
  { id: 'not-a-websocket-endpoint', title: 'An ordinary web server answers at this address.' },
  { id: 'version-mismatch', title: 'The server speaks another version of the protocol.' },
  { id: 'origin-refused', title: 'The server refuses this Origin.' },
  { id: 'auth-refused', title: 'The server wants credentials, or rejects those that were sent.' },
  { id: 'credentials-partly-refused', title: 'The server accepts some of the credentials and rejects the others.' },
  { id: 'auth-subrequest-failed', title: 'The gateway asks another service for permission, and that request fails.' },
  { id: 'subprotocol-required', title: 'The server wants a subprotocol that was not offered.' },
  {
    id: 'sticky-session-missing',
    title: 'A session is known to one server only, and its handshake reached another.',
  },
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
  // The network path.
  { id: 'dns-failure', title: 'The name could not be looked up.' },
  { id: 'target-refused', title: 'Nothing listens at the address.' },
  { id: 'target-unreachable', title: 'There is no route to the address.' },
  { id: 'syn-dropped', title: 'Not one SYN is answered: a firewall, or no such machine.' },
  {
    id: 'client-deadline',
    title: "This client's own deadline (-t) ended the handshakes: it is shorter than the network or the gateway.",
  },
  { id: 'answered-before-request', title: 'A hop answered before the request was sent: it gave up waiting for it.' },
  // After the handshake.
  { id: 'rejected-after-accept', title: 'The application accepts the handshake and then rejects the client.' },
  { id: 'server-restart', title: 'The server said that it goes away or restarts.' },
  { id: 'two-servers-answered', title: 'Two servers share one port and both answer the same upgrade.' },
  { id: 'idle-cut', title: 'Open connections are cut when nothing is sent for a while.' },
  { id: 'cut-after-upgrade', title: 'Connections are ended by the target after their 101.' },
  {
    id: 'retry-storm',
    title: 'Clients leave before they are served and come back: the service works for those that have left.',
  },
  // This machine.
  { id: 'generator-limit', title: 'This machine was the limit, not the target.' },
  { id: 'unknown', title: 'No known cause matches.' },
] as const satisfies readonly Cause[];

export type CauseId = (typeof CAUSES)[number]['id'];
