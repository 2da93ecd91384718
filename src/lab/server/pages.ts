/**
 * The error pages of real stacks, exact in every byte that a fingerprint uses: nginx for most gateways of the lab,
 * HAProxy and Envoy where only they fail in that way, ws, Express and gorilla for backends behind a gateway. Complete
 * HTTP responses that end their connection.
 */

const REASONS = {
  200: 'OK',
  301: 'Moved Permanently',
  302: 'Moved Temporarily',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  426: 'Upgrade Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Temporarily Unavailable',
  504: 'Gateway Time-out',
} as const;

/** A status that a lab target can send. */
export type PageStatus = `${keyof typeof REASONS}`;

export function isPageStatus(word: string): word is PageStatus {
  return word in REASONS;
}

/** Statuses whose nginx page differs from the status line, and the text that nginx adds below the heading. */
const TITLES: Partial<Record<PageStatus, string>> = { 401: '401 Authorization Required', 302: '302 Found' };
const PLAIN_TO_TLS = 'The plain HTTP request was sent to HTTPS port';
const NO_CLIENT_CERTIFICATE = 'No required SSL certificate was sent';
const HEAD_TOO_LARGE = 'Request Header Or Cookie Too Large';

/** nginx's own page for a status. `extra` headers go before the empty line, for example `Retry-After: 1`. */
export function nginxPage(status: PageStatus, extra: readonly string[] = []): string {
  const title = TITLES[status] ?? `${status} ${REASONS[status]}`;
  return answer(status, 'text/html', nginxBody(title, title, ''), extra);
}

/** One of nginx's 400 pages that say what is wrong. */
function nginxBadRequest(why: string): string {
  const body = nginxBody(`400 ${why}`, '400 Bad Request', `<center>${why}</center>\r\n`);
  return answer('400', 'text/html', body, []);
}

export function nginxHeadTooLarge(): string {
  return nginxBadRequest(HEAD_TOO_LARGE);
}

export function nginxPlainToTls(): string {
  return nginxBadRequest(PLAIN_TO_TLS);
}

export function nginxNoClientCertificate(): string {
  return nginxBadRequest(NO_CLIENT_CERTIFICATE);
}

function nginxBody(title: string, heading: string, below: string): string {
  return (
    `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${heading}</h1></center>\r\n${below}` +
    '<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n'
  );
}

/** HAProxy's 503: header names in lower case, no Server, no Date. */
export function haproxyUnavailable(): string {
  return haproxyPage('503 Service Unavailable', 'No server is available to handle this request.');
}

/** HAProxy's 502 when its backend gave no complete response. */
export function haproxyBadGateway(): string {
  return haproxyPage('502 Bad Gateway', 'The server returned an invalid or incomplete response.');
}

/** HAProxy's 408 when no request came within `timeout http-request`. */
export function haproxyRequestTimeout(): string {
  return haproxyPage('408 Request Time-out', "Your browser didn't send a complete request in time.");
}

function haproxyPage(status: string, sentence: string): string {
  const body = `<html><body><h1>${status}</h1>\n${sentence}\n</body></html>\n`;
  return headed(status, [
    `content-length: ${body.length}`,
    'cache-control: no-cache',
    'content-type: text/html',
    'connection: close',
  ]).concat(body);
}

/** Envoy's 403 without a body, when `upgrade_configs` does not name websocket (envoyproxy/envoy#4740). */
export function envoyForbidden(): string {
  return headed('403 Forbidden', [
    'content-length: 0',
    `date: ${new Date().toUTCString()}`,
    'server: envoy',
    'connection: close',
  ]);
}

/** engine.io's response to a session id from another worker, seen through nginx. */
export function engineIoUnknownSession(): string {
  return answer('400', 'application/json', '{"code":1,"message":"Session ID unknown"}', []);
}

/** A backend's own 400, seen through nginx. */
export function relayedBadRequest(body: string): string {
  return answer('400', 'text/plain', body, []);
}

/** A backend's own 404, seen through nginx. */
export function relayedNotFound(): string {
  return answer('404', 'text/plain', 'not found here', []);
}

/** ws's response to a GET without an upgrade, seen through nginx. */
export function wsUpgradeRequired(): string {
  return answer('426', 'text/plain', 'Upgrade Required', []);
}

/** ws's own refusal, for example of an unknown path, seen through nginx. */
export function wsRefusal(status: '400' | '401'): string {
  return answer(status, 'text/html', REASONS[status], []);
}

/** The response of Node's http to a head that is too long. */
export function nodeHeadTooLarge(): string {
  return headed(`431 ${REASONS[431]}`, ['Connection: close']);
}

/** A server that does not support version 13 of the protocol (RFC 6455 section 4.4), seen through nginx. */
export function otherVersions(status: '400' | '426', versions: string): string {
  return answer(status, 'text/plain', REASONS[status], [`Sec-WebSocket-Version: ${versions}`]);
}

/** gorilla/websocket's refusal of an Origin, seen through nginx. */
export function gorillaForbidden(): string {
  return answer('403', 'text/plain; charset=utf-8', 'Forbidden\n', [
    'Sec-Websocket-Version: 13',
    'X-Content-Type-Options: nosniff',
  ]);
}

/** Express's response for a path without a route, seen through nginx. */
export function expressNotFound(path: string): string {
  return answer('404', 'text/html; charset=utf-8', expressBody(`Cannot GET ${escaped(path)}`), EXPRESS_HEADERS);
}

/** Express's response when a handler throws, seen through nginx. */
export function expressError(): string {
  return answer('500', 'text/html; charset=utf-8', expressBody('Internal Server Error'), EXPRESS_HEADERS);
}

const EXPRESS_HEADERS = [
  'X-Powered-By: Express',
  "Content-Security-Policy: default-src 'none'",
  'X-Content-Type-Options: nosniff',
];

function escaped(path: string): string {
  return path.split('?')[0].replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

function expressBody(text: string): string {
  return (
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>\n<body>\n' +
    `<pre>${text}</pre>\n</body>\n</html>\n`
  );
}

/** The home page of a site without WebSocket. */
export function sitePage(): string {
  const body = '<!DOCTYPE html>\n<html>\n<head><title>Welcome</title></head>\n<body><h1>Welcome</h1></body>\n</html>\n';
  return answer('200', 'text/html', body, []);
}

function answer(status: PageStatus, type: string, body: string, extra: readonly string[]): string {
  return headed(`${status} ${REASONS[status]}`, [
    'Server: nginx',
    `Date: ${new Date().toUTCString()}`,
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(body, 'latin1')}`,
    'Connection: close',
    ...extra,
  ]).concat(body);
}

/** What the lab itself says to a person, with curl for example. */
export function labAnswer(text: string): string {
  const size = `Content-Length: ${Buffer.byteLength(text, 'latin1')}`;
  return headed('200 OK', ['Content-Type: text/plain', size, 'Connection: close']).concat(text);
}

/** A head with its empty line. */
function headed(status: string, headers: readonly string[]): string {
  return `HTTP/1.1 ${[status, ...headers].join('\r\n')}\r\n\r\n`;
}
