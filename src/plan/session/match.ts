/**
 * Whether a message is the one that a session waits for. Pure: a message and the values of the client's templates in,
 * yes or no out; linear in the message.
 */
import { compilePattern } from './pattern.js';
import type { ReceivedMessage } from './received-message.js';
import type { Rendering, ScriptContext, ScriptTemplates } from './script-templates.js';
import type { Captures, Match } from './session-script.js';

export interface CompiledMatch {
  /** For people: unmasked, templates as written. */
  readonly words: string;
  test(message: ReceivedMessage, context: ScriptContext): boolean;
  /** Whether it may be the one once more bytes have come: packets in binary messages need not end where these end. */
  isBegunBy(message: ReceivedMessage): boolean;
}

/** The values of a message that the match takes. */
export type Capture = (message: ReceivedMessage, context: ScriptContext) => Readonly<Record<string, string>>;

/** A longer value is not captured: each client keeps its own. */
const LONGEST_CAPTURED = 8192;

export function compileMatch(match: Match, templates: ScriptTemplates): CompiledMatch {
  return { words: matchWords(match), test: testOf(match, templates), isBegunBy: beginningOf(match) };
}

/** With captures, only a message that has all of the values is taken. */
export function compileCapture(
  match: Match,
  captures: Captures | null,
  templates: ScriptTemplates,
): { readonly match: CompiledMatch; readonly capture: Capture | null } {
  const plain = compileMatch(match, templates);
  if (captures === null) return { match: plain, capture: null };
  const pointers = Object.entries(captures).map(([name, pointer]) => [name, stepsOf(pointer)] as const);
  const isWanted = 'json' in match ? subsetTest(match.json, templates) : () => true;
  const capture = (message: ReceivedMessage, context: ScriptContext) => {
    const { documents } = message;
    const from = documents.length > 0 ? documents.filter((one) => isWanted(one, context)) : [message.prefixed];
    for (const document of from) {
      const values = valuesOf(document, pointers);
      if (values !== null) return values;
    }
    return null;
  };
  return {
    match: {
      ...plain,
      test: (message, context) => plain.test(message, context) && capture(message, context) !== null,
    },
    capture: (message, context) => capture(message, context) ?? {},
  };
}

/** For people: `{"type":"ping"}`, `"2"`, `a text that starts with "0{"`. */
export function matchWords(match: Match): string {
  if ('equal' in match) return JSON.stringify(match.equal);
  if ('json' in match) return JSON.stringify(match.json);
  if ('starts' in match)
    return match.starts === '' ? 'any text' : `a text that starts with ${JSON.stringify(match.starts)}`;
  if ('regex' in match) return `a text like /${match.regex}/`;
  return match.binary === '' ? 'any binary message' : `binary that starts with ${match.binary}`;
}

type Test = CompiledMatch['test'];

function testOf(match: Match, templates: ScriptTemplates): Test {
  if ('equal' in match) {
    const textOf = renderedWith(match.equal, templates);
    return (message, context) => message.isWhole && message.text === textOf(context);
  }
  if ('starts' in match) {
    const textOf = renderedWith(match.starts, templates);
    return (message, context) => message.text?.startsWith(textOf(context)) ?? false;
  }
  if ('regex' in match) {
    const pattern = compilePattern(match.regex);
    return ({ text }) => text !== null && pattern.test(text);
  }
  if ('json' in match) {
    const isWanted = subsetTest(match.json, templates);
    return ({ documents }, context) => documents.some((one) => isWanted(one, context));
  }
  const first = Buffer.from(match.binary, 'base64');
  return ({ isText, bytes }) => !isText && startsWith(bytes, first);
}

function beginningOf(match: Match): CompiledMatch['isBegunBy'] {
  if (!('binary' in match)) return () => false;
  const first = Buffer.from(match.binary, 'base64');
  return ({ isText, bytes }) => !isText && bytes.length < first.length && startsWith(first, bytes);
}

function startsWith(bytes: Buffer, first: Buffer): boolean {
  return bytes.length >= first.length && first.equals(bytes.subarray(0, first.length));
}

function renderedWith(text: string, { partsOf, rendering }: ScriptTemplates): Rendering['text'] {
  return rendering(partsOf(text)).text;
}

type Subset = (value: unknown, context: ScriptContext) => boolean;

/** A map wants its keys and allows others; a list wants its entries first and allows more; the rest must be equal. */
function subsetTest(expected: unknown, templates: ScriptTemplates): Subset {
  if (typeof expected === 'string') {
    const textOf = renderedWith(expected, templates);
    return (value, context) => value === textOf(context);
  }
  if (Array.isArray(expected)) {
    const items = expected.map((one) => subsetTest(one, templates));
    return (value, context) =>
      Array.isArray(value) && value.length >= items.length && items.every((test, i) => test(value[i], context));
  }
  if (typeof expected === 'object' && expected !== null) {
    const entries = Object.entries(expected).map(([key, one]) => [key, subsetTest(one, templates)] as const);
    return (value, context) =>
      isMap(value) && entries.every(([key, test]) => Object.hasOwn(value, key) && test(value[key], context));
  }
  return (value) => value === expected;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Null unless every pointer leads to a text, a number or a boolean that is not too long. */
function valuesOf(
  document: unknown,
  pointers: readonly (readonly [name: string, steps: readonly string[]])[],
): Readonly<Record<string, string>> | null {
  const values: Record<string, string> = {};
  for (const [name, steps] of pointers) {
    const value = valueAt(document, steps);
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return null;
    const text = String(value);
    if (text.length > LONGEST_CAPTURED) return null;
    values[name] = text;
  }
  return values;
}

/** RFC 6901 section 4: the parts of a pointer, unescaped. */
function stepsOf(pointer: string): readonly string[] {
  const [, ...steps] = pointer.split('/');
  return steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function valueAt(document: unknown, steps: readonly string[]): unknown {
  let at = document;
  for (const step of steps) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[step];
  }
  return at;
}
