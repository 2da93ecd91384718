/**
 * The shipped profiles and sessions: lists them, prints one, prints the JSON Schema; and finds the profile for `run`.
 * Reads files; the plan ring interprets them.
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT, type ExitCode, UserError } from '../errors.js';
import type { Host } from '../host.js';
import { profileJsonSchema } from '../plan/profile/json-schema.js';
import { unknownSession } from '../plan/profile/session/session-checks.js';
import { readProfile } from '../plan/profile/written.js';
import { maskLoose } from '../plan/secrets.js';
import { SHIPPED_SESSIONS, shippedSession } from '../plan/session/shipped.js';
import { didYouMean } from '../plan/suggest.js';
import { wrap } from '../report/terminal/text-width.js';
import { readIfThere } from './input-files.js';
import { variablesOf } from './profile-flags.js';

const SHIPPED = fileURLToPath(new URL('../../profiles/', import.meta.url));
const WIDTH = 80;
const INDENT = '  ';
const USAGE = `Run one:                     wstampede run NAME -u ws://HOST/PATH
Print one, to make it yours: wstampede profiles NAME > mine.yaml
`;

const SESSIONS_USAGE = `Use one:                     wstampede burst ws://HOST:PORT --session NAME
With its variables:          … --session NAME --session-var token=TOKEN
Print one, to make it yours: wstampede profiles --sessions NAME > mine.yaml
`;

export interface ProfileText {
  readonly text: string;
  /** Its name in errors. */
  readonly file: string;
  /** The path of the file. */
  readonly path: string;
  /** Files that the profile names are relative to this folder: its own. */
  readonly directory: string;
}

export async function shippedNames(): Promise<readonly string[]> {
  const files = await readdir(SHIPPED);
  return files
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => basename(file, '.yaml'))
    .sort();
}

/**
 * The file of that name if there is one, otherwise the shipped profile. Throws UserError `profile` when there is
 * neither.
 */
export async function profileText(nameOrPath: string, host: Host): Promise<ProfileText> {
  const path = resolve(host.cwd, nameOrPath);
  const text = readIfThere(path, nameOrPath, 'profile');
  if (text !== null) return { text, file: nameOrPath, path, directory: dirname(path) };
  const names = await shippedNames();
  if (names.includes(nameOrPath)) {
    const file = `${nameOrPath}.yaml`;
    const shipped = join(SHIPPED, file);
    return { text: await readFile(shipped, 'utf8'), file, path: shipped, directory: SHIPPED };
  }
  const known = `shipped profiles: ${names.join(', ')}`;
  throw new UserError(
    `no profile "${maskLoose(nameOrPath)}": no file of that name, no shipped profile${didYouMean(nameOrPath, names)}`,
    {
      code: 'profile',
      hint: known,
    },
  );
}

interface ProfilesArgs {
  readonly name?: string;
  readonly schema?: boolean;
  readonly sessions?: boolean;
  /** `NAME=VALUE`: a session is printed with the lines that these variables are for. */
  readonly sessionVars?: readonly string[];
}

/** `profiles`, `profiles NAME`, `profiles --schema`, `profiles --sessions`, `profiles --sessions NAME`. */
export async function profiles(args: ProfilesArgs, host: Host): Promise<ExitCode> {
  if (args.sessions === true) await writeSessions(args, host);
  else if (args.schema === true) host.stdout.write(`${JSON.stringify(profileJsonSchema(), null, 2)}\n`);
  else if (args.name !== undefined) await print(args.name, host);
  else host.stdout.write(await renderList(host.stdout.columns ?? WIDTH));
  return EXIT.ok;
}

async function print(name: string, host: Host): Promise<void> {
  const { text } = await profileText(name, host);
  host.stdout.write(text);
  const [, schema] = /^# yaml-language-server: \$schema=\.\/(\S+)/.exec(text) ?? [];
  // On stderr, because stdout is the profile and is usually redirected to a file.
  if (schema !== undefined) {
    host.stderr.write(`For checks in your editor, beside your copy: wstampede profiles --schema > ${schema}\n`);
  }
}

async function renderList(width: number): Promise<string> {
  const rows = (await shippedNames()).map(async (name): Promise<NamedText> => {
    const text = await readFile(join(SHIPPED, `${name}.yaml`), 'utf8');
    // Shipped profiles are checked by the tests; here only their names and descriptions are needed.
    return [name, readProfile(text, `${name}.yaml`).about ?? ''];
  });
  return `${listOf(await Promise.all(rows), width)}\n${USAGE}`;
}

type NamedText = readonly [name: string, about: string];

function listOf(rows: readonly NamedText[], width: number): string {
  const left = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows
    .flatMap(([name, about]) =>
      wrap(about, Math.max(20, width - left - INDENT.length)).map(
        (line, i) => `${INDENT}${(i === 0 ? name : '').padEnd(left)}${line}\n`,
      ),
    )
    .join('');
}

async function writeSessions({ name, sessionVars = [] }: ProfilesArgs, host: Host): Promise<void> {
  if (name === undefined) {
    const rows = SHIPPED_SESSIONS.map((one): NamedText => {
      const variables = Object.keys(one.variables).join(', ');
      return [one.name, `${one.about}. Variables: ${variables}`];
    });
    host.stdout.write(`${listOf(rows, host.stdout.columns ?? WIDTH)}\n${SESSIONS_USAGE}`);
    return;
  }
  const shipped = shippedSession(name);
  if (shipped === null) throw new UserError(unknownSession(maskLoose(name)), { code: 'profile' });
  const { sessionText } = await import('../plan/profile/session/session-text.js');
  host.stdout.write(sessionText(shipped, variablesOf(sessionVars).map));
}
