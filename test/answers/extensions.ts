/**
 * A 101 with a subprotocol or an extension, asked for or not: RFC 6455 section 4.1 points 5 and 6, RFC 7692 section 7.1
 * for compression.
 */
import { type Answer, good, whole } from './answer.js';

const POINT_5 = 'RFC 6455 §4.1 point 5: an extension that was not asked for';
const POINT_6 = 'RFC 6455 §4.1 point 6: a subprotocol that was not asked for';
const NOT_ASKED_PROTOCOL = 'a subprotocol that was not asked for (section 4.1 point 6)';
const EMPTY_PROTOCOL = 'an empty subprotocol (section 4.2.2 point 5)';
const NOT_ASKED_EXTENSION = 'an extension that was not asked for (section 4.1 point 5)';
const EMPTY_LIST = 'an empty list of extensions (section 9.1)';
const PARAMETERS = 'permessage-deflate with parameters that are wrong (RFC 7692 section 7.1)';
const protocol = (value: string) => `Sec-WebSocket-Protocol: ${value}`;
const extension = (value: string) => `Sec-WebSocket-Extensions: ${value}`;

const SUBPROTOCOLS: readonly Answer[] = [
  {
    name: 'subprotocol-though-none-was-asked-for',
    steps: whole((accept) => good(accept, protocol('chat.v1'))),
    by: POINT_6,
    outcome: 'invalid-101',
    detail: NOT_ASKED_PROTOCOL,
  },
  {
    name: 'subprotocol-empty-though-none-was-asked-for',
    steps: whole((accept) => good(accept, protocol(''))),
    by: 'RFC 6455 §4.2.2 point 5: the empty string is no legal value',
    outcome: 'invalid-101',
    detail: EMPTY_PROTOCOL,
  },
  {
    name: 'subprotocol-that-was-asked-for',
    steps: whole((accept) => good(accept, protocol('chat.v2'))),
    by: POINT_6,
    outcome: '101',
    detail: null,
    asked: 'chat',
  },
  {
    name: 'subprotocol-other-than-those-asked-for',
    steps: whole((accept) => good(accept, protocol('chat.v3'))),
    by: POINT_6,
    outcome: 'invalid-101',
    detail: NOT_ASKED_PROTOCOL,
    asked: 'chat',
  },
  {
    name: 'subprotocol-in-another-case',
    steps: whole((accept) => good(accept, protocol('CHAT.V1'))),
    by: `${POINT_6}; RFC 6455 §11.5: names are compared with case`,
    outcome: 'invalid-101',
    detail: NOT_ASKED_PROTOCOL,
    asked: 'chat',
  },
  {
    name: 'all-subprotocols-that-were-asked-for',
    steps: whole((accept) => good(accept, protocol('chat.v1, chat.v2'))),
    by: 'RFC 6455 §4.2.2 point 5: one of them, or none',
    outcome: 'invalid-101',
    detail: NOT_ASKED_PROTOCOL,
    asked: 'chat',
  },
  {
    name: 'subprotocol-twice',
    steps: whole((accept) => good(accept, protocol('chat.v1'), protocol('chat.v1'))),
    by: 'RFC 6455 §11.3.4: no more than once in an answer',
    outcome: 'invalid-101',
    detail: 'Sec-WebSocket-Protocol sent more than once (section 11.3.4)',
    asked: 'chat',
  },
  {
    name: 'subprotocol-empty',
    steps: whole((accept) => good(accept, protocol(''))),
    by: 'RFC 6455 §4.2.2 point 5: the empty string is no legal value',
    outcome: 'invalid-101',
    detail: EMPTY_PROTOCOL,
    asked: 'chat',
  },
  {
    name: 'none-of-the-subprotocols-asked-for',
    steps: whole((accept) => good(accept)),
    by: 'RFC 6455 §4.2.2 point 5: the server may choose none',
    outcome: '101',
    detail: null,
    asked: 'chat',
    why: 'browsers (WHATWG WebSockets §4.1) and ws fail where they asked for one and none was chosen',
  },
];

