/**
 * The flags as data: name, short form, kind and help. The only place, so that parsing, help, environment variables and
 * completion cannot disagree. Values stay text: the plan reads units.
 */
import { COMPARE_ENDINGS } from '../report/formats/compared/compare-formats.js';
import { ENDINGS, FORMAT_NAMES } from '../report/formats/formats.js';

export interface OptionSpec {
  readonly alias?: string;
  readonly kind: 'text' | 'list' | 'switch';
  /** Stands for the value in the help. */
  readonly value?: string;
  readonly help: string;
  readonly group: 'Load' | 'Check' | 'Compare' | 'Target' | 'Connection' | 'Objective' | 'Output';
  readonly choices?: readonly string[];
  /** A list whose values may follow one another: `--with a.json b.json`. */
  readonly takesSeveral?: boolean;
}

export type OptionTable = Readonly<Record<string, OptionSpec>>;

const text = (group: OptionSpec['group'], value: string, help: string, alias?: string): OptionSpec => ({
  kind: 'text',
  group,
  value,
  help,
  alias,
});
const list = (group: OptionSpec['group'], value: string, help: string, alias?: string): OptionSpec => ({
  kind: 'list',
  group,
  value,
  help,
  alias,
});
const flag = (group: OptionSpec['group'], help: string, alias?: string): OptionSpec => ({
  kind: 'switch',
  group,
  help,
  alias,
});

/** How attempts reach the target. */
const TARGET: OptionTable = {
  header: list('Target', 'NAME: VALUE', 'add a request header (repeatable; templates allowed)', 'H'),
  origin: text('Target', 'ORIGIN', 'Origin header'),
  subprotocol: list('Target', 'NAME', 'offer a subprotocol (repeatable)'),
  compression: flag('Target', 'offer permessage-deflate'),
  data: text('Target', 'FILE.csv', 'rows for {{ row.COLUMN }} templates'),
  pick: { ...text('Target', 'HOW', 'how attempts take rows'), choices: ['cycle', 'random', 'once'] },
  insecure: flag('Target', 'accept any certificate', 'k'),
  ca: text('Target', 'FILE', 'certificates to trust (PEM)'),
  cert: text('Target', 'FILE', 'client certificate (PEM)'),
  key: text('Target', 'FILE', 'key of the client certificate (PEM)'),
  servername: text('Target', 'NAME', 'name for SNI and for the certificate check'),
  'tls-resume': flag('Target', 'resume a TLS session instead of full handshakes'),
  'allow-host': list('Target', 'HOST', 'a public host that you may test (repeatable)'),
};

const CONNECTION: OptionTable = {
  timeout: text('Connection', 'TIME', 'total deadline of an attempt (default 75s)', 't'),
  gate: {
    ...text('Connection', 'GATE', 'the step at which attempts wait for the release (default connect)'),
    choices: ['connect', 'tls', 'upgrade'],
  },
  'connect-to': text('Connection', 'HOST:PORT', 'dial this instead of the host in the URL'),
  'source-ip': list('Connection', 'IP|CIDR', 'connect from these addresses in turn (repeatable)'),
  resolve: { ...text('Connection', 'HOW', 'addresses of a name to use (default first)'), choices: ['first', 'all'] },
  close: {
    ...text('Connection', 'HOW', 'how connections end (default clean; churn, arrive: reset)'),
    choices: ['clean', 'reset'],
  },
  session: text(
    'Connection',
    'NAME|FILE',
    'what clients say after their 101: see profiles --sessions, or a file of steps',
  ),
  'session-var': list('Connection', 'NAME=VALUE', 'a variable of the session (repeatable; templates allowed)'),
  'message-timeout': text('Connection', 'TIME', 'time limit of each message that a session waits for (default 5s)'),
  hold: text('Connection', 'TIME', 'hold connections this long after the burst; with a session, after they are ready'),
  ping: text('Connection', 'TIME', 'send a ping this often on every open connection'),
  workers: text('Connection', 'N', 'worker threads (default min(cores, N/250))', 'w'),
  transport: {
    ...text('Connection', 'NAME', 'how sockets are driven; epoll: Linux, ws:// (default auto: epoll where it works)'),
    choices: ['auto', 'epoll', 'node'],
  },
  'release-chunk': text('Connection', 'N', 'releases in a slice before answers are read (default 64)'),
  seed: text('Connection', 'N', 'rules everything random (default 1)'),
  preflight: flag('Connection', 'a few single handshakes first (--no-preflight: none)'),
  calibrate: flag('Connection', "measure this generator's own floor first (--no-calibrate: do not)"),
};

