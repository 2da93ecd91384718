/**
 * The listener that all targets share: a port outside the ephemeral range, the longest queue that the kernel allows,
 * TLS on request, and the list of open connections, so that stopping leaves nothing behind.
 */
import { createServer, type Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { UserError } from '../../errors.js';
import { LAB_CERTIFICATE, LAB_PRIVATE_KEY } from './certificate.js';
import { type Behaviour, Connection } from './connection.js';
import { type LabReport, Ledger } from './ledger.js';
import { type LabSettings, numberOf, textOf } from './target-options.js';

/** What a target needs from its process. */
export interface LabEnv {
  /** Prints one line for the user who started the lab. */
  readonly note: (message: string) => void;
}

export interface RunningLab {
  /** Ends in `/`. */
  readonly url: string;
  report(): LabReport;
  /** Closes the port, ends every connection, counts the requests that got no answer. */
  stop(): Promise<LabReport>;
}

/** The kernel caps it at net.core.somaxconn (listen(2)). */
export const LONGEST_BACKLOG = 65_535;

/**
 * Ports that the lab chooses itself. They are below 32768, where the kernel's ephemeral range begins
 * (ip_local_port_range), so that no outgoing connection of a burst can occupy one.
 */
const PORT_FIRST = 20_000;
const PORT_COUNT = 12_000;
const PORT_TRIES = 64;

/** Opens the listener of target `name` with its settings. @throws UserError `lab` when the address cannot be used */
export async function openLab(
  name: string,
  settings: LabSettings,
  env: LabEnv,
  behaviour: Behaviour,
): Promise<RunningLab> {
  const host = textOf(settings, 'host');
  const secure = settings.tls === true;
  const ledger = new Ledger(name, settings.log === null ? null : textOf(settings, 'log'), env.note);
  const connections = new Set<Connection>();
  const context = secure ? labContext(behaviour) : null;
  const asks = behaviour.wantsCertificate === true && { requestCert: true, rejectUnauthorized: true };

  const server = createServer({ noDelay: true }, (tcp: Socket) => {
    const tls = context === null ? null : new TLSSocket(tcp, { isServer: true, secureContext: context, ...asks });
    // Without a tls.Server, a socket reports errors after its handshake only through this event.
    tls?.on('_tlsError', () => tcp.destroy());
    const connection = new Connection(tcp, tls, ledger, behaviour);
    connections.add(connection);
    connection.stream.once('close', () => connections.delete(connection));
  });
  const backlog = behaviour.backlog ?? LONGEST_BACKLOG;
  const { port } = await tryPorts(numberOf(settings, 'port'), (candidate) =>
    server.listen({ host, port: candidate, backlog }),
  ).catch(async (error: unknown) => {
    await ledger.close();
    throw error;
  });
  // A failed accept (no descriptors left) costs one client its connection, but must not end the lab; nor must a port that
  // somebody took while it was shut.
  server.on('error', (error) => env.note(`listener: ${error.message}`));

  let reopening: NodeJS.Timeout | null = null;
  behaviour.onListening?.({
    shutFor(ms) {
      if (reopening !== null) return;
      server.close();
      reopening = setTimeout(() => {
        reopening = null;
        server.listen({ host, port, backlog });
      }, ms);
    },
  });

  return {
    url: labUrl(behaviour.scheme ?? (secure ? 'wss' : 'ws'), host, port),
    report: () => ledger.report(),
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      behaviour.onStop?.();
      if (reopening !== null) clearTimeout(reopening);
      for (const connection of connections) connection.destroy();
      await closed;
      // The 'close' events of the last sockets may follow that of the server, and their requests belong in the report.
      await Promise.all([...connections].map((c) => new Promise((resolve) => c.stream.once('close', resolve))));
      await ledger.close();
      return ledger.report();
    },
  };
}

/**
 * TLS 1.3 sends session tickets after the handshake. If a client has not read them when an RST arrives, it may see a
 * normal end of stream instead (libuv, after a partial read). Targets that reset therefore use TLS 1.2, which leaves
 * nothing unread.
 */
function labContext(behaviour: Behaviour): SecureContext {
  return createSecureContext({
    cert: LAB_CERTIFICATE,
    key: LAB_PRIVATE_KEY,
    ...(behaviour.resets === true && { maxVersion: 'TLSv1.2' as const }),
    ...behaviour.tls,
  });
}

/** An address that can be dialled: a server on every address is reached by the loopback one. */
export function labUrl(scheme: 'ws' | 'wss', host: string, port: number): string {
  const dialled = host === '0.0.0.0' ? '127.0.0.1' : /^[0:]+$/.test(host) ? '::1' : host;
  return `${scheme}://${dialled.includes(':') ? `[${dialled}]` : dialled}:${port}/`;
}

interface Listening {
  once(event: string, listener: (error: Error) => void): unknown;
  off(event: string, listener: (error: Error) => void): unknown;
}

/**
 * Listens on `port`, or for 0 on a random free port of the lab's own range. `start` begins to listen and returns an
 * emitter of `listening` or `error`.
 * @throws UserError `lab` when the address cannot be used
 */
export async function tryPorts<T extends Listening>(
  port: number,
  start: (port: number) => T,
): Promise<{ readonly port: number; readonly server: T }> {
  if (port > 65_535) throw new UserError(`lab --port: expected at most 65535, got ${port}`, { code: 'lab' });
  for (let tries = 1; ; tries += 1) {
    const candidate = port === 0 ? PORT_FIRST + Math.floor(Math.random() * PORT_COUNT) : port;
    const server = start(candidate);
    const failed = await new Promise<Error | null>((resolve) => {
      const onError = (error: Error): void => {
        server.off('listening', onListening);
        resolve(error);
      };
      const onListening = (): void => {
        server.off('error', onError);
        resolve(null);
      };
      server.once('listening', onListening);
      server.once('error', onError);
    });
    if (failed === null) return { port: candidate, server };
    if (port === 0 && (failed as NodeJS.ErrnoException).code === 'EADDRINUSE' && tries < PORT_TRIES) continue;
    throw new UserError(`lab: cannot listen: ${failed.message}`, {
      code: 'lab',
      hint: 'choose another --port, or leave it out for a free one',
    });
  }
}
