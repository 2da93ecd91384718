/**
 * The problems of a profile as a list: each with its path, all reported at once. Translates zod's issues and writes the
 * report; the source that wrote a path knows its name (line and column, or a flag).
 */
import type { z } from 'zod';
import { UserError } from '../../errors.js';
import { printable } from '../printable.js';
import { nearest } from '../suggest.js';
import { shown } from './field.js';
import { STAGE_KINDS } from './stages/stage-table.js';

export type Path = readonly (string | number)[];

export interface Problem {
  readonly path: Path;
  /** Whether the key itself is wrong, or what stands under it. */
  readonly at: 'key' | 'value';
  readonly message: string;
}

/** A place in a text; line and column count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

const MOST_SHOWN = 50;

/** `stages[2].burst`; keys that are not plain names are quoted. */
function pathText(path: Path): string {
  let out = '';
  for (const step of path) {
    if (typeof step === 'number') out += `[${step}]`;
    else if (!/^[\w$-]+$/.test(step)) out += `[${JSON.stringify(step)}]`;
    else out += out === '' ? step : `.${step}`;
  }
  return out;
}

type Issues = readonly z.core.$ZodIssue[];

/** zod's issues as problems, in zod's order; `value` is what was parsed. */
export function problemsOf(issues: Issues, value: unknown, prefix: Path = []): Problem[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
    if (issue.code === 'unrecognized_keys') {
      // Two kinds of stage in one entry: the second one is an unknown key to the first.
      if (isStagePath(path) && issue.keys.some((key) => STAGE_KINDS.includes(key)))
        return stageProblems([], value, path);
      const messages = issue.message.split('\n');
      return issue.keys.map((key, i): Problem => ({ path: [...path, key], at: 'key', message: messages[i] ?? '' }));
    }
    if (issue.code === 'invalid_union') {
      // Only the union of stages has no error message of its own: its options are told apart by their key.
      if (isStagePath(path)) return stageProblems(issue.errors, value, path);
      // The others are told apart by type. What is wrong inside the one that was meant says more than the union does.
      const [meant, ...others] = issue.errors.filter((branch) => !branch.some(isWrongType));
      if (meant !== undefined && others.length === 0) return problemsOf(meant, value, path);
    }
    return [{ path, at: 'value', message: issue.message }];
  });
}

/** The value as a whole is of another type than this option of a union. */
function isWrongType({ path, code }: Issues[number]): boolean {
  return path.length === 0 && (code === 'invalid_type' || code === 'invalid_union');
}

function isStagePath(path: Path): boolean {
  return path.length === 2 && path[0] === 'stages';
}

function stageProblems(branches: readonly Issues[], value: unknown, path: Path): Problem[] {
  const stage = valueAt(value, path);
  const known = STAGE_KINDS.join(', ');
  if (!isMap(stage))
    return [{ path, at: 'value', message: `expected a stage, a map with one of ${known}; found ${shown(stage)}` }];
  const keys = Object.keys(stage);
  const kinds = STAGE_KINDS.filter((kind) => keys.includes(kind));
  const [kind] = kinds;
  if (kinds.length > 1) {
    return [
      { path, at: 'value', message: `expected one kind of stage, found ${kinds.join(' and ')}: make them two stages` },
    ];
  }
  if (kind !== undefined) return problemsOf(branches[STAGE_KINDS.indexOf(kind)] ?? [], value, path);
  for (const key of keys) {
    const meant = nearest(key, STAGE_KINDS);
    if (meant !== null)
      return [{ path: [...path, key], at: 'key', message: `unknown kind of stage; did you mean "${meant}"?` }];
  }
  return [
    {
      path,
      at: 'value',
      message: `expected a stage, a map with one of ${known}; found ${keys.join(', ') || 'an empty map'}`,
    },
  ];
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Readonly<Record<string | number, unknown>>)[step];
  }
  return at;
}

/** Whether `outer` is `path` or one of its ancestors. */
export function holds(outer: Path, path: Path): boolean {
  return outer.every((step, i) => path[i] === step);
}

