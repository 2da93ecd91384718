/**
 * A thread that listens on a port with the shortest possible queue, reports that, and never accepts a connection. It
 * ends when it is terminated. It does not fill the queue itself.
 */
import { createServer } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

const { host, port } = workerData as { readonly host: string; readonly port: number };

createServer().listen({ host, port, backlog: 1 }, () => {
  parentPort?.postMessage('listens');
  // In the callback, because in the next turn of the event loop it would accept.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