/** What follows each burst. */
const AFTER = text('Load', 'TIME', 'once a burst is over, one probe every 0.5s for this long');

const OBJECTIVE: OptionTable = {
  threshold: list('Objective', 'EXPR', 'e.g. "share(101) >= 99.9%" or "p99(handshake) < 500ms" (repeatable)'),
  abort: text('Objective', 'EXPR', 'stop when true, e.g. "share(5xx) > 50% for 2 bursts"'),
};

const OUTPUT: OptionTable = {
  output: list('Output', `FILE${ENDINGS.join('|')}`, 'write the result (repeatable; -: standard output)', 'o'),
  format: { ...text('Output', 'NAME', 'what `-o -` writes (default json)'), choices: FORMAT_NAMES },
  attempts: text('Output', 'FILE.csv', 'write one row an attempt'),
  json: flag('Output', 'print the result as one JSON document, nothing else'),
  'json-lines': flag('Output', 'print one JSON object a burst as it ends, and one at the end; the summary on stderr'),
  'dry-run': flag('Output', 'print the plan and what it needs, send nothing'),
  quiet: flag('Output', 'no progress, no notes', 'q'),
  verbose: flag('Output', 'more about what happens, on stderr', 'v'),
  color: flag('Output', 'colours (--no-color: none)'),
  progress: flag('Output', 'progress on stderr (--no-progress: none)'),
};

const COMMON: OptionTable = { ...TARGET, ...CONNECTION, ...OBJECTIVE, ...OUTPUT };

function without(table: OptionTable, names: readonly string[]): OptionTable {
  return Object.fromEntries(Object.entries(table).filter(([name]) => !names.includes(name)));
}

/** A churn does not release attempts together, so it has no gate, and it holds nothing. */
const COMMON_OF_CHURN = without(COMMON, ['gate', 'hold', 'ping']);

const SPACING: OptionSpec = {
  ...text('Load', 'HOW', 'even, or poisson: as independent users come (default even)'),
  choices: ['even', 'poisson'],
};

export const BURST_OPTIONS: OptionTable = {
  connections: text('Load', 'N', 'simultaneous handshakes in a burst (default 100)', 'c'),
  bursts: text('Load', 'N', 'number of bursts (default 1)', 'b'),
  spread: text('Load', 'TIME', 'start them over this time, with jitter, instead of together'),
  spacing: { ...SPACING, help: `with --spread: ${SPACING.help}` },
  rest: text('Load', 'TIME', 'rest after each burst (default 5s)'),
  after: AFTER,
  ...COMMON,
};

export const CHURN_OPTIONS: OptionTable = {
  total: text('Load', 'N', 'handshakes in total (default 10k, or as --duration allows)', 'n'),
  connections: text('Load', 'N', 'handshakes in flight (default 100)', 'c'),
  duration: text('Load', 'TIME', 'launch no more after this long', 'd'),
  after: AFTER,
  ...COMMON_OF_CHURN,
};

export const ARRIVE_OPTIONS: OptionTable = {
  rate: text('Load', 'RATE', 'handshakes started a second, or a ramp such as 50/s..500/s (default 100/s)', 'r'),
  duration: text('Load', 'TIME', 'start them for this long (default 60s)', 'd'),
  spacing: SPACING,
  'max-open': text(
    'Load',
    'N',
    'skip starts while so many handshakes are in flight (default what this machine allows)',
  ),
  hold: text('Load', 'TIME', 'hold each connection this long once it is ready (default: close it at once)'),
  ping: CONNECTION.ping,
  after: AFTER,
  ...COMMON_OF_CHURN,
};

