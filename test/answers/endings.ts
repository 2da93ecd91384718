/**
 * Answers that stop: FIN, RST and silence at each place of the head and behind it, and a TLS handshake that goes wrong
 * under wss. RFC 9112 section 8 for heads that are cut off, RFC 6455 section 7 for what follows a 101.
 */
import { type Answer, FIN, good, head, RST, type Step, TAKEN, textFrame, whole, write } from './answer.js';

const CUT_OFF = 'RFC 9112 §8: a head that is cut off is no answer';
const SILENT = 'RFC 6455 §4.1: the client waits for the answer; the deadline is its own';
const LINE_PART = 'HTTP/1.1 101 Swit';
const FIELD_PART = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: web';
const AFTER_101 = 'RFC 6455 §7.1.5: established, then closed without a close frame';

/** The same part of an answer, then a FIN, an RST, and nothing more. */
function cut(where: string, text: string, bytes: number): readonly Answer[] {
  const sent: readonly Step[] = text === '' ? [] : [write(text), TAKEN];
  const detail = bytes === 0 ? null : `after ${bytes} bytes of an incomplete head`;
  return [
    { name: `FIN-${where}`, steps: () => [...sent, FIN], by: CUT_OFF, outcome: 'closed', detail },
    { name: `RST-${where}`, steps: () => [...sent, RST], by: CUT_OFF, outcome: 'reset', detail },
    { name: `silence-${where}`, steps: () => sent, by: SILENT, outcome: 'timeout-upgrade', detail: null },
  ];
}

const CUTS: readonly Answer[] = [
  ...cut('before-the-first-byte', '', 0),
  ...cut('in-the-status-line', LINE_PART, LINE_PART.length),
  ...cut('in-a-field', FIELD_PART, FIELD_PART.length),
];

/** A close frame from the server, unmasked, with code 1000 (RFC 6455 section 5.5.1). */
const CLOSE_FRAME = '\x88\x02\x03\xe8';

const BEHIND: readonly Answer[] = [
  {
    name: 'FIN-after-the-101',
    steps: (accept) => [write(good(accept)), TAKEN, FIN],
    by: AFTER_101,
    outcome: '101',
    detail: null,
    isLost: true,
  },
  {
    name: 'FIN-with-the-101',
    steps: (accept) => [write(good(accept)), FIN],
    by: AFTER_101,
    outcome: '101',
    detail: null,
    isLost: true,
  },
  {
    name: 'RST-after-the-101',
    steps: (accept) => [write(good(accept)), TAKEN, RST],
    by: AFTER_101,
    outcome: '101',
    detail: null,
    isLost: true,
  },
  {
    name: 'RST-after-a-502',
    steps: () => [write(head('HTTP/1.1 502 Bad Gateway', 'Content-Length: 100')), TAKEN, RST],
    by: 'RFC 9112 §8: the head is complete, its body is not',
    outcome: '502',
    detail: null,
  },
  {
    name: 'close-frame-glued-to-the-101',
    steps: (accept) => [write(good(accept) + CLOSE_FRAME)],
    by: 'RFC 6455 §7.1.3: established, and closing from the close frame on',
    outcome: '101',
    detail: null,
    isLost: true,
    why: 'ws answers the close frame and says nothing before TCP is closed or 30 s are over; Chromium waits 2 s',
  },
  {
    name: 'close-frame-and-FIN-with-the-101',
    steps: (accept) => [write(good(accept) + CLOSE_FRAME), FIN],
    by: 'RFC 6455 §5.5.1: established, then closed by the server with 1000',
    outcome: '101',
    detail: null,
    isLost: true,
  },
  {
    name: 'a-frame-and-then-FIN',
    steps: (accept) => [write(good(accept) + textFrame(5)), TAKEN, FIN],
    by: AFTER_101,
    outcome: '101',
    detail: null,
    isLost: true,
  },
  {
    name: 'a-masked-frame',
    steps: whole((accept) => `${good(accept)}\x81\x81\x01\x02\x03\x04y`),
    by: 'RFC 6455 §5.1: a client closes upon a masked frame',
    outcome: '101',
    detail: null,
    isLost: true,
  },
  {
    name: 'a-200-behind-the-101',
    steps: whole((accept) => good(accept) + head('HTTP/1.1 200 OK', 'Content-Length: 0')),
    by: 'RFC 6455 §5.2: what follows the 101 are frames, and "H" has a reserved bit set',
    outcome: '101',
    detail: null,
    isLost: true,
  },
];

/** A fatal alert in the clear (RFC 8446 section 6). */
const alert = (description: number) => `\x15\x03\x03\x00\x02\x02${String.fromCharCode(description)}`;
const ALERTED = 'RFC 8446 §6.2: a fatal alert ends the TLS handshake';

const SECURE: readonly Answer[] = [
  {
    name: 'alert-handshake-failure',
    steps: () => [write(alert(40)), TAKEN, FIN],
    by: ALERTED,
    outcome: 'tls',
    detail: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
    isSecure: true,
  },
  {
    name: 'alert-protocol-version',
    steps: () => [write(alert(70)), TAKEN, FIN],
    by: ALERTED,
    outcome: 'tls',
    detail: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    isSecure: true,
  },
  {
    name: 'alert-unrecognized-name',
    steps: () => [write(alert(112)), TAKEN, FIN],
    by: ALERTED,
    outcome: 'tls',
    detail: 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME',
    isSecure: true,
  },
  {
    name: 'plain-400-to-a-ClientHello',
    steps: () => [write(head('HTTP/1.1 400 Bad Request', 'Content-Length: 0')), TAKEN, FIN],
    by: 'RFC 8446 §5.1: no TLS record',
    outcome: 'tls',
    detail: 'ERR_SSL_WRONG_VERSION_NUMBER',
    isSecure: true,
  },
  {
    name: 'FIN-during-TLS',
    steps: () => [FIN],
    by: 'RFC 8446 §6.1: closed without close_notify; no answer',
    outcome: 'closed',
    detail: 'during the TLS handshake',
    isSecure: true,
  },
  {
    name: 'RST-during-TLS',
    steps: () => [RST],
    by: 'RFC 8446 §6.1: closed without close_notify; no answer',
    outcome: 'reset',
    detail: 'during the TLS handshake',
    isSecure: true,
  },
  {
    name: 'silence-during-TLS',
    steps: () => [],
    by: 'RFC 6455 §4.1: the client waits for TLS; the deadline is its own',
    outcome: 'timeout-tls',
    detail: null,
    isSecure: true,
  },
];

export const ENDINGS: readonly Answer[] = [...CUTS, ...BEHIND, ...SECURE];
