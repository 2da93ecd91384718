/**
 * Answers that differ in their status line, or have none: RFC 9112 section 4 and RFC 9110 section 15.
 */
import { type Answer, CONNECTION, FIN, good, head, TAKEN, UPGRADE, whole, write } from './answer.js';

const FIRST = 'does not begin with HTTP/1.';
const LINE = 'status line is not HTTP/1.x with a three-digit status';
const NO_HTTP = 'RFC 9112 §4: a response begins with HTTP-version';
const FINAL = 'RFC 6455 §4.1 point 1: a status other than 101 is HTTP’s business';
const FIRST_HEAD = 'Chromium takes the first head for the answer, also where it is an interim one';
const PAGE = '<html><body><h1>No</h1></body></html>\n';

/** A complete answer with that status: with a body of known length, an empty one, or more fields. */
function status(line: string, fields: readonly string[] = [], body: string | null = null): Answer {
  const [code, ...reason] = line.split(' ');
  const length = body === null ? ['Content-Length: 0'] : [`Content-Length: ${body.length}`];
  const hasLength = code !== '204' && code !== '304';
  return {
    name: `${code}${body === null ? '' : '-with-a-body'}${reason.length === 0 ? '-no-reason' : ''}`,
    steps: whole(() => head(`HTTP/1.1 ${line}`, ...fields, ...(hasLength ? length : [])) + (body ?? '')),
    by: FINAL,
    outcome: code,
    detail: null,
  };
}

