/**
 * A profile on its way to a plan: layers (a file, the flags over it), each with its parsed value, its problems and the
 * names of its places. All problems are collected before anything is refused, so that the user sees them at once, each
 * in the terms of the layer where it was written. Files and environment are read through callbacks.
 */
import { UserError } from '../../errors.js';
import { parseCsv, type Table } from '../data.js';
import type { Inputs } from '../plan.js';
import { crossProblems } from './cross-checks.js';
import { inputProblems, pickEnv } from './inputs.js';
import {
  holds,
  type Path,
  type Problem,
  problemsOf,
  refuse,
  type Source,
  type Told,
  valueSource,
  withoutProblems,
} from './problems.js';
import { flagsSchema, type Profile, type ProfileParts, partsSchema } from './profile-schema.js';
import { sessionProblems } from './session/session-checks.js';

export interface Draft {
  /** What could be parsed. */
  readonly value: ProfileParts;
  readonly told: readonly Told[];
  /** The topmost layer first. */
  readonly sources: readonly [Source, ...Source[]];
}

/** Access to files and variables; `read` throws a UserError that says what is wrong with the file. */
export interface Outside {
  readonly env: Readonly<Record<string, string | undefined>>;
  read(file: string): string;
}

/** A profile that is already a value; `source` names the places of its problems. */
export function draftOfParts(value: unknown, source: Source): Draft {
  return understood(partsSchema, value, source);
}

/**
 * A profile from flags and environment.
 * @param labels what the user calls a path (`target.url` is `URL`)
 * @param problems problems found before the flags became a value
 */
export function draftOfFlags(
  value: unknown,
  labels: Readonly<Record<string, string>>,
  problems: readonly Problem[] = [],
): Draft {
  const source = valueSource('the command line', value, labels);
  const draft = understood(flagsSchema, value, source);
  return { ...draft, told: [...problems.map((problem) => ({ source, problem })), ...draft.told] };
}

function understood(schema: typeof flagsSchema | typeof partsSchema, value: unknown, source: Source): Draft {
  const parsed = schema.safeParse(value);
  const faults = parsed.success ? [] : problemsOf(parsed.error.issues, value);
  const rest = parsed.success ? parsed : schema.safeParse(withoutProblems(value, faults));
  return {
    value: rest.success ? rest.data : {},
    told: faults.map((problem) => ({ source, problem })),
    sources: [source],
  };
}

/**
 * `over` on top of `base`: single values and lists are replaced; TLS and data are merged by key; a header replaces
 * headers of the same name, in their place, or is added; allowed hosts are added; a rest replaces the rest of every
 * stage. A new URL drops the profile's connectTo and TLS server name, which belong to the old URL; a new session drops
 * its variables, others are merged by name.
 */
export function layered(base: Draft, over: Draft): Draft {
  return {
    value: merged(base.value, over.value),
    told: [...base.told, ...over.told],
    sources: [...over.sources, ...base.sources],
  };
}

function merged(base: ProfileParts, over: ProfileParts): ProfileParts {
  const { target: overTarget = {}, data, rest, ...others } = over;
  const kept = overTarget.url === undefined ? (base.target ?? {}) : withoutAddress(base.target ?? {});
  const stages = others.stages ?? base.stages;
  const sessionVars = mergedVariables(base, over);
  return {
    ...base,
    ...defined(others),
    ...(base.data === undefined && data === undefined ? {} : { data: { ...base.data, ...defined(data ?? {}) } }),
    sessionVars,
    ...(stages === undefined || rest === undefined
      ? {}
      : { stages: stages.map((stage) => ({ ...stage, restMs: rest })) }),
    target: {
      ...kept,
      ...defined(overTarget),
      headers: mergeHeaders(kept.headers ?? [], overTarget.headers ?? []),
      tls: { ...kept.tls, ...defined(overTarget.tls ?? {}) },
    },
    allowHosts: [...new Set([...(base.allowHosts ?? []), ...(over.allowHosts ?? [])])],
  };
}

/** Variables belong to a session: another session drops those of the profile. */
function mergedVariables(base: ProfileParts, over: ProfileParts): ProfileParts['sessionVars'] {
  if (over.session !== undefined || base.sessionVars === undefined) return over.sessionVars;
  return { ...base.sessionVars, ...over.sessionVars };
}

