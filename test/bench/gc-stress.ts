/**
 * A process of its own: bursts over the transport `epoll` while garbage is collected in the middle of the kernel's calls,
 * so that an address which goes stale is used while it is stale. After each burst the pattern around every native block is
 * looked at. Arguments: a URL, how many bursts, how large; prints one line of JSON (`Stressed`). Run it with
 * --expose-gc --max-semi-space-size=1.
 */
import { Kernel } from '#dist/engine/transport/epoll/system-calls.js';
import { LAYOUTS } from '#dist/native/layouts.js';
import { type Libc, loadLibc } from '#dist/native/libc.js';
import { fire } from '../unit/fire-raw.js';

export interface Stressed {
  readonly outcomes: Readonly<Record<string, number>>;
  readonly bursts: number;
  /** Native calls, and collections that were forced in the midst of them: of the nursery, and of the whole heap. */
  readonly calls: number;
  readonly minor: number;
  readonly major: number;
  /** Name of a native block that was overrun, and in which burst. */
  readonly damaged: string | null;
  readonly seconds: number;
}

/** Native calls from one forced collection to the next; primes, so that they wander over all kinds of calls. */
const MINOR_EVERY = 997;
const MAJOR_EVERY = 19_997;
/** What libc is asked for besides calls. */
const NO_CALLS = ['errno', 'errorName', 'watch', 'memory'];

type Collect = (options?: { readonly type: 'minor' }) => void;

const [, , url, bursts, size] = process.argv;
const collect = (globalThis as unknown as { gc?: Collect }).gc;
if (collect === undefined) throw new Error('run it with --expose-gc');
const collector = { calls: 0, minor: 0, major: 0 };

/** Collects when a call's addresses are known and it has not been made yet. Its errno is read before anything else. */
function collecting(libc: Libc): Libc {
  let errno = 0;
  const calls = Object.entries(libc)
    .filter(([name]) => !NO_CALLS.includes(name))
    .map(([name, call]) => {
      const native = call as (...args: readonly (number | string)[]) => number;
      return [
        name,
        (...args: readonly (number | string)[]) => {
          collectAtTimes();
          const result = native(...args);
          if (result < 0) errno = libc.errno();
          return result;
        },
      ];
    });
  return { ...libc, ...Object.fromEntries(calls), errno: () => errno } as Libc;
}

function collectAtTimes(): void {
  collector.calls++;
  if (collector.calls % MAJOR_EVERY === 0) {
    collector.major++;
    collect?.();
  } else if (collector.calls % MINOR_EVERY === 0) {
    collector.minor++;
    collect?.({ type: 'minor' });
  }
}

const kernel = new Kernel(collecting(await loadLibc()), LAYOUTS[process.arch]);
const outcomes: Record<string, number> = {};
let damaged: string | null = null;
const start = performance.now();
for (let burst = 0; burst < Number(bursts) && damaged === null; burst++) {
  const gate = burst % 2 === 0 ? 'connect' : 'upgrade';
  const fired = await fire(url, { kernel, n: Number(size), gate, timeoutMs: 20_000, close: 'reset' });
  for (const [id, count] of Object.entries(fired.outcomes)) outcomes[id] = (outcomes[id] ?? 0) + count;
  const block = kernel.damaged();
  if (block !== null) damaged = `${block} in burst ${burst}`;
}
kernel.close();
const seconds = (performance.now() - start) / 1000;
const stressed: Stressed = { outcomes, bursts: Number(bursts), ...collector, damaged, seconds };
process.stdout.write(`${JSON.stringify(stressed)}\n`);
