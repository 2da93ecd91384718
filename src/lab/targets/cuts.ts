/**
 * Targets that end connections without being asked: before any byte, as a layer-4 balancer does, or after the 101, when
 * the connection was idle for a while, or at once.
 */
import type { Connection } from '../server/connection.js';
import { type LabEnv, openLab, type RunningLab } from '../server/listener.js';
import { type LabSettings, numberOf, textOf } from '../server/target-options.js';
import { closeFrame } from '../server/tunnel.js';

/** The words of `--end`. */
export const ENDS: readonly string[] = ['fin', 'reset', 'close-frame'];
/** A gateway that cuts an idle tunnel sends no close frame. */
export const IDLE_ENDS: readonly string[] = ['fin', 'reset'];
/** An application may say that it goes, with a close code. */
export const IDLE_DROP_ENDS: readonly string[] = [...IDLE_ENDS, '1000', '1001'];

/** RFC 6455 section 7.4.1. */
const INTERNAL_ERROR = 1011;

function cut(connection: Connection, end: string): void {
  if (!connection.open) return;
  if (end === 'reset') connection.reset('reset');
  else if (end === 'fin') connection.stream.end();
  else connection.stream.end(closeFrame(end === 'close-frame' ? INTERNAL_ERROR : Number(end)));
}

export function startIdleCut(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const afterMs = numberOf(settings, 'after');
  const end = textOf(settings, 'end');
  return openLab('idle-cut', settings, env, {
    resets: end === 'reset',
    onRequest(connection, request) {
      connection.upgrade(request);
      // Measured from the last byte in either direction, as gateways' read timeouts are.
      if (connection.upgraded) connection.stream.setTimeout(afterMs, () => cut(connection, end));
    },
  });
}

/** An application that misses messages: a ping of the protocol is answered, but does not count. */
export function startIdleDrop(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const afterMs = numberOf(settings, 'after');
  const end = textOf(settings, 'end');
  const timers = new Map<Connection, NodeJS.Timeout>();
  return openLab('idle-drop', settings, env, {
    resets: end === 'reset',
    onRequest(connection, request) {
      connection.upgrade(request);
      if (!connection.upgraded || timers.has(connection)) return;
      timers.set(
        connection,
        setTimeout(() => cut(connection, end), afterMs),
      );
    },
    onMessage: (connection) => timers.get(connection)?.refresh(),
    onLeave(connection) {
      clearTimeout(timers.get(connection));
      timers.delete(connection);
    },
  });
}

export function startCutAfterUpgrade(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const afterMs = numberOf(settings, 'after');
  const end = textOf(settings, 'end');
  return openLab('cut-after-upgrade', settings, env, {
    resets: end === 'reset',
    onRequest(connection, request) {
      connection.upgrade(request);
      if (connection.upgraded) setTimeout(() => cut(connection, end), afterMs).unref();
    },
  });
}

/** Such a balancer does not speak TLS: over wss:// it disconnects during the handshake. */
export function startAcceptThenFin(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const afterMs = numberOf(settings, 'after');
  const secure = settings.tls === true;
  return openLab('accept-then-fin', { ...settings, tls: false }, env, {
    scheme: secure ? 'wss' : 'ws',
    onRequest: () => {},
    onConnection(connection) {
      // The client's bytes are read to the end: unread bytes would turn the FIN into an RST.
      connection.stream.resume();
      setTimeout(() => {
        connection.countUnasked(secure ? 'tls' : 'closed');
        connection.stream.end();
      }, afterMs).unref();
    },
  });
}
