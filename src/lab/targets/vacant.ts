/**
 * Targets that no packet of a client reaches: a port on which nothing listens, and one whose listen queue is
 * permanently full, so that every SYN is dropped. They see nothing, so their reports are empty.
 */
import { connect, createServer, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { UserError } from '../../errors.js';
import { Ledger } from '../server/ledger.js';
import { type LabEnv, labUrl, type RunningLab, tryPorts } from '../server/listener.js';
import { type LabSettings, numberOf, textOf } from '../server/target-options.js';

/** If a connection takes longer than this to open, the queue counts as full; loopback needs some µs. */
const FULL_AFTER_MS = 150;
/** A queue takes one connection more than its length; this exceeds any length that a kernel rounds up to. */
const FILLERS_LIMIT = 64;

export async function startNothingListens(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const port = await freePort(settings);
  return vacant('nothing-listens', port, settings, env, async () => {});
}

export async function startSynDropped(settings: LabSettings, env: LabEnv): Promise<RunningLab> {
  const port = await freePort(settings);
  const host = textOf(settings, 'host');
  // In a separate thread, because a running event loop would accept them.
  const deaf = new Worker(new URL('./deaf.js', import.meta.url), { workerData: { host, port } });
  await new Promise<void>((resolve, reject) => {
    deaf.once('message', () => resolve());
    deaf.once('error', (error: Error) =>
      reject(new UserError(`lab: cannot listen: ${error.message}`, { code: 'lab' })),
    );
  });
  const fillers: Socket[] = [];
  while (fillers.length < FILLERS_LIMIT) {
    const filler = connect({ host, port, autoSelectFamily: false });
    filler.on('error', () => {});
    fillers.push(filler);
    if (!(await isOpen(filler))) break;
  }
  return vacant('syn-dropped', port, settings, env, async () => {
    for (const filler of fillers) filler.destroy();
    await deaf.terminate();
  });
}

/** A port of the lab's own range, or the requested one, on which nothing listens. @throws UserError `lab` */
export async function freePort(settings: LabSettings): Promise<number> {
  const host = textOf(settings, 'host');
  const { port, server } = await tryPorts(numberOf(settings, 'port'), (candidate) =>
    createServer().listen({ host, port: candidate }),
  );
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function isOpen(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), FULL_AFTER_MS);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

function vacant(name: string, port: number, settings: LabSettings, env: LabEnv, stop: () => Promise<void>): RunningLab {
  const ledger = new Ledger(name, settings.log === null ? null : textOf(settings, 'log'), env.note);
  // Nothing else keeps the process alive.
  const alive = setInterval(() => {}, 60_000);
  return {
    url: labUrl(settings.tls === true ? 'wss' : 'ws', textOf(settings, 'host'), port),
    report: () => ledger.report(),
    async stop() {
      clearInterval(alive);
      await stop();
      await ledger.close();
      return ledger.report();
    },
  };
}
