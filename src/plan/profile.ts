/**
 * From what a person wrote to a Plan: read or check a profile, lay flags over it, fill in the defaults, freeze. Every problem
 * is reported at once, with its place. Reads no file and no environment: texts and values come in, a Plan goes out.
 */
import { crossProblems, type ExpressionChecks } from './checks.js';
import { readDocument } from './document.js';
import type { Plan } from './plan.js';
import { type Problem, problemsOf, refuseFile, refuseValue, withoutProblems } from './problems.js';
import { overridesSchema, type Profile, type ProfileOverrides, profileSchema } from './schema.js';
import { parseUrl } from './url.js';

/** A 60 s gateway timeout must be seen as 504 and not as ours. */
const DEFAULT_TIMEOUT_MS = 75_000;
/** Few enough that answers are stamped between slices, many enough that the yield costs little. */
const DEFAULT_RELEASE_CHUNK = 64;
const DEFAULT_SEED = 1;

/** A profile's text, YAML or JSON. Throws UserError `profile` that lists every problem as `file:line:col  path: …`. */
export function readProfile(text: string, file: string, checks: ExpressionChecks): Profile {
  const document = readDocument(text, file);
  const checked = check(profileSchema, document.value, checks);
  if (checked.value !== null) return checked.value;
  return refuseFile(
    file,
    checked.problems.map((problem) => ({ ...problem, place: document.placeOf(problem.path, problem.at) })),
  );
}

/**
 * A profile built from flags. Throws UserError `profile`; `labels` maps paths to what the user calls them
 * (`target.url` → `URL`), other problems are named by path.
 */
export function checkProfile(
  value: unknown,
  where: string,
  checks: ExpressionChecks,
  labels: Readonly<Record<string, string>> = {},
): Profile {
  const checked = check(profileSchema, value, checks);
  return checked.value ?? refuseValue(where, checked.problems, labels);
}

/** What flags or environment lay over a profile: any part of one. Throws as checkProfile. */
export function checkOverrides(
  value: unknown,
  where: string,
  checks: ExpressionChecks,
  labels: Readonly<Record<string, string>> = {},
): ProfileOverrides {
  // Between keys only the merged profile can be judged; expressions can be now, where they are still known by their flag.
  const parsed = overridesSchema.safeParse(value);
  const problems = parsed.success
    ? crossProblems({ thresholds: parsed.data.thresholds, abort: parsed.data.abort }, checks)
    : problemsOf(parsed.error.issues, value);
  return parsed.success && problems.length === 0 ? parsed.data : refuseValue(where, problems, labels);
}

type Checked<T> =
  | { readonly value: T; readonly problems: null }
  | { readonly value: null; readonly problems: Problem[] };

function check(schema: typeof profileSchema, value: unknown, checks: ExpressionChecks): Checked<Profile> {
  const parsed = schema.safeParse(value);
  if (parsed.success) {
    const problems = crossProblems(parsed.data, checks);
    return problems.length === 0 ? { value: parsed.data, problems: null } : { value: null, problems };
  }
  const problems = problemsOf(parsed.error.issues, value);
  const rest = overridesSchema.safeParse(withoutProblems(value, problems));
  if (!rest.success) return { value: null, problems };
  const judged = { ...rest.data, thresholds: writtenList(value, 'thresholds') };
  return { value: null, problems: [...problems, ...crossProblems(judged, checks)] };
}

function writtenList(value: unknown, key: string): readonly unknown[] {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : null;
  return Array.isArray(found) ? found : [];
}

const ACCEPT_ALL: ExpressionChecks = { threshold: () => null, abort: () => null };

/**
 * `over` laid over `base`: a value replaces the value, a list the list, TLS key by key; a header replaces the headers of its
 * name, in their place, or is added; allowed hosts are added. Another URL drops connectTo and the TLS server name of the
 * profile, which belong to the old one. Throws UserError `profile` when the two do not fit together.
 */
export function mergeProfile(base: Profile, over: ProfileOverrides): Profile {
  const { target: overTarget = {}, ...rest } = over;
  const kept = overTarget.url === undefined ? base.target : withoutAddress(base.target);
  const merged: Profile = {
    ...base,
    ...defined(rest),
    target: {
      ...kept,
      ...defined(overTarget),
      headers: mergeHeaders(kept.headers ?? [], overTarget.headers ?? []),
      tls: { ...kept.tls, ...defined(overTarget.tls ?? {}) },
    },
    allowHosts: [...new Set([...(base.allowHosts ?? []), ...(over.allowHosts ?? [])])],
  };
  const problems = crossProblems(merged, ACCEPT_ALL);
  return problems.length === 0 ? merged : refuseValue('the profile with the flags over it', problems);
}

function withoutAddress(target: Profile['target']): Profile['target'] {
  const { connectTo: _connectTo, ...rest } = target;
  const { servername: _servername, ...tls } = target.tls ?? {};
  return { ...rest, tls };
}

/** Without keys that are undefined, which would otherwise overwrite. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

type Headers = NonNullable<Profile['target']['headers']>;

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

/** Defaults filled in, deeply frozen; equal to itself after a trip through JSON. */
export function compilePlan(profile: Profile): Plan {
  const { target } = profile;
  const url = parseUrl(target.url);
  const plan: Plan = {
    name: profile.name ?? null,
    about: profile.about ?? null,
    target: {
      url: target.url,
      ...url,
      headers: target.headers ?? [],
      origin: target.origin ?? null,
      subprotocols: target.subprotocols ?? [],
      compression: target.compression ?? false,
      tls: {
        ca: target.tls?.ca ?? null,
        cert: target.tls?.cert ?? null,
        key: target.tls?.key ?? null,
        servername: target.tls?.servername ?? null,
        insecure: target.tls?.insecure ?? false,
        resume: target.tls?.resume ?? false,
      },
      connectTo: target.connectTo ?? null,
      sourceIps: target.sourceIps ?? [],
    },
    data: profile.data === undefined ? null : { file: profile.data.file, pick: profile.data.pick ?? 'cycle' },
    gate: profile.gate ?? 'connect',
    timeoutMs: profile.timeout ?? DEFAULT_TIMEOUT_MS,
    stages: profile.stages,
    session: { holdMs: profile.session?.hold ?? null },
    thresholds: profile.thresholds ?? [],
    abort: profile.abort ?? null,
    allowHosts: profile.allowHosts ?? [],
    close: profile.close ?? null,
    resolve: profile.resolve ?? 'first',
    preflight: profile.preflight ?? true,
    calibrate: profile.calibrate ?? true,
    workers: profile.workers ?? null,
    transport: profile.transport ?? 'auto',
    releaseChunk: profile.releaseChunk ?? DEFAULT_RELEASE_CHUNK,
    seed: profile.seed ?? DEFAULT_SEED,
  };
  return frozen(structuredClone(plan));
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}
