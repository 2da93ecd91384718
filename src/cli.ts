#!/usr/bin/env node
/**
 * The command line: flags to arguments, errors to text and exit code. A command is imported only when it runs, and the
 * version is printed before anything else is loaded, because a slow start keeps people from using a tool.
 */
import { readFileSync } from 'node:fs';
import type { Argv, FallbackCompletionFunction } from 'yargs';
import { threadsFor } from './commands/early-start.js';
import type { Flags, OptionTable } from './commands/option-tables.js';
import { EXIT, type ExitCode, UserError } from './errors.js';
import { type Host, processHost } from './host.js';
import { safeLines } from './plan/printable.js';

const HELP_WIDTH = 100;

async function main(host: Host): Promise<ExitCode> {
  if (host.argv.length === 1 && (host.argv[0] === '--version' || host.argv[0] === '-V')) {
    const { version } = await import('./commands/version.js');
    host.stdout.write(`${version()}\n`);
    return EXIT.ok;
  }
  // A reader that closes early (`| head -1`) is not an error: the rest of the output is dropped.
  host.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A terminal that was closed (SIGHUP) gives EIO.
    if (error.code === 'EPIPE' || (error.code === 'EIO' && host.stdout.isTTY === true)) return;
    const told = new UserError(`standard output can't be written (${error.code})`, {
      code: 'output',
      exitCode: EXIT.internal,
    });
    host.exit(explain(told, host));
  });
  host.stderr.on('error', () => {});
  let endEarly = async (): Promise<void> => {};
  try {
    const count = threadsFor(host, requireDescriptors());
    if (count > 0) {
      const early = await import('./engine/threads/early-threads.js');
      early.startEarly(count);
      endEarly = early.endEarly;
    }
    return await dispatch(host);
  } catch (error) {
    return explain(error, host);
  } finally {
    await endEarly();
  }
}

/** With fewer, Node fails to load the program's own files, with errors that do not name the cause. */
const LEAST_DESCRIPTORS = 128;

/**
 * How many descriptors this process may have; asked on Linux only.
 * @throws UserError `limits` (exit code 4) when there are too few to load the program
 */
function requireDescriptors(): number {
  let limits: string;
  try {
    limits = readFileSync('/proc/self/limits', 'latin1');
  } catch {
    return Number.POSITIVE_INFINITY;
  }
  const allowed = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  if (allowed >= LEAST_DESCRIPTORS) return allowed;
  throw new UserError(`this process may open ${allowed} files, and the program itself needs ${LEAST_DESCRIPTORS}`, {
    code: 'limits',
    hint: 'raise the limit: ulimit -n 1024',
    exitCode: EXIT.invalid,
  });
}

type Arguments = Record<string, unknown>;

/** One command: its syntax, its flags, and the function that runs it. */
interface CommandSpec {
  readonly usage: string;
  readonly about: string;
  readonly positionals: Readonly<Record<string, string>>;
  readonly options: OptionTable;
  readonly examples: readonly (readonly [command: string, what: string])[];
  /** The command checks the values of options such as `--max 5` itself. */
  readonly takesAnyOption?: boolean;
  /** Text at the end of its help. */
  epilogue?(): Promise<string>;
  run(args: Arguments, flags: Flags): Promise<ExitCode>;
}

async function dispatch(host: Host): Promise<ExitCode> {
  const [{ default: yargs }, options, { version }, environment, mistakes] = await Promise.all([
    import('yargs'),
    import('./commands/option-tables.js'),
    import('./commands/version.js'),
    import('./commands/environment.js'),
    import('./commands/mistakes.js'),
  ]);
  const commands = commandTable(host, options);
  const env = environment.fromEnvironment(host.env, options.ALL_OPTION_NAMES, (text) =>
    host.stderr.write(`warning: ${text}\n`),
  );
  mistakes.refuseSwitchValues(host.argv, commands);
  let code: ExitCode = EXIT.ok;
  const parser = yargs(eachByItself(withDash(host.argv), commands))
    .scriptName('wstampede')
    .usage('$0 COMMAND\n\nHow many WebSocket clients can connect in the same instant before a stack breaks, and why.')
    .parserConfiguration({ 'greedy-arrays': false, 'strip-dashed': true, 'camel-case-expansion': false })
    .locale('en')
    .exitProcess(false)
    .wrap(Math.min(HELP_WIDTH, host.stdout.columns ?? HELP_WIDTH))
    .version(version())
    .alias('version', 'V')
    .alias('help', 'h')
    .demandCommand(1, 'expected a command')
    .strict()
    .completion('completion', 'print a completion script for your shell', completer(await namesToComplete(host)))
    .epilogue(
      'Exit codes: 0 fine, 1 internal error, 2 usage, 3 objective missed, 4 run invalid, 5 no answer, 130 Ctrl-C',
    )
    .fail((message, error) => {
      // yargs throws some of its errors and passes others on; only a YError is about what the user typed.
      if (error !== undefined && error.name !== 'YError') throw error;
      throw mistakes.usageError(message ?? error.message, host.argv, commands);
    });
  const isListed = asksForHelp(host) || asksToComplete(host);
  for (const spec of commands) {
    const epilogue = (asksForHelp(host) ? await spec.epilogue?.() : null) ?? '';
    parser.command(
      spec.usage,
      spec.about,
      (builder) => declare(builder as Argv, spec, !isListed).epilogue(epilogue),
      async (args) => {
        code = await spec.run(args, environment.readFlags(args, spec.options, env));
      },
    );
  }
  await parser.parseAsync();
  return code;
}

