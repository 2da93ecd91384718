/**
 * Mistakes of setups as the answers that real stacks give to them: gateways whose own page comes, servers that refuse in
 * their own words, and what they say after the 101. Asked by `check`, mostly with `--direct`, or by a small burst.
 */
import type { CauseId } from '#dist/diagnose/causes.js';
import { burst, type Case, exactly, type Maker } from './diagnose-case.js';
import type { RawAnswer, RawRequest, RawStack } from './diagnose-raw.js';

const CHECK = ['check', 'URL', '-t', '4s'];
const BOTH = [...CHECK, '--direct', 'DIRECT'];

function rawCase(
  stack: RawStack,
  truth: CauseId | null,
  outcome: string,
  args: readonly string[] = CHECK,
  also: readonly CauseId[] = [],
): Maker {
  return (draw) => {
    const size = draw.int(20, 60);
    const isCheck = args[0] === 'check';
    const one: Case = {
      name: stack.name,
      group: truth === null ? 'healthy' : 'cause',
      target: { raw: stack },
      setting: 'raw answers',
      truth: truth === null ? [] : [truth],
      also,
      times: null,
      args: isCheck ? args : [...burst(size), ...args],
      outcomes: { [outcome]: exactly(isCheck ? 1 : size) },
    };
    return one;
  };
}

function say(status: string, body: string, ...headers: readonly string[]): RawAnswer {
  const lines = [`HTTP/1.1 ${status}`, ...headers, `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close'];
  return { text: `${lines.join('\r\n')}\r\n\r\n${body}` };
}

/** The same answer whatever is asked. */
function all(name: string, answer: RawAnswer, backend?: RawStack['backend']): RawStack {
  return { name, gateway: () => answer, ...(backend !== undefined && { backend }) };
}

/** One answer to a handshake, another to an ordinary GET. */
function split(name: string, upgrade: RawAnswer, get: RawAnswer, backend?: RawStack['backend']): RawStack {
  return {
    name,
    gateway: ({ isUpgrade }: RawRequest) => (isUpgrade ? upgrade : get),
    ...(backend !== undefined && { backend }),
  };
}

const NGINX = 'Server: nginx/1.22.1';
const HTML = 'Content-Type: text/html';
const nginxPage = (status: string): RawAnswer =>
  say(
    status,
    `<html>\r\n<head><title>${status}</title></head>\r\n<body>\r\n<center><h1>${status}</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n`,
    NGINX,
    HTML,
  );
const relayed = (status: string, body: string, ...headers: readonly string[]): RawAnswer =>
  say(status, body, NGINX, ...headers);
const haproxyPage = (status: string, sentence: string): RawAnswer =>
  say(
    status,
    `<html><body><h1>${status}</h1>\n${sentence}\n</body></html>\n`,
    'cache-control: no-cache',
    'content-type: text/html',
  );
const apachePage = (status: string): RawAnswer =>
  say(
    status,
    `<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>${status}</title>\n</head><body>\n<h1>x</h1>\n<hr>\n<address>Apache/2.4.71 (Debian) Server at localhost Port 80</address>\n</body></html>\n`,
    'Server: Apache/2.4.71 (Debian)',
    HTML,
  );
const HOME = relayed('200 OK', '<h1>home</h1>', HTML);
const GONE = say('404 Not Found', 'not here');
const TO_TLS =
  '<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n<center>The plain HTTP request was sent to HTTPS port</center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n';
const chunked = (status: string, body: string, type: string): RawAnswer => ({
  text: `HTTP/1.1 ${status}\r\n${NGINX}\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
});

function closing(code: number, reason: string): RawAnswer {
  const text = Buffer.from(reason);
  return { accept: true, after: Buffer.concat([Buffer.of(0x88, 2 + text.length, code >> 8, code & 0xff), text]) };
}

