/**
 * The kinds of values in a profile, as zod schemas: numbers with units and bounds, texts, templates, maps that explain
 * unknown keys. Each describes what it expects once, for errors and for the JSON Schema.
 */
import { z } from 'zod';
import { UserError } from '../../errors.js';
import { maskLoose } from '../secrets.js';
import { didYouMean } from '../suggest.js';
import { compileTemplate } from '../template.js';
import { EXPECTED, formatCount, formatDuration, parseCount, parseDurationMs, parseRate, parseShare } from '../units.js';

const LONGEST_SHOWN = 60;

/** A value as an error shows it: short, on one line, without anything that looks like a secret. */
export function shown(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value !== 'string') return String(value);
  const safe = maskLoose(value);
  return JSON.stringify(safe.length > LONGEST_SHOWN ? `${safe.slice(0, LONGEST_SHOWN)}…` : safe);
}

/** The one form of all errors: what was expected, what was found, and a hint if there is one. */
export function unlike(expected: string, hint: (input: unknown) => string = () => '') {
  return ({ input }: { readonly input?: unknown }): string =>
    input === undefined ? `missing, expected ${expected}` : `expected ${expected}, found ${shown(input)}${hint(input)}`;
}

/** The result of `convert`; if it throws a UserError, that becomes a problem of this value, hint included. */
export function converted<T>(context: z.RefinementCtx, convert: () => T): T {
  try {
    return convert();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    context.addIssue({
      code: 'custom',
      message: error.hint === null ? error.message : `${error.message}; ${error.hint}`,
    });
    return z.NEVER;
  }
}

