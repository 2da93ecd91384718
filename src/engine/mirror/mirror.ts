/**
 * The local test server ("mirror" in code): a separate process that answers every handshake at once with a correct 101
 * and does nothing else. The cost of a burst against it is the generator's own. It listens on several ports, so that
 * its own listen queues cannot overflow, and ends when its standard input is closed by the process that started it.
 */
import net from 'node:net';
import tls from 'node:tls';
import { processHost } from '../../host.js';
import { acceptFor } from '../protocol/request.js';
import { MIRROR_CERT, MIRROR_KEY } from './mirror-certificate.js';

/** The kernel caps it at net.core.somaxconn. */
const LONGEST_BACKLOG = 65_535;
const KEY = /\r\nsec-websocket-key: *(\S+)\r\n/i;

function answer(this: net.Socket, bytes: Buffer): void {
  const key = KEY.exec(bytes.toString('latin1'))?.[1];
  if (key === undefined) return;
  this.write(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Accept: ${acceptFor(key)}\r\n\r\n`,
    'latin1',
  );
}

/** The generator resets its connections when it is done with them. */
function ignore(): void {}

function serve(socket: net.Socket): void {
  socket.on('data', answer);
  socket.on('error', ignore);
}

/** The kernel may choose ephemeral ports: the mirror ends before anything else needs them. */
async function listen(isSecure: boolean): Promise<number> {
  const server = isSecure
    ? tls.createServer({ cert: MIRROR_CERT, key: MIRROR_KEY, noDelay: true }, serve)
    : net.createServer({ noDelay: true }, serve);
  server.on('tlsClientError', ignore);
  await new Promise<void>((resolve) => {
    server.listen({ host: '127.0.0.1', port: 0, backlog: LONGEST_BACKLOG }, resolve);
  });
  return (server.address() as net.AddressInfo).port;
}

const host = processHost();
const [scheme, count] = host.argv;
const ports = await Promise.all(Array.from({ length: Number(count) }, () => listen(scheme === 'wss')));
host.stdout.write(`${JSON.stringify(ports)}\n`);
host.stdin.resume();
host.stdin.on('end', () => host.exit(0));
// Ctrl-C reaches the whole process group; the generator is still counting, and ends the mirror itself.
host.onSignal(() => {});