/** yargs does not take a lone `-` for a value: `-o -` becomes `-o=-`. */
function withDash(argv: readonly string[]): string[] {
  const isOutput = (word: string | undefined) => word === '-o' || word === '--output';
  return argv.flatMap((word, i) => {
    if (word === '-' && isOutput(argv[i - 1])) return [];
    return [isOutput(word) && argv[i + 1] === '-' ? `${word}=-` : word];
  });
}

/** A shell expands `--with new/*.json` to several words: each becomes a value with the flag before it. */
function eachByItself(argv: readonly string[], commands: readonly CommandSpec[]): string[] {
  const options = commands.find(({ usage }) => usage.split(' ')[0] === argv[0])?.options ?? {};
  let greedy: string | null = null;
  return argv.flatMap((word, i) => {
    const follows = greedy !== null && argv[i - 1] !== greedy && !word.startsWith('-');
    if (word.startsWith('-')) {
      const name = /^--([\w-]+)/.exec(word)?.[1] ?? '';
      greedy = options[name]?.takesSeveral === true ? `--${name}` : null;
    }
    return follows && greedy !== null ? [greedy, word] : [word];
  });
}

/** Completions where a name is expected: the shipped profiles, the targets of the lab. */
async function namesToComplete(host: Host): Promise<readonly string[]> {
  if (!asksToComplete(host)) return [];
  const { argv } = host;
  // The last word is the one being typed.
  const command = argv.at(-2);
  if (command === 'run' || command === 'profiles') return (await import('./commands/profiles.js')).shippedNames();
  if (command === 'lab') return (await import('./commands/lab.js')).targetNames();
  return [];
}

/** Adds names to the commands and flags that yargs completes. Not async, because yargs would not wait for it. */
function completer(names: readonly string[]): FallbackCompletionFunction {
  return (current, _args, usual, done) => {
    const matching = current === '' ? [...names] : names.filter((name) => name.startsWith(current));
    if (matching.length > 0 && !current.startsWith('-')) done(matching);
    else usual((_error, found) => done(found ?? []));
  };
}

type Options = typeof import('./commands/option-tables.js');