const DROP_BY = text(
  'Load',
  'CMD',
  'shell command that drops the clients, such as a restart; at most 60s, never from a profile',
);

/** Clients start one by one, are held until they are dropped, and a storm has no floor of its own. */
export const STORM_OPTIONS: OptionTable = {
  connections: text('Load', 'N', 'clients that are connected, dropped, and come back (default 1000)', 'c'),
  policy: list('Load', 'NAME', 'how they come back: a preset (repeatable: one storm each; default socket.io)'),
  policies: flag('Load', 'list the policies with their parameters'),
  open: text('Load', 'TIME', 'clients are opened over this long (default 20s)'),
  settle: text('Load', 'TIME', 'all are connected for this long before the drop (default 5s)'),
  drop: text(
    'Load',
    'HOW',
    'client: cut them; server: wait until the target does; idle:2m: be silent until somebody cuts (default client)',
  ),
  'drop-by': DROP_BY,
  window: text('Load', 'TIME', 'longest watch after the drop (default 5m)'),
  notice: text('Load', 'TIME', 'how late a client learns of the drop, such as 20s..45s (default at once)'),
  capacity: text('Load', 'RATE', 'handshakes/s that the service completes, such as 250/s: does the policy recover?'),
  rest: text('Load', 'TIME', 'rest between the storms of several policies (default 5s)'),
  ...without(COMMON, ['gate', 'hold', 'calibrate']),
  threshold: list(
    'Objective',
    'EXPR',
    'e.g. "share(back) == 100%", "p95(back) < 30s", "peak(attempts) < 500/s" (repeatable)',
  ),
};

/** The defaults come from the presets; `width` and the waits differ between them. */
export const FIND_OPTIONS: OptionTable = {
  max: text('Load', 'N', 'never more handshakes than this at once (required)'),
  min: text('Load', 'N', 'smallest burst (default 10)'),
  expect: text(
    'Load',
    'N',
    'the drop-off that you expect: the search begins at a 16th of it (default: it begins at 64)',
  ),
  preset: {
    ...text('Load', 'NAME', 'how sure to be, for how much load and time (default standard)'),
    choices: ['quick', 'standard', 'thorough'],
  },
  width: text('Load', 'SHARE', 'relative width of the bracket at which it ends (default 5%; quick 10%)'),
  rest: text('Load', 'TIME', 'cool-down after each burst (default 10s)'),
  'fresh-wait': text(
    'Load',
    'TIME',
    'rest after which the target counts as rested (default 120s; quick 30s, thorough 300s)',
  ),
  'max-wait': text('Load', 'TIME', 'longest wait for the target to recover (default 1.5 times --fresh-wait)'),
  budget: text('Load', 'N', 'bursts at most (default 60)'),
  deadline: text('Load', 'TIME', 'no burst begins after this long (default 2h; quick 1h, thorough 6h)'),
  harm: text('Load', 'N', 'stop once so many handshakes have failed (default 20 times --max)'),
  'down-sweep': flag('Load', 'once found, try what the target takes right after a break'),
  resume: text('Load', 'FILE.json', 'go on with the search that this result holds'),
  share: text('Objective', 'SHARE', 'so many get their 101 (default 99.9% when no objective is given)'),
  p99: text('Objective', 'TIME', '99% get their 101 within this time'),
  p95: text('Objective', 'TIME', '95% get their 101 within this time'),
  'burst-quantile': text('Objective', 'SHARE', 'share of bursts that must meet the objectives (default 50%)'),
  ...COMMON,
  threshold: list('Objective', 'EXPR', 'e.g. "dropOff >= 2000": judged by the lower end of the interval (repeatable)'),
};

export const RUN_OPTIONS: OptionTable = {
  url: text('Target', 'URL', 'another target for the profile', 'u'),
  rest: text('Load', 'TIME', 'rest after each burst, in all stages'),
  after: AFTER,
  'drop-by': DROP_BY,
  ...COMMON,
};

