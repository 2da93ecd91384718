/**
 * A real gateway, nginx or HAProxy, as a child process of the lab: writes its configuration to a new folder, runs it in
 * the foreground in front of the target's backend, and ends it with the lab, even if the lab crashes. The contents of
 * the configuration are decided elsewhere.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { EXIT, UserError } from '../../errors.js';
import { LAB_CERTIFICATE, LAB_PRIVATE_KEY } from '../server/certificate.js';
import { type LabEnv, labUrl, type RunningLab } from '../server/listener.js';
import type { LabTarget } from '../server/target.js';
import { type LabSettings, textOf } from '../server/target-options.js';
import { freePort } from '../targets/vacant.js';
import { BEHIND, needsOf } from './behind.js';
import {
  GATEWAYS,
  type GatewayName,
  type GatewayPlace,
  haproxyConfig,
  nginxConfig,
  SPARE_DESCRIPTORS,
} from './gateway-config.js';

/** Where the files of a running gateway are. They are kept after the stop, because logs are read afterwards. */
export interface GatewayFiles {
  readonly gateway: GatewayName;
  readonly folder: string;
  readonly config: string;
  readonly accessLog: string;
  readonly errorLog: string;
}

export interface RunningGateway extends RunningLab {
  readonly files: GatewayFiles;
  /** Resolves with a message when the gateway ends while it should serve. */
  readonly died: Promise<UserError>;
}

/** A gateway that has not started, or ended, within this time hangs. */
const PATIENCE_MS = 10_000;
const POLL_MS = 20;
/** More than any burst against the lab needs at once. */
const CONNECTIONS = 32_768;
/** Used when the system does not report the limit. */
const USUAL_DESCRIPTORS = 4096;
/** How much of the gateway's own output is shown. */
const WORDS_CHARACTERS = 2000;
const INSTALL: Readonly<Record<GatewayName, string>> = {
  nginx: 'apt-get install nginx, dnf install nginx or brew install nginx',
  haproxy: 'apt-get install haproxy, dnf install haproxy or brew install haproxy',
};

/** Starts the backend of `target` and the gateway that `settings` name. @throws UserError `lab` */
export async function openBehind(target: LabTarget, settings: LabSettings, env: LabEnv): Promise<RunningGateway> {
  const gateway = GATEWAYS.find((name) => name === settings.gateway) ?? 'nginx';
  const behind = BEHIND.get(target.name);
  if (behind === undefined) {
    throw new UserError(`lab ${target.name} needs no gateway, or none can be made to fail like this`, {
      code: 'lab',
      hint: `targets with --gateway: ${[...BEHIND.keys()].join(', ')}`,
    });
  }
  const needs = needsOf(behind, gateway, settings);
  if (needs === null) {
    throw new UserError(`${gateway} cannot be made to do what lab ${target.name} is asked for by these options`, {
      code: 'lab',
      hint: `without --gateway it can be had; or try --gateway ${GATEWAYS.find((name) => name !== gateway)}`,
    });
  }
  let files: GatewayFiles | null = null;
  const backend = await behind.start({ ...settings, host: '127.0.0.1', port: 0, tls: false }, env);
  try {
    const host = textOf(settings, 'host');
    const port = await freePort(settings);
    files = placeFiles(gateway);
    const place: GatewayPlace = {
      ...files,
      certificate: settings.tls === true ? join(files.folder, 'lab.pem') : null,
      listen: `${host.includes(':') ? `[${host}]` : host}:${port}`,
      backend: new URL(backend.url).host,
      isRoot: userInfo().uid === 0,
      connections: Math.min(CONNECTIONS, Math.floor((descriptorLimit() - SPARE_DESCRIPTORS) / 2)),
    };
    if (place.certificate !== null)
      writeFileSync(place.certificate, LAB_CERTIFICATE + LAB_PRIVATE_KEY, { mode: 0o600 });
    writeFileSync(files.config, gateway === 'nginx' ? nginxConfig(place, needs) : haproxyConfig(place, needs));
    const url = labUrl(settings.tls === true ? 'wss' : 'ws', host, port);
    const child = await startGateway(files, url);
    return {
      url,
      files,
      died: child.died,
      report: () => ({ ...backend.report(), target: target.name }),
      async stop() {
        await child.stop();
        return { ...(await backend.stop()), target: target.name };
      },
    };
  } catch (error) {
    await backend.stop();
    if (files !== null) rmSync(files.folder, { recursive: true, force: true });
    throw error;
  }
}

