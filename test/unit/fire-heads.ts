/**
 * Heads as real stacks send them, to be mutated and split by the tests of the response parser. ACCEPT belongs to the sample
 * key of RFC 6455 section 1.3.
 */
export const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

export interface RealHead {
  readonly stack: string;
  readonly status: number;
  readonly text: string;
}

const lines = (...all: string[]) => `${all.join('\r\n')}\r\n\r\n`;
const upgrade = (...all: string[]) => lines('HTTP/1.1 101 Switching Protocols', ...all);
const nginx = (status: number, reason: string, ...all: string[]) => ({
  stack: `nginx ${status}`,
  status,
  text: lines(
    `HTTP/1.1 ${status} ${reason}`,
    'Server: nginx/1.22.1',
    'Date: Tue, 03 Jun 2025 10:11:12 GMT',
    'Content-Type: text/html',
    'Content-Length: 157',
    'Connection: keep-alive',
    ...all,
  ),
});

/** None of them offered a subprotocol or an extension. */
export const REAL_HEADS: readonly RealHead[] = [
  {
    stack: 'ws',
    status: 101,
    text: upgrade('Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${ACCEPT}`),
  },
  {
    stack: 'nginx before ws',
    status: 101,
    text: upgrade(
      'Server: nginx/1.22.1',
      'Date: Tue, 03 Jun 2025 10:11:12 GMT',
      'Connection: upgrade',
      'Upgrade: websocket',
      `Sec-WebSocket-Accept: ${ACCEPT}`,
    ),
  },
  {
    stack: 'haproxy before ws',
    status: 101,
    text: upgrade('upgrade: websocket', 'connection: Upgrade', `sec-websocket-accept: ${ACCEPT}`),
  },
  {
    stack: 'Apache',
    status: 101,
    text: upgrade(
      'Upgrade: WebSocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${ACCEPT}`,
      'Server: Apache/2.4.62',
    ),
  },
  {
    stack: 'Jetty',
    status: 101,
    text: upgrade('Connection: keep-alive, Upgrade', `Sec-WebSocket-Accept:${ACCEPT}`, 'Upgrade:\tWebSocket  '),
  },
  {
    stack: 'Cloudflare',
    status: 101,
    text: upgrade(
      'Date: Tue, 03 Jun 2025 10:11:12 GMT',
      'Connection: upgrade',
      'Upgrade: websocket',
      `Sec-WebSocket-Accept: ${ACCEPT}`,
      'cf-cache-status: DYNAMIC',
      'Set-Cookie: __cf_bm=abc.def-1; path=/; HttpOnly; Secure; SameSite=None',
      'CF-RAY: 8f00c0ffee000000-FRA',
      'alt-svc: h3=":443"; ma=86400',
    ),
  },
  {
    stack: 'gorilla',
    status: 101,
    text: upgrade('Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${ACCEPT}`),
  },
  {
    stack: 'Python websockets',
    status: 101,
    text: upgrade(
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${ACCEPT}`,
      'Date: Tue, 03 Jun 2025 10:11:12 GMT',
      'Server: Python/3.11 websockets/12.0',
    ),
  },
  {
    stack: 'uWebSockets',
    status: 101,
    text: upgrade('Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${ACCEPT}`, 'uWebSockets: 20'),
  },
  {
    stack: 'Envoy after 100',
    status: 101,
    text: `HTTP/1.1 100 Continue\r\n\r\n${upgrade('upgrade: websocket', 'connection: upgrade', `sec-websocket-accept: ${ACCEPT}`, 'date: Tue, 03 Jun 2025 10:11:12 GMT', 'server: envoy')}`,
  },
  {
    stack: 'IIS',
    status: 101,
    text: upgrade(
      'Upgrade: websocket',
      'Server: Microsoft-IIS/10.0',
      'X-Powered-By: ASP.NET',
      `Sec-WebSocket-Accept: ${ACCEPT}`,
      'Connection: Upgrade',
      'Date: Tue, 03 Jun 2025 10:11:12 GMT',
    ),
  },
  nginx(400, 'Bad Request'),
  nginx(404, 'Not Found'),
  nginx(499, 'Client Closed Request'),
  nginx(502, 'Bad Gateway'),
  nginx(503, 'Service Temporarily Unavailable', 'Retry-After: 5'),
  nginx(504, 'Gateway Time-out'),
  {
    stack: 'haproxy 503',
    status: 503,
    text: lines(
      'HTTP/1.1 503 Service Unavailable',
      'content-length: 107',
      'cache-control: no-cache',
      'content-type: text/html',
    ),
  },
  {
    stack: 'haproxy 1.8',
    status: 504,
    text: lines(
      'HTTP/1.0 504 Gateway Time-out',
      'Cache-Control: no-cache',
      'Connection: close',
      'Content-Type: text/html',
    ),
  },
  {
    stack: 'Apache 502',
    status: 502,
    text: lines(
      'HTTP/1.1 502 Proxy Error',
      'Date: Tue, 03 Jun 2025 10:11:12 GMT',
      'Server: Apache/2.4.62 (Debian)',
      'Content-Length: 341',
      'Connection: close',
      'Content-Type: text/html; charset=iso-8859-1',
    ),
  },
  {
    stack: 'Caddy 502',
    status: 502,
    text: lines(
      'HTTP/1.1 502 Bad Gateway',
      'Server: Caddy',
      'Date: Tue, 03 Jun 2025 10:11:12 GMT',
      'Content-Length: 0',
    ),
  },
  {
    stack: 'Node 426',
    status: 426,
    text: lines('HTTP/1.1 426 Upgrade Required', 'Connection: Upgrade', 'Upgrade: websocket', 'Content-Length: 16'),
  },
  {
    stack: 'ws 400',
    status: 400,
    text: lines('HTTP/1.1 400 Bad Request', 'Connection: close', 'Content-Type: text/html', 'Content-Length: 11'),
  },
  {
    stack: 'Node chunked 200',
    status: 200,
    text: lines(
      'HTTP/1.1 200 OK',
      'Date: Tue, 03 Jun 2025 10:11:12 GMT',
      'Connection: keep-alive',
      'Keep-Alive: timeout=5',
      'Transfer-Encoding: chunked',
    ),
  },
  {
    stack: 'Cloudflare 522',
    status: 522,
    text: lines(
      'HTTP/1.1 522 ',
      'Date: Tue, 03 Jun 2025 10:11:12 GMT',
      'Content-Type: text/plain; charset=UTF-8',
      'Content-Length: 15',
      'Connection: keep-alive',
      'Server: cloudflare',
      'CF-RAY: 8f00c0ffee000000-FRA',
    ),
  },
  {
    stack: 'ALB 503',
    status: 503,
    text: lines(
      'HTTP/1.1 503 Service Temporarily Unavailable',
      'Server: awselb/2.0',
      'Date: Tue, 03 Jun 2025 10:11:12 GMT',
      'Content-Type: text/html',
      'Content-Length: 162',
      'Connection: keep-alive',
    ),
  },
  {
    stack: 'API Gateway 403',
    status: 403,
    text: lines(
      'HTTP/1.1 403 Forbidden',
      'x-amzn-RequestId: 1b671a64-40d5-491e-99b0-da01ff1f3341',
      'x-amzn-ErrorType: ForbiddenException',
      'Content-Length: 23',
    ),
  },
  {
    stack: 'Envoy 503 after 103',
    status: 503,
    text: `HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n${lines('HTTP/1.1 503 Service Unavailable', 'content-length: 91', 'content-type: text/plain', 'server: envoy')}`,
  },
  {
    stack: 'Traefik 502',
    status: 502,
    text: lines('HTTP/1.1 502 Bad Gateway', 'Date: Tue, 03 Jun 2025 10:11:12 GMT', 'Content-Length: 11'),
  },
  {
    stack: 'Varnish 503',
    status: 503,
    text: lines(
      'HTTP/1.1 503 Backend fetch failed',
      'Server: Varnish',
      'X-Varnish: 32770',
      'Age: 0',
      'Via: 1.1 varnish (Varnish/7.1)',
      'Content-Length: 278',
    ),
  },
  {
    stack: 'redirect',
    status: 301,
    text: lines('HTTP/1.1 301 Moved Permanently', 'Location: https://chat.example/ws', 'Content-Length: 0'),
  },
  {
    stack: 'bare LF',
    status: 200,
    text: 'HTTP/1.1 200 OK\nContent-Length: 2\nServer: Boa/0.94\n\n',
  },
];