/**
 * A copy of `value` without the parts that have problems, so that the rest can still be checked: bad keys are removed,
 * and a list is removed whole if one of its entries is bad.
 */
export function withoutProblems(value: unknown, problems: readonly Problem[]): unknown {
  const copy: unknown = structuredClone(value);
  for (const { path } of problems) {
    const list = path.findIndex((step) => typeof step === 'number');
    const doomed = list === -1 ? path : path.slice(0, list);
    const parent = valueAt(copy, doomed.slice(0, -1));
    const last = doomed.at(-1);
    if (isMap(parent) && last !== undefined) Reflect.deleteProperty(parent, last);
  }
  return copy;
}

/**
 * Where parts of a profile were written: a file, the command line, a value of a program. Each problem of a layered
 * profile is reported by the source that wrote its path.
 */
export interface Source {
  /** Its name in the head of a report. */
  readonly name: string;
  /** Whether this source has something at the path. */
  wrote(path: Path): boolean;
  /** Null for sources without lines. */
  placeOf(problem: Problem): Place | null;
  /** The problem as this source words it: `file:line:col  path: message`, `--flag: message`. */
  lineOf(problem: Problem): string;
}

export interface Told {
  readonly source: Source;
  readonly problem: Problem;
}

/** A file with lines; `value` is its parsed content, `place` finds a path in it. */
export function fileSource(file: string, value: unknown, place: (problem: Problem) => Place): Source {
  return {
    name: file,
    wrote: (path) => valueAt(value, path) !== undefined,
    placeOf: place,
    lineOf: (problem) => {
      const { line, column } = place(problem);
      const where = problem.path.length === 0 ? '' : `${pathText(problem.path)}: `;
      return `${file}:${line}:${column}  ${where}${problem.message}`;
    },
  };
}

/** A value without text: each line starts with the path, or with its label. */
export function valueSource(where: string, value: unknown, labels: Readonly<Record<string, string>> = {}): Source {
  return {
    name: where,
    wrote: (path) => valueAt(value, path) !== undefined,
    placeOf: () => null,
    lineOf: ({ path, message }) => `${labelOf(path, labels) ?? (pathText(path) || where)}: ${message}`,
  };
}

/** Throws UserError `profile` with every problem, one per line: source by source, in the order of their texts. */
export function refuse(told: readonly Told[], code = 'profile'): never {
  const sources = [...new Set(told.map(({ source }) => source))];
  const lines = sources.flatMap((source) =>
    told
      .filter((one) => one.source === source)
      .map(({ problem }) => ({ place: source.placeOf(problem), line: source.lineOf(problem) }))
      .sort((a, b) => inTextOrder(a.place, b.place))
      .map(({ line }) => line),
  );
  return refuseLines(sources.map(({ name }) => name).join(' and '), lines, code);
}

function inTextOrder(a: Place | null, b: Place | null): number {
  return a === null || b === null ? 0 : a.line - b.line || a.column - b.column;
}

/** A label covers everything below its path. Only names are added to it; list positions mean nothing to the user. */
function labelOf(path: Path, labels: Readonly<Record<string, string>>): string | null {
  for (let length = path.length; length > 0; length--) {
    const outer = pathText(path.slice(0, length));
    const label = Object.hasOwn(labels, outer) ? labels[outer] : undefined;
    if (label === undefined) continue;
    const names = path.slice(length).filter((step) => typeof step === 'string');
    return [label, ...names.map((name) => JSON.stringify(name))].join(' ');
  }
  return null;
}

function refuseLines(where: string, lines: readonly string[], code: string): never {
  // A line feed in a name must not look like a new line of the report.
  const distinct = [...new Set(lines.map((line) => printable(line)))];
  const options = { code };
  if (distinct.length === 1) throw new UserError(distinct[0] ?? '', options);
  const more = distinct.length > MOST_SHOWN ? [`… and ${distinct.length - MOST_SHOWN} more`] : [];
  const shownLines = [...distinct.slice(0, MOST_SHOWN), ...more].map((line) => `\n  ${line}`);
  throw new UserError(`${distinct.length} problems in ${printable(where)}:${shownLines.join('')}`, options);
}
