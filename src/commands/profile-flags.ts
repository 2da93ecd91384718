/**
 * From flags to the parts of a profile that they stand for. The same schema checks both, so a flag can do nothing that
 * a profile cannot, and its mistakes are reported under the flag's name.
 */
import { resolve } from 'node:path';
import type { Host } from '../host.js';
import { type Draft, draftOfFlags, layered } from '../plan/profile/draft.js';
import type { Problem } from '../plan/profile/problems.js';
import { unknownSession } from '../plan/profile/session/session-checks.js';
import { maskLoose } from '../plan/secrets.js';
import { shippedSession } from '../plan/session/shipped.js';
import { readIfThere } from './input-files.js';
import { type Flags, listFlag, switchFlag, textFlag, writtenName } from './option-tables.js';

/** The flag for a path of the profile. */
const FLAG_OF: Readonly<Record<string, string>> = {
  'target.headers': 'header',
  'target.origin': 'origin',
  'target.subprotocols': 'subprotocol',
  'target.compression': 'compression',
  'target.tls.ca': 'ca',
  'target.tls.cert': 'cert',
  'target.tls.key': 'key',
  'target.tls.servername': 'servername',
  'target.tls.insecure': 'insecure',
  'target.tls.resume': 'tls-resume',
  'target.connectTo': 'connect-to',
  'target.sourceIps': 'source-ip',
  'data.file': 'data',
  'data.pick': 'pick',
  gate: 'gate',
  timeout: 'timeout',
  close: 'close',
  resolve: 'resolve',
  workers: 'workers',
  transport: 'transport',
  releaseChunk: 'release-chunk',
  seed: 'seed',
  session: 'session',
  sessionVars: 'session-var',
  messageTimeout: 'message-timeout',
  hold: 'hold',
  ping: 'ping',
  after: 'after',
  thresholds: 'threshold',
  abort: 'abort',
  allowHosts: 'allow-host',
  rest: 'rest',
  'stages[0].burst': 'connections',
  'stages[0].times': 'bursts',
  'stages[0].spread': 'spread',
  'stages[0].spacing': 'spacing',
  'stages[0].rest': 'rest',
  'stages[0].storm.clients': 'connections',
  'stages[0].storm.open.over': 'open',
  'stages[0].storm.reconnect': 'policy',
  ...Object.fromEntries(
    ['settle', 'drop', 'window', 'notice', 'capacity'].map((name) => [`stages[0].storm.${name}`, name]),
  ),
  'stages[0].storm.drop.idle': 'drop',
  'stages[0].churn.total': 'total',
  'stages[0].churn.inFlight': 'connections',
  'stages[0].churn.for': 'duration',
  'stages[0].arrive.rate': 'rate',
  'stages[0].arrive.for': 'duration',
  'stages[0].arrive.spacing': 'spacing',
  'stages[0].arrive.maxOpen': 'max-open',
  ...Object.fromEntries(
    ['max', 'min', 'expect', 'width', 'share', 'p99', 'p95', 'preset', 'rest', 'budget', 'deadline', 'harm'].map(
      (name) => [`stages[0].find.${name}`, name],
    ),
  ),
  'stages[0].find.freshWait': 'fresh-wait',
  'stages[0].find.maxWait': 'max-wait',
  'stages[0].find.burstQuantile': 'burst-quantile',
  'stages[0].find.downSweep': 'down-sweep',
};

/** The user's name for a path: the flag, or the variable that it came from. */
function labelsOf(flags: Flags): Record<string, string> {
  const labels = Object.entries(FLAG_OF).map(([path, name]) => [path, writtenName(flags, name)]);
  const url = flags.values.url === undefined ? 'URL' : writtenName(flags, 'url');
  return { ...Object.fromEntries(labels), 'target.url': url };
}

/**
 * The profile layer made of the flags; `more` is added by the command.
 * @param fileOf makes the path in a flag independent of the profile's folder
 */
export async function draftOf(
  flags: Flags,
  more: { readonly url?: string; readonly stages?: readonly object[]; readonly rest?: string },
  host: Host,
  fileOf: (path: string) => string = (path) => path,
): Promise<Draft> {
  const { url, ...others } = more;
  const headers = headersOf(listFlag(flags, 'header') ?? []);
  const variables = variablesOf(listFlag(flags, 'session-var') ?? []);
  const session = await sessionOf(textFlag(flags, 'session'), host);
  const written = {
    ...overridesOf(flags, url, headers.map, fileOf),
    ...given({ ...others, session: session.name, sessionVars: variables.map }),
  };
  const problems = [...headers.problems, ...variables.problems, ...session.problems];
  const draft = draftOfFlags(written, labelsOf(flags), problems);
  return session.file === null ? draft : layered(session.file, draft);
}

