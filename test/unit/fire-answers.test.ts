import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Offer } from '#dist/engine/protocol/request.js';
import { judgeUpgrade, readHead } from '#dist/engine/protocol/response.js';
import { ACCEPT } from './fire-heads.js';

const NOTHING: Offer = { subprotocols: [], deflate: false };
const CHAT: Offer = { subprotocols: ['chat.v1', 'chat.v2'], deflate: false };
const DEFLATE: Offer = { subprotocols: [], deflate: true };

/** What an answer comes to: an outcome, and the words that its detail must hold. */
function outcomeOf(text: string, offer: Offer): [outcome: string, detail: string] {
  const bytes = Buffer.from(text, 'latin1');
  const reading = readHead(bytes, bytes.length);
  if (reading.kind === 'more') return ['more', ''];
  if (reading.kind === 'malformed') return ['malformed', reading.detail];
  const { head } = reading;
  if (head.status !== 101) return [`${head.status}`, head.bareLf ? 'bare LF' : ''];
  const wrong = judgeUpgrade(head, ACCEPT, offer);
  return wrong === null ? ['101', head.bareLf ? 'bare LF' : ''] : ['invalid-101', wrong];
}

const UPGRADE = 'Upgrade: websocket';
const CONNECTION = 'Connection: Upgrade';
const ACCEPTED = `Sec-WebSocket-Accept: ${ACCEPT}`;
const switched = (...all: string[]) => ['HTTP/1.1 101 Switching Protocols', ...all, '', ''].join('\r\n');
const good = (...more: string[]) => switched(UPGRADE, CONNECTION, ACCEPTED, ...more);
const plain = (line: string, ...more: string[]) => [line, ...more, '', ''].join('\r\n');

type Row = readonly [name: string, text: string, outcome: string, detail?: string, offer?: Offer];

const STATUS_LINES: readonly Row[] = [
  ['a status without a reason (RFC 9112 section 4)', plain('HTTP/1.1 200 '), '200'],
  ['a status without the space before no reason (leniency)', plain('HTTP/1.1 200'), '200'],
  ['the lowest status', plain('HTTP/1.1 200 OK'), '200'],
  ['status 999', plain('HTTP/1.1 999 Request denied'), '999'],
  ['status 000', plain('HTTP/1.1 000 Nothing'), 'malformed', 'below 100'],
  ['status 099', plain('HTTP/1.1 099 Nothing'), 'malformed', 'below 100'],
  ['two digits', plain('HTTP/1.1 99 Nothing'), 'malformed', 'status line'],
  ['four digits', plain('HTTP/1.1 1010 Too long'), 'malformed', 'status line'],
  ['a negative status', plain('HTTP/1.1 -20 No'), 'malformed', 'status line'],
  ['no status', plain('HTTP/1.1'), 'malformed', 'status line'],
  ['two spaces before the status (RFC 9112 section 4: one SP)', plain('HTTP/1.1  200 OK'), 'malformed', 'status line'],
  ['HTTP/1.0 with a status (RFC 9112 section 2.3)', plain('HTTP/1.0 504 Gateway Time-out'), '504'],
  ['a later minor version (RFC 9110 section 2.5)', plain('HTTP/1.2 200 OK'), '200'],
  ['HTTP/2 in text', plain('HTTP/2 200'), 'malformed', 'does not begin'],
  [
    'HTTP/2 frames (RFC 9113 section 3.4)',
    '\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64',
    'malformed',
    'does not begin',
  ],
  ['HTTP/0.9: a page without a head', '<html>hello</html>', 'malformed', 'does not begin'],
  ['lower case (RFC 9112 section 2.3: case-sensitive)', plain('http/1.1 200 OK'), 'malformed', 'does not begin'],
  ['a TLS alert', '\x15\x03\x01\x00\x02\x02\x46', 'malformed', 'does not begin'],
  ['an SSH banner', 'SSH-2.0-OpenSSH_9.2p1\r\n', 'malformed', 'does not begin'],
  ['an empty line first', `\r\n${plain('HTTP/1.1 200 OK')}`, 'malformed', 'does not begin'],
  ['NUL in the reason does not hide the status', plain('HTTP/1.1 502 Bad\x00Gateway'), '502'],
  ['obs-text in the reason (RFC 9112 section 4)', plain('HTTP/1.1 404 pas trouv\xe9'), '404'],
];