function placeFiles(gateway: GatewayName): GatewayFiles {
  const folder = mkdtempSync(join(tmpdir(), `wstampede-${gateway}-`));
  return {
    gateway,
    folder,
    config: join(folder, gateway === 'nginx' ? 'nginx.conf' : 'haproxy.cfg'),
    accessLog: join(folder, 'access.log'),
    errorLog: join(folder, 'error.log'),
  };
}

/** The limit to which a child may raise its own; HAProxy refuses to start when it is lower than it needs. */
function descriptorLimit(): number {
  const hard = /^Max open files\s+\d+\s+(\d+)/m.exec(wordsOf('/proc/self/limits'))?.[1];
  return hard === undefined ? USUAL_DESCRIPTORS : Number(hard);
}

interface GatewayChild {
  readonly died: Promise<UserError>;
  stop(): Promise<void>;
}

async function startGateway(files: GatewayFiles, url: string): Promise<GatewayChild> {
  const { gateway, folder, config, errorLog } = files;
  const args = gateway === 'nginx' ? ['-p', folder, '-c', config, '-e', errorLog] : ['-db', '-f', config];
  const child = launch(gateway, args, files);
  const keeper = child.pid === undefined ? null : keep(child.pid);
  let stopping = false;
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    child.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  const how = await Promise.race([ended, listens(url)]);
  ended.then(() => keeper?.kill('SIGKILL'));
  if (how !== 'listens') {
    child.kill('SIGKILL');
    throw notStarted(files, how);
  }
  const died = new Promise<UserError>((resolve) => {
    ended.then((word) => {
      if (!stopping) resolve(deadOf(files, word));
    });
  });
  return {
    died,
    async stop() {
      stopping = true;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** In its own session: a Ctrl-C at the terminal reaches only the lab, which then stops the gateway cleanly. */
function launch(program: string, args: readonly string[], files: GatewayFiles): ChildProcess {
  const [out, err] = [openSync(files.accessLog, 'a'), openSync(files.errorLog, 'a')];
  try {
    // nginx writes its own log; HAProxy's log is its output.
    return spawn(program, [...args], { detached: true, stdio: ['ignore', out, err] });
  } finally {
    closeSync(out);
    closeSync(err);
  }
}

/**
 * A shell that reads from the lab until the lab ends, also by a crash or a kill, and then ends the gateway. In a normal
 * stop it is not needed, and is ended before.
 */
function keep(pid: number): ChildProcess {
  const keeper = spawn('/bin/sh', ['-c', 'read -r nothing; kill -TERM "$0"', `${pid}`], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  keeper.on('error', () => {});
  keeper.stdin?.on('error', () => {});
  keeper.unref();
  (keeper.stdin as unknown as { unref(): void } | null)?.unref();
  return keeper;
}

/** Polls until the port accepts connections. */
async function listens(url: string): Promise<'listens' | 'silence'> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const until = Date.now() + PATIENCE_MS;
  while (Date.now() < until) {
    const socket = connect({ host, port: Number(port) });
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return 'listens';
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return 'silence';
}

function notStarted({ gateway, errorLog }: GatewayFiles, how: string): UserError {
  if (how === 'ENOENT') {
    return new UserError(`${gateway} is not installed`, { code: 'lab', hint: `install it: ${INSTALL[gateway]}` });
  }
  return new UserError(`${gateway} did not start (${how}): ${wordsOf(errorLog)}`, { code: 'lab' });
}

function deadOf({ gateway, errorLog }: GatewayFiles, how: string): UserError {
  const words = wordsOf(errorLog);
  return new UserError(`${gateway} ended while it served (${how})${words === '' ? '' : `: ${words}`}`, {
    code: 'lab',
    hint: `its words are in ${errorLog}`,
    exitCode: EXIT.internal,
  });
}

/** The end of a log, as one line. */
function wordsOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(-WORDS_CHARACTERS).trim();
  } catch {
    return '';
  }
}
