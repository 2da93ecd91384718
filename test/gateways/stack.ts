/**
 * A row's stack: its backends and its gateway as processes, on free ports, with a folder of their own for configuration,
 * logs and certificates; no service of the machine is touched. Knows what a row is made of, not what is expected of it.
 */
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LAB_CERTIFICATE, LAB_PRIVATE_KEY } from '#dist/lab/server/certificate.js';
import type { BackendReport, BackendSettings } from './backend-kinds.js';
import { type Child, type Daemon, eventually, freePorts, startDaemon, startScript } from './child.js';
import {
  COMMANDS,
  CONFIGS,
  type GatewayName,
  type GatewaySettings,
  type LogLine,
  logLines,
  type Place,
} from './configs.js';

/** How long a gateway may take to write down what has ended. */
const LOG_PATIENCE_MS = 10_000;

const TAKEN = /address already in use|backend ended without a word/i;
const MOST_TRIES = 3;

/** What a stack is started from; a `Row` of the matrix is one. */
export interface StackPlan {
  readonly gateway: GatewayName | 'direct';
  readonly settings: GatewaySettings;
  readonly backend: BackendSettings;
  /** How many of that backend; default 1. */
  readonly peers?: number;
  /** false: they are started later, by `startBackends`. */
  readonly startsBackends?: boolean;
  /** PEM in place of the lab's own, of the same key and signed by it. */
  readonly certificate?: string;
  /** Descriptors that the gateway may have (`ulimit -n`). */
  readonly descriptors?: number;
}

export interface Stack {
  /** Ends in `/`. */
  readonly url: string;
  readonly secureUrl: string;
  /** PEM file that a client must trust. */
  readonly ca: string;
  readonly folder: string;
  readonly place: Place;
  /**
   * What the access log says of the path once it has `expected` lines of it: a tunnel is logged when it has ended. When
   * they do not come, what there is. Of the lines without a path those of `ports` belong to it, from the mark on.
   */
  log(path: string, expected: number, ports?: ReadonlySet<number>): Promise<LogLine[]>;
  /** Lines without a path are of what came before: an earlier burst may have had a port of this one's. */
  markLog(): void;
  /** What the gateway complained of so far. */
  errors(): string;
  /** What each backend saw since it was asked last. */
  reports(): Promise<BackendReport[]>;
  /** Backends of kind `blocks` stand still from here on. */
  block(): Promise<void>;
  startBackends(): Promise<void>;
  /** From now on nothing listens behind the gateway. */
  stopBackends(): Promise<void>;
  stop(): Promise<void>;
}

/** Between finding a port free and listening on it another process may take it: then all begins anew. */
export async function startStack(plan: StackPlan): Promise<Stack> {
  for (let tries = 1; ; tries += 1) {
    try {
      const stack = await startOnce(plan);
      if (!TAKEN.test(stack.errors()) || tries === MOST_TRIES) return stack;
      await stack.stop();
    } catch (error) {
      if (!TAKEN.test(String(error)) || tries === MOST_TRIES) throw error;
    }
  }
}

async function startOnce(plan: StackPlan): Promise<Stack> {
  const folder = mkdtempSync(join(tmpdir(), `wst-${plan.gateway}-`));
  // Apache's children are somebody else's, and must come as far as their files.
  chmodSync(folder, 0o755);
  const peers = plan.peers ?? 1;
  const [plainPort, securePort, ...backendPorts] = await freePorts(2 + peers);
  const place = { folder, plainPort, securePort, backendPorts, ...writeCertificate(folder, plan) };
  const backends: Child[] = [];
  let daemon: Daemon | null = null;
  let marked = 0;

  const startBackends = async (): Promise<void> => {
    if (plan.backend.kind === 'none') return;
    const started = backendPorts.map((port) => startScript('backend', [JSON.stringify(plan.backend), `${port}`]));
    backends.push(...started);
    await Promise.all(started.map((child) => child.line()));
  };
  const stopBackends = async (): Promise<void> => {
    await Promise.all(backends.splice(0).map((child) => child.stop()));
  };
  const stop = async (): Promise<void> => {
    await Promise.all([daemon?.stop(), stopBackends()]);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    if (plan.startsBackends !== false) await startBackends();
    if (plan.gateway !== 'direct') daemon = await startGateway(plan.gateway, plan, place);
  } catch (error) {
    await stop();
    throw error;
  }
  const door = plan.gateway === 'direct' ? backendPorts[0] : plainPort;
  return {
    url: `ws://127.0.0.1:${door}/`,
    secureUrl: `wss://127.0.0.1:${securePort}/`,
    ca: place.ca,
    folder,
    place,
    async log(path, expected, ports = new Set()) {
      if (plan.gateway === 'direct') return [];
      const { gateway } = plan;
      const lines = () =>
        logLines(gateway, read(`${folder}/access.log`)).filter((line, i) =>
          line.path === null ? i >= marked && ports.has(line.port) : line.path === path,
        );
      await eventually(() => (lines().length >= expected ? true : null), LOG_PATIENCE_MS);
      return lines();
    },
    markLog() {
      if (plan.gateway !== 'direct') marked = logLines(plan.gateway, read(`${folder}/access.log`)).length;
    },
    errors: () => read(`${folder}/error.log`),
    reports: () => Promise.all(backends.map(reportOf)),
    async block() {
      for (const child of backends) {
        child.say('block');
        await child.line();
      }
    },
    startBackends,
    stopBackends,
    stop,
  };
}

async function reportOf(child: Child): Promise<BackendReport> {
  child.say('report');
  return JSON.parse(await child.line()) as BackendReport;
}

function writeCertificate(folder: string, plan: StackPlan): Pick<Place, 'ca' | 'certificate' | 'key' | 'both'> {
  const certificate = plan.certificate ?? LAB_CERTIFICATE;
  const files = {
    ca: `${folder}/ca.pem`,
    certificate: `${folder}/lab.pem`,
    key: `${folder}/lab.key`,
    both: `${folder}/both.pem`,
  };
  writeFileSync(files.ca, LAB_CERTIFICATE);
  writeFileSync(files.certificate, certificate);
  writeFileSync(files.key, LAB_PRIVATE_KEY);
  writeFileSync(files.both, certificate + LAB_PRIVATE_KEY);
  return files;
}

/** HAProxy logs to its stdout, which is a file and so takes every line; the others write their logs themselves. */
async function startGateway(gateway: GatewayName, plan: StackPlan, place: Place): Promise<Daemon> {
  const { folder } = place;
  writeFileSync(`${folder}/config`, CONFIGS[gateway](place, plan.settings));
  const command = COMMANDS[gateway](folder);
  const limited: readonly [string, ...string[]] =
    plan.descriptors === undefined
      ? command
      : ['sh', '-c', `ulimit -n ${plan.descriptors} && exec "$0" "$@"`, ...command];
  const out = openSync(`${folder}/${gateway === 'haproxy' ? 'access' : 'error'}.log`, 'a');
  const errors = openSync(`${folder}/error.log`, 'a');
  try {
    return await startDaemon(limited, ['ignore', out, errors], [place.plainPort, place.securePort], {
      complaints: () => read(`${folder}/error.log`),
      // What Caddy keeps it keeps below its home.
      env: { HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder },
    });
  } finally {
    closeSync(out);
    closeSync(errors);
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
