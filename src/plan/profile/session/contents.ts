/**
 * What a line of a session sends or waits for, as it is written: a text, JSON, or a map with one `$` key. Becomes a
 * Payload or a Match. Every problem is told with the path inside it.
 */
import { z } from 'zod';
import { UserError } from '../../../errors.js';
import { compilePattern } from '../../session/pattern.js';
import { LONGEST_PING } from '../../session/payload.js';
import type { Captures, Match, Payload, SessionClose } from '../../session/session-script.js';
import { didYouMean } from '../../suggest.js';
import { compileTemplate } from '../../template.js';
import { shown } from '../field.js';

const LONGEST_TEXT = 65_536;
const LONGEST_PATTERN = 1000;
const MOST_CAPTURES = 20;

type Refuse = (message: string, path?: readonly (string | number)[]) => void;

/** A `$` key: checks its value and makes what it stands for. */
type Operators<T> = Readonly<Record<string, (value: string, refuse: Refuse) => T>>;

const PAYLOADS: Operators<Payload> = {
  $binary: (value, refuse) => ({ binary: base64(value, refuse) }),
  $ping: (value, refuse) => {
    const ping = templated(value, refuse);
    if (Buffer.byteLength(value) > LONGEST_PING)
      refuse(`a ping carries at most ${LONGEST_PING} bytes (RFC 6455 section 5.5)`);
    return { ping };
  },
};

const MATCHES: Operators<Match> = {
  $starts: (value, refuse) => ({ starts: templated(value, refuse) }),
  $regex: (value, refuse) => ({ regex: pattern(value, refuse) }),
  $binary: (value, refuse) => ({ binary: base64(value, refuse) }),
};

/** Editors: any JSON, because a map or a list is sent as such. */
const ANY_CONTENT = { type: ['string', 'object', 'array'] };

export const payload = z
  .unknown()
  .transform((written, context) => content(written, PAYLOADS, (text) => ({ text }), refusing(context)))
  .meta({
    ...ANY_CONTENT,
    description: 'A text; a map or list, sent as JSON; {$binary: BASE64}; {$ping: ""}. Strings may hold templates',
  });

export const match = z
  .unknown()
  .transform((written, context) => content(written, MATCHES, (equal) => ({ equal }), refusing(context)))
  .meta({
    ...ANY_CONTENT,
    description:
      'A text: equal; a map or list: a subset of the JSON, of lists the first entries; {$starts: TEXT}; {$regex: RE2}; {$binary: BASE64}: the first bytes',
  });

function refusing(context: z.RefinementCtx): Refuse {
  return (message, path = []) => context.addIssue({ code: 'custom', message, path: [...path] });
}

function content<T extends Payload | Match>(
  written: unknown,
  operators: Operators<T>,
  ofText: (text: string) => T,
  refuse: Refuse,
): T | { json: unknown } {
  const names = Object.keys(operators);
  if (typeof written === 'string') return ofText(templated(written, refuse));
  if (typeof written !== 'object' || written === null) {
    const hint =
      typeof written === 'number' || typeof written === 'boolean' ? `; a text stands in quotes: "${written}"` : '';
    const found = written === undefined ? 'missing, ' : '';
    const end = written === undefined ? '' : `, found ${shown(written)}${hint}`;
    refuse(`${found}expected a text, a map or a list (sent as JSON), or {${names.join(': …} or {')}: …}${end}`);
    return { json: null };
  }
  const keys = Object.keys(written);
  const special = Array.isArray(written) ? undefined : keys.find((key) => key.startsWith('$'));
  if (special === undefined) {
    checkJson(written, [], refuse);
    return { json: written };
  }
  return operated(written as Readonly<Record<string, unknown>>, special, operators, refuse);
}

function operated<T>(
  written: Readonly<Record<string, unknown>>,
  special: string,
  operators: Operators<T>,
  refuse: Refuse,
): T | { json: unknown } {
  const names = Object.keys(operators);
  const make = Object.hasOwn(operators, special) ? operators[special] : undefined;
  if (make === undefined) {
    refuse(`unknown key${didYouMean(special, names) || `, expected one of ${names.join(', ')}`}`, [special]);
    return { json: null };
  }
  if (Object.keys(written).length > 1) {
    refuse(`${special} stands alone; JSON with a key that starts with $ is written as a text`);
  }
  const value = written[special];
  if (typeof value !== 'string') {
    refuse(`expected a text in quotes, found ${shown(value)}`, [special]);
    return { json: null };
  }
  return make(value, (message) => refuse(message, [special]));
}

