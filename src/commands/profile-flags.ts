/**
 * From flags to the parts of a profile that they mean. The same schema judges both, so a flag can do nothing that a
 * profile can't, and its mistakes are told in the flag's own name.
 */
import { UserError } from '../errors.js';
import type { ExpressionChecks } from '../plan/checks.js';
import { checkAbort, checkThreshold } from '../tally/thresholds.js';
import { type Flags, listFlag, switchFlag, textFlag } from './options.js';

export const EXPRESSION_CHECKS: ExpressionChecks = { threshold: checkThreshold, abort: checkAbort };

/** What the user calls a path of the profile that was written as a flag. */
export const FLAG_LABELS: Readonly<Record<string, string>> = {
  'target.url': 'URL',
  'target.headers': '--header',
  'target.origin': '--origin',
  'target.subprotocols': '--subprotocol',
  'target.compression': '--compression',
  'target.tls.ca': '--ca',
  'target.tls.cert': '--cert',
  'target.tls.key': '--key',
  'target.tls.servername': '--servername',
  'target.tls.insecure': '--insecure',
  'target.tls.resume': '--tls-resume',
  'target.connectTo': '--connect-to',
  'target.sourceIps': '--source-ip',
  'data.file': '--data',
  'data.pick': '--pick',
  gate: '--gate',
  timeout: '--timeout',
  close: '--close',
  resolve: '--resolve',
  workers: '--workers',
  transport: '--transport',
  releaseChunk: '--release-chunk',
  seed: '--seed',
  'session.hold': '--hold',
  thresholds: '--threshold',
  abort: '--abort',
  allowHosts: '--allow-host',
  'stages[0].burst': '--connections',
  'stages[0].times': '--bursts',
  'stages[0].rest': '--rest',
  'stages[0].churn.total': '--total',
  'stages[0].churn.inFlight': '--connections',
  'stages[0].churn.for': '--duration',
};

/**
 * Flags laid over a profile: only what was given appears.
 * @param fileOf makes a path of a flag independent of the profile's own folder
 */
export function overridesOf(
  flags: Flags,
  url?: string,
  fileOf: (path: string) => string = (path) => path,
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
  const headers = listFlag(flags, 'header');
  const target = given({
    url,
    headers: headers === undefined ? undefined : headerMap(headers),
    origin: textFlag(flags, 'origin'),
    subprotocols: listFlag(flags, 'subprotocol'),
    compression: switchFlag(flags, 'compression'),
    connectTo: textFlag(flags, 'connect-to'),
    sourceIps: listFlag(flags, 'source-ip'),
    tls: Object.keys(tls).length > 0 ? tls : undefined,
  });
  const data = file('data');
  const hold = textFlag(flags, 'hold');
  return given({
    target: Object.keys(target).length > 0 ? target : undefined,
    data: data === undefined ? undefined : given({ file: data, pick: textFlag(flags, 'pick') }),
    gate: textFlag(flags, 'gate'),
    timeout: textFlag(flags, 'timeout'),
    session: hold === undefined ? undefined : { hold },
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

/** `NAME: VALUE`, as curl and every load tool take it; a name given twice is a header sent twice. */
function headerMap(texts: readonly string[]): Record<string, string[]> {
  const map: Record<string, string[]> = {};
  for (const text of texts) {
    const at = text.indexOf(':');
    if (at <= 0) {
      // Never the text itself: it may be a secret that lost its colon.
      throw new UserError('--header: expected NAME: VALUE', { code: 'flag', hint: "e.g. -H 'X-Tenant: 7'" });
    }
    const name = text.slice(0, at).trim();
    map[name] = [...(map[name] ?? []), text.slice(at + 1).trim()];
  }
  return map;
}
