/** Remedies of causes in how one hop changes or misreads what another one sends, or in what comes after the 101. */
import type { Remedy } from './remedy.js';

export const HOP_REMEDIES: Readonly<Record<string, Remedy>> = {
  'gateway-misconfigured': {
    symptom:
      'The gateway answers with an error page of its own (500, 502), for ordinary requests as well, while the backend answers 101 when it is asked directly.',
    confirm: '`wstampede check URL --direct ws://BACKEND` gets a 101; the error log of the gateway has the reason.',
    fix: 'Read the error log of the gateway for this request, then check the scheme, name, address and port that it dials.',
    at: {
      nginx:
        'error.log: "no resolver defined" (a variable in proxy_pass wants `resolver`), "SSL_do_handshake() failed" (https:// to a plaintext port), "plain HTTP request was sent to HTTPS port" (http:// to a TLS port), "Permission denied".',
      apache:
        'AH01144 "No protocol handler was valid": `a2enmod proxy_http proxy_wstunnel`, or `ProxyPass /ws http://backend/ws upgrade=websocket` (2.4.47 and later).',
      haproxy: 'Check `ssl` and `verify` on the server line, and the address in it.',
      caddy: 'Check the upstream address of reverse_proxy, and `transport http { tls }` for a TLS backend.',
    },
  },
  'header-case': {
    symptom:
      'The same handshake works past the gateway and is refused through it, although the backend does see Upgrade; or clients that send `Connection: keep-alive, Upgrade` (Firefox) are refused.',
    confirm:
      '`wstampede check URL --direct ws://BACKEND`; log the headers that the backend receives: `Connection: upgrade` in lower case, a list, another Host.',
    fix: 'Compare header values of the handshake without case and as lists (RFC 9110 section 7.6.1, RFC 6455 section 4.2.1) in the backend; until then let the gateway send what it expects.',
    at: {
      nginx: '`proxy_set_header Connection "Upgrade";` with a capital U in the location of the endpoint.',
      haproxy: '`http-request set-header Connection Upgrade`; `h1-case-adjust` for the case of header names.',
      apache: '`RequestHeader set Connection Upgrade` for the location.',
    },
  },
  'head-over-proxy-buffer': {
    symptom:
      '502 within milliseconds for handshakes only, while ordinary requests through the same gateway are answered; the 101 has large headers (a token in Sec-WebSocket-Protocol, cookies).',
    confirm:
      'error.log of nginx: "upstream sent too big header while reading response header from upstream". The size of the head that `--direct` gets.',
    fix: 'Let the server send a smaller head, or give the gateway a larger buffer for it.',
    at: {
      nginx: '`proxy_buffer_size 32k; proxy_buffers 8 32k;` (4 KiB or 8 KiB by default).',
      haproxy: '`tune.bufsize 32768` (16 KiB by default).',
      apache: '`ProxyIOBufferSize 65536` and `LimitRequestFieldSize` (8 KiB by default).',
    },
  },
  'http2-only': {
    symptom:
      'The answer begins with an HTTP/2 SETTINGS frame or an alert about ALPN; or ordinary requests pass the gateway and only upgrades get 502, because it speaks HTTP/2 to a server that knows no extended CONNECT (RFC 8441).',
    confirm: '`curl --http2-prior-knowledge` or `openssl s_client -alpn http/1.1`; the protocol of the hop in its log.',
    fix: 'Let HTTP/1.1 be spoken on every hop of the upgrade path, or use servers that know RFC 8441.',
    at: {
      haproxy: '`ws h1` on the server line: upgrades then use HTTP/1.1 whatever `alpn` says (2.4 and later).',
      nginx: '`listen ... http2` without ssl speaks HTTP/2 alone: add a port without it.',
      envoy: 'The cluster of the endpoint wants HTTP/1.1, or `allow_connect: true`.',
      alb: 'A target group of protocol version HTTP2 or gRPC carries no WebSocket: use HTTP1.',
    },
  },
  'proxy-protocol-mismatch': {
    symptom:
      '400 of the gateway itself for every request, an ordinary GET too (PROXY protocol sent and not expected), or every connection closed without a byte (expected and not sent).',
    confirm:
      'The error log: "client sent invalid request" or "broken header: ... while reading PROXY protocol". Past the load balancer the behaviour is the opposite.',
    fix: 'Turn the PROXY protocol on at both sides of the hop, or at neither.',
    at: {
      nginx: '`listen 80 proxy_protocol;` where the balancer sends it, and without it where it does not.',
      haproxy:
        '`send-proxy` or `send-proxy-v2` on the server line only if the server expects it; `accept-proxy` on the bind line only if it is sent.',
      alb: 'proxy_protocol_v2.enabled is an attribute of the target group of an NLB.',
    },
  },
  'credentials-partly-refused': {
    symptom: '401 or 403 for a part of a burst whose clients send different credentials, and 101 for the others.',
    confirm: 'The rows of the refused attempts (--attempts FILE.csv): the same rows are refused in every burst.',
    fix: 'Renew the credentials of the refused rows (expired tokens, users that are locked), or look for a limit of sessions per user if rows are used more than once.',
  },
  'auth-subrequest-failed': {
    symptom: "500 with the gateway's own page for every request, while the backend answers 101 when asked directly.",
    confirm: 'error.log of nginx: "auth request unexpected status: ..." or "upstream ... while sending to client".',
    fix: 'Ask the service that authenticates for the same request: it must answer 2xx, 401 or 403, and nothing else.',
    at: {
      nginx:
        '`auth_request` takes 2xx, 401 and 403; everything else becomes 500. Check the URI of its location, and that it forwards Cookie and Authorization (`proxy_pass_request_body off; proxy_set_header Content-Length "";`).',
      traefik: 'forwardAuth: check its address and authResponseHeaders.',
    },
  },
  'subprotocol-required': {
    symptom:
      'A server that does see the upgrade closes, stays silent, or answers 400 or 501 when no subprotocol, or one that it does not know, is offered.',
    confirm: '`wstampede check URL --subprotocol NAME` with the name from the documentation of the server.',
    fix: 'Offer the subprotocol that the server speaks: --subprotocol mqtt, xmpp, janus-protocol, vite-hmr, graphql-transport-ws and the like; check its spelling.',
  },
  'sticky-session-missing': {
    symptom:
      '400 "Session ID unknown" (socket.io, engine.io), 404 or 400 about a connection id (SignalR, SockJS): the session was opened on another worker or server.',
    confirm: 'With one worker, or past the load balancer, it works; behind several about 1/N of the handshakes do.',
    fix: 'Let the load balancer send all requests of a session to one server (sticky sessions), or start with transport=websocket alone, which needs no session beforehand.',
    at: {
      nginx: '`ip_hash;` or `hash $arg_sid consistent;` in the upstream.',
      haproxy: '`cookie SRV insert indirect nocache` and `cookie NAME` on each server line, or `balance source`.',
      alb: 'Stickiness of the target group.',
    },
  },
  'health-check-fails': {
    symptom:
      '503 at once from a load balancer ("No server is available", "no healthy upstream") although the backend answers 101 when asked directly.',
    confirm:
      'The status page or log of the balancer: the server is DOWN with the status that its check got (L7STS/426 in HAProxy).',
    fix: 'Point the health check at an ordinary URL that answers 200, or let it accept what a WebSocket server says to a GET (426, 400).',
    at: {
      haproxy: '`http-check expect status 200,400,426`, or a check over TCP alone (leave `option httpchk` away).',
      alb: 'Health checks speak no WebSocket: set the path, and the matcher to 200,400,426.',
      envoy: '`expected_statuses` of the health check.',
      traefik: 'healthcheck.path and healthcheck.status of the service.',
    },
  },
  'socket-queue-full': {
    symptom:
      'A count of 101s that does not change with the burst, served one after another, and 502 for all others before the first of them: connect() to a Unix socket with a full listen queue fails at once (EAGAIN).',
    confirm:
      'error.log of nginx: "connect() to unix:... failed (11: Resource temporarily unavailable)". `ss -lx` shows Recv-Q at Send-Q.',
    fix: 'Lengthen the listen queue of the server behind the socket (backlog: 511 in Node, 2048 in gunicorn and uvicorn, 100 in uWSGI, and net.core.somaxconn above it), accept faster, or use TCP, where the kernel tries again.',
  },
  'client-deadline': {
    symptom:
      'Handshakes end by the deadline of this client (-t): below one second no SYN is sent twice, and a deadline near the round-trip time or below the timeout of a gateway says nothing about the target.',
    confirm: 'The same with a larger -t.',
    fix: 'Give a -t that is longer than the timeout of the gateway and many times the round trip; 75s (the default) shows the 504 of gateways that wait 60 s.',
  },
  'answered-before-request': {
    symptom: '408 or 400 on a connection on which nothing had been sent yet.',
    confirm: 'With `--gate connect` it goes away: the request is then sent as soon as the connection is open.',
    fix: "Use --gate connect or a smaller burst, or raise the hop's time for a request above the time that opening all connections takes.",
    at: {
      haproxy: '`timeout http-request` counts from the accepted connection.',
      nginx: '`client_header_timeout` (60 s by default).',
      apache: '`RequestReadTimeout header=20-40`.',
    },
  },
  'rejected-after-accept': {
    symptom:
      'The 101 comes, and then a close frame of the application: 1008, 4401 and other codes of 3000 and above, at once or after its own timeout.',
    confirm: '`wstampede check URL` shows code and reason.',
    fix: 'Send what the application asks for after the 101 (a token, a first message in time, an Origin that it allows); its documentation says what its close codes mean.',
  },
  'server-restart': {
    symptom: 'Open connections end with 1001 (going away) or 1012 (service restart), all of them together.',
    confirm: 'The deployment log or process manager at that moment.',
    fix: 'Drain instances before a restart and spread the closes over time; clients should wait a random 5 to 30 s before they return (IANA, code 1012).',
    at: {
      cloudflare: 'Cloudflare restarts edges with 1001: clients must reconnect.',
      'api-gateway': 'API Gateway closes with 1001 after 10 minutes of idleness and after 2 hours.',
    },
  },
  'two-servers-answered': {
    symptom:
      'After a valid 101 the bytes of a second answer arrive (HTTP/1.1 400 ...), and clients end with 1002 or 1006; or another path of the same port gets 400.',
    confirm: '`wstampede check URL` shows the bytes that came after the 101.',
    fix: 'Several WebSocket servers on one HTTP server all get its upgrade event: create them with `noServer: true` and route by path in one handler of `upgrade` (ws); set `destroyUpgrade: false` for engine.io and socket.io.',
  },
};