function templated(text: string, refuse: Refuse): string {
  if (text.length > LONGEST_TEXT) refuse(`expected at most ${LONGEST_TEXT} characters, found ${text.length}`);
  tried(() => compileTemplate(text, 'session'), refuse);
  return text;
}

function tried(act: () => unknown, refuse: Refuse): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    refuse(error.message);
  }
}

function base64(value: string, refuse: Refuse): string {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value)) {
    refuse('not Base64 (RFC 4648 section 4): A-Z, a-z, 0-9, + and /, filled up with = to a multiple of 4 characters');
  }
  return value;
}

function pattern(source: string, refuse: Refuse): string {
  if (source.length > LONGEST_PATTERN) refuse(`expected at most ${LONGEST_PATTERN} characters, found ${source.length}`);
  else tried(() => compilePattern(source), refuse);
  return source;
}

/** JSON as a file can hold it, with templates in its strings. */
function checkJson(value: unknown, path: readonly (string | number)[], refuse: Refuse): void {
  const here: Refuse = (message) => refuse(message, path);
  switch (typeof value) {
    case 'string':
      templated(value, here);
      return;
    case 'number':
      if (!Number.isFinite(value)) here('JSON has no such number');
      else if (Number.isInteger(value) && !Number.isSafeInteger(value))
        here('a number this large loses digits: write the whole message as a text');
      return;
    case 'boolean':
      return;
    case 'object': {
      if (value === null) return;
      if (Array.isArray(value)) for (const [i, one] of value.entries()) checkJson(one, [...path, i], refuse);
      else
        for (const [key, one] of Object.entries(value)) {
          if (key.includes('{{'))
            refuse('a key can hold no template: write the whole message as a text', [...path, key]);
          checkJson(one, [...path, key], refuse);
        }
      return;
    }
    default:
      here('expected JSON');
  }
}

const NAME = /^[A-Za-z][A-Za-z0-9_]*$/;
const POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/;

/** What is wrong with the name of a captured value or of a session variable, or null. */
export function nameProblem(name: string): string | null {
  return NAME.test(name) ? null : 'a name begins with a letter and has letters, digits and _';
}

export const captures = z
  .record(z.string(), z.unknown(), {
    error: ({ input }) => `expected a map from name to JSON pointer, such as {sid: "/sid"}, found ${shown(input)}`,
  })
  .transform((written, context): Captures => {
    const refuse = refusing(context);
    const entries = Object.entries(written);
    if (entries.length === 0 || entries.length > MOST_CAPTURES) {
      refuse(`expected 1 to ${MOST_CAPTURES} names, found ${entries.length}`);
    }
    for (const [name, pointer] of entries) {
      const problem = nameProblem(name);
      if (problem !== null) refuse(problem, [name]);
      else if (typeof pointer !== 'string' || !POINTER.test(pointer)) {
        refuse(`expected a JSON pointer (RFC 6901) such as "/data/sid", found ${shown(pointer)}`, [name]);
      }
    }
    return written as Captures;
  })
  .meta({
    description: 'Name to JSON pointer: values of the message for later sends, as {{ captured.NAME }}',
    additionalProperties: { type: 'string' },
  });

/** Codes that no endpoint may send (RFC 6455 section 7.4.1), with the reason. */
const NEVER_SENT: Readonly<Record<number, string>> = {
  1004: 'it is reserved',
  1005: 'it stands for a close frame without a code',
  1006: 'it stands for a connection that ended without a close frame; for that, write abort',
  1015: 'it stands for a TLS failure',
};

export const closing = z
  .unknown()
  .transform((written, context): SessionClose => {
    const problem = closeProblem(written);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
    return written as SessionClose;
  })
  .meta({
    anyOf: [{ type: 'integer', minimum: 1000, maximum: 4999 }, { const: 'abort' }],
    description: 'Ends the connection: a close code (1000 to 1014, 3000 to 4999), or abort for a TCP reset',
  });

function closeProblem(written: unknown): string | null {
  const expected = 'expected a close code (1000 to 1014, 3000 to 4999) or abort';
  if (written === 'abort') return null;
  if (typeof written !== 'number') {
    const hint = typeof written === 'string' ? didYouMean(written, ['abort']) : '';
    return `${expected}, found ${shown(written)}${hint}`;
  }
  const reason = NEVER_SENT[written];
  if (reason !== undefined) return `the close code ${written} is never sent: ${reason} (RFC 6455 section 7.4.1)`;
  const isSendable =
    Number.isInteger(written) && ((written >= 1000 && written <= 1014) || (written >= 3000 && written <= 4999));
  return isSendable ? null : `${expected}, found ${written} (RFC 6455 section 7.4.2)`;
}
