/**
 * Collects a worker's garbage on request, at moments when nothing is measured. With thousands of live sockets a collection
 * takes several ms, which is a good part of the time in which a burst goes out; and what an earlier burst left behind would
 * otherwise still be there while the next one is opened.
 */
import { setFlagsFromString } from 'node:v8';

type Extent = 'minor' | 'major';

/**
 * Gives `gc` to the threads that are started from now on. Once, from the main thread and before there are others: V8 does
 * not promise that its flags may change under running ones.
 */
export function exposeCollector(): void {
  setFlagsFromString('--expose-gc');
}

/** `minor`: the young generation only. Does nothing where V8 gives no collector. */
export function collectGarbage(extent: Extent): void {
  const { gc } = globalThis as { gc?: (options: { type: Extent }) => void };
  gc?.({ type: extent });
}
