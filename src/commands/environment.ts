/**
 * The flags of a command, from the command line or from environment variables: which variables are flags, and how their
 * texts are read.
 */
import { UserError } from '../errors.js';
import { didYouMean } from '../plan/suggest.js';
import type { Flags, OptionSpec, OptionTable } from './option-tables.js';

const ENV_PREFIX = 'WSTAMPEDE_';

interface Variable {
  readonly variable: string;
  readonly text: string;
}

/** Variables by the name of the flag. */
type Environment = ReadonlyMap<string, Variable>;

/**
 * `WSTAMPEDE_SOURCE_IP` is `--source-ip`; unknown names give a warning only, because they may be meant for another
 * version.
 */
export function fromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  options: ReadonlySet<string>,
  warn: (text: string) => void,
): Environment {
  const values = new Map<string, Variable>();
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith(ENV_PREFIX) || text === undefined) continue;
    const name = variable.slice(ENV_PREFIX.length).toLowerCase().replaceAll('_', '-');
    if (options.has(name)) values.set(name, { variable, text });
    else warn(`${variable} names no flag${didYouMean(name, [...options])}`);
  }
  return values;
}

/**
 * The flags of a command, from the command line or else from the environment.
 * @throws UserError for a flag that is given twice but allowed once, and for a switch variable whose value is not a
 * boolean
 */
export function readFlags(args: Readonly<Record<string, unknown>>, table: OptionTable, env: Environment): Flags {
  const values: Record<string, Flags['values'][string]> = {};
  const variables: Record<string, string> = {};
  for (const [name, option] of Object.entries(table)) {
    const value = args[name];
    const given = env.get(name);
    if (value !== undefined) {
      if (option.kind !== 'list' && Array.isArray(value)) {
        throw new UserError(`--${name} is given ${value.length} times`, { code: 'flag', hint: 'give it once' });
      }
      values[name] = value as Flags['values'][string];
    } else if (given !== undefined) {
      variables[name] = given.variable;
      values[name] = environmentValue(option, given);
    }
  }
  return { values, variables };
}

/**
 * The value of a variable, as the flag would have been parsed: a list has one value per line.
 * @throws UserError when a switch has a value that is not a boolean
 */
function environmentValue(option: OptionSpec, { variable, text }: Variable): string | readonly string[] | boolean {
  switch (option.kind) {
    case 'switch': {
      const word = text.toLowerCase();
      if (['1', 'true', 'yes', 'on'].includes(word)) return true;
      if (['', '0', 'false', 'no', 'off'].includes(word)) return false;
      throw new UserError(`${variable}: expected true or false`, { code: 'flag' });
    }
    case 'list':
      return text.split('\n').filter((line) => line !== '');
    case 'text':
      return text;
  }
}
