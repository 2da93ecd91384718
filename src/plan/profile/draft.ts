/**
 * A profile on its way to a plan: layers (a file, the flags over it), each with what of it was understood, what is wrong with
 * it and how its places are named. Everything that can be wrong is gathered before anything is refused, so that a person
 * reads all of it at once, each line in the words of the layer that it stands in. Opens no file and reads no environment
 * itself: both are handed in.
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

export interface Draft {
  /** What was understood. */
  readonly value: ProfileParts;
  readonly told: readonly Told[];
  /** The topmost first. */
  readonly sources: readonly [Source, ...Source[]];
}

/** Files and variables; `read` throws a UserError that says what is wrong with the file. */
export interface Outside {
  readonly env: Readonly<Record<string, string | undefined>>;
  read(file: string): string;
}

/** A profile as a value; `source` knows the places of what is wrong with it. */
export function draftOfParts(value: unknown, source: Source): Draft {
  return understood(partsSchema, value, source);
}

/**
 * What flags and environment say.
 * @param labels what the user calls a path (`target.url` is `URL`)
 * @param problems what was found wrong before it became a value
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
 * `over` laid over `base`: a value replaces the value, a list the list, TLS and data key by key; a header replaces the headers
 * of its name, in their place, or is added; allowed hosts are added; a rest replaces that of every stage. Another URL drops
 * connectTo and the TLS server name of the profile, which belong to the old one.
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
  return {
    ...base,
    ...defined(others),
    ...(base.data === undefined && data === undefined ? {} : { data: { ...base.data, ...defined(data ?? {}) } }),
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

type Target = NonNullable<ProfileParts['target']>;

function withoutAddress(target: Target): Target {
  const { connectTo: _connectTo, ...rest } = target;
  const { servername: _servername, ...tls } = target.tls ?? {};
  return { ...rest, tls };
}

/** Without keys that are undefined, which would otherwise overwrite. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

type Headers = NonNullable<Target['headers']>;

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

/** The profile, when nothing of what was written is wrong; files and variables are not looked at. Throws UserError `profile`. */
export function profileOf(draft: Draft): Profile {
  const told = problemsWithin(draft);
  if (told.length > 0) return refuse(inLayers(draft, told));
  return draft.value as Profile;
}

/**
 * The profile with all that it names: rows, certificates, variables. Throws UserError `profile` with every problem, of what
 * was written and of what lies outside.
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
  const problems = [...missingProblems(draft), ...crossProblems(draft.value)];
  return [...draft.told, ...problems.map((problem) => toldBy(draft, problem))];
}

/** By the topmost layer in which the path was written; what nobody wrote is missing in the lowest. */
function toldBy({ sources }: Draft, problem: Problem): Told {
  const source = sources.find((one) => one.wrote(problem.path)) ?? sources[sources.length - 1] ?? sources[0];
  return { source, problem };
}

/** The lowest layer first: a profile before the flags over it. */
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