/** What is wrong with a template, or null. */
export function templateProblem(value: string): string | null {
  try {
    compileTemplate(value);
    return null;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

interface Scale {
  readonly expected: string;
  readonly pattern: string;
  readonly parse: (value: string | number) => number;
  readonly format: (value: number) => string;
}

const COUNT: Scale = {
  expected: EXPECTED.count,
  pattern: '^\\s*\\d[\\d,_]*(\\.\\d+)?[kKmM]?\\s*$',
  parse: parseCount,
  format: formatCount,
};
const DURATION: Scale = {
  expected: EXPECTED.duration,
  pattern: '^\\s*(0|(\\d+(\\.\\d+)?(h|ms|m|s|us|µs))+)\\s*$',
  parse: parseDurationMs,
  format: formatDuration,
};
const SHARE: Scale = {
  expected: EXPECTED.share,
  pattern: '^\\s*\\d+(\\.\\d+)?\\s*%?\\s*$',
  parse: parseShare,
  format: (value) => `${Number((value * 100).toPrecision(6))}%`,
};

function scaled(scale: Scale, numbers: z.ZodNumber, least: number, most: number, about: string) {
  const expected = `${scale.expected}, from ${scale.format(least)} to ${scale.format(most)}`;
  return z
    .union([numbers, z.string().meta({ pattern: scale.pattern })], { error: unlike(expected) })
    .transform((written, context): number => {
      const value = converted(context, () => scale.parse(written));
      if (value < least || value > most) {
        context.addIssue({ code: 'custom', message: unlike(expected)({ input: written }) });
      }
      return value;
    })
    .meta({ description: `${about} (${expected})` });
}

/** A whole number, written 500, 10k or 1.5M. */
export function count(least: number, most: number, about: string) {
  return scaled(COUNT, z.number().meta({ minimum: least, maximum: most, multipleOf: 1 }), least, most, about);
}

/** A time in ms, written with its unit; 0 needs none. */
export function duration(leastMs: number, mostMs: number, about: string) {
  // A bare number is let through here, so that the parser's own message, which names the units, is shown.
  return scaled(DURATION, z.number().meta({ const: 0 }), leastMs, mostMs, about);
}

/** A share, 0 to 1, written 99.9% or 0.999. */
export function share(least: number, most: number, about: string) {
  return scaled(SHARE, z.number().meta({ minimum: least, maximum: most }), least, most, about);
}

const RATE = '\\d+(\\.\\d+)?[kKmM]?\\s*/\\s*[smh]';

/** A rate a second, written 200/s, or a ramp from one to another: 50/s..500/s, or a list of the two. */
export function rates(most: number, about: string) {
  const expected = `${EXPECTED.rate}, or a ramp such as 50/s..500/s, at most ${formatCount(most)}/s`;
  const one = z.string();
  const written = z.union([one.meta({ pattern: `^\\s*${RATE}(\\s*\\.\\.\\s*${RATE})?\\s*$` }), z.tuple([one, one])], {
    error: unlike(expected),
  });
  return written
    .transform((value, context): readonly [from: number, to: number] => {
      const ends = typeof value === 'string' ? value.split('..') : value;
      const read = converted(context, () => ends.map(parseRate));
      if (read === z.NEVER) return z.NEVER;
      const [from = 0, to = from] = read;
      if (ends.length > 2 || Math.max(from, to) > most || Math.max(from, to) <= 0) {
        context.addIssue({ code: 'custom', message: unlike(expected)({ input: value }) });
      }
      return [from, to];
    })
    .meta({ description: `${about} (${expected})` });
}

/** A text of 1 to `longest` characters. */
export function text(longest: number, about: string) {
  const error = unlike(`a text of 1 to ${formatCount(longest)} characters`);
  return z.string({ error }).min(1, { error, abort: true }).max(longest, { error }).meta({ description: about });
}

/** A text that may contain `{{ … }}`; `judge` returns any further problem. */
export function templated(longest: number, about: string, judge: (value: string) => string | null) {
  return text(longest, about).superRefine((value, context) => {
    const problem = templateProblem(value) ?? judge(value);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });
}

/** A number strictly above `least`, without unit. */
export function numberAbove(least: number, most: number, about: string) {
  const error = unlike(`a number above ${least}, at most ${most}`);
  return z.number({ error }).gt(least, { error }).max(most, { error }).meta({ description: about });
}

export function flag(about: string) {
  return z.boolean({ error: unlike('true or false') }).meta({ description: about });
}

/** One of a fixed set of words. */
export function word<const W extends readonly [string, ...string[]]>(words: W, about: string) {
  const hint = (input: unknown): string => (typeof input === 'string' ? didYouMean(input, words) : '');
  return z.enum(words, { error: unlike(words.join(' or '), hint) }).meta({ description: about });
}

export function list<T extends z.ZodType>(item: T, least: number, most: number, what: string) {
  const expected = `a list of ${formatCount(least)} to ${formatCount(most)} ${what}`;
  const size = ({ input }: { readonly input?: unknown }): string =>
    `expected ${expected}, found ${Array.isArray(input) ? input.length : shown(input)}`;
  return z
    .array(item, { error: unlike(expected) })
    .min(least, { error: size })
    .max(most, { error: size });
}

/** A map with these keys and no others. `later` are documented keys that this version does not support yet. */
export function map<S extends z.ZodRawShape>(shape: S, what: string, later: readonly string[] = []) {
  const known = Object.keys(shape);
  const named = known.slice(0, 8).join(', ');
  const wrongType = unlike(`${what}: a map of ${named}${known.length > 8 ? ', …' : ''}`);
  return z.strictObject(shape, {
    error: (issue) =>
      // One line per key, in the order of issue.keys: problems.ts gives each its own place.
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => unknownKey(key, known, later)).join('\n')
        : wrongType(issue),
  });
}

function unknownKey(key: string, known: readonly string[], later: readonly string[]): string {
  if (later.includes(key)) return 'not available in this version';
  const hint = didYouMean(key, [...known, ...later]);
  return hint === '' ? `unknown key, expected one of ${known.join(', ')}` : `unknown key${hint}`;
}