const FIELDS: readonly Row[] = [
  ['LF alone as line end (RFC 9112 section 2.2)', 'HTTP/1.1 404 Not Found\nServer: x\n\n', '404', 'bare LF'],
  ['LF alone, 101', good().replaceAll('\r', ''), '101', 'bare LF'],
  ['LF alone on one line only', 'HTTP/1.1 404 Not Found\r\nServer: x\n\r\n', '404', 'bare LF'],
  ['CR alone inside a value (RFC 9112 section 2.2)', plain('HTTP/1.1 200 OK', 'X: a\rb'), 'malformed', 'header line 1'],
  ['no colon', plain('HTTP/1.1 200 OK', 'Server nginx'), 'malformed', 'header line 1'],
  ['no name', plain('HTTP/1.1 200 OK', ': value'), 'malformed', 'header line 1'],
  [
    'space before the colon (RFC 9112 section 5.1)',
    plain('HTTP/1.1 200 OK', 'Server : x'),
    'malformed',
    'header line 1',
  ],
  ['a space in a name', plain('HTTP/1.1 200 OK', 'A: b', 'My Server: x'), 'malformed', 'header line 2'],
  ['NUL in a name', plain('HTTP/1.1 200 OK', 'A\x00: x'), 'malformed', 'header line 1'],
  ['NUL in a value', plain('HTTP/1.1 200 OK', 'A: x\x00y'), '200'],
  ['obs-text in a value (RFC 9110 section 5.5)', plain('HTTP/1.1 200 OK', 'A: \xff\xfe'), '200'],
  ['an empty value', plain('HTTP/1.1 200 OK', 'A:'), '200'],
  ['a folded value (RFC 9112 section 5.2)', switched(UPGRADE, 'Connection: keep-alive,', '\tUpgrade', ACCEPTED), '101'],
  ['a fold with nothing before it', plain('HTTP/1.1 200 OK', ' folded'), 'malformed', 'header line 1'],
];

const INTERIM: readonly Row[] = [
  ['100 first (RFC 9110 section 15.2)', `${plain('HTTP/1.1 100 Continue')}${good()}`, '101'],
  [
    '103 with headers first (RFC 8297)',
    `${plain('HTTP/1.1 103 Early Hints', 'Link: </a>')}${plain('HTTP/1.1 502 Bad')}`,
    '502',
  ],
  ['fifty interim answers', `${plain('HTTP/1.1 102 Processing').repeat(50)}${good()}`, '101'],
  ['an interim answer and silence', plain('HTTP/1.1 100 Continue'), 'more'],
  ['an interim answer and rubbish', `${plain('HTTP/1.1 100 Continue')}rubbish`, 'malformed', 'does not begin'],
  [
    'the accept of an interim answer is not the answer’s',
    `${plain('HTTP/1.1 100 C', ACCEPTED)}${switched(UPGRADE, CONNECTION)}`,
    'invalid-101',
    'point 4',
  ],
  ['a 200 behind the 101 is no second answer', `${good()}${plain('HTTP/1.1 200 OK')}`, '101'],
];

