/**
 * A gateway that behaves like nginx: passes a handshake on to a backend over TCP and connects the two, answers 502 when
 * the backend cannot be reached or closes without an answer, and 504 when it is silent for too long. The targets in
 * this file show this for a backend that is down, crashes, or closes itself.
 */
import { connect, type Socket } from 'node:net';
import type { OutcomeId } from '../../names/outcomes.js';
import type { Connection } from '../server/connection.js';
import { Agenda, nowUs } from '../server/due.js';
import { type LabEnv, openLab, type RunningLab } from '../server/listener.js';
import { haproxyUnavailable, nginxPage } from '../server/pages.js';
import type { Request } from '../server/request-head.js';
import { type LabSettings, numberOf, textOf } from '../server/target-options.js';
import { startSelfClosing } from './backends.js';

const BACKEND_HOST = '127.0.0.1';

/** tcpmux: assigned in 1988 and used by nothing; a port of our own choice might be taken while it must be unused. */
const DEAD_PORT = 1;

/** @param timeoutMs how long the backend may be silent; null: no limit */
function forward(connection: Connection, request: Request, port: number, timeoutMs: number | null): void {
  const { stream, rest } = connection.take();
  const backend = connect({ host: BACKEND_HOST, port, noDelay: true, autoSelectFamily: false });
  let answered = false;
  const answer = (status: '502' | '504'): void => {
    if (answered) return;
    answered = true;
    connection.finish(status, nginxPage(status));
    // The client must be read, or its FIN would never be seen.
    stream.resume();
    backend.destroy();
  };
  const timer = timeoutMs === null ? null : setTimeout(() => answer('504'), timeoutMs);
  backend.on('error', () => {});
  backend.once('connect', () => backend.write(Buffer.concat([request.head, rest])));
  backend.once('data', (first: Buffer) => {
    if (answered) return;
    answered = true;
    if (timer !== null) clearTimeout(timer);
    backend.pause();
    connection.count(statusOf(first));
    stream.write(first);
    join(stream, backend);
  });
  backend.once('close', () => answer('502'));
  stream.once('close', () => {
    if (timer !== null) clearTimeout(timer);
    backend.destroy();
  });
}

function join(stream: Socket, backend: Socket): void {
  stream.pipe(backend);
  backend.pipe(stream);
  // An RST does not end a pipe, so the end is passed on here.
  backend.once('close', () => stream.end());
}

/** The status in the first segment of a backend's response, as a gateway's log shows it. */
function statusOf(first: Buffer): OutcomeId {
  const match = /^HTTP\/1\.[01] ([1-9]\d\d)[ \r]/.exec(first.toString('latin1', 0, 16));
  return match === null ? 'malformed' : `${Number(match[1])}`;
}

export function startBackendRefused(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return openLab('backend-refused', settings, env, {
    onRequest: (connection, request) => forward(connection, request, DEAD_PORT, null),
  });
}

/** As HAProxy does: `retries 3` with `timeout connect` each, then its 503. */
const CONNECT_TRIES = 4;

/** Loopback loses no packets, so the gateway only waits as long as it would for a lost one. */
export function startBackendUnreachable(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const waitUs = CONNECT_TRIES * numberOf(settings, 'connect') * 1000;
  const agenda = new Agenda<'503'>();
  return openLab('backend-unreachable', settings, env, {
    onRequest: (connection) =>
      agenda.at('503', nowUs() + waitUs, () => connection.open && connection.finish('503', haproxyUnavailable())),
    onStop: () => agenda.stop(),
  });
}

export async function startBackendDied(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const quiet = { ...settings, host: BACKEND_HOST, port: 0, tls: false, log: null };
  const backend = await startDyingBackend(quiet, env);
  const port = Number(new URL(backend.url).port);
  return openBefore('backend-died', settings, env, port, null, () => backend.stop());
}

/** A process that crashes at every handshake, and is restarted by a supervisor. */
export function startDyingBackend(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const afterMs = numberOf(settings, 'after');
  return openLab('backend-died', settings, env, {
    resets: true,
    onRequest: (connection) => {
      setTimeout(() => connection.open && connection.reset('reset'), afterMs).unref();
    },
  });
}

export async function startCloseKillsServer(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const { port, stop } = await startSelfClosing(textOf(settings, 'server'), BACKEND_HOST);
  return openBefore('close-kills-server', settings, env, port, numberOf(settings, 'timeout'), stop);
}

/** The listener of a gateway before the backend on `port`; both stop together. */
async function openBefore(
  name: string,
  settings: LabSettings,
  env: LabEnv,
  port: number,
  timeoutMs: number | null,
  stopBackend: () => unknown,
): Promise<RunningLab> {
  try {
    return await openLab(name, settings, env, {
      onRequest: (connection, request) => forward(connection, request, port, timeoutMs),
      onStop: () => {
        stopBackend();
      },
    });
  } catch (error) {
    stopBackend();
    throw error;
  }
}
