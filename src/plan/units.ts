/**
 * Numbers with the units that users write (500ms, 10k, 99.9%, 200/s), in both directions. Owns the spelling of units
 * for profiles, flags and thresholds; the callers check ranges.
 */
import { UserError } from '../errors.js';
import { maskLoose } from './secrets.js';

const DURATION_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 0.001, µs: 0.001 };
const COUNT_EXPONENT: Readonly<Record<string, number>> = { '': 0, k: 3, m: 6 };
const RATE_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

// Limits the work of the regular expressions below on a pasted file, and the length of the text that an error repeats.
const LONGEST_TEXT = 64;

/** What a parser expects, with examples; completes "expected …" in errors and descriptions in the JSON Schema. */
export const EXPECTED = {
  duration: 'a duration such as 500ms, 30s, 5m or 1m30s',
  count: 'a whole number such as 500, 10k or 1.5M',
  share: 'a share such as 99.9% or 0.999',
  rate: 'a rate such as 200/s or 12000/m',
} as const;

function refuse(expected: string, text: string | number, hint?: string): never {
  const shown = typeof text === 'number' ? String(text) : JSON.stringify(maskLoose(text).slice(0, LONGEST_TEXT));
  // The hint is part of the message, because a profile's report shows only messages.
  throw new UserError(`expected ${expected}, found ${shown}${hint === undefined ? '' : `; ${hint}`}`, { code: 'unit' });
}

/** Shifts the decimal point in the text, so that 99.9% is exactly 0.999 and 1.1k exactly 1100. */
function shifted(digits: string, exponent: number): number {
  return Number(`${digits}e${exponent}`);
}

/** Milliseconds. A bare number is refused, because 30 could mean s or ms; 0 needs no unit. */
export function parseDurationMs(text: string | number): number {
  const trimmed = String(text).trim();
  if (trimmed === '0') return 0;
  if (/^\d+(\.\d+)?$/.test(trimmed)) refuse(EXPECTED.duration, text, `add a unit: ${trimmed}s or ${trimmed}ms`);
  if (trimmed.length > LONGEST_TEXT || !/^(\d+(\.\d+)?(h|ms|m|s|us|µs))+$/.test(trimmed))
    refuse(EXPECTED.duration, text);
  let total = 0;
  let previous = Number.POSITIVE_INFINITY;
  for (const [, digits = '', unit = ''] of trimmed.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|µs)/g)) {
    const unitMs = DURATION_MS[unit] ?? 0;
    if (unitMs >= previous) refuse(EXPECTED.duration, text, 'write the larger units first, each once');
    previous = unitMs;
    total += Number(digits) * unitMs;
  }
  // Rounded to ns, so that the floating-point error of 0.1 + 0.2 does not reach a plan.
  return Math.round(total * 1e6) / 1e6;
}

/** A whole number ≥ 0: `500`, `10k`, `1.5M`, `20,000`, `20_000`. */
export function parseCount(text: string | number): number {
  if (typeof text === 'number') {
    if (!Number.isSafeInteger(text) || text < 0) refuse(EXPECTED.count, text);
    return text;
  }
  const trimmed = text.trim();
  if (trimmed.length > LONGEST_TEXT) refuse(EXPECTED.count, text);
  const plain = /^\d{1,3}([,_]\d{3})+$/.test(trimmed) ? trimmed.replace(/[,_]/g, '') : trimmed;
  const match = /^(\d+(?:\.\d+)?)([kKmM]?)$/.exec(plain);
  if (match === null) refuse(EXPECTED.count, text);
  const [, digits = '', suffix = ''] = match;
  const value = shifted(digits, COUNT_EXPONENT[suffix.toLowerCase()] ?? 0);
  if (!Number.isSafeInteger(value)) refuse(EXPECTED.count, text);
  return value;
}

