/**
 * Collects this thread's garbage on request, at moments when nothing is measured. With thousands of live sockets a
 * collection takes several ms, which is a good part of the time in which a burst goes out; and what an earlier burst left
 * behind would otherwise still be there while the next one is opened.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Extent = 'minor' | 'major';
type Collect = (options: { type: Extent }) => void;

/** V8 hands its collector to a context that is made while the flag is set (node:v8 documents setFlagsFromString). */
function collector(): Collect | null {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  return typeof gc === 'function' ? (gc as Collect) : null;
}

const collect = collector();

/** `minor`: the young generation only. Does nothing where V8 gives no collector. */
export function collectGarbage(extent: Extent): void {
  collect?.({ type: extent });
}
