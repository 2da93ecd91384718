/**
 * The options of a lab target, read and checked: counts, durations, choices, switches. Every target has the common
 * options and its own; the result is a flat record with every option present and durations in ms. Knows no particular
 * target.
 */
import { UserError } from '../../errors.js';

type LabValue = string | number | boolean | null;

/** Every option of a target by name; durations in ms; null if absent. */
export type LabSettings = Readonly<Record<string, LabValue>>;

export interface LabOption {
  readonly name: string;
  /** `duration` is written as `500ms`, `1s`, `2m` (a bare number is ms). */
  readonly type: 'text' | 'count' | 'duration' | 'choice' | 'switch';
  /** The allowed words of a `choice`; empty otherwise. */
  readonly choices: readonly string[];
  /** In the form that a user would write. */
  readonly default: LabValue;
  readonly help: string;
}

export const COMMON_OPTIONS: readonly LabOption[] = [
  { name: 'host', type: 'text', choices: [], default: '127.0.0.1', help: 'address to listen on' },
  { name: 'port', type: 'count', choices: [], default: 0, help: 'port to listen on; 0 picks a free one' },
  { name: 'tls', type: 'switch', choices: [], default: false, help: 'serve wss:// with the certificate of the lab' },
  {
    name: 'write-ca',
    type: 'text',
    choices: [],
    default: null,
    help: 'write the certificate to this file that a client must trust over wss:// (its --ca)',
  },
  {
    name: 'gateway',
    type: 'choice',
    choices: ['nginx', 'haproxy'],
    default: null,
    help: 'put a real gateway before the same backend, where that can be had',
  },
  { name: 'log', type: 'text', choices: [], default: null, help: 'write a CSV row for every request to this file' },
];

/** Finds the nearest of `known`, or null when none is close: for "did you mean". */
export type Closest = (word: string, known: readonly string[]) => string | null;

/**
 * Checks `given` against the options of a target and fills in the defaults.
 * @throws UserError `lab` that names every problem: an unknown option, a value of the wrong kind
 */
export function readSettings(
  target: string,
  options: readonly LabOption[],
  given: Readonly<Record<string, unknown>>,
  closest: Closest | null = null,
): LabSettings {
  const names = options.map((option) => option.name);
  const problems: string[] = [];
  for (const name of Object.keys(given)) {
    if (given[name] === undefined || names.includes(name)) continue;
    const near = closest?.(name, names) ?? null;
    problems.push(`lab ${target} has no option --${name}${near === null ? '' : ` (did you mean --${near}?)`}`);
  }
  const settings: Record<string, LabValue> = {};
  for (const option of options) {
    const value = given[option.name] ?? option.default;
    const read = value === null ? null : readValue(option, value);
    if (read === undefined)
      problems.push(`lab ${target} --${option.name}: expected ${expected(option)}, got ${said(value)}`);
    else settings[option.name] = read;
  }
  if (problems.length > 0) {
    throw new UserError(problems.join('\n'), {
      code: 'lab',
      hint: `options of ${target}: ${names.map((name) => `--${name}`).join(' ')}`,
    });
  }
  return settings;
}

function readValue(option: LabOption, value: unknown): LabValue | undefined {
  switch (option.type) {
    case 'text':
      return typeof value === 'string' && value !== '' ? value : undefined;
    case 'switch':
      return typeof value === 'boolean' ? value : value === 'true' ? true : value === 'false' ? false : undefined;
    case 'choice':
      return option.choices.includes(String(value)) ? String(value) : undefined;
    case 'count': {
      const count = typeof value === 'number' ? value : /^\d+$/.test(String(value)) ? Number(value) : Number.NaN;
      return Number.isSafeInteger(count) && count >= 0 ? count : undefined;
    }
    case 'duration':
      return durationMs(value);
  }
}

const UNIT_MS = new Map([
  ['us', 1e-3],
  ['ms', 1],
  ['s', 1e3],
  ['m', 6e4],
]);

function durationMs(value: unknown): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(us|ms|s|m)?$/.exec(String(value));
  if (match === null) return undefined;
  const ms = Number(match[1]) * (UNIT_MS.get(match[2] ?? 'ms') ?? 1);
  // Every duration of the lab is a step of a schedule: 0 would be a busy loop, and more than an hour is useless in
  // tests.
  return ms >= 1e-3 && ms <= 3.6e6 ? ms : undefined;
}

function expected(option: LabOption): string {
  switch (option.type) {
    case 'choice':
      return `one of ${option.choices.join(', ')}`;
    case 'count':
      return 'a whole number';
    case 'duration':
      return 'a duration such as 5ms, 1s or 2m';
    case 'switch':
      return 'true or false';
    case 'text':
      return 'a text';
  }
}

/** A flag without a value, or followed by another flag, is a switch that is on. */
function said(value: unknown): string {
  return value === true || value === '' ? 'nothing' : String(value);
}

/** A setting that is a number (counts; durations in ms). Throws when the target declares no such option: a bug. */
export function numberOf(settings: LabSettings, name: string): number {
  const value = settings[name];
  if (typeof value !== 'number') throw new Error(`no number in setting ${name}`);
  return value;
}

/** A setting that is a text or a choice. Throws when the target declares no such option: a bug. */
export function textOf(settings: LabSettings, name: string): string {
  const value = settings[name];
  if (typeof value !== 'string') throw new Error(`no text in setting ${name}`);
  return value;
}
