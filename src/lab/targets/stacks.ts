/**
 * Targets whose response is missing or not HTTP: they send nothing, too little, too slowly, too much, or another
 * protocol. Each is a few lines on top of the lab's listener.
 */
import type { Connection } from '../server/connection.js';
import { type LabEnv, openLab, type RunningLab } from '../server/listener.js';
import { acceptOf, switchingProtocols } from '../server/request-head.js';
import { type LabSettings, numberOf, textOf } from '../server/target-options.js';

export function startSilent(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return openLab('silent', settings, env, { onRequest: () => {} });
}

const DRIP_START = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX-Drip: ';

export function startDrip(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const said = new Map<Connection, number>();
  const timer = setInterval(
    () => {
      for (const [connection, bytes] of said) {
        if (connection.open) connection.stream.write(DRIP_START[bytes] ?? 'a', 'latin1');
        said.set(connection, bytes + 1);
        if (!connection.open) said.delete(connection);
      }
    },
    numberOf(settings, 'interval'),
  );
  const running = openLab('drip', settings, env, {
    onRequest: (connection) => {
      said.set(connection, 0);
    },
    onStop: () => clearInterval(timer),
  });
  running.catch(() => clearInterval(timer));
  return running;
}

export function startReset(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return openLab('reset', settings, env, {
    resets: true,
    onRequest: (connection) => connection.reset('reset'),
  });
}

const HALF_HEAD = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnec';

export function startHalfHead(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const end = textOf(settings, 'end');
  return openLab('half-head', settings, env, {
    onRequest(connection) {
      if (end === 'fin') connection.finish('closed', HALF_HEAD);
      else connection.stream.write(HALF_HEAD, 'latin1');
    },
  });
}

/** The fault in the 101, by the word of `--fault`. Each breaks exactly one rule of RFC 6455 section 4.1. */
const FAULTS = new Map<string, (head: string) => string>([
  ['accept', (head) => head.replace(/^(Sec-WebSocket-Accept: ).*$/m, `$1${acceptOf('a key that nobody sent')}`)],
  ['no-accept', (head) => head.replace(/^Sec-WebSocket-Accept: .*\r\n/m, '')],
  ['no-upgrade', (head) => head.replace(/^Upgrade: .*\r\n/m, '')],
  ['wrong-upgrade', (head) => head.replace(/^Upgrade: .*\r\n/m, 'Upgrade: h2c\r\n')],
  ['no-connection', (head) => head.replace(/^Connection: .*\r\n/m, '')],
  ['subprotocol', (head) => withHeader(head, 'Sec-WebSocket-Protocol: unasked.v1')],
  ['extension', (head) => withHeader(head, 'Sec-WebSocket-Extensions: x-unasked')],
  ['http10', (head) => head.replace('HTTP/1.1', 'HTTP/1.0')],
]);

/** The words of `--fault`. */
export const FAULT_NAMES: readonly string[] = [...FAULTS.keys()];

function withHeader(head: string, line: string): string {
  const name = line.slice(0, line.indexOf(':'));
  const without = head.replace(new RegExp(`^${name}: .*\r\n`, 'm'), '');
  return `${without.slice(0, -2)}${line}\r\n\r\n`;
}

export function startBadAccept(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const fault = FAULTS.get(textOf(settings, 'fault'));
  return openLab('bad-accept', settings, env, {
    onRequest(connection, request) {
      const head = switchingProtocols(request);
      connection.say('invalid-101', fault === undefined ? head : fault(head));
    },
  });
}

export function startNotHttp(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return openLab('not-http', settings, env, {
    // memcached answers every unknown line with an error and keeps the connection.
    onRequest: (connection, request) => {
      const lines = request.head.toString('latin1').split('\r\n').length - 1;
      connection.say('malformed', 'ERROR\r\n'.repeat(lines));
    },
  });
}

/** RFC 9112 section 4: the status must come before its reason. */
export function startMalformedAnswer(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  return openLab('malformed-answer', settings, env, {
    onRequest: (connection) =>
      connection.finish('malformed', 'HTTP/1.1 Internal Server Error 500\r\nContent-Length: 0\r\n\r\n'),
  });
}

const HEADER_BYTES = 1024;

/** A correct 101, with extra headers that make its head at least this large. */
export function startResponseTooLarge(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const lines = Math.ceil(numberOf(settings, 'bytes') / HEADER_BYTES);
  const padding = Array.from({ length: lines }, (_, i) => `X-Padding-${i}: ${'x'.repeat(HEADER_BYTES)}\r\n`).join('');
  return openLab('response-too-large', settings, env, {
    onRequest: (connection, request) =>
      connection.say('malformed', switchingProtocols(request).replace(/\r\n$/, `${padding}\r\n`)),
  });
}
