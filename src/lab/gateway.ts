/**
 * A gateway as nginx is one: passes a handshake on to a backend over TCP and joins the two, or answers 502 when the
 * backend cannot be reached or hangs up without a word. The targets of this file are what becomes of that when the
 * backend is not there, or closes itself.
 */
import { connect, type Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import type { OutcomeId } from '../tally/outcomes.js';
import type { Connection } from './connection.js';
import { type LabEnv, LONGEST_BACKLOG, openLab, type RunningLab, tryPorts } from './listener.js';
import type { LabSettings } from './options.js';
import { nginxPage } from './pages.js';
import type { Request } from './request.js';

const BACKEND_HOST = '127.0.0.1';

/** tcpmux: assigned in 1988, served by nobody; a port of our own choice could be taken while it is meant to be dead. */
const DEAD_PORT = 1;

function forward(connection: Connection, request: Request, port: number): void {
  const { stream, rest } = connection.take();
  const backend = connect({ host: BACKEND_HOST, port, noDelay: true, autoSelectFamily: false });
  let answered = false;
  backend.on('error', () => {});
  backend.once('connect', () => backend.write(Buffer.concat([request.head, rest])));
  backend.once('data', (first: Buffer) => {
    answered = true;
    backend.pause();
    connection.count(statusOf(first));
    stream.write(first);
    join(stream, backend);
  });
  backend.once('close', () => {
    if (answered) return;
    connection.finish('502', nginxPage('502'));
    // Nobody reads the client any more: without this its FIN would never be seen.
    stream.resume();
  });
  stream.once('close', () => backend.destroy());
}

function join(stream: Socket, backend: Socket): void {
  stream.pipe(backend);
  backend.pipe(stream);
  // An RST ends no pipe: pass on that this side is gone.
  backend.once('close', () => stream.end());
}

/** The status of a backend's answer by its first segment, as the log of a gateway has it. */
function statusOf(first: Buffer): OutcomeId {
  const match = /^HTTP\/1\.[01] ([1-9]\d\d)[ \r]/.exec(first.toString('latin1', 0, 16));
  return match === null ? 'malformed' : `${Number(match[1])}`;
}

export function startBackendRefused(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return openLab('backend-refused', settings, env, {
    onRequest: (connection, request) => forward(connection, request, DEAD_PORT),
  });
}

/** A real ws server with a real mistake: the handler of one socket's end closes the server of all. */
export async function startCloseKillsServer(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const { port, server } = await tryPorts(0, (candidate) => {
    const backend = new WebSocketServer({
      host: BACKEND_HOST,
      port: candidate,
      backlog: LONGEST_BACKLOG,
      perMessageDeflate: false,
      maxPayload: 65_536,
    });
    backend.on('connection', (socket) => {
      socket.on('error', () => {});
      socket.on('close', () => backend.close());
    });
    return backend;
  });
  server.on('error', () => {});
  const stopBackend = (): void => {
    for (const client of server.clients) client.terminate();
    server.close();
  };
  try {
    return await openLab('close-kills-server', settings, env, {
      onRequest: (connection, request) => forward(connection, request, port),
      onStop: stopBackend,
    });
  } catch (error) {
    stopBackend();
    throw error;
  }
}