function commandTable(host: Host, options: Options): CommandSpec[] {
  const url = { URL: 'ws:// or wss:// address; path and query may hold templates' };
  return [
    {
      usage: 'burst <URL>',
      about: 'bursts of simultaneous handshakes',
      positionals: url,
      options: options.BURST_OPTIONS,
      examples: [
        ['$0 burst ws://127.0.0.1:8080/ws -c 500', 'one burst of 500'],
        ['$0 burst wss://staging.example.com/ws -c 2k -b 5 --gate upgrade -o result.json', 'five, upgrades only'],
        ['$0 burst ws://127.0.0.1:8080/ws -c 3k --spread 60s', 'the same number, started over a minute'],
      ],
      run: async (args, flags) => (await import('./commands/burst.js')).burst({ url: String(args.URL), flags }, host),
    },
    {
      usage: 'churn <URL>',
      about: 'sustained handshakes, each closed after its 101',
      positionals: url,
      options: options.CHURN_OPTIONS,
      examples: [['$0 churn ws://127.0.0.1:8080/ws -n 10k -c 500', '10,000 handshakes, 500 in flight']],
      run: async (args, flags) => (await import('./commands/churn.js')).churn({ url: String(args.URL), flags }, host),
    },
    {
      usage: 'arrive <URL>',
      about: 'handshakes that start at a rate, whatever the target does',
      positionals: url,
      options: options.ARRIVE_OPTIONS,
      examples: [
        ['$0 arrive ws://127.0.0.1:8080/ws -r 200/s -d 60s', '12,000 handshakes, one every 5 ms'],
        [
          '$0 arrive ws://127.0.0.1:8080/ws -r 50/s..500/s -d 5m --spacing poisson',
          'a ramp, as independent users come',
        ],
        [
          '$0 arrive ws://127.0.0.1:8080/ws -r 50/s -d 10m --hold 4m',
          'ramp and keep: 12,000 open from the 4th minute on',
        ],
      ],
      run: async (args, flags) => (await import('./commands/arrive.js')).arrive({ url: String(args.URL), flags }, host),
    },
    {
      usage: 'storm [URL]',
      about: 'clients are dropped and come back by a policy: when are all back, at what load?',
      positionals: url,
      options: options.STORM_OPTIONS,
      examples: [
        ['$0 storm ws://127.0.0.1:8080/ws -c 5000 --policy socket.io', 'this side cuts 5,000 connections'],
        [
          '$0 storm wss://staging.example.com/ws -c 2k --drop-by "kubectl rollout restart deploy/ws"',
          'rehearse a deploy',
        ],
        ['$0 storm ws://… --policy socket.io --policy phoenix --capacity 250/s', 'one storm after another, compared'],
        ['$0 storm --policies', 'the policies, with their parameters'],
      ],
      run: async (args, flags) =>
        (await import('./commands/storm/storm.js')).storm({ url: args.URL as string | undefined, flags }, host),
    },
    {
      usage: 'find <URL>',
      about: 'search for the drop-off point: how many at once before it breaks',
      positionals: url,
      options: options.FIND_OPTIONS,
      examples: [
        ['$0 find ws://127.0.0.1:8080/ws --max 20k', 'the largest burst of which 99.9% get their 101'],
        ['$0 find wss://staging.example.com/ws --max 5k --p99 1s -o found.json', 'of which 99% get it within 1 s'],
        ['$0 find … --max 20k -o found.json --resume found.json', 'go on where it was stopped'],
      ],
      run: async (args, flags) => (await import('./commands/find.js')).find({ url: String(args.URL), flags }, host),
    },
    {
      usage: 'run <PROFILE>',
      about: 'a scenario: a file, or the name of a shipped profile',
      positionals: { PROFILE: 'path, or a name that `wstampede profiles` lists' },
      options: options.RUN_OPTIONS,
      examples: [['$0 run simultaneous-504 -u ws://127.0.0.1:8080/ws', 'a shipped profile against your target']],
      run: async (args, flags) =>
        (await import('./commands/run.js')).run({ profile: String(args.PROFILE), flags }, host),
    },
    {
      usage: 'check <URL>',
      about: 'one handshake, step by step, and what is wrong with it',
      positionals: url,
      options: options.CHECK_OPTIONS,
      examples: [
        ['$0 check ws://127.0.0.1:8080/ws', 'name, TCP, TLS, request, answer, ping, close, and probes'],
        ['$0 check wss://staging.example.com/ws --direct ws://10.0.0.5:8080', 'the gateway, or what is behind it?'],
      ],
      run: async (args, flags) => (await import('./commands/check.js')).check({ url: String(args.URL), flags }, host),
    },
    {
      usage: 'report <RESULT..>',
      about: 'saved results as a page, a comment, a table; without -o the summary again',
      positionals: { RESULT: 'what -o FILE.json, -o FILE.html or --json wrote' },
      options: options.REPORT_OPTIONS,
      examples: [
        ['$0 report result.json -o result.html', 'one page, to mail or to attach'],
        ['$0 report before.json after.json -o both.md', 'several in one document'],
      ],
      run: async (args, flags) =>
        (await import('./commands/report.js')).report({ files: (args.RESULT as unknown[]).map(String), flags }, host),
    },
    {
      usage: 'compare <BASE..>',
      about: 'two sides of saved results: worse, better, no worse or undecided',
      positionals: { BASE: 'result files, or folders of them' },
      options: options.COMPARE_OPTIONS,
      examples: [
        ['$0 compare before.json --with after.json', 'a look at what changed'],
        ["$0 compare main/ --with pr/ --fail-on 'p99(handshake) +10%'", 'a gate: exit 3 when p99 got worse by more'],
      ],
      run: async (args, flags) =>
        (await import('./commands/saved/compare.js')).compare({ base: args.BASE as string[], flags }, host),
    },
    {
      usage: 'lab [NAME]',
      about: 'start a target that fails as real stacks do',
      positionals: { NAME: 'a target of --list' },
      options: {
        list: { kind: 'switch', group: 'Output', help: 'list the targets, their options and what to expect' },
      },
      examples: [['$0 lab simultaneous-504 --timeout 1s --service 5ms', 'a gateway that answers 504']],
      takesAnyOption: true,
      epilogue: async () => (await import('./commands/lab.js')).labHelp(host.argv),
      run: async (args) => {
        const { NAME, list, _, $0, help, version, ...rest } = args;
        const { lab } = await import('./commands/lab.js');
        return lab({ name: NAME as string | undefined, list: list === true, options: rest }, host);
      },
    },
    {
      usage: 'demo',
      about: 'a stack that answers 504 to simultaneous handshakes, seen in under a minute',
      positionals: {},
      options: options.DEMO_OPTIONS,
      examples: [],
      run: async (_args, flags) => (await import('./commands/demo.js')).demo(flags, host),
    },
    {
      usage: 'profiles [NAME]',
      about: 'list the shipped profiles, print one, or the JSON Schema; or shipped sessions',
      positionals: { NAME: 'profile or session to print' },
      options: options.PROFILES_OPTIONS,
      examples: [['$0 profiles --sessions graphql-ws', 'a session as a file, to make it yours']],
      run: async (args, flags) =>
        (await import('./commands/profiles.js')).profiles(
          {
            name: args.NAME as string | undefined,
            schema: args.schema === true,
            sessions: args.sessions === true,
            sessionVars: options.listFlag(flags, 'session-var'),
          },
          host,
        ),
    },
  ];
}

