/**
 * A 101 whose Upgrade, Connection or Accept is right, wrong or strange: RFC 6455 section 4.1 points 2 to 4, in lists and
 * sent twice as RFC 9110 section 5.3 reads them.
 */
import { type Answer, accepted, CONNECTION, good, switching, UPGRADE, whole } from './answer.js';

const POINT_2 = 'RFC 6455 §4.1 point 2: missing, or not "websocket" without regard to case';
const POINT_3 = 'RFC 6455 §4.1 point 3: missing, or without the token "upgrade"';
const POINT_4 = 'RFC 6455 §4.1 point 4: missing, or not the value of the key';
const NOT_WEBSOCKET = 'Upgrade is not "websocket" (section 4.1 point 2)';
const NO_TOKEN = 'Connection lacks "Upgrade" (section 4.1 point 3)';
const WRONG_ACCEPT = 'wrong Sec-WebSocket-Accept (section 4.1 point 4)';

const UPGRADE_FIELD: readonly Answer[] = [
  {
    name: 'no-Upgrade',
    steps: whole((accept) => switching(CONNECTION, accepted(accept))),
    by: POINT_2,
    outcome: 'invalid-101',
    detail: 'no Upgrade header (section 4.1 point 2)',
  },
  {
    name: 'Upgrade-empty',
    steps: whole((accept) => switching('Upgrade:', CONNECTION, accepted(accept))),
    by: POINT_2,
    outcome: 'invalid-101',
    detail: NOT_WEBSOCKET,
  },
  {
    name: 'Upgrade-h2c',
    steps: whole((accept) => switching('Upgrade: h2c', CONNECTION, accepted(accept))),
    by: POINT_2,
    outcome: 'invalid-101',
    detail: NOT_WEBSOCKET,
  },
  {
    name: 'Upgrade-in-another-case',
    steps: whole((accept) => switching('Upgrade: WebSocket', CONNECTION, accepted(accept))),
    by: POINT_2,
    outcome: '101',
    detail: null,
  },
  {
    name: 'Upgrade-as-a-list',
    steps: whole((accept) => switching('Upgrade: websocket, h2c', CONNECTION, accepted(accept))),
    by: POINT_2,
    outcome: 'invalid-101',
    detail: NOT_WEBSOCKET,
  },
  {
    name: 'Upgrade-with-a-version',
    steps: whole((accept) => switching('Upgrade: websocket/13', CONNECTION, accepted(accept))),
    by: POINT_2,
    outcome: 'invalid-101',
    detail: NOT_WEBSOCKET,
  },
  {
    name: 'Upgrade-twice',
    steps: whole((accept) => good(accept, UPGRADE)),
    by: `${POINT_2}; RFC 9110 §5.3: two fields are one list`,
    outcome: 'invalid-101',
    detail: NOT_WEBSOCKET,
  },
];

const CONNECTION_FIELD: readonly Answer[] = [
  {
    name: 'no-Connection',
    steps: whole((accept) => switching(UPGRADE, accepted(accept))),
    by: POINT_3,
    outcome: 'invalid-101',
    detail: 'no Connection header (section 4.1 point 3)',
  },
  {
    name: 'neither-Upgrade-nor-Connection',
    steps: whole((accept) => switching(accepted(accept))),
    by: POINT_2,
    outcome: 'invalid-101',
    detail: 'no Upgrade header (section 4.1 point 2)',
  },
  {
    name: 'Connection-keep-alive',
    steps: whole((accept) => switching(UPGRADE, 'Connection: keep-alive', accepted(accept))),
    by: POINT_3,
    outcome: 'invalid-101',
    detail: NO_TOKEN,
  },
  {
    name: 'Connection-close',
    steps: whole((accept) => switching(UPGRADE, 'Connection: close', accepted(accept))),
    by: POINT_3,
    outcome: 'invalid-101',
    detail: NO_TOKEN,
  },
  {
    name: 'Connection-with-a-longer-word',
    steps: whole((accept) => switching(UPGRADE, 'Connection: no-upgrade', accepted(accept))),
    by: `${POINT_3}: tokens, not parts of words`,
    outcome: 'invalid-101',
    detail: NO_TOKEN,
  },
  {
    name: 'Connection-in-another-case',
    steps: whole((accept) => switching(UPGRADE, 'Connection: uPgRaDe', accepted(accept))),
    by: POINT_3,
    outcome: '101',
    detail: null,
  },
  {
    name: 'Connection-as-a-list',
    steps: whole((accept) => switching(UPGRADE, 'Connection: keep-alive, Upgrade', accepted(accept))),
    by: POINT_3,
    outcome: '101',
    detail: null,
  },
  {
    name: 'Connection-as-a-list-with-empty-elements',
    steps: whole((accept) => switching(UPGRADE, 'Connection: ,\t, Upgrade ,', accepted(accept))),
    by: `${POINT_3}; RFC 9110 §5.6.1: empty elements are ignored`,
    outcome: '101',
    detail: null,
  },
  {
    name: 'Connection-twice',
    steps: whole((accept) => switching(UPGRADE, 'Connection: keep-alive', CONNECTION, accepted(accept))),
    by: `${POINT_3}; RFC 9110 §5.3: two fields are one list`,
    outcome: '101',
    detail: null,
  },
];

