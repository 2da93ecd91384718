/**
 * Collects a worker's garbage on request, while nothing is measured. With thousands of live sockets a collection takes
 * several ms, a large part of a burst's release. Without it, garbage of an earlier burst would be collected during the
 * next one.
 */
import { Session } from 'node:inspector';
import { returnFreedMemory } from '../../native/libc.js';

type Extent = 'minor' | 'major';

/** `minor`: the young generation only. Does nothing if V8 provides no collector. */
export function collectGarbage(extent: Extent): void {
  const { gc } = globalThis as { gc?: (options: { type: Extent }) => void };
  gc?.({ type: extent });
}

/**
 * Releases heap that this thread no longer needs: start-up grows the young generation to 16 MiB twice over, and only a
 * collection for lack of memory shrinks it. Takes some tens of ms.
 */
export async function trimHeap(): Promise<void> {
  const session = new Session();
  session.connect();
  await new Promise((resolve) => session.post('HeapProfiler.collectGarbage', resolve));
  // Only now: a session that is disconnected earlier could be collected itself, and its answer lost.
  session.disconnect();
  await returnFreedMemory();
}