const REFUSALS: readonly Answer[] = [
  status('200 OK', ['Content-Type: text/html'], PAGE),
  status('204 No Content'),
  status('301 Moved Permanently', ['Location: /good']),
  status('302 Found', ['Location: http://127.0.0.1:9/elsewhere']),
  status('304 Not Modified'),
  status('307 Temporary Redirect', ['Location: /good']),
  status('400 Bad Request'),
  status('400 Bad Request', ['Content-Type: text/plain'], 'missing Sec-WebSocket-Key'),
  status('401 Unauthorized', ['WWW-Authenticate: Basic realm="x"']),
  status('403 Forbidden'),
  status('404 Not Found', ['Content-Type: text/html'], PAGE),
  status('407 Proxy Authentication Required', ['Proxy-Authenticate: Basic realm="x"']),
  status('426 Upgrade Required', ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13']),
  status('426 Upgrade Required', ['Content-Type: text/plain'], 'Upgrade Required'),
  status('429 Too Many Requests', ['Retry-After: 3']),
  status('500 Internal Server Error', ['Content-Type: text/html'], PAGE),
  status('502 Bad Gateway', ['Server: nginx/1.22.1', 'Content-Type: text/html'], PAGE),
  status('502'),
  status('503 Service Unavailable'),
  status('503 Service Unavailable', ['Retry-After: 10'], 'Service Unavailable'),
  status('504 Gateway Time-out', ['cache-control: no-cache'], PAGE),
  {
    name: '200-until-FIN',
    steps: () => [write(`${head('HTTP/1.1 200 OK')}${PAGE}`), TAKEN, FIN],
    by: 'RFC 9112 §6.3: a body without a length ends with the connection',
    outcome: '200',
    detail: null,
  },
  {
    name: '200-with-the-fields-of-an-upgrade',
    steps: whole((accept) => good(accept, 'Content-Length: 0').replace('101 Switching Protocols', '200 OK')),
    by: FINAL,
    outcome: '200',
    detail: null,
  },
  {
    name: 'reason-of-10-KiB',
    steps: whole(() => head(`HTTP/1.1 503 ${'x'.repeat(10 * 1024)}`, 'Content-Length: 0')),
    by: 'RFC 9112 §4: a client ignores the reason phrase',
    outcome: '503',
    detail: null,
  },
  {
    name: '999',
    steps: whole(() => head('HTTP/1.1 999 Request denied', 'Content-Length: 0')),
    by: 'RFC 9110 §15: three digits out of range; the client treats it as a 5xx',
    outcome: '999',
    detail: null,
  },
];

const INVALID: readonly Answer[] = [
  {
    name: '000',
    steps: whole(() => head('HTTP/1.1 000 Nothing', 'Content-Length: 0')),
    by: 'RFC 9110 §15: below 100 is no status',
    outcome: 'malformed',
    detail: 'status 000 is below 100',
  },
  {
    name: '099',
    steps: whole(() => head('HTTP/1.1 099 Nothing', 'Content-Length: 0')),
    by: 'RFC 9110 §15: below 100 is no status',
    outcome: 'malformed',
    detail: 'status 099 is below 100',
  },
  {
    name: '1000',
    steps: whole(() => head('HTTP/1.1 1000 Too long', 'Content-Length: 0')),
    by: 'RFC 9112 §4: status-code = 3DIGIT',
    outcome: 'malformed',
    detail: LINE,
  },
  {
    name: '1010-with-the-fields-of-an-upgrade',
    steps: whole((accept) => good(accept).replace(' 101 ', ' 1010 ')),
    by: 'RFC 9112 §4: status-code = 3DIGIT',
    outcome: 'malformed',
    detail: LINE,
  },
  {
    name: 'bare-CR-in-the-reason',
    steps: whole((accept) => good(accept).replace('Switching ', 'Switching\r')),
    by: 'RFC 9112 §2.2: a bare CR makes the element invalid',
    outcome: 'malformed',
    detail: LINE,
    why: 'Chromium ends lines at LF alone and keeps the CR in the reason, which it ignores',
  },
  {
    name: 'HTTP/2-in-the-status-line',
    steps: whole((accept) => good(accept).replace('HTTP/1.1', 'HTTP/2')),
    by: 'RFC 9112 §2.3: HTTP-version = HTTP "/" DIGIT "." DIGIT',
    outcome: 'malformed',
    detail: FIRST,
    why: 'Chromium takes a version without a dot for HTTP/1.0, and that for good',
  },
  {
    name: 'HTTP/2-SETTINGS-frame',
    steps: whole(() => '\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64'),
    by: NO_HTTP,
    outcome: 'malformed',
    detail: FIRST,
  },
  {
    name: 'HTTP/2-connection-preface',
    steps: whole(() => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    by: NO_HTTP,
    outcome: 'malformed',
    detail: FIRST,
  },
  {
    name: 'SSH-banner',
    steps: whole(() => 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n'),
    by: NO_HTTP,
    outcome: 'malformed',
    detail: FIRST,
  },
  {
    name: 'NUL-bytes',
    steps: whole(() => '\0'.repeat(64)),
    by: NO_HTTP,
    outcome: 'malformed',
    detail: FIRST,
  },
  {
    name: 'a-page-without-a-head',
    steps: () => [write(PAGE), TAKEN, FIN],
    by: NO_HTTP,
    outcome: 'malformed',
    detail: FIRST,
  },
  {
    name: 'TLS-alert-on-a-plain-port',
    steps: () => [write('\x15\x03\x01\x00\x02\x02\x46'), TAKEN, FIN],
    by: NO_HTTP,
    outcome: 'malformed',
    detail: FIRST,
  },
  {
    name: 'an-empty-line-first',
    steps: whole((accept) => `\r\n${good(accept)}`),
    by: `${NO_HTTP}; only servers skip empty lines (§2.2)`,
    outcome: 'malformed',
    detail: FIRST,
    why: 'both skip it: ws’s parser as servers do before a request, Chromium any 4 bytes before "HTTP"',
  },
];

const SWITCHED: readonly Answer[] = [
  {
    name: 'good',
    steps: whole((accept) => good(accept)),
    by: 'RFC 6455 §4.1',
    outcome: '101',
    detail: null,
  },
  {
    name: '101-without-a-reason',
    steps: whole((accept) => good(accept).replace(' Switching Protocols', ' ')),
    by: 'RFC 9112 §4: the reason phrase may be absent',
    outcome: '101',
    detail: null,
  },
  {
    name: '101-without-a-reason-nor-its-space',
    steps: whole((accept) => good(accept).replace(' Switching Protocols', '')),
    by: 'RFC 9112 §4: a recipient may ignore trailing white space, here none',
    outcome: '101',
    detail: null,
  },
  {
    name: '101-over-HTTP/1.2',
    steps: whole((accept) => good(accept).replace('HTTP/1.1', 'HTTP/1.2')),
    by: 'RFC 9110 §2.5: a higher minor version is read as one that is known',
    outcome: '101',
    detail: null,
    why: 'Node, beneath ws, reads no version but 0.9, 1.0, 1.1 and 2.0',
  },
  {
    name: '101-over-HTTP/1.0',
    steps: whole((accept) => good(accept).replace('HTTP/1.1', 'HTTP/1.0')),
    by: 'RFC 9110 §15.2: HTTP/1.0 has no 1xx; §7.8: nor an Upgrade',
    outcome: 'invalid-101',
    detail: '101 over HTTP/1.0',
    why: 'both look at the status and the fields, not at the version',
  },
];

const INTERIM: readonly Answer[] = [
  {
    name: '100-before-the-101',
    steps: whole((accept) => head('HTTP/1.1 100 Continue') + good(accept)),
    by: 'RFC 9110 §15.2: a client takes any number of 1xx before the final answer',
    outcome: '101',
    detail: null,
    why: FIRST_HEAD,
  },
  {
    name: '103-before-the-101',
    steps: whole((accept) => head('HTTP/1.1 103 Early Hints', 'Link: </a.css>; rel=preload') + good(accept)),
    by: 'RFC 9110 §15.2; RFC 8297 §2',
    outcome: '101',
    detail: null,
    why: FIRST_HEAD,
  },
  {
    name: '103-before-a-502',
    steps: whole(() => head('HTTP/1.1 103 Early Hints') + head('HTTP/1.1 502 Bad Gateway', 'Content-Length: 0')),
    by: 'RFC 9110 §15.2; RFC 8297 §2',
    outcome: '502',
    detail: null,
  },
  {
    name: '100-a-hundred-times',
    steps: whole((accept) => head('HTTP/1.1 100 Continue').repeat(100) + good(accept)),
    by: 'RFC 9110 §15.2: a client takes any number of 1xx before the final answer',
    outcome: '101',
    detail: null,
    why: FIRST_HEAD,
  },
  {
    name: '100-and-then-silence',
    steps: whole(() => head('HTTP/1.1 100 Continue')),
    by: 'RFC 9110 §15.2: an interim answer is not the answer',
    outcome: 'timeout-upgrade',
    detail: null,
  },
  {
    name: 'Accept-in-the-100-only',
    steps: whole(
      (accept) =>
        head('HTTP/1.1 100 Continue', `Sec-WebSocket-Accept: ${accept}`) + head('HTTP/1.1 101 X', UPGRADE, CONNECTION),
    ),
    by: 'RFC 6455 §4.1 point 4: the field must be in the answer itself',
    outcome: 'invalid-101',
    detail: 'no Sec-WebSocket-Accept (section 4.1 point 4)',
  },
];

export const STATUS_LINES: readonly Answer[] = [...SWITCHED, ...INTERIM, ...REFUSALS, ...INVALID];
