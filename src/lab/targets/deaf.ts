/**
 * A thread: listens on a port with the shortest of queues, says so, and never comes to accept anything. It ends when it is
 * terminated. It knows nothing of who fills its queue.
 */
import { createServer } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

const { host, port } = workerData as { readonly host: string; readonly port: number };

createServer().listen({ host, port, backlog: 1 }, () => {
  parentPort?.postMessage('listens');
  // In the callback: one turn of the loop more, and it would accept.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
