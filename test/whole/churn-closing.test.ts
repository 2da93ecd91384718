/** Churn before a target that does not let go: what ends with a slot is not told of the attempt that comes after it. */
import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { acceptFor } from '#dist/engine/protocol/request.js';
import { resultOf, wstampede } from '../cli.js';

/** How a target goes on after its 101. */
const AFTERWARDS: Readonly<Record<string, (socket: net.Socket) => void>> = {
  'a close frame that is never answered ends its own attempt only': (socket) => socket.resume(),
  'an RST in answer to the close frame frees the slot': (socket) => socket.once('data', () => socket.resetAndDestroy()),
  'an RST right behind the 101 frees the slot': (socket) => socket.resetAndDestroy(),
};

/** Answers 101 at once. */
async function upgrading(
  host: string,
  afterwards: (socket: net.Socket) => void,
): Promise<{ readonly url: string; close(): void }> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', (bytes) => {
      const key = /Sec-WebSocket-Key: (\S+)/.exec(bytes.toString('latin1'))?.[1] ?? '';
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          `Sec-WebSocket-Accept: ${acceptFor(key)}\r\n\r\n`,
      );
      afterwards(socket);
    });
  });
  const port = 20_000 + Math.floor(Math.random() * 10_000);
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  return {
    url: `ws://${host}:${port}/`,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

for (const [i, [what, afterwards]] of Object.entries(AFTERWARDS).entries()) {
  for (const [j, transport] of ['auto', 'node'].entries()) {
    test(`${what} (${transport})`, async () => {
      const target = await upgrading(`127.0.0.${90 + 2 * i + j}`, afterwards);
      const args = [
        'churn',
        target.url,
        '-n',
        '10',
        '-c',
        '5',
        '--close',
        'clean',
        '-t',
        '5s',
        '--transport',
        transport,
      ];
      const result = resultOf(await wstampede([...args, '--no-preflight', '--no-calibrate', '--json']));
      target.close();
      assert.deepEqual(result.totals.outcomes, { 101: 10 });
    });
  }
}