const ACCEPT_FIELD: readonly Answer[] = [
  {
    name: 'no-Accept',
    steps: whole(() => switching(UPGRADE, CONNECTION)),
    by: POINT_4,
    outcome: 'invalid-101',
    detail: 'no Sec-WebSocket-Accept (section 4.1 point 4)',
  },
  {
    name: 'Accept-empty',
    steps: whole(() => switching(UPGRADE, CONNECTION, 'Sec-WebSocket-Accept:')),
    by: POINT_4,
    outcome: 'invalid-101',
    detail: WRONG_ACCEPT,
  },
  {
    name: 'Accept-of-another-key',
    steps: whole(() => switching(UPGRADE, CONNECTION, accepted('s3pPLMBiTxaQ9kYGzzhZRbK+xOo='))),
    by: POINT_4,
    outcome: 'invalid-101',
    detail: WRONG_ACCEPT,
  },
  {
    name: 'Accept-in-lower-case',
    steps: whole((accept) => switching(UPGRADE, CONNECTION, accepted(accept.toLowerCase()))),
    by: `${POINT_4}: base64 has case (RFC 4648 §4)`,
    outcome: 'invalid-101',
    detail: WRONG_ACCEPT,
  },
  {
    name: 'Accept-in-base64url',
    steps: whole((accept) => {
      const url = accept.replaceAll('+', '-').replaceAll('/', '_').replace('=', '');
      return switching(UPGRADE, CONNECTION, accepted(url));
    }),
    by: `${POINT_4}: base64 of RFC 4648 §4, not §5`,
    outcome: 'invalid-101',
    detail: WRONG_ACCEPT,
  },
  {
    name: 'Accept-in-quotes',
    steps: whole((accept) => switching(UPGRADE, CONNECTION, accepted(`"${accept}"`))),
    by: POINT_4,
    outcome: 'invalid-101',
    detail: WRONG_ACCEPT,
  },
  {
    name: 'Accept-in-white-space',
    steps: whole((accept) => switching(UPGRADE, CONNECTION, accepted(`\t  ${accept} \t `))),
    by: 'RFC 6455 §4.1 point 4: leading and trailing white space is ignored',
    outcome: '101',
    detail: null,
  },
  {
    name: 'Accept-with-a-space-inside',
    steps: whole((accept) => switching(UPGRADE, CONNECTION, accepted(`${accept.slice(0, 9)} ${accept.slice(9)}`))),
    by: POINT_4,
    outcome: 'invalid-101',
    detail: WRONG_ACCEPT,
  },
  {
    name: 'Accept-twice',
    steps: whole((accept) => good(accept, accepted(accept))),
    by: 'RFC 6455 §11.3.3: no more than once in an answer',
    outcome: 'invalid-101',
    detail: 'Sec-WebSocket-Accept sent more than once (section 11.3.3)',
  },
  {
    name: 'Accept-right-and-then-wrong',
    steps: whole((accept) => good(accept, accepted('s3pPLMBiTxaQ9kYGzzhZRbK+xOo='))),
    by: 'RFC 6455 §11.3.3: no more than once in an answer',
    outcome: 'invalid-101',
    detail: 'Sec-WebSocket-Accept sent more than once (section 11.3.3)',
  },
];

export const UPGRADES: readonly Answer[] = [...UPGRADE_FIELD, ...CONNECTION_FIELD, ...ACCEPT_FIELD];