type TargetParts = NonNullable<ProfileParts['target']>;

function withoutAddress(target: TargetParts): TargetParts {
  const { connectTo: _connectTo, ...rest } = target;
  const { servername: _servername, ...tls } = target.tls ?? {};
  return { ...rest, tls };
}

/** Without undefined keys, which would overwrite the base layer. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

type Headers = NonNullable<TargetParts['headers']>;

function mergeHeaders(base: Headers, over: Headers): Headers {
  const names = new Set(over.map(([name]) => name.toLowerCase()));
  const placed = new Set<string>();
  const kept = base.flatMap((pair) => {
    const name = pair[0].toLowerCase();
    if (!names.has(name)) return [pair];
    if (placed.has(name)) return [];
    placed.add(name);
    return over.filter(([other]) => other.toLowerCase() === name);
  });
  return [...kept, ...over.filter(([name]) => !placed.has(name.toLowerCase()))];
}

/** The profile, if nothing written in it is wrong; files and variables are not read. Throws UserError `profile`. */
export function profileOf(draft: Draft): Profile {
  const told = problemsWithin(draft);
  if (told.length > 0) return refuse(inLayers(draft, told));
  return draft.value as Profile;
}

/**
 * The profile with everything that it names: rows, certificates, variables. Throws UserError `profile` with every
 * problem, of the profile and of files and variables.
 */
export function supplied(draft: Draft, outside: Outside): { readonly profile: Profile; readonly inputs: Inputs } {
  const files = readFiles(draft.value, outside);
  const inputs: Inputs = {
    rows: files.table?.rows ?? [],
    env: pickEnv(draft.value, outside.env),
    tls: files.tls,
  };
  const problems = [...files.problems, ...inputProblems(draft.value, inputs, files.table?.columns ?? null)];
  const told = [...problemsWithin(draft), ...problems.map((problem) => toldBy(draft, problem))];
  if (told.length > 0) return refuse(inLayers(draft, told));
  return { profile: draft.value as Profile, inputs };
}

function problemsWithin(draft: Draft): Told[] {
  const isSessionBroken = draft.told.some(({ problem }) => problem.path[0] === 'session');
  const problems = [
    ...missingProblems(draft),
    ...crossProblems(draft.value),
    ...sessionProblems(draft.value, isSessionBroken),
  ];
  return [...draft.told, ...problems.map((problem) => toldBy(draft, problem))];
}

/**
 * The problem as reported by the topmost layer that contains the path; a missing key is reported by the lowest layer.
 */
function toldBy({ sources }: Draft, problem: Problem): Told {
  const source = sources.find((one) => one.wrote(problem.path)) ?? sources[sources.length - 1] ?? sources[0];
  return { source, problem };
}

/** Sorted by layer, lowest first: the profile before the flags. */
function inLayers({ sources }: Draft, told: readonly Told[]): Told[] {
  return [...sources].reverse().flatMap((source) => told.filter((one) => one.source === source));
}

function missingProblems({ value, told }: Draft): Problem[] {
  const missing = (path: Path, expected: string): Problem[] =>
    told.some(({ problem }) => holds(problem.path, path))
      ? []
      : [{ path, at: 'value', message: `missing, expected ${expected}` }];
  return [
    ...(value.target?.url === undefined ? missing(['target', 'url'], 'a ws:// or wss:// address') : []),
    ...(value.stages === undefined && !told.some(({ problem }) => problem.path[0] === 'stages')
      ? missing(['stages'], 'a list of 1 to 100 stages')
      : []),
  ];
}

interface Files {
  readonly table: Table | null;
  readonly tls: Inputs['tls'];
  readonly problems: readonly Problem[];
}

function readFiles({ target, data }: ProfileParts, { read }: Outside): Files {
  const problems: Problem[] = [];
  const tried = <T>(path: Path, file: string | undefined, use: (text: string, file: string) => T): T | null => {
    if (file === undefined) return null;
    try {
      return use(read(file), file);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push({ path, at: 'value', message: error.message });
      return null;
    }
  };
  const pem = (name: 'ca' | 'cert' | 'key') => tried(['target', 'tls', name], target?.tls?.[name], (text) => text);
  const table = tried(['data', 'file'], data?.file, parseCsv);
  return { table, tls: { ca: pem('ca'), cert: pem('cert'), key: pem('key') }, problems };
}