/** The rules were written with these in view. */
export const OPEN_RAW: readonly Maker[] = [
  rawCase(
    all(
      'uvicorn without a WebSocket library',
      chunked('400 Bad Request', 'Unsupported upgrade request.', 'text/plain'),
    ),
    'not-a-websocket-endpoint',
    '400',
  ),
  rawCase(
    all(
      'engine.io without ?transport',
      chunked('400 Bad Request', '{"code":0,"message":"Transport unknown"}', 'application/json'),
    ),
    'bad-request',
    '400',
  ),
  rawCase(
    all('engine.io without sticky sessions', relayed('400 Bad Request', 'Session ID unknown', HTML)),
    'sticky-session-missing',
    '400',
    [],
  ),
  rawCase(
    all('Apache without proxy_http', apachePage('500 Internal Server Error')),
    'gateway-misconfigured',
    '500',
    BOTH,
  ),
  rawCase(
    all('nginx whose auth_request fails', nginxPage('500 Internal Server Error')),
    'auth-subrequest-failed',
    '500',
    BOTH,
    ['gateway-misconfigured'],
  ),
  rawCase(split('Connection compared by its case', relayed('400 Bad Request', ''), HOME), 'header-case', '400', BOTH),
  rawCase(
    split(
      'HAProxy speaks HTTP/2 to its backend',
      haproxyPage('502 Bad Gateway', 'The server returned an invalid or incomplete response.'),
      HOME,
    ),
    'http2-only',
    '502',
    BOTH,
  ),
  rawCase(
    split(
      'a 101 over proxy_buffer_size',
      nginxPage('502 Bad Gateway'),
      relayed('426 Upgrade Required', 'Upgrade Required'),
      () => ({ accept: true, headers: `X-Big: ${'a'.repeat(6000)}\r\n` }),
    ),
    'head-over-proxy-buffer',
    '502',
    BOTH,
  ),
  rawCase(
    all('PROXY protocol to an nginx that expects none', nginxPage('400 Bad Request')),
    'proxy-protocol-mismatch',
    '400',
    BOTH,
    ['bad-request'],
  ),
  rawCase(
    all('websockify behind an nginx that strips', relayed('405 Method Not Allowed', 'Error code: 405')),
    'upgrade-not-forwarded',
    '405',
    BOTH,
  ),
  rawCase(
    all('a port that speaks HTTP/2 only', {
      text: '\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x04\0\x01\0\0\0\x05\0\xff\xff\xff',
    }),
    'http2-only',
    'malformed',
    ['--no-preflight'],
  ),
  rawCase(
    all('nginx speaks http:// to a TLS backend', say('400 Bad Request', TO_TLS, NGINX, HTML)),
    'gateway-misconfigured',
    '400',
    BOTH,
  ),
  rawCase(
    split('libwebsockets and an unknown subprotocol', { finAfterMs: 1 }, GONE),
    'subprotocol-required',
    'closed',
    [...CHECK, '--subprotocol', 'nope'],
  ),
  rawCase(split('engine.io at another path', { finAfterMs: 1005 }, GONE), 'wrong-path', 'closed'),
  rawCase(
    all('an application that rejects with 1008', closing(1008, 'origin not allowed')),
    'rejected-after-accept',
    '101',
  ),
  rawCase(
    all('two ws servers on one port', {
      accept: true,
      after: Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nBad Request'),
    }),
    'two-servers-answered',
    '101',
    CHECK,
    ['rejected-after-accept'],
  ),
  rawCase(
    all('an expired token in the query', relayed('401 Unauthorized', '{"error":"jwt expired"}')),
    'auth-refused',
    '401',
    ['-H', 'Authorization: Bearer abcdefgh.ijkl.mnop'],
  ),
  rawCase(
    all(
      'a login page in place of the handshake',
      chunked('200 OK', '<html><title>Login</title><form>log in</form></html>', 'text/html'),
    ),
    'auth-refused',
    '200',
    BOTH,
  ),
  rawCase(split('a site with a WebSocket, healthy', { accept: true }, HOME), null, '101'),
];