/** 0 to 1: `99.9%` and `0.999` are the same. */
export function parseShare(text: string | number): number {
  const trimmed = String(text).trim();
  const match = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(trimmed);
  if (match === null || trimmed.length > LONGEST_TEXT) refuse(EXPECTED.share, text);
  const [, digits = '', percent = ''] = match;
  const value = shifted(digits, percent === '' ? 0 : -2);
  if (value > 1) {
    const meant = percent === '' && shifted(digits, -2) <= 1;
    refuse(`${EXPECTED.share}, at most 100%`, text, meant ? `did you mean ${digits}%?` : undefined);
  }
  return value;
}

/** Events per second: `200/s`, `12000/m`, `10k/s`. */
export function parseRate(text: string | number): number {
  const trimmed = String(text).trim();
  const match = /^(\d+(?:\.\d+)?)([kKmM]?)\s*\/\s*([smh])$/.exec(trimmed);
  if (match === null || trimmed.length > LONGEST_TEXT) {
    const bare = /^\d+(\.\d+)?[kKmM]?$/.test(trimmed);
    refuse(EXPECTED.rate, text, bare ? `add the time it is meant for: ${trimmed}/s` : undefined);
  }
  const [, digits = '', suffix = '', per = ''] = match;
  return shifted(digits, COUNT_EXPONENT[suffix.toLowerCase()] ?? 0) / (RATE_SECONDS[per] ?? 1);
}

function trimmedFixed(value: number, decimals: number): string {
  return String(Number(value.toFixed(decimals)));
}

/**
 * `350us`, `500ms`, `75s`, `1m30s`, `2h5m`: the shortest text that `parseDurationMs` reads back, exact to the µs below
 * 1 s and to the ms above. Times up to two minutes stay in seconds, because timeouts are known that way (a 60 s
 * gateway).
 */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (ms === 0) return '0s';
  if (ms < 1) return `${trimmedFixed(ms * 1000, 3)}us`;
  if (ms < 999.9995) return `${trimmedFixed(ms, 3)}ms`;
  const whole = Math.round(ms);
  if (whole <= 120_000) return `${trimmedFixed(whole / 1000, 3)}s`;
  const hours = Math.floor(whole / 3_600_000);
  const minutes = Math.floor((whole % 3_600_000) / 60_000);
  const seconds = (whole % 60_000) / 1000;
  return `${hours > 0 ? `${hours}h` : ''}${minutes > 0 ? `${minutes}m` : ''}${seconds > 0 ? `${trimmedFixed(seconds, 3)}s` : ''}`;
}

/** `15,000`. */
export function formatCount(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** `200/s`, `12/m`: a second, or a longer time of which it is a whole number. */
export function formatRate(perSecond: number): string {
  const unit = ['s', 'm', 'h'].find((one) => isWhole(perSecond * (RATE_SECONDS[one] ?? 1))) ?? 's';
  const value = perSecond * (RATE_SECONDS[unit] ?? 1);
  return `${isWhole(value) ? formatCount(Math.round(value)) : trimmedFixed(value, 3)}/${unit}`;
}

function isWhole(value: number): boolean {
  return Math.abs(value - Math.round(value)) < 1e-9 * Math.max(1, value);
}

/** Bytes on the network: `64 MB`, `1.5 GB`; decimal units, at most three digits. */
export function formatBytes(bytes: number): string {
  return scaledBytes(bytes, 1000, ['B', 'kB', 'MB', 'GB', 'TB']);
}

/** Bytes in memory: `256 MiB`, `1.5 GiB`; binary units, as the kernel counts memory. */
export function formatMemory(bytes: number): string {
  return scaledBytes(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
}

function scaledBytes(bytes: number, base: number, units: readonly string[]): string {
  let value = bytes;
  let unit = 0;
  while (value >= base - 0.5 && unit < units.length - 1) {
    value /= base;
    unit += 1;
  }
  return `${value >= 99.5 || unit === 0 ? Math.round(value) : trimmedFixed(value, 1)} ${units[unit]}`;
}
