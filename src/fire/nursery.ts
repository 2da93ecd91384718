/**
 * Empties the young generation of this thread's heap on request, so that no collection falls into a release: with
 * thousands of live sockets one takes several ms, which is a good part of the time in which a burst goes out.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { type: 'minor' }) => void;

/** V8 hands its collector to a context that is made while the flag is set (node:v8 documents setFlagsFromString). */
function collector(): Collect | null {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  return typeof gc === 'function' ? (gc as Collect) : null;
}

const collect = collector();

/** Does nothing where V8 gives no collector. */
export function emptyNursery(): void {
  collect?.({ type: 'minor' });
}