/** One handshake: nothing is released together, and only the first data row is used. */
export const CHECK_OPTIONS: OptionTable = {
  direct: text('Check', 'URL', 'the same handshake there, past the gateway, to separate the hops'),
  idle: text('Check', 'TIME', 'say nothing on the open tunnel for this long: does it live, and how is it cut'),
  probes: flag('Check', 'ask again with one thing changed at a time (--no-probes: do not)'),
  ...without(TARGET, ['pick', 'tls-resume']),
  timeout: text('Connection', 'TIME', 'deadline of each step (default 10s)', 't'),
  'connect-to': CONNECTION['connect-to'],
  'source-ip': CONNECTION['source-ip'],
  session: CONNECTION.session,
  'session-var': CONNECTION['session-var'],
  'message-timeout': CONNECTION['message-timeout'],
  ping: CONNECTION.ping,
  ...without(OUTPUT, ['attempts', 'dry-run', 'json-lines']),
};

export const REPORT_OPTIONS: OptionTable = {
  output: OUTPUT.output,
  format: OUTPUT.format,
  color: OUTPUT.color,
};

/** Of two sides of saved results. */
export const COMPARE_OPTIONS: OptionTable = {
  with: { ...list('Compare', 'NEW…', 'the other side: result files, or folders of them'), takesSeveral: true },
  'fail-on': list(
    'Compare',
    'EXPR',
    'exit 3 when worse: "p99(handshake) +10%", "share(101) -1pp", "dropOff -20%", "recovery +2s", undecided (repeatable)',
  ),
  'any-target': flag('Compare', 'the sides are of two targets on purpose'),
  output: list('Output', `FILE${COMPARE_ENDINGS.join('|')}`, 'write the comparison (repeatable)', 'o'),
  format: {
    ...text('Output', 'NAME', 'what `-o -` writes (default json)'),
    choices: COMPARE_ENDINGS.map((ending) => ending.slice(1)),
  },
  json: flag('Output', 'print the comparison as one JSON document, nothing else'),
  quiet: flag('Output', 'no notes', 'q'),
  color: OUTPUT.color,
};

export const PROFILES_OPTIONS: OptionTable = {
  schema: flag('Output', 'print the JSON Schema of profiles'),
  sessions: flag('Output', 'list the shipped sessions, or print one as a file for --session'),
  'session-var': list('Output', 'NAME=VALUE', 'print the lines that need this variable too (repeatable)'),
};

export const DEMO_OPTIONS: OptionTable = {
  color: OUTPUT.color,
  progress: OUTPUT.progress,
};

/** Every flag of every command, to recognise environment variables. */
export const ALL_OPTION_NAMES: ReadonlySet<string> = new Set(
  [
    BURST_OPTIONS,
    CHURN_OPTIONS,
    ARRIVE_OPTIONS,
    STORM_OPTIONS,
    FIND_OPTIONS,
    RUN_OPTIONS,
    CHECK_OPTIONS,
    REPORT_OPTIONS,
    COMPARE_OPTIONS,
    DEMO_OPTIONS,
  ].flatMap((table) => Object.keys(table)),
);

/** Parsed flags by long name; flags that were not given are undefined. */
export interface Flags {
  readonly values: Readonly<Record<string, string | readonly string[] | boolean | undefined>>;
  /** For flags from the environment, the name of the variable. */
  readonly variables: Readonly<Record<string, string>>;
}

/** What the user wrote: `--timeout`, or the variable. */
export function writtenName(flags: Flags, name: string): string {
  return flags.variables[name] ?? `--${name}`;
}

export function textFlag({ values }: Flags, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}

export function listFlag({ values }: Flags, name: string): readonly string[] | undefined {
  const value = values[name];
  return Array.isArray(value) ? value : undefined;
}

export function switchFlag({ values }: Flags, name: string): boolean | undefined {
  const value = values[name];
  return typeof value === 'boolean' ? value : undefined;
}