/**
 * @param hidden yargs renders the help of each command that it runs, even if nobody asked for it; hidden options cost
 * no time
 */
function declare(builder: Argv, spec: CommandSpec, hidden: boolean): Argv {
  for (const [name, describe] of Object.entries(spec.positionals)) {
    builder.positional(name, { type: 'string', describe });
  }
  for (const [name, option] of Object.entries(spec.options)) {
    const value = option.value === undefined ? '' : `${option.value}: `;
    builder.option(name, {
      alias: option.alias,
      describe: `${value}${option.help}`,
      group: `${option.group}:`,
      hidden,
      ...(option.kind === 'switch'
        ? { type: 'boolean' as const }
        : { type: 'string' as const, requiresArg: true, array: option.kind === 'list' }),
      ...(option.choices === undefined ? {} : { choices: option.choices }),
    });
  }
  for (const [command, what] of spec.examples) builder.example(command, what);
  if (spec.takesAnyOption === true) builder.strict(false).strictCommands(true);
  return builder;
}

/** Whether the arguments ask for help in any spelling that yargs accepts. */
function asksForHelp({ argv }: Host): boolean {
  return argv.some((word) => word === 'help' || word.startsWith('--help') || /^-[a-z]*h/i.test(word));
}

function asksToComplete({ argv }: Host): boolean {
  return argv[0] === '--get-yargs-completions';
}

/** EAGAIN from clone(2), as node:worker_threads and node:child_process report it. */
function isShortOfThreads(error: unknown): boolean {
  const { code = '', message = '', syscall = '' } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  return (code === 'ERR_WORKER_INIT_FAILED' && message.includes('EAGAIN')) || (code === 'EAGAIN' && syscall !== 'read');
}

function explain(error: unknown, host: Host): ExitCode {
  if (error instanceof UserError) {
    host.stderr.write(
      `wstampede: ${safeLines(error.message)}\n${error.hint === null ? '' : `  ${safeLines(error.hint)}\n`}`,
    );
    return error.exitCode;
  }
  if (isShortOfThreads(error)) {
    const told = new UserError('this machine starts no more threads or processes for this user (EAGAIN)', {
      code: 'limits',
      hint: 'raise the limit: ulimit -u 4096; in a container, its limit of processes (pids)',
      exitCode: EXIT.invalid,
    });
    return explain(told, host);
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  host.stderr.write(`wstampede: internal error, please report it: ${text}\n`);
  return EXIT.internal;
}

const host = processHost();
host.exit(await main(host));
