/** Churn before a target that does not let go: what ends with a slot is not told of the attempt that comes after it. */
import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { acceptFor } from '#dist/fire/handshake.js';
import { resultOf, wstampede } from '../cli.js';

/** Answers 101 at once, and neither a close frame nor a FIN ever. */
async function clinging(host: string): Promise<{ readonly url: string; close(): void }> {
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
      socket.resume();
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

for (const [i, transport] of ['auto', 'node'].entries()) {
  test(`a close frame that is never answered ends its own attempt only (${transport})`, async () => {
    const target = await clinging(`127.0.0.${90 + i}`);
    const args = ['churn', target.url, '-n', '10', '-c', '5', '--close', 'clean', '-t', '5s', '--transport', transport];
    const result = resultOf(await wstampede([...args, '--no-preflight', '--no-calibrate', '--json']));
    target.close();
    assert.deepEqual(result.totals.outcomes, { 101: 10 });
  });
}
