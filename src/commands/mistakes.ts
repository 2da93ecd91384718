/**
 * Errors in a command line, in words that say what to do: those that the flag parser reports, and those that it would
 * ignore. Repeats the user's text, but no secret that is in the wrong place.
 */
import { UserError } from '../errors.js';
import { maskLoose } from '../plan/secrets.js';
import { didYouMean } from '../plan/suggest.js';
import type { OptionTable } from './option-tables.js';

/** What is needed to report mistakes about a command. */
interface Command {
  /** Its name, followed by its arguments. */
  readonly usage: string;
  readonly positionals: Readonly<Record<string, string>>;
  readonly options: OptionTable;
}

function commandOf(argv: readonly string[], commands: readonly Command[]): Command | undefined {
  return commands.find(({ usage }) => usage.split(' ')[0] === argv[0]);
}

/**
 * yargs reads `--dry-run=5` as false, and would send load although a dry run was wanted; it reads `--no-timeout` as a
 * timeout.
 * @throws UserError for a switch with a value other than true or false, and for `--no-` with a flag that is not a
 * switch
 */
export function refuseSwitchValues(argv: readonly string[], commands: readonly Command[]): void {
  const command = commandOf(argv, commands);
  for (const arg of argv) {
    if (arg === '--' || command === undefined) return;
    const [, flag = '', dashes, no = '', name = '', value] = /^((--?)(no-)?([\w-]+))(?:=(.*))?$/s.exec(arg) ?? [];
    const [, option] =
      Object.entries(command.options).find(([long, { alias }]) => (dashes === '--' ? long : alias) === name) ?? [];
    // yargs would take it for a property that every object has.
    if (option === undefined && name !== '' && name in Object.prototype) throw noFlag(flag, argv);
    if (option === undefined) continue;
    if (no !== '' && option.kind !== 'switch') {
      throw noFlag(flag, argv);
    }
    if (option.kind !== 'switch' || value === undefined) continue;
    if (no === '' && (value === 'true' || value === 'false')) continue;
    const way = no === '' ? 'it is a switch: give it alone, or =true or =false' : 'give it alone';
    throw new UserError(`${flag} takes no value`, { code: 'flag', hint: way });
  }
}

function noFlag(flag: string, argv: readonly string[]): UserError {
  return new UserError(`there is no flag ${flag}`, { code: 'flag', hint: `wstampede ${argv[0]} --help` });
}

/** An error of yargs, in words that say what to do. */
export function usageError(message: string, argv: readonly string[], commands: readonly Command[]): UserError {
  const words = (/^Unknown (?:argument|command)s?: (.+)$/s.exec(message)?.[1] ?? '').split(', ').filter(Boolean);
  const command = commandOf(argv, commands);
  const hint = `wstampede ${command === undefined ? '' : `${argv[0]} `}--help`;
  if (words.length > 0) return unknownWords(words, argv, commands, hint);
  if (message.startsWith('Not enough non-option arguments') && command !== undefined) {
    const missing = Object.entries(command.positionals).map(([name, what]) => `${name} (${what})`);
    return new UserError(`${argv[0]}: expected ${missing.join(', ')}`, { code: 'flag', hint });
  }
  const valueless = /^Not enough arguments following: (.+)$/.exec(message)?.[1];
  if (valueless !== undefined) {
    return new UserError(`${valueless.length === 1 ? '-' : '--'}${valueless} expects a value`, { code: 'flag', hint });
  }
  const choice = /Argument: (.+?), Given: "(.*)", Choices: (.+)$/m.exec(message);
  if (choice !== null) {
    const [, name, found, choices] = choice;
    const words = choices.split(', ').map((word) => word.replaceAll('"', ''));
    const expected = `--${name}: expected ${words.join(' or ')}, found "${maskLoose(found)}"`;
    return new UserError(`${expected}${didYouMean(found, words)}`, { code: 'flag', hint });
  }
  return new UserError(message.trim(), { code: 'flag', hint });
}

/** yargs gives only the name: for `--no-such` only `such`, for `-qz` only `z`. */
function flagAsWritten(word: string, argv: readonly string[]): string | null {
  const names = [word, `no-${word}`];
  const arg = argv.find((one) => one.startsWith('-') && names.includes(one.replace(/^-+/, '').split('=')[0]));
  if (arg !== undefined) return arg.split('=')[0];
  const isBundled = word.length === 1 && argv.some((one) => /^-[A-Za-z]+$/.test(one) && one.includes(word));
  return isBundled ? `-${word}` : null;
}

function unknownWords(
  words: readonly string[],
  argv: readonly string[],
  commands: readonly Command[],
  hint: string,
): UserError {
  const command = commandOf(argv, commands);
  const strangers = words.filter((word) => flagAsWritten(word, argv) === null);
  const [stranger] = strangers;
  if (command === undefined && stranger !== undefined) {
    const names = commands.map(({ usage }) => usage.split(' ')[0]);
    return new UserError(`there is no command "${maskLoose(stranger)}"${didYouMean(stranger, names)}`, {
      code: 'flag',
      hint: /^\w+:\/\//.test(stranger) ? 'wstampede burst URL' : hint,
    });
  }
  const own = Object.keys(command?.options ?? {});
  const flags = words.flatMap((word) => {
    const written = flagAsWritten(word, argv);
    return written === null ? [] : [`there is no flag ${written}${didYouMean(word, own)}`];
  });
  // `-H Authorization: Bearer TOKEN` without quotes: the extra words are secrets.
  const isUnquoted = strangers.length > 0 && argv.some((arg) => /^[\w-]+:$/.test(arg));
  const rest = isUnquoted
    ? ["unexpected words after NAME: (put the whole header in quotes: -H 'NAME: VALUE')"]
    : strangers.map((word) => `unexpected "${maskLoose(word)}"`);
  return new UserError([...flags, ...rest].join('; '), { code: 'flag', hint });
}