/** Written after the rules, and never used to change them. */
export const BLIND_RAW: readonly Maker[] = [
  rawCase(
    all(
      'aiohttp behind a proxy that strips',
      relayed(
        '400 Bad Request',
        'No WebSocket UPGRADE hdr: None\n Can "Upgrade" only to "WebSocket".',
        'Content-Type: text/plain',
      ),
    ),
    'upgrade-not-forwarded',
    '400',
    BOTH,
  ),
  rawCase(
    split(
      'tornado and a foreign Origin',
      relayed('403 Forbidden', 'Cross origin websockets not allowed'),
      relayed('400 Bad Request', 'Can "Upgrade" only to "WebSocket".'),
    ),
    'origin-refused',
    '403',
    [...CHECK, '--origin', 'https://elsewhere.example'],
  ),
  rawCase(
    all('SignalR on two servers', relayed('404 Not Found', 'No Connection with that ID', 'Content-Type: text/plain')),
    'sticky-session-missing',
    '404',
    [],
  ),
  rawCase(
    all('a ws library that sees no Upgrade', relayed('400 Bad Request', 'Not a valid websocket request')),
    'upgrade-not-forwarded',
    '400',
    BOTH,
  ),
  rawCase(
    split('Spring and its CORS list', say('403 Forbidden', 'Invalid CORS request', 'Vary: Origin'), GONE),
    'origin-refused',
    '403',
    [...CHECK, '--origin', 'https://elsewhere.example'],
  ),
  rawCase(split('Prosody without xmpp', say('501 Not Implemented', ''), HOME), 'subprotocol-required', '501'),
  rawCase(split('mosquitto without mqtt', { finAfterMs: 1 }, GONE), 'subprotocol-required', 'closed'),
  rawCase(
    all('graphql-ws and another subprotocol', closing(4406, 'Subprotocol not acceptable')),
    'rejected-after-accept',
    '101',
  ),
  rawCase(
    all('Envoy without a healthy endpoint', say('503 Service Unavailable', 'no healthy upstream', 'server: envoy')),
    'health-check-fails',
    '503',
    BOTH,
  ),
  rawCase(
    all(
      'HAProxy whose check gets a 426',
      haproxyPage('503 Service Unavailable', 'No server is available to handle this request.'),
    ),
    'health-check-fails',
    '503',
    BOTH,
  ),
  rawCase(
    all('Caddy with https:// to a plain port', say('502 Bad Gateway', '', 'Server: Caddy')),
    'gateway-misconfigured',
    '502',
    BOTH,
  ),
  rawCase(all('an ALB before an HTTP/2 target group', say('464 ', '', 'Server: awselb/2.0')), 'http2-only', '464', []),
  rawCase(
    all(
      'Node http2 that is asked without ALPN',
      say('403 Forbidden', 'Missing ALPN Protocol, expected `h2` to be available.', 'Content-Type: text/plain'),
    ),
    'http2-only',
    '403',
  ),
  rawCase(
    all('webpack-dev-server and another Host', say('403 Forbidden', 'Invalid Host header', HTML)),
    'forbidden',
    '403',
    [],
  ),
  rawCase(
    all(
      'Traefik without a route',
      say('404 Not Found', '404 page not found\n', 'Content-Type: text/plain; charset=utf-8'),
    ),
    'wrong-path',
    '404',
    BOTH,
    ['upgrade-not-forwarded'],
  ),
  rawCase(
    all('oauth2-proxy', relayed('302 Found', '', 'Location: https://sso.example.com/oauth2/start?rd=%2Fws')),
    'redirected',
    '302',
    [],
    ['auth-refused'],
  ),
  rawCase(
    all(
      'Python websockets that sees keep-alive',
      say(
        '426 Upgrade Required',
        'Failed to open a WebSocket connection: invalid Connection header: keep-alive.\n',
        'Upgrade: websocket',
        'Server: Python/3.11 websockets/12.0',
      ),
    ),
    'upgrade-not-forwarded',
    '426',
    [],
  ),
  rawCase(
    all('a server that counts its sockets', relayed('503 Service Unavailable', 'Too many connections')),
    'connection-limit',
    '503',
    [],
  ),
  rawCase(
    all('a cookie that has expired', relayed('401 Unauthorized', 'Unauthorized', 'Content-Type: text/plain')),
    'auth-refused',
    '401',
    ['-H', 'Cookie: sid=abcdefgh'],
  ),
  rawCase(all('a server that is just going away', closing(1001, '')), 'server-restart', '101'),
  rawCase(
    split('engine.io, healthy', { accept: true }, say('400 Bad Request', '{"code":3,"message":"Bad request"}')),
    null,
    '101',
  ),
];