const EXTENSIONS: readonly Answer[] = [
  {
    name: 'extension-unknown',
    steps: whole((accept) => good(accept, extension('x-unknown'))),
    by: POINT_5,
    outcome: 'invalid-101',
    detail: NOT_ASKED_EXTENSION,
  },
  {
    name: 'compression-though-not-asked-for',
    steps: whole((accept) => good(accept, extension('permessage-deflate'))),
    by: POINT_5,
    outcome: 'invalid-101',
    detail: NOT_ASKED_EXTENSION,
    why: 'Chromium always asks for it',
  },
  {
    name: 'extension-empty',
    steps: whole((accept) => good(accept, extension(''))),
    by: 'RFC 6455 §9.1: extension-list = 1#extension; what does not conform fails the connection',
    outcome: 'invalid-101',
    detail: EMPTY_LIST,
  },
  {
    name: 'compression-that-was-asked-for',
    steps: whole((accept) => good(accept, extension('permessage-deflate'))),
    by: 'RFC 7692 §7.1',
    outcome: '101',
    detail: null,
    asked: 'deflate',
  },
  {
    name: 'compression-with-parameters',
    steps: whole((accept) =>
      good(accept, extension('permessage-deflate; server_no_context_takeover; client_max_window_bits="12"')),
    ),
    by: 'RFC 7692 §7.1; RFC 6455 §9.1: a value may be quoted',
    outcome: '101',
    detail: null,
    asked: 'deflate',
  },
  {
    name: 'compression-with-an-unknown-parameter',
    steps: whole((accept) => good(accept, extension('permessage-deflate; level=9'))),
    by: 'RFC 7692 §7.1: a parameter that is not defined fails the connection',
    outcome: 'invalid-101',
    detail: PARAMETERS,
    asked: 'deflate',
  },
  {
    name: 'compression-with-window-bits-of-16',
    steps: whole((accept) => good(accept, extension('permessage-deflate; server_max_window_bits=16'))),
    by: 'RFC 7692 §7.1: an invalid value fails the connection; 8 to 15 (§7.1.2)',
    outcome: 'invalid-101',
    detail: PARAMETERS,
    asked: 'deflate',
  },
  {
    name: 'compression-with-window-bits-without-a-value',
    steps: whole((accept) => good(accept, extension('permessage-deflate; client_max_window_bits'))),
    by: 'RFC 7692 §7.1.2.2: in an answer the parameter has a value',
    outcome: 'invalid-101',
    detail: PARAMETERS,
    asked: 'deflate',
  },
  {
    name: 'compression-with-a-parameter-twice',
    steps: whole((accept) =>
      good(accept, extension('permessage-deflate; server_no_context_takeover; server_no_context_takeover')),
    ),
    by: 'RFC 7692 §7.1: a parameter sent twice fails the connection',
    outcome: 'invalid-101',
    detail: PARAMETERS,
    asked: 'deflate',
  },
  {
    name: 'extension-empty-where-compression-was-asked-for',
    steps: whole((accept) => good(accept, extension(' , '))),
    by: 'RFC 6455 §9.1: extension-list = 1#extension; what does not conform fails the connection',
    outcome: 'invalid-101',
    detail: EMPTY_LIST,
    asked: 'deflate',
  },
  {
    name: 'compression-among-empty-elements',
    steps: whole((accept) => good(accept, extension(', permessage-deflate ,'))),
    by: 'RFC 6455 §9.1: 1# allows for empty elements (RFC 2616 §2.1)',
    outcome: '101',
    detail: null,
    asked: 'deflate',
    why: 'neither takes the empty elements that lists of RFC 2616 may have',
  },
  {
    name: 'compression-and-an-extension-that-was-not-asked-for',
    steps: whole((accept) => good(accept, extension('permessage-deflate, x-unknown'))),
    by: POINT_5,
    outcome: 'invalid-101',
    detail: NOT_ASKED_EXTENSION,
    asked: 'deflate',
  },
  {
    name: 'compression-twice',
    steps: whole((accept) => good(accept, extension('permessage-deflate'), extension('permessage-deflate'))),
    by: 'RFC 6455 §9.1: the answer takes one offer; RFC 7692 §5',
    outcome: 'invalid-101',
    detail: 'permessage-deflate accepted more than once (RFC 7692 section 5)',
    asked: 'deflate',
    why: 'ws looks at the set of names',
  },
];

export const AGREEMENTS: readonly Answer[] = [...SUBPROTOCOLS, ...EXTENSIONS];
