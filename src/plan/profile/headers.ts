/**
 * The headers of a profile: which names may be set, which the tool writes itself, and which values are safe to send.
 * Becomes a list of pairs in the order written. Values from data or environment are checked in inputs.ts.
 */
import { z } from 'zod';
import { fieldValueProblem, isToken } from '../syntax.js';
import { shown, templateProblem } from './field.js';

export type HeaderPair = readonly [name: string, value: string];

const LONGEST_VALUE = 16_384;
const MOST_HEADERS = 100;

/** Headers that the tool writes itself, each with a hint. */
const OWN_HEADERS: Readonly<Record<string, string>> = {
  upgrade: 'it is what makes the request a WebSocket handshake',
  connection: 'it is what makes the request a WebSocket handshake',
  'sec-websocket-key': 'every attempt has its own random key',
  'sec-websocket-version': 'it is always 13 (RFC 6455 section 4.1)',
  'sec-websocket-protocol': 'use target.subprotocols (--subprotocol)',
  'sec-websocket-extensions': 'use target.compression',
  'content-length': 'a handshake has no body',
  'transfer-encoding': 'a handshake has no body',
};

function nameProblem(name: string): string | null {
  if (!isToken(name)) return "no header name: letters, digits and !#$%&'*+-.^_`|~ only (RFC 9110 section 5.6.2)";
  const own = name.toLowerCase();
  const reason = Object.hasOwn(OWN_HEADERS, own) ? OWN_HEADERS[own] : undefined;
  return reason === undefined ? null : `${name} can't be set: ${reason}`;
}

// Says what is wrong but never repeats the value: it may be a secret.
function valueProblem(value: string): string | null {
  if (value.length > LONGEST_VALUE) return `expected at most ${LONGEST_VALUE} characters, found ${value.length}`;
  return templateProblem(value) ?? fieldValueProblem(value);
}

// In a profile file, yaml-document.ts has already replaced numbers with their original text.
const single = z.union([z.string(), z.number()]);

const written = z.union([single, z.array(single).min(1).max(MOST_HEADERS)], {
  error: ({ input }) =>
    `expected a text, or a list of texts for a header that is sent several times, found ${shown(input)}`,
});

/** zod silently drops this key from a record. It is a valid header name, so it is passed through under another key. */
const PROTO = '__proto__';
const PROTO_STAND_IN = '\0proto';

function withStandIn(map: unknown): unknown {
  if (typeof map !== 'object' || map === null || Array.isArray(map) || !Object.hasOwn(map, PROTO)) return map;
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key === PROTO ? PROTO_STAND_IN : key, value]));
}

const named = z.record(z.string(), written, {
  // A text here is a header that is not inside a map: its value is not shown.
  error: ({ input }) =>
    `expected a map from header name to value, found ${typeof input === 'string' ? 'a text' : shown(input)}`,
});

/** Headers as [name, value] pairs in the order written. */
export const headers = z
  .preprocess(withStandIn, named)
  .transform((map, context): readonly HeaderPair[] => {
    const pairs: HeaderPair[] = [];
    const spelled = new Map<string, string>();
    const refuse = (name: string, message: string): void => {
      context.addIssue({ code: 'custom', message, path: [name] });
    };
    for (const [key, value] of Object.entries(map)) {
      const name = key === PROTO_STAND_IN ? PROTO : key;
      const numbers = (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'number');
      if (numbers.some((one) => Number.isInteger(one) && !Number.isSafeInteger(one)))
        refuse(name, 'a number this large loses digits: write it as a text');
      const values = (Array.isArray(value) ? value : [value]).map(String);
      const twin = spelled.get(name.toLowerCase());
      spelled.set(name.toLowerCase(), name);
      const problem = nameProblem(name) ?? values.map(valueProblem).find((found) => found !== null) ?? null;
      if (problem !== null) refuse(name, problem);
      else if (twin !== undefined) refuse(name, `the same header as ${twin}; write a list of values to send it twice`);
      else if (values.length > 1 && name.toLowerCase() === 'host')
        refuse(name, 'Host is sent only once (RFC 9112 section 3.2)');
      pairs.push(...values.map((one): HeaderPair => [name, one.trim()]));
    }
    if (pairs.length > MOST_HEADERS)
      context.addIssue({ code: 'custom', message: `expected at most ${MOST_HEADERS} headers` });
    return pairs;
  })
  .meta({ description: 'Request headers; values may hold {{ row.COLUMN }}, {{ index }}, {{ uuid }}, {{ env.NAME }}' });
