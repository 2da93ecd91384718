/**
 * The shipped profiles: lists them, prints one, prints the JSON Schema; and finds the profile for `run`. Reads files;
 * the plan ring interprets them.
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT, type ExitCode, UserError } from '../errors.js';
import type { Host } from '../host.js';
import { profileJsonSchema } from '../plan/profile/json-schema.js';
import { readProfile } from '../plan/profile/written.js';
import { maskLoose } from '../plan/secrets.js';
import { didYouMean } from '../plan/suggest.js';
import { wrap } from '../report/terminal/text-width.js';
import { readRegular } from './input-files.js';

const SHIPPED = fileURLToPath(new URL('../../profiles/', import.meta.url));
const WIDTH = 80;
const INDENT = '  ';
const USAGE = `Run one:                     wstampede run NAME -u ws://HOST/PATH
Print one, to make it yours: wstampede profiles NAME > mine.yaml
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
  const text = readIfThere(path, nameOrPath);
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

function readIfThere(path: string, shown: string): string | null {
  try {
    return readRegular(path, shown);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    // A folder may have the name of a shipped profile.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return null;
    throw new UserError(`can't read the profile ${shown}: ${code === 'EACCES' ? 'permission denied' : String(error)}`, {
      code: 'profile',
    });
  }
}

/** `profiles`, `profiles NAME`, `profiles --schema`. */
export async function profiles(args: { name?: string; schema?: boolean }, host: Host): Promise<ExitCode> {
  if (args.schema === true) host.stdout.write(`${JSON.stringify(profileJsonSchema(), null, 2)}\n`);
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
  const names = await shippedNames();
  const left = Math.max(...names.map((name) => name.length)) + 2;
  const blocks = await Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(SHIPPED, `${name}.yaml`), 'utf8');
      // Shipped profiles are checked by the tests; here only their names and descriptions are needed.
      const { about = '' } = readProfile(text, `${name}.yaml`);
      const lines = wrap(about, Math.max(20, width - left - INDENT.length));
      return lines.map((line, i) => `${INDENT}${(i === 0 ? name : '').padEnd(left)}${line}\n`).join('');
    }),
  );
  return `${blocks.join('')}\n${USAGE}`;
}