const UPGRADES: readonly Row[] = [
  ['all there', good(), '101'],
  ['101 over HTTP/1.0 (RFC 9110 section 15.2)', good().replace('HTTP/1.1', 'HTTP/1.0'), 'invalid-101', 'HTTP/1.0'],
  ['no Upgrade', switched(CONNECTION, ACCEPTED), 'invalid-101', 'section 4.1 point 2'],
  ['Upgrade: h2c', switched('Upgrade: h2c', CONNECTION, ACCEPTED), 'invalid-101', 'section 4.1 point 2'],
  ['Upgrade: WebSocket (no case)', switched('Upgrade: WebSocket', CONNECTION, ACCEPTED), '101'],
  ['no Connection', switched(UPGRADE, ACCEPTED), 'invalid-101', 'section 4.1 point 3'],
  [
    'Connection: keep-alive',
    switched(UPGRADE, 'Connection: keep-alive', ACCEPTED),
    'invalid-101',
    'section 4.1 point 3',
  ],
  [
    'Connection: not-upgrade',
    switched(UPGRADE, 'Connection: not-upgrade', ACCEPTED),
    'invalid-101',
    'section 4.1 point 3',
  ],
  ['Connection as a list', switched(UPGRADE, 'Connection: keep-alive,  uPgRaDe', ACCEPTED), '101'],
  ['Connection twice', switched(UPGRADE, 'Connection: keep-alive', CONNECTION, ACCEPTED), '101'],
  ['no Accept', switched(UPGRADE, CONNECTION), 'invalid-101', 'no Sec-WebSocket-Accept'],
  ['a wrong Accept', switched(UPGRADE, CONNECTION, 'Sec-WebSocket-Accept: AAAA'), 'invalid-101', 'section 4.1 point 4'],
  [
    'Accept in another case',
    switched(UPGRADE, CONNECTION, ACCEPTED.toLowerCase()),
    'invalid-101',
    'section 4.1 point 4',
  ],
  ['Accept twice', good(ACCEPTED), 'invalid-101', 'more than once'],
  ['a subprotocol nobody asked for', good('Sec-WebSocket-Protocol: chat.v1'), 'invalid-101', 'section 4.1 point 6'],
  ['a subprotocol that was asked for', good('Sec-WebSocket-Protocol: chat.v2'), '101', '', CHAT],
  ['another than those asked for', good('Sec-WebSocket-Protocol: chat.v3'), 'invalid-101', 'section 4.1 point 6', CHAT],
  ['its case matters', good('Sec-WebSocket-Protocol: CHAT.v1'), 'invalid-101', 'section 4.1 point 6', CHAT],
  [
    'all of those asked for',
    good('Sec-WebSocket-Protocol: chat.v1, chat.v2'),
    'invalid-101',
    'section 4.1 point 6',
    CHAT,
  ],
  [
    'the subprotocol twice',
    good('Sec-WebSocket-Protocol: chat.v1', 'Sec-WebSocket-Protocol: chat.v1'),
    'invalid-101',
    'more than once',
    CHAT,
  ],
  ['none of those asked for (section 4.2.2)', good(), '101', '', CHAT],
  [
    'an extension nobody asked for',
    good('Sec-WebSocket-Extensions: permessage-deflate'),
    'invalid-101',
    'section 4.1 point 5',
  ],
  [
    'the extension that was asked for',
    good('Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover'),
    '101',
    '',
    DEFLATE,
  ],
  [
    'another extension',
    good('Sec-WebSocket-Extensions: x-webkit-deflate-frame'),
    'invalid-101',
    'section 4.1 point 5',
    DEFLATE,
  ],
  [
    'an extension too many',
    good('Sec-WebSocket-Extensions: permessage-deflate, mux'),
    'invalid-101',
    'section 4.1 point 5',
    DEFLATE,
  ],
  ['an empty list of extensions (section 9.1)', good('Sec-WebSocket-Extensions: , '), 'invalid-101', 'section 9.1'],
  [
    'compression between empty elements (RFC 2616 section 2.1)',
    good('Sec-WebSocket-Extensions: , permessage-deflate ,'),
    '101',
    '',
    DEFLATE,
  ],
  ...[
    'server_max_window_bits=8',
    'client_max_window_bits = "15"',
    'client_no_context_takeover;server_max_window_bits=10',
  ].map(
    (parameters): Row => [
      `compression with ${parameters}`,
      good(`Sec-WebSocket-Extensions: permessage-deflate; ${parameters}`),
      '101',
      '',
      DEFLATE,
    ],
  ),
  ...[
    'level=9',
    '',
    'server_max_window_bits',
    'server_max_window_bits=7',
    'server_max_window_bits=08',
    'client_max_window_bits=16',
    'client_max_window_bits="9',
    'server_no_context_takeover=1',
    'client_no_context_takeover; client_no_context_takeover',
    'client_max_window_bits=9; client_max_window_bits=10',
  ].map(
    (parameters): Row => [
      `compression with "${parameters}" (RFC 7692 section 7.1)`,
      good(`Sec-WebSocket-Extensions: permessage-deflate; ${parameters}`),
      'invalid-101',
      'RFC 7692 section 7.1',
      DEFLATE,
    ],
  ),
  ['an empty subprotocol (section 4.2.2)', good('Sec-WebSocket-Protocol:'), 'invalid-101', 'section 4.2.2', CHAT],
  ['NUL in a value (RFC 9110 section 5.5)', good('Server: a\x00b'), 'invalid-101', 'RFC 9110 section 5.5'],
  [
    '101 with Transfer-Encoding: chunked (RFC 9112 section 6.1: it has no body)',
    good('Transfer-Encoding: chunked'),
    '101',
  ],
  ['101 with Content-Length (RFC 9110 section 8.6)', good('Content-Length: 0'), '101'],
];

for (const [what, rows] of Object.entries({ STATUS_LINES, FIELDS, INTERIM, UPGRADES })) {
  describe(`answer to outcome: ${what.toLowerCase().replace('_', ' ')}`, () => {
    for (const [name, text, outcome, detail = '', offer = NOTHING] of rows) {
      test(`${name} is ${outcome}`, () => {
        const [seen, said] = outcomeOf(text, offer);
        assert.equal(seen, outcome, said);
        assert.ok(said.includes(detail), `detail: ${said}`);
      });
    }
  });
}

test('values are joined as RFC 9112 section 5.2 says, blanks around them are cut, those inside stay', () => {
  const bytes = Buffer.from(
    'HTTP/1.1 200 OK\r\nA: \t one  two \t\r\nB: x\r\n \t y\r\n\tz \r\nC:\xa0v\xa0\r\n\r\n',
    'latin1',
  );
  const reading = readHead(bytes, bytes.length);
  assert.ok(reading.kind === 'head');
  assert.deepEqual(reading.head.headers, [
    ['A', 'one  two'],
    ['B', 'x y z'],
    ['C', '\xa0v\xa0'],
  ]);
});