interface SessionFlag {
  readonly file: Draft | null;
  readonly name: string | undefined;
  readonly problems: readonly Problem[];
}

/** A file comes before a shipped session of that name. */
async function sessionOf(name: string | undefined, host: Host): Promise<SessionFlag> {
  if (name === undefined) return { file: null, name, problems: [] };
  const text = readIfThere(resolve(host.cwd, name), name, 'session');
  if (text !== null) {
    const { draftOfSession } = await import('../plan/profile/written.js');
    return { file: draftOfSession(text, name), name: undefined, problems: [] };
  }
  if (shippedSession(name) !== null) return { file: null, name, problems: [] };
  const message = `no file of that name, and ${unknownSession(maskLoose(name))}`;
  return { file: null, name: undefined, problems: [{ path: ['session'], at: 'value', message }] };
}

/** Contains only flags that were given. */
function overridesOf(
  flags: Flags,
  url: string | undefined,
  headers: Readonly<Record<string, readonly string[]>> | undefined,
  fileOf: (path: string) => string,
): Record<string, unknown> {
  const file = (name: string) => {
    const path = textFlag(flags, name);
    return path === undefined ? undefined : fileOf(path);
  };
  const tls = given({
    ca: file('ca'),
    cert: file('cert'),
    key: file('key'),
    servername: textFlag(flags, 'servername'),
    insecure: switchFlag(flags, 'insecure'),
    resume: switchFlag(flags, 'tls-resume'),
  });
  const target = given({
    url,
    headers,
    origin: textFlag(flags, 'origin'),
    subprotocols: listFlag(flags, 'subprotocol'),
    compression: switchFlag(flags, 'compression'),
    connectTo: textFlag(flags, 'connect-to'),
    sourceIps: listFlag(flags, 'source-ip'),
    tls: Object.keys(tls).length > 0 ? tls : undefined,
  });
  const data = given({ file: file('data'), pick: textFlag(flags, 'pick') });
  return given({
    target: Object.keys(target).length > 0 ? target : undefined,
    data: Object.keys(data).length > 0 ? data : undefined,
    gate: textFlag(flags, 'gate'),
    timeout: textFlag(flags, 'timeout'),
    hold: textFlag(flags, 'hold'),
    ping: textFlag(flags, 'ping'),
    messageTimeout: textFlag(flags, 'message-timeout'),
    after: textFlag(flags, 'after'),
    thresholds: listFlag(flags, 'threshold'),
    abort: textFlag(flags, 'abort'),
    allowHosts: listFlag(flags, 'allow-host'),
    close: textFlag(flags, 'close'),
    resolve: textFlag(flags, 'resolve'),
    preflight: switchFlag(flags, 'preflight'),
    calibrate: switchFlag(flags, 'calibrate'),
    workers: textFlag(flags, 'workers'),
    transport: textFlag(flags, 'transport'),
    releaseChunk: textFlag(flags, 'release-chunk'),
    seed: textFlag(flags, 'seed'),
  });
}

/** Without the keys that were not given. */
export function given(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined));
}

interface NamedValues<T> {
  readonly map: Readonly<Record<string, T>> | undefined;
  readonly problems: readonly Problem[];
}

/** `NAME=VALUE`; of a name given twice the last one counts. */
export function variablesOf(written: readonly string[]): NamedValues<string> {
  const problems: Problem[] = [];
  const map: Record<string, string> = {};
  for (const text of written) {
    const at = text.indexOf('=');
    if (at > 0) map[text.slice(0, at).trim()] = text.slice(at + 1);
    else {
      const message = 'expected NAME=VALUE, e.g. --session-var token=abc';
      problems.push({ path: ['sessionVars'], at: 'value', message });
    }
  }
  return { map: written.length === problems.length ? undefined : map, problems };
}

/** `NAME: VALUE`, as in curl; a name given twice is sent twice. */
function headersOf(texts: readonly string[]): NamedValues<readonly string[]> {
  const map = new Map<string, string[]>();
  const problems: Problem[] = [];
  for (const text of texts) {
    const at = text.indexOf(':');
    if (at <= 0) {
      // Never repeats the text: it may be a secret without its header name.
      problems.push({
        path: ['target', 'headers'],
        at: 'value',
        message: "expected NAME: VALUE, e.g. -H 'X-Tenant: 7'",
      });
      continue;
    }
    const name = text.slice(0, at).trim();
    map.set(name, [...(map.get(name) ?? []), text.slice(at + 1).trim()]);
  }
  return { map: map.size === 0 ? undefined : Object.fromEntries(map), problems };
}
