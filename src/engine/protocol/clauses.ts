/**
 * Checks one response against RFC 6455 section 4.1, clause by clause. The verdicts come from the engine's own check:
 * each clause is tested in a response that is otherwise correct, so the two cannot disagree.
 */

import { printable } from '../../plan/printable.js';
import type { CheckClause } from '../../result/check-facts.js';
import type { Offer } from './request.js';
import { type Head, headerValue, judgeUpgrade } from './response.js';

const LONGEST_FOUND = 200;

interface Clause {
  readonly id: string;
  readonly section: string;
  readonly text: string;
  /** The headers, in lower case, that the clause is about. */
  readonly headers: readonly string[];
}

const HTTP: Clause = { id: 'http', section: '4.1, 4.2.2', text: 'the answer is HTTP/1.1', headers: [] };
const STATUS: Clause = { id: 'status', section: '4.1 point 1', text: 'the status is 101', headers: [] };

/** The numbered list at the end of the section. */
const OF_HEADERS: readonly Clause[] = [
  { id: 'upgrade', section: '4.1 point 2', text: 'Upgrade is "websocket"', headers: ['upgrade'] },
  { id: 'connection', section: '4.1 point 3', text: 'Connection has the token "Upgrade"', headers: ['connection'] },
  {
    id: 'accept',
    section: '4.1 point 4',
    text: 'Sec-WebSocket-Accept belongs to the key that was sent',
    headers: ['sec-websocket-accept'],
  },
  {
    id: 'extensions',
    section: '4.1 point 5',
    text: 'no extension that was not offered',
    headers: ['sec-websocket-extensions'],
  },
  {
    id: 'subprotocol',
    section: '4.1 point 6',
    text: 'no subprotocol that was not offered',
    headers: ['sec-websocket-protocol'],
  },
];

/**
 * Every clause in the order of the section. Clauses about the headers of an upgrade are checked for a 101 only.
 * @param safe masks the parts of the response that are shown
 */
export function judgeClauses(
  head: Head | null,
  accept: string,
  offer: Offer,
  safe: (text: string) => string,
): CheckClause[] {
  const of = (clause: Clause, ok: boolean | null, found: string | null): CheckClause => ({
    id: clause.id,
    section: clause.section,
    text: clause.text,
    ok,
    found: found === null ? null : printable(safe(found), LONGEST_FOUND),
  });
  if (head === null) return [HTTP, STATUS, ...OF_HEADERS].map((clause) => of(clause, null, null));
  const isUpgrade = head.status === 101;
  return [
    of(HTTP, head.minor !== '0', `HTTP/1.${head.minor}`),
    of(STATUS, isUpgrade, `${head.status}`),
    ...OF_HEADERS.map((clause) => {
      const value = headerValue(head, clause.headers[0]);
      const found = value ?? 'none';
      if (!isUpgrade) return of(clause, null, value);
      const wrong = judgeUpgrade(withOnly(head, clause.headers, accept), accept, offer);
      return of(clause, wrong === null, wrong === null ? found : `${found}: ${wrong.replace(/ \(section .*\)$/, '')}`);
    }),
  ];
}

/** A response that is correct except for the headers `names`, which are taken from `head`. */
function withOnly(head: Head, names: readonly string[], accept: string): Head {
  const right: [string, string][] = [
    ['upgrade', 'websocket'],
    ['connection', 'Upgrade'],
    ['sec-websocket-accept', accept],
  ];
  const headers = [
    ...right.filter(([name]) => !names.includes(name)),
    ...head.headers.filter(([name]) => names.includes(name.toLowerCase())),
  ];
  return { ...head, minor: '1', headers };
}
