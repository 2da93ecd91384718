/** Bytes of all buffers that something still holds: what only waits for the collector does not count. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export function buffersKept(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().arrayBuffers;
}
