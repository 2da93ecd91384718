/**
 * Collects a worker's garbage on request, at moments when nothing is measured. With thousands of live sockets a collection
 * takes several ms, which is a good part of the time in which a burst goes out; and what an earlier burst left behind would
 * otherwise still be there while the next one is opened.
 */
import { Session } from 'node:inspector';
import { setFlagsFromString } from 'node:v8';
import { returnFreedMemory } from '../../native/libc.js';

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

/**
 * Gives back what this thread's heap has grown to and does not need: starting up fills the young generation to its
 * 16 MiB twice over, and no collection but one for want of memory makes it shrink. Takes some tens of ms.
 */
export async function trimHeap(): Promise<void> {
  const session = new Session();
  session.connect();
  await new Promise((resolve) => session.post('HeapProfiler.collectGarbage', resolve));
  // Only here, also so that the collection does not collect the session, and its answer with it.
  session.disconnect();
  await returnFreedMemory();
}
