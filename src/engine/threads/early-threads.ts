/**
 * Threads that are started before the command line has been read: they load their modules on other cores while this one
 * loads its own. The worker pool takes them over; where none comes to be, they are ended unused.
 */
import { setFlagsFromString } from 'node:v8';
import { Piscina } from 'piscina';

/** Old-space limit of a worker: room for a million attempts in columns, and a bound on a leak. */
export const WORKER_HEAP_MB = 1024;
/** See `NURSERY_MB` in worker-pool.ts. */
export const USUAL_NURSERY_MB = 12;

/** @param most threads at a time */
export function newThreads(most: number, heapMb: number, nurseryMb: number): Piscina {
  exposeCollector();
  return new Piscina({
    filename: new URL('./worker.js', import.meta.url).href,
    // Each job starts its own thread. With a minimum, piscina would replace a dead thread at once; the new one is not
    // needed and may still be loading modules when all are ended, which crashes the process.
    minThreads: 0,
    idleTimeout: Number.POSITIVE_INFINITY,
    maxThreads: most,
    concurrentTasksPerWorker: 1,
    // 'sync' would block the thread, and with it every held socket, between tasks.
    atomics: 'disabled',
    resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: nurseryMb },
  });
}

/**
 * Makes `gc` available in threads that start from now on: V8 does not allow its flags to change while threads run.
 */
function exposeCollector(): void {
  setFlagsFromString('--expose-gc');
}

interface Early {
  readonly threads: Piscina;
  readonly count: number;
  /** Whether all of them have loaded their modules; false as soon as one could not. */
  readonly loaded: Promise<boolean>;
}

let early: Early | null = null;

export function startEarly(count: number): void {
  const threads = newThreads(count, WORKER_HEAP_MB, USUAL_NURSERY_MB);
  // The jobs reject as well.
  threads.on('error', () => {});
  const jobs = Array.from({ length: count }, () => threads.run(null));
  const loaded = Promise.all(jobs).then(
    () => true,
    () => false,
  );
  early = { threads, count, loaded };
}

/** For a pool of `parts` threads of the usual kind; null: as many were not started. */
export function takeEarly(parts: number): Piscina | null {
  if (early?.count !== parts) return null;
  const { threads } = early;
  early = null;
  return threads;
}

/** Ends those that nobody took. A thread that is ended while it loads modules crashes the process, so this waits. */
export async function endEarly(): Promise<void> {
  if (early === null) return;
  const { threads, loaded } = early;
  early = null;
  if (await loaded) await threads.destroy();
}
