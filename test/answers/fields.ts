/**
 * Answers whose fields are written in ways that a parser must decide about: RFC 9112 sections 2.2, 5 and 6, RFC 9110
 * section 5. All but a few are otherwise valid upgrades, so that what decides is the syntax alone.
 */
import {
  type Answer,
  accepted,
  CONNECTION,
  drip,
  good,
  head,
  switching,
  TAKEN,
  textFrame,
  UPGRADE,
  whole,
  write,
} from './answer.js';

/** The most that the tool reads of a head. */
const HEAD_BYTES = 64 * 1024;

const CR_KEPT = 'Chromium ends lines at LF alone and keeps the CR in the value';
const NO_FOLD = 'Node, beneath ws, rejects folded lines unless told to be lenient';
const SKIPPED = 'Chromium leaves out lines whose name is no token, and judges by the others';
const CUT_BLANKS = 'Chromium cuts the white space before the colon, as proxies must';

const LINE_ENDS: readonly Answer[] = [
  {
    name: 'LF-alone',
    steps: whole((accept) => good(accept).replaceAll('\r', '')),
    by: 'RFC 9112 §2.2: a recipient may take a single LF as line end',
    outcome: '101',
    detail: 'bare LF as line end',
    why: 'Node, beneath ws, asks for CR LF unless told to be lenient',
  },
  {
    name: 'LF-alone-in-a-404',
    steps: whole(() => 'HTTP/1.1 404 Not Found\nContent-Length: 0\n\n'),
    by: 'RFC 9112 §2.2: a recipient may take a single LF as line end',
    outcome: '404',
    detail: 'bare LF as line end',
  },
  {
    name: 'bare-CR-in-a-value',
    steps: whole((accept) => good(accept, 'X: a\rb')),
    by: 'RFC 9112 §2.2: a bare CR makes the element invalid',
    outcome: 'malformed',
    detail: 'header line 4 is not "name: value"',
    why: CR_KEPT,
  },
  {
    name: 'CR-alone',
    steps: whole((accept) => good(accept).replaceAll('\n', '')),
    by: 'RFC 9112 §2.2: CR is no line end, so the head never ends',
    outcome: 'timeout-upgrade',
    detail: null,
  },
  {
    name: 'folded-Connection',
    steps: whole((accept) => switching(UPGRADE, 'Connection: keep-alive,', '\tUpgrade', accepted(accept))),
    by: 'RFC 9112 §5.2: a user agent replaces a fold by spaces',
    outcome: '101',
    detail: null,
    why: NO_FOLD,
  },
  {
    name: 'folded-Accept',
    steps: whole((accept) => switching(UPGRADE, CONNECTION, 'Sec-WebSocket-Accept:', ` ${accept}`)),
    by: 'RFC 9112 §5.2: a user agent replaces a fold by spaces',
    outcome: '101',
    detail: null,
    why: NO_FOLD,
  },
  {
    name: 'a-fold-before-the-first-field',
    steps: whole((accept) => switching(' folded', UPGRADE, CONNECTION, accepted(accept))),
    by: 'RFC 9112 §2.2: white space before the first field: reject, or skip the line',
    outcome: 'malformed',
    detail: 'header line 1 is not "name: value"',
    why: 'Chromium skips the line, as the RFC allows too',
  },
];

const NAMES: readonly Answer[] = [
  {
    name: 'a-line-without-a-colon',
    steps: whole((accept) => good(accept, 'Server nginx')),
    by: 'RFC 9112 §5: field-line = field-name ":" value',
    outcome: 'malformed',
    detail: 'header line 4 is not "name: value"',
    why: SKIPPED,
  },
  {
    name: 'a-space-before-the-colon',
    steps: whole((accept) => good(accept, 'Server : nginx')),
    by: 'RFC 9112 §5.1: no white space between name and colon',
    outcome: 'malformed',
    detail: 'header line 4 is not "name: value"',
    why: CUT_BLANKS,
  },
  {
    name: 'a-space-before-the-colon-of-Upgrade',
    steps: whole((accept) => switching('Upgrade : websocket', CONNECTION, accepted(accept))),
    by: 'RFC 9112 §5.1: no white space between name and colon',
    outcome: 'malformed',
    detail: 'header line 1 is not "name: value"',
    why: CUT_BLANKS,
  },
  {
    name: 'a-space-in-a-name',
    steps: whole((accept) => good(accept, 'My Server: nginx')),
    by: 'RFC 9110 §5.1: field-name = token',
    outcome: 'malformed',
    detail: 'header line 4 is not "name: value"',
    why: SKIPPED,
  },
  {
    name: 'an-empty-name',
    steps: whole((accept) => good(accept, ': value')),
    by: 'RFC 9110 §5.1: field-name = token, at least one character',
    outcome: 'malformed',
    detail: 'header line 4 is not "name: value"',
    why: SKIPPED,
  },
  {
    name: 'NUL-in-a-name',
    steps: whole((accept) => good(accept, 'X\0: value')),
    by: 'RFC 9110 §5.1: field-name = token',
    outcome: 'malformed',
    detail: 'header line 4 is not "name: value"',
  },
  {
    name: 'obs-text-in-a-name',
    steps: whole((accept) => good(accept, 'X\xe9: value')),
    by: 'RFC 9110 §5.1: field-name = token',
    outcome: 'malformed',
    detail: 'header line 4 is not "name: value"',
    why: SKIPPED,
  },
  {
    name: 'names-in-another-case',
    steps: whole((accept) => switching('UPGRADE: websocket', 'connection: Upgrade', `sec-WEBSOCKET-accept: ${accept}`)),
    by: 'RFC 9110 §5.1: names have no case',
    outcome: '101',
    detail: null,
  },
];

