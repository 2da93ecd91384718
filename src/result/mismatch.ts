/**
 * Describes the first mismatch between a document and a schema in one line: where, what was expected, what was found.
 * Knows zod's issues but no particular document. Values from the document end up in an error message, so they are
 * shortened and quoted.
 */
import { z } from 'zod';

const LONGEST_SHOWN = 60;

/** The first mismatch in schema order; null if there is none. */
export function mismatchOf(schema: z.ZodType, document: unknown): string | null {
  const { error } = schema.safeParse(document, { reportInput: true, error: expectation });
  if (error === undefined) return null;
  const [{ path, input, code, message }] = error.issues;
  const where = pathText(path);
  if (input === undefined) return `${where} is missing`;
  const isCounted = code === 'too_small' || code === 'too_big';
  if (isCounted && Array.isArray(input)) return `${where}: ${input.length} entries are too few or too many`;
  return `${where === '' ? 'the document' : where}: expected ${message}, found ${shown(input)}`;
}

/** In the terms of JSON Schema. */
function expectation(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      // Where an integer is expected, zod reports a value of another type as not a number.
      return issue.inst instanceof z.ZodNumberFormat ? 'an integer' : (KINDS[issue.expected] ?? `a ${issue.expected}`);
    case 'invalid_value':
      return issue.values.map((value) => JSON.stringify(value)).join(' or ');
    case 'too_small':
      return `${issue.minimum} or more`;
    case 'too_big':
      return `${issue.maximum} or less`;
    default:
      return 'something else';
  }
}

const KINDS: Readonly<Record<string, string>> = {
  object: 'an object',
  record: 'an object',
  array: 'an array',
  tuple: 'an array',
};

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(JSON.stringify(value)).slice(0, LONGEST_SHOWN);
}

/** `bursts[1].outcomes`; a key that is not a plain word is quoted. */
function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((before, key) => {
    if (typeof key === 'number') return `${before}[${key}]`;
    const name = String(key);
    if (!/^[\w-]+$/.test(name)) return `${before}[${JSON.stringify(name.slice(0, LONGEST_SHOWN))}]`;
    return before === '' ? name : `${before}.${name}`;
  }, '');
}