const VALUES: readonly Answer[] = [
  {
    name: 'obs-text-in-a-value',
    steps: whole((accept) => good(accept, 'Server: \xff\xfe\x80')),
    by: 'RFC 9110 §5.5: obs-text is opaque data',
    outcome: '101',
    detail: null,
  },
  {
    name: 'NUL-in-a-value',
    steps: whole((accept) => good(accept, 'Server: a\0b')),
    by: 'RFC 9110 §5.5: reject, or take NUL for a space; a 101 is rejected, as every client does',
    outcome: 'invalid-101',
    detail: 'NUL in the value of a header (RFC 9110 section 5.5)',
  },
  {
    name: 'an-escape-sequence-in-a-value',
    steps: whole((accept) => good(accept, 'Server: \x1b[31mred\x1b[0m')),
    by: 'RFC 9110 §5.5: other controls are invalid but safe to keep as opaque data',
    outcome: '101',
    detail: null,
    why: 'Node, beneath ws, rejects controls in values',
  },
  {
    name: 'an-empty-value',
    steps: whole((accept) => good(accept, 'Server:')),
    by: 'RFC 9110 §5.5: field-value = *field-content',
    outcome: '101',
    detail: null,
  },
  {
    name: 'no-white-space-after-the-colons',
    steps: whole((accept) => good(accept).replaceAll(': ', ':')),
    by: 'RFC 9112 §5.1: the white space is optional',
    outcome: '101',
    detail: null,
  },
];

/** A 101 whose head is `size` bytes long. */
function padded(accept: string, size: number): string {
  return good(accept, `X: ${'x'.repeat(size - good(accept, 'X: ').length)}`);
}

const OVER_NODE = 'Node, beneath ws, reads heads of up to 16 KiB';

const SIZES: readonly Answer[] = [
  {
    name: 'head-of-64-KiB-less-a-byte',
    steps: whole((accept) => padded(accept, HEAD_BYTES - 1)),
    by: 'RFC 9110 §5.4: no limit is set; the tool’s is 64 KiB',
    outcome: '101',
    detail: null,
    why: OVER_NODE,
  },
  {
    name: 'head-of-64-KiB',
    steps: whole((accept) => padded(accept, HEAD_BYTES)),
    by: 'RFC 9110 §5.4: no limit is set; the tool’s is 64 KiB',
    outcome: '101',
    detail: null,
    why: OVER_NODE,
  },
  {
    name: 'head-of-64-KiB-and-a-byte',
    steps: whole((accept) => padded(accept, HEAD_BYTES + 1)),
    by: 'RFC 9110 §5.4: no limit is set; the tool’s is 64 KiB',
    outcome: 'malformed',
    detail: 'head over 64 KiB',
    why: 'Chromium reads heads of up to 256 KiB',
  },
  {
    name: 'one-byte-a-segment',
    steps: (accept) => [drip(good(accept))],
    by: 'RFC 9112 §2.1: a message is a sequence of octets, not of segments',
    outcome: '101',
    detail: null,
  },
  {
    name: '504-one-byte-a-segment',
    steps: () => [drip(head('HTTP/1.1 504 Gateway Time-out', 'Content-Length: 0'))],
    by: 'RFC 9112 §2.1: a message is a sequence of octets, not of segments',
    outcome: '504',
    detail: null,
  },
];

const BODIES: readonly Answer[] = [
  {
    name: 'chunked-101',
    steps: whole((accept) => good(accept, 'Transfer-Encoding: chunked')),
    by: 'RFC 9112 §6.3: a 1xx ends with the empty line, whatever its fields say',
    outcome: '101',
    detail: null,
  },
  {
    name: 'Content-Length-0-on-a-101',
    steps: whole((accept) => good(accept, 'Content-Length: 0')),
    by: 'RFC 9112 §6.3: a 1xx ends with the empty line, whatever its fields say',
    outcome: '101',
    detail: null,
  },
  {
    name: 'Content-Length-5-on-a-101',
    steps: whole((accept) => good(accept, 'Content-Length: 5') + textFrame(3)),
    by: 'RFC 9112 §6.3: a 1xx ends with the empty line: the 5 bytes are a frame',
    outcome: '101',
    detail: null,
  },
  {
    name: 'frame-of-7-bytes-glued-to-the-head',
    steps: whole((accept) => good(accept) + textFrame(5)),
    by: 'RFC 6455 §4.2.2: the server may send frames as soon as its 101 is out',
    outcome: '101',
    detail: null,
  },
  {
    name: 'frame-of-64-KiB-glued-to-the-head',
    steps: whole((accept) => good(accept) + textFrame(65_535)),
    by: 'RFC 6455 §4.2.2: the server may send frames as soon as its 101 is out',
    outcome: '101',
    detail: null,
  },
  {
    name: 'frame-cut-in-two-by-the-end-of-a-segment',
    steps: (accept) => [write(good(accept) + textFrame(5).slice(0, 1)), TAKEN, write(textFrame(5).slice(1))],
    by: 'RFC 6455 §5.2: frames know nothing of segments',
    outcome: '101',
    detail: null,
  },
];

export const FIELDS: readonly Answer[] = [...LINE_ENDS, ...NAMES, ...VALUES, ...SIZES, ...BODIES];
